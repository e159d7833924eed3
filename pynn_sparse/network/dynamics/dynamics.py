"""What the network knows of synapses that do more than add their weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ..hooks import check_hooks, check_names
from ..model import FINITE, Check, Values
from ..time import TimeGrid

# The kernel's structures, in the order of `with_kind` in cuda/synapses/kinds.h.
KINDS = (
    "SharedPairs",
    "OwnPairs",
    "TsodyksMarkram",
    "SimpleStochastic",
    "StochasticTsodyksMarkram",
    "MultiQuantal",
)

MOST_COLUMNS, MOST_STATES, MOST_VARIABLES = 24, 8, 4  # as in cuda/core/plan.h


@dataclass(frozen=True)
class Trace:
    """What spikes of a neuron leave: each adds 1, and that decays.

    Attributes:
        tau: time constant (ms).
        nearest: whether it follows the last spike alone, which sets it to 1.
    """

    tau: float
    nearest: bool = False


Traces = tuple[Trace, ...]


@dataclass(frozen=True)
class Dynamics:
    """A kind of synapse; its step is in `cuda/synapses`, or is a text.

    Values are numbers, or arrays with one for each synapse. Those of this package and of others
    are made alike. Raises `ModelError`, with the name of the hook, where something is missing.

    Attributes:
        name: as users know it.
        parameters: names of the user's parameters besides weight and delay.
        state: variables of each synapse and their values at time 0.
        constraints, state_constraints: what holds for each value; finite where nothing is said.
        state_limits: of state variables that may not exceed a parameter, its name.
        columns: names of the kernel's parameters, in its order.
        derive: computes them, on the host in double precision.
        kinds: the kernel's structures that it uses, of `KINDS`, or the one of `source`.
        source: C++ of that structure, as cuda/synapses/formulas.h wants it; "" if it is of `KINDS`.
        modulation: traces of a population that modulates the synapses, where there is one.
        post_variables: those of the targets that are read when spikes of the sources come.
        hidden: whether state variables are the kernel's own, and no user's.
        kind: the one for given values; the only one without it.
        learns: whether the weights change, by spikes of sources and targets.
        traces: of sources and of targets, where weights change.
        limits: parameters between which a weight is kept, without sign, where it changes.
        check_all: raises `ParameterError` for values that do not go together.
        greatest_weight: what no weight exceeds, without sign, where weights change.
        most: factor of the weight that a spike transmits at most.
    """

    name: str
    parameters: tuple[str, ...]
    columns: tuple[str, ...]
    derive: Callable[[Values, TimeGrid], dict[str, Any]]
    kinds: tuple[str, ...]
    kind: Callable[[Values], str] | None = None
    state: Mapping[str, float] = field(default_factory=dict)
    constraints: Mapping[str, Check] = field(default_factory=dict)
    state_constraints: Mapping[str, Check] = field(default_factory=dict)
    state_limits: Mapping[str, str] = field(default_factory=dict)
    check_all: Callable[[Values], None] = lambda values: None
    learns: bool = False
    traces: Callable[[Values], tuple[Traces, Traces]] | None = None
    limits: tuple[str, ...] = ()
    greatest_weight: Callable[[Values], float] | None = None
    most: Callable[[Values], float] = lambda values: 1.0
    source: str = ""
    modulation: Callable[[Values], Traces] | None = None
    post_variables: tuple[str, ...] = ()
    hidden: bool = False

    def __post_init__(self) -> None:
        hooks: dict[str, tuple[Any, str]] = {
            "derive": (self.derive, "values and a TimeGrid"),
            "check_all": (self.check_all, "values"),
            "most": (self.most, "values"),
        }
        if len(self.kinds) != 1 or self.kind is not None:
            hooks["kind"] = self.kind, "values"
        if self.learns:
            hooks["traces"] = self.traces, "values"
            hooks["greatest_weight"] = self.greatest_weight, "values"
        check_hooks(self.name, hooks)
        check_names(self.name, "kinds", self.kinds, self.kinds[:1] if self.source else KINDS)
        check_names(self.name, "limits", self.limits, self.parameters)
        check_names(self.name, "constraints", self.constraints, self.parameters)
        check_names(self.name, "state_constraints", self.state_constraints, self.state)
        check_names(self.name, "state_limits", self.state_limits, self.state)

    def check(self, values: Values) -> None:
        """Raise `ParameterError` for the first parameter with a value that is not valid."""
        for name in self.parameters:
            self.constraints.get(name, FINITE).check(name, values[name])
        self.check_all(values)

    def check_state(self, states: Values, parameters: Values) -> None:
        """Raise `ParameterError` for the first state variable with a value that is not valid."""
        for name, value in states.items():
            self.state_constraints.get(name, FINITE).check(name, value)
            limit = self.state_limits.get(name)
            if limit and np.any(value > np.asarray(parameters[limit])):
                raise ParameterError(
                    f"{name} = {np.max(value):g}: must be at most {limit}, "
                    f"{np.min(parameters[limit]):g}"
                )


@dataclass(frozen=True)
class Modulator:
    """Spikes that modulate synapses.

    Attributes:
        block: index of the population whose spikes come to all synapses; with `each`, of the
            targets.
        delay: steps from a spike until it comes to the synapses, at least 1.
        each: whether to the synapses onto each target come spikes of their own, by the network's
            `modulations`.
    """

    block: int
    delay: int
    each: bool = False


@dataclass(frozen=True)
class Rule:
    """The dynamics of the synapses of a table.

    Attributes:
        dynamics: their kind.
        parameters: name -> float64 [n], in the order of storage, or [1] where all are equal.
        sign: of the weights, for synapses that learn.
        dendritic: fraction of the delay that lies in the dendrite, for synapses that learn.
        modulator: whose spikes modulate the synapses, where the dynamics have a modulation.

    Raises `ParameterError` for values that are not valid.
    """

    dynamics: Dynamics
    parameters: Mapping[str, NDArray[np.float64]]
    sign: float = 1.0
    dendritic: float = 1.0
    modulator: Modulator | None = None

    def __post_init__(self) -> None:
        self.dynamics.check(self.parameters)

    @property
    def learns(self) -> bool:
        """Whether the weights change."""
        return self.dynamics.learns

    @property
    def kind(self) -> str:
        """Name of the kernel's structure."""
        dynamics = self.dynamics
        return dynamics.kind(self.parameters) if dynamics.kind else dynamics.kinds[0]

    @property
    def greatest_weight(self) -> float:
        """What no weight comes to exceed, without sign; 0 where weights stay as they are."""
        greatest = self.dynamics.greatest_weight
        return greatest(self.parameters) if greatest else 0.0

    @property
    def number(self) -> int:
        """By which kernels know the structure."""
        return number_of(self.kind)

    @property
    def traces(self) -> tuple[Traces, Traces]:
        """Of sources and of targets, where weights change."""
        return self.dynamics.traces(self.parameters) if self.dynamics.traces else ((), ())

    @property
    def modulation(self) -> Traces:
        """Traces of the modulator."""
        return self.dynamics.modulation(self.parameters) if self.dynamics.modulation else ()

    def changed(self, parameters: Mapping[str, NDArray[np.float64]]) -> Rule:
        """With other values of some parameters."""
        return replace(self, parameters={**self.parameters, **parameters})

    def part(self, which: Any) -> Rule:
        """For some of the synapses, or for all in another order."""
        parts = {k: v if len(v) == 1 else v[which] for k, v in self.parameters.items()}
        return replace(self, parameters=parts)

    def columns(self, grid: TimeGrid) -> dict[str, NDArray[np.float64]]:
        """The kernel's parameters, of length n or 1, in its order."""
        derived = self.dynamics.derive(self.parameters, grid)
        return {
            name: np.atleast_1d(np.asarray(derived[name], float)) for name in self.dynamics.columns
        }

    def lag(self, delay: Any) -> NDArray[np.int64]:
        """Steps for which a spike has to wait until its synapses see it, for delays in steps.

        Synapses that learn must know what came before; so they wait for the axonal part of the
        delay, but not so long that the spike comes too late to its target.
        """
        delay = np.asarray(delay, np.int64)
        if not self.learns:
            return np.zeros_like(delay)
        axonal = delay - np.floor(self.dendritic * delay + 0.5).astype(np.int64)
        lag: NDArray[np.int64] = np.minimum(axonal, delay - 1)
        return lag


def number_of(kind: str) -> int:
    """By which kernels know a structure: of a user's, the digits that its name ends with."""
    return KINDS.index(kind) if kind in KINDS else int(kind.rpartition("_")[2], 16)


def in_steps(tau: Any, grid: TimeGrid) -> Any:
    """Time constants in time steps."""
    return np.asarray(tau, float) / grid.dt
