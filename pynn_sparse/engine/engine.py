"""Advances a network on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import Network, Probe
from ..network.cells.leaky import substeps
from . import structures
from .blocks import BlockArrays
from .currents import CurrentLayout
from .device import Device, Launch
from .spikes import SpikeStore
from .synapses import SynapseLayout, owner_of, owner_starts

BEFORE_TIME_0 = -1  # the step in which spike sources emit what is due at time 0
MAX_STEPS = 10_000  # of one call down, so that an interrupt from the keyboard is seen
MAX_SAMPLES = 1 << 23  # of recorded variables, and of waveforms, held for one call


class Engine:
    """A network on a device, at step `step`: the state is that at time `step * dt`.

    `run_until` is the only way forward. Changes to the network between runs are taken over when
    the next run begins. All results are in the network's probes and in `spikes`.
    """

    def __init__(self, network: Network, device: Device, precision: str) -> None:
        self.network = network
        self.device = device
        self.precision = precision
        self.spikes = SpikeStore()
        self.step = BEFORE_TIME_0
        self._blocks: list[BlockArrays] = []
        self._synapses = SynapseLayout(network, device)
        self._currents = CurrentLayout(network, device)

    def reset(self) -> None:
        """Go back to time 0 and the initial state; what was recorded stays."""
        self.step = BEFORE_TIME_0
        self._synapses.reset()
        for block in self.network.blocks:
            block.reset()
            block.version += 1  # spike times count from 0 again

    def run_until(self, end: int) -> None:
        """Advance to step `end`."""
        if end <= max(self.step, 0):
            return
        self._synchronise()
        plan = _Plan(self)
        while self.step < end:
            self.step = plan.advance(end)

    def _synchronise(self) -> None:
        for block in self.network.blocks[len(self._blocks) :]:
            self._blocks.append(BlockArrays(block, self.device, self.precision))
        for arrays in self._blocks:
            arrays.synchronise(self.step)
        self._synapses.synchronise(self.step)
        self._currents.synchronise(self._blocks)
        for probe in self.network.probes:
            if not probe.rows and probe.first == max(self.step, 0):
                probe.append(self._state(probe)[np.newaxis])

    def _state(self, probe: Probe) -> NDArray[np.float64]:
        return self._arrays_of(probe).sample(probe.variable, probe.index)

    def _arrays_of(self, probe: Probe) -> BlockArrays:
        return next(arrays for arrays in self._blocks if arrays.block is probe.block)


class _Plan:
    """The structure `Plan` of cuda/plan.h for one run, and the arrays that it points to."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.device = engine.device
        self.network = engine.network
        self._alive: list[Any] = []
        self.launches: list[Launch] = []
        self.record = np.zeros(1, structures.PLAN)
        self._fill()

    # --- filling in ---------------------------------------------------------------------------

    def _put(self, array: NDArray[Any]) -> int:
        """Bring an array to the device for as long as the plan lives; return its address."""
        if not array.size:
            return 0
        handle = self.device.put(array)
        self._alive.append(handle)
        return self.device.address(handle)

    def _zeros(self, shape: Any, dtype: Any) -> Any:
        handle = self.device.zeros(shape, dtype)
        self._alive.append(handle)
        return handle

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            self.record[name] = value

    def _fill(self) -> None:
        engine, synapses, currents = self.engine, self.engine._synapses, self.engine._currents
        injections = currents.describe()
        self.probes = [probe for probe in self.network.probes if len(probe.index)]
        self._probe_addresses = [self._put_probe(probe) for probe in self.probes]
        self.launches.append(Launch("inject", 0, currents.longest))
        groups = self._groups()
        self.launches.append(
            Launch("record", 0, max((len(probe.index) for probe in self.probes), default=0))
        )
        self.launches.append(Launch("deliver", 0, self.network.size, before_time_0=True))
        clock = self._zeros(2, np.int64)
        self.device.assign(clock, slice(None), np.full(2, engine.step))
        self._set(
            clock=self.device.address(clock),
            ring=self.device.address(synapses.ring),
            group=self._put(groups),
            n_group=len(groups),
            shard=self._put(synapses.describe_shards()),
            n_shard=self.device.n_shards,
            injection=self._put(injections),
            n_injection=len(injections),
            n_probe=len(self.probes),
            wanted=self._put(self.network.spikes_wanted.astype(np.uint8)),
            n_port=synapses.n_port,
            n_slot=synapses.n_slot,
            seed=self.network.seed % 2**64,
            substeps=substeps(self.network.grid),
            flush_denormals=engine.precision == "single",
        )
        self._fill_spikes()

    def _groups(self) -> NDArray[np.void]:
        """Blocks by model, in the order in which models first appear."""
        synapses = self.engine._synapses
        by_model: dict[str, list[tuple[Any, ...]]] = {}
        for arrays, port, unit in zip(
            self.engine._blocks, synapses.first_port, synapses.units, strict=True
        ):
            by_model.setdefault(arrays.block.model.name, []).append(arrays.describe(port, unit))
        models = {block.model.name: block.model for block in self.network.blocks}
        rows = []
        for number, (name, blocks) in enumerate(by_model.items()):
            largest = max(block.size for block in self.network.blocks if block.model.name == name)
            kernel, is_source = f"neuron_step_{name}", models[name].is_source
            self.launches.append(Launch(kernel, number, largest, len(blocks), is_source))
            step = self.device.step_function(models[name], self.engine.precision)
            address = self._put(np.array(blocks, structures.BLOCK))
            rows.append((step, address, len(blocks), is_source))
        return np.array(rows, structures.GROUP)

    def _fill_spikes(self) -> None:
        """Lists and records of spikes, for each thread; each is as long as the thread may need."""
        n_shards = self.device.n_shards
        owners = [owner_of(block.size, n_shards) for block in self.network.blocks]
        owner = np.concatenate([np.zeros(0, np.uint16), *owners])
        owned = np.bincount(owner, minlength=n_shards)
        wanted = np.bincount(owner[self.network.spikes_wanted], minlength=n_shards)
        # Counters of different threads are kept on different cache lines.
        self._list_counts = self._zeros((2 * n_shards, 16), np.int32)
        self._record_counts = self._zeros((n_shards, 16), np.int32)
        lists = [self._spike_list(i, int(owned[i % n_shards])) for i in range(2 * n_shards)]
        self._records = [self._spike_record(int(n)) for n in wanted]
        self._reserve = max(int(wanted.max(initial=0)), 1)
        rows = [
            (self.device.address(self._record_counts[i]), *map(self.device.address, arrays), *sizes)
            for i, (arrays, sizes) in enumerate(self._records)
        ]
        self._set(
            spikes=self._put(np.array(lists, structures.SPIKE_LIST)),
            record=self._put(np.array(rows, structures.SPIKE_RECORD)),
        )

    def _spike_list(self, number: int, size: int) -> tuple[int, ...]:
        arrays = [self._zeros(max(size, 1), np.int32) for _ in range(2)]
        count = self.device.address(self._list_counts[number])
        return (count, *(self.device.address(array) for array in arrays))

    def _spike_record(self, reserve: int) -> tuple[list[Any], tuple[int, int]]:
        capacity = max(self.device.record_capacity, 4 * reserve)
        types = (np.int64, np.int32, np.int32)
        return [self._zeros(capacity, dtype) for dtype in types], (capacity, reserve)

    # --- running ------------------------------------------------------------------------------

    def advance(self, end: int) -> int:
        """Do one call down, at most to step `end`; return the step reached."""
        first = self.engine.step
        end = min(end, first + self._chunk())
        samples = [self._zeros_now(probe, end) for probe in self.probes]
        rows = [
            (*fixed, self.device.address(array), *_rows_of(probe), single)
            for probe, array, (*fixed, single) in zip(
                self.probes, samples, self._probe_addresses, strict=True
            )
        ]
        begin = max(first, 0)
        waveforms = self.engine._currents.waveforms(begin, end - begin)
        alive = [self.device.put(np.array(rows, structures.PROBE)), self.device.put(waveforms)]
        self._set(
            probe=self.device.address(alive[0]),
            waveform=self.device.address(alive[1]),
            waveform_first=begin,
            waveform_steps=end - begin,
        )
        reached = self.device.advance(self.record, self.launches, first, end)
        for probe, array in zip(self.probes, samples, strict=True):
            probe.append(self.device.get(array)[: _rows_until(probe, reached) - probe.rows].copy())
        self._drain()
        return reached

    def _chunk(self) -> int:
        """Steps that a call may do, given the room for samples, waveforms and spikes."""
        per_step = sum(len(probe.index) / probe.interval for probe in self.probes)
        per_step = max(per_step, len(self.network.injections), 1e-9)
        chunk = min(MAX_STEPS, int(MAX_SAMPLES / per_step) + 1)
        if not self.device.stops_when_full:
            chunk = min(chunk, self.device.record_capacity // self._reserve)
        return max(chunk, 1)

    def _zeros_now(self, probe: Probe, end: int) -> Any:
        rows = max(_rows_until(probe, end) - probe.rows, 0)
        return self.device.zeros((rows, len(probe.index)), np.float64)

    def _put_probe(self, probe: Probe) -> tuple[int, int, int, bool]:
        """What does not change from call to call: source, index, owner_start, single."""
        arrays = self.engine._arrays_of(probe)
        starts = owner_starts(probe.index, probe.block.size, self.device.n_shards)
        source = self.device.address(arrays.row(probe.variable))
        return source, self._put(probe.index), self._put(starts), arrays.single

    def _drain(self) -> None:
        """Move recorded spikes from the device to the store."""
        counts = self.device.get(self._record_counts)[:, 0].copy()
        for count, (arrays, _) in zip(counts, self._records, strict=True):
            if count:
                stamp, neuron, multiplicity = (self.device.get(a[:count]) for a in arrays)
                self.engine.spikes.append(
                    np.repeat(neuron, multiplicity), np.repeat(stamp, multiplicity)
                )
        self.device.assign(self._record_counts, slice(None), np.zeros_like(counts)[:, np.newaxis])


def _rows_of(probe: Probe) -> tuple[int, int, int, int]:
    """first_stamp, interval, first_row and n of a probe's record."""
    return probe.first, probe.interval, probe.rows, len(probe.index)


def _rows_until(probe: Probe, step: int) -> int:
    """Rows that the probe has when the state at `step` is sampled, if it is due."""
    return max(0, (step - probe.first) // probe.interval + 1)
