"""A population: consecutive neurons of one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from .model import Model
from .time import TimeGrid


@dataclass(frozen=True)
class Stream:
    """Random numbers of a part of the network: they depend on `seed` and on a neuron's number,
    counted from neuron `first`.
    """

    seed: int
    first: int = 0


Arrays = dict[str, NDArray[Any]]
Selection = Any  # what NumPy takes as an index of a one-dimensional array


class Block:
    """Neurons `first` .. `first + size - 1` of the network, all of one model.

    Attributes:
        parameters: user's parameters in PyNN's units; a float where all neurons share it, else
            an array [size]. Sequences are an object array [size] of arrays.
        initial: state at time 0, name -> array [size] of float64.
        assigned: state set since the engine last looked, name -> bool array [size].
        derived: what the kernel takes instead, computed from `parameters`.
        stream: what its random numbers are drawn from.
        past_events: spike times that were replaced after they had been emitted, as
            (neuron, time) arrays.
        version: counts changes of parameters.

    Raises `ParameterError` for values that the model cannot have.
    """

    def __init__(
        self,
        model: Model,
        size: int,
        first: int,
        parameters: dict[str, Any],
        grid: TimeGrid,
        stream: Stream,
    ) -> None:
        model.check(parameters)
        self.model = model
        self.size = size
        self.first = first
        self.grid = grid
        self.stream = stream
        self.parameters = dict(parameters)
        self.derived = self._derive(self.parameters)
        self.initial = {name: np.full(size, value) for name, value in model.state.items()}
        self.assigned: dict[str, NDArray[np.bool_]] = {}
        self.past_events: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        self._events_since = -1  # step after which the present spike times hold
        self.version = 0

    def set_parameters(self, selection: Selection, values: dict[str, Any], step: int = 0) -> None:
        """Set parameters of the selected neurons at time step `step`.

        Raises `ParameterError`, changing nothing.
        """
        self.model.check(values)
        merged = {name: self._merged(name, selection, value) for name, value in values.items()}
        parameters = {**self.parameters, **merged}
        self.derived = self._derive(parameters)
        if self.model.given_times in values:
            self._keep_past_events(step)
        self.parameters = parameters
        self.version += 1

    def _derive(self, parameters: dict[str, Any]) -> dict[str, Any]:
        with np.errstate(all="ignore"):  # what comes of that is looked for below
            derived = self.model.derive(parameters, self.grid)
        finite = [name for name in derived if name not in self.model.infinite]
        bad = [name for name in finite if not np.isfinite(derived[name]).all()]
        if bad:
            raise ParameterError(
                f"the parameters are too large or too small to compute with: {', '.join(bad)} "
                "would not be finite"
            )
        return derived

    def _keep_past_events(self, step: int) -> None:
        neuron, time = self._present_events()
        past = self.grid.nearest(time) <= step
        self.past_events.append((neuron[past], time[past]))
        self._events_since = step

    def _present_events(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Neuron and time (ms) of the given events that are not overdue."""
        times = self.parameters[str(self.model.given_times)]
        neuron = np.repeat(np.arange(self.size), [len(each) for each in times])
        time = np.concatenate([np.zeros(0), *times])
        due = self.grid.nearest(time) > self._events_since
        return neuron[due], time[due]

    def events(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Neuron and time (ms) of all spikes of a source of given times, past and to come.

        The times are as given, before they are moved to the nearest time step; by neuron, then
        by time.
        """
        neurons, times = zip(*self.past_events, self._present_events(), strict=True)
        neuron, time = np.concatenate(neurons), np.concatenate(times)
        order = np.lexsort((time, neuron))
        return neuron[order], time[order]

    def _merged(self, name: str, selection: Selection, value: Any) -> Any:
        if isinstance(selection, slice) and selection == slice(None):
            return value
        old = self.parameters[name]
        merged = np.empty(self.size, dtype=object if name in self.model.sequences else float)
        merged[:] = old
        merged[selection] = value
        return merged

    def starting_state(self) -> dict[str, Any]:
        """Initial values that follow from the parameters."""
        if self.model.start is None:
            return {}
        with np.errstate(all="ignore"):  # what comes of that is looked for by who sets them
            return self.model.start(self.parameters, self.grid)

    def get_parameter(self, name: str, selection: Selection = slice(None)) -> Any:
        """Value of a parameter: a scalar if all neurons of the block share it, else an array."""
        value = self.parameters[name]
        return value[selection] if isinstance(value, np.ndarray) else value

    def set_state(self, name: str, selection: Selection, values: Any) -> None:
        """Set a state variable now and for the next reset."""
        self.initial[name][selection] = values
        self.assigned.setdefault(name, np.zeros(self.size, bool))[selection] = True

    def reset(self) -> None:
        """Ask for the initial state in all neurons."""
        self.past_events = []
        self._events_since = -1
        self.assigned = {name: np.ones(self.size, bool) for name in self.initial}

    def snapshot(self) -> Arrays:
        """All that may change between runs, but for what the engine has of it."""
        arrays: Arrays = {f"initial {name}": each for name, each in self.initial.items()}
        for name, value in self.parameters.items():
            if name in self.model.sequences:
                arrays[f"lengths of {name}"] = np.array([len(each) for each in value])
                value = np.concatenate([np.zeros(0), *value])
            arrays[f"parameter {name}"] = np.asarray(value)
        past = [np.concatenate(each) for each in zip(*self.past_events, strict=True)]
        arrays |= dict(zip(("past neuron", "past time"), past, strict=False))
        arrays["events since"] = np.array(self._events_since)
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of a block of the same model and size."""
        self.initial = {name: arrays[f"initial {name}"] for name in self.initial}
        for name in self.parameters:
            value = arrays[f"parameter {name}"]
            if name in self.model.sequences:
                parts = np.empty(self.size, dtype=object)
                parts[:] = np.split(value, np.cumsum(arrays[f"lengths of {name}"])[:-1])
                self.parameters[name] = parts
            else:
                self.parameters[name] = value if value.ndim else float(value)
        self.derived = self._derive(self.parameters)
        has_past = "past neuron" in arrays
        self.past_events = [(arrays["past neuron"], arrays["past time"])] if has_past else []
        self._events_since = int(arrays["events since"])
        self.assigned = {}
        self.version += 1
