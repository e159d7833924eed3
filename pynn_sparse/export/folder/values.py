"""Values of JSON as what a type says that they are."""

from __future__ import annotations

import math
import types
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ..errors import DamagedTablesError

Kind = TypeVar("Kind")


def value_of(kind: Any, data: Any, where: str) -> Any:
    """A value of JSON, of a type: int, float, str, bool, None, a list, a union or a dataclass.

    Args:
        kind: the type, such as ``list[int]``.
        data: what JSON has.
        where: it is, for the error.

    Raises `DamagedTablesError` where it is of another type.
    """
    if isinstance(kind, types.UnionType):
        of = type(None) if data is None else next(a for a in get_args(kind) if a is not type(None))
        return value_of(of, data, where)
    if get_origin(kind) is dict:
        return value_of(dict, data, where)
    if get_origin(kind) is list:
        (each,) = get_args(kind)
        listed = value_of(list, data, where)
        return [value_of(each, one, f"{where}[{number}]") for number, one in enumerate(listed)]
    if hasattr(kind, "__dataclass_fields__"):
        return _dataclass(kind, data, where)
    accepted = (int, float) if kind is float else kind
    if not isinstance(data, accepted) or (isinstance(data, bool) and kind is not bool):
        raise DamagedTablesError(f"{where} = {_shown(data)}: must be of type {kind.__name__}")
    if kind is float and not math.isfinite(data):
        raise DamagedTablesError(f"{where} = {data}: must be finite")
    return data


def part_of(data: Any, name: str, kind: Any, where: str) -> Any:
    """What an object of JSON has by a name; errors are those of `value_of`."""
    parts = value_of(dict, data, where)
    if name not in parts:
        raise DamagedTablesError(f"{where}: {name} is missing")
    return value_of(kind, parts[name], f"{where}: {name}")


def _dataclass(kind: type[Kind], data: Any, where: str) -> Kind:
    parts, known = value_of(dict, data, where), {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    for name in parts:
        if name not in known:
            raise DamagedTablesError(f"{where}: {_shown(name)} is unknown")
    hints = get_type_hints(kind)
    values = {}
    for name, each in known.items():
        if name in parts:
            values[name] = value_of(hints[name], parts[name], f"{where}.{name}")
        elif each.default is MISSING:
            raise DamagedTablesError(f"{where}: {name} is missing")
    return kind(**values)


def _shown(data: Any) -> str:
    text = repr(data)
    return text if len(text) < 60 else f"{text[:57]}..."
