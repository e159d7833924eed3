"""PyNN's current sources."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.network import Injection, TimeGrid, currents

from ... import errors
from ...parameters import ParameterSpace, Sequence
from ...standardmodels import StandardCurrentSource, build_translations, electrodes
from ..checks import check_names
from ..simulator import ID, state


class SparseCurrentSource(StandardCurrentSource):
    """A current source: its parameters, and what it injects on the grid of time steps.

    The current acts on v from the step that begins at its onset, so that v first differs one step
    later. What it injects depends on its parameters at the time of the run, which may be changed
    between runs.
    """

    def __init__(self, **parameters: Any) -> None:
        check_names(parameters, type(self).__name__, self.default_parameters)
        super().__init__(**parameters)
        self._stream = state.stream_of_new_source()
        self._recording: list[tuple[int, NDArray[np.float64]]] = []
        self._recorded_from: int | None = None
        self._network = state.network
        self._values = self._checked(self._evaluated(self.parameter_space))

    def _evaluated(self, parameters: ParameterSpace) -> dict[str, Any]:
        space = self.translate(parameters) if parameters.schema else parameters
        space.shape = (1,)
        return dict(space.evaluate(simplify=True).as_dict())

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        for name, value in values.items():
            if not (np.isfinite(value) or (name == "stop" and value == np.inf)):
                raise errors.InvalidParameterValueError(
                    f"{name} = {value} of {type(self).__name__}: must be a finite number"
                )
        return values

    def set_native_parameters(self, parameters: ParameterSpace) -> None:
        """Change parameters from the present time on."""
        parameters.shape = (1,)
        new = parameters.evaluate(simplify=True).as_dict()
        self._values = self._checked({**self._values, **new})

    def get_native_parameters(self) -> ParameterSpace:
        """All parameters as they are now."""
        return ParameterSpace(
            {
                name: value.value if isinstance(value, Sequence) else value
                for name, value in self._values.items()
            }
        )

    def inject_into(self, cells: Any) -> None:
        """Inject the current into all `cells`, a Population, view, Assembly or list of cells."""
        state.check_open(self._network, f"this {type(self).__name__}")
        cells = [cells] if isinstance(cells, ID) else list(cells)
        if any(not cell.celltype.injectable for cell in cells):
            raise TypeError("Can't inject current into a spike source.")
        for population in {cell.parent for cell in cells}:
            population._check_open()
        neurons = np.array([int(cell) for cell in cells], np.int64)
        if len(neurons):
            state.network.injections.append(Injection(self, neurons))

    def sample(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        """Current (nA) in steps first .. first + n - 1."""
        samples = self._waveform(first, n, grid)
        if self._recorded_from is not None:
            self._keep(first, samples)
        return samples

    def _waveform(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        raise NotImplementedError("each current source has its own waveform")

    def record(self) -> None:
        """Keep the injected current for `get_data`."""
        self._recorded_from = state.step

    def _keep(self, first: int, samples: NDArray[np.float64]) -> None:
        """Take up samples; those of a step that was sampled before, ahead of a reset, give way."""
        self._recording[:] = [(f, s) for f, s in self._recording if f < first]
        self._recording.append((first, samples))
        self._recorded_from = min(first, self._recorded_from or 0)

    def _get_data(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times (ms) and currents (nA) from the start of recording until now."""
        steps = np.arange(self._recorded_from or 0, state.step + 1)
        current = np.zeros(len(steps))
        for first, samples in self._recording:
            begin = first - steps[0]
            part = samples[: len(steps) - begin]
            current[begin : begin + len(part)] = part
        if state.step > 0:  # what flows from now on
            current[-1] = self._waveform(state.step, 1, state.network.grid)[0]
        return state.network.grid.time(steps), current


class DCSource(SparseCurrentSource, electrodes.DCSource):
    __doc__ = electrodes.DCSource.__doc__
    translations = build_translations(
        ("amplitude", "amplitude"), ("start", "start"), ("stop", "stop")
    )

    def _waveform(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        return currents.direct(first, n, grid, **self._values)


class ACSource(SparseCurrentSource, electrodes.ACSource):
    __doc__ = electrodes.ACSource.__doc__
    translations = build_translations(
        ("amplitude", "amplitude"),
        ("start", "start"),
        ("stop", "stop"),
        ("frequency", "frequency"),
        ("offset", "offset"),
        ("phase", "phase"),
    )

    def _waveform(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        return currents.alternating(first, n, grid, **self._values)


class StepCurrentSource(SparseCurrentSource, electrodes.StepCurrentSource):
    __doc__ = electrodes.StepCurrentSource.__doc__
    translations = build_translations(("amplitudes", "amplitudes"), ("times", "times"))

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Times ascend and are not negative; each amplitude is a number. Times go onto the grid."""
        times, amplitudes = (
            np.asarray(values[name].value, float) for name in ("times", "amplitudes")
        )
        if len(times) != len(amplitudes):
            raise errors.InvalidParameterValueError(
                f"StepCurrentSource has {len(times)} times but {len(amplitudes)} amplitudes"
            )
        if not (np.isfinite(times).all() and np.isfinite(amplitudes).all()):
            raise errors.InvalidParameterValueError(
                "times and amplitudes of StepCurrentSource must be finite numbers"
            )
        if len(times) and times.min() < 0:
            raise ValueError(
                f"Step current cannot accept negative timestamps, got {times.min():g} ms."
            )
        if np.any(np.diff(times) <= 0):
            at = int(np.argmax(np.diff(times) <= 0))
            raise ValueError(
                "Step current timestamps should be monotonically increasing, "
                f"but {times[at + 1]:g} ms comes after {times[at]:g} ms."
            )
        steps = state.network.grid.nearest_below(times)
        last = np.append(np.diff(steps) > 0, True)[
            : len(steps)
        ]  # of changes in one step the last counts
        return {
            "times": Sequence(state.network.grid.time(steps[last])),
            "amplitudes": Sequence(amplitudes[last]),
        }

    def _waveform(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        return currents.stepwise(
            first,
            n,
            grid,
            times=np.asarray(self._values["times"].value),
            amplitudes=np.asarray(self._values["amplitudes"].value),
        )


class NoisyCurrentSource(SparseCurrentSource, electrodes.NoisyCurrentSource):
    __doc__ = electrodes.NoisyCurrentSource.__doc__
    translations = build_translations(
        ("mean", "mean"), ("start", "start"), ("stop", "stop"), ("stdev", "stdev"), ("dt", "dt")
    )

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        super()._checked(values)
        grid = state.network.grid
        steps = values["dt"] * grid.steps_per_ms
        if steps < 1 - 1e-9 or abs(steps - round(steps)) > 1e-6:
            raise errors.InvalidParameterValueError(
                f"dt = {values['dt']:g} of NoisyCurrentSource: must be a multiple of the time "
                f"step, {grid.dt:g} ms"
            )
        if values["stdev"] < 0:
            raise errors.InvalidParameterValueError(
                f"stdev = {values['stdev']:g} of NoisyCurrentSource: must be 0 or greater"
            )
        return values

    def _waveform(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        key = (self._stream.key, self._stream.first)
        return currents.noisy(first, n, grid, key=key, **self._values)
