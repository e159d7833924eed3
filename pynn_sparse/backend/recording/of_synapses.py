"""Recording of synapses: what `Projection.record` asks of the network's probes."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any
from weakref import proxy

import numpy as np
import quantities as pq
from neo import AnalogSignal, Block, Segment
from numpy.typing import NDArray

from pynn_sparse.network import SynapseProbe, memory
from pynn_sparse.network.probe import Chosen
from pynn_sparse.notices import warn

from ... import errors
from .. import garbage, simulator
from ..doors.checks import RecordingError
from .recorder import checked_interval

# Of each connection that is recorded: number, place and column, also while these are sorted, and a
# sample; and of each that there is, while it is looked for: its place, and places in order.
BYTES_PER_RECORDED = 64
BYTES_PER_CONNECTION = 24
INDEX = "connection_index"


class SynapseRecorder:
    """Records from one projection, into the network's probes; keeps the data of earlier segments.

    All variables have one sampling interval. It belongs to the projection, and is in
    `state.synapse_recorders` from when something is first recorded.
    """

    def __init__(self, projection: Any) -> None:
        self._projection = proxy(projection)
        self._probes: dict[str, SynapseProbe] = {}
        self._segments: list[Segment] = []
        self._interval = 1  # time steps

    @property
    def _label(self) -> str:
        return str(self._projection.label)

    def record(self, names: list[str], interval: int, numbers: NDArray[np.int64]) -> None:
        """Record variables of the connections of these numbers, besides what is recorded already.

        The numbers are those among the connections of all processes, of which each records its own;
        `interval` is what `interval_of` gives. Raises an error before anything is changed.
        """
        self._check_names(names)
        n, every = len(numbers), len(self._projection)
        size = n * BYTES_PER_RECORDED + every * BYTES_PER_CONNECTION
        memory.require(size, f"recording {n} of {every} connections of {self._label}")
        own, places = self._projection._keep_numbers()
        numbers = np.intersect1d(numbers, own, assume_unique=True)
        if not self._probes:
            self._interval = interval
            simulator.state.synapse_recorders.append(self)
        found: dict[bytes, list[Chosen]] = {}  # which several variables may share
        for name in names:
            probe = self._probes.get(name) or self._new_probe(name)
            wanted = np.union1d(probe.index, numbers)
            if wanted.tobytes() not in found:
                found[wanted.tobytes()] = self._projection._chosen(wanted, own, places)
            probe.add(numbers)
            probe.chosen = found[wanted.tobytes()]
            if name not in self._probes:
                self._probes[name] = probe
                simulator.state.network.synapse_probes.append(probe)

    def _check_names(self, names: list[str]) -> None:
        for name in names:
            if name not in self._projection.synapse_type.recordable:
                raise RecordingError(name, self._projection.synapse_type)

    def interval_of(self, given: Any) -> int:
        """A sampling interval in time steps; what is recorded already has to have the same."""
        grid = simulator.state.network.grid
        if given is None:
            return self._interval if self._probes else 1
        interval = int(grid.nearest(checked_interval(given)))
        if self._probes and interval != self._interval:
            raise ValueError(
                f"sampling_interval = {grid.time(interval):g}: must be "
                f"{grid.time(self._interval):g} ms, with which {', '.join(self._probes)} of "
                f"{self._label} is recorded already; record(None) ends that"
            )
        return interval

    def _new_probe(self, name: str) -> SynapseProbe:
        """A probe whose samples are in step with those of other variables."""
        now = simulator.state.step
        start = min((each.first for each in self._probes.values()), default=now)
        first = start + math.ceil((now - start) / self._interval) * self._interval
        return SynapseProbe(name, self._interval, first)

    def stop(self) -> None:
        """Record nothing any more, and forget what was recorded."""
        self.clear()
        network, mine = simulator.state.network, list(self._probes.values())
        network.synapse_probes = [p for p in network.synapse_probes if p not in mine]
        recorders = simulator.state.synapse_recorders
        simulator.state.synapse_recorders = [each for each in recorders if each is not self]
        self._probes = {}

    def clear(self) -> None:
        """Forget what was recorded; the next sample is that of the present step."""
        self._segments = []
        for probe in self._probes.values():
            probe.restart(simulator.state.step)

    def discard(self) -> None:
        """Give back all that was recorded, when the network is discarded."""
        self._segments, self._probes = [], {}

    def store(self, annotations: dict[str, Any]) -> None:
        """Keep the data of the segment that ends."""
        if any(probe.rows for probe in self._probes.values()):
            segment = self._segment(list(self._probes))
            segment.annotate(**annotations)
            self._segments.append(segment)

    def get(
        self,
        variables: str | list[str],
        annotations: dict[str, Any],
        what: str = "",
        everywhere: bool = True,
    ) -> Block:
        """All segments; of named variables, or "all".

        With `what`, the call that all processes make, they are those of all processes' connections,
        `everywhere` or on process 0 alone. Otherwise each has its own.
        """
        names = list(self._probes) if variables == "all" else variables
        names = [names] if isinstance(names, str) else names
        self._check_names(names)
        state = simulator.state
        if not (state.running or self._segments):
            raise errors.NothingToWriteError(
                f"{self._label} has no data before a run: record(...), and then run(...), must "
                "come first"
            )
        for name in names:
            if name not in self._probes:
                warn(f"{name} of {self._label} was not recorded")
        block = Block(name=self._label, description=self._projection.describe())
        segments = [*self._segments, *([self._segment(names)] if state.running else [])]
        if what and state.processes.gathers:
            block.segments = [_of_all(what, each, names, everywhere) for each in segments]
        else:
            block.segments = [_of_names(each, names) for each in segments]
        for segment in block.segments:
            segment.block = block
        block.rec_datetime = block.segments[0].rec_datetime
        about = {"label": self._label, "size": self._projection.size()}
        about |= {"simulator": simulator.name, "dt": state.dt}
        block.annotate(**(about | annotations))
        return block

    def _segment(self, names: list[str]) -> Segment:
        """What was recorded since the last reset."""
        segment = Segment(
            name=f"segment{simulator.state.segment_counter:03d}",
            description=self._projection.describe(),
            rec_datetime=datetime.now(),
        )
        for name in names:
            probe = self._probes.get(name)
            if probe is not None and probe.rows:
                segment.analogsignals.append(self._signal(name, probe))
        for signal in segment.analogsignals:
            signal.segment = segment
        garbage.made(sum(each.nbytes for each in segment.analogsignals))
        return segment

    def _signal(self, name: str, probe: SynapseProbe) -> AnalogSignal:
        grid = simulator.state.network.grid
        numbers = probe.index
        pre, post = self._projection._ends_of(probe.chosen, len(numbers))
        return AnalogSignal(
            probe.samples(),
            units=self._projection._unit_of(name),
            t_start=float(grid.time(probe.first)) * pq.ms,
            sampling_period=float(grid.time(probe.interval)) * pq.ms,
            name=name,
            projection=self._label,
            array_annotations={
                INDEX: numbers.copy(),
                "presynaptic_index": pre,
                "postsynaptic_index": post,
            },
        )


def _of_names(segment: Segment, names: list[str]) -> Segment:
    """A segment with the signals of these names alone, which stay where they are, too.

    A process has none of a variable where it has no connections that are recorded.
    """
    signals = [each for each in segment.analogsignals if each.name in names and each.shape[1]]
    return _with(segment, signals)


def _of_all(what: str, segment: Segment, names: list[str], everywhere: bool) -> Segment:
    """The same with the connections of all processes; with the own ones where they do not come."""
    signals = [each for each in segment.analogsignals if each.name in names]
    whole = _with(segment, [_gathered(what, each, everywhere) for each in signals])
    for each in whole.analogsignals:
        each.segment = whole
    return whole


def _with(segment: Segment, signals: list[AnalogSignal]) -> Segment:
    part = Segment(
        name=segment.name, description=segment.description, rec_datetime=segment.rec_datetime
    )
    part.annotate(**segment.annotations)
    part.analogsignals.extend(signals)
    return part


def _gathered(what: str, signal: AnalogSignal, everywhere: bool) -> AnalogSignal:
    """A signal of the connections of all processes, in the order of their numbers."""
    processes, about = simulator.state.processes, signal.array_annotations
    columns = {"samples": signal.magnitude.T, **about}
    gathered = {
        name: processes.gather(what, each, everywhere=everywhere) for name, each in columns.items()
    }
    every = {name: each for name, each in gathered.items() if each is not None}
    order = np.argsort(every.get(INDEX, about[INDEX]))
    sorted_ = {name: each[order] for name, each in (every or columns).items()}
    whole = AnalogSignal(
        np.ascontiguousarray(sorted_.pop("samples").T),
        units=signal.units,
        t_start=signal.t_start,
        sampling_period=signal.sampling_period,
        name=signal.name,
        array_annotations=sorted_,
    )
    whole.annotate(**signal.annotations)
    return whole
