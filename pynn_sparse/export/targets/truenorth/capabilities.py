"""What TrueNorth alone has: a few weights for all synapses of a neuron."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...capability import Capability
from ...errors import LimitsError, Violation
from ...nets.draft import Draft
from ...nets.fixednet import FixedNet
from ...nets.floatnet import RECEPTORS, FloatNet
from ...nets.rounding import ROUNDINGS, possible
from ...proof import Check
from ...verification.weights import only_zeros_are_missing
from .share import shared

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FewWeights(Capability):
    """A neuron's synapses have `most` different weights at most, which some may have to share."""

    most: int

    def of_network(self, net: FloatNet) -> Iterator[Violation]:
        """Cells with more weights than that; those that differ by rounding errors are one."""
        for index, cells in enumerate(net.cells):
            into = [part for part in net.connections if part.post == index and len(part)]
            if not into or any(part.receptor not in RECEPTORS for part in into):
                continue
            weight = np.concatenate([part.weight for part in into])
            receptor = [RECEPTORS.index(part.receptor) for part in into]
            kind = np.column_stack(
                [
                    np.concatenate([part.target for part in into]),
                    np.repeat(receptor, [len(part) for part in into]),
                    np.rint(weight / np.abs(weight).max(initial=1e-300) * 1e9),
                ]
            )
            count = np.bincount(np.unique(kind, axis=0)[:, 0].astype(np.int64))
            over = int((count > self.most).sum())
            if over:
                what = f"{over} cells with up to {count.max()} different weights"
                remedy = "give their synapses fewer weights"
                yield Violation(cells.label, what, f"{self.most} weights", remedy, "weights")

    def fitted(self, draft: Draft, accept: Collection[str]) -> Draft:
        parts, weights = draft.net.connections, draft.weights
        ends = np.cumsum([len(part) for part in parts])[:-1]
        mantissas = np.concatenate([np.zeros(0, np.int64), *(each.mantissa for each in weights)])
        values = np.split(shared(draft.neuron, mantissas, self.most), ends)
        fitting = tuple(
            replace(each, mantissa=mantissa, value=mantissa * each.step)
            for each, mantissa in zip(weights, values, strict=True)
        )
        changed = [
            Violation(
                part.label,
                f"{number} synapses onto cells with more different weights after rounding",
                f"{self.most} weights",
                'round to the "nearest", or give synapses fewer weights',
                "weights",
            )
            for part, one, other in zip(parts, weights, fitting, strict=True)
            if (number := int((one.mantissa != other.mantissa).sum()))
        ]
        if changed and "weights" not in accept:
            raise LimitsError(draft.target, changed)
        return replace(draft, weights=fitting)

    def weight_checks(self, tables: Any, exact: Floats, unit: Floats) -> Iterable[Check] | None:
        if "weights" not in tables.accept:
            return None
        return (
            only_zeros_are_missing(tables),
            _means(tables.fixed, exact, tables.rule.rounding, self.most),
        )


def _means(fixed: FixedNet, exact: Floats, rounding: str, most: int) -> Check:
    """Each neuron has a few weights, which are the means of what they stand for, and the nearest.

    Args:
        fixed: the integers.
        exact: [n], before rounding, in integer units.
        rounding: of weights, before they were shared.
        most: different weights of a neuron.
    """
    weight, bound = fixed.charge(), ROUNDINGS[rounding][1]
    pairs, which = np.unique(np.column_stack([fixed.target, weight]), axis=0, return_inverse=True)
    which = which.reshape(-1)
    count = np.maximum(np.bincount(which, minlength=len(pairs)), 1)
    least, greatest = (
        np.rint(np.bincount(which, each, minlength=len(pairs)) / count)
        for each in possible(exact, rounding)
    )
    off = int(((pairs[:, 1] < least) | (pairs[:, 1] > greatest)).sum())
    first = np.searchsorted(pairs[:, 0], fixed.target)  # of the neuron's weights
    different = np.bincount(pairs[:, 0], minlength=fixed.n_neurons)
    farther = 0.0  # than another weight of the neuron, with the same sign
    for index in range(min(most, int(different.max(initial=0)))):
        there = index < different[fixed.target]
        other = pairs[(first + index)[there], 1]
        same = np.sign(other) == np.sign(weight[there])
        excess = np.abs(exact - weight)[there] - np.abs(exact[there] - other)
        farther = max(farther, float(excess[same].max(initial=0.0)))
    holds = (different <= most).all() and not off and farther <= 1 + 2 * bound
    worst = float(np.abs(weight - exact).max(initial=0.0))
    return Check(
        f"each neuron has up to {most} weights, means of what they stand for",
        bool(holds),
        f"up to {different.max(initial=0)}; {off} of {len(pairs)} are no means; "
        f"largest error {worst:.3f} steps",
    )
