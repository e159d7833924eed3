"""Synapses of a table that come and go while a network runs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .dynamics import Rule
from .ordering import stable_order
from .rows import OwnRows, common, compact, each_of, index_type
from .synapses import SynapseTable


class Wired(NamedTuple):
    """All synapses of a table, in any order; the arrays have one length.

    Attributes:
        source, target: indices in the blocks.
        weight: in the user's unit and sign.
        delay: in steps.
        identity: uint32, a number that no other synapse of the table has; users see them in its
            order.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]
    delay: NDArray[np.int64]
    identity: NDArray[np.uint32]

    def taken(self, which: Any) -> Wired:
        """Some of them, in the order of their places, or those where it is true."""
        return Wired(*(np.asarray(each)[which] for each in self))

    def with_one(self, source: int, target: int, weight: float, delay: int, identity: int) -> Wired:
        """With one more, at the end."""
        new = source, target, weight, delay, identity
        pairs: Any = zip(self, new, strict=True)
        return Wired(*(np.append(every, every.dtype.type(one)) for every, one in pairs))


def empty_table(
    pre: Block, post: Block, receptor: str, rule: Rule | None, scalar: type[np.floating[Any]]
) -> SynapseTable:
    """A table without synapses that may come to have some; parameters of its rule are numbers."""
    weight, delay = np.zeros(1, scalar), np.ones(1, np.uint8)
    rows = np.zeros(pre.size + 1, np.int64), np.zeros(0, index_type(post.size))
    ends = pre, post, 0, *rows
    return SynapseTable(*ends, weight, delay, receptor, rule, np.zeros(0, np.uint32))


def wired(table: SynapseTable) -> Wired:
    """The synapses of a table as they are stored, with weights of this moment."""
    target, weight, delay = table.arrays()
    n = len(table)
    identity = table.identity
    if len(identity) < n:
        identity = np.empty(n, np.uint32)
        identity[table.order()] = np.arange(n, dtype=np.uint32)
    return Wired(
        table.source(),
        target.astype(np.int64),
        np.broadcast_to(weight, (n,)).astype(np.float64),
        np.broadcast_to(delay, (n,)).astype(np.int64),
        identity.copy(),
    )


def carried(
    old: NDArray[np.uint32],
    values: NDArray[np.float64],
    new: NDArray[np.uint32],
    others: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Values of synapses by their new identities: those by the old ones, `others` where new."""
    order = np.argsort(old)
    found = np.searchsorted(old, new, sorter=order)
    place = np.append(order, -1)[found]
    stays = np.append(old, 0)[place] == new
    stays &= found < len(old)
    return np.where(stays, np.append(values, 0.0)[place], others)


def rewire(table: SynapseTable, synapses: Wired) -> None:
    """Have a table have these synapses instead of its own.

    Rows are those of all cells of `pre`, so that what is remembered of sources goes on. State
    variables of synapses that stay, by their identity, go on; others begin. Parameters of a rule
    have to be alike for all synapses, and delays may not change for how long spikes wait.
    """
    table.rule = table.rule and table.rule.part(slice(0, 1))
    rule, n = table.rule, len(synapses.source)
    made = synapses.taken(stable_order(synapses.source))
    state = {
        name: carried(table.identity, values, made.identity, np.full(n, rule.dynamics.state[name]))
        for name, values in table.state.items()
        if rule is not None
    }
    kind = table.rows.weight_type
    weight, delay = made.weight.astype(kind), made.delay.astype(np.uint16)
    if not n:  # one value, which says no more than that all of none are equal
        weight, delay = np.zeros(1, kind), table.delay[:1].astype(np.uint16)
    counts = np.bincount(made.source, minlength=table.pre.size)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    table.first_source, table.comes_and_goes = 0, True
    table._begin_rows(starts, n, table.pre.size)
    table.rows = OwnRows(
        made.target.astype(index_type(table.post.size)),
        common(weight) if rule is None else each_of(weight, n),
        compact(common(delay)),
    )
    table.identity, table.state = made.identity, state
    table.arrangement = None
    table._note_rows()
    table._keep_initial()
    table.version += 1
