"""Networks for the tests of SpiNNaker, and a plain model of its neurons."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from export_networks import neurons, random_float, sources
from numpy.typing import NDArray

from pynn_sparse.export.nets.fixednet import FixedNet
from pynn_sparse.export.nets.floatnet import Cells, Connections, FloatNet, make_connections
from pynn_sparse.export.tables import Tables

BOTH = ("spinnaker1", "spinnaker2")
ONE_SPIKE = np.array([[0, 1]])


def listed(
    label: str,
    pre: tuple[int, Cells],
    post: tuple[int, Cells],
    synapses: list[tuple[int, int, float, int]],
    receptor: str = "excitatory",
) -> Connections:
    """A projection from (source, target, weight, delay in steps)."""
    columns = np.array(synapses, float).reshape(-1, 4).T
    source, target, delay = (columns[i].astype(np.int64) for i in (0, 1, 3))
    sizes = pre[1].size, source, target, columns[2], delay
    return make_connections(label, pre[0], post[0], receptor, *sizes)


def scattered(
    seed: int,
    pre: tuple[int, Cells],
    post: tuple[int, Cells],
    count: int,
    delays: tuple[int, int],
    weight: float,
    number: int = 0,
) -> Connections:
    """`count` random synapses; negative weights are inhibitory."""
    rng = np.random.default_rng(seed)
    receptor = "excitatory" if weight > 0 else "inhibitory"
    label = f"{pre[1].label}→{post[1].label} {receptor} {number}"
    arrays = (
        rng.integers(0, pre[1].size, count),
        rng.integers(0, post[1].size, count),
        weight * rng.random(count),
        rng.integers(delays[0], delays[1] + 1, count),
    )
    return make_connections(label, pre[0], post[0], receptor, pre[1].size, *arrays)


def documented() -> FloatNet:
    """Four sources, three neurons, four synapses."""
    cells = (0, sources("a", 4, ONE_SPIKE)), (1, neurons("b", 3))
    synapses = [(0, 0, 1.5, 1), (0, 2, 0.25, 3), (1, 1, 2.0, 2), (3, 2, 0.3, 15)]
    part = listed("a→b", *cells, synapses)
    return FloatNet(1.0, (cells[0][1], cells[1][1]), (part,))


def poisson(label: str, size: int, rate: float) -> Cells:
    rates = {"rate": np.full(size, rate)}
    return Cells(label, "SpikeSourcePoisson", size, rates, {}, is_source=True)


def varied(cells: Cells, seed: int) -> Cells:
    """Every neuron with parameters of its own."""
    rng = np.random.default_rng(seed)
    parameters = {name: x + rng.random(cells.size) for name, x in cells.parameters.items()}
    initial = cells.initial | {"v": cells.initial["v"] + rng.random(cells.size)}
    return replace(cells, parameters=parameters, initial=initial)


def manifold(seed: int = 0, large: int = 600) -> FloatNet:
    """Several cores, several projections of a pair, both signs, all kinds of sources.

    The second population's projections come before those that the first one is the target of, and
    it connects to itself; so keys, entries and blocks have different orders.
    """
    cells = (
        poisson("noise", 700, 80.0),
        varied(neurons("one", large), seed),
        sources("given", 9, np.array([[0, 1], [3, 2]])),
        varied(neurons("two", 40), seed + 1),
    )
    noise, one, given, two = enumerate(cells)
    n = 8 * large
    parts = (
        scattered(1, two, one, n // 4, (1, 32), 3.0),
        scattered(2, two, two, 300, (1, 128), -0.7),
        scattered(3, noise, one, n, (1, 7), 0.02),
        scattered(4, one, one, n, (2, 31), -0.4),
        scattered(5, two, one, n // 8, (1, 32), 0.1, 1),
        scattered(6, noise, two, 900, (5, 5), 0.5),
        scattered(7, given, two, 60, (128, 128), 40.0),
        scattered(8, two, one, n // 4, (9, 9), -0.01),
    )
    return FloatNet(1.0, cells, parts)


def constant(dt: float, delay: int) -> FloatNet:
    """Equal weights and delays, one neuron driven by one source, and by itself."""
    cells = (sources("source", 1, ONE_SPIKE), neurons("neuron", 1), neurons("pair", 2))
    source, neuron, pair = enumerate(cells)
    parts = (
        listed("source→neuron", source, neuron, [(0, 0, 2.0, delay)]),
        listed("neuron→neuron", neuron, neuron, [(0, 0, -0.5, delay)], "inhibitory"),
        listed("neuron→pair", neuron, pair, [(0, i, 0.25, delay) for i in (0, 1, 1)]),
    )
    return FloatNet(dt, cells, parts)


def drawn(seed: int) -> tuple[FloatNet, int]:
    """Any number of populations and projections, and how many neurons share a core."""
    rng = np.random.default_rng(seed)
    kinds = [*rng.choice(["neurons", "given", "noise"], rng.integers(0, 4)), "neurons"]
    cells = tuple(_population(rng, f"{kind} {i}", kind) for i, kind in enumerate(kinds))
    targets = [i for i, each in enumerate(cells) if not each.is_source]
    per_core = int(rng.choice([256, 256, 100, 64, 5]))
    parts = []
    for number in range(rng.integers(1, 8)):
        pre, post = int(rng.integers(len(cells))), int(rng.choice(targets))
        bits = (min(cells[post].size, per_core) - 1).bit_length()
        most = min(1 << (13 - max(1, bits)), int(rng.choice([1, 2, 15, 16, 17, 4096])))
        delays = int(rng.choice([1, most])), most
        weight = float(rng.choice([0.001, 0.3, 5.0, 20.0, -0.02, -2.0, -9.0]))
        count = int(rng.integers(1, min(4000, cells[pre].size * cells[post].size) + 1))
        ends = (pre, cells[pre]), (post, cells[post])
        part = scattered(seed * 10 + number, *ends, count, delays, weight, number)
        equal = replace(part, weight=np.full(len(part), weight))
        parts.append(equal if rng.random() < 0.3 else part)
    return FloatNet(float(rng.choice([0.1, 0.5, 1.0, 2.0])), cells, tuple(parts)), per_core


def _population(rng: np.random.Generator, label: str, kind: str) -> Cells:
    size = int(rng.choice([1, 2, 3, 17, 64, 130, 256, 257, 520]))
    if kind == "given":
        return sources(label, size, ONE_SPIKE)
    if kind == "noise":
        return poisson(label, size, float(rng.choice([1.0, 50.0, 3000.0])))
    made = neurons(label, size)
    return varied(made, int(rng.integers(1000))) if rng.random() < 0.5 else made


def fitting(seed: int, n: int, **parameters: Any) -> FloatNet:
    """Of `random_float`, with delays up to the greatest of 32 neurons."""
    return random_float(seed, n=n, delays=256 if n <= 32 else 32, **parameters)


def with_words(tables: Tables, name: str, limbs: Any) -> Tables:
    """The same tables with other words in a memory."""
    memories = tables.memories | {name: replace(tables.memories[name], words=limbs)}
    return replace(tables, memories=memories)


# --- a plain model ---------------------------------------------------------------------------


def rounded_product(a: int, b: int) -> int:
    return max(-(2**31), min(2**31 - 1, math.floor(a * b / 2**15 + 0.5)))


def plain(
    net: FixedNet, steps: int, events: NDArray[np.int64], ring_most: int = 65535
) -> tuple[list[tuple[int, int]], list[list[int]]]:
    """Spikes and voltages: a neuron at a time, from its parameters, in Python's integers."""
    registers: Any = net.profiles
    arriving: dict[tuple[int, int, int], int] = {}
    shift: dict[tuple[int, int], int] = {}
    v, current = net.initial.tolist(), [[0, 0] for _ in range(net.n_neurons)]
    waiting = [0] * net.n_neurons
    spikes, voltages = [], [list(v)]

    def send(axon: int, step: int) -> None:
        for k in range(net.start[axon], net.start[axon + 1]):
            kind = int(net.format[k])
            place = int(net.target[k]), int(net.formats.receptor[kind])
            shift[place] = int(net.formats.shift[kind])
            key = (step + int(net.hop[k]), *place)
            arriving[key] = min(arriving.get(key, 0) + int(net.weight[k]), ring_most)

    for axon in events[events[:, 0] == 0, 1]:
        send(int(axon), 0)
    for step in range(1, steps + 1):
        fired = []
        for j, p in enumerate(net.profile.tolist()):
            dt = int(registers.time_step[p])
            for r in (0, 1):
                tau = int(registers.current_decay[p, r])
                decay = math.floor(math.exp(-((dt << 15) // tau) / 2**15) * 2**32)
                gain = ((tau << 15) // dt * (2**32 - 1 - decay)) >> 15
                entry = arriving.get((step, j, r), 0) << shift.get((j, r), 0)
                current[j][r] += (entry * gain) >> 32
            tau = int(registers.voltage_decay[p])
            factor = math.floor(math.exp(-((dt << 15) // tau) / 2**15) * 2**15)
            resistance = (tau << 15) // int(registers.capacitance[p])
            if waiting[j]:
                waiting[j] -= 1
            else:
                total = current[j][0] - current[j][1] + int(registers.bias[p])
                goal = rounded_product(total, resistance) + int(registers.rest[p])
                v[j] = goal - rounded_product(factor, goal - v[j])
                if v[j] >= registers.threshold[p]:
                    v[j] = int(registers.reset[p])
                    waiting[j] = math.ceil(((int(registers.refractory[p]) << 15) // dt) / 2**15)
                    fired.append(j)
            for r in (0, 1):
                tau = int(registers.current_decay[p, r])
                decay = math.floor(math.exp(-((dt << 15) // tau) / 2**15) * 2**32)
                current[j][r] = (current[j][r] * decay) >> 32
        spikes += [(step, j) for j in fired]
        voltages.append(list(v))
        for axon in [*fired, *events[events[:, 0] == step, 1].tolist()]:
            send(int(axon), step)
    return spikes, voltages
