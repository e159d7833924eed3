"""The attempts to form and to eliminate connections onto a population, between time steps.

Each attempt has random numbers of its own, from a counter: which cell, which of its places, and
whether, for a given probability, it succeeds. An attempt that cannot succeed, whatever the weights
and spikes are, does not stop the run; that is known in advance, so that the engine runs from
change to change, and not from attempt to attempt.

Several processes each know all of the connections, and come to the same decisions; they tell each
other of spikes, and of weights that learn, and each changes those onto its own cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.network.rewiring import Wired, carried, rewire, wired
from pynn_sparse.notices import warn

from ... import errors
from .. import simulator
from ..projections.synapse_columns import present

if TYPE_CHECKING:
    from pynn_sparse.network import SynapseTable

    from .rules import Mechanism

CHUNK = 4096  # attempts that are drawn together
CELL, PLACE, WHETHER, POPULATION, PARTNER, DELAY = range(6)  # what an attempt draws
DRAWS = 6


@dataclass
class Grown:
    """A projection whose connections come and go.

    Attributes:
        wired: its synapses now, of all processes, but for weights that learn.
        initial: those of this process from before the first attempt, None until then.
        numbers: of synapses so far, of which each has another one.
    """

    projection: Any
    structure: Mechanism
    wired: Any = None
    initial: Any = None
    numbers: int = 0

    @property
    def table(self) -> SynapseTable:
        """Its synapses, onto cells of this process."""
        return self.projection._tables[0]

    @property
    def lateral(self) -> bool:
        """Whether it connects a population to itself."""
        return self.projection.pre is self.projection.post

    @property
    def size(self) -> int:
        """Presynaptic cells."""
        return self.projection.pre.size


class Rewiring:
    """Attempts on the connections onto a population, by all projections whose synapses may change.

    Attributes:
        parts: these projections.
    """

    def __init__(self, post: Any) -> None:
        self.post = post
        self.parts: list[Grown] = []
        self._stream = simulator.state.network.stream  # of one of several networks in a run
        self._number = 0  # of the next attempt
        self._drawn: tuple[int, NDArray[np.float64]] = (-1, np.zeros((0, DRAWS)))
        self._inputs: list[list[tuple[int, int]]] = []  # of each cell: projection, synapse
        self._looked_up = False

    # --- making -----------------------------------------------------------------------------------

    def check(self, structure: Mechanism, pre: Any) -> None:
        """Raise ConnectionError for a projection that does not go with the others."""
        for each in self.parts:
            other, label = each.structure, each.projection.label
            if each.projection.pre is pre:
                raise errors.ConnectionError(
                    f"{structure.owner}: {label} has connections of the same populations that come "
                    "and go already: must be one projection"
                )
            for name in ("f_rew", "s_max", "seed"):
                mine, theirs = getattr(structure, name), getattr(other, name)
                if mine != theirs:
                    raise errors.ConnectionError(
                        f"{structure.owner}: {name} = {mine}: must be {theirs}, as of {label}, "
                        "since both lead to the same population"
                    )
            mine, theirs = (type(one.partner_selection) for one in (structure, other))
            if mine is not theirs:
                raise errors.ConnectionError(
                    f"{structure.owner}: partner_selection = {mine.__name__}(): must be "
                    f"{theirs.__name__}(), as of {label}"
                )

    def check_room(self, structure: Mechanism, table: SynapseTable, label: str) -> None:
        """Raise ConnectionError where a cell has more connections than places.

        Warn where cells have the same place on the grid.
        """
        own = np.zeros(self.post.size, np.int64)
        for each in self.parts:
            own += np.bincount(each.table.target, minlength=self.post.size)
        counts = simulator.state.processes.total("Projection", own)
        most = int(np.max(counts + np.bincount(table.target, minlength=self.post.size)))
        if most > structure.s_max:
            raise errors.ConnectionError(
                f"{structure.owner}: s_max = {structure.s_max}: must be at least {most}, the "
                f"connections that a cell of {self.post.label} has in the beginning"
            )
        nx, ny = structure.formation.grid
        cells = max(table.pre.size, self.post.size)
        if nx * ny < cells:
            warn(
                f"{label}: grid = ({nx}, {ny}) has places for {nx * ny} of {cells} cells: those "
                "beyond stand where the first ones do"
            )

    def add(self, part: Grown) -> None:
        """Take up a projection."""
        self.parts.append(part)
        if self not in simulator.state.rewiring:
            simulator.state.rewiring.append(self)
        self._looked_up = False
        self._skip_to(simulator.state.step)

    # --- running ----------------------------------------------------------------------------------

    def begin_run(self) -> None:
        """Look at the synapses, which the user may have changed."""
        for each in self.parts:
            each.wired = _wired_of_all(each.table)
        self._look_up()
        if self._partners_have_spiked:
            for each in self.parts:
                block = each.projection.pre._block
                wanted = simulator.state.network.spikes_wanted
                wanted[block.first : block.first + block.size] = True

    def next_stop(self, end: int) -> int:
        """The first step up to `end` at which an attempt may succeed; else `end`."""
        number = self._number
        while (step := self._step_of(number)) <= end:
            if self._may_succeed(number):
                self._number = number
                return step
            number += 1
        self._number = number
        return end

    def attempt(self, step: int) -> None:
        """Do all attempts of a step, at which the network is."""
        changed: set[int] = set()
        while self._step_of(self._number) <= step:
            which = self._one(self._number, step)
            if which is not None:
                changed.add(which)
            self._number += 1
        for number in sorted(changed):
            self._write(self.parts[number], step)
        self._forget_spikes()

    def restart(self) -> None:
        """Go back to the connections from before the first attempt, and to the first attempt."""
        for each in self.parts:
            if each.initial is not None:
                rewire(each.table, each.initial)
                each.initial = None
        self._number, self._looked_up = 0, False
        self._drawn = -1, self._drawn[1]

    # --- attempts ---------------------------------------------------------------------------------

    @property
    def _structure(self) -> Mechanism:
        return self.parts[0].structure

    @property
    def _partners_have_spiked(self) -> bool:
        return bool(self._structure.partner_selection.of_last_step)

    def _step_of(self, number: int) -> int:
        """The time step of an attempt: the first one at or after its time."""
        period = 1000 / (self._structure.f_rew * simulator.state.dt)
        return math.ceil((number + 1) * period - 1e-9)

    def _skip_to(self, step: int) -> None:
        """Leave out the attempts up to a step."""
        while self._number == 0 and step and self._step_of(self._number) <= step:
            self._number = max(int(step * self._structure.f_rew * simulator.state.dt / 1000), 1)
            while self._step_of(self._number) <= step:
                self._number += 1

    def _draws(self, number: int) -> NDArray[np.float64]:
        """The uniform random numbers of an attempt."""
        chunk, row = divmod(number, CHUNK)
        if self._drawn[0] != chunk:
            seed, stream = self._structure.seed, self._stream
            entropy = [stream.key if seed is None else seed, stream.trials.number]
            place = self.post._block.first - stream.first
            key = np.random.SeedSequence(entropy, spawn_key=(0x57, place)).generate_state(
                2, np.uint64
            )
            generator = np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, chunk]))
            self._drawn = chunk, generator.random((CHUNK, DRAWS))
        return self._drawn[1][row]

    def _look_up(self) -> None:
        if self._looked_up:
            return
        self._inputs = [[] for _ in range(self.post.size)]
        for number, each in enumerate(self.parts):
            each.numbers = max(each.wired.identity.tolist(), default=-1) + 1
            order = np.argsort(each.wired.identity)
            for target, identity in zip(
                each.wired.target[order].tolist(), each.wired.identity[order].tolist(), strict=True
            ):
                self._inputs[target].append((number, identity))
        self._looked_up = True

    def _chosen(self, draws: NDArray[np.float64]) -> tuple[int, tuple[int, int] | None]:
        """The postsynaptic cell, and projection and synapse at its place; None if that is free."""
        target = int(draws[CELL] * self.post.size)
        place = int(draws[PLACE] * self._structure.s_max)
        inputs = self._inputs[target]
        return target, inputs[place] if place < len(inputs) else None

    def _partner(self, draws: NDArray[np.float64]) -> tuple[int, int]:
        """A projection, and a cell of its presynaptic population."""
        part = int(draws[POPULATION] * len(self.parts))
        return part, int(draws[PARTNER] * self.parts[part].size)

    def _may_succeed(self, number: int) -> bool:
        draws = self._draws(number)
        target, there = self._chosen(draws)
        if there is not None:
            return bool(draws[WHETHER] < self.parts[there[0]].structure.elimination.greatest())
        if self._partners_have_spiked:
            greatest = (each.structure.formation.greatest(each.lateral) for each in self.parts)
            return bool(draws[WHETHER] < max(greatest))
        return self._forms(draws, target, *self._partner(draws))

    def _forms(self, draws: NDArray[np.float64], target: int, part: int, source: int) -> bool:
        each = self.parts[part]
        found = each.structure.formation.probability(source, target, each.lateral)
        return bool(draws[WHETHER] < found)

    def _one(self, number: int, step: int) -> int | None:
        """Do an attempt; the number of the projection that it has changed, None if none."""
        draws = self._draws(number)
        target, there = self._chosen(draws)
        if there is not None:
            return self._eliminate(draws, target, there)
        if self._partners_have_spiked:
            spiked = self._spiked(step)
            if not spiked:
                return None
            part, source = spiked[int(draws[PARTNER] * len(spiked))]
        else:
            part, source = self._partner(draws)
        each = self.parts[part]
        if not self._forms(draws, target, part, source):
            return None
        if not each.structure.with_replacement and self._connected(each, source, target):
            return None
        self._keep_initial(each)
        low, high = simulator.state.network.grid.nearest(np.array(each.structure.initial_delay))
        delay = int(low) + int(draws[DELAY] * (int(high) - int(low) + 1))
        weight = each.structure.initial_weight
        each.wired = each.wired.with_one(source, target, weight, max(delay, 1), each.numbers)
        self._inputs[target].append((part, each.numbers))
        each.numbers += 1
        return part

    def _eliminate(
        self, draws: NDArray[np.float64], target: int, there: tuple[int, int]
    ) -> int | None:
        each = self.parts[there[0]]
        rule = each.structure.elimination
        whether = draws[WHETHER]
        surely = whether < min(rule.prob_elim_depressed, rule.prob_elim_potentiated)
        if not surely and whether >= rule.probability(_weight(each, there[1])):
            return None
        self._keep_initial(each)
        each.wired = each.wired.taken(each.wired.identity != there[1])
        self._inputs[target].remove(there)
        return there[0]

    @staticmethod
    def _connected(each: Grown, source: int, target: int) -> bool:
        return bool(((each.wired.source == source) & (each.wired.target == target)).any())

    def _spiked(self, step: int) -> list[tuple[int, int]]:
        """Projection and presynaptic cell of the spikes of a step."""
        engine = simulator.state.require_engine()
        engine.collect()
        found = []
        for number, each in enumerate(self.parts):
            block = each.projection.pre._block
            own = engine.recordings.store_of(block).at(step, block.first, block.size)
            cells = _of_all(own)  # in order, since processes have consecutive cells
            found += [(number, cell) for cell in (cells - block.first).tolist()]
        return found

    def _forget_spikes(self) -> None:
        """Those that nobody but the attempts has asked for."""
        if not self._partners_have_spiked or simulator.state.engine is None:
            return
        for each in self.parts:
            pre = each.projection.pre
            recorded = pre.recorder.recorded.items()
            if not any(ids for variable, ids in recorded if variable.name == "spikes"):
                simulator.state.engine.recordings.forget(pre._block)

    @staticmethod
    def _keep_initial(each: Grown) -> None:
        if each.initial is None:
            table, learns = each.table, each.table._initial
            each.initial = wired(table)
            if learns is not None:
                each.initial = each.initial._replace(weight=learns.astype(np.float64))

    @staticmethod
    def _write(each: Grown, step: int) -> None:
        """Have the table have what is wired; weights that learn go on."""
        table, part = each.table, simulator.state.own_part(each.table.post)
        target = each.wired.target
        made = each.wired.taken((target >= part.start) & (target < part.stop))
        if table.rule is not None and len(table):
            table.weight, table.state = present(table)
            weight = carried(table.identity, table.weight, made.identity, made.weight)
            made = made._replace(weight=weight)
        rewire(table, made)
        if table.rule is not None:
            table.since = step


def _of_all(own: NDArray[Any]) -> NDArray[Any]:
    """Arrays of all processes, one after the other."""
    every = simulator.state.processes.gather("structural plasticity", own, everywhere=True)
    assert every is not None
    return every


def _wired_of_all(table: SynapseTable) -> Wired:
    """The synapses of all processes, with weights of this moment."""
    return Wired(*(_of_all(np.asarray(each)) for each in wired(table)))


def _weight(each: Grown, identity: int) -> float:
    """The weight of a synapse, as it is now."""
    table = each.table
    if table.rule is not None:  # only the process that has it knows
        place = np.flatnonzero(table.identity == identity)
        found = present(table).weight[place] if len(place) else np.zeros(0)
        learnt = _of_all(found.astype(np.float64))
        if len(learnt):
            return float(learnt[0])
    return float(each.wired.weight[each.wired.identity == identity][0])


def rewiring_of(post: Any) -> Rewiring:
    """What happens to the connections onto a population, made anew where there is nothing yet."""
    every = simulator.state.rewiring
    for each in every:
        if each.post is post:
            return each
    return Rewiring(post)
