"""The state of a simulation in a file, from which the same script can go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import quantities as pq

from pynn_sparse.network.block import Arrays

from ..parameters import Sequence
from . import simulator

VERSION = 2


def save_state(filename: str | Path) -> None:
    """Write the state of the simulation to a file, a NumPy archive (.npz).

    It holds the time, the neurons, what is on its way to them, weights, parameters, current
    sources, and what was recorded since the last reset; not the network itself, which `load_state`
    expects to have been made by the same script.

    Raises RuntimeError before the first run.
    """
    state = simulator.state
    if state.engine is None:
        raise RuntimeError("save_state: there is nothing to save before the first run")
    arrays = state.engine.snapshot()
    for name, part in _parts().items():
        arrays |= {f"{name}/{key}": each for key, each in part.snapshot().items()}
    arrays |= {"trial": np.array(state.network.trials.number)}
    arrays |= {"segment": np.array(state.segment_counter), "network": np.array(_described())}
    with open(filename, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_state(filename: str | Path) -> None:
    """Go on from a file that `save_state` wrote, to the last bit.

    The network must be the one of the script that wrote it: made anew after `setup` with the same
    time step and precision, with the same recordings; the number of threads and the device may
    differ. What was run since `setup` is forgotten.

    Raises ValueError, naming the first difference, for a file of another network, and nothing has
    changed then.
    """
    state = simulator.state
    state.require_open("load_state")
    with np.load(filename, allow_pickle=False) as file:
        arrays = dict(file)
    _check(str(filename), arrays)
    for name, part in _parts().items():
        prefix = f"{name}/"
        part.restore({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
    state.require_engine().restore(arrays)
    state.segment_counter = int(arrays["segment"])
    state.network.trials.number = int(arrays["trial"])
    state.running = True


def _parts() -> dict[str, Any]:
    """Everything with a `snapshot` beside the engine, by its name in the file."""
    network = simulator.state.network
    parts: dict[str, Any] = {}
    for kind, items in (
        ("block", network.blocks),
        ("table", network.tables),
        ("junction", network.junctions),
        ("probe", network.probes),
        ("source", _sources()),
        ("recorder", _recorders()),
    ):
        parts |= {f"{kind} {number}": item for number, item in enumerate(items)}
    return parts


def _sources() -> list[Any]:
    """Current sources, in the order in which they were injected."""
    sources = [_Source(each.source) for each in simulator.state.network.injections]
    return list({id(each.source): each for each in sources}.values())


class _Source:
    """Parameters of a current source, and what was recorded of it."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def snapshot(self) -> Arrays:
        """Parameters, and samples by the step at which they begin."""
        source = self.source
        arrays = {
            f"value {name}": np.asarray(value.value if isinstance(value, Sequence) else value)
            for name, value in source._values.items()
        }
        arrays |= {f"sample {first}": samples for first, samples in source._recording}
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of a source of the same class."""
        values = {
            name: Sequence(value) if value.ndim else float(value)
            for name, value in _with(arrays, "value ").items()
        }
        object.__setattr__(self.source, "_values", values)
        samples = _with(arrays, "sample ").items()
        self.source._recording[:] = [(int(first), each) for first, each in samples]


def _recorders() -> list[Any]:
    recorders = sorted(simulator.state.recorders, key=lambda each: each.population._block.first)
    return [_Recorder(each) for each in recorders]


class _Recorder:
    """When a population's recording began."""

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder

    def snapshot(self) -> Arrays:
        """The time in ms."""
        return {"start": np.array(float(self.recorder._recording_start_time))}

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot."""
        self.recorder._recording_start_time = float(arrays["start"]) * pq.ms


def _with(arrays: Arrays, prefix: str) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _described() -> str:
    """What two networks must have in common, as JSON."""
    state = simulator.state
    network = state.network
    number = {id(block): k for k, block in enumerate(network.blocks)}
    return json.dumps(
        {
            "version of the format": VERSION,
            "time step": state.dt,
            "precision": state.options.precision,
            "seed": state.options.seed,
            "populations (model, cells)": [[b.model.name, b.size] for b in network.blocks],
            "projections (from, to, receptor, synapses, rule)": [
                [
                    *(number[id(t.pre)], number[id(t.post)], t.receptor, len(t)),
                    t.rule.dynamics.name if t.rule else "",
                ]
                for t in network.tables
            ],
            "gap junctions (from, to, number)": [
                [number[id(t.pre)], number[id(t.post)], len(t)] for t in network.junctions
            ],
            "recorded variables (population, variable, interval, cells)": [
                [number[id(p.block)], p.variable, p.interval, p.index.tolist()]
                for p in network.probes
            ],
            "cells with recorded spikes": int(network.spikes_wanted.sum()),
            "current sources (class)": [type(each.source).__name__ for each in _sources()],
        }
    )


def _check(filename: str, arrays: Arrays) -> None:
    if "network" not in arrays:
        raise ValueError(f"{filename} is not a file that save_state wrote")
    saved, present = (json.loads(text) for text in (str(arrays["network"]), _described()))
    for what, value in saved.items():
        if value != present.get(what):
            raise ValueError(
                f"{filename} is of another network. {what}: {_short(value)} in the file, "
                f"{_short(present.get(what))} at present"
            )
    tables = simulator.state.network.tables
    for number, table in enumerate(tables):
        weight = arrays[f"table {number}/weight"]
        if len(weight) not in (1, len(table)):
            raise ValueError(f"{filename}: projection table {number} has {len(weight)} weights")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) < 200 else text[:197] + "..."
