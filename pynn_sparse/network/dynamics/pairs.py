"""Plasticity by pairs of spikes: two rules of timing, four of dependence on the weight.

See `cuda/synapses/pairs.h`. Amplitudes are fractions of w_max - w_min, as in NEST and PyNN's other
backends, but for those of Vogels et al., which are weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ParameterError
from ..model import NOT_NEGATIVE, POSITIVE, Constraint, Values
from ..time import TimeGrid
from .dynamics import Dynamics, Trace, Traces, in_steps

COLUMNS = (
    *("potentiation", "depression", "symmetric", "constant", "least", "greatest"),
    *("mu_plus", "mu_minus", "tau_plus", "tau_minus"),
)
# Timing -> parameters; dependence -> the exponents, or None where they are parameters.
TIMINGS = {
    "SpikePairRule": ("tau_plus", "tau_minus", "A_plus", "A_minus"),
    "Vogels2011Rule": ("tau", "eta", "rho"),
}
DEPENDENCES: dict[str, tuple[float, float] | None] = {
    "AdditiveWeightDependence": (0.0, 0.0),
    "MultiplicativeWeightDependence": (1.0, 1.0),
    "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    "GutigWeightDependence": None,
}
EXPONENT = Constraint(lambda x: np.isfinite(x) & (x >= 0), "0 or greater")
CONSTRAINTS = {
    **dict.fromkeys(("tau_plus", "tau_minus", "tau"), POSITIVE),
    **dict.fromkeys(("mu_plus", "mu_minus"), EXPONENT),
    "rho": NOT_NEGATIVE,
}


def time_constants(values: Values) -> tuple[Any, Any]:
    """tau_plus and tau_minus (ms)."""
    if "tau" in values:
        return values["tau"], values["tau"]
    return values["tau_plus"], values["tau_minus"]


def traces(values: Values) -> tuple[Traces, Traces]:
    """Of sources and of targets; those of `OwnPairs` with the greatest time constants."""
    plus, minus = (float(np.max(tau)) for tau in time_constants(values))
    return (Trace(plus),), (Trace(minus),)


def _kind(values: Values) -> str:
    own = any(np.size(tau) > 1 for tau in time_constants(values))
    return "OwnPairs" if own else "SharedPairs"


def _amplitudes(values: Values) -> tuple[Any, Any, Any, Any]:
    """Potentiation, depression, symmetric and constant."""
    if "tau" in values:
        eta = np.asarray(values["eta"], float)
        # rho in Hz: alpha = 2 rho tau, as in the paper.
        return eta, 0.0, eta, eta * 2 * values["rho"] * np.asarray(values["tau"], float) / 1000
    span = np.asarray(values["w_max"], float) - values["w_min"]
    return values["A_plus"] * span, values["A_minus"] * span, 0.0, 0.0


def _derive(values: Values, grid: TimeGrid, exponents: tuple[float, float] | None) -> Any:
    mu = exponents or (values["mu_plus"], values["mu_minus"])
    taus = (in_steps(tau, grid) for tau in time_constants(values))
    limits = values["w_min"], values["w_max"]
    columns = (*_amplitudes(values), *limits, *mu, *taus)
    return dict(zip(COLUMNS, columns, strict=True))


def _check_limits(values: Values) -> None:
    low, high = np.broadcast_arrays(values["w_min"], values["w_max"])
    bad = ~((low >= 0) & (low < high))
    if bad.any():
        raise ParameterError(
            f"w_min = {low[bad][0]:g}, w_max = {high[bad][0]:g}: must be 0 <= w_min < w_max; the "
            "sign of inhibitory currents is put in by the backend"
        )


def pairs(timing: str, dependence: str) -> Dynamics:
    """A rule of timing with a dependence on the weight."""
    exponents = DEPENDENCES[dependence]
    own = () if exponents else ("mu_plus", "mu_minus")
    names = (*TIMINGS[timing], "w_min", "w_max", *own)
    return Dynamics(
        name=f"{timing} with {dependence}",
        parameters=names,
        columns=COLUMNS,
        derive=lambda values, grid: _derive(values, grid, exponents),
        kinds=("SharedPairs", "OwnPairs"),
        kind=_kind,
        state={"x": 0.0, "y": 0.0},
        constraints={name: each for name, each in CONSTRAINTS.items() if name in names},
        check_all=_check_limits,
        learns=True,
        traces=traces,
        limits=("w_min", "w_max"),
        hidden=True,
        greatest_weight=lambda values: float(np.max(values["w_max"])),
    )


PAIRS = {
    (timing, dependence): pairs(timing, dependence)
    for timing in TIMINGS
    for dependence in DEPENDENCES
}
