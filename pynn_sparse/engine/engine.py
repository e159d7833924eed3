"""Advances a network on a device."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..network import Block, Network, Probe, SynapseTable
from ..network.block import Arrays
from ..network.cells.leaky import substeps
from . import structures
from .background import Backgrounds
from .blocks import BlockArrays
from .currents import CurrentLayout
from .device import Device, Launch
from .junctions import JunctionLayout
from .ownership import owner_starts, split
from .plasticity import MAX_BATCH, Plasticity
from .spikes import Emitted, SpikeLists, SpikeRecords, SpikeStore
from .synapses import SynapseLayout

BEFORE_TIME_0 = -1  # the step in which spike sources emit what is due at time 0
MAX_STEPS = 10_000  # of one call down, so that an interrupt from the keyboard is seen
MAX_SAMPLES = 1 << 23  # of recorded variables, and of waveforms, held for one call


class Progress(Protocol):
    """Who wants to know how far a run has come."""

    def next_stop(self, step: int) -> int:
        """The step at which to report next."""

    def report(self, step: int) -> None:
        """The run has come to a step."""


class Engine:
    """A network on a device, at step `step`: the state is that at time `step * dt`.

    `run_until` is the only way forward. Changes to the network between runs are taken over when
    the next run begins. All results are in the network's probes and in `spikes`; those that take
    more than `recording_memory` bytes are moved to disk.
    """

    def __init__(
        self,
        network: Network,
        device: Device,
        precision: str,
        recording_memory: float = math.inf,
    ) -> None:
        self.network = network
        self.device = device
        self.precision = precision
        self._recording_memory = recording_memory
        self.spikes = SpikeStore()
        self.step = BEFORE_TIME_0
        self._blocks: list[BlockArrays] = []
        self._synapses = SynapseLayout(network, device)
        self._currents = CurrentLayout(network, device)
        self._junctions = JunctionLayout(network, device)
        self._backgrounds = Backgrounds(network, device)
        self._plasticity = Plasticity(network, device)
        self._owner_starts: list[NDArray[np.int32]] = []
        self._plan: _Plan | None = None
        self._diverged: set[int] = set()
        self._waiting: Emitted | None = None  # spikes that a restored state has in axons

    def reset(self) -> None:
        """Go back to time 0 and the initial state; what was recorded stays."""
        self.step = BEFORE_TIME_0
        self._synapses.reset()
        self._backgrounds.reset()
        self._plasticity.reset()
        self._plan = self._waiting = None
        for table in self.network.tables:
            table.reset()
        for block in self.network.blocks:
            block.reset()
            block.version += 1  # spike times count from 0 again

    def run_until(self, end: int, progress: Progress | None = None) -> None:
        """Advance to step `end`."""
        if end <= max(self.step, 0):
            return
        self._synchronise()
        self._plan, self._waiting = _Plan(self, self._plan), None
        try:
            self._run(end, progress)
        finally:
            self._plan.collect()
        self._synapses.fetch()
        self._warn_of_divergence()

    def _run(self, end: int, progress: Progress | None) -> None:
        assert self._plan is not None
        while self.step < end:
            stop = min(end, progress.next_stop(self.step)) if progress else end
            stop = min(stop, self.step + self._plasticity.longest_run())
            self.step = self._plan.advance(stop)
            if self._plasticity.tables:
                self._plan.collect()  # and wait
                if self._plasticity.behind():
                    self._catch_up()
            self.spill()
            if progress:
                progress.report(self.step)

    def _catch_up(self) -> None:
        """Have weights take in the targets' spikes, before these are forgotten."""
        self._synapses.fetch()
        self._plasticity.catch_up(self.step)
        self._synchronise()
        self._plan = _Plan(self, self._plan)

    def _warn_of_divergence(self) -> None:
        """Warn once of each population in which a potential is not a finite number any more."""
        for arrays in self._blocks:
            if "v" not in arrays.block.model.state or id(arrays.block) in self._diverged:
                continue
            bad = np.flatnonzero(~np.isfinite(self.device.get(arrays.row("v"))))
            if len(bad):
                self._diverged.add(id(arrays.block))
                warnings.warn(
                    f"v of {len(bad)} neurons of a population of {arrays.block.model.name}, the "
                    f"first with index {bad[0]}, is not a finite number any more at "
                    f"{self.network.grid.time(self.step):g} ms: its input is too strong, or the "
                    "time step too long",
                    RuntimeWarning,
                    stacklevel=6,
                )

    def weights(self, table: SynapseTable) -> NDArray[Any]:
        """Weights of a table as they are now, in the order of storage.

        Those that learn take in all spikes of their targets that have come to them by now.
        """
        return self._plasticity.present(table, max(self.step, 0))

    def snapshot(self) -> Arrays:
        """All that the future depends on, but for what is in the blocks and tables themselves."""
        self._synchronise()
        self._synapses.settle(self.step, self._settle)
        waiting = self._plan.waiting() if self._plan else self._waiting
        neuron, stamp = self.spikes.of(0, self.network.size)
        parts: dict[str, Arrays] = {
            "synapses": self._synapses.snapshot(),
            "plasticity": self._plasticity.snapshot(),
            "background": self._backgrounds.snapshot(),
            "state": {str(k): each.snapshot() for k, each in enumerate(self._blocks)},
            "spikes": {"neuron": neuron, "stamp": stamp},
            "waiting": waiting._asdict() if waiting else {},
        }
        arrays = {
            f"{name}/{key}": each for name, part in parts.items() for key, each in part.items()
        }
        return arrays | {"step": np.array(self.step)}

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same network, whose blocks and tables have been restored."""

        def part(name: str) -> Arrays:
            prefix = f"{name}/"
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        self.step = int(arrays["step"])
        self._plan = None
        self._currents = CurrentLayout(self.network, self.device)
        self._junctions = JunctionLayout(self.network, self.device)
        waiting = part("waiting")
        self._waiting = Emitted(**waiting) if waiting else None
        self._blocks = [
            BlockArrays(block, self.device, self.precision) for block in self.network.blocks
        ]
        for number, state in part("state").items():
            self._blocks[int(number)].restore(state)
        self._synapses.restore(part("synapses"))
        self._plasticity.restore(part("plasticity"))
        self._backgrounds.restore(part("background"))
        self.spikes = SpikeStore()
        self.spikes.append(arrays["spikes/neuron"], arrays["spikes/stamp"])

    def _synchronise(self) -> None:
        for block in self.network.blocks[len(self._blocks) :]:
            self._blocks.append(BlockArrays(block, self.device, self.precision))
        for arrays in self._blocks:
            arrays.synchronise(self.step)
        if len(self._owner_starts) != len(self._blocks):
            self._owner_starts = owner_starts(self.network.blocks, self.device.n_shards)
        fused = self._backgrounds.tables()
        closing = self._backgrounds.closing(self.step, fused)
        self._synapses.synchronise(self.step, fused, closing, self._owner_starts, self._settle)
        self._backgrounds.synchronise(self.step, fused, self._blocks)
        self._plasticity.synchronise(self._owner_starts)
        self._junctions.synchronise(self._blocks, self._owner_starts, self.network.grid.dt)
        self._currents.synchronise(self._blocks, self._owner_starts, self._junctions.coupled)
        for probe in self.network.probes:
            if not probe.rows and probe.first == max(self.step, 0):
                probe.append(self._state(probe)[np.newaxis])

    def spill(self) -> None:
        """Move what was recorded to disk, if it takes more memory than it may."""
        recorded: list[SpikeStore | Probe] = [self.spikes, *self.network.probes]
        if sum(each.nbytes for each in recorded) > self._recording_memory:
            for each in recorded:
                each.spill()

    def _settle(self, synapses: SynapseLayout) -> None:
        """Deliver all that was emitted, with the synapses as they were, into a ring with room."""
        if self._plan is not None:
            self._plan.settle(synapses, self.step)
            self._plan = None

    def _state(self, probe: Probe) -> NDArray[np.float64]:
        return self._arrays_of(probe).sample(probe.variable, probe.index)

    def _arrays_of(self, probe: Probe) -> BlockArrays:
        return next(arrays for arrays in self._blocks if arrays.block is probe.block)


class _Recorded(NamedTuple):
    """What a call has recorded, on the device: to be read after `wait`."""

    reached: int
    samples: list[Any]
    spikes: SpikeRecords
    wait: Callable[[], None]
    alive: list[Any]  # what the call reads


class _Plan:
    """The structure `Plan` of cuda/plan.h for one run, and the arrays that it points to."""

    def __init__(self, engine: Engine, last: _Plan | None) -> None:
        self.engine = engine
        self.device = engine.device
        self.network = engine.network
        self._alive: list[Any] = []
        self.launches: list[Launch] = []
        self._recorded: _Recorded | None = None
        self.record = np.zeros(1, structures.PLAN)
        self._fill(last)

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

    def _fill(self, last: _Plan | None) -> None:
        engine, currents = self.engine, self.engine._currents
        injections, junctions = currents.describe(), engine._junctions.describe(self._put)
        self.probes = [probe for probe in self.network.probes if len(probe.index)]
        self._probe_addresses = [self._put_probe(probe) for probe in self.probes]
        self.launches.append(Launch("inject", 0, currents.longest))
        self.launches.append(Launch("couple", 0, engine._junctions.longest))
        self._fill_backgrounds()
        self._fill_blocks()
        self.launches.append(
            Launch("record", 0, max((len(probe.index) for probe in self.probes), default=0))
        )
        self._fill_synapses()
        self._clock = self._zeros(2, np.int64)
        self.device.assign(self._clock, slice(None), np.full(2, engine.step))
        self._set(
            clock=self.device.address(self._clock),
            n_shard=self.device.n_shards,
            injection=self._put(injections),
            n_injection=len(injections),
            junction=self._put(junctions),
            n_junction=len(junctions),
            n_probe=len(self.probes),
            wanted=self._put(self.network.spikes_wanted.astype(np.uint8)),
            substeps=substeps(self.network.grid),
            flush_denormals=engine.precision == "single",
        )
        self._fill_spikes(last)

    def _fill_backgrounds(self) -> None:
        engine, synapses = self.engine, self.engine._synapses
        starts = [self.device.put(each) for each in engine._owner_starts]
        self._alive.append(starts)
        self._starts = starts
        records, fed = engine._backgrounds.describe(
            synapses.exponent_of,
            synapses.ports.of_table,
            synapses.ports.number,
            lambda block: starts[synapses.ports.number(block)],
        )
        self._set(background=self._put(records))
        self._first_background = np.searchsorted(fed, np.arange(len(starts) + 1)).tolist()

    def _fill_blocks(self) -> None:
        """Blocks by model, in the order in which models first appear; without sources that emit
        nothing because their spikes are drawn where they arrive.
        """
        synapses = self.engine._synapses
        drawn = {id(drive.table.pre) for drive in self.engine._backgrounds.open()}
        self.advanced: list[BlockArrays] = []
        by_model: dict[str, list[BlockArrays]] = {}
        for arrays in self.engine._blocks:
            if id(arrays.block) not in drawn:
                by_model.setdefault(arrays.block.model.name, []).append(arrays)
        groups: list[tuple[Any, ...]] = []
        for name, members in by_model.items():
            blocks = []
            for arrays in members:
                number = synapses.ports.number(arrays.block)
                port, unit = synapses.ports.first[number], synapses.units[number]
                place = len(self.advanced)
                histories = self.engine._plasticity.histories_of(arrays.block)
                fixed = place, port, unit, self._starts[number]
                first, end = self._first_background[number : number + 2]
                remembered = self._put(histories), len(histories)
                blocks.append(arrays.describe(*fixed, remembered, (first, end - first)))
                self.advanced.append(arrays)
            model = members[0].block.model
            largest = max(arrays.block.size for arrays in members)
            launch = Launch(
                f"neuron_step_{name}", len(groups), largest, len(blocks), model.is_source
            )
            self.launches.append(launch)
            step = self.device.step_function(model, self.engine.precision)
            address = self._put(np.array(blocks, structures.BLOCK))
            groups.append((step, address, len(blocks), model.is_source))
        self._set(
            group=self._put(np.array(groups, structures.GROUP)),
            n_group=len(groups),
            n_block=len(self.advanced),
        )

    def _fill_synapses(self) -> None:
        synapses = self.engine._synapses
        plasticity = self.engine._plasticity
        rules = {
            id(table): self._put(plasticity.rule_of(table, synapses.rule_fields(table)))
            for table in plasticity.tables
        }
        blocks = [arrays.block for arrays in self.advanced]
        records, starts = synapses.describe(blocks, lambda table: rules.get(id(table), 0))
        most_tables = int(np.diff(starts).max(initial=0))
        rows = max(most_tables * synapses.n_delay_group, 1)
        self.launches.append(Launch("deliver", 0, self.network.size, rows, True))
        if rules:
            self.launches.append(Launch("remember", 0, self.network.size, rows, True))
        sampled = self.probes or self.network.injections or self.network.junctions
        self.batch = 1 if sampled else min(synapses.batch, MAX_BATCH)
        self._set(
            ring=self.device.address(synapses.ring),
            n_slot=synapses.n_slot,
            n_port=synapses.n_port,
            table=self._put(records),
            table_start=self._put(starts),
            delay_group=synapses.delay_group,
            n_delay_group=synapses.n_delay_group,
            batch=self.batch,
            n_rule=len(rules),
            lagging=synapses.longest_lag > 0,
            most_tables=most_tables,
        )

    def _fill_spikes(self, last: _Plan | None) -> None:
        """Lists of spikes by step, and records of those that the user wants, for each thread."""
        synapses, n_shards = self.engine._synapses, self.device.n_shards
        wanted, owners = np.zeros(n_shards, np.int64), {}
        for arrays in self.advanced:
            starts = self._owner_starts(arrays.block)
            owners[synapses.ports.number(arrays.block)] = starts
            first = arrays.block.first
            flags = self.network.spikes_wanted[first : first + arrays.block.size]
            wanted += np.diff(np.concatenate([[0], np.cumsum(flags)])[starts])
        waiting = (synapses.n_delay_group - 1) * synapses.delay_group + synapses.longest_lag
        n_list = waiting + 2 * self.batch
        self._lag = synapses.longest_lag
        if last and last.lists.fits(n_list, self.batch, owners):
            self.lists: SpikeLists = last.lists
        else:
            self.lists = SpikeLists(self.device, n_list, self.batch, owners)
            spikes = last.waiting() if last else self.engine._waiting
            if spikes and self._lag:
                self.lists.write(spikes)
        self._reserve = max(int(wanted.max(initial=0)), 1)
        # Two, in turn: one is read while the other is written to.
        self._records = [SpikeRecords(self.device, wanted, 2 * MAX_BATCH) for _ in range(2)]
        self._set(spikes=self.lists.address, n_list=n_list)

    def _owner_starts(self, block: Block) -> NDArray[np.int32]:
        return self.engine._owner_starts[self.engine._synapses.ports.number(block)]

    def waiting(self) -> Emitted:
        """Spikes that synapses which wait have not seen yet."""
        step = self.engine.step
        return self.lists.read(range(max(step - self._lag, -1), step))

    def settle(self, synapses: SynapseLayout, step: int) -> None:
        """Deliver what waits for its group of delays; the ring has room for all delays."""
        self._set(
            ring=self.device.address(synapses.ring),
            n_slot=synapses.n_slot,
            n_port=synapses.n_port,
        )
        self.device.deliver_pending(self.record, self.launches, self._clock, step)

    # --- running ------------------------------------------------------------------------------

    def advance(self, end: int) -> int:
        """Do one call down, at most to step `end`; return the step reached."""
        first = self.engine.step
        end = min(end, first + self._chunk())
        samples = [self._zeros_now(probe, end) for probe in self.probes]
        rows = [
            (*fixed, self.device.address(array), *self._place(probe), single)
            for probe, array, (*fixed, single) in zip(
                self.probes, samples, self._probe_addresses, strict=True
            )
        ]
        begin = max(first, 0)
        waveforms = self.engine._currents.waveforms(begin, end - begin)
        alive = [self.device.put(np.array(rows, structures.PROBE)), self.device.put(waveforms)]
        spikes = self._records[0]
        self._records.reverse()
        self._set(
            probe=self.device.address(alive[0]),
            waveform=self.device.address(alive[1]),
            waveform_first=begin,
            waveform_steps=end - begin,
            record=spikes.address,
        )
        reached = self.device.advance(self.record, self.launches, first, end)
        recorded = _Recorded(reached, samples, spikes, self.device.mark(), alive)
        self.collect()  # what the call before has left, while this one may still be at work
        self._recorded = recorded
        return reached

    def collect(self) -> None:
        """Wait for what was begun, and bring to the host what it has recorded."""
        if self._recorded is None:
            return
        recorded, self._recorded = self._recorded, None
        recorded.wait()
        for probe, array in zip(self.probes, recorded.samples, strict=True):
            rows = _rows_until(probe, recorded.reached) - probe.rows
            probe.append(self.device.get(array)[:rows].copy())
        for neuron, stamp in recorded.spikes.take():
            self.engine.spikes.append(neuron, stamp)

    def _chunk(self) -> int:
        """Steps that a call may do, given the room for samples, waveforms and spikes."""
        per_step = sum(len(probe.index) / probe.interval for probe in self.probes)
        per_step = max(per_step, len(self.network.injections), 1e-9)
        chunk = min(MAX_STEPS, int(MAX_SAMPLES / per_step) + 1)
        if not self.device.stops_when_full:
            chunk = min(chunk, self.device.record_capacity // self._reserve)
        return max(chunk, 1)

    def _zeros_now(self, probe: Probe, end: int) -> Any:
        rows = max(_rows_until(probe, end) - self._rows(probe), 0)
        return self.device.zeros((rows, len(probe.index)), np.float64)

    def _rows(self, probe: Probe) -> int:
        """Rows that a probe has, or will have when what was recorded is collected."""
        return max(probe.rows, _rows_until(probe, self._recorded.reached) if self._recorded else 0)

    def _place(self, probe: Probe) -> tuple[int, int, int, int]:
        """first_stamp, interval, first_row and n of a probe's record."""
        return probe.first, probe.interval, self._rows(probe), len(probe.index)

    def _put_probe(self, probe: Probe) -> tuple[int, int, int, bool]:
        """What does not change from call to call: source, index, owner_start, single."""
        arrays = self.engine._arrays_of(probe)
        starts = split(probe.index, self._owner_starts(probe.block))
        source = self.device.address(arrays.row(probe.variable))
        return source, self._put(probe.index), self._put(starts), arrays.single


def _rows_until(probe: Probe, step: int) -> int:
    """Rows that the probe has when the state at `step` is sampled, if it is due."""
    return max(0, (step - probe.first) // probe.interval + 1)
