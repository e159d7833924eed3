"""What synapses with a rule remember: spikes of their targets, traces of their sources."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import Block, Network, SynapseTable, memory
from ..network.block import Arrays
from ..network.dynamics import KINDS, time_constants
from . import structures
from .compile import cpu_library
from .device import Device
from .tables import HostTable, pointer

# A trace is followed until it is below this; the rest could change a weight by that fraction only.
NEGLIGIBLE = 1e-18
HISTORY_ARRAYS = ("count", "stamp", "trace")
MAX_BATCH = 16  # steps of a tile of neurons at a time, so that its input stays in the cache


class Plasticity:
    """The plan's part for tables with a rule. `synchronise` keeps it up to date."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network = network
        self.device = device
        self.reset()

    def reset(self) -> None:
        """Forget all spikes."""
        self.tables: list[SynapseTable] = []
        self._histories: dict[tuple[int, float], _History] = {}
        self._sources: dict[int, tuple[Any, ...]] = {}
        self._decays: dict[float, Any] = {}
        self._alive: dict[int, Any] = {}
        self._owner_starts: Any = None

    def synchronise(self, owner_starts: list[NDArray[np.int32]]) -> None:
        """Begin to remember for tables that are new, or have a rule with another tau_minus."""
        if owner_starts is not self._owner_starts:
            self._share_traces()
            self._owner_starts = owner_starts
        self.tables = [table for table in self.network.tables if table.rule and len(table)]
        for table in self.tables:
            shape = (self.device.n_shards, table.n_source)
            if id(table) not in self._sources:
                self._sources[id(table)] = (
                    self.device.zeros(shape, np.int64),
                    self.device.zeros(shape, np.float64),
                )
            if table.rule is not None and table.rule.learns:
                self._remember_targets(table)

    def _remember_targets(self, table: SynapseTable) -> None:
        key = (id(table.post), _taus(table)[1])
        old = self._histories.get(key)
        capacity = _capacity(table.post, self._window(table))
        if old is None or old.capacity < capacity:
            self._histories[key] = _History(table.post, capacity, self.device, old)

    def _share_traces(self) -> None:
        """Give all threads the traces of those that had to do with a table: owners have changed."""
        for last, trace in self._sources.values():
            stamps, traces = self.device.get(last), self.device.get(trace)
            latest = stamps.argmax(axis=0), np.arange(stamps.shape[1])
            self.device.assign(trace, slice(None), traces[latest][np.newaxis])
            self.device.assign(last, slice(None), stamps[latest][np.newaxis])

    def snapshot(self) -> Arrays:
        """What is remembered of sources, by table, and of targets, by block and time constant."""
        arrays: Arrays = {}
        for number, table in enumerate(self.network.tables):
            if id(table) in self._sources:
                last, trace = (self.device.get(each) for each in self._sources[id(table)])
                latest = last.argmax(axis=0), np.arange(last.shape[1])
                arrays |= {f"last {number}": last[latest], f"trace {number}": trace[latest]}
        numbers = {id(block): number for number, block in enumerate(self.network.blocks)}
        for (block, tau), history in self._histories.items():
            for name in HISTORY_ARRAYS:
                key = f"history {numbers[block]} {tau!r} {name}"
                arrays[key] = self.device.get(getattr(history, name))
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same network."""
        self.reset()
        shards = self.device.n_shards
        for key, array in arrays.items():
            kind, number, *more = key.split()
            if kind == "last":
                table = self.network.tables[int(number)]
                pair = array, arrays[f"trace {number}"]
                self._sources[id(table)] = tuple(
                    self.device.put(np.tile(each, (shards, 1))) for each in pair
                )
            elif kind == "history" and more[1] == HISTORY_ARRAYS[0]:
                parts = [arrays[f"history {number} {more[0]} {name}"] for name in HISTORY_ARRAYS]
                block = self.network.blocks[int(number)]
                self._histories[id(block), float(more[0])] = _History.of(parts, self.device)

    def _window(self, table: SynapseTable) -> int:
        """Steps after which a target's spike, or what a source's left, does not matter any more."""
        greatest = max(len(self._decay(tau)) for tau in _taus(table))
        return greatest + table.delay_range[1] + MAX_BATCH

    def _decay(self, tau: float) -> Any:
        """exp(-k dt / tau) for k = 0, 1, ... on the device."""
        if tau not in self._decays:
            rate = self.network.grid.dt / tau
            steps = np.arange(int(-np.log(NEGLIGIBLE) / rate) + 2)
            self._decays[tau] = self.device.put(np.exp(-rate * steps))
        return self._decays[tau]

    def histories_of(self, block: Block) -> NDArray[np.void]:
        """The plan's records of the histories of a block's spikes."""
        rows = [
            self._history_fields(tau, history)
            for (of_block, tau), history in self._histories.items()
            if of_block == id(block)
        ]
        return np.array(rows, structures.HISTORY)

    def _history_fields(self, tau: float, history: _History) -> tuple[int, ...]:
        decay, address = self._decay(tau), self.device.address
        arrays = (history.count, history.stamp, history.trace, decay)
        return (*(address(array) for array in arrays), len(decay), history.capacity)

    def rule_of(self, table: SynapseTable, own: dict[str, Any]) -> NDArray[np.void]:
        """The plan's record of a table's rule; `own` are fields that belong to the table."""
        last, trace = self._sources[id(table)]
        arrays = {"last": last, "trace": trace}
        record = np.zeros(1, structures.RULE)
        if table.rule is not None and table.rule.learns:
            tau_plus, tau_minus = _taus(table)
            history = self._histories[id(table.post), tau_minus]
            arrays["history"] = self.device.put(
                np.array([self._history_fields(tau_minus, history)], structures.HISTORY)
            )
            arrays["decay"] = self._decay(tau_plus)
            record["n_decay"] = len(arrays["decay"])
        self._alive[id(table)] = arrays
        addresses = {name: self.device.address(each) for name, each in arrays.items()}
        for name, value in {**addresses, **own}.items():
            record[name] = value
        return record

    def present(self, table: SynapseTable, step: int) -> NDArray[Any]:
        """Weights of a table, in the order of storage, as they are at a step."""
        rule = table.rule
        sources = self._sources.get(id(table))
        if rule is None or not rule.learns or sources is None:
            return table.weight
        record, alive = self._on_host(table, *sources)
        return _present(table, record, alive, step)

    def _on_host(
        self, table: SynapseTable, last: Any, trace: Any
    ) -> tuple[NDArray[np.void], list[Any]]:
        """A rule's record with all that it points to on the host, and what has to stay alive."""
        stamps, traces = self.device.get(last), self.device.get(trace)
        latest = stamps.argmax(axis=0), np.arange(stamps.shape[1])
        tau_plus, tau_minus = _taus(table)
        past = self._histories[id(table.post), tau_minus]
        decays = [self.device.get(self._decay(tau)) for tau in (tau_minus, tau_plus)]
        arrays = [self.device.get(each) for each in (past.count, past.stamp, past.trace)]
        history = np.zeros(1, structures.HISTORY)
        history[0] = (
            *(each.ctypes.data for each in (*arrays, decays[0])),
            *(len(decays[0]), past.capacity),
        )
        alive = [history, decays[1], stamps[latest], traces[latest]]
        record = np.zeros(1, structures.RULE)
        names = ("history", "decay", "last", "trace")
        for name, each in zip(names, alive, strict=True):
            record[name] = each.ctypes.data
        record["n_decay"] = len(decays[1])
        return record, [*arrays, *decays, *alive]


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
    plus, minus = time_constants(table.rule.parameters)
    return float(np.max(plus)), float(np.max(minus))


def _capacity(block: Block, steps: int) -> int:
    """The most spikes of a neuron in a number of steps, as a power of two."""
    refractory = np.min(block.derived.get("n_refractory", 0))
    return 1 << int(np.ceil(np.log2(steps / (1 + refractory) + 2)))


class _History:
    """The last `capacity` spikes of each neuron of a block."""

    def __init__(self, block: Block, capacity: int, device: Device, old: _History | None) -> None:
        self.capacity = capacity
        shape = (block.size, capacity)
        memory.require(
            16 * block.size * capacity,
            f"{capacity} spikes of each of {block.size} neurons with plastic synapses",
        )
        count = np.zeros(block.size, np.int32)
        stamp, trace = np.zeros(shape, np.int64), np.zeros(shape)
        if old:
            self._take_over(old, device, count, stamp, trace)
        self.count, self.stamp, self.trace = (device.put(each) for each in (count, stamp, trace))

    @classmethod
    def of(cls, parts: list[NDArray[Any]], device: Device) -> _History:
        """Of arrays `HISTORY_ARRAYS`."""
        made = cls.__new__(cls)
        made.capacity = parts[1].shape[1]
        made.count, made.stamp, made.trace = (device.put(each) for each in parts)
        return made

    @staticmethod
    def _take_over(old: _History, device: Device, count: Any, stamp: Any, trace: Any) -> None:
        """Copy the spikes of a shorter history; the count goes on from what is kept."""
        number = device.get(old.count)
        kept = np.minimum(number, old.capacity)
        for i in np.flatnonzero(kept):
            place = np.arange(number[i] - kept[i], number[i]) % old.capacity
            stamp[i, : kept[i]] = device.get(old.stamp)[i, place]
            trace[i, : kept[i]] = device.get(old.trace)[i, place]
        count[:] = kept
