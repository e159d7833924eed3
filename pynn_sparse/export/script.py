"""Runs an unmodified PyNN script, and keeps what its runs until the first reset leave behind.

That is the network, and its spikes. Where the network changed meanwhile, by learning or by the
script, the spikes are not those of what is exported: `settled` simulates that anew.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ExportError
from .nets.floatnet import Cells, Connections, FloatNet
from .replay import can_replay, replay
from .stages.capture import capture


@dataclass(frozen=True)
class Observed:
    """What a script did.

    Attributes:
        net: the network: its state when its first run began, its weights and parameters when the
            last run before the first reset was over.
        spikes: label -> spike times (ms) of each cell, neurons and sources.
        duration: ms, of the runs until the first reset.
        changed: labels of projections whose weights or delays, and of populations whose
            parameters, changed in between.
    """

    net: FloatNet
    spikes: dict[str, list[Any]]
    duration: float
    changed: tuple[str, ...] = ()


def observe(script: Path, arguments: Sequence[str]) -> Observed:
    """Run a script as Python would, with spikes of all populations recorded.

    What comes after a `setup` or `reset` that follows the first run is executed, but not kept.

    Raises `ExportError` where the script runs no network of `pyNN.sparse`, or discards recorded
    spikes; what the script raises is passed on.
    """
    import pyNN.sparse as sim

    watcher = _Watcher(sim)
    with _arguments(script, arguments), watcher.installed():
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as exit_:
            if exit_.code not in (None, 0):
                raise ExportError(f"{script} ended with exit status {exit_.code}") from exit_
    return watcher.observed(script)


def settled(observed: Observed) -> Observed:
    """What the network that is exported does on the script's input, if it changed meanwhile.

    A network that cannot be exported to any target is returned as it is.
    """
    if not observed.changed or not can_replay(observed.net):
        return observed
    spikes = replay(observed.net, observed.spikes, observed.duration)
    return replace(observed, spikes=spikes)


@contextmanager
def _arguments(script: Path, arguments: Sequence[str]) -> Iterator[None]:
    argv, path = sys.argv, list(sys.path)
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.resolve().parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path


class _Watcher:
    """Comes between the script and the simulator's state."""

    def __init__(self, sim: Any) -> None:
        self._sim = sim
        self._state = sim.simulator.state
        self._network: Any = None
        self._net: FloatNet | None = None
        self._populations: list[Any] = []
        self._spikes: dict[str, list[Any]] | None = None
        self._duration = 0.0
        self._changed: tuple[str, ...] = ()

    @contextmanager
    def installed(self) -> Iterator[None]:
        state = self._state
        run, reset, configure = state.run_until, state.reset, state.configure

        def run_until(time: float) -> None:
            if self._net is None:
                self._begin()
            run(time)
            if self._watches():
                self._duration = state.t

        def before(action: Any) -> Any:
            def act(*arguments: Any) -> Any:
                self._collect()
                return action(*arguments)

            return act

        state.run_until, state.reset, state.configure = run_until, before(reset), before(configure)
        try:
            yield
            self._collect()
        finally:
            del state.run_until, state.reset, state.configure

    def _watches(self) -> bool:
        return self._spikes is None and self._state.network is self._network

    def _begin(self) -> None:
        self._network = self._state.network
        self._net = capture(self._sim)
        populations = (recorder.population for recorder in self._state.recorders)
        self._populations = sorted(populations, key=lambda population: int(population.first_id))
        for population in self._populations:
            population.record("spikes")

    def _collect(self) -> None:
        if self._net is None or not self._watches():
            return
        self._spikes = {}
        for population in self._populations:
            segment = population.get_data("spikes").segments[0]
            if float(segment.t_start or 0.0) > 0:
                raise ExportError(f"the script cleared the recorded spikes of {population.label}")
            self._spikes[population.label] = [each.magnitude for each in segment.spiketrains]
        self._net, self._changed = _afterwards(self._net, capture(self._sim))

    def observed(self, script: Path) -> Observed:
        if self._net is None or self._spikes is None:
            raise ExportError(f"{script} did not run a network of pyNN.sparse")
        return Observed(self._net, self._spikes, self._duration, self._changed)


def _afterwards(before: FloatNet, after: FloatNet) -> tuple[FloatNet, tuple[str, ...]]:
    """The network with what it has become, and labels of what changed.

    What was added meanwhile is no part of it, since it has no spikes from the beginning on.
    """
    pairs = zip(before.connections, after.connections, strict=False)
    connections = {a.label: b for a, b in pairs if not _same_synapses(a, b)}
    pairs_of_cells = zip(before.cells, after.cells, strict=False)
    cells = {a.label: b for a, b in pairs_of_cells if not _same_parameters(a, b)}
    net = FloatNet(
        before.dt,
        tuple(
            replace(each, parameters=cells[each.label].parameters) if each.label in cells else each
            for each in before.cells
        ),
        tuple(
            replace(connections[each.label], label=each.label)
            if each.label in connections
            else each
            for each in before.connections
        ),
    )
    return net, (*cells, *connections)


def _same_synapses(one: Connections, other: Connections) -> bool:
    names = ("start", "target", "weight", "delay")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def _same_parameters(one: Cells, other: Cells) -> bool:
    return one.is_source or all(
        np.array_equal(value, other.parameters[name]) for name, value in one.parameters.items()
    )
