"""Models whose parameters pass the door, and what the engine gets of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from lazyarray import larray

from pynn_sparse.network.model import FINITE, Check

from ...parameters import ArrayParameter, Sequence
from .checks import Named
from .parameters import Parameter, SequenceParameter
from .plain import PLAIN

Doors = Mapping[str, Parameter]


class Checked(Named):
    """A model whose parameters pass the door when they are given.

    They have the units in `units`, and the conditions in `constraints`; by default they must be
    finite numbers.
    """

    units: Mapping[str, str]
    constraints: Mapping[str, Check] = {}
    sizes = "cells"  # what may have a value each; "" where there is one value for all
    vectors: Mapping[str, tuple[str, ...]] = {}  # parameters of several numbers -> the engine's
    _doors: Doors  # made when they are first asked for

    def __init__(self, **parameters: Any) -> None:
        doors = self.doors()
        given = {
            name: doors[name].accepted(value) if name in doors else value
            for name, value in parameters.items()
        }
        super().__init__(**given)

    @classmethod
    def doors(cls) -> Doors:
        """What is valid for each parameter."""
        if "_doors" not in cls.__dict__:  # a class that inherits from another has its own
            cls._doors = {
                name: door_of(cls.__name__, name, cls, default)
                for name, default in cls.default_parameters.items()
            }
        return cls._doors


def door_of(owner: str, name: str, model: Any, default: Any) -> Parameter:
    """The description of one parameter, which has that default value, of a class or instance."""
    constraints = model.model.constraints if hasattr(model, "model") else model.constraints
    unit, components = model.units.get(name), getattr(model, "vectors", {}).get(name)
    if components:
        check = constraints.get(components[0], FINITE)
        return SequenceParameter(owner, name, unit, check, length=len(components))
    sizes = getattr(model, "sizes", "cells")
    kind = SequenceParameter if isinstance(default, Sequence) else Parameter
    return kind(owner, name, unit, constraints.get(name, FINITE), sizes=sizes)


def evaluated(owner: str, doors: Doors, values: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Parameters as numbers, one or as many as there are cells, by PyNN's names.

    Raises what `Parameter.evaluated` raises.
    """
    return {name: _evaluated(owner, doors[name], value, size) for name, value in values.items()}


def plain(doors: Doors, values: Mapping[str, Any]) -> dict[str, float] | None:
    """Parameters that are all numbers that are valid, as the engine takes them; None for others."""
    found: dict[str, float] = {}
    for name, value in values.items():
        door = doors[name]
        number = value.base_value if isinstance(value, larray) and not value.operations else value
        if type(number) is not float or type(door) is not Parameter or not door.takes(number):
            return None
        found[name] = number
    return found


def _evaluated(owner: str, door: Parameter, value: Any, size: int) -> Any:
    if isinstance(value, larray) and not value.operations:
        value = value.base_value
    # The first is what scripts give to cell after cell.
    if type(value) in PLAIN and type(door) is Parameter and door.takes(value):
        return float(value)
    return door.of(owner).evaluated(value, (size,))


def for_engine(celltype: Any, values: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Evaluated parameters as the engine takes them: floats, arrays, or arrays of arrays."""
    vectors = getattr(celltype, "vectors", {})
    converted: dict[str, Any] = {}
    for name, value in values.items():
        if name in celltype.model.sequences:
            converted[name] = _sequences(value, size)
        elif name in vectors:
            converted |= _components(value, vectors[name])
        else:
            converted[name] = value
    return converted


def _sequences(value: Any, size: int) -> Any:
    """One array of numbers for each neuron."""
    each = [value] * size if isinstance(value, ArrayParameter) else value
    numbers = np.empty(size, dtype=object)
    for i, item in enumerate(each):
        numbers[i] = np.asarray(item.value, np.float64)
    return numbers


def _components(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """A parameter of several numbers as so many parameters of the engine."""
    if isinstance(value, ArrayParameter):
        return {name: float(number) for name, number in zip(names, value.value, strict=True)}
    columns = np.array([each.value for each in value], np.float64).T
    return dict(zip(names, columns, strict=True))
