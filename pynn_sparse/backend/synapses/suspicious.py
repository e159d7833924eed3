"""Warnings of values that are valid, but hardly what their user means."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.network import Rule, SynapseTable
from pynn_sparse.notices import warn

_UNTIL = "is transmitted as given until the rule changes it, which brings it to the limit"
LEAST_RHO = 0.05  # Hz: a rate of one spike in 20 s; in 1/ms it would be 50 Hz


def warn_of_rules(label: str, tables: Iterable[SynapseTable], names: Collection[str]) -> None:
    """Warn of what the rules of a projection's tables make suspicious.

    `names` are the attributes that were given.
    """
    there = [table for table in tables if len(table)]  # on this process
    learning = [table for table in there if table.rule is not None and table.rule.learns]
    limited = [table for table in learning if table.rule and table.rule.dynamics.limits]
    if limited and not {"weight", *_limits(limited[0])}.isdisjoint(names):
        _warn_of_limits(label, limited)
    if "rho" in names:
        _warn_of_rho(label, [table.rule for table in learning if table.rule])


def _limits(table: SynapseTable) -> tuple[str, ...]:
    """The parameters between which the weights of a table stay; all of a projection's have them."""
    assert table.rule is not None
    return table.rule.dynamics.limits


def _warn_of_limits(label: str, tables: list[SynapseTable]) -> None:
    """Weights outside the limits of their rule are transmitted as they are, until it acts."""
    outside, farthest, total = 0, 0.0, 0
    lower, upper = _limits(tables[0])
    for table in tables:
        rule, scalar = table.rule, table.weight.dtype
        assert rule is not None
        size = rule.sign * table.weight
        # Limits as weights are stored, so that one that has come to its limit is not outside.
        low, high = (rule.parameters[name].astype(scalar) for name in (lower, upper))
        total += len(table)
        if low.max() <= size.min() and size.max() <= high.min():
            continue
        beyond = np.maximum(low - size, size - high)
        outside += int((beyond > 0).sum())
        worst = int(np.argmax(beyond))
        if beyond[worst] > 0:
            farthest = max(farthest, float(size[worst]), key=abs)
    if not outside:
        return
    rules = [table.rule for table in tables if table.rule is not None]
    low_text, high_text = (_extent(rules, name) for name in (lower, upper))
    warn(
        f"{label}: {outside} of {total} weights lie outside {lower} = {low_text} to {upper} = "
        f"{high_text} of their plasticity rule, one with a size of {farthest:g}; they are "
        "transmitted as given until the rule changes them, which brings them to the limit",
    )


def warn_of_weight(label: str, table: SynapseTable, index: int) -> None:
    """Warn of the weight of one synapse that is outside the limits of its rule, as of several."""
    rule, scalar = table.rule, table.weight.dtype.type
    assert rule is not None
    if not rule.dynamics.limits:
        return
    lower, upper = rule.dynamics.limits
    limits = (rule.parameters[name] for name in (lower, upper))
    low, high = (scalar(each[index if len(each) > 1 else 0]) for each in limits)
    size = rule.sign * table.weight[index]
    if low <= size <= high:
        return
    warn(
        f"{label}: a weight with a size of {size:g} lies outside {lower} = {low:g} to {upper} = "
        f"{high:g} of its plasticity rule; it {_UNTIL}",
    )


def _warn_of_rho(label: str, rules: list[Rule]) -> None:
    """pyNN.neuron takes rho in 1/ms, so that scripts written for it give 0.003 for 3 Hz."""
    rho = np.concatenate([rule.parameters["rho"] for rule in rules]) if rules else np.zeros(0)
    low = rho[(rho > 0) & (rho < LEAST_RHO)]
    if len(low):
        warn(
            f"{label}: rho = {low[0]:g} Hz of Vogels2011Rule is hardly a rate of neurons; "
            "pyNN.sparse takes rho in Hz, pyNN.neuron in 1/ms, where the same number means "
            f"{1000 * low[0]:g} Hz",
        )


def _extent(rules: list[Rule], name: str) -> str:
    values: NDArray[Any] = np.concatenate([rule.parameters[name] for rule in rules])
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if low == high else f"{low:g} .. {high:g}"
