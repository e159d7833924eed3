"""What synapses with a rule remember: spikes of their targets, traces of their sources."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block, Network, SynapseTable
from ...network.block import Arrays
from ...network.dynamics import KINDS
from .. import structures
from ..devices.device import Device
from ..ownership import Ownership
from ..toolchain.libraries import cpu_library
from .histories import HISTORY_ARRAYS, History, Past, Sources, places
from .stored import HostTable, pointer
from .whole import Wholes

if TYPE_CHECKING:
    from ...network.contents import Contents

# A trace is followed until it is below this; the rest could change a weight by that fraction only.
NEGLIGIBLE = 1e-18
NO_LIMIT = 2**62
MAX_BATCH = 16  # steps of a tile of neurons at a time, so that its input stays in the cache

Key = tuple[int, float, float]  # index of a block; of a table onto it, tau_minus and tau_plus


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
        self._sources: dict[int, Sources] = {}
        self._decays: dict[float, Any] = {}
        self._alive: dict[int, Any] = {}
        self._ownership: Ownership | None = None

    def synchronise(self, ownership: Ownership) -> None:
        """Begin to remember for tables that are new, or have a rule with another tau_minus."""
        if ownership is not self._ownership:
            self._share_traces()
            self._ownership = ownership
        self.tables = [table for table in self.network.tables if table.rule and len(table)]
        for table in self.tables:
            if table.index not in self._sources:
                self._sources[table.index] = Sources(table, self.device)
        used = {self._remember_targets(table) for table in self._learning()}
        self._histories = {key: each for key, each in self._histories.items() if key in used}

    def _learning(self) -> list[SynapseTable]:
        return [table for table in self.tables if table.rule is not None and table.rule.learns]

    def _remember_targets(self, table: SynapseTable) -> Key:
        """Have a history that is long enough; returns its key."""
        block, key = table.post, _key(table)
        # Steps in which spikes are not taken in yet.
        waiting = self._wholes.greatest_delay(table) + MAX_BATCH
        steps = self._window(table) + 2 * waiting
        old = self._histories.get(key)
        if old is None or old.steps < steps or old.waiting < waiting:
            of_block = [
                each for (other, *_), each in self._histories.items() if other == block.index
            ]
            longest = old or max(of_block, key=lambda each: each.capacity, default=None)
            made = History(block, max(steps, old.steps if old else 0), waiting, self.device)
            if longest:
                made.take_over(longest, self.network.grid.dt / key[1], self._past(key[2]))
            self._histories[key] = made
        return key

    # --- weights that wait for their sources ----------------------------------------------------

    def longest_run(self) -> int:
        """Steps after which to ask whether anything is `behind`."""
        return min((each.longest_run for each in self._histories.values()), default=NO_LIMIT)

    def behind(self) -> bool:
        """Whether targets may soon have more spikes than are remembered since weights changed.

        Weights take in their targets' spikes when their source fires. Of a source that is silent
        for long the first of these spikes, which matter most, would be forgotten.
        """
        return any(each.behind() for each in self._histories.values())

    def catch_up(self, step: int) -> None:
        """Have all weights take in what has come to them; tables are as the device left them."""
        for table in self._learning():
            table.weight[:] = self.present(table, step)
            table.since = step
            if not self.device.shares_memory:
                table.version += 1
        for history in self._histories.values():
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
        for (block, *taus), history in self._histories.items():
            for name, each in history.arrays().items():
                arrays[" ".join(("history", str(block), *map(repr, taus), name))] = each
        return arrays

    def check(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is no snapshot of this network at a step."""
        network = self.network
        for number, table in enumerate(network.tables):
            if table.rule and len(table):
                shape, most = (table.n_source, Sources.room(table)), max(step, 0)
                contents.check(f"source {number} count", np.int32, shape[:1], least=0)
                contents.check(f"source {number} stamp", np.int64, shape, least=-1, most=most)
                contents.check(f"source {number} trace", np.float64, shape, least=0, finite=True)
        blocks = {str(number): block for number, block in enumerate(network.blocks)}
        for key in list(contents.names("history ")):
            place, *taus, name = key.split(" ", 3)
            if place not in blocks or len(taus) != 2 or not all(float(tau) > 0 for tau in taus):
                contents.fail(f"history {key} belongs to no population")
            if name == HISTORY_ARRAYS[0]:
                prefix = " ".join(("history", place, *taus))
                History.check(contents, prefix, blocks[place], step)
        contents.finish()

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same network."""
        self.reset()

        def part(prefix: str) -> Arrays:
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        for key in arrays:
            kind, number, *more = key.split()
            if more[-1] != HISTORY_ARRAYS[0]:
                continue
            parts = part(key.removesuffix(more[-1]))
            if kind == "source":
                table = self.network.tables[int(number)]
                self._sources[table.index] = Sources(table, self.device)
                self._sources[table.index].put(parts)
            else:
                block = self.network.blocks[int(number)]
                tau_minus, tau_plus = map(float, more[:2])
                made = History.of(parts, block, self.device, self._past(tau_plus))
                self._histories[block.index, tau_minus, tau_plus] = made

    def _window(self, table: SynapseTable) -> int:
        """Steps after which a target's spike, or what a source's left, does not matter any more."""
        greatest = max(map(self._reach, _taus(table)))
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

    def _past(self, tau: float) -> Past:
        """What is left of a trace at stamps, since the eras began that they lie in."""
        decay = self.device.get(self._decay(tau))
        return lambda stamp: decay[stamp % len(decay)]

    def histories_of(self, block: Block) -> NDArray[np.void]:
        """The plan's records of the histories of a block's spikes."""
        keys = [key for key in self._histories if key[0] == block.index]
        rows = [self._fields(self._of_targets(key), key[1:]) for key in keys]
        return np.array(rows, structures.HISTORY)

    def rule_of(self, table: SynapseTable, own: dict[str, Any]) -> NDArray[np.void]:
        """The plan's record of a table's rule; `own` are fields that belong to the table."""
        sources = self._sources[table.index]
        learns = table.rule is not None and table.rule.learns
        taus = _key(table)[2:] if learns else ()
        histories = {"source": self._fields(sources.arrays() | self._decays_of(taus), taus)}
        if learns:
            key = _key(table)
            histories["history"] = self._fields(self._of_targets(key), key[1:])
        arrays = {
            name: self.device.put(np.array([fields], structures.HISTORY))
            for name, fields in histories.items()
        }
        record = np.zeros(1, structures.RULE)
        self._alive[table.index] = arrays, sources
        addresses = {name: self.device.address(each) for name, each in arrays.items()}
        for name, value in {**addresses, **own}.items():
            record[name] = value
        return record

    def _of_targets(self, key: Key) -> dict[str, Any]:
        """The arrays of a history, by the fields of its record."""
        history = self._histories[key]
        return {
            **{name: getattr(history, name) for name in (*HISTORY_ARRAYS, "left")},
            **self._decays_of(key[1:]),
        }

    def _decays_of(self, taus: Sequence[float]) -> dict[str, Any]:
        return dict(zip(("decay", "other_decay"), map(self._decay, taus), strict=False))

    def _fields(
        self, arrays: dict[str, Any], taus: Sequence[float], *, host: bool = False
    ) -> tuple[int, ...]:
        """A history's record of arrays of the device, or of the host."""
        at = structures.host_address if host else self.device.address
        names = list(structures.HISTORY.names or ())[:6]
        n = len(arrays["count"])
        return (
            *(at(arrays[name]) if name in arrays else 0 for name in names),
            self._reach(taus[0]) if taus else 0,
            int(np.prod(arrays["stamp"].shape)) // max(n, 1),
            n,
            self._era(taus[1]) if len(taus) > 1 else 0,
        )

    def present(self, table: SynapseTable, step: int) -> NDArray[Any]:
        """Weights of a table, in the order of storage, as they are at a step."""
        rule = table.rule
        sources = self._sources.get(table.index)
        if rule is None or not rule.learns or sources is None:
            return table.weight
        self._remember_targets(table)  # if the user has changed a time constant since the last run
        record, alive = self._on_host(table, sources)
        return _present(table, record, alive, step)

    def _on_host(self, table: SynapseTable, sources: Sources) -> tuple[NDArray[np.void], list[Any]]:
        """A rule's record with all that it points to on the host, and what has to stay alive."""
        key = _key(table)
        latest = {name: places(each) for name, each in sources.latest().items()}
        record, alive = np.zeros(1, structures.RULE), []
        for name, taus, of_host in (
            ("history", key[1:], self._got(self._of_targets(key))),
            ("source", key[2:], latest | self._got(self._decays_of(key[2:]))),
        ):
            history = np.array([self._fields(of_host, taus, host=True)], structures.HISTORY)
            record[name] = history.ctypes.data
            alive += [history, of_host]
        return record, alive

    def _got(self, arrays: dict[str, Any]) -> dict[str, NDArray[Any]]:
        """Arrays of the device, on the host."""
        return {name: self.device.get(each) for name, each in arrays.items()}


def _present(
    table: SynapseTable, record: NDArray[np.void], alive: list[Any], step: int
) -> NDArray[Any]:
    rule = table.rule
    weight: NDArray[Any] = table.weight.copy()
    assert rule is not None
    columns = list(rule.columns(table.post.grid).values())
    for number, column in enumerate(columns):
        each = column.ctypes.data if len(column) > 1 else 0
        record["column"][0][number] = (each, column[0])
    for number, state in enumerate(table.state.values()):
        record["state"][0][number] = state.ctypes.data
    record["sign"], record["dendritic"] = rule.sign, rule.dendritic
    record["since"] = table.since
    record["kind"] = KINDS.index(rule.kind)
    host = HostTable(table, rule=record.ctypes.data, weight=weight.ctypes.data)
    cpu_library().present_weights(host.pointer, pointer(table.row_start), ctypes.c_int64(step))
    del alive, columns  # until now
    return weight


def _taus(table: SynapseTable) -> tuple[float, float]:
    """tau_plus and tau_minus (ms), the greatest ones of a table."""
    assert table.rule is not None
    return table.rule.time_constants


def _key(table: SynapseTable) -> Key:
    tau_plus, tau_minus = _taus(table)
    return table.post.index, tau_minus, tau_plus
