"""A few weights for all synapses of a neuron, where a target has no more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def shared(neuron: Integers, weight: Integers, most: int) -> Integers:
    """Weights of which each neuron has only a few different ones, and 0.

    Those of a neuron with more become the rounded means of groups that have the least sum of
    squared errors, found by dynamic programming (Wang and Song 2011, The R Journal 3(2)). No group
    has weights of both signs, so that none becomes 0.

    Args:
        neuron: int64 [n], target of each synapse.
        weight: int64 [n].
        most: different values of a neuron, 2 or more.
    """
    result: Integers = weight.copy()
    some = np.flatnonzero(weight)
    order = some[np.argsort(neuron[some], kind="stable")]
    ends = np.flatnonzero(np.diff(neuron[order])) + 1
    for synapses in np.split(order, ends):
        values, which, counts = np.unique(weight[synapses], return_inverse=True, return_counts=True)
        if len(values) > most:
            result[synapses] = _grouped(values, counts, most)[which.reshape(-1)]
    return result


def _grouped(values: Integers, counts: Integers, groups: int) -> Integers:
    """For each of some ascending values, more than there are groups, that of its group."""
    cost, mean = _costs(values.astype(float), counts.astype(float))
    best = cost[0]  # of the values up to each, in one group
    begins = []
    for _ in range(groups - 1):
        # [i, j]: values up to j, of which the last group begins at i.
        total = np.concatenate([[np.inf], best[:-1]])[:, None] + cost
        begins.append(np.argmin(total, axis=0))
        best = total.min(axis=0)
    result, end = np.zeros(len(values), np.int64), len(values) - 1
    for begin in (*reversed(begins), np.zeros(len(values), np.int64)):
        first = int(begin[end])
        result[first : end + 1] = np.rint(mean[first, end])
        end = first - 1
    return result


def _costs(values: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Sum of squared errors and mean of a group from value i to value j, [n, n]."""
    sums = [np.concatenate([[0.0], np.cumsum(counts * values**power)]) for power in range(3)]
    number, first, second = (each[None, 1:] - each[:-1, None] for each in sums)
    i, j = np.indices(number.shape)
    possible = (i <= j) & (np.sign(values)[i] == np.sign(values)[j])
    mean = np.divide(first, number, out=np.zeros_like(first), where=possible)
    return np.where(possible, second - first * mean, np.inf), mean
