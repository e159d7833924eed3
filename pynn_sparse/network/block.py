"""A population: consecutive neurons of one model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Model
from .time import TimeGrid

Selection = Any  # what NumPy takes as an index of a one-dimensional array


class Block:
    """Neurons `first` .. `first + size - 1` of the network, all of one model.

    Attributes:
        parameters: user's parameters in PyNN's units; a float where all neurons share it, else
            an array [size]. Spike times are an object array [size] of sorted arrays (ms).
        initial: state at time 0, name -> array [size] of float64.
        assigned: state set since the engine last looked, name -> bool array [size].
        derived: what the kernel takes instead, computed from `parameters`.
        version: counts changes of parameters.

    Raises `ParameterError` for values that the model cannot have.
    """

    def __init__(
        self, model: Model, size: int, first: int, parameters: dict[str, Any], grid: TimeGrid
    ) -> None:
        model.check(parameters)
        self.model = model
        self.size = size
        self.first = first
        self.grid = grid
        self.parameters = dict(parameters)
        self.derived = model.derive(self.parameters, grid)
        self.initial = {name: np.full(size, value) for name, value in model.state.items()}
        self.assigned: dict[str, NDArray[np.bool_]] = {}
        self.version = 0

    def set_parameters(self, selection: Selection, values: dict[str, Any]) -> None:
        """Set parameters of the selected neurons. Raises `ParameterError`, changing nothing."""
        self.model.check(values)
        merged = {name: self._merged(name, selection, value) for name, value in values.items()}
        parameters = {**self.parameters, **merged}
        self.derived = self.model.derive(parameters, self.grid)
        self.parameters = parameters
        self.version += 1

    def _merged(self, name: str, selection: Selection, value: Any) -> Any:
        if isinstance(selection, slice) and selection == slice(None):
            return value
        old = self.parameters[name]
        merged = np.empty(self.size, dtype=object if name == self.model.events else float)
        merged[:] = old
        merged[selection] = value
        return merged

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
        self.assigned = {name: np.ones(self.size, bool) for name in self.initial}
