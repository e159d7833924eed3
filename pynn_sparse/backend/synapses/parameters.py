"""What is valid for the parameters of synapses: they pass the door like those of cells."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_sparse.network.dynamics import (
    MULTI_QUANTAL,
    PAIRS,
    SIMPLE_STOCHASTIC,
    STOCHASTIC_TSODYKS_MARKRAM,
    TSODYKS_MARKRAM,
)
from pynn_sparse.network.dynamics.short_term import FRACTION
from pynn_sparse.network.model import FINITE, Check, Constraint

from ... import errors
from ..doors.distances import distance_function
from ..doors.parameters import Parameter, shown

# Those of weights depend on the target; what has no unit is a plain number.
UNITS: dict[str, str | None] = {
    **dict.fromkeys(("weight", "w_min", "w_max", "eta"), None),
    **dict.fromkeys(("delay", "tau", "tau_plus", "tau_minus", "tau_rec", "tau_facil"), "ms"),
    "rho": "Hz",
}
SHORT_TERM = (TSODYKS_MARKRAM, SIMPLE_STOCHASTIC, STOCHASTIC_TSODYKS_MARKRAM, MULTI_QUANTAL)
CONSTRAINTS: dict[str, Check] = {
    name: check
    for dynamics in (*SHORT_TERM, *PAIRS.values())
    for name, check in dynamics.constraints.items()
} | {"dendritic_delay_fraction": FRACTION}


@dataclass(frozen=True)
class WhereConnected:
    """A condition on numbers of which some may be missing: NaN stands for no connection."""

    check_each: Check

    def check(self, name: str, value: Any) -> None:
        """Raise `ParameterError` for the first number that does not meet the condition."""
        if np.ndim(value) == 2:
            value = value[~np.isnan(value)]
        self.check_each.check(name, value)


ANY = Constraint(lambda x: np.ones(np.shape(x), bool), "a number")


@dataclass(frozen=True)
class Domain:
    """Units of the parameters of a kind of synapse, None if unknown, and conditions on them."""

    units: Mapping[str, str | None]
    constraints: Mapping[str, Check]

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


STANDARD = Domain(UNITS, CONSTRAINTS)


@functools.lru_cache(maxsize=1000)  # since projections have any number of labels
def door(owner: str, name: str, checked: bool = True, domain: Domain = STANDARD) -> Parameter:
    """The description of a parameter; without its condition where connections decide later."""
    check = WhereConnected(domain.constraints.get(name, FINITE)) if checked else ANY
    unit = domain.units.get(name, "")
    return Parameter(owner, name, unit, check, distances=True, sizes="pairs of cells")


def accepted(
    owner: str, name: str, value: Any, checked: bool = True, domain: Domain = STANDARD
) -> Any:
    """A value of a synapse's parameter without units, as it is given to a constructor or `set`.

    That is a float, an array, a RandomDistribution, a function of the distance or of indices, or a
    LazyArray of these. Raises InvalidParameterValueError.
    """
    if isinstance(value, str):
        return distance_function(f"{owner}: {name}", value)
    return door(owner, name, checked, domain).accepted(value)


def all_accepted(
    owner: str, values: Mapping[str, Any], domain: Domain = STANDARD
) -> dict[str, Any]:
    """All values; a delay that is None is left to PyNN, which takes the least."""
    return {
        name: None
        if name == "delay" and value is None
        else accepted(owner, name, value, domain=domain)
        for name, value in values.items()
    }


@contextlib.contextmanager
def evaluating(owner: str, name: str, value: Any) -> Iterator[None]:
    """Have what somebody else's function or distribution raises name the parameter."""
    try:
        yield
    except Exception as error:
        ours = (errors.InvalidParameterValueError, errors.InvalidDimensionsError)
        if isinstance(error, ours) and name in re.findall(r"\w+", str(error)):
            raise
        raise errors.InvalidParameterValueError(
            f"{owner}: {name} = {shown(value)}: must be a number, or give one for each connection; "
            f"{type(error).__name__}: {error}"
        ) from error
