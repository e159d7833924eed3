"""What synapses with a rule remember: spikes of their targets, traces of their sources."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...network import Block, Network, SynapseTable
from ...network.block import Arrays
from ...network.dynamics import Trace, Traces
from ...network.synapses import Present
from .. import structures
from ..devices.device import Device
from ..ownership import Ownership
from ..toolchain.libraries import cpu_library, cpu_rule
from .flaws import Flaw, Flaws
from .histories import HISTORY_ARRAYS, History, LeftOf, Sources, apart, n_source_traces
from .modulators import ModulatorKey, modulations, room
from .stored import HostTable, pointer
from .whole import Wholes

if TYPE_CHECKING:
    from ...network.contents import Contents

# A trace is followed until it is below this; the rest could change a weight by that fraction only.
NEGLIGIBLE = 1e-18
NO_LIMIT = 2**62
REPEATED = (*HISTORY_ARRAYS, "seen")  # of what is remembered of a modulator, for each owner
MAX_BATCH = 16  # steps of a tile of neurons at a time, so that its input stays in the cache

Fields = tuple[tuple[int, ...], Any]  # of a history's record, and what these refer to


class Key(NamedTuple):
    """What a history is of: index of a block, traces, and tau_plus where `left` is kept, else 0."""

    block: int
    traces: Traces
    tau_left: float

    def __str__(self) -> str:
        """In names of a checkpoint."""
        traces = ",".join(f"{each.tau!r}{'n' * each.nearest}" for each in self.traces)
        return f"{self.block} {traces or '-'} {self.tau_left!r}"

    @classmethod
    def of(cls, table: SynapseTable) -> Key:
        """That of the targets of a table whose weights change."""
        assert table.rule is not None
        sources, targets = table.rule.traces
        return cls(table.post.index, targets, 0.0 if table.rule.dynamics.source else sources[0].tau)

    @classmethod
    def parsed(cls, text: str) -> Key:
        """The reverse of `str`; ValueError for what that does not give."""
        block, traces, left = text.split(" ")
        each = [] if traces == "-" else traces.split(",")
        made = tuple(Trace(float(one.rstrip("n")), one.endswith("n")) for one in each)
        key = cls(int(block), made, float(left))
        if not all(0 < one.tau < np.inf for one in made) or not 0 <= key.tau_left < np.inf:
            raise ValueError(text)
        return key


class Plasticity:
    """The plan's part for tables with a rule. `synchronise` keeps it up to date."""

    def __init__(self, network: Network, device: Device, wholes: Wholes) -> None:
        self.network = network
        self.device = device
        self._wholes = wholes
        self.reset()

    def reset(self) -> None:
        """Forget all spikes."""
        self.tables: list[SynapseTable] = []
        self._histories: dict[Key, History] = {}
        self._modulators: dict[ModulatorKey, History] = {}
        self._sources: dict[int, Sources] = {}
        self._decays: dict[float, Any] = {}
        self._flaws = Flaws(self.device)
        self._alive: dict[int, Any] = {}
        self._ownership: Ownership | None = None

    def synchronise(self, ownership: Ownership, step: int) -> None:
        """Begin to remember for tables that are new, or have a rule with other traces.

        What a target has fired before a table was there does nothing to it.
        """
        if ownership is not self._ownership:
            self._share_traces()
            self._ownership = ownership
        self.tables = [t for t in self.network.tables if t.rule and self._wholes.holds(t)]
        for table in self.tables:
            if table.index not in self._sources:
                self._sources[table.index] = Sources(table, self.device)
                if table.rule is not None and table.rule.dynamics.source:
                    table.since = max(table.since, step)
        used = {self._remember_targets(table) for table in self._learning()}
        self._histories = {key: each for key, each in self._histories.items() if key in used}
        modulated = {key for key in map(ModulatorKey.of, self._learning()) if key}
        self._modulators = {key: self._of_modulator(key) for key in sorted(modulated)}

    def _learning(self) -> list[SynapseTable]:
        return [table for table in self.tables if table.rule is not None and table.rule.learns]

    def _remember_targets(self, table: SynapseTable) -> Key:
        """Have a history that is long enough; returns its key."""
        block, key = table.post, Key.of(table)
        # Steps in which spikes are not taken in yet.
        waiting = self._wholes.greatest_delay(table) + MAX_BATCH
        steps = self._window(table) + 2 * waiting
        old = self._histories.get(key)
        if old is None or old.steps < steps or old.waiting < waiting:
            of_block = [each for one, each in self._histories.items() if one.block == block.index]
            longest = old or max(of_block, key=lambda each: each.capacity, default=None)
            steps = max(steps, old.steps if old else 0)
            fixed = block.size, key.traces, self._left_of(key)
            made = History(*fixed, steps, waiting, apart(block), self.device)
            if longest:
                made.take_over(longest, self.network.grid.dt)
            self._histories[key] = made
        return key

    def _of_modulator(self, key: ModulatorKey) -> History:
        if key in self._modulators:
            return self._modulators[key]
        waiting = 2 * (key.delay + MAX_BATCH)
        size = self.network.blocks[key.block].size if key.each else self.device.n_owner
        fixed = size, key.traces, None, room(key, size) + waiting, waiting, 1
        return History(*fixed, self.device)

    # --- weights that wait for their sources ----------------------------------------------------

    def _every_history(self) -> list[History]:
        return [*self._histories.values(), *self._modulators.values()]

    def longest_run(self) -> int:
        """Steps after which to ask whether anything is `behind`."""
        return min((each.longest_run for each in self._every_history()), default=NO_LIMIT)

    def behind(self) -> bool:
        """Whether targets may soon have more spikes than are remembered since weights changed.

        Weights take in their targets' spikes when their source fires. Of a source that is silent
        for long the first of these spikes, which matter most, would be forgotten.
        """
        return any(each.behind() for each in self._every_history())

    def catch_up(self, step: int) -> None:
        """Have all weights take in what has come to them; tables are as the device left them."""
        for table in self._learning():
            present = self.present(table, step)
            table.weight[:] = present.weight
            table.state = present.state
            table.since = step
            if not self.device.shares_memory:
                table.version += 1
        for history in self._every_history():
            history.caught_up()

    def _share_traces(self) -> None:
        """Give all owners the traces of those that had to do with a table: owners have changed."""
        for sources in self._sources.values():
            sources.put(sources.latest())

    def snapshot(self) -> Arrays:
        """What is remembered of sources, by table, and of targets, by block and time constant."""
        arrays: Arrays = {}
        for number, table in enumerate(self.network.tables):
            if table.index in self._sources:
                latest = self._sources[table.index].latest()
                arrays |= {f"source {number} {name}": each for name, each in latest.items()}
        for key, history in self._histories.items():
            arrays |= {f"history {key} {name}": each for name, each in history.arrays().items()}
        for modulated, history in self._modulators.items():
            for name, each in history.arrays().items():  # all owners have the same
                one = each[:1] if name in REPEATED else each
                arrays[f"modulator {modulated} {name}"] = one
        return arrays

    def check(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is no snapshot of this network at a step."""
        network = self.network
        for number, table in enumerate(network.tables):
            if table.rule and len(table):
                shape, most = (table.n_source, Sources.room(table)), max(step, 0)
                contents.check(f"source {number} count", np.int32, shape[:1], least=0)
                contents.check(f"source {number} stamp", np.int64, shape, least=-1, most=most)
                traces = shape[0], shape[1] * n_source_traces(table)
                contents.check(f"source {number} trace", np.float64, traces, least=0, finite=True)
        for name in list(contents.names("history ")):
            text, _, array = name.rpartition(" ")
            try:
                key = Key.parsed(text)
                block = network.blocks[key.block]
            except (ValueError, IndexError):
                contents.fail(f"history {name} belongs to no population")
            if array == HISTORY_ARRAYS[0]:
                fixed = f"history {text}", block.size, len(key.traces)
                History.check(contents, *fixed, max(step, 0))
        for name in list(contents.names("modulator ")):
            text, _, array = name.rpartition(" ")
            try:
                modulated = ModulatorKey.parsed(text)
                network.blocks[modulated.block]
            except (ValueError, IndexError):
                contents.fail(f"modulator {name} belongs to no population")
            if array == HISTORY_ARRAYS[0]:
                fixed = f"modulator {text}", 1, len(modulated.traces)
                History.check(contents, *fixed, max(step, 0) + modulated.delay)
        contents.finish()

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same network."""
        self.reset()

        def part(prefix: str) -> Arrays:
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        for key in arrays:
            kind, _, rest = key.partition(" ")
            text, _, name = rest.rpartition(" ")
            if name != HISTORY_ARRAYS[0]:
                continue
            parts = part(key.removesuffix(name))
            if kind == "source":
                table = self.network.tables[int(text)]
                self._sources[table.index] = Sources(table, self.device)
                self._sources[table.index].put(parts)
            elif kind == "modulator":
                modulated, every = ModulatorKey.parsed(text), self.device.n_owner
                parts |= {each: np.repeat(parts[each], every, 0) for each in REPEATED}
                made = History.of(parts, modulated.traces, None, self.device)
                self._modulators[modulated] = made
            else:
                of = Key.parsed(text)
                self._histories[of] = History.of(parts, of.traces, self._left_of(of), self.device)

    def _window(self, table: SynapseTable) -> int:
        """Steps after which a target's spike, or what a source's left, does not matter any more."""
        assert table.rule is not None
        traces = [each for side in table.rule.traces for each in side]
        greatest = max((self._reach(each.tau) for each in traces), default=0)
        return greatest + self._wholes.greatest_delay(table) + MAX_BATCH

    def _reach(self, tau: float) -> int:
        """Steps after which a trace is negligible."""
        return int(-np.log(NEGLIGIBLE) * tau / self.network.grid.dt) + 2

    def _era(self, tau: float) -> int:
        """Those, rounded up to a power of two."""
        return 1 << (self._reach(tau) - 1).bit_length()

    def _decay(self, tau: float) -> Any:
        """exp(-k dt / tau) for all steps k of an era, on the device."""
        if tau not in self._decays:
            rate = self.network.grid.dt / tau
            self._decays[tau] = self.device.put(np.exp(-rate * np.arange(self._era(tau))))
        return self._decays[tau]

    def _left_of(self, key: Key) -> LeftOf | None:
        """Gives what is left of a trace at stamps, since the eras began that they lie in."""
        if not key.tau_left:
            return None
        decay = self.device.get(self._decay(key.tau_left))
        return lambda stamp: decay[stamp % len(decay)]

    def histories_of(self, block: Block) -> tuple[NDArray[np.void], list[Any]]:
        """The plan's records of the histories of a block's spikes, and what has to stay alive."""
        made = [self._of_targets(key) for key in self._histories if key.block == block.index]
        return np.array([row for row, _ in made], structures.HISTORY), [alive for _, alive in made]

    def rule_of(self, table: SynapseTable, own: dict[str, Any]) -> NDArray[np.void]:
        """The plan's record of a table's rule; `own` are fields that belong to the table."""
        rule, sources = table.rule, self._sources[table.index]
        assert rule is not None
        made = {"source": self._fields(sources.arrays(), rule.traces[0])}
        if rule.learns:
            made["history"] = self._of_targets(Key.of(table))
        if modulated := ModulatorKey.of(table):
            made["modulator"] = self._fields(
                self._arrays(self._modulators[modulated]), modulated.traces
            )
            own = {**own, "modulated_each": modulated.each}
        arrays = {
            name: self.device.put(np.array([row], structures.HISTORY))
            for name, (row, _) in made.items()
        }
        record = np.zeros(1, structures.RULE)
        if rule.dynamics.source:
            record["flaw"] = self._flaws.address(table)
        self._alive[table.index] = arrays, made, sources
        addresses = {name: self.device.address(each) for name, each in arrays.items()}
        for name, value in {**addresses, **own}.items():
            record[name] = value
        return record

    def flaw(self) -> Flaw | None:
        """The first synapse for which a formula gave what is no finite number, if there is one."""
        return self._flaws.first()

    def modulators(
        self, number: Callable[[int], int], owner_start: Callable[[Block], int]
    ) -> tuple[NDArray[np.void], list[Any]]:
        """The plan's records of modulators, and what has to stay alive.

        `number` gives that of a block, -1 where it emits nothing, `owner_start` the address of
        where owners of a block begin.
        """
        rows, alive = [], []
        for key, history in self._modulators.items():
            row, held = self._fields(self._arrays(history), key.traces)
            record = self.device.put(np.array([row], structures.HISTORY))
            fields: dict[str, Any] = {"history": self.device.address(record), "delay": key.delay}
            if key.each:
                most = self._wholes.most_modulated(key.block)
                more, kept = modulations(self.network, key.block, most, number, self.device)
                start = owner_start(self.network.blocks[key.block])
                fields |= {"owner_start": start, **more}
                alive.append(kept)
            else:
                fields["number"] = number(key.block)
            rows.append(structures.filled(structures.MODULATOR, **fields)[0])
            alive += [held, record]
        return np.array(rows, structures.MODULATOR), alive

    @staticmethod
    def _arrays(history: History) -> dict[str, Any]:
        return {name: getattr(history, name) for name in (*HISTORY_ARRAYS, "left")}

    def _of_targets(self, key: Key, *, host: bool = False) -> Fields:
        arrays = self._arrays(self._histories[key])
        return self._fields(self._got(arrays) if host else arrays, key.traces, key, host=host)

    def _fields(
        self, arrays: dict[str, Any], traces: Traces, key: Key | None = None, *, host: bool = False
    ) -> Fields:
        """A history's record of arrays of the device, or of the host; and what has to stay alive.

        With the key of a history of targets, these remember what is left of a source's trace.
        """
        at = structures.host_address if host else self.device.address
        left = key.tau_left if key else 0.0
        tables = {tau: self._decay(tau) for tau in {each.tau for each in traces} | {left} if tau}
        if host:
            tables = self._got(tables)
        rows = [
            (at(tables[each.tau]), self._reach(each.tau), each.nearest) if each.tau else (0, 0, 0)
            for each in traces
        ]
        decays: Any = np.array(rows, structures.DECAY)
        if not host:
            decays = self.device.put(decays)
        n = len(arrays["count"])
        return (
            *(at(arrays[name]) for name in HISTORY_ARRAYS),
            at(arrays["left"]) if left else 0,
            at(decays) if traces else 0,
            at(tables[left]) if left else 0,
            len(traces),
            int(np.prod(arrays["stamp"].shape)) // max(n, 1),
            n,
            self._era(left) if left else 0,
        ), (arrays, tables, decays)

    def present(
        self, table: SynapseTable, step: int, which: NDArray[np.int64] | None = None
    ) -> Present:
        """Weights and states of a table, in the order of storage, as they are at a step.

        With `which`, those of the synapses at these places, ascending.
        """
        rule = table.rule
        sources = self._sources.get(table.index)
        if rule is None or not rule.learns or sources is None:
            return Present(table.weight, table.state).of(which)
        self._remember_targets(table)  # if the user has changed a time constant since the last run
        record, alive = self._on_host(table, sources)
        some = table if which is None else table.among(which)
        return _present(some, record, alive, step)

    def _on_host(self, table: SynapseTable, sources: Sources) -> tuple[NDArray[np.void], list[Any]]:
        """A rule's record with all that it points to on the host, and what has to stay alive."""
        assert table.rule is not None
        arrays, decays = sources.host_arrays(), table.rule.traces[0]
        record, alive = np.zeros(1, structures.RULE), []
        made = {
            "history": self._of_targets(Key.of(table), host=True),
            "source": self._fields(arrays, decays, host=True),
        }
        if modulated := ModulatorKey.of(table):
            of_modulator = self._got(self._arrays(self._modulators[modulated]))
            made["modulator"] = self._fields(of_modulator, modulated.traces, host=True)
            record["modulated_each"] = modulated.each
        for name, (row, held) in made.items():
            history = np.array([row], structures.HISTORY)
            record[name] = history.ctypes.data
            alive += [history, held]
        return record, alive

    def _got(self, arrays: dict[Any, Any]) -> dict[Any, NDArray[Any]]:
        """Arrays of the device, on the host."""
        return {name: self.device.get(each) for name, each in arrays.items()}


def _present(table: SynapseTable, record: NDArray[np.void], alive: list[Any], step: int) -> Present:
    rule = table.rule
    weight: NDArray[Any] = table.weight.copy()
    state = {name: each.copy() for name, each in table.state.items()}
    assert rule is not None
    columns = list(rule.columns(table.post.grid).values())
    for number, column in enumerate(columns):
        each = column.ctypes.data if len(column) > 1 else 0
        record["column"][0][number] = (each, column[0])
    for number, one in enumerate(state.values()):
        record["state"][0][number] = one.ctypes.data
    record["sign"], record["dendritic"] = rule.sign, rule.dendritic
    record["since"] = table.since
    record["kind"] = rule.number
    host = HostTable(table, rule=record.ctypes.data, weight=weight.ctypes.data)
    function = cpu_library().present_weights
    if rule.dynamics.source:
        function = cpu_rule(rule.dynamics, weight.dtype).present_rule
    function(host.pointer, pointer(table.row_start), ctypes.c_int64(step))
    del alive, columns  # until now
    return Present(weight, state)
