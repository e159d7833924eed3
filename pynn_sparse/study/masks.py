"""Ways to remove weights while a perceptron is trained: which are left after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..export.stages.regrow import exchanged, schedule

Floats = NDArray[np.float64]
Masks = list[NDArray[np.bool_]]
GROUP = 20  # M of N:M, or all targets where there are fewer


@dataclass(frozen=True)
class State:
    """What a way of pruning looks at.

    Attributes:
        weights: of each layer, [sources, targets].
        masks: which of them are there.
        slopes: of the loss by all weights, those that are not there included.
        rates: mean activity of the cells of each layer, the pixels first, [cells].
        share: how much of the pruning is done after this epoch, above 0 up to 1.
        sparsity: that is wanted in the end.
    """

    weights: list[Floats]
    masks: Masks
    slopes: list[Floats]
    rates: list[Floats]
    share: float
    sparsity: float

    @property
    def now(self) -> float:
        """Sparsity after this epoch: rises fast at first (Zhu and Gupta 2017, arXiv:1710.01878)."""
        return schedule(self.share, 1, 0.0, self.sparsity)


def _global(state: State, scores: list[Floats], sparsity: float, regrow: float = 0.0) -> Masks:
    """Of all layers together, those with the greatest scores; some are exchanged for steep ones."""
    flat = [np.concatenate([each.ravel() for each in parts]) for parts in (scores, state.slopes)]
    mask = np.concatenate([each.ravel() for each in state.masks])
    kept = exchanged(flat[0], mask, np.abs(flat[1]), sparsity, regrow)
    ends = np.cumsum([each.size for each in scores])[:-1]
    pairs = zip(np.split(kept, ends), scores, strict=True)
    return [part.reshape(each.shape) for part, each in pairs]


def _magnitudes(state: State) -> list[Floats]:
    return [np.abs(each) for each in state.weights]


def one_shot(state: State) -> Masks:
    """Small weights of the trained network, all at once; then further training."""
    if all(mask.all() for mask in state.masks):
        return _global(state, _magnitudes(state), state.sparsity)
    return state.masks


def gradual(state: State) -> Masks:
    """Small weights, more after each epoch."""
    return _global(state, _magnitudes(state), state.now)


def granet(state: State) -> Masks:
    """As `gradual`, and a share of those that are left is exchanged for those with steep slopes.

    Liu et al. 2021, arXiv:2106.10404. The share falls from 0.3 by a cosine.
    """
    regrow = 0.15 * (1 + np.cos(np.pi * state.share))
    return _global(state, _magnitudes(state), state.now, float(regrow))


def activity(state: State) -> Masks:
    """As `gradual`, of weights times the activity of their source and of their target."""
    scores = [
        np.abs(weight) * np.outer(pre, post)
        for weight, (pre, post) in zip(state.weights, pairwise(state.rates), strict=True)
    ]
    return _global(state, scores, state.now)


def structured(state: State) -> Masks:
    """Whole hidden cells, those with the smallest weights on both sides, more after each epoch."""
    into, out = state.weights
    norms = np.linalg.norm(into, axis=0) * np.linalg.norm(out, axis=1)
    there = np.asarray(state.masks[0].any(axis=0))
    kept = exchanged(norms, there, norms, state.now, 0.0)
    return [np.tile(kept, (len(into), 1)), np.tile(kept[:, None], (1, out.shape[1]))]


def n_of_m(state: State) -> Masks:
    """Of every 20 targets of a source as many as the sparsity leaves, 1 at least."""
    return [_of_rows(np.abs(weight), state.now) for weight in state.weights]


def _of_rows(score: Floats, sparsity: float) -> NDArray[np.bool_]:
    kept = np.zeros(score.shape, bool)
    group = min(GROUP, score.shape[1])
    for first in range(0, score.shape[1], group):
        part = score[:, first : first + group]
        n = max(1, round((1 - sparsity) * part.shape[1]))
        best = np.argsort(-part, axis=1, kind="stable")[:, :n]
        np.put_along_axis(kept[:, first : first + group], best, True, axis=1)
    return kept


WAYS: dict[str, Callable[[State], Masks]] = {
    "one-shot": one_shot,
    "gradual": gradual,
    "granet": granet,
    "activity": activity,
    "structured": structured,
    "n-of-m": n_of_m,
}
