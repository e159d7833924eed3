"""What the network knows of a neuron model: names, values that do not change per step, limits.

The step itself is in `cuda/cells/<name>.h`, whose structures State and Params have the fields
`state` and `derived` in this order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from .hooks import check_hooks, check_names
from .time import TimeGrid

Values = Mapping[str, Any]  # parameter or state name -> float, or array with one value per neuron
Derive = Callable[[Values, TimeGrid], dict[str, Any]]


SENT = "sent value"  # the state variable that has what an event carries: no user's name


class Check(Protocol):
    """What decides whether values of a parameter are valid."""

    def check(self, name: str, value: Any) -> None:
        """Raise `ParameterError` if not."""


@dataclass(frozen=True)
class Constraint:
    """A condition on each value of a numerical parameter, and how to say it."""

    holds: Callable[[Any], Any]  # of an array or a float, element by element
    text: str

    def check(self, name: str, value: Any) -> None:
        """Raise `ParameterError` naming the first value for which the condition does not hold."""
        if type(value) is float and self.holds(value):
            return
        array = np.asarray(value, float).ravel()
        good = self.holds(array)
        if not good.all():
            where = int(np.argmin(good))
            which = f" at index {where}" if array.size > 1 else ""
            raise ParameterError(f"{name} = {array[where]:g}{which}: must be {self.text}")


# In terms of comparisons, which are false for NaN, and quick for a single number, too.
INF = np.inf
FINITE = Constraint(lambda x: (x > -INF) & (x < INF), "a finite number")
NUMBER = Constraint(lambda x: (x >= -INF) & (x <= INF), "a number")
POSITIVE = Constraint(lambda x: (x > 0) & (x < INF), "greater than 0")
NOT_NEGATIVE = Constraint(lambda x: (x >= 0) & (x < INF), "0 or greater")


@dataclass(frozen=True)
class Graded:
    """Events that carry a value, by which the weights of synapses are multiplied.

    Attributes:
        unit: a value is rounded to a whole number of these.
        limit: the greatest size of a value that can be sent.
    """

    unit: float
    limit: float

    @property
    def most(self) -> float:
        """The greatest size of a value after rounding, which bounds the accumulators."""
        return math.ceil(self.limit / self.unit) * self.unit


@dataclass(frozen=True, eq=False)
class Model:
    """A neuron model or spike source.

    `state` maps state variables to the value that a neuron starts with where the user sets none.
    `derive` computes the kernel's parameters from the user's, in PyNN's names and units, on the
    host in double precision; it takes floats or arrays alike. `most_spikes` gives the largest
    number of spikes, or the greatest value of an event, that one step can bring, which bounds the
    accumulators. `sequences` names
    parameters that are a sequence of numbers for each neuron, `events` makes of them what the
    kernel reads, an array for each neuron; `given_times` is the one that holds spike times.
    `start` computes initial state from parameters, for neurons whose user sets none; `outputs`
    from parameters and state those fields of the state that only depend on the others.
    `infinite` names derived values that need not be finite. `monotone` says that a value of a
    parameter is valid if it lies between two that are, whatever valid values the others have.
    `graded` says what values its events carry, None for spikes, of which a step may have several.
    `source` is the C++ of a model that is not among the files. Raises `ModelError`, with the name
    of the hook, where something is missing.
    """

    name: str
    state: Mapping[str, float]
    derived: tuple[str, ...]
    derive: Derive
    receptors: tuple[str, ...] = ("excitatory", "inhibitory")
    constraints: Mapping[str, Check] = field(default_factory=dict)
    recordable: tuple[str, ...] = ()
    is_source: bool = False
    double_only: bool = False
    sequences: tuple[str, ...] = ()
    events: Callable[[Values, TimeGrid], list[NDArray[np.int64]]] | None = None
    given_times: str | None = None
    most_spikes: Callable[[Values, TimeGrid], Any] = lambda parameters, grid: 1.0
    start: Derive | None = None
    outputs: Derive | None = None
    infinite: tuple[str, ...] = ()
    monotone: bool = True
    graded: Graded | None = None
    source: str = ""

    def __post_init__(self) -> None:
        hooks: dict[str, tuple[Any, str]] = {
            "derive": (self.derive, "values and a TimeGrid"),
            "most_spikes": (self.most_spikes, "values and a TimeGrid"),
        }
        if self.sequences:
            hooks["events"] = self.events, "values and a TimeGrid"
        check_hooks(self.name, hooks)
        given = (self.given_times,) if self.given_times else ()
        check_names(self.name, "given_times", given, self.sequences)

    @property
    def unit(self) -> float:
        """By what a weight is multiplied where an event counts 1."""
        return self.graded.unit if self.graded else 1.0

    def check(self, values: Values) -> None:
        """Raise `ParameterError` for the first parameter with a value that is not valid."""
        for name, value in values.items():
            self.constraints.get(name, FINITE).check(name, value)
