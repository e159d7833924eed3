"""The attributes of nodes and edges: what their types say, and the rows of their groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SonataError
from .circuit import Part, Value
from .config import read_json
from .hdf5 import integers, is_group, subgroup, values, where
from .types import Types

DYNAMICS = "dynamics_params"
LIBRARY = "@library"
# Elements that differ in one of these are of different models.
MODEL = (
    "model_type model_template receptor_type neuron receptors timing_dependence weight_dependence"
).split()


def read_parts(
    population: Any, element: str, types: Types | None, models: Path | None
) -> tuple[Part, ...]:
    """The parts of a population, which do not overlap and have all of its elements.

    Args:
        population: HDF5 group.
        element: "node" or "edge".
        types: attributes of the types; None if the configuration names no file of them.
        models: folder of the parameter files that types name.

    Raises SonataError for anything that does not fit together.
    """
    type_id = integers(population, f"{element}_type_id")
    n = len(type_id)
    if not n:  # what there would be is in the table of types alone
        return tuple(Part(np.zeros(0, np.int64), dict(each)) for each in (types or {}).values())
    group_id, row = np.zeros(n, np.int64), np.arange(n)
    if f"{element}_group_id" in population:
        group_id = integers(population, f"{element}_group_id", n)
    if f"{element}_group_index" in population:
        row = integers(population, f"{element}_group_index", n)
    parts = []
    groups, which = _distinct(group_id)
    for number, group in enumerate(groups):
        members = np.flatnonzero(which == number) if len(groups) > 1 else np.arange(n)
        columns, dynamics = _columns(population, element, str(group), row[members])
        for index, attributes, parameters in _by_type(
            population, element, members, type_id, types, models
        ):
            own = np.searchsorted(members, index) if len(index) < len(members) else slice(None)
            parts += _by_model(
                index,
                attributes | {name: _at(each, own) for name, each in columns.items()},
                parameters | {name: _at(each, own) for name, each in dynamics.items()},
            )
    return tuple(parts)


def simplified(column: NDArray[Any]) -> Value:
    """One value if all are the same, to the last bit, else the column."""
    if column.ndim > 1 or not len(column):
        return column
    bits = column.view(np.int64) if column.dtype == np.float64 else column
    if column.dtype == object and isinstance(column[0], np.ndarray):
        same = all(np.array_equal(column[0], each) for each in column[1:])
    else:
        same = bool((bits == bits[0]).all())
    if not same:
        return column
    value = column[0]
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _at(value: Value, index: Any) -> Value:
    """The value of some elements; all of them for a slice."""
    if not isinstance(value, np.ndarray) or isinstance(index, slice):
        return value
    return simplified(value[index])


def _distinct(numbers: NDArray[np.int64]) -> tuple[list[int], NDArray[np.int64]]:
    """The numbers that occur, ascending, and which of them each element has.

    Mostly all are the same, which is seen much sooner than `np.unique` sorts.
    """
    if (numbers == numbers[0]).all():
        return numbers[:1].tolist(), np.zeros(len(numbers), np.int64)
    found, which = np.unique(numbers, return_inverse=True)
    return found.tolist(), which


# --- rows of groups ---------------------------------------------------------------------------


def _columns(
    population: Any, element: str, group: str, row: NDArray[np.int64]
) -> tuple[dict[str, Value], dict[str, Value]]:
    """Attributes and parameters of the elements that have these rows of a group."""
    if not is_group(population, group):
        if group in population:
            raise SonataError(f"{where(population)}: {group} must be a group")
        return {}, {}
    table = subgroup(population, group)
    names = [name for name in table if name not in (DYNAMICS, LIBRARY)]
    attributes = {name: _attribute(table, name) for name in names if not is_group(table, name)}
    dynamics = {}
    if is_group(table, DYNAMICS):
        below = subgroup(table, DYNAMICS)
        dynamics = {name: values(below, name) for name in below}
    lengths = {len(each) for each in (*attributes.values(), *dynamics.values())}
    if len(lengths) > 1:
        raise SonataError(
            f"{where(table)}: its data sets have different lengths: {sorted(lengths)}"
        )
    if lengths:
        _check_rows(population, element, group, row, lengths.pop())
    in_order = np.array_equal(row, np.arange(len(row)))
    return tuple(  # type: ignore[return-value]
        {
            name: simplified(_plain(each if in_order else each[row]))
            for name, each in columns.items()
        }
        for columns in (attributes, dynamics)
    )


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """Numbers as float64; vectors as an array of arrays."""
    if column.ndim == 2:
        rows = np.empty(len(column), dtype=object)
        rows[:] = list(column.astype(np.float64))
        return rows
    return column.astype(np.float64) if column.dtype.kind in "iuf" else column


def _attribute(table: Any, name: str) -> NDArray[Any]:
    """A column; strings where the group's library says what its integers stand for."""
    column = values(table, name)
    if not is_group(table, LIBRARY) or name not in subgroup(table, LIBRARY):
        return column
    texts = values(subgroup(table, LIBRARY), name)
    codes = integers(table, name)
    if len(codes) and (codes.min() < 0 or codes.max() >= len(texts)):
        raise SonataError(f"{where(table)}: {name} has numbers that its library does not have")
    return texts[codes]


def _check_rows(population: Any, element: str, group: str, row: NDArray[np.int64], n: int) -> None:
    bad = (row < 0) | (row >= n)
    name = f"{where(population)}/{element}_group_index"
    reason = ""
    if bad.any():
        at = int(np.argmax(bad))
        reason = f"{row[at]} is not a row of group {group}, which has {n}"
    elif len(row) == n and np.bincount(row, minlength=1).max() > 1:
        reason = f"not all of the {n} rows of group {group} are used, and some several times"
    if reason:
        raise SonataError(
            f"{name}: {reason}; pyNN.serialization.export_to_sonata of PyNN 0.13.0 keeps 16 bits "
            "of these numbers, so that the attributes of more than 32,768 are lost; write the "
            "network with pyNN.sparse.to_sonata"
        )


# --- types ------------------------------------------------------------------------------------


def _by_type(
    population: Any,
    element: str,
    members: NDArray[np.int64],
    type_id: NDArray[np.int64],
    types: Types | None,
    models: Path | None,
) -> Iterator[tuple[NDArray[np.int64], dict[str, Value], dict[str, Value]]]:
    """Elements of the same attributes, with their values by type."""
    used, which = _distinct(type_id[members])
    rows = []
    alike: dict[Any, list[int]] = {}
    for number, identifier in enumerate(used):
        if types is not None and identifier not in types:
            raise SonataError(
                f"{where(population)}: {element}_type_id {identifier} is not in the table of "
                f"{element} types"
            )
        attributes = dict(types[identifier]) if types is not None else {}
        attributes.pop("population", None)
        parameters = _parameters(attributes.pop(DYNAMICS, None), models, population)
        rows.append((attributes, parameters))
        alike.setdefault((frozenset(attributes), frozenset(parameters)), []).append(number)
    for numbers in alike.values():
        mine: Any = np.isin(which, numbers) if len(alike) > 1 else slice(None)
        place = np.searchsorted(numbers, which[mine])
        attributes, parameters = (
            {
                name: _by_place([rows[number][kind][name] for number in numbers], place)
                for name in rows[numbers[0]][kind]
            }
            for kind in (0, 1)
        )
        yield members[mine], attributes, parameters


def _parameters(name: Any, models: Path | None, population: Any) -> dict[str, Any]:
    """The parameters in the file that a type names."""
    if name is None:
        return {}
    if models is None or Path(str(name)).name != str(name):
        raise SonataError(
            f"{where(population)}: {DYNAMICS} = {name!r} of a type: must be the name of a file in "
            "the folder of models that the configuration's components name"
        )
    return read_json(models / str(name))


def _by_place(of_types: list[Any], place: NDArray[np.int64]) -> Value:
    first = of_types[0]
    if all(type(each) is type(first) and each == first for each in of_types):
        return first
    numbers = all(isinstance(each, (int, float)) for each in of_types)
    return np.array(of_types, np.float64 if numbers else object)[place]


def _by_model(
    index: NDArray[np.int64], attributes: dict[str, Value], dynamics: dict[str, Value]
) -> list[Part]:
    """One part, or several where elements are of different models."""
    for name in MODEL:
        column = attributes.get(name)
        if isinstance(column, np.ndarray):
            texts = column.astype(str)
            return [
                part
                for text in np.unique(texts)
                for part in _by_model(*_selected(texts == text, index, attributes, dynamics))
            ]
    return [Part(index, attributes, dynamics)]


def _selected(
    which: NDArray[np.bool_],
    index: NDArray[np.int64],
    attributes: dict[str, Value],
    dynamics: dict[str, Value],
) -> tuple[NDArray[np.int64], dict[str, Value], dict[str, Value]]:
    own = np.flatnonzero(which)
    return (
        index[own],
        {name: simplified(each[own]) if isinstance(each, np.ndarray) else each
         for name, each in attributes.items()},
        {name: simplified(each[own]) if isinstance(each, np.ndarray) else each
         for name, each in dynamics.items()},
    )  # fmt: skip
