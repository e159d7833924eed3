"""Files of connections, as `Projection.save` writes them."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import errors
from ...recording import files

INDICES = ("i", "j")
Connections = tuple[NDArray[np.float64], "tuple[str, ...] | None"]


def read_connections(file: Any) -> Connections:
    """Rows of presynaptic index, postsynaptic index and values, and the names of the values.

    `file` is the name of a text file, an open one, or one of PyNN's files; names are None where the
    file has none. Raises ConnectionError for what is not a list of connections.
    """
    name = _name_of(file)
    try:
        rows, names = _contents(file, name)
    except errors.ConnectionError:
        raise
    except Exception as error:  # readers of formats raise what they like
        about = f"{type(error).__name__}: {error}"
        raise errors.ConnectionError(
            f"FromFileConnector: file = {name!r}: must be a file of connections that can be read; "
            f"{about}"
        ) from error
    return _ordered(rows, names, name)


def _name_of(file: Any) -> str:
    return file if isinstance(file, str) else str(getattr(file, "name", "?"))


def _contents(file: Any, name: str) -> Connections:
    """All columns, and the names of all."""
    if isinstance(file, str):
        with open(file, encoding="utf-8") as opened:
            return _from_text(opened, name)
    if isinstance(file, files.StandardTextFile):
        file._check_open()
        file.fileobj.seek(0)
        return _from_text(file.fileobj, name)
    if hasattr(file, "get_metadata"):
        getattr(getattr(file, "fileobj", None), "seek", lambda place: None)(0)
        names = file.get_metadata().get("columns")
        return np.atleast_2d(np.asarray(file.read(), np.float64)), _as_names(names, name)
    if hasattr(file, "seek"):
        file.seek(0)
    return _from_text(file, name)


def _from_text(lines: Iterable[Any], name: str) -> Connections:
    text = [line.decode() if isinstance(line, bytes) else line for line in lines]
    names = None
    for line in text:
        if line.lstrip().startswith("#"):
            names = _header(line.strip(), name) or names
    with warnings.catch_warnings():  # an empty file has no connections
        warnings.filterwarnings("ignore", ".*input contained no data", UserWarning)
        rows = np.loadtxt(text, ndmin=2)
    return rows.reshape(-1, rows.shape[1] if rows.size else 2), names


def _header(line: str, name: str) -> tuple[str, ...] | None:
    """The names of columns in a comment; None in other comments."""
    key, equals, value = line.lstrip("#").partition("=")
    if key.strip() == "columns" and equals:
        try:
            return _as_names(ast.literal_eval(value.strip()), name)
        except (SyntaxError, ValueError) as error:
            raise _bad_header(line, name) from error
    if {"weight", "delay"} & set(key.replace(",", " ").split()):
        raise _bad_header(line, name)
    return None


def _bad_header(line: Any, name: str) -> Exception:
    return errors.ConnectionError(
        f"FromFileConnector: file = {name!r}: names of columns are {str(line)[:80]!r}: must be "
        'written as # columns = ["i", "j", "weight", "delay"]'
    )


def _as_names(value: Any, name: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise _bad_header(value, name)
    names = tuple(value)
    if not all(isinstance(each, str) for each in names) or len(set(names)) < len(names):
        raise _bad_header(value, name)
    return tuple(map(str, names))


def _ordered(rows: NDArray[np.float64], names: tuple[str, ...] | None, name: str) -> Connections:
    """With the indices first, whose names are left out."""
    given = [each for each in INDICES if each in (names or ())]
    if len(given) == 1:
        raise _bad_header(list(names or ()), name)
    if names is not None and not given:
        names = (*INDICES, *names)
    if rows.size == 0:
        return np.zeros((0, 2)), None if names is None else ()
    if rows.ndim != 2 or rows.shape[1] < 2 or len(names or rows[0]) != rows.shape[1]:
        columns = "with i and j first" if names is None else f"{', '.join(names)}"
        raise errors.ConnectionError(
            f"FromFileConnector: file = {name!r} has {rows.shape[-1]} columns: must have a row for "
            f"each connection and the columns {columns}"
        )
    if names is None:
        return rows, None
    order = [names.index(each) for each in INDICES]
    order += [k for k in range(len(names)) if k not in order]
    return rows[:, order], tuple(names[k] for k in order[2:])
