"""What synapses with a rule remember: spikes of their targets, traces of their sources."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...network import Block, Network, SynapseTable, memory
from ...network.block import Arrays
from ...network.dynamics import KINDS
from .. import structures
from ..devices.device import Device
from ..ownership import Ownership
from ..toolchain.libraries import cpu_library
from .stored import HostTable, pointer

if TYPE_CHECKING:
    from ...network.contents import Contents

# A trace is followed until it is below this; the rest could change a weight by that fraction only.
NEGLIGIBLE = 1e-18
HISTORY_ARRAYS = ("count", "stamp", "trace")
CHUNK = 8  # places of a neuron's spikes side by side: kChunk of cuda/synapses/history.h
NO_LIMIT = 2**62
MAX_BATCH = 16  # steps of a tile of neurons at a time, so that its input stays in the cache


Past = Callable[[NDArray[np.int64]], NDArray[np.float64]]
Key = tuple[int, float, float]  # index of a block; of a table onto it, tau_minus and tau_plus


class Plasticity:
    """The plan's part for tables with a rule. `synchronise` keeps it up to date."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.reset()

    def reset(self) -> None:
        """Forget all spikes."""
        self.tables: list[SynapseTable] = []
        self._histories: dict[Key, _History] = {}
        self._sources: dict[int, _Sources] = {}
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
                self._sources[table.index] = _Sources(table, self.device)
        used = {self._remember_targets(table) for table in self._learning()}
        self._histories = {key: each for key, each in self._histories.items() if key in used}

    def _learning(self) -> list[SynapseTable]:
        return [table for table in self.tables if table.rule is not None and table.rule.learns]

    def _remember_targets(self, table: SynapseTable) -> Key:
        """Have a history that is long enough; returns its key."""
        block, key = table.post, _key(table)
        waiting = table.delay_range[1] + MAX_BATCH  # steps in which spikes are not taken in yet
        steps = self._window(table) + 2 * waiting
        old = self._histories.get(key)
        if old is None or old.steps < steps or old.waiting < waiting:
            of_block = [
                each for (other, *_), each in self._histories.items() if other == block.index
            ]
            longest = old or max(of_block, key=lambda each: each.capacity, default=None)
            made = _History(block, max(steps, old.steps if old else 0), waiting, self.device)
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
                shape, most = (table.n_source, _Sources.room(table)), max(step, 0)
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
                _History.check(contents, prefix, blocks[place], step)
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
                self._sources[table.index] = _Sources(table, self.device)
                self._sources[table.index].put(parts)
            else:
                block = self.network.blocks[int(number)]
                tau_minus, tau_plus = map(float, more[:2])
                made = _History.of(parts, block, self.device, self._past(tau_plus))
                self._histories[block.index, tau_minus, tau_plus] = made

    def _window(self, table: SynapseTable) -> int:
        """Steps after which a target's spike, or what a source's left, does not matter any more."""
        greatest = max(map(self._reach, _taus(table)))
        return greatest + table.delay_range[1] + MAX_BATCH

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

    def _on_host(
        self, table: SynapseTable, sources: _Sources
    ) -> tuple[NDArray[np.void], list[Any]]:
        """A rule's record with all that it points to on the host, and what has to stay alive."""
        key = _key(table)
        latest = {name: _places(each) for name, each in sources.latest().items()}
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


def _room(steps: int, apart: int) -> int:
    """Spikes that a neuron may have in so many steps, if two are so far apart: a power of two."""
    return max(1 << int(np.ceil(np.log2(steps / apart + 2))), CHUNK)


def _places(rows: NDArray[Any]) -> NDArray[Any]:
    """What is given for each neuron and spike, [n, capacity], as `history.h` has it.

    Chunks of neurons' spikes: [capacity / width, n, width].
    """
    if rows.ndim == 1:
        return rows
    n, capacity = rows.shape
    width = min(capacity, CHUNK)
    chunks = rows.reshape(n, capacity // width, width)
    return np.ascontiguousarray(chunks.transpose(1, 0, 2))


def _rows(places: NDArray[Any]) -> NDArray[Any]:
    """The reverse."""
    if places.ndim == 1:
        return places
    rows: NDArray[Any] = places.transpose(1, 0, 2).reshape(places.shape[1], -1)
    return rows


def _taus(table: SynapseTable) -> tuple[float, float]:
    """tau_plus and tau_minus (ms), the greatest ones of a table."""
    assert table.rule is not None
    return table.rule.time_constants


def _key(table: SynapseTable) -> Key:
    tau_plus, tau_minus = _taus(table)
    return table.post.index, tau_minus, tau_plus


class _Sources:
    """The last spikes of the sources of a table, as each owner of targets has seen them.

    There are as many as a source may have from one that its first synapse has not seen to one that
    its last synapse has, and the one before.
    """

    def __init__(self, table: SynapseTable, device: Device) -> None:
        self._device = device
        self._shape = device.n_owner, table.n_source
        self.capacity = self.room(table)
        n = device.n_owner * table.n_source
        what = f"{self.capacity} spikes of each source of plastic synapses"
        memory.require(20 * n * self.capacity, what)
        width = min(self.capacity, CHUNK)
        shape = self.capacity // width, n, width
        self.count = device.zeros(n, np.int32)
        self.stamp, self.trace = device.zeros(shape, np.int64), device.zeros(shape, np.float64)

    @staticmethod
    def room(table: SynapseTable) -> int:
        """Spikes of each source that have to be remembered: a power of two."""
        most = table.lag_range[1]
        return 1 << (most + 1).bit_length() if most else 1

    def arrays(self) -> dict[str, Any]:
        """By the fields of the plan's record."""
        return {name: getattr(self, name) for name in HISTORY_ARRAYS}

    def latest(self) -> dict[str, NDArray[Any]]:
        """Of each source, [n_source], what the owner remembers that has seen most of it."""
        count, stamp, trace = (_rows(self._device.get(each)) for each in self.arrays().values())
        owners, n = self._shape
        last = stamp[np.arange(len(count)), (count - 1) % self.capacity]
        best = np.where(count > 0, last, -1).reshape(owners, n).argmax(axis=0)
        place = best * n + np.arange(n)
        return {"count": count[place], "stamp": stamp[place], "trace": trace[place]}

    def put(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Have all owners remember what `latest` gave."""
        owners = self._shape[0]
        for name in HISTORY_ARRAYS:
            every = _places(np.concatenate([arrays[name]] * owners))
            self._device.assign(getattr(self, name), slice(None), every)


class _History:
    """The last spikes of each neuron of a block: as many as it may have in a number of steps.

    `waiting` is for how many steps weights cannot take a spike in, because it is on its way.
    """

    def __init__(
        self, block: Block, steps: int, waiting: int, device: Device, apart: int | None = None
    ) -> None:
        self.steps, self.waiting = steps, waiting
        self._device = device
        # Steps between two spikes of a neuron, at least.
        self._apart = apart or 1 + int(np.min(block.derived.get("n_refractory", 0)))
        self.capacity = _room(steps, self._apart)
        memory.require(
            24 * block.size * self.capacity,
            f"{self.capacity} spikes of each of {block.size} neurons with plastic synapses",
        )
        shape = self.capacity // CHUNK, block.size, CHUNK
        self.count = device.zeros(block.size, np.int32)
        self.stamp, self.trace = device.zeros(shape, np.int64), device.zeros(shape, np.float64)
        self.left = device.zeros(shape, np.float64)
        self._seen = np.zeros(block.size, np.int32)

    @property
    def _room(self) -> int:
        """Spikes that may come before weights have to catch up, and again until they do."""
        return max((self.capacity - self.waiting // self._apart - 2) // 2, 1)

    @property
    def longest_run(self) -> int:
        """Steps in which no more than `_room` spikes come."""
        return self._room * self._apart

    def behind(self) -> bool:
        """Whether some neuron has had more spikes than that since `caught_up`."""
        return bool((self._device.get(self.count) - self._seen).max(initial=0) > self._room)

    def caught_up(self) -> None:
        """Weights have taken in all that has come."""
        self._seen = self._device.get(self.count).copy()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is remembered, with the numbers that `of` needs."""
        arrays = {name: _rows(self._device.get(getattr(self, name))) for name in HISTORY_ARRAYS}
        return arrays | {
            "seen": self._seen,
            "steps": np.array([self.steps, self.waiting, self._apart]),
        }

    @staticmethod
    def check(contents: Contents, name: str, block: Block, step: int) -> None:
        """Raise `CheckpointError` for what `arrays` has not given."""
        size, most = (block.size,), 2**31 - 1
        numbers = contents.check(f"{name} steps", np.int64, (3,), least=1, most=most)
        steps, waiting, apart = numbers.tolist()
        shape = block.size, _room(steps, apart)
        contents.check(f"{name} count", np.int32, size, least=0)
        contents.check(f"{name} seen", np.int32, size, least=0)
        contents.check(f"{name} stamp", np.int64, shape, least=0, most=max(step, 0))
        contents.check(f"{name} trace", np.float64, shape, least=0, finite=True)
        if waiting > steps:
            contents.fail(f"{name} steps has the values {steps}, {waiting}")

    @classmethod
    def of(
        cls, arrays: dict[str, NDArray[Any]], block: Block, device: Device, past: Past
    ) -> _History:
        """What `arrays` gave; `past` gives what is left of a trace."""
        steps, waiting, apart = map(int, arrays["steps"])
        made = cls(block, steps, waiting, device, apart)
        for name in HISTORY_ARRAYS:
            setattr(made, name, device.put(_places(arrays[name])))
        made.left = device.put(_places(past(arrays["stamp"])))
        made._seen = arrays["seen"].copy()
        return made

    def take_over(self, old: _History, rate: float, past: Past) -> None:
        """Copy the spikes of another history, with traces that decay by `rate` per step."""

        def get(array: Any) -> NDArray[Any]:
            return _rows(self._device.get(array))

        number, kept = get(old.count), np.minimum(get(old.count), min(old.capacity, self.capacity))
        stamp, trace = get(self.stamp).copy(), get(self.trace).copy()
        old_stamp, last = get(old.stamp), np.zeros(len(kept))
        for k in range(int(kept.max(initial=0))):  # the k-th of those that are kept, of all neurons
            i = np.flatnonzero(kept > k)
            stamp[i, k] = old_stamp[i, (number[i] - kept[i] + k) % old.capacity]
            passed = stamp[i, k] - stamp[i, k - 1] if k else 0
            last[i] = 1 + last[i] * np.exp(-rate * passed)
            trace[i, k] = last[i]
        self.stamp, self.trace, self.left = (
            self._device.put(_places(each)) for each in (stamp, trace, past(stamp))
        )
        self.count = self._device.put(kept.astype(np.int32))
        self._seen = np.maximum(kept - (number - old._seen), 0).astype(np.int32)
