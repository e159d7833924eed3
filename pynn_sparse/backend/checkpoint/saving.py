"""The state of a simulation in a file, from which the same script can go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import pynn_sparse
from pynn_sparse.door import Door
from pynn_sparse.engine import Engine
from pynn_sparse.engine.exchange.processes import digest
from pynn_sparse.errors import CheckpointError, ParameterError
from pynn_sparse.interrupts import held
from pynn_sparse.network import archive
from pynn_sparse.network.block import Arrays
from pynn_sparse.network.contents import Contents
from pynn_sparse.notices import warn

from .. import simulator
from ..access import exclusive
from .parts import RecorderPart, SourcePart, described

if TYPE_CHECKING:
    from .joining import Joining

VERSION = 5
WRITTEN_BY = "written by"
GREATEST = 2**62  # of counters


@exclusive("save_state")
def save_state(filename: str | Path) -> None:
    """Write the state of the simulation to a file, a NumPy archive (.npz) with a checksum.

    It holds the time, the neurons, what is on its way to them, weights, parameters, current
    sources, and what was recorded since the last reset; not the network itself, which `load_state`
    expects to have been made by the same script.

    Where several processes simulate together, all have to call this, with one name. Process 0
    writes the file, which is that of one process, and needs memory for all of it.

    The file takes the place of an old one when it is complete and on the disk: if the process ends
    before, or the disk is full, the old one is as it was.

    Raises RuntimeError before the first run, `pynn_sparse.errors.InterruptedRunError` where the
    last run was broken off between two steps, and OSError if the file cannot be written.
    """
    path = Door(TypeError).path("filename", filename)
    state = simulator.state
    state.require_all("save_state")
    state.processes.meet_alike("save_state", {"filename": digest([str(path)])})
    _refuse_what_has_none("save_state")
    if state.engine is None:
        raise RuntimeError("save_state: there is nothing to save before the first run")
    with state.processes.together("save_state"):
        with held:
            arrays = state.engine.snapshot()
            for name, part in _parts().items():
                arrays |= {f"{name}/{key}": each for key, each in part.snapshot().items()}
        joining = _joining(state.engine.step)
        arrays |= {
            "segment": np.array(state.segment_counter, np.int64),
            "trial": np.array(state.network.trials.number, np.int64),
            "network": np.array(json.dumps(_described(joining))),
            WRITTEN_BY: np.array(pynn_sparse.__version__),
        }
        whole = arrays if joining is None else joining.join(arrays)
        if whole is not None:
            archive.write(path, whole)


def _refuse_what_has_none(what: str) -> None:
    """Raise NotImplementedError for what a file would not hold."""
    state = simulator.state
    for there, text in (
        (state.rewiring, "whose connections come and go (StructuralMechanism...)"),
        (state.network.modulations, "with Neuromodulation"),
    ):
        if there:
            raise NotImplementedError(
                f"{what}: a network {text} has no checkpoints: must be run from its beginning"
            )


@exclusive("load_state", in_callbacks=False)
def load_state(filename: str | Path) -> None:
    """Go on from a file that `save_state` wrote, to the last bit.

    The network must be the one of the script that wrote it: made anew after `setup` with the same
    time step, precision and seed, the same connections, and the same recordings; the number of
    threads and of processes, and the device, may differ. What was run since `setup` is forgotten.
    Of several processes each reads the file.

    Raises `pynn_sparse.errors.CheckpointError`, a ValueError, for a file that is damaged, not one
    of `save_state`, or of another network, naming file and first difference;
    `MissingCheckpointError`, also a FileNotFoundError, where there is none. Nothing has changed
    then.
    """
    state = simulator.state
    path = Door(TypeError).path("filename", filename)
    state.require_open("load_state")
    _refuse_what_has_none("load_state")
    state.require_all("load_state")
    state.processes.meet_alike("load_state", {"filename": digest([str(path)])})
    with state.processes.together("load_state"):
        arrays = archive.read(path)
        engine = state.new_engine()  # which takes nothing over from what has been run
        arrays = _checked(str(filename), arrays, engine)
    with held, _undone_on_failure():
        for name, part in _parts().items():
            part.restore(_part(arrays, name))
        engine.restore(arrays)
        discarded, state.engine = state.engine, engine
        state.segment_counter = int(arrays["segment"])
        state.network.trials.number = int(arrays["trial"])
        state.running = True
    if discarded is not None:
        discarded.discard()


def _part(arrays: Arrays, name: str) -> Arrays:
    prefix = f"{name}/"
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _parts() -> dict[str, Any]:
    """Everything with a `snapshot` beside the engine, by its name in the file."""
    network = simulator.state.network
    parts: dict[str, Any] = {}
    for kind, items in (
        ("block", network.blocks),
        ("table", network.tables),
        ("junction", network.junctions),
        ("probe", network.probes),
        ("synapse probe", network.synapse_probes),
        ("source", _sources()),
        ("recorder", _recorders()),
    ):
        parts |= {f"{kind} {number}": item for number, item in enumerate(items)}
    return parts


def _sources() -> list[SourcePart]:
    """Current sources, in the order in which they were injected."""
    sources = dict.fromkeys(each.source for each in simulator.state.network.injections)
    return [SourcePart(each) for each in sources]


def _recorders() -> list[RecorderPart]:
    recorders = sorted(simulator.state.recorders, key=lambda each: each.population._block.first)
    return [RecorderPart(each) for each in recorders]


@contextmanager
def _undone_on_failure() -> Iterator[None]:
    """Give all that is being restored its attributes back if that fails, as when memory runs out.

    Restoring gives them new values, and changes none in place.
    """
    state = simulator.state
    items = [getattr(part, "item", part) for part in _parts().values()]
    before = [(item, dict(item.__dict__)) for item in (*items, state)]
    try:
        yield
    except BaseException:
        for item, attributes in before:
            item.__dict__.clear()
            item.__dict__.update(attributes)
        raise


# --- checking -----------------------------------------------------------------------------------


def _joining(step: int) -> Joining | None:
    """What puts the parts of several processes together; None for one."""
    state = simulator.state
    if state.processes.size == 1:
        return None
    from .joining import Joining

    return Joining(state.network, state.processes, step)


def _described(joining: Joining | None) -> dict[str, Any]:
    state = simulator.state
    options = {
        "version of the format": VERSION,
        "time step": state.dt,
        "precision": state.options.precision,
        "seed": state.options.seed,
    }
    sources = [each.item for each in _sources()]
    if joining is None:
        return options | described(state.network, sources)
    of_all = joining.wiring(), joining.recorded(), joining.recorded_synapses
    return options | described(state.network, sources, *of_all)


def _checked(filename: str, arrays: Arrays, engine: Engine) -> Arrays:
    """What this process has of a file; `CheckpointError` if the network cannot go on from it."""
    joining = _joining(engine.step)
    whole = Contents(filename, arrays)
    _compare(filename, whole, joining)
    mine = joining.own(arrays) if joining else arrays
    contents = whole.narrowed(mine)
    step = contents.number("step", -1, GREATEST)
    contents.number("segment", 0, GREATEST)
    contents.number("trial", 0, GREATEST)
    name = ""
    try:
        for name, part in _parts().items():
            check = getattr(part, "validate", None) or part.check
            check(contents.part(name), step)
        name = "engine"
        engine.check(contents, step)
    except CheckpointError:
        raise
    except (ParameterError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise CheckpointError(f"{filename}, {name}: {error}") from error
    contents.finish()
    return mine


def _compare(filename: str, contents: Contents, joining: Joining | None) -> None:
    """The network that is described in the file, with the present one."""
    texts = [_text(contents, name) for name in ("network", WRITTEN_BY)]
    try:
        saved = json.loads(texts[0])
        items = list(saved.items())
    except (ValueError, AttributeError) as error:
        raise CheckpointError(f"{filename}: the description of the network is damaged") from error
    present = json.loads(json.dumps(_described(joining)))
    for what, value in (*items, *((k, None) for k in present if k not in saved)):
        if value != present.get(what):
            raise CheckpointError(
                f"{filename} is of another network. {what}: {_short(value)} in the file, "
                f"{_short(present.get(what))} at present"
            )
    if texts[1] != pynn_sparse.__version__:
        warn(
            f"{filename} was written by version {texts[1]}, this is {pynn_sparse.__version__}: "
            "results may differ from those of a run that was not divided",
        )


def _text(contents: Contents, name: str) -> str:
    array = contents.arrays.get(name)
    if array is None or array.dtype.kind != "U" or array.shape != ():
        contents.fail(f"{name} is missing, or no text: this is not a file that save_state wrote")
    return str(contents.check(name, contents.arrays[name].dtype, ()))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 200 else text[:197] + "..."
