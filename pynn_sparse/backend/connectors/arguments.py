"""The arguments of connectors: each is checked, by its name, when a connector is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
from lazyarray import larray

from pynn_sparse.door import is_integer

from ... import connectors as upstream
from ... import errors
from ...random import AbstractRNG, RandomDistribution
from ..doors.checks import as_flag
from ..doors.distances import distance_function
from ..doors.parameters import shown
from ..doors.plain import NotNumbersError, number_of
from ..doors.signatures import bound, signature_of

DRAWS_TO_LOOK_AT = 100  # of a distribution of numbers of connections, as upstream looks at
MOST = 10**15  # connections, which no machine has memory for
Accept = Callable[[str, Any], Any]  # "owner: name", value -> what upstream gets


def probability(name: str, value: Any) -> float:
    """A number from 0 to 1."""
    must = "from 0 to 1"
    try:
        number = number_of(value)
    except NotNumbersError as error:
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(value)}: must be {error.instead_of(must)}"
        ) from error
    if not 0 <= number <= 1:
        raise errors.InvalidParameterValueError(f"{name} = {shown(value)}: must be {must}")
    return number


def count(name: str, value: Any) -> Any:
    """A whole number, 0 or greater, or a distribution of such numbers."""
    if isinstance(value, RandomDistribution):
        look_at_counts(name, value)
        return value
    if not is_integer(value):
        raise TypeError(f"{name} = {shown(value)}: must be an integer or a RandomDistribution")
    if not 0 <= int(value) <= MOST:
        raise errors.InvalidParameterValueError(f"{name} = {shown(value)}: must be 0 to {MOST:,}")
    return int(value)


def look_at_counts(name: str, law: RandomDistribution) -> None:
    """Raise InvalidParameterValueError if some draws are no counts; the generator stays."""
    try:
        drawn = np.asarray(deepcopy(law).next(DRAWS_TO_LOOK_AT), np.float64)
    except Exception as error:  # a distribution can raise anything
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(law)}: must be a distribution of integers, 0 or greater; it cannot "
            f"be drawn from ({type(error).__name__}: {error})"
        ) from error
    for number in drawn:
        as_count(name, law, number)


def as_count(name: str, law: RandomDistribution, number: Any) -> int:
    """A number of connections that was drawn; raises InvalidParameterValueError if it is none."""
    if not (np.isfinite(number) and number >= 0 and number == np.floor(number)):
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(law)}: must be a distribution of integers, 0 or greater; it gives "
            f"{float(number):g}"
        )
    return int(number)


def self_connections(name: str, value: Any) -> bool | str:
    """True, False, or the word that excludes connections in both directions, too."""
    if isinstance(value, str) and value == "NoMutual":
        return value
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} = {shown(value)}: must be True, False or 'NoMutual'")
    return bool(value)


def self_connections_by_number(name: str, value: Any) -> bool:
    """True or False: the number of connections leaves no choice of their direction."""
    if isinstance(value, str) and value == "NoMutual":
        raise NotImplementedError(
            f"{name} = 'NoMutual': must be True or False for a connector with a number of "
            "connections; FixedProbabilityConnector takes 'NoMutual'"
        )
    return as_flag(name, value)


def generator(name: str, value: Any) -> Any:
    """A generator of random numbers; None for upstream's own."""
    if value is not None and not isinstance(value, AbstractRNG):
        raise TypeError(f"{name} = {shown(value)}: must be a NumpyRNG or a NativeRNG, or None")
    return value


def callback(name: str, value: Any) -> Any:
    """A function of the fraction that is done."""
    if value is not None and not _takes_one_number(value):
        raise TypeError(f"{name} = {shown(value)}: must be a function of one number, or None")
    return value


def _takes_one_number(value: Any) -> bool:
    if isinstance(value, (type, larray)) or not callable(value):
        return False
    try:
        inspect.signature(value).bind(0.5)
    except TypeError:
        return False
    except ValueError:  # of some that are written in C, nothing is known
        pass
    return True


def no_location(name: str, value: Any) -> None:
    """Only multicompartmental neurons have locations."""
    if value is not None:
        raise NotImplementedError(
            f"{name} = {shown(value)}: must be None, since pyNN.sparse has no multicompartmental "
            "models"
        )


def expression_of_distance(name: str, value: Any) -> Any:
    """An expression of d, or a function of it."""
    if isinstance(value, str):
        distance_function(name, value)
    elif not callable(value) or isinstance(value, type):
        raise TypeError(
            f"{name} = {shown(value)}: must be an expression of the distance d, such as "
            "'exp(-d/100)', or a function of d"
        )
    return value


def expression_of_indices(name: str, value: Any) -> Any:
    """PyNN's kind of function of two indices."""
    if not isinstance(value, upstream.IndexBasedExpression) or not callable(value):
        raise TypeError(
            f"{name} = {shown(value)}: must be an instance of a subclass of IndexBasedExpression "
            "that can be called with the indices i and j"
        )
    return value


COMMON: Mapping[str, Accept] = {
    "location_selector": no_location,
    "safe": as_flag,
    "callback": callback,
    "rng": generator,
    "allow_self_connections": self_connections,
    "with_replacement": as_flag,
}


class Checked:
    """A connector whose arguments are those of PyNN's class of the same name.

    `arguments` says how those are checked that not all connectors have. Raises TypeError,
    InvalidParameterValueError or NotImplementedError, which name connector, argument and value.
    """

    arguments: ClassVar[Mapping[str, Accept]] = {}
    __signature__: ClassVar[inspect.Signature]  # of upstream's constructor

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if any(each.__module__ == upstream.__name__ for each in cls.__mro__):
            cls.__signature__ = _signature(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(**self._checked(args, kwargs))

    def _checked(self, args: Any, kwargs: Any) -> dict[str, Any]:
        """All arguments by name."""
        owner = type(self).__name__
        given = bound(owner, self.__signature__, args, kwargs)
        accept = {**COMMON, **self.arguments}
        return {
            name: accept[name](f"{owner}: {name}", value) if name in accept else value
            for name, value in given.items()
        }


def _signature(cls: type) -> inspect.Signature:
    """The signature of upstream's constructor."""
    own = next(each for each in cls.__mro__ if each.__module__ == upstream.__name__)
    return signature_of(own.__init__)  # type: ignore[misc]
