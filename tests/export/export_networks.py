"""Networks of integers and of floats that the tests of export run."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.export.folder.memh import to_memh
from pynn_sparse.export.nets.fixednet import Axons, FixedNet, Formats, Profiles
from pynn_sparse.export.nets.floatnet import Cells, FloatNet, make_connections
from pynn_sparse.export.nets.number_formats import Quantise
from pynn_sparse.export.registry import find
from pynn_sparse.export.tables import Tables
from pynn_sparse.export.target import Target


def random_fixed(
    seed: int, target: str = "asic", hops: int = 5, refractory: int = 3, strong: bool = False
) -> FixedNet:
    """A recurrent network of 12 neurons and 8 sources, with all kinds of registers."""
    rng = np.random.default_rng(seed)
    neurons, sources, synapses = 12, 8, int(rng.integers(1, 150))
    receptors = 1 if target.startswith("loihi") else int(rng.integers(1, 3))
    semantics = find(target).semantics(receptors)
    one = 1 << semantics.decay_bits
    kinds = 4
    unit = 64 if target.startswith("loihi") else 1
    profiles = Profiles(
        current_decay=rng.integers(0, one, (kinds, receptors)),
        voltage_decay=rng.integers(0, one // 2, kinds),
        threshold=rng.integers(1000, 8000, kinds) * unit,
        reset=np.zeros(kinds, np.int64) if unit == 64 else rng.integers(-900, 900, kinds),
        bias=rng.integers(-300, 600, kinds),
        refractory=rng.integers(0, refractory + 1, kinds),
    )
    source = np.sort(rng.integers(0, neurons + sources, synapses))
    low = 7 if unit == 64 else (6 if strong else 0)
    formats = Formats(
        receptor=rng.integers(0, receptors, 3),
        shift=rng.integers(low, low + 6, 3),
        negative=np.zeros(3, np.int64),
    )
    start = np.searchsorted(source, np.arange(neurons + sources + 1)).astype(np.int64)
    return FixedNet(
        semantics,
        (Axons("neurons", 0, neurons, False), Axons("input", neurons, sources, True)),
        profiles,
        rng.integers(0, kinds, neurons),
        np.zeros(neurons, np.int64) if unit == 64 else rng.integers(-500, 500, neurons),
        formats,
        start,
        rng.integers(0, neurons, synapses),
        rng.integers(-120, 128, synapses),
        rng.integers(1, hops + 1, synapses),
        rng.integers(0, 3, synapses),
    )


def random_events(seed: int, fixed: FixedNet, steps: int, first: int = 0) -> NDArray[np.int64]:
    """Spikes (step, axon) of sources, at most one for each axon and step."""
    rng = np.random.default_rng(seed)
    on = rng.random((steps + 1, fixed.n_axons - fixed.n_neurons)) < 0.3
    on[:first] = False
    step, source = np.nonzero(on)
    return np.stack([step, source + fixed.n_neurons], axis=1)


PARAMETERS = {
    "tau_m": 20.0,
    "cm": 1.0,
    "tau_refrac": 2.0,
    "v_rest": -65.0,
    "v_thresh": -50.0,
    "v_reset": -65.0,
    "i_offset": 0.0,
    "tau_syn_E": 5.0,
    "tau_syn_I": 5.0,
}


def neurons(label: str, size: int, model: str = "IF_curr_exp", **parameters: Any) -> Cells:
    values = {name: np.full(size, value) for name, value in (PARAMETERS | parameters).items()}
    initial = {"v": values["v_rest"].copy(), "isyn_exc": np.zeros(size), "isyn_inh": np.zeros(size)}
    return Cells(label, model, size, values, initial, is_source=False)


def sources(label: str, size: int, spikes: NDArray[np.int64] | None = None) -> Cells:
    if spikes is None:
        spikes = np.zeros((0, 2), np.int64)
    return Cells(label, "SpikeSourceArray", size, {}, {}, is_source=True, spikes=spikes)


def random_float(
    seed: int = 0,
    n: int = 40,
    density: float = 0.2,
    dt: float = 1.0,
    delays: int = 4,
    rate: float = 0.05,
    steps: int = 300,
    **parameters: Any,
) -> FloatNet:
    """Sources, excited neurons, and inhibition among them."""
    rng = np.random.default_rng(seed)
    step, cell = np.nonzero(rng.random((steps, n // 2)) < rate)
    cells = (
        sources("input", n // 2, np.stack([cell, step], axis=1)),
        neurons("neurons", n, **parameters),
    )
    parts = []
    for pre, sign, receptor, scale in ((0, 1, "excitatory", 1.5), (1, -1, "inhibitory", 0.4)):
        count = int(density * cells[pre].size * n)
        parts.append(
            make_connections(
                f"{cells[pre].label}→neurons",
                pre,
                1,
                receptor,
                cells[pre].size,
                rng.integers(0, cells[pre].size, count),
                rng.integers(0, n, count),
                sign * scale * rng.random(count),
                rng.integers(1, delays + 1, count),
            )
        )
    return FloatNet(dt, cells, tuple(parts))


# What all targets together need of a network that has nothing but 16 sources and IF_curr_exp.
ACCEPT = (
    *(
        "current",
        "delay",
        "events",
        "initial",
        "leak",
        "pulse",
        "rate",
        "refractory",
        "reset",
        "tau",
    ),
    "weights",
)


def rule_of(target: str) -> Quantise:
    """What a target has by itself, or weights of a size that it has."""
    return Quantise(**find(target).defaults or {"weight_bits": 6})


def suited(net: FloatNet, target: str) -> FloatNet:
    """What the target can do: akida has no recurrence, and one synapse between two cells."""
    if target != "akida":
        return net
    parts = []
    for part in net.connections:
        source, size = part.source, net.cells[part.post].size
        _, first = np.unique(source * size + part.target, return_index=True)
        single = np.zeros(len(part), bool)
        single[first] = net.cells[part.pre].is_source
        parts.append(part.kept(single))
    return net.with_connections(parts)


def layered(
    seed: int,
    sizes: tuple[int, ...] = (16, 12, 8),
    density: float = 0.5,
    rate: float = 0.1,
    steps: int = 200,
    **parameters: Any,
) -> FloatNet:
    """A chain of populations from sources on, with excitation and inhibition in each layer."""
    rng = np.random.default_rng(seed)
    step, cell = np.nonzero(rng.random((steps, sizes[0])) < rate)
    cells = [sources("layer0", sizes[0], np.stack([cell, step], axis=1))]
    parts = []
    for n, (before, size) in enumerate(itertools.pairwise(sizes)):
        cells.append(neurons(f"layer{n + 1}", size, **parameters))
        source, target = np.nonzero(rng.random((before, size)) < density)
        weight = rng.normal(0.6, 1.0, len(source))
        for receptor, mine in (("excitatory", weight > 0), ("inhibitory", weight < 0)):
            each = (source[mine], target[mine], weight[mine], np.ones(mine.sum(), np.int64))
            label = f"layer{n}→layer{n + 1} {receptor}"
            parts.append(make_connections(label, n, n + 1, receptor, before, *each))
    return FloatNet(1.0, tuple(cells), tuple(parts))


def tables_of(fixed: FixedNet, target: Target | None = None) -> Tables:
    """Tables of integers that come from no network."""
    target = target or find("asic")
    rule = Quantise(weight_bits=8)
    memories = target.pack(fixed, 8, True)
    nothing: Any = ()
    scale, origin = np.ones(fixed.n_neurons), np.arange(fixed.n_synapses)
    return Tables(
        target,
        FloatNet(1.0, (), ()),
        rule,
        (),
        "none",
        nothing,
        nothing,
        nothing,
        fixed.frame,
        memories,
        scale,
        origin,
        target.place(fixed, 8, True),
    )


def arrays_in(file: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file, which is closed."""
    with np.load(file) as archive:
        return dict(archive)


def write_words(tables: Tables, folder: Path) -> None:
    """The files that a simulator of the core reads."""
    for name, memory in tables.memories.items():
        (folder / f"{name}.memh").write_bytes(to_memh(memory.words, memory.layout.width))
    for name, data in tables.target.more_files(tables).items():
        (folder / name).write_bytes(data)
