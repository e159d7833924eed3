"""Synapses from one population to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from .block import Arrays, Block
from .dynamics import Rule
from .ordering import stable_order
from .rows import InRows, OwnRows, Rows, Waits, common, compact, each_of, index_type
from .stream import Stream

if TYPE_CHECKING:
    from .contents import Contents
    from .shared import SharedRows

MAX_DELAY_STEPS = 65535
LONG_AGO = -(2**62)


class Present(NamedTuple):
    """Weights and states of synapses at some time, in the order of storage."""

    weight: NDArray[Any]
    state: dict[str, NDArray[np.float64]]

    def of(self, which: NDArray[np.int64] | None) -> Present:
        """Those of the synapses at these places; of all for None."""
        if which is None:
            return self
        weight = self.weight if len(self.weight) == 1 else self.weight[which]
        return Present(weight, {name: each[which] for name, each in self.state.items()})


class SynapseTable(InRows):
    """Synapses of one projection between two blocks, at one receptor, in rows by source neuron.

    The order within a row is not part of the table's meaning: the engine rearranges rows in place
    to suit delivery, so that a synapse is stored once. `order` gives the order that users see.

    Attributes:
        index: its place among the network's tables, or among its gap junctions.
        label: name of the projection that it belongs to, which need not be unlike others.
        pre, post: the blocks.
        first_source: index in `pre` of the neuron that row 0 belongs to.
        n_source: number of rows.
        target: uint16 or uint32 [n], index in `post`.
        weight: float64 or float32 [n], or [1] where all are equal; in the user's unit and sign.
        delay: uint8 or uint16 [n], or [1] where all are equal; time steps, 1 .. MAX_DELAY_STEPS.
        receptor: name of the targets' receptor.
        rule: what synapses do besides adding their weight, None if nothing.
        state: with a rule, name -> float64 [n].
        identity: uint32 [n], place of each synapse in the order that users see, or [0] where that
            follows from the values. Tables with a rule have it.
        since: step at which weights that learn were last set by the user.
        comes_and_goes: whether there may be other synapses while the network runs, see `rewire`.
        stream: what random numbers are drawn from; its `first` is the number of the table.
        version: counts changes of weights and delays made from outside.
        moves: counts changes of the places where synapses are stored.
        rows: what has the arrays `target`, `weight` and `delay`.
    """

    def __init__(
        self,
        pre: Block,
        post: Block,
        first_source: int,
        row_start: NDArray[np.int64],
        target: NDArray[Any],
        weight: NDArray[Any],
        delay: NDArray[Any],
        receptor: str,
        rule: Rule | None = None,
        identity: NDArray[np.uint32] | None = None,
    ) -> None:
        self._begin(pre, post, first_source, receptor, rule)
        self._begin_rows(row_start, int(row_start[-1]), len(row_start) - 1)
        self._rows = OwnRows(
            target.astype(index_type(post.size), copy=False),
            common(weight) if rule is None else each_of(weight, self._n),
            compact(common(delay)),
        )
        if rule is not None:
            self._begin_rule(rule, identity)
        elif identity is not None:
            self.identity = identity
        self._note_rows()
        if self.waits.lag[0] < self.waits.lag[1]:
            self._sort_by_lag()
        self._keep_initial()

    def _begin(
        self,
        pre: Block,
        post: Block,
        first_source: int,
        receptor: str,
        rule: Rule | None,
    ) -> None:
        self.index = 0
        self.label = ""
        self.pre = pre
        self.post = post
        self.first_source = first_source
        self.receptor = receptor
        self.rule = rule
        self.version = 0
        self.moves = 1
        self.arrangement: Any = None  # the engine's note of how it has arranged the rows
        self.stream = Stream(0)
        self.identity = np.zeros(0, np.uint32)
        self.since = LONG_AGO
        self.state: dict[str, NDArray[np.float64]] = {}
        self._initial_state: dict[str, Any] = {}
        self._initial: NDArray[Any] | None = None
        self.comes_and_goes = False

    @classmethod
    def held(
        cls,
        pre: Block,
        post: Block,
        first_source: int,
        row_start: NDArray[np.int64],
        receptor: str,
        rows: Rows,
        delay_range: tuple[int, int],
    ) -> SynapseTable:
        """A table without a rule whose arrays are in rows of another kind from the beginning."""
        table = cls.__new__(cls)
        table._begin(pre, post, first_source, receptor, None)
        table._begin_rows(row_start, int(row_start[-1]), len(row_start) - 1)
        table._hold(rows, delay_range)
        return table

    @classmethod
    def sharing(cls, pre: Block, post: Block, receptor: str, rows: SharedRows) -> SynapseTable:
        """A table without a rule whose synapses share the weights of a kernel.

        It connects all cells of the blocks, whose sizes are those of the rows' windows.
        """
        table = cls.__new__(cls)
        table._begin(pre, post, 0, receptor, None)
        table._begin_rows(rows.windows, len(rows.windows), pre.size)
        delay = int(rows.delay[0])
        table._hold(rows, (delay, delay))
        return table

    def _hold(self, rows: Rows, delay_range: tuple[int, int]) -> None:
        self._rows = rows
        self._note_rows(Waits(delay_range, (0, 0), delay_range[0]))

    def _begin_rule(self, rule: Rule, identity: NDArray[np.uint32] | None) -> None:
        if identity is None:
            identity = np.empty(self._n, np.uint32)
            identity[self._order_of_values()] = np.arange(self._n, dtype=np.uint32)
        self.identity = identity
        self._initial_state = dict(rule.dynamics.state)
        self.state = {name: np.full(self._n, each) for name, each in self._initial_state.items()}

    def _sort_by_lag(self) -> None:
        assert self.rule is not None
        row = np.repeat(np.arange(self.n_source), np.diff(self.row_start))
        order = np.lexsort((self.rule.lag(self.delay), row))
        self._write("target", self.target[order])
        self.delay = self.delay[order]
        self.permute(order)

    def _keep_initial(self) -> None:
        """Weights that change with spikes are kept as they are now, in the order of storage."""
        learns = self.rule is not None and self.rule.learns
        self._initial = self.weight.copy() if learns else None

    def reset(self) -> None:
        """Go back to the initial weights and states."""
        if self.rule is None:
            return
        if self._initial is not None:
            self.weight = self._initial.copy()
        self.since = LONG_AGO
        order = self.order() if self._initial_state else np.zeros(0, np.int64)
        for name, initial in self._initial_state.items():
            self.state[name] = np.empty(self._n)
            self.state[name][order] = initial
        self.version += 1

    def check_state(self, values: Mapping[str, NDArray[np.float64]]) -> None:
        """Raise `ParameterError` for values of state variables that `initialize` must not get."""
        assert self.rule is not None
        self.rule.dynamics.check_state(values, self.rule.parameters)

    def initialize(self, name: str, values: Any) -> None:
        """Set a state variable, now and for resets: a number, or [n] in the order of users."""
        self._initial_state[name] = values
        self.state[name][self.order()] = values
        self.version += 1

    def initial_state(self, name: str) -> NDArray[np.float64]:
        """A state variable as resets set it, in the order of storage."""
        stored = np.empty(self._n)
        stored[self.order()] = self._initial_state[name]
        return stored

    def permute(self, order: NDArray[np.int64]) -> None:
        """Take what belongs to each synapse, but for target and delay, from these places."""
        self.moves += 1
        self.weight = self.weight if len(self.weight) == 1 < len(order) else self.weight[order]
        self.identity = self.identity[order]
        self.state = {name: each[order] for name, each in self.state.items()}
        if self._initial is not None:
            self._initial = self._initial[order]
        if self.rule is not None:
            self.rule = self.rule.part(order)

    @classmethod
    def from_pairs(
        cls,
        pre: Block,
        post: Block,
        source: NDArray[Any],
        target: NDArray[Any],
        weight: NDArray[Any],
        delay: NDArray[Any],
        receptor: str,
        rule: Rule | None = None,
        identity: NDArray[np.uint32] | None = None,
    ) -> SynapseTable:
        """Make a table of synapses in any order; `source` and `target` are indices in the blocks.

        `identity` gives the order that users see, where values do not. Weight and delay have length
        n or 1. There must be at least one synapse.
        """
        first = int(source.min())
        rows = int(source.max()) - first + 1
        order = stable_order(source - first if first else source)
        counts = np.bincount(source, minlength=first + rows)[first:]
        row_start = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        weight, delay = (each if len(each) == 1 else each[order] for each in (weight, delay))
        target = target.astype(index_type(post.size))[order]
        rule = rule and rule.part(order)
        identity = None if identity is None else identity[order]
        return cls(pre, post, first, row_start, target, weight, delay, receptor, rule, identity)

    def onto(self, first: int, end: int) -> SynapseTable:
        """The synapses onto targets first .. end - 1, in rows of the same sources.

        They keep the numbers of their `identity` and their order. Rows that share weights stay as
        they are, and have all synapses: the engine delivers to those targets that it owns.
        """
        if self._rows.share_weights or (first == 0 and end == self.post.size):
            return self
        target = self.target
        kept = np.flatnonzero((target >= first) & (target < end))
        made = self.among(kept)
        made._initial_state = {
            name: each if np.ndim(each) == 0 else self._of_part(each, kept, made)
            for name, each in self._initial_state.items()
        }
        if self._initial is not None:
            made._initial = self._initial[kept]
        return made

    def among(self, kept: NDArray[np.int64]) -> SynapseTable:
        """The synapses stored at these places, ascending, as they are, in rows of the same sources.

        It is to be looked at: there is nothing that `reset` could go back to.
        """
        target, weight, delay = self._rows.read_all()
        starts = np.searchsorted(kept, self.row_start)
        # Where there is none, one value stays, which says no more than that all are equal.
        some = kept if len(kept) else slice(0, 1)

        def part(values: NDArray[Any]) -> NDArray[Any]:
            return values if len(values) == 1 else values[some]

        made = SynapseTable.__new__(SynapseTable)
        rule = self.rule and self.rule.part(some)
        made._begin(self.pre, self.post, self.first_source, self.receptor, rule)
        made._begin_rows(starts, len(kept), self.n_source)
        each = weight[kept] if self.rule is not None else common(part(weight))
        made._rows = OwnRows(target[kept], each, compact(common(part(delay))))
        made.index, made.label, made.stream = self.index, self.label, self.stream
        made.since, made.comes_and_goes = self.since, self.comes_and_goes
        made.identity = self.identity[kept] if len(self.identity) else self.identity
        made.state = {name: values[kept] for name, values in self.state.items()}
        made._note_rows()
        return made

    def _of_part(
        self, values: NDArray[Any], kept: NDArray[np.int64], part: SynapseTable
    ) -> NDArray[Any]:
        """Of values in the order of users, those of a part in its order, stored at `kept` here."""
        stored = np.empty_like(values)
        stored[self.order()] = values
        return stored[kept][part.order()]

    @property
    def index_type(self) -> type[np.unsignedinteger[Any]]:
        """Type of `target`."""
        return index_type(self.post.size)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, wherever they are."""
        starts = [self._starts] if isinstance(self._starts, np.ndarray) else []
        arrays = [*starts, self.identity, *self.state.values()]
        rule = self.rule.parameters.values() if self.rule is not None else ()
        own = sum(int(each.nbytes) for each in (*arrays, *rule))
        return own + self._rows.nbytes

    def order(self) -> NDArray[np.int64]:
        """Where the synapses are stored, in the order that users see.

        That is by target, source, delay and weight, all ascending, unless it was given.
        """
        return np.argsort(self.identity) if len(self.identity) else self._order_of_values()

    def update(self, *, weight: Any = None, delay: Any = None, **parameters: Any) -> None:
        """Replace weights, delays or parameters (length n, in the order of storage, or 1).

        The weights are also those that a reset goes back to. Raises `ParameterError` for values
        that are not valid, changing nothing.
        """
        self.check(delay=delay, **parameters)
        self._have(self._rows.for_changes())
        self.rule = self.rule and self.rule.changed(parameters)
        if weight is not None:
            given = np.asarray(weight).astype(self._rows.weight_type)
            self.weight = common(given) if self.rule is None else each_of(given, len(self))
            self._keep_initial()
        if delay is not None:
            self.delay = compact(common(np.array(delay)))
            self.arrangement = None
        self._note_rows()
        self.version += 1

    def update_one(self, index: int, *, weight: Any = None, delay: Any = None) -> None:
        """Replace the weight or the delay of one synapse, by its place in storage.

        Takes a time that does not grow with the table, but when it first gets a value for each.
        Raises `ParameterError` for a value that is not valid, changing nothing.
        """
        if delay is not None and self.rule is not None:
            old = self.delay[index if len(self.delay) > 1 else 0]
            if int(self.rule.lag(old)) != int(self.rule.lag(delay)):
                self.check(delay=np.array([delay]))  # which says why not
        self.take_back()
        if weight is not None:
            if len(self.weight) < self._n:
                self.weight = each_of(self.weight, self._n)
            self.weight[index] = weight
            if self._initial is not None:
                self._initial[index] = weight
        if delay is not None:
            if len(self.delay) < self._n:
                self.delay = each_of(self.delay, self._n)
            if delay > np.iinfo(self.delay.dtype).max:
                self.delay = self.delay.astype(np.uint16)
            self.delay[index] = delay
            self.arrangement = None
            self._waits = None
        self._mixed = len(self.weight) > 1 and len(self.delay) > 1
        self.version += 1

    def has_repeated(self) -> bool:
        """Whether some neurons are connected by several synapses."""
        key = self.source() * self.post.size + self.target
        return len(np.unique(key)) < len(key)

    def snapshot(self) -> Arrays:
        """All that may change between runs, in the order that users see."""
        order = self.order()
        values: Arrays = {"weight": self.weight, "delay": self.delay}
        if self.rule is not None:
            values |= {f"parameter {name}": each for name, each in self.rule.parameters.items()}
            values |= {f"state {name}": each for name, each in self.state.items()}
        arrays = {name: each if len(each) == 1 else each[order] for name, each in values.items()}
        if self._initial is not None:
            arrays["initial weight"] = self._initial[order]
        initial = self._initial_state.items()
        arrays |= {f"initial {name}": np.asarray(each) for name, each in initial}
        arrays["since"] = np.array(self.since)
        return arrays

    def validate(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is no snapshot of a table of these synapses at a step.

        Raises `ParameterError` for values of parameters that the rule cannot have.
        """
        each, any_ = (self._n,), ((1,), (self._n,))
        dtype = np.float64 if "weight" not in contents else contents.arrays["weight"].dtype
        if dtype not in (np.float64, np.float32):
            dtype = np.dtype(np.float64)
        contents.check("weight", dtype, *any_, finite=True)
        delay = contents.arrays.get("delay", np.zeros(0))
        wide = np.uint16 if delay.dtype == np.uint16 else np.uint8
        delay = contents.check("delay", wide, *any_, least=1)
        parameters = {
            name: contents.check(f"parameter {name}", np.float64, *any_)
            for name in (self.rule.parameters if self.rule is not None else {})
        }
        if self.rule is not None:
            place = np.argsort(self.order())
            values = {"delay": delay, **parameters}
            self.check(**{k: v if len(v) == 1 else v[place] for k, v in values.items()})
        for name in self.state:
            contents.check(f"state {name}", np.float64, each, finite=True)
            contents.check(f"initial {name}", np.float64, (), each, finite=True)
        if self._initial is not None:
            contents.check("initial weight", dtype, each, finite=True)
        contents.number("since", LONG_AGO, max(step, 0))
        contents.finish()

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of a table of the same synapses."""
        place = np.argsort(self.order())

        def stored(name: str) -> NDArray[Any]:
            return arrays[name] if len(arrays[name]) == 1 else arrays[name][place]

        names = self.rule.parameters if self.rule is not None else {}
        self.update(
            weight=stored("weight"),
            delay=stored("delay"),
            **{name: stored(f"parameter {name}") for name in names},
        )
        self.state = {name: each_of(stored(f"state {name}"), self._n) for name in self.state}
        self._initial = stored("initial weight") if self._initial is not None else None
        self._initial_state = {name: arrays[f"initial {name}"] for name in self._initial_state}
        self.since = int(arrays["since"])

    def check(self, *, weight: Any = None, delay: Any = None, **parameters: Any) -> None:
        """Raise `ParameterError` for values that `update` would not take."""
        rule = self.rule and self.rule.changed(parameters)
        if rule is None or delay is None:
            return
        if (rule.lag(delay) != rule.lag(self.delay)).any():
            raise ParameterError(
                "delays of synapses that learn cannot be changed if that changes the axonal part, "
                "with a dendritic_delay_fraction below 1; make another projection"
            )
