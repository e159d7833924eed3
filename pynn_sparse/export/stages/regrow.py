"""Gradual pruning in which removed synapses may come back, after GraNet.

Liu et al. 2021, Sparse Training via Boosting Pruning Plasticity with Neuroregeneration
(arXiv:2106.10404): the sparsity rises by a cubic schedule; at each step a share of the remaining
synapses with the smallest weights is removed, too, and as many return where a score is highest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..arguments import is_integer, is_number
from ..errors import ExportError
from ..nets.floatnet import FloatNet

Masks = list[NDArray[np.bool_]]
Scores = list[NDArray[np.float64]]
Growth = Callable[[FloatNet, Masks, int], Scores]
Train = Callable[[FloatNet, Masks, int], list[NDArray[np.float64]]]


def schedule(step: int, steps: int, initial: float, final: float) -> float:
    """Sparsity after `step` of `steps`: final + (initial - final) (1 - step/steps)^3."""
    return final + (initial - final) * (1 - step / steps) ** 3


def prune_and_regrow(
    net: FloatNet,
    final: float,
    growth: Growth,
    train: Train | None = None,
    steps: int = 10,
    initial: float = 0.0,
    regrow: float = 0.1,
) -> FloatNet:
    """The network with a share of each projection's synapses removed.

    Args:
        net: the network, with all synapses that there may be.
        final: sparsity to reach, 0 to 1.
        growth: called as growth(net, masks, step); gives a score for each synapse of each
            projection, such as the magnitude of a loss' gradient. The highest of those that are
            removed come back.
        train: called likewise after each step; gives new weights of all synapses, of which those
            that are removed are ignored until they come back. None leaves weights as they are.
        steps: number of them.
        initial: sparsity to begin with, 0 to `final`.
        regrow: share of the remaining synapses that is exchanged at each step, 0 to 1.

    Raises `ExportError` for shares out of range, or scores or weights of the wrong shape.
    """
    if not (is_number(initial) and is_number(final) and 0 <= initial <= final <= 1):
        raise ExportError(
            f"initial = {initial!r}, final = {final!r}: must be 0 <= initial <= final <= 1"
        )
    if not (is_number(regrow) and 0 <= regrow <= 1):
        raise ExportError(f"regrow = {regrow!r}: must be 0 to 1")
    if not (is_integer(steps) and steps >= 1):
        raise ExportError(f"steps = {steps!r}: must be 1 or greater, an integer")
    masks = [np.ones(len(part), bool) for part in net.connections]
    for step in range(1, steps + 1):
        sparsity = schedule(step, steps, initial, final)
        grown = growth(net, masks, step)
        _check(net, grown, "scores")
        masks = [
            _exchanged(np.abs(part.weight), mask, score, sparsity, regrow)
            for part, mask, score in zip(net.connections, masks, grown, strict=True)
        ]
        if train is not None:
            weights = train(net, masks, step)
            _check(net, weights, "weights")
            trained = zip(net.connections, weights, strict=True)
            net = net.with_connections([replace(part, weight=each) for part, each in trained])
    pruned = zip(net.connections, masks, strict=True)
    return net.with_connections([part.kept(mask) for part, mask in pruned])


def _check(net: FloatNet, values: list[NDArray[np.float64]], what: str) -> None:
    expected = [len(part) for part in net.connections]
    if [len(each) for each in values] != expected:
        raise ExportError(
            f"{what}: must be arrays of lengths {expected}, got {[len(each) for each in values]}"
        )
    if not all(np.isfinite(each).all() for each in values):
        raise ExportError(f"{what}: must be finite numbers")


def _exchanged(
    magnitude: NDArray[np.float64],
    mask: NDArray[np.bool_],
    growth: NDArray[np.float64],
    sparsity: float,
    regrow: float,
) -> NDArray[np.bool_]:
    """The mask with that sparsity, a share of it exchanged for removed synapses of high growth."""
    wanted = len(mask) - round(sparsity * len(mask))
    exchanged = min(round(regrow * wanted), wanted)
    live = np.flatnonzero(mask)
    strongest = live[np.argsort(-magnitude[live], kind="stable")]
    kept = np.zeros(len(mask), bool)
    kept[strongest[: wanted - exchanged]] = True
    removed = np.flatnonzero(~kept)
    back = removed[np.argsort(-growth[removed], kind="stable")]
    kept[back[: wanted - int(kept.sum())]] = True
    return kept
