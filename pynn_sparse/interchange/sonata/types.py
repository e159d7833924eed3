"""Tables of node types and edge types: text, columns separated by spaces."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import SonataError
from .config import BYTES_OF_JSON, require_memory, require_plain

ABSENT = ("", "NONE", "NULL", "None", "NaN", "nan")  # as various programs write it
Types = dict[int, dict[str, Any]]  # type id -> attributes


def read_types(path: Path, element: str) -> Types:
    """The attributes of each type; numbers where they look like numbers.

    Args:
        path: of the table.
        element: "node" or "edge".

    Raises SonataError for a table without ids, and for an id that is there twice.
    """
    require_plain(path)
    require_memory(path.stat().st_size * BYTES_OF_JSON, path)
    key = f"{element}_type_id"
    types: Types = {}
    try:
        lines = (line.strip() for line in path.read_text("utf-8").splitlines())
        rows = list(csv.reader(filter(None, lines), delimiter=" ", skipinitialspace=True))
    except (OSError, ValueError, csv.Error) as error:
        raise SonataError(f"{path}: not a table of {element} types: {error}") from error
    if not rows or key not in rows[0]:
        raise SonataError(f"{path}: the first line must have a column {key}")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise SonataError(
                f"{path}: row {number} has {len(row)} columns, the first one {len(rows[0])}"
            )
        values = {n: _cast(v) for n, v in zip(rows[0], row, strict=True) if v not in ABSENT}
        identifier = values.pop(key, None)
        if not isinstance(identifier, int) or identifier in types:
            raise SonataError(
                f"{path}: {key} = {identifier!r} in row {number}: must be an integer that occurs "
                "once"
            )
        types[identifier] = values
    return types


def _cast(text: str) -> Any:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if math.isfinite(value) else text
    return text


def types_table(rows: Sequence[dict[str, Any]]) -> str:
    """The text of a table; each row has its type id, and values of the same columns."""
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, list(rows[0]), delimiter=" ", lineterminator="\n")
    table.writeheader()
    table.writerows(
        {name: "NULL" if value is None else value for name, value in row.items()} for row in rows
    )
    return buffer.getvalue()
