"""Gradual pruning in which removed synapses may come back, after GraNet.

Liu et al. 2021, Sparse Training via Boosting Pruning Plasticity with Neuroregeneration
(arXiv:2106.10404): the sparsity rises by a cubic schedule; at each step a share of the remaining
synapses with the smallest weights is removed, too, and as many return where a score is highest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...door import shown
from ..arguments import door
from ..nets.floatnet import FloatNet, check_net

Masks = list[NDArray[np.bool_]]
Scores = list[NDArray[np.float64]]
Growth = Callable[[FloatNet, Masks, int], Scores]
Train = Callable[[FloatNet, Masks, int], list[NDArray[np.float64]]]


def schedule(step: float, steps: float, initial: float, final: float) -> float:
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
    check_net(net)
    final = door.number("final", final, "a number from 0 to 1", lambda x: 0 <= x <= 1)
    must = f"a number from 0 to final, {final:g}"
    initial = door.number("initial", initial, must, lambda x: 0 <= x <= final)
    regrow = door.number("regrow", regrow, "a number from 0 to 1", lambda x: 0 <= x <= 1)
    steps = door.integer("steps", steps, 1)
    door.function("growth", growth, "a function growth(net, masks, step) that gives scores")
    if train is not None:
        door.function("train", train, "a function train(net, masks, step) that gives weights")
    masks = [np.ones(len(part), bool) for part in net.connections]
    for step in range(1, steps + 1):
        sparsity = schedule(step, steps, initial, final)
        grown = growth(net, masks, step)
        grown = _checked(net, grown, "growth")
        masks = [
            exchanged(np.abs(part.weight), mask, score, sparsity, regrow)
            for part, mask, score in zip(net.connections, masks, grown, strict=True)
        ]
        if train is not None:
            weights = train(net, masks, step)
            weights = _checked(net, weights, "train")
            trained = zip(net.connections, weights, strict=True)
            net = net.with_connections([replace(part, weight=each) for part, each in trained])
    pruned = zip(net.connections, masks, strict=True)
    return net.with_connections([part.kept(mask) for part, mask in pruned])


def _checked(net: FloatNet, values: Any, what: str) -> list[NDArray[np.float64]]:
    sizes = [len(part) for part in net.connections]
    must = f"arrays of finite numbers, of lengths {shown(sizes)}"
    if not isinstance(values, (list, tuple)) or len(values) != len(sizes):
        raise door.refused(f"what {what} gives", values, must)
    pairs = zip(values, sizes, strict=True)
    return [door.numbers(f"what {what} gives", each, must, (size,)) for each, size in pairs]


def exchanged(
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
