"""Removing synapses: which ones, and what that left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...door import is_integer
from ..arguments import door
from ..errors import ExportError
from ..nets.floatnet import Cells, Connections, FloatNet, check_net

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
Score = Callable[[Connections, FloatNet], Scores]
SCORES = ("magnitude", "activity")
SCOPES = ("projection", "global")
STRUCTURES = ("axons", "neurons")


@dataclass(frozen=True)
class Prune:
    """Which synapses to remove. Several criteria are applied in the order below.

    Attributes:
        fraction: share of synapses to remove, those with the lowest scores, 0 to 1; of each
            projection or of all, see `scope`.
        threshold: remove synapses with a score below it.
        by: "magnitude", the weight without its sign (Han et al. 2015, arXiv:1506.02626);
            "activity", that times the rate of the source and that of the target (see `activity`);
            or a function of a `Connections` and the `FloatNet` that gives scores [n].
        scope: "projection" or "global": what `fraction` counts.
        structured: "axons" or "neurons": `fraction` is one of whole sources or targets of each
            projection, those with the lowest sums of scores, as crossbars need it.
        n_of_m: (n, m): of every m synapses of a target, in the order of their sources, keep the n
            with the highest scores.
        max_fan_in, max_fan_out: synapses of a neuron, over all projections; those with the highest
            scores stay.
        activity: with "activity", label of a population -> spikes of each cell [size].
    """

    fraction: float | None = None
    threshold: float | None = None
    by: str | Score = "magnitude"
    scope: str = "projection"
    structured: str | None = None
    n_of_m: tuple[int, int] | None = None
    max_fan_in: int | None = None
    max_fan_out: int | None = None
    activity: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.fraction is not None:
            door.number("fraction", self.fraction, "a number from 0 to 1", lambda x: 0 <= x <= 1)
        if self.threshold is not None:
            door.number("threshold", self.threshold, "a number, 0 or greater", lambda x: x >= 0)
        if not callable(self.by):
            door.one_of("by", self.by, SCORES, ", or a function")
        if self.activity is not None:
            door.mapping("activity", self.activity, "a dict, {label: spikes of each cell}")
        elif isinstance(self.by, str) and self.by == "activity":
            raise ExportError('by = "activity" needs activity = {label: spikes of each cell}')
        door.one_of("scope", self.scope, SCOPES)
        if self.structured is not None:
            door.one_of("structured", self.structured, STRUCTURES, ", or None")
        if self.structured and (self.fraction is None or self.scope == "global"):
            raise ExportError(
                'structured needs a fraction, and the scope "projection"; '
                f"got fraction = {self.fraction}, scope = {self.scope!r}"
            )
        if self.n_of_m is not None and not _are_n_of_m(self.n_of_m):
            raise door.refused("n_of_m", self.n_of_m, "two integers, 1 <= n <= m")
        for name in ("max_fan_in", "max_fan_out"):
            if getattr(self, name) is not None:
                door.integer(name, getattr(self, name), 1)

    def describe(self) -> str:
        """In words, for the report."""
        by = self.by if isinstance(self.by, str) else getattr(self.by, "__name__", "a function")
        parts = [f"{self.fraction:.4g} of synapses"] if self.fraction is not None else []
        parts += [f"scores below {self.threshold:g}"] if self.threshold is not None else []
        parts += [f"whole {self.structured}"] if self.structured else []
        parts += ["{} of {}".format(*self.n_of_m)] if self.n_of_m else []
        parts += [
            f"{name.replace('_', ' ')} {value}"
            for name in ("max_fan_in", "max_fan_out")
            if (value := getattr(self, name)) is not None
        ]
        return f"{', '.join(parts) or 'nothing'}, by {by}, per {self.scope}"


def _are_n_of_m(pair: Any) -> bool:
    two = isinstance(pair, (tuple, list)) and len(pair) == 2
    return two and all(map(is_integer, pair)) and 1 <= pair[0] <= pair[1]


def check_prune(name: str, rule: Any) -> None:
    """Raise `ExportError` for what is neither a rule of pruning nor None."""
    if rule is not None:
        door.instance(name, rule, Prune, "a Prune, such as Prune(fraction=0.7)")


@dataclass(frozen=True)
class Pruned:
    """What pruning left of a projection.

    Attributes:
        label: of the projection.
        before, after: numbers of synapses.
        dead: target neurons all of whose synapses were removed.
    """

    label: str
    before: int
    after: int
    dead: int = 0

    @property
    def sparsity(self) -> float:
        """Share that was removed."""
        return 1 - self.after / self.before if self.before else 0.0


def prune(net: FloatNet, rule: Prune | None) -> tuple[FloatNet, list[Pruned]]:
    """The network without the synapses that `rule` removes. Values of the others do not change.

    Raises `ExportError` for scores of the wrong length or that are not finite.
    """
    check_net(net)
    check_prune("rule", rule)
    if rule is None:
        return net, [Pruned(each.label, len(each), len(each)) for each in net.connections]
    parts = list(net.connections)
    masks = [np.ones(len(part), bool) for part in parts]
    scores = [_scores(part, net, rule) for part in parts]
    if rule.fraction is not None:
        _by_fraction(parts, scores, masks, net.cells, rule)
    if rule.threshold is not None:
        for mask, score in zip(masks, scores, strict=True):
            mask &= score >= rule.threshold
    if rule.n_of_m is not None:
        for part, mask, score in zip(parts, masks, scores, strict=True):
            mask &= _n_of_m(part, score, *rule.n_of_m)
    _cap(parts, scores, masks, net.cells, rule)
    kept = [part.kept(mask) for part, mask in zip(parts, masks, strict=True)]
    log = [_pruned(a, b) for a, b in zip(parts, kept, strict=True)]
    return net.with_connections(kept), log


def _pruned(before: Connections, after: Connections) -> Pruned:
    dead = len(np.unique(before.target)) - len(np.unique(after.target))
    return Pruned(before.label, len(before), len(after), dead)


def _scores(part: Connections, net: FloatNet, rule: Prune) -> Scores:
    if callable(rule.by):
        must = f"an array of {len(part)} finite numbers"
        return door.numbers(f"score of {part.label}", rule.by(part, net), must, (len(part),))
    magnitude = np.abs(part.weight)
    if rule.by == "magnitude":
        return magnitude
    before, after = (_activity(net.cells[index], rule) for index in (part.pre, part.post))
    scores = magnitude * before[part.source] * after[part.target]
    return np.asarray(scores, float)


def _activity(cells: Cells, rule: Prune) -> Scores:
    assert rule.activity is not None
    label = cells.label
    if label not in rule.activity:
        raise door.refused(
            "activity", rule.activity, f"a dict with the label of each population, also {label!r}"
        )
    must = f"an array of {cells.size} finite numbers, the spikes of each cell"
    return door.numbers(f"activity of {label!r}", rule.activity[label], must, (cells.size,))


def _by_fraction(
    parts: Sequence[Connections],
    scores: list[Scores],
    masks: list[Mask],
    cells: Sequence[Cells],
    rule: Prune,
) -> None:
    assert rule.fraction is not None
    if rule.structured:
        for part, mask, score in zip(parts, masks, scores, strict=True):
            mask &= _structured(part, score, cells, rule.structured, rule.fraction)
    elif rule.scope == "global":
        everything = np.concatenate([np.zeros(0), *scores])
        kept = _highest(everything, rule.fraction)
        ends = np.cumsum([len(part) for part in parts])[:-1]
        for mask, part_kept in zip(masks, np.split(kept, ends), strict=True):
            mask &= part_kept
    else:
        for mask, score in zip(masks, scores, strict=True):
            mask &= _highest(score, rule.fraction)


def _highest(scores: Scores, fraction: float) -> Mask:
    """All but this fraction (rounded to the nearest number); of equal scores the first stay."""
    removed = round(fraction * len(scores))
    mask = np.ones(len(scores), bool)
    order = np.argsort(-scores, kind="stable")
    mask[order[len(scores) - removed :]] = False
    return mask


def _structured(
    part: Connections, scores: Scores, cells: Sequence[Cells], structure: str, fraction: float
) -> Mask:
    cell, size = (
        (part.source, cells[part.pre].size)
        if structure == "axons"
        else (part.target, cells[part.post].size)
    )
    sums = np.bincount(cell, scores, minlength=size)
    kept = _highest(np.asarray(sums, float), fraction)
    return np.asarray(kept[cell])


def _n_of_m(part: Connections, scores: Scores, n: int, m: int) -> Mask:
    """Of every m synapses of a target, by source, the n with the highest scores."""
    order = np.lexsort((part.source, part.target))
    group = part.target[order] * (len(part) + 1) + _rank(part.target[order]) // m
    mask = np.zeros(len(part), bool)
    best = np.lexsort((-scores[order], group))
    mask[order[best]] = _rank(group[best]) < n
    return mask


def _rank(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each element in its group; equal ones follow each other."""
    if not len(group):
        return np.zeros(0, np.int64)
    first = np.flatnonzero(np.append(True, np.diff(group) != 0))
    lengths = np.diff(np.append(first, len(group)))
    return np.arange(len(group)) - np.repeat(first, lengths)


def _cap(
    parts: Sequence[Connections],
    scores: list[Scores],
    masks: list[Mask],
    cells: Sequence[Cells],
    rule: Prune,
) -> None:
    offsets = np.concatenate([[0], np.cumsum([each.size for each in cells])]).astype(np.int64)
    ends = (
        (rule.max_fan_in, [part.target + offsets[part.post] for part in parts]),
        (rule.max_fan_out, [part.source + offsets[part.pre] for part in parts]),
    )
    for limit, cell in ends:
        if limit is None:
            continue
        everywhere = np.concatenate([np.zeros(0, np.int64), *cell])
        score = np.concatenate([np.zeros(0), *scores])
        live = np.concatenate([np.zeros(0, bool), *masks])
        order = np.lexsort((-score, ~live, everywhere))
        live[order] &= _rank(everywhere[order]) < limit
        splits = np.cumsum([len(part) for part in parts])[:-1]
        for mask, kept in zip(masks, np.split(live, splits), strict=True):
            mask[:] = kept
