"""Populations as a chain of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...nets.fixednet import Axons, FixedNet

Integers = NDArray[np.int64]


def layers_of(
    axons: Sequence[Axons], edges: Sequence[tuple[int, int]]
) -> tuple[Integers, list[int]]:
    """Layer of each population, 0 for sources, and which edges do not lead to the next layer.

    Args:
        axons: the populations.
        edges: (from, to), indices of populations between which there are synapses.
    """
    known = np.array([each.is_source for each in axons], bool)
    layer = np.zeros(len(axons), np.int64)
    _spread(layer, known, edges)
    while not known.all():  # populations to which no path leads from sources
        before = known.copy()
        known[np.argmin(known)] = True
        _spread(layer, known, edges)
        layer[known & ~before] += 1 - layer[known & ~before].min()
    return layer, [
        index
        for index, (pre, post) in enumerate(edges)
        if layer[post] != layer[pre] + 1 or (layer[pre] < 1 and not axons[pre].is_source)
    ]


def _spread(layer: Integers, known: NDArray[np.bool_], edges: Sequence[tuple[int, int]]) -> None:
    """Fill in the layers of populations that are connected with those whose layer is known."""
    for _ in edges:
        for pre, post in edges:
            if known[pre] and not known[post]:
                layer[post], known[post] = layer[pre] + 1, True
            elif known[post] and not known[pre]:
                layer[pre], known[pre] = layer[post] - 1, True


def edges_of(fixed: FixedNet) -> list[tuple[int, int]]:
    """Pairs of populations between which there are synapses."""
    population = np.repeat(np.arange(len(fixed.axons)), [each.size for each in fixed.axons])
    pairs = np.stack([population[fixed.source], population[fixed.target]], axis=1)
    return [(int(pre), int(post)) for pre, post in np.unique(pairs, axis=0)]


def chain(axons: Sequence[Axons], layer: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Axons that are inputs, and those that are units, of each layer from the first on."""
    of_axon = np.repeat(layer, [each.size for each in axons])
    for number in range(1, int(layer.max()) + 1):
        yield np.flatnonzero(of_axon == number - 1), np.flatnonzero(of_axon == number)


def matrices(fixed: FixedNet, layer: Integers) -> Iterator[Integers]:
    """Weights [inputs, units] of each layer."""
    source, charge = fixed.source, fixed.charge()
    for inputs, units in chain(fixed.axons, layer):
        here = np.isin(fixed.target, units)
        matrix = np.zeros((len(inputs), len(units)), np.int64)
        row, column = (
            np.searchsorted(inputs, source[here]),
            np.searchsorted(units, fixed.target[here]),
        )
        np.add.at(matrix, (row, column), charge[here])
        yield matrix
