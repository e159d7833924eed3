"""Watches a script: times, and at its end all that was recorded and connected.

It takes the place of functions and methods of the backend's module while the script runs, and calls
them. What is watched for is what PyNN defines, so it is the same for all backends.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from ..measuring import peak
from .activity import Activity, activity_of
from .connections import Connections

# Cells and synapses that draw random numbers in a run: backends cannot agree on them.
RANDOM_CELLS = "SpikeSourcePoisson SpikeSourcePoissonRefractory SpikeSourceGamma".split()
RANDOM_CELLS += ["SpikeSourceInhGamma", "GIF_cond_exp"]
RANDOM_SYNAPSES = "SimpleStochasticSynapse StochasticTsodyksMarkramSynapse".split()
RANDOM_SYNAPSES += ["MultiQuantalSynapse"]
Run = Callable[..., Any]


@dataclass
class Captured:
    """A network, what it did, and how long that took.

    Attributes:
        timestep: in ms.
        models: population -> cell type; `sizes`: population -> number of cells.
        activities: recorded population -> its segments.
        connections: by the name of the projection.
        parameters: population -> parameter -> value of each cell, or one.
        random: what draws random numbers while the simulation runs.
        notes: what could not be captured, and why.
        times: seconds of "build" and "run"; "biological", simulated milliseconds.
        peak: bytes of memory at most, until the script was done.
    """

    timestep: float
    models: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    activities: dict[str, list[Activity]] = field(default_factory=dict)
    connections: dict[str, Connections] = field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    random: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)
    peak: float = 0.0


class Watch:
    """Everything that a script makes with the backend `sim`, from `install` on.

    A network ends with `end()`, with the next `setup()`, or with the script; `captured` has one
    entry for each.
    """

    def __init__(
        self,
        sim: Any,
        change_options: Callable[[dict[str, Any]], dict[str, Any]] = lambda options: {},
        connections: bool = True,
    ) -> None:
        """`change_options` gives, for the options of `setup`, those to change."""
        self.captured: list[Captured] = []
        self._sim, self._change_options, self._with_connections = sim, change_options, connections
        self._depth = 0  # a backend's run may call its run_until
        self._forget()

    def _forget(self) -> None:
        self._populations: list[Any] = []
        self._projections: list[Any] = []
        # By recorder: what the script has cleared.
        self._earlier: WeakKeyDictionary[Any, list[Activity]] = WeakKeyDictionary()
        self._random: list[str] = []
        self._built: float | None = None
        self._begun = time.perf_counter()
        self._run_time = self._biological = 0.0

    def install(self) -> None:
        """Take the place of the backend's functions and methods."""
        sim = self._sim
        for name in ("setup", "end"):
            setattr(sim, name, getattr(self, f"_{name}")(getattr(sim, name)))
        for name in ("run", "run_for", "run_until"):
            setattr(sim, name, self._timed(getattr(sim, name)))
        _after(sim.Population, lambda made: self._add(self._populations, made))
        _after(sim.Projection, lambda made: self._add(self._projections, made))
        if hasattr(sim, "NoisyCurrentSource"):
            _after(sim.NoisyCurrentSource, lambda made: self._random.append("NoisyCurrentSource"))
        self._keep_what_is_cleared(sim.Population._recorder_class)

    def finish(self) -> None:
        """Capture the network, if there is one that has not been captured."""
        if not self._populations:
            return
        found = self._capture(peak())
        self._forget()
        self.captured.append(found)

    @staticmethod
    def _add(known: list[Any], made: Any) -> None:
        if not any(made is each for each in known):
            known.append(made)

    def _setup(self, original: Run) -> Run:
        @functools.wraps(original)
        def setup(*args: Any, **options: Any) -> Any:
            self.finish()
            result = original(*args, **options | self._change_options(options))
            self._forget()
            return result

        return setup

    def _end(self, original: Run) -> Run:
        @functools.wraps(original)
        def end(*args: Any, **options: Any) -> Any:
            self.finish()
            return original(*args, **options)

        return end

    def _timed(self, original: Run) -> Run:
        @functools.wraps(original)
        def run(*args: Any, **options: Any) -> Any:
            if self._depth:
                return original(*args, **options)
            now, time_before = time.perf_counter(), self._sim.get_current_time()
            if self._built is None:
                self._built = now - self._begun
            self._depth += 1
            try:
                return original(*args, **options)
            finally:
                self._depth -= 1
                self._run_time += time.perf_counter() - now
                self._biological += self._sim.get_current_time() - time_before

        return run

    def _keep_what_is_cleared(self, recorder_class: Any) -> None:
        """Keep recorded data that the script clears with `get_data(clear=True)` or the like."""
        get, clear = recorder_class.get, recorder_class.clear
        signature = inspect.signature(get)
        kept: WeakSet[Any] = WeakSet()  # recorders whose data were kept before they are cleared

        def keep(recorder: Any) -> None:
            if recorder.recorded and (recorder._simulator.state.running or list(recorder.cache)):
                found = [activity_of(each) for each in get(recorder, "all").segments]
                self._earlier.setdefault(recorder, []).extend(found)

        @functools.wraps(get)
        def watched_get(recorder: Any, *args: Any, **options: Any) -> Any:
            if not signature.bind(recorder, *args, **options).arguments.get("clear"):
                return get(recorder, *args, **options)
            keep(recorder)  # now, since some backends clear while they get
            kept.add(recorder)
            try:
                return get(recorder, *args, **options)
            finally:
                kept.discard(recorder)

        @functools.wraps(clear)
        def watched_clear(recorder: Any) -> Any:
            if recorder not in kept:
                keep(recorder)
            return clear(recorder)

        recorder_class.get, recorder_class.clear = watched_get, watched_clear

    def _capture(self, memory: float) -> Captured:
        found = Captured(self._sim.get_time_step(), peak=memory, random=self._random)
        found.times = {
            "build": time.perf_counter() - self._begun if self._built is None else self._built,
            "run": self._run_time,
            "biological": self._biological,
        }
        for name, population in _named(self._populations, _label):
            self._add_population(found, name, population)
        for name, projection in _named(self._projections, _ends):
            self._add_projection(found, name, projection)
        found.random = list(dict.fromkeys(found.random))
        return found

    def _add_population(self, found: Captured, name: str, population: Any) -> None:
        cell = type(population.celltype).__name__
        found.models[name], found.sizes[name] = cell, population.size
        if cell in RANDOM_CELLS:
            found.random.append(cell)
        recorder = population.recorder
        ran = self._built is not None
        if ran and (recorder.recorded or recorder in self._earlier):
            segments = [activity_of(each) for each in recorder.get("all").segments]
            found.activities[name] = self._earlier.get(recorder, []) + segments
            found.notes += [f"{name}, {why}" for each in segments for why in each.left_out]
        values = found.parameters[name] = {}
        for parameter in getattr(population.celltype, "default_parameters", {}):
            try:
                values[parameter] = _plain(population.get(parameter, simplify=True))
            except Exception as error:  # of whatever kind: a backend's inability is a result
                found.notes.append(f"{name}, {parameter}: cannot be read ({_in_a_line(error)})")

    def _add_projection(self, found: Captured, name: str, projection: Any) -> None:
        synapse = type(projection.synapse_type).__name__
        if synapse in RANDOM_SYNAPSES:
            found.random.append(synapse)
        if not self._with_connections:
            return
        try:
            table = _table(projection)
        except Exception as error:  # as above
            found.notes.append(f"{name}: connections cannot be read ({_in_a_line(error)})")
            return
        ends = projection.pre.size, projection.post.size
        plastic = "STDP" in synapse or hasattr(projection.synapse_type, "timing_dependence")
        found.connections[name] = Connections.of(table, *ends, synapse=synapse, plastic=plastic)


def _table(projection: Any) -> Any:
    """Pre, post, weight and delay of each connection."""
    if not type(projection).__module__.startswith("pyNN.sparse."):
        return projection.get(["weight", "delay"], format="list")
    # Without a Python object for each connection, which large networks have no memory for.
    columns = projection.get(["weight", "delay"], format="columns")
    return np.column_stack(list(columns.values()))


def _after(cls: Any, then: Callable[[Any], None]) -> None:
    """Call `then` with each new instance of a class."""
    original = cls.__init__

    @functools.wraps(original)
    def initialise(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        then(self)

    cls.__init__ = initialise


def _label(population: Any) -> str:
    return str(population.label)


def _ends(projection: Any) -> str:
    return f"{projection.pre.label} → {projection.post.label}, {projection.receptor_type}"


def _named(things: list[Any], name: Callable[[Any], str]) -> list[tuple[str, Any]]:
    """Names for things in the order in which they were made; equal ones get a number."""
    named: list[tuple[str, Any]] = []
    counts: dict[str, int] = {}
    for each in things:
        label = name(each)
        counts[label] = counts.get(label, 0) + 1
        named.append((label if counts[label] == 1 else f"{label} ({counts[label]})", each))
    return named


def _plain(value: Any) -> Any:
    """A parameter as an array of floats; sequences one after another."""
    parts = [np.ravel(getattr(each, "value", each)) for each in np.ravel(np.array(value, object))]
    return np.concatenate([np.asarray(part, np.float64) for part in parts] or [np.zeros(0)])


def _in_a_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
