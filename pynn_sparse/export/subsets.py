"""Weights that are sums of some of a few base weights, which many synapses share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
BASES = 4
MASKS = np.arange(1, 1 << BASES)  # 0 is no synapse
BITS = (MASKS[:, None] >> np.arange(BASES)) & 1  # [15, 4]
BINS = 2048  # values that the search looks at, at most


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
    """Base weights, integers up to `most` in descending order, for values greater than 0.

    They make the squared errors of the nearest sums small: from some beginnings, least squares for
    the masks in use and single changes take turns as long as that helps. It is deterministic, and
    finds no worse than the binary weights 8 : 4 : 2 : 1.
    """
    if not len(values):
        return np.zeros(BASES, np.int64)
    value, count = _binned(values)
    found = [_improved(start, value, count, most) for start in _beginnings(value, count, most)]
    return np.asarray(-np.sort(-min(found, key=lambda base: _error(base, value, count))))


def _binned(values: Floats) -> tuple[Floats, Integers]:
    """Different values and how often they occur, of a few neighbours their mean."""
    value, count = np.unique(values, return_counts=True)
    if len(value) <= BINS:
        return value, count
    place = np.searchsorted(np.linspace(value[0], value[-1], BINS), value)
    total = np.bincount(place, count)
    some = total > 0
    return np.bincount(place, count * value)[some] / total[some], total[some].astype(np.int64)


def _beginnings(value: Floats, count: Integers, most: int) -> list[Integers]:
    """Binary weights; the values that occur most often; quantiles."""
    top, share = value[-1], np.cumsum(count) / count.sum()
    often = value[np.argsort(-count, kind="stable")[:BASES]]
    quantiles = value[np.searchsorted(share, (0.2, 0.4, 0.6, 0.8))]
    starts = [top * 2.0 ** np.arange(BASES) / 15, np.resize(often, BASES), quantiles / 2]
    return [np.clip(np.rint(start), 1, most).astype(np.int64) for start in starts]


def _error(base: Integers, value: Floats, count: Integers) -> float:
    of_mask = sums(base)
    off = of_mask[nearest(base, value) - 1] - value
    return float((count * off**2).sum())


def _improved(base: Integers, value: Floats, count: Integers, most: int) -> Integers:
    error = _error(base, value, count)
    while True:
        tried = _least_squares(base, value, count, most)
        tried = min((tried, base), key=lambda each: _error(each, value, count))
        tried = _changed(tried, value, count, most)
        now = _error(tried, value, count)
        if now >= error:
            return base
        base, error = tried, now


def _least_squares(base: Integers, value: Floats, count: Integers, most: int) -> Integers:
    """Bases that fit best if every value keeps its mask."""
    weight = np.sqrt(count)
    rows = BITS[nearest(base, value) - 1] * weight[:, None]
    fitted = np.linalg.lstsq(rows, value * weight, rcond=None)[0]
    return np.asarray(np.clip(np.rint(fitted), 0, most).astype(np.int64))


def _changed(base: Integers, value: Floats, count: Integers, most: int) -> Integers:
    """After the best change of one base, in steps that become smaller."""
    error = _error(base, value, count)
    step = max(most // 4, 1)
    while step:
        tries = [
            np.clip(base + sign * step * (np.arange(BASES) == k), 0, most)
            for k in range(BASES)
            for sign in (-1, 1)
        ]
        best = min(tries, key=lambda each: _error(each, value, count))
        now = _error(best, value, count)
        if now < error:
            base, error = best, now
        else:
            step //= 2
    return base
