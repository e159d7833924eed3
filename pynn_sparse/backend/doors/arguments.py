"""Checks of what methods of populations, views, assemblies and cells are given."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from types import ModuleType
from typing import Any

import neo
import numpy as np
from numpy.typing import NDArray

from pynn_sparse.door import Door, is_integer

from ... import errors
from ...common import Assembly, BasePopulation
from ...descriptions import TemplateEngine
from .checks import as_integer
from .parameters import shown
from .plain import NotNumbersError, as_array, has_items, items_of, number_of

FILES = Door(errors.InvalidParameterValueError)
TEMPLATE_ENGINE = "the name of one of PyNN's template engines, or a class of one"


def checked_index(index: Any, size: int, label: str, of: str = "cells") -> Any:
    """What is selected of `size` things: an integer, a slice, or an array of integers from 0 up.

    Messages call the things what `of` says.

    Raises TypeError for what does not select, IndexError for what is not there, and
    InvalidDimensionsError for nothing, or a mask of another length.
    """
    if isinstance(index, slice):
        return _checked_slice(index, size, label, of)
    if has_items(index):
        return _checked_indices(index, size, label, of)
    array = isinstance(index, np.ndarray)
    if array or isinstance(index, np.bool_ | bool) or not hasattr(type(index), "__index__"):
        raise TypeError(f"index {shown(index)} of {label}: must be {_WHAT}")
    number = operator.index(index)
    if not -size <= number < size:
        raise IndexError(f"index {shown(index)} of {label}: must be from {-size} to {size - 1}")
    return number


_WHAT = "an integer, a slice, or a list or array of integers or of True and False"


def _checked_slice(index: slice, size: int, label: str, of: str) -> slice:
    try:
        selected = range(*index.indices(size))
    except (TypeError, ValueError) as error:
        raise TypeError(f"index {shown(index)} of {label}: must be {_WHAT}: {error}") from error
    if not selected:
        raise errors.InvalidDimensionsError(
            f"{index} of {label}, which has {size} {of}, has none; must be at least one"
        )
    return index


def _checked_indices(index: Any, size: int, label: str, of: str) -> NDArray[np.int64]:
    name = f"index {shown(index)} of {label}"
    try:
        array = np.array(index if isinstance(index, np.ndarray) else items_of(index))
    except (NotNumbersError, ValueError) as error:
        raise TypeError(f"{name}: must be {_WHAT}") from error
    if array.ndim != 1 or not len(array):
        found = "is empty" if not array.size else f"has {array.ndim} dimensions"
        raise errors.InvalidDimensionsError(f"{name} {found}: must be {_WHAT}, at least one")
    if array.dtype == object and all(hasattr(each, "__index__") for each in array):
        array = np.array([operator.index(each) for each in array])
    if array.dtype.kind not in "iub" or np.ma.is_masked(index):
        raise TypeError(f"{name}: must be {_WHAT}")
    if array.dtype == bool:
        if len(array) != size:
            raise errors.InvalidDimensionsError(
                f"{name} has {len(array)} values: must be as many as there are {of}, {size}"
            )
        array = np.flatnonzero(array)
        if not len(array):
            raise errors.InvalidDimensionsError(
                f"{name} selects none of the {of}: must be at least one"
            )
    if array.min() < -size or array.max() >= size:
        raise IndexError(f"{name}: must be from {-size} to {size - 1}")
    return np.where(array < 0, array + size, array).astype(np.int64)


def checked_size(size: Any) -> Any:
    """The number of cells of a population, or of its rows, columns and layers.

    Raises InvalidDimensionsError for none, ValueError for what is not a number of cells.
    """
    parts = size if isinstance(size, tuple) else (size,)
    must = "an integer, 1 or greater, or a tuple of one to three of them"
    for part in parts:
        if not is_integer(part):
            raise errors.InvalidParameterValueError(f"size = {shown(size)}: must be {must}")
    if not 1 <= len(parts) <= 3 or min(parts) < 1:
        raise errors.InvalidDimensionsError(
            f"size = {shown(size)}: must be {must}; a population has at least one cell"
        )
    return tuple(map(int, size)) if isinstance(size, tuple) else int(size)


def check_label(label: Any) -> None:
    """Raise TypeError for a label that is not a string."""
    if not isinstance(label, str):
        raise TypeError(f"label = {shown(label)}: must be a string")


def check_name(argument: str, value: Any) -> None:
    """Raise TypeError for an argument that is not a name."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} = {shown(value)}: must be a name, a string")


def check_description(template: Any, engine: Any) -> None:
    """Raise TypeError for what is no template, or no template engine, of PyNN."""
    if template is not None and (not isinstance(template, str) or not template):
        raise TypeError(
            f"template = {shown(template)}: must be the name of a file of PyNN's, a text, or None"
        )
    of_pynn = isinstance(engine, type) and issubclass(engine, TemplateEngine)
    if not (of_pynn or isinstance(engine, str)):
        raise TypeError(f"engine = {shown(engine)}: must be {TEMPLATE_ENGINE}")


def check_mapping(name: str, value: Any) -> None:
    """Raise TypeError for what has no names with values."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} = {shown(value)}: must be a dict of names and values")


def checked_position(name: str, value: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Positions (um) of that shape. Raises InvalidDimensionsError, InvalidParameterValueError."""
    count = "three" if shape == (3,) else " x ".join(map(str, shape))
    must = f"{count} numbers, finite and in um"
    try:
        if not has_items(value):
            raise NotNumbersError("")
        array = as_array(value, "um")
    except NotNumbersError as error:
        raise errors.InvalidDimensionsError(
            f"{name} = {shown(value)}: must be {error.instead_of(must)}"
        ) from error
    if array.shape != shape:
        raise errors.InvalidDimensionsError(f"{name} = {shown(value)}: must be {must}")
    if not np.isfinite(array).all():
        raise errors.InvalidParameterValueError(f"{name} = {shown(value)}: must be {must}")
    return array


def positions_of(cells: Any, index: Any) -> NDArray[np.float64]:
    """Positions (um) of some of the cells, [3] of one and [n, 3] of several."""
    found: NDArray[np.float64] = cells.positions.T[checked_index(index, cells.size, cells.label)]
    return found


def checked_sample(n: Any, rng: Any, size: int) -> int:
    """How many cells to draw. Raises TypeError, InvalidDimensionsError."""
    try:
        number = as_integer("n", n, 1, size)
    except (TypeError, ValueError) as error:
        raise errors.InvalidDimensionsError(f"{error}, the number of cells") from error
    if not (rng is None or callable(getattr(rng, "permutation", None))):
        raise TypeError(f"rng = {shown(rng)}: must be a generator of pyNN.random or NumPy, or None")
    return number


def names_of_variables(variables: Any) -> str | list[str]:
    """The name of a variable, or a list of names. Raises TypeError for anything else."""
    if isinstance(variables, str):
        return str(variables)
    of_set = isinstance(variables, (set, frozenset))
    names = list(variables) if of_set else _items(variables)
    if getattr(variables, "ndim", 1) != 1 or not all(isinstance(each, str) for each in names):
        raise TypeError(
            f"variables = {shown(variables)}: must be the name of a variable, or a list of names"
        )
    return [str(each) for each in names]


_OF_CELLS = (BasePopulation, Assembly)


def _items(value: Any) -> list[Any]:
    """The items of a list or the like; one that is nothing for anything else."""
    try:
        return items_of(value) if has_items(value) else [None]
    except NotNumbersError:
        return [None]


def check_no_locations(locations: Any) -> None:
    """Raise NotImplementedError for locations in a cell."""
    if locations is not None:
        raise NotImplementedError(
            f"locations = {shown(locations)}: must be None, since neurons here are points"
        )


def check_names_of_parameters(names: Any) -> None:
    """Raise TypeError for what is not the name of a parameter, or a list of names."""
    if isinstance(names, str):
        return
    if not all(isinstance(each, str) for each in _items(names)):
        raise TypeError(
            f"parameter_names = {shown(names)}: must be the name of a parameter, or a list of names"
        )


def check_id(id: Any, label: str) -> None:
    """Raise TypeError for what is neither a cell nor several."""
    if isinstance(id, _OF_CELLS):
        return
    each = _items(id) if has_items(id) else [id]
    if not all(map(is_integer, each)):
        raise TypeError(f"id = {shown(id)}: must be a cell of {label}, or several")


class NotThereError(IndexError, ValueError):
    """A cell is not in a group: PyNN's ValueError of populations, IndexError of the others."""


def check_ids_present(id: Any, cells: NDArray[Any], label: str) -> None:
    """Raise NotThereError for cells that are not there, or for none; `id` passed `check_id`."""
    wanted = np.atleast_1d(id.all_cells if isinstance(id, _OF_CELLS) else id)
    try:
        missing = wanted[~np.isin(wanted.astype(np.int64), cells.astype(np.int64))]
    except OverflowError:  # of Python's integers, which have no end
        missing = wanted
    if len(missing) or not len(wanted):
        which = f"; {shown(int(missing[0]))} is not there" if len(missing) else ""
        raise NotThereError(f"id = {shown(id)}: must be a cell of {label}, or several{which}")


def checked_label(label: Any, known: Sequence[str]) -> str:
    """One of some labels. Raises TypeError, or KeyError for another one."""
    check_label(label)
    if label not in known:
        there = ", ".join(map(shown, known))
        raise UnknownNameError(f"label = {shown(label)}: must be one of {there}")
    return str(label)


class UnknownNameError(KeyError):
    """Nothing has that name. Unlike its base it prints its message as it is."""

    def __str__(self) -> str:
        return str(self.args[0])


def checked_annotations(keys: Any, known: Collection[str]) -> list[str]:
    """Names of annotations that are known. Raises TypeError, or KeyError for one that is not."""
    names = [keys] if isinstance(keys, str) else _items(keys)
    if not all(isinstance(each, str) for each in names):
        raise TypeError(
            f"annotation_keys = {shown(keys)}: must be the name of an annotation, or a list of them"
        )
    for name in names:
        if name not in known:
            there = f"one of {', '.join(sorted(known))}" if known else "one that all groups have"
            raise UnknownNameError(f"annotation_keys = {shown(name)}: must be {there}")
    return names


def check_cells(name: str, cells: Any) -> None:
    """Raise TypeError for what is not a Population, view or Assembly."""
    if not isinstance(cells, (BasePopulation, Assembly)):
        raise TypeError(f"{name} = {shown(cells)}: must be a Population, a view or an Assembly")


def check_annotations(value: Any) -> None:
    """Raise TypeError for what Neo cannot keep with data; None is no annotations."""
    must = "annotations = {}: must be a dict of names and {}"
    plain = "numbers, strings, dates, and lists, dicts or arrays of these"
    if value is None:
        return
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value):
        raise TypeError(must.format(shown(value), plain))
    try:
        neo.Segment().annotate(**value)
    except Exception as error:  # of several kinds
        raise TypeError(f"{must.format(shown(value), plain)}: {error}") from error


def check_not_empty(assembly: Any) -> None:
    """Raise InvalidDimensionsError for an Assembly without populations."""
    if not assembly.populations:
        raise errors.InvalidDimensionsError(
            f"{assembly.label} is empty: must have at least one population; += adds one"
        )


def check_summand(owner: str, other: Any) -> None:
    """Raise TypeError for what cannot be added to a population or an assembly."""
    if not isinstance(other, _OF_CELLS):
        raise TypeError(f"{owner} + {shown(other)}: must be a Population, a view or an Assembly")


def check_file(file: Any) -> None:
    """Raise TypeError for what positions cannot be written to, ValueError for an odd file name."""
    if isinstance(file, str):
        FILES.path("file", file)
    elif isinstance(file, (type, ModuleType)) or not callable(getattr(file, "write", None)):
        raise TypeError(f"file = {shown(file)}: must be a file name, or a file of pyNN.recording")


def check_source(source: Any) -> None:
    """Raise TypeError for what is not a current source."""
    if isinstance(source, type) or not hasattr(source, "inject_into"):
        raise TypeError(
            f"current_source = {shown(source)}: must be a current source, such as DCSource()"
        )


Callback = Callable[[float], Any]


def checked_callbacks(callbacks: Any) -> list[Callback] | None:
    """Callbacks of a run, each of which has to give a later time than the present.

    Raises TypeError for what cannot be called.
    """
    if callbacks is None:
        return None
    must = "a list of functions of the time in ms"
    try:
        each = list(callbacks)
    except Exception as error:  # whatever somebody else's class raises
        raise TypeError(f"callbacks = {shown(callbacks)}: must be {must}") from error
    if not all(map(callable, each)):
        raise TypeError(f"callbacks = {shown(callbacks)}: must be {must}")
    return [_checked_callback(callback) for callback in each]


def _checked_callback(callback: Callback) -> Callback:
    def call(now: float) -> float:
        given = callback(now)
        try:
            time = number_of(given, "ms")
        except NotNumbersError as error:
            time, why = math.nan, error.instead_of(", when it wants to be called again")
        else:
            why = ", when it wants to be called again"
        if not time > now:  # true for NaN
            raise errors.InvalidParameterValueError(
                f"callbacks: {shown(callback)} gave {shown(given)}: must be a time after the "
                f"present, {now:g} ms{why}"
            )
        return time

    return call
