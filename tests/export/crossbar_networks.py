"""Random networks of integers, and plain models of chips, for tests of crossbar targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.export.nets.fixednet import Axons, FixedNet, Formats, profiles_of
from pynn_sparse.export.target import Target
from pynn_sparse.export.targets.odin.target import RANGE as ODIN_RANGE
from pynn_sparse.export.targets.truenorth.words import NO_FLOOR

Integers = NDArray[np.int64]


def network(
    target: Target, rng: np.random.Generator, columns: Integers, weights: Integers, hops: int
) -> FixedNet:
    """Recurrent, with registers `columns` [N, ...] of `profiles_of`, and `weights` [N, kinds].

    A third as many sources as neurons; several synapses of equal source, target and hop occur.
    """
    neurons, kinds = weights.shape
    sources = max(1, neurons // 3)
    n = int(rng.integers(neurons, 6 * neurons))
    source, neuron = rng.integers(0, neurons + sources, n), rng.integers(0, neurons, n)
    weight = weights[neuron, rng.integers(0, kinds, n)]
    hop = rng.integers(1, hops + 1, n)
    order = np.lexsort((weight, hop, neuron, source))
    profiles, profile = profiles_of(columns, 1)
    zero = np.zeros(1, np.int64)
    return FixedNet(
        target.semantics(1),
        (Axons("neurons", 0, neurons, False), Axons("input", neurons, sources, True)),
        profiles,
        profile,
        rng.integers(-20, 20, neurons),
        Formats(zero, zero, zero),
        np.searchsorted(source[order], np.arange(neurons + sources + 1)).astype(np.int64),
        neuron[order],
        weight[order],
        hop[order],
        np.zeros(n, np.int64),
    )


def random_truenorth(seed: int, target: Target, neurons: int = 24, hops: int = 6) -> FixedNet:
    """Four weights of 9 bits, leaks, resets and floors of all kinds."""
    rng = np.random.default_rng(seed)
    zero = np.zeros(neurons, np.int64)
    registers = {
        "threshold": rng.integers(60, 500, neurons),
        "reset": rng.integers(-40, 40, neurons),
        "leak": rng.integers(-12, 25, neurons),
        "floor": np.where(rng.random(neurons) < 0.6, rng.integers(-150, -45, neurons), NO_FLOOR),
    }
    threshold, reset, leak, floor = registers.values()
    columns = np.column_stack([zero + 1, zero, threshold, reset, leak, zero, floor])
    weights = rng.integers(1, 256, (neurons, 4)) * rng.choice([-1, 1, 1], (neurons, 4))
    return network(target, rng, columns, weights, hops)


def random_odin(seed: int, target: Target, neurons: int = 24, hops: int = 3) -> FixedNet:
    """Weights of 4 bits, thresholds of a few spikes; some neurons near the ends of their range."""
    rng = np.random.default_rng(seed)
    zero = np.zeros(neurons, np.int64)
    threshold = rng.choice([3, 5, 9, 17, ODIN_RANGE[1]], neurons)
    columns = np.column_stack([zero + 1, rng.integers(0, 3, neurons), threshold, *(zero,) * 3])
    weights = rng.integers(1, 8, (neurons, 16)) * rng.choice([-1, 1, 1, 1], (neurons, 16))
    fixed = network(target, rng, columns, weights, hops)
    initial = np.minimum(fixed.initial, threshold - 1)
    edge = rng.random(neurons) < 0.2
    ends = np.where(threshold == ODIN_RANGE[1], ODIN_RANGE[1] - 2, ODIN_RANGE[0] + 1)
    return replace(fixed, initial=np.where(edge, ends, initial))
