"""PyNN's current sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.network import Injection, TimeGrid, currents
from pynn_sparse.network.time import LAST_STEP

from ...parameters import ParameterSpace, Sequence
from ...standardmodels import StandardCurrentSource, build_translations, electrodes
from ..access import exclusive_methods
from ..doors.checked import Checked
from ..doors.checks import check_names
from ..doors.generators import copied
from ..doors.parameters import shown
from ..simulator import ID, state

SETTING = "set_parameters", "set_native_parameters"


@exclusive_methods("get_data")
@exclusive_methods("__init__", *SETTING, "inject_into", "record", hold=True)
class SparseCurrentSource(Checked, StandardCurrentSource):
    """A current source: its parameters, and what it injects on the grid of time steps.

    The current acts on v from the step that begins at its onset, so that v first differs one step
    later. What it injects depends on its parameters at the time of the run, which may be changed
    between runs.
    """

    sizes = ""  # of parameters: there is one value of each
    units: Mapping[str, str] = {
        **dict.fromkeys(("amplitude", "amplitudes", "offset", "mean", "stdev"), "nA"),
        **dict.fromkeys(("start", "stop", "times", "dt"), "ms"),
        "frequency": "Hz",
        "phase": "degrees",
    }

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self._values = self._checked(self._evaluated(dict(self.parameter_space.items())))
        self._stream = state.stream_of_new_source()  # once nothing can be refused any more
        self._recording: list[tuple[int, NDArray[np.float64]]] = []
        self._recorded_from: int | None = None
        self._network = state.network

    def _evaluated(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as numbers and Sequences, each of which passes the door."""
        name, doors = type(self).__name__, self.doors()
        check_names(parameters, name, self.default_parameters)
        drawn = copied(parameters)
        return {each: doors[each].evaluated(value, ()) for each, value in drawn.items()}

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """All values, if they make sense together."""
        if "stop" in values and values["stop"] < values["start"]:
            raise self._refused("stop", values["stop"], f"at least start, {values['start']:g} ms")
        return values

    def _refused(self, name: str, value: Any, must: str) -> Exception:
        return self.doors()[name].refused(value, must)

    def set_parameters(self, copy: bool = True, **parameters: Any) -> None:
        """Change parameters from the present time on; all of them or none.

        Raises NonExistentParameterError and InvalidParameterValueError.
        """
        state.check_open(self._network, f"this {type(self).__name__}")
        self._values = self._checked({**self._values, **self._evaluated(parameters)})

    def set_native_parameters(self, parameters: ParameterSpace) -> None:
        """Change parameters, which have PyNN's names."""
        self.set_parameters(**dict(parameters.items()))

    def __setattr__(self, name: str, value: Any) -> None:
        """Change a parameter. Raises NonExistentParameterError for what is not an attribute."""
        if not (name.startswith("_") or name == "parameter_space" or hasattr(type(self), name)):
            check_names([name], type(self).__name__, self.default_parameters)
        super().__setattr__(name, value)

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
        cells = self._cells(cells)
        for population in {cell.parent for cell in cells}:
            population._check_injectable()
        neurons = np.array([int(cell) for cell in cells], np.int64)
        if len(neurons):
            state.network.injections.append(Injection(self, neurons))

    def _cells(self, cells: Any) -> list[ID]:
        try:
            found = [cells] if isinstance(cells, ID) else list(cells)
        except TypeError:
            found = [None]
        if all(isinstance(each, ID) for each in found):
            return found
        raise TypeError(
            f"{type(self).__name__}: cells = {shown(cells)}: must be a Population, a view of one, "
            "an Assembly or a list of cells"
        )

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
        while self._recording and self._recording[-1][0] >= first:
            self._recording.pop()
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
    constraints = currents.SPAN
    translations = build_translations(
        ("amplitude", "amplitude"), ("start", "start"), ("stop", "stop")
    )

    def _waveform(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        return currents.direct(first, n, grid, **self._values)


class ACSource(SparseCurrentSource, electrodes.ACSource):
    __doc__ = electrodes.ACSource.__doc__
    constraints = currents.ALTERNATING
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
        times, amplitudes = (values[name].value for name in ("times", "amplitudes"))
        if len(times) != len(amplitudes):
            must = (
                f"as many times as there are amplitudes, {len(amplitudes)}; there are {len(times)}"
            )
            raise self._refused("times", times, must)
        if len(times) and times.min() < 0:
            raise self._refused(
                "times", times, f"0 ms or greater, none negative: {times.min():g} ms"
            )
        if np.any(np.diff(times) <= 0):
            at = int(np.argmax(np.diff(times) <= 0))
            must = f"increasing, but {times[at + 1]:g} ms comes after {times[at]:g} ms"
            raise self._refused("times", times, must)
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
    constraints = currents.NOISY
    translations = build_translations(
        ("mean", "mean"), ("start", "start"), ("stop", "stop"), ("stdev", "stdev"), ("dt", "dt")
    )

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        grid = state.network.grid
        steps = values["dt"] * grid.steps_per_ms
        if not 1 - 1e-9 <= steps <= LAST_STEP or abs(steps - round(steps)) > 1e-6:
            raise self._refused(
                "dt",
                values["dt"],
                f"a multiple of the time step, {grid.dt:g} ms, up to {grid.end:g}",
            )
        return super()._checked(values)

    def _waveform(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        key = (self._stream.key, self._stream.first)
        return currents.noisy(first, n, grid, key=key, **self._values)
