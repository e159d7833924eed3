"""Post-synaptic receptors that neurons are composed of.

`cuda/membranes/receptors.h` has their steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .model import POSITIVE, Check, Values
from .propagators import decay, expm1_over, load, load_of_current, substep
from .time import TimeGrid

Derived = tuple[Any, ...]

UNIT = 1.0  # nF: receptors do not know the capacitance that their loads are to be divided by


@dataclass(frozen=True)
class Receptor:
    """A kind of receptor.

    Attributes:
        name: that of the structure in `cuda/membranes/receptors.h`.
        state: names of its state variables; the first is the one that users record.
        derived: names of what `derive` gives, in the order of the kernel's parameters.
        derive: the kernel's parameters from the user's (ms, mV).
        constraints: of the user's parameters.
    """

    name: str
    state: tuple[str, ...]
    derived: tuple[str, ...]
    derive: Callable[[Values, TimeGrid], Derived]
    constraints: Mapping[str, Check] = field(default_factory=lambda: {"tau_syn": POSITIVE})


@dataclass(frozen=True)
class Placed:
    """A receptor of a neuron: its kind, its name, and the neuron's names of its parameters."""

    kind: Receptor
    name: str
    parameters: Mapping[str, str]  # the receptor's name of a parameter -> the neuron's
    state: tuple[str, ...]  # the neuron's names of its state variables

    @classmethod
    def composed(cls, name: str, kind: Receptor, parameters: tuple[str, ...]) -> Placed:
        """With names of parameters and states that begin with the receptor's."""
        names = {each: f"{name}.{each}" for each in parameters}
        return cls(kind, name, names, tuple(f"{name}.{each}" for each in kind.state))

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of the kernel's parameters."""
        return tuple(f"{self.name}.{each}" for each in self.kind.derived)

    @property
    def constraints(self) -> dict[str, Check]:
        """By the neuron's names."""
        return {self.parameters[name]: check for name, check in self.kind.constraints.items()}

    def derive(self, p: Values, grid: TimeGrid) -> dict[str, Any]:
        """The kernel's parameters by name."""
        own = {name: p[of_neuron] for name, of_neuron in self.parameters.items()}
        return dict(zip(self.derived, self.kind.derive(own, grid), strict=True))


def _half(grid: TimeGrid) -> TimeGrid:
    """Half a substep of Runge and Kutta's method as if it were a step."""
    return TimeGrid(substep(grid) / 2)


def _rate(tau: Any, grid: TimeGrid) -> Any:
    """Of decay, per substep."""
    return substep(grid) / np.asarray(tau, float)


def _curr_exp(p: Values, grid: TimeGrid) -> Derived:
    tau = p["tau_syn"]
    return tau, decay(tau, _half(grid)), _rate(tau, grid), load_of_current(tau, UNIT, grid)


def _cond_exp(p: Values, grid: TimeGrid) -> Derived:
    tau = p["tau_syn"]
    return tau, decay(tau, _half(grid)), p["e_syn"], _rate(tau, grid), load(tau, UNIT, grid)


def _cond_alpha(p: Values, grid: TimeGrid) -> Derived:
    return _two_exponentials(p["tau_syn"], p["tau_syn"], p["e_syn"], grid)


def _cond_beta(p: Values, grid: TimeGrid) -> Derived:
    return _two_exponentials(p["tau_decay"], p["tau_rise"], p["e_syn"], grid)


def _two_exponentials(tau_decay: Any, tau_rise: Any, e_rev: Any, grid: TimeGrid) -> Derived:
    half = _half(grid)
    tau_decay, tau_rise = np.asarray(tau_decay, float), np.asarray(tau_rise, float)
    gain = decay(tau_decay, half) * half.dt * expm1_over(half.dt * (1 / tau_decay - 1 / tau_rise))
    fixed = tau_decay, tau_rise, e_rev, _peak(tau_decay, tau_rise)
    over_half = decay(tau_decay, half), decay(tau_rise, half), gain
    rates = _rate(tau_decay, grid), _rate(tau_rise, grid)
    own = load(np.minimum(tau_decay, tau_rise), UNIT, grid)
    reach = np.minimum(np.maximum(tau_decay, tau_rise), grid.dt)  # of g by rise, at most
    return *fixed, *over_half, *rates, substep(grid), own, own * reach


def _peak(tau_decay: Any, tau_rise: Any) -> Any:
    """The rise that makes a conductance peak at 1.

    After a rise of 1 the conductance is (e^(-t/tau_decay) - e^(-t/tau_rise)) / rate with
    rate = 1/tau_rise - 1/tau_decay, greatest at t = ln(tau_decay/tau_rise) / rate.
    """
    # In terms of x = ln(tau_decay/tau_rise), which may be 0: rate = -expm1(-x) / tau_rise.
    x = np.log(tau_decay / tau_rise)
    time = tau_rise / expm1_over(-x)  # of the peak
    rate = 1 / tau_rise - 1 / tau_decay
    return np.exp(time / tau_decay) / (time * expm1_over(-time * rate))


_EXP = ("tau", "half_decay")
CURR_EXP = Receptor("CurrExp", ("isyn",), (*_EXP, "rate", "load"), _curr_exp)
COND_EXP = Receptor("CondExp", ("gsyn",), (*_EXP, "e_rev", "rate", "load"), _cond_exp)
_BETA = (
    *("tau_decay", "tau_rise", "e_rev", "peak", "half_decay", "half_decay_rise", "half_gain"),
    *("rate", "rate_rise", "substep", "load", "load_rise"),
)
COND_ALPHA = Receptor("CondBeta", ("gsyn", "rise"), _BETA, _cond_alpha)
COND_BETA = Receptor(
    "CondBeta",
    ("gsyn", "rise"),
    _BETA,
    _cond_beta,
    {"tau_rise": POSITIVE, "tau_decay": POSITIVE},
)
