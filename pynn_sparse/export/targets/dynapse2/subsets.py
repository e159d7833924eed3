"""Weights that are sums of some of a few base weights, which many synapses share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
BASES = 4
MASKS = np.arange(1, 1 << BASES)  # 0 is no synapse
BITS = (MASKS[:, None] >> np.arange(BASES)) & 1  # [15, 4]


def sums(base: Integers) -> Integers:
    """What each of `MASKS` selects of base weights [4]."""
    return np.asarray(BITS @ base)


def nearest(base: Integers, values: Floats) -> Integers:
    """The mask whose sum is nearest to each value; of equal sums and distances the least mask."""
    found = sums(base)
    order = np.argsort(found, kind="stable")
    unique, first = np.unique(found[order], return_index=True)
    above = np.clip(np.searchsorted(unique, values), 1, max(len(unique) - 1, 1))
    low, high = unique[above - 1], unique[np.minimum(above, len(unique) - 1)]
    pick = np.where(values - low <= high - values, above - 1, np.minimum(above, len(unique) - 1))
    return np.asarray(MASKS[order[first[pick]]])


def best_bases(values: Floats, most: int) -> Integers:
    """Base weights, integers of 1 to `most` in descending order, for values greater than 0.

    They make the squared errors of the nearest sums small: from some beginnings, least squares for
    the masks in use and single changes take turns as long as that helps. It is deterministic, and
    finds no worse than the binary weights 8 : 4 : 2 : 1. Without values, base weights are 0.
    """
    if not len(values):
        return np.zeros(BASES, np.int64)
    wanted = _Values(values)
    found = [_improved(start, wanted, most) for start in _beginnings(wanted, most)]
    return np.asarray(-np.sort(-wanted.best(found)[0]))


class _Values:
    """Values in order, how often they occur, and sums over the first ones of their powers."""

    def __init__(self, values: Floats) -> None:
        # Rounded, so that other ways to compute the same values give the same bases.
        self.value, self.count = np.unique(np.round(values, 6), return_counts=True)
        powers = self.count * self.value ** np.arange(3)[:, None]
        self.first = np.concatenate([np.zeros((3, 1)), np.cumsum(powers, axis=1)], axis=1)

    def errors(self, bases: Integers) -> Floats:
        """Sums of the squared errors of the nearest sums, of each of some base weights [n, 4]."""
        # Sums that are equal share the values that are nearest to them, whoever gets which.
        levels = np.sort(bases @ BITS.T, axis=1).astype(float)
        ends = np.searchsorted(self.value, (levels[:, 1:] + levels[:, :-1]) / 2)
        edge = np.zeros((len(bases), 1), np.int64)
        ends = np.concatenate([edge, ends, edge + len(self.value)], axis=1)
        number, total, square = np.diff(self.first[:, ends], axis=2)
        return np.asarray((levels**2 * number - 2 * levels * total + square).sum(axis=1))

    def best(self, bases: Sequence[Integers]) -> tuple[Integers, float]:
        """The first of some base weights whose error is least, and that error."""
        errors = self.errors(np.array(bases))
        place = int(errors.argmin())
        return bases[place], float(errors[place])


def _beginnings(wanted: _Values, most: int) -> list[Integers]:
    """Binary weights; the values that occur most often; quantiles."""
    value, count = wanted.value, wanted.count
    top, share = value[-1], np.cumsum(count) / count.sum()
    often = value[np.argsort(-count, kind="stable")[:BASES]]
    quantiles = value[np.searchsorted(share, (0.2, 0.4, 0.6, 0.8))]
    starts = [top * 2.0 ** np.arange(BASES) / 15, np.resize(often, BASES), quantiles / 2]
    return [np.clip(np.rint(start), 1, most).astype(np.int64) for start in starts]


def _improved(base: Integers, wanted: _Values, most: int) -> Integers:
    """After least squares and single changes, as long as they help."""
    _, error = wanted.best([base])
    while True:
        fitted, now = wanted.best([_least_squares(base, wanted, most), base])
        tried, now = _changed(fitted, now, wanted, most)
        if now >= error - 1e-6:
            return base
        base, error = tried, now


def _least_squares(base: Integers, wanted: _Values, most: int) -> Integers:
    """Bases that fit best if every value keeps its mask."""
    weight = np.sqrt(wanted.count)
    rows = BITS[nearest(base, wanted.value) - 1] * weight[:, None]
    fitted = np.linalg.lstsq(rows, wanted.value * weight, rcond=None)[0]
    return np.asarray(np.clip(np.rint(fitted), 1, most).astype(np.int64))


def _changed(base: Integers, error: float, wanted: _Values, most: int) -> tuple[Integers, float]:
    """After the best changes of one base, by steps that become smaller, and the error then."""
    step = max(most // 4, 1)
    one = np.eye(BASES, dtype=np.int64)
    while step:
        tries = np.clip(base + np.concatenate([one, -one]) * step, 1, most)
        best, now = wanted.best(list(tries))
        if now < error - 1e-6:
            base, error = best, now
        else:
            step //= 2
    return base, error
