"""What plastic synapses remember: spikes of their targets, traces of their sources."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import Block, Network, SynapseTable, memory
from ..network.plasticity import PairRule
from . import structures
from .device import Device

# A trace is followed until it is below this; the rest could change a weight by that fraction only.
NEGLIGIBLE = 1e-18


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
        self._sources: dict[int, tuple[Any, Any]] = {}
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
            key = (id(table.post), table.rule.tau_minus)
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

    def _window(self, table: SynapseTable) -> int:
        """Steps after which a target's spike, or what a source's left, does not matter any more."""
        taus = (table.rule.tau_plus, table.rule.tau_minus)
        return max(len(self._decay(tau)) for tau in taus) + table.delay_range[1]

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

    def rule_of(self, table: SynapseTable) -> NDArray[np.void]:
        """The plan's record of a table's rule."""
        rule: PairRule = table.rule
        history = self._histories[id(table.post), rule.tau_minus]
        record = self.device.put(
            np.array([self._history_fields(rule.tau_minus, history)], structures.HISTORY)
        )
        self._alive[id(table)] = record
        decay, address = self._decay(rule.tau_plus), self.device.address
        last, trace = self._sources[id(table)]
        change = rule.w_max - rule.w_min
        fields = (
            *(address(array) for array in (record, decay, last, trace)),
            *(rule.A_plus * change, rule.A_minus * change, rule.w_min, rule.w_max, rule.sign),
            *(len(decay), 0),
        )
        return np.array([fields], structures.RULE)


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
