"""One run as the kernels see it: the structure `Plan` of cuda/core/plan.h, and what it records."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import Probe, SynapseTable
from ..network.dynamics import MOST_VARIABLES
from ..network.propagators import substeps
from . import structures
from .devices.device import Device, Launch, PassOn
from .exchange.processes import Processes
from .exchange.staged import StagedExchange
from .layout import Layout
from .neurons.blocks import BlockArrays
from .neurons.rest import MOST_SLOTS, Rest
from .neurons.spikes import Emitted, Recorded, SpikeLists, SpikeRecords
from .ownership import split
from .step import (
    COUPLE,
    DELIVER,
    DELIVER_DENSE,
    DELIVER_PLAIN,
    INJECT,
    MODULATE,
    PHASES,
    RECORD,
    REMEMBER,
    Kernel,
    neurons_of,
)
from .synapses.layout import SynapseLayout
from .synapses.plasticity import MAX_BATCH

MAX_STEPS = 10_000  # of one call down, so that an interrupt from the keyboard is seen
MAX_SAMPLES = 1 << 23  # of recorded variables, and of waveforms, held for one call
Samples = Iterator[tuple[Probe, NDArray[np.float64]]]


@dataclass
class Call:
    """A call down: what it reads, and the arrays on the device into which it records."""

    first: int
    end: int
    samples: list[Any]
    spikes: SpikeRecords
    alive: list[Any]  # what the call reads
    reached: int = -1  # step; known when it has been begun
    wait: Callable[[], None] = lambda: None  # until what was recorded can be read


class Plan:
    """The structure `Plan` of cuda/core/plan.h for one run, and the arrays that it points to.

    Args:
        layout: the network on the device.
        device: where it is.
        last: the plan before, if there is one, whose lists of spikes may be taken over.
        waiting: spikes that are in axons, where there is no plan before.
        processes: that share the network.
    """

    def __init__(
        self,
        layout: Layout,
        device: Device,
        processes: Processes,
        last: Plan | None = None,
        waiting: Emitted | None = None,
    ) -> None:
        self.layout = layout
        self.device = device
        self.network = layout.network
        self._processes = processes
        self._alive: list[Any] = []
        self.launches: list[Launch] = []
        self._begun: list[Call] = []  # whose records have not been collected, at most two
        self.record = np.zeros(1, structures.PLAN)
        self._fill(last, waiting)

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

    def _fill(self, last: Plan | None, waiting: Emitted | None) -> None:
        layout, currents = self.layout, self.layout.currents
        self._fill_rest()
        injections = currents.describe(self._awake)
        junctions = layout.junctions.describe(self._put, self._awake)
        self.probes = [probe for probe in self.network.probes if len(probe.index)]
        self._probe_addresses = [self._put_probe(probe) for probe in self.probes]
        most_sampled = max((len(probe.index) for probe in self.probes), default=0)
        self.launches += [
            Launch(INJECT, 0, currents.longest),
            Launch(COUPLE, 0, layout.junctions.longest),
            Launch(RECORD, 0, most_sampled),
        ]
        self._fill_backgrounds()
        self._fill_blocks()
        self._fill_synapses()
        self.launches.sort(key=lambda launch: PHASES[launch.kernel.file])
        self._clock = self._zeros(2, np.int64)
        self.device.assign(self._clock, slice(None), np.full(2, layout.step))
        self._set(
            clock=self.device.address(self._clock),
            n_owner=self.device.n_owner,
            injection=self._put(injections),
            n_injection=len(injections),
            junction=self._put(junctions),
            n_junction=len(junctions),
            n_probe=len(self.probes),
            wanted=self._put(self.network.spikes_wanted.astype(np.uint8)),
            substeps=substeps(self.network.grid),
            flush_denormals=layout.precision == "single",
        )
        self._fill_spikes(last, waiting)

    def _fill_rest(self) -> None:
        """Nothing is known of neurons at rest. Those into which spikes are drawn never are."""
        synapses, fed = self.layout.synapses, self.layout.backgrounds.fed()
        self._rest: Rest | None = None
        if self.device.neurons_rest and synapses.n_slot <= MOST_SLOTS:
            blocks = [b for b in self.network.blocks if not (b.model.is_source or b.index in fed)]
            self._rest = Rest(self.device, blocks, synapses.n_port)
            self._set(**self._rest.fields())

    def _awake(self, number: int) -> int:
        return self._rest.awake(number) if self._rest else 0

    def _fill_backgrounds(self) -> None:
        layout = self.layout
        self._starts = [self.device.put(each) for each in layout.ownership.starts]
        self._alive.append(self._starts)
        addresses = [self.device.address(each) for each in self._starts]
        records, fed = layout.backgrounds.describe(layout.synapses, addresses)
        self._set(background=self._put(records))
        self._first_background = np.searchsorted(fed, np.arange(len(addresses) + 1)).tolist()

    def _fill_blocks(self) -> None:
        """Blocks by model, in the order in which models first appear; without sources that emit
        nothing because their spikes are drawn where they arrive.
        """
        synapses = self.layout.synapses
        drawn = {drive.table.pre.index for drive in self.layout.backgrounds.open()}
        self.advanced: list[BlockArrays] = []
        by_model: dict[str, list[BlockArrays]] = {}
        for arrays in self.layout.blocks:
            if arrays.block.index not in drawn:
                by_model.setdefault(arrays.block.model.name, []).append(arrays)
        groups: list[tuple[Any, ...]] = []
        for members in by_model.values():
            blocks = []
            for arrays in members:
                number = arrays.block.index
                port, unit = synapses.ports.first[number], synapses.units[number]
                place = len(self.advanced)
                histories, alive = self.layout.plasticity.histories_of(arrays.block)
                self._alive.append(alive)
                fixed = place, port, unit, self._starts[number]
                first, end = self._first_background[number : number + 2]
                remembered = self._put(histories), len(histories)
                awake = self._awake(number)
                blocks.append(arrays.describe(*fixed, remembered, awake, (first, end - first)))
                self.advanced.append(arrays)
            model = members[0].block.model
            largest = max(arrays.block.size for arrays in members)
            self.launches.append(Launch(neurons_of(model), len(groups), largest, len(blocks)))
            kinds = reduce(or_, (arrays.kind for arrays in members))
            step = self.device.step_function(model, self.layout.precision, kinds)
            address = self._put(np.array(blocks, structures.BLOCK))
            receptors = len(model.receptors)
            groups.append((step, address, len(blocks), receptors, model.is_source, 0))
        self._set(
            group=self._put(np.array(groups, structures.GROUP)),
            n_group=len(groups),
            n_block=len(self.advanced),
        )

    def _fill_synapses(self) -> None:
        synapses = self.layout.synapses
        plasticity = self.layout.plasticity
        rules = {
            table.index: self._put(plasticity.rule_of(table, self._own_fields(table)))
            for table in plasticity.tables
        }
        blocks = [arrays.block for arrays in self.advanced]
        records, starts = synapses.describe(blocks, lambda table: rules.get(table.index, 0))
        dense, dense_starts = synapses.describe_dense(
            blocks, lambda block: self.device.address(self._starts[block.index])
        )
        most_tables, most_dense = (
            int(np.diff(each).max(initial=0)) for each in (starts, dense_starts)
        )
        rows = max(most_tables * synapses.n_delay_group, 1)
        n_shared = int(np.count_nonzero(records["shared"]))
        serving = [self._delivery() if rules or n_shared else DELIVER_PLAIN]
        serving += [REMEMBER] * bool(rules)
        numbers = {arrays.block.index: number for number, arrays in enumerate(self.advanced)}
        modulators, alive = plasticity.modulators(
            lambda block: numbers.get(block, -1),
            lambda block: self.device.address(self._starts[block.index]),
        )
        self._alive.append(alive)
        self.launches.append(Launch(MODULATE, 0, len(modulators)))
        size = self.network.size
        rows_of_dense = most_dense * synapses.n_delay_group
        self.launches += [
            Launch(DELIVER_DENSE, 0, size if len(dense) else 0, rows_of_dense),
            *(Launch(kernel, 0, size, rows) for kernel in serving),
        ]
        sampled = self.probes or self.network.injections or self.network.junctions
        reads = any(table.rule.dynamics.post_variables for table in plasticity.tables if table.rule)
        batch = 1 if sampled or reads else min(synapses.batch, MAX_BATCH)
        self.batch = -int(self._processes.greatest("run", np.array([-batch]))[0])
        self._set(
            ring=self.device.address(synapses.ring),
            n_slot=synapses.n_slot,
            n_port=synapses.n_port,
            table=self._put(records),
            table_start=self._put(starts),
            dense=self._put(dense),
            dense_start=self._put(dense_starts),
            n_dense=len(dense),
            most_dense=most_dense,
            delay_group=synapses.delay_group,
            n_delay_group=synapses.n_delay_group,
            batch=self.batch,
            n_rule=len(rules),
            n_shared=n_shared,
            lagging=synapses.longest_lag > 0,
            modulator=self._put(modulators),
            n_modulator=len(modulators),
            most_tables=most_tables,
        )

    def _own_fields(self, table: SynapseTable) -> dict[str, Any]:
        """Fields of a rule's record that belong to the table and its targets."""
        fields = self.layout.synapses.rule_fields(table)
        names = table.rule.dynamics.post_variables if table.rule else ()
        if not names:
            return fields
        arrays = next(each for each in self.layout.blocks if each.block is table.post)
        variables = np.zeros(MOST_VARIABLES, np.uint64)
        variables[: len(names)] = [self.device.address(arrays.row(name)) for name in names]
        return fields | {"variable": variables, "single_variables": arrays.single}

    def _delivery(self) -> Kernel:
        """The kernel that delivers, with the rules that the user has written."""
        rules = [table.rule for table in self.layout.plasticity.tables if table.rule is not None]
        sources = {rule.kind: rule.dynamics.source for rule in rules}
        return self.device.delivery(sources) if any(sources.values()) else DELIVER

    def _fill_spikes(self, last: Plan | None, axons: Emitted | None) -> None:
        """Lists of spikes by step, and records of those that the user wants, for each thread."""
        synapses, n_owner = self.layout.synapses, self.device.n_owner
        wanted, shards = np.zeros(n_owner, np.int64), {}
        ownership, others = self.layout.ownership, self._processes.size - 1
        joined = self.device.joins_lists
        before, others = (0, 0) if joined else (ownership.before, others)
        for arrays in self.advanced:
            starts = self.layout.owner_starts(arrays.block)
            index, size = arrays.block.index, arrays.block.size
            shards[index] = np.array([0, size], np.int32) if joined else ownership.shards[index]
            first = arrays.block.first
            flags = self.network.spikes_wanted[first : first + arrays.block.size]
            wanted += [np.count_nonzero(flags[a:b]) for a, b in itertools.pairwise(starts)]
        waiting = (synapses.n_delay_group - 1) * synapses.delay_group + synapses.longest_lag
        n_list = waiting + 2 * self.batch
        self._lag = synapses.longest_lag
        if last and last.lists.fits(n_list, self.batch, shards):
            self.lists: SpikeLists = last.lists
        else:
            self.lists = SpikeLists(self.device, n_list, self.batch, shards, before, others)
            spikes = last.waiting(self.layout.step) if last else axons
            if spikes and self._lag:
                self.lists.write(spikes)
        self._reserve = max(int(wanted.max(initial=0)), 1)
        # Two, in turn: one is read while the other is written to.
        room = wanted, 2 * MAX_BATCH, self._graded()
        self._records = [SpikeRecords(self.device, *room) for _ in range(2)]
        exchange = None if joined else self._processes.exchange()
        self._pass_on: PassOn | None = None
        if joined and self._processes.size > 1:
            advanced = [arrays.block for arrays in self.advanced]
            staged = StagedExchange(self._processes, self.lists, advanced, self.network.blocks)
            self._pass_on = staged.pass_on
        self._set(
            spikes=self.lists.address,
            n_list=n_list,
            n_shard=n_owner + others,
            exchange=0 if exchange is None else structures.host_address(exchange),
        )

    def _graded(self) -> NDArray[np.bool_] | None:
        """Which neurons send values, [neurons of the network]; None if none do."""
        blocks = [each for each in self.network.blocks if each.model.graded]
        if not blocks:
            return None
        graded = np.zeros(self.network.size, bool)
        for block in blocks:
            graded[block.first : block.first + block.size] = True
        return graded

    def waiting(self, step: int) -> Emitted:
        """Spikes that synapses which wait have not seen yet at a step."""
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

    def prepare(self, first: int, end: int) -> Call:
        """Make room for one call down, from step `first` to step `end` at most.

        These are no more steps than `chunk` says.
        """
        samples = [self._zeros_now(probe, end) for probe in self.probes]
        rows = [
            (*fixed, self.device.address(array), *self._place(probe), single)
            for probe, array, (*fixed, single) in zip(
                self.probes, samples, self._probe_addresses, strict=True
            )
        ]
        alive: list[Any] = []
        if rows:
            alive.append(self.device.put(np.array(rows, structures.PROBE)))
            self._set(probe=self.device.address(alive[-1]))
        if self.network.injections:
            begin = max(first, 0)
            waveforms, row = self.layout.currents.waveforms(begin, end - begin)
            alive += [self.device.put(waveforms), self.device.put(row)]
            self._set(
                waveform=self.device.address(alive[-2]),
                waveform_row=self.device.address(alive[-1]),
                waveform_first=begin,
                n_waveform=waveforms.shape[1],
            )
        self._set(record=self._records[0].address)
        return Call(first, end, samples, self._records[0], alive)

    def begin(self, call: Call) -> int:
        """Do a call down that has been prepared; return the step reached.

        A GPU may still be at work then; `collect` waits for it.
        """
        self._records.reverse()
        try:
            steps = call.first, call.end
            call.reached = self.device.advance(self.record, self.launches, *steps, self._pass_on)
            call.wait = self.device.mark()
        except BaseException:
            self.device.mark()()  # what has been begun writes into arrays of this call
            call.samples.clear()  # which a traceback would keep
            raise
        self._begun.append(call)
        return call.reached

    def collect(self, but: int = 0) -> Iterator[tuple[Samples, Recorded]]:
        """What all calls, `but` the last ones, have recorded, brought to the host; waits for them.

        Samples are rows of probes, to be appended to them.

        If memory runs out while it is taken over, all that is left can be collected later.
        """
        while len(self._begun) > but:
            call = self._begun[0]
            call.wait()
            yield self._samples(call), call.spikes.read()
            call.spikes.empty()
            del self._begun[0]

    def _samples(self, call: Call) -> Samples:
        for probe, array in zip(self.probes, call.samples, strict=True):
            rows = _rows_until(probe, call.reached) - probe.rows
            if rows > 0:
                part = self.device.get(array)[:rows]
                yield probe, part if rows == len(array) else part.copy()

    def chunk(self) -> int:
        """Steps that a call may do, given the room for samples, waveforms and spikes."""
        per_step = sum(len(probe.index) / probe.interval for probe in self.probes)
        per_step = max(per_step, self.layout.currents.per_step, 1e-9)
        chunk = min(MAX_STEPS, int(MAX_SAMPLES / per_step) + 1)
        if not self.device.stops_when_full:
            chunk = min(chunk, self.device.record_capacity // self._reserve)
        return max(chunk, 1)

    def _zeros_now(self, probe: Probe, end: int) -> Any:
        rows = max(_rows_until(probe, end) - self._rows(probe), 0)
        return self.device.zeros((rows, len(probe.index)), np.float64)

    def _rows(self, probe: Probe) -> int:
        """Rows that a probe has, or will have when what was recorded is collected."""
        return max([probe.rows, *(_rows_until(probe, call.reached) for call in self._begun)])

    def _place(self, probe: Probe) -> tuple[int, int, int, int]:
        """first_stamp, interval, first_row and n of a probe's record."""
        return probe.first, probe.interval, self._rows(probe), len(probe.index)

    def _put_probe(self, probe: Probe) -> tuple[int, int, int, bool]:
        """What does not change from call to call: source, index, owner_start, single."""
        arrays = self.layout.arrays_of(probe)
        starts = split(probe.index, self.layout.owner_starts(probe.block))
        source = self.device.address(arrays.row(probe.variable))
        return source, self._put(probe.index), self._put(starts), arrays.single


def _rows_until(probe: Probe, step: int) -> int:
    """Rows that the probe has when the state at `step` is sampled, if it is due."""
    return max(0, (step - probe.first) // probe.interval + 1)
