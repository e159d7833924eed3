"""Recording: what PyNN's recorders ask of the engine."""

from __future__ import annotations

import functools
import math
import weakref
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import quantities as pq
from numpy.typing import NDArray

from pynn_sparse.network import Probe
from pynn_sparse.network.time import LAST_STEP
from pynn_sparse.notices import warn

from ... import errors, recording
from .. import garbage, simulator
from ..dialects import warn_once
from ..doors.arguments import check_annotations, check_no_locations, names_of_variables
from ..doors.checks import RecordingError, as_flag, as_number
from .files import check_destination, write_of_process
from .spiketrains import GroupedSpikeTrainList

if TYPE_CHECKING:
    from pynn_sparse.engine.neurons.spikes import Spikes

SPIKES = "spikes"


def _neurons(ids: Collection[int]) -> NDArray[np.int64]:
    """Indices in the network, ascending."""
    return np.sort(np.fromiter(ids, np.int64, len(ids)))


def _now() -> Any:
    """The present time as a quantity."""
    return _in_ms(simulator.state.t)


@functools.lru_cache(maxsize=1)
def _in_ms(time: float) -> Any:
    return time * pq.ms


def checked_interval(given: Any) -> float:
    """A sampling interval in ms.

    Raises TypeError for what is no number, and InvalidParameterValueError, a ValueError, for no
    multiple of the time step.
    """
    must = f"a multiple of the time step, {simulator.state.dt:g} ms"
    per_ms = simulator.state.network.grid.steps_per_ms

    def holds(interval: float) -> bool:
        steps = interval * per_ms
        return 1 - 1e-9 <= steps <= LAST_STEP and abs(steps - round(steps)) <= 1e-6

    return as_number("sampling_interval", given, must, holds, "ms")


class Recorder(recording.Recorder):
    """Records from one population, into the network's probes and the engine's spike store."""

    _simulator = simulator
    population: Any

    def __init__(self, population: Any, file: Any = None) -> None:
        # What PyNN's constructor does, which multiplies the time by its unit for each population.
        self.file = file
        self.population = population
        self.recorded: Any = defaultdict(set)
        self.cache = recording.DataCache()
        self.clear_flag = False
        self._recording_start_time = _now()
        self.sampling_interval = simulator.state.dt
        self.record_times = False
        simulator.state.recorders.add(self)
        self._probes: dict[str, Probe] = {}
        self._network = simulator.state.network
        # Of several processes: segments with the data of all, and these data while a segment is
        # made.
        self._whole_cache = recording.DataCache()
        self._everyones: Everyones | None = None

    def discard(self) -> None:
        """Give back all that was recorded, also in earlier segments, when the network is discarded.

        A population that nobody else refers to goes, too.
        """
        self.cache.clear()
        self._whole_cache.clear()
        self.recorded.clear()
        self._probes = {}
        self.population = weakref.proxy(self.population)

    def _check_present(self) -> None:
        simulator.state.check_present(self._network, self.population.label)

    def record(
        self,
        variables: Any,
        ids: Any,
        sampling_interval: float | None = None,
        locations: Any = None,
    ) -> None:
        """Record variables of the cells `ids`, in addition to what is recorded already.

        Recorded cells that are added during a simulation have no values (NaN) for the time before.
        """
        simulator.state.check_open(self._network, self.population.label)
        sampling_interval = self.check(variables, sampling_interval)
        variables = self._recordable(names_of_variables(variables))
        wanted = self._localize_variables(variables, locations)
        if not self.recorded:
            self._recording_start_time = _now()
        for variable in wanted:
            new = set(ids) - self.recorded[variable]
            self.recorded[variable] |= new
            self._record(variable, new, sampling_interval)

    def check(self, variables: Any, sampling_interval: Any = None) -> float | None:
        """Raise an error for what cannot be recorded; give the interval in ms."""
        names = names_of_variables(variables)
        for variable in self._localize_variables(self._recordable(names), None):
            if not self.population.can_record(variable.name, variable.location):
                raise RecordingError(variable.name, self.population.celltype)
        return self._checked_interval(sampling_interval)

    def _recordable(self, variables: Any) -> Any:
        """Variables to record; "all" of them, as sPyNNaker has it, are those that there are."""
        everything = isinstance(variables, str) and variables == "all"
        return self.population.celltype.recordable if everything else variables

    def get(
        self,
        variables: Any,
        gather: bool = False,
        filter_ids: Any = None,
        clear: bool = False,
        annotations: Any = None,
        locations: Any = None,
    ) -> Any:
        """Return the recorded data as a Neo block; see `pyNN.recording.Recorder.get`.

        Where several processes simulate together, all of them get those that are gathered.
        """
        variables = self.check_reading(variables, gather, clear)
        check_annotations(annotations)
        check_no_locations(locations)
        for variable in self._wanted(variables):
            if not self.recorded.get(variable):
                warn(f"{variable.name} of {self.population.label} was not recorded")
        arguments = filter_ids, False, annotations, locations
        what = f"get_data of {self.population.label}"
        with self.reading_all(what) if gather else nullcontext():
            block = super().get(variables, False, *arguments)
        if clear:
            self.clear()
        return block

    @contextmanager
    def reading_all(self, what: str, *, everywhere: bool = True) -> Iterator[None]:
        """Have the data of all processes read, everywhere or on the first one alone.

        Those that do not get them read their own. All processes have to do this, for `what`.
        """
        processes = simulator.state.processes
        if not processes.gathers:
            yield
            return
        everyones = Everyones(self, what, everywhere)
        if processes.rank and not everywhere:
            yield
            return
        own = self.cache
        self._everyones, self.cache = everyones, self._whole_cache
        try:
            yield
        finally:
            self._everyones, self.cache = None, own

    def clear(self) -> None:
        """Forget all that was recorded; see `pyNN.recording.Recorder.clear`."""
        self._whole_cache.clear()
        super().clear()

    def filter_recorded(self, variable: Any, filter_ids: Any) -> Any:
        """Those of the cells that are recorded, and whose data are being read."""
        ids = super().filter_recorded(variable, filter_ids)
        if simulator.state.processes.size == 1 or self._everyones is not None:
            return ids
        block, part = self.population._block, simulator.state.own_part(self.population._block)
        return {each for each in ids if part.start <= int(each) - block.first < part.stop}

    def check_reading(self, variables: Any, gather: Any, clear: Any) -> str | list[str]:
        """Raise an error for what `get` cannot give; give the names of the variables."""
        self._check_present()
        names = names_of_variables(variables)
        as_flag("gather", gather)
        as_flag("clear", clear)
        for variable in self._wanted(names):
            if not self.population.can_record(variable.name):
                raise RecordingError(variable.name, self.population.celltype)
        if not (simulator.state.running or list(self.cache)):
            raise errors.NothingToWriteError(
                f"{self.population.label} has no data before a run: record(...), and then "
                "run(...), must come first"
            )
        return names

    def _wanted(self, variables: Any) -> Collection[Any]:
        """What is asked for by name."""
        return () if variables == "all" else self._localize_variables(variables, None)

    def write(
        self,
        variables: Any,
        file: Any = None,
        gather: bool = False,
        filter_ids: Any = None,
        clear: bool = False,
        annotations: Any = None,
        locations: Any = None,
    ) -> None:
        """Write recorded data to a file or a Neo IO; they are cleared only once that is done."""
        destination = self.file if file is None else file
        check_destination("io", destination)
        as_flag("gather", gather)
        as_flag("clear", clear)
        kept = {"annotations": annotations, "locations": locations}
        what = f"write_data of {self.population.label}"
        with simulator.state.processes.together(what) if gather else nullcontext():
            with self.reading_all(what, everywhere=False) if gather else nullcontext():
                block = self.get(variables, False, filter_ids, **kept)
            write_of_process(destination, block, gather)
        if clear:
            self.clear()

    def _get_current_segment(
        self, filter_ids: Any = None, variables: Any = "all", clear: bool = False
    ) -> Any:
        segment = super()._get_current_segment(filter_ids, variables, clear)
        segment.spiketrains = GroupedSpikeTrainList.of(segment.spiketrains)
        if (graded := self.population._block.model.graded) and len(segment.spiketrains):
            of_spikes = recording.Variable(name=SPIKES, location=None, label=None)
            *_, counts = self._spikes(self.filter_recorded(of_spikes, filter_ids))
            segment.spiketrains = segment.spiketrains.with_values(counts * graded.unit)
        parts = (*segment.analogsignals, *segment.spiketrains.multiplexed)
        garbage.made(sum(part.nbytes for part in parts))
        return segment

    def store_to_cache(self, annotations: Any = None) -> None:
        """Keep the present segment, if time has passed since its data were cleared."""
        if simulator.state.step > self._start():
            self.clear_flag = False
        if simulator.state.processes.gathers and simulator.state.t and not self.clear_flag:
            with self.reading_all(f"reset of {self.population.label}"):
                segment = self._get_current_segment()
                segment.annotate(**(annotations or {}))
                self._whole_cache.store(segment)
        super().store_to_cache(annotations)

    def _checked_interval(self, sampling_interval: Any) -> float | None:
        if sampling_interval is None:
            return None
        interval = checked_interval(sampling_interval)
        super()._check_sampling_interval(interval)
        return interval

    def _record(
        self, variable: Any, new_ids: set[Any], sampling_interval: float | None = None
    ) -> None:
        if variable.name == SPIKES:
            simulator.state.network.spikes_wanted[_neurons(new_ids)] = True
            return
        if sampling_interval is not None:
            self.sampling_interval = sampling_interval
        if variable.name not in self._probes:
            self._probes[variable.name] = self._new_probe(variable.name)
        block = self.population._block
        index, part = _neurons(new_ids) - block.first, simulator.state.own_part(block)
        index = index[(index >= part.start) & (index < part.stop)]
        self._probes[variable.name].add(index.astype(np.int32))

    def _state_variable(self, name: str) -> str:
        """What a recorded variable is called in the model."""
        celltype = self.population.celltype
        state: str = getattr(celltype, "other_names", {}).get(name, name)
        if state != name:
            warn_once(f"{name} of {type(celltype).__name__}", f"is taken as {state}, in nA")
        return state

    def _new_probe(self, name: str) -> Probe:
        """A probe whose samples are in step with the population's other recordings."""
        interval, start = self._interval(), self._start()
        periods = math.ceil((simulator.state.step - start) / interval)
        probe = Probe(
            self.population._block, self._state_variable(name), interval, start + periods * interval
        )
        simulator.state.network.probes.append(probe)
        return probe

    def _interval(self) -> int:
        return int(simulator.state.network.grid.nearest(self.sampling_interval))

    def _start(self) -> int:
        return int(simulator.state.network.grid.nearest(self._recording_start_time.magnitude))

    def _get_spiketimes(
        self, ids: Sequence[int], clear: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        neuron, stamp, *_ = self._spikes(ids)
        return neuron.astype(np.int64), self._times(neuron, stamp)

    def _times(self, neuron: NDArray[np.int32], stamp: NDArray[np.int64]) -> NDArray[np.float64]:
        """Times of spikes (ms): the end of their time step, or of a SpikeSourceArray as given.

        A given time that is a trifle after the present step is not reported before it is past.
        The spikes, and the events of the block, are ordered by neuron and then by time.
        """
        grid, block = simulator.state.network.grid, self.population._block
        times = np.array(grid.time(stamp), np.float64)
        if block.model.given_times is None or not len(times):
            return times
        source, given = block.events()
        step, span = grid.next(given), int(stamp.max()) + 1
        past = step < span
        source, given, step = source[past], given[past], step[past]
        if not len(step):
            return times
        spike = (neuron - block.first).astype(np.int64) * span + stamp
        event = source * span + step
        rank = np.arange(len(spike)) - np.searchsorted(spike, spike)  # among those of one step
        place = np.minimum(np.searchsorted(event, spike) + rank, len(event) - 1)
        known = (event[place] == spike) & (given[place] <= simulator.state.t)
        return np.where(known, given[place], times)

    def _spikes(self, ids: Collection[int] | None = None) -> Spikes:
        """Those of some neurons, or all, by neuron and then by time; with values of events."""
        block, engine = self.population._block, simulator.state.engine
        if self._everyones is not None:
            spikes = self._everyones.spikes
        elif engine is None:
            return tuple(np.zeros(0, each) for each in (np.int32, np.int64, np.int32))
        else:
            engine.collect()
            spikes = engine.recordings.store_of(block).of(block.first, block.size)
        if ids is None or len(ids) == self.population.size:
            return spikes
        chosen = np.isin(spikes[0], _neurons(ids))
        return tuple(each[chosen] for each in spikes)

    def _get_all_signals(
        self, variable: Any, ids: Sequence[int], clear: bool = False
    ) -> tuple[NDArray[np.float64], None]:
        probe, engine = self._probes[variable.name], simulator.state.engine
        if engine is not None:
            engine.collect()
        index = _neurons(ids) - self.population._block.first
        if self._everyones is None:
            samples = probe.samples_of(index)
        else:
            samples = self._everyones.samples(variable.name, index)
        missing = (probe.first - self._start()) // probe.interval
        if missing:
            samples = np.pad(samples, ((missing, 0), (0, 0)), constant_values=np.nan)
        return samples, None

    def count(self, variable: Any, gather: bool = True, filter_ids: Any = None) -> dict[int, int]:
        """Number of spikes of each cell; see `pyNN.recording.Recorder.count`."""
        counts: dict[int, int] = super().count(variable, False, filter_ids)
        processes = simulator.state.processes
        if gather and processes.gathers:
            pairs = np.array(list(counts.items()), np.int64).reshape(-1, 2)
            what = f"get_spike_counts of {self.population.label}"
            every = processes.gather(what, pairs, everywhere=True)
            assert every is not None
            return dict(every.tolist())
        return counts

    def _local_count(self, variable: Any, filter_ids: Any = None) -> dict[int, int]:
        self._check_present()
        block, engine = self.population._block, simulator.state.engine
        neurons = _neurons(self.filter_recorded(variable, filter_ids))
        counts = np.zeros(len(neurons), np.int64)
        if engine is not None:
            engine.collect()
            spikes = engine.recordings.store_of(block)
            counts = spikes.counts(block.first, block.size)[neurons - block.first]
        return dict(zip(neurons.tolist(), counts.tolist(), strict=True))

    def _clear_simulator(self) -> None:
        block = self.population._block
        if simulator.state.engine is not None:
            simulator.state.engine.collect()
            simulator.state.engine.recordings.forget(block)
        for probe in self._probes.values():
            probe.restart(simulator.state.step)

    def _reset(self) -> None:
        """Stop recording, and forget what was recorded."""
        self._check_present()
        network, block = simulator.state.network, self.population._block
        self._clear_simulator()
        network.spikes_wanted[block.first : block.first + block.size] = False
        network.probes = [each for each in network.probes if each.block is not block]
        self._probes = {}


class Everyones:
    """What all processes have recorded of a population, `everywhere` or on the first one alone.

    All of them make it together.

    Attributes:
        spikes: by neuron and then by time, as `SpikeStore.of` gives them.
    """

    def __init__(self, recorder: Recorder, what: str, everywhere: bool) -> None:
        processes = simulator.state.processes

        def gather(mine: NDArray[Any]) -> NDArray[Any] | None:
            return processes.gather(what, mine, everywhere=everywhere)

        own = recorder._spikes()
        gathered = [gather(each) for each in own]
        self._samples: dict[str, tuple[Any, Any]] = {}
        for name, probe in sorted(recorder._probes.items()):
            sampled = probe.samples().T
            most = processes.greatest(what, np.array([sampled.shape[1] * bool(len(sampled))]))
            index = gather(probe.index)
            none = np.zeros((0, int(most[0])))
            samples = gather(sampled if len(sampled) else none)
            self._samples[name] = index, samples
        # A process has consecutive neurons, those of a higher rank after those of a lower one.
        self.spikes: Spikes = tuple(each for each in gathered if each is not None) or own

    def samples(self, name: str, index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Samples of a variable of some neurons, [rows, n]."""
        neurons, samples = self._samples[name]
        return np.ascontiguousarray(samples[np.searchsorted(neurons, index)].T)
