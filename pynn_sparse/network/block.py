"""A population: consecutive neurons of one model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from .model import Model
from .proven import Proven
from .stream import Stream
from .time import TimeGrid

if TYPE_CHECKING:
    from .contents import Contents

Arrays = dict[str, NDArray[Any]]
Selection = Any  # what NumPy takes as an index of a one-dimensional array


def _is_whole(selection: Selection) -> bool:
    return isinstance(selection, slice) and selection == slice(None)


def _for_all(size: int, value: Any) -> NDArray[np.float64]:
    """One number for each of many neurons, to be looked at."""
    return np.broadcast_to(np.float64(value), (size,))


def is_for_all(values: NDArray[Any]) -> bool:
    """Whether an array has one value for all, which is there once."""
    return not any(values.strides)


def _own_copy(values: NDArray[Any]) -> NDArray[Any]:
    """An array to be written to."""
    return values if values.flags.writeable else values.copy()


class Block:
    """Neurons `first` .. `first + size - 1` of the network, all of one model.

    Attributes:
        index: its place in the network.
        label: its name for people, which need not be unlike others.
        parameters: user's parameters in PyNN's units; a float where all neurons share it, else
            an array [size] of its own. Sequences are an object array [size] of arrays.
        initial: state at time 0, name -> array [size] of float64, of which one number that all
            neurons have takes no more memory than that.
        assigned: state set since the engine last looked, name -> bool array [size].
        stream: what its random numbers are drawn from.
        proven: what is known of the model's parameters, those of this block included, or None. It
            may be that of other blocks of the same model and time step.
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
        proven: Proven | None = None,
        index: int = 0,
        label: str = "",
    ) -> None:
        self.model = model
        self.index = index
        self.label = label
        self.size = size
        self.first = first
        self.grid = grid
        self.stream = stream
        self.parameters = {name: self._own(value) for name, value in parameters.items()}
        self.proven = proven
        self._derived: dict[str, Any] | None = None
        if proven is None or not proven.holds(parameters):
            self._check_all(parameters)
            self.proven = self._new_proven()
        self.initial = {name: _for_all(size, value) for name, value in model.state.items()}
        self.assigned: dict[str, NDArray[np.bool_]] = {}
        self._forget_events()
        self.version = 0

    def _forget_events(self) -> None:
        self.past_events: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        # Steps after which each neuron's present spike times hold.
        self._events_since = np.full(self.size if self.model.given_times else 0, -1)

    @property
    def derived(self) -> dict[str, Any]:
        """What the kernel takes instead, computed from `parameters` when it is asked for."""
        if self._derived is None:
            self._derived = self._derive(self.parameters)
        return self._derived

    def forget_derived(self) -> None:
        """Give back what is `derived`, which is computed anew where it is asked for again."""
        self._derived = None

    def set_parameters(self, selection: Selection, values: dict[str, Any], step: int = 0) -> None:
        """Set parameters of the selected neurons at time step `step`.

        Takes time in proportion to the number of these neurons; what follows for the population is
        computed when it is next needed. Raises `ParameterError`, changing nothing.
        """
        whole = _is_whole(selection)
        derived = self.check_parameters(selection, values)
        if self.model.given_times in values:
            self._keep_past_events(selection, step)
        for name, value in values.items():
            if whole:
                self.parameters[name] = self._own(value)
            else:
                self._writable(name)[selection] = value
        self._derived = derived
        if whole and self.proven is None:
            self.proven = self._new_proven()
        self.version += 1

    def check_parameters(
        self, selection: Selection, values: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Raise `ParameterError` for values that are not valid; give what is derived of a whole."""
        if self.proven is not None and self.proven.holds(values):
            return None
        self.model.check(values)
        if set(values) == {self.model.given_times}:
            return self._derived  # of which spike times are no part
        of_these = {name: self.get_parameter(name, selection) for name in self.parameters}
        derived = self._derive(of_these | values)
        self.proven = None  # nothing is, of neurons that have these values
        return derived if _is_whole(selection) else None

    def _new_proven(self) -> Proven | None:
        """What is known after all parameters have been checked."""
        if self.model.sequences or not self.model.monotone:
            return None
        return Proven(self.parameters, self._check_all)

    def _check_all(self, parameters: Mapping[str, Any]) -> None:
        self.model.check(parameters)
        self._derive(parameters)

    def _own(self, value: Any) -> Any:
        """A number as it is, an array as a new one [size]."""
        if not isinstance(value, np.ndarray):
            return value
        return np.array(np.broadcast_to(value, (self.size,)))

    def _writable(self, name: str) -> NDArray[Any]:
        """A parameter's array, with a value for each neuron from now on."""
        value: Any = self.parameters[name]
        array: NDArray[Any] = value
        if not isinstance(value, np.ndarray):
            array = self.parameters[name] = np.full(self.size, value, np.float64)
        return array

    def _derive(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
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

    def _keep_past_events(self, selection: Selection, step: int) -> None:
        """Note those of the selected neurons' given events that the simulation has passed."""
        if step >= 0:  # before, there are none
            neuron, time = self._present_events(selection)
            past = self.grid.next(time) <= step
            if past.any():
                self.past_events.append((neuron[past], time[past]))
        self._events_since[selection] = step

    def _present_events(
        self, selection: Selection = slice(None)
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Neuron and time (ms) of the given events that are not overdue."""
        times = self.parameters[str(self.model.given_times)][selection]
        index = selection
        if isinstance(selection, slice):
            index = np.arange(*selection.indices(self.size))
        neuron = np.repeat(index, [len(each) for each in times])
        time = np.concatenate([np.zeros(0), *times])
        due = self.grid.next(time) > self._events_since[neuron]
        return neuron[due], time[due]

    def events(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Neuron and time (ms) of all spikes of a source of given times, past and to come.

        The times are as given, before they are moved to the next time step; by neuron, then
        by time.
        """
        neurons, times = zip(*self.past_events, self._present_events(), strict=True)
        neuron, time = np.concatenate(neurons), np.concatenate(times)
        order = np.lexsort((time, neuron))
        return neuron[order], time[order]

    def starting_state(self) -> dict[str, Any]:
        """Initial values that follow from the parameters."""
        if self.model.start is None:
            return {}
        with np.errstate(all="ignore"):  # what comes of that is looked for by who sets them
            return self.model.start(self.parameters, self.grid)

    def get_parameter(self, name: str, selection: Selection = slice(None)) -> Any:
        """Value of a parameter: a scalar if all neurons of the block share it, else a new array."""
        value = self.parameters[name]
        return value[selection].copy() if isinstance(value, np.ndarray) else value

    def set_state(self, name: str, selection: Selection, values: Any) -> None:
        """Set a state variable now and for the next reset."""
        if _is_whole(selection) and np.ndim(values) == 0:
            self.initial[name] = _for_all(self.size, values)
            self.assigned[name] = np.broadcast_to(True, (self.size,))
            return
        self.initial[name] = _own_copy(self.initial[name])
        self.initial[name][selection] = values
        assigned = self.assigned.get(name)
        if assigned is None:
            assigned = self.assigned[name] = np.zeros(self.size, bool)
        if not is_for_all(assigned):
            assigned[selection] = True

    def reset(self) -> None:
        """Ask for the initial state in all neurons."""
        self._forget_events()
        self.assigned = {name: np.broadcast_to(True, (self.size,)) for name in self.initial}

    def discard(self) -> None:
        """Give back what can be computed again, which refers to the block."""
        self.forget_derived()
        self.proven = None

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
        arrays["events since"] = self._events_since.copy()
        return arrays

    def check(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is no snapshot of such a block at a step.

        Raises `ParameterError` for values of parameters that the model cannot have.
        """
        size, numbers = (self.size,), {}
        for name in self.initial:
            contents.check(f"initial {name}", np.float64, size)
        for name in self.parameters:
            if name in self.model.sequences:
                lengths = contents.check(f"lengths of {name}", np.int64, size, least=0)
                total = int(lengths.sum())
                contents.check(f"parameter {name}", np.float64, (total,), finite=True)
            else:
                numbers[name] = contents.check(f"parameter {name}", np.float64, (), size)
        self.model.check(numbers)
        self._derive(self._parameters_of(contents.arrays))
        if "past neuron" in contents:
            last = self.size - 1
            past = contents.check("past neuron", np.int64, (None,), least=0, most=last)
            contents.check("past time", np.float64, past.shape, finite=True)
        shape = self._events_since.shape
        contents.check("events since", np.int64, shape, least=-1, most=step)
        contents.finish()

    def _parameters_of(self, arrays: Arrays) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in self.parameters:
            value = arrays[f"parameter {name}"]
            if name in self.model.sequences:
                values[name] = np.empty(self.size, dtype=object)
                ends = np.cumsum(arrays[f"lengths of {name}"])[:-1]
                values[name][:] = np.split(value, ends)
            else:
                values[name] = value.copy() if value.ndim else float(value)
        return values

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of a block of the same model and size."""
        self.initial = {name: arrays[f"initial {name}"] for name in self.initial}
        self.parameters = self._parameters_of(arrays)
        self._derived, self.proven = None, self._new_proven()
        self._forget_events()
        has_past = "past neuron" in arrays
        self.past_events = [(arrays["past neuron"], arrays["past time"])] if has_past else []
        self._events_since = arrays["events since"].copy()
        self.assigned = {}
        self.version += 1
