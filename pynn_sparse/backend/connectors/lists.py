"""Connectors that are given each connection: as a list, a file, a matrix or a set."""

from __future__ import annotations

import os
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ... import common, errors
from ... import connectors as upstream
from ...random import RandomDistribution
from ..doors.checks import as_flag, check_names
from ..doors.parameters import shown
from ..doors.plain import NotNumbersError, as_array, has_items
from ..synapses.values import at_pairs
from .files import read_connections
from .rule import Rule

FRACTION = "dendritic_delay_fraction"
DEFAULT_COLUMNS = ("weight", "delay")


def _rows(name: str, value: Any) -> NDArray[np.float64]:
    """A list of connections as an array [n, number of columns]."""
    must = "a list of (presynaptic index, postsynaptic index, values ...) for each connection"
    try:
        if not has_items(value):
            raise NotNumbersError(f"it is of type {type(value).__name__}")
        rows = as_array(value)
    except NotNumbersError as error:
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(value)}: must be {error.instead_of(must)}"
        ) from error
    if rows.size == 0:
        return np.zeros((0, 2))
    if rows.ndim != 2 or rows.shape[1] < 2:
        raise errors.InvalidDimensionsError(
            f"{name} = {shown(value)}: must be {must}; it has the shape {rows.shape}"
        )
    return rows


def _column_names(name: str, value: Any) -> tuple[str, ...] | None:
    """Names of the columns after the two indices."""
    if value is None:
        return None
    if isinstance(value, str) or not has_items(value):
        raise TypeError(f"{name} = {shown(value)}: must be a tuple of names of parameters")
    names = tuple(value)
    for each in names:
        if not isinstance(each, str):
            raise TypeError(f"{name} = {shown(value)}: must be a tuple of names of parameters")
    if len(set(names)) < len(names):
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(value)}: must be different names, each once"
        )
    return tuple(map(str, names))


def named_columns(
    owner: str, rows: NDArray[np.float64], names: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Names of the columns after the two indices; PyNN's default where there are none.

    Raises ValueError if there are not so many, TypeError if there must be names.
    """
    n = rows.shape[1] - 2
    if names is None:
        if n == 0:
            return ()
        if n != len(DEFAULT_COLUMNS):
            raise TypeError(
                f"{owner}: column_names must be given for connections with {n} values each, such "
                f"as {('weight', 'delay', 'U')[:n]!r}; without, they are {DEFAULT_COLUMNS!r}"
            )
        return DEFAULT_COLUMNS
    if len(names) != n and len(rows):
        raise ValueError(
            f"{owner}: column_names = {names!r}: must name the {n} values that follow the two "
            "indices of each connection"
        )
    return names


class Listed(Rule):
    """A connector that is given its connections, which go column by column."""

    def rows(self, projection: Any) -> None:
        """These are made column by column."""


class FromListConnector(Listed, upstream.FromListConnector):
    """Makes the connections of a list.

    Arguments:
        conn_list: a list of tuples, or an array [n, number of columns]: for each connection the
            presynaptic index, the postsynaptic index, both counted from 0, and values of
            parameters. Two rows with the same indices make two connections. Parameters without a
            column are those of the synapse type.
        column_names: names of the parameters, for n != 0 or 2 of them; 'weight' (nA, uS or mV, as
            the target takes it) and 'delay' (ms) if not given.
        safe: if False, signs of weights are not checked.
        callback: a function that is called with the fraction that is done.

    Raises TypeError, InvalidDimensionsError, InvalidParameterValueError or ValueError for what is
    no such list, when it is given; ConnectionError, when a projection is made, for an index that no
    cell has, and NonExistentParameterError for a name that the synapse type does not have.
    """

    arguments: ClassVar = {"conn_list": _rows, "column_names": _column_names}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = self._checked(args, kwargs)
        rows = given["conn_list"]
        names = named_columns(type(self).__name__, rows, given.get("column_names"))
        upstream.FromListConnector.__init__(self, **given | {"column_names": names})
        self.conn_list, self.column_names = rows, names

    def expected(self, n_pre: int, n_post: int) -> float:
        """As many as there are rows."""
        return float(len(self.conn_list))

    def by_column(self, projection: Any) -> None:
        """Make the connections of the list, if all its indices are those of cells."""
        make_connections(self, projection, self.conn_list, self.column_names)


def make_connections(
    connector: Any, projection: Any, rows: NDArray[np.float64], names: tuple[str, ...]
) -> None:
    """Make the connections of rows of indices and named values."""
    synapse = projection.synapse_type
    check_names(names, type(synapse).__name__, synapse.get_parameter_names())
    rows, names = _without_fraction(rows, names, projection)
    _check_indices(rows, projection)
    if not len(rows):
        return
    parameters = dict(connector._parameters_from_synapse_type(projection).items())
    for name in names:
        parameters.pop(synapse.translations[name]["translated_name"], None)
    rows = rows[np.argsort(rows[:, 1], kind="stable")]
    source, target = (rows[:, k].astype(np.int64) for k in (0, 1))
    counts = np.bincount(target, minlength=projection.shape[1])
    values = dict(zip(names, np.ascontiguousarray(rows[:, 2:].T), strict=True))
    for name, lazy in list(parameters.items()):
        if isinstance(lazy.base_value, RandomDistribution):
            values[name] = _drawn(projection.label, name, parameters.pop(name), source, counts)
    connector._connect_columns(projection, source, counts, parameters, values)
    if connector.callback:
        for each in np.flatnonzero(counts).tolist():
            connector.callback(each / projection.shape[1])


def _without_fraction(
    rows: NDArray[np.float64], names: tuple[str, ...], projection: Any
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Without the parameter that has one value for a projection, which `save` writes, too.

    Raises ConnectionError where it has another value.
    """
    if FRACTION not in names:
        return rows, names
    column, own = 2 + names.index(FRACTION), projection.synapse_type.dendritic_delay_fraction
    other = rows[rows[:, column] != own, column] if len(rows) else rows[:, 0]
    if len(other):
        raise errors.ConnectionError(
            f"{projection.label}: {FRACTION} = {other[0]:g} in the list of connections: must be "
            f"that of the synapse type, {own:g}, since a projection has one"
        )
    kept = [k for k in range(rows.shape[1]) if k != column]
    return rows[:, kept], tuple(name for name in names if name != FRACTION)


def _drawn(
    label: str, name: str, lazy: Any, source: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Random values that the list does not have; upstream draws the same ones for each target."""
    parts, begin = [np.zeros(0)], 0
    for target in np.flatnonzero(counts).tolist():
        part = slice(begin, begin := begin + int(counts[target]))
        parts.append(np.asarray(at_pairs(label, name, deepcopy(lazy), source[part], target)))
    return np.concatenate(parts)


def _check_indices(rows: NDArray[np.float64], projection: Any) -> None:
    """Raise ConnectionError for an index that no cell has; upstream drops some of these."""
    for column, (ends, size) in enumerate(zip(("pre", "post"), projection.shape, strict=True)):
        index = rows[:, column]
        bad = index[~((index >= 0) & (index < size) & (index == np.floor(index)))]
        if len(bad):
            raise errors.ConnectionError(
                f"{ends}synaptic index {bad[0]:g} in the list of connections of "
                f"{projection.label}: must be an integer from 0 to {size - 1}"
            )


def _file(name: str, value: Any) -> Any:
    """The name of a file, or an open file."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    readable = any(hasattr(value, each) for each in ("read", "get_metadata"))
    if not (isinstance(value, str) or readable) or isinstance(value, type):
        raise TypeError(f"{name} = {shown(value)}: must be the name of a file, or an open file")
    if value == "":
        raise errors.InvalidParameterValueError(f"{name} = '': must be the name of a file")
    return value


class FromFileConnector(FromListConnector, upstream.FromFileConnector):
    """Makes the connections of a file, such as `Projection.save` writes.

    Arguments:
        file: name of a text file, a text file that is open, or one of PyNN's files
            (pyNN.recording.files). Each line has the values of one connection; columns are named by
            a line like `# columns = ["i", "j", "weight", "delay"]`, where i and j are the pre- and
            the postsynaptic index. Without such a line they are these four, or i and j only.
        distributed: if True, the file of this process is read: `file` with .0 at the end.
        safe, callback: as for FromListConnector.

    The file is read when a projection is made. Raises what FromListConnector raises, and
    ConnectionError for a file that cannot be read or is not a list of connections.
    """

    arguments: ClassVar = {"file": _file, "distributed": as_flag}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = self._checked(args, kwargs)
        upstream.Connector.__init__(
            self, **{name: given[name] for name in ("safe", "callback") if name in given}
        )
        self.file, self.distributed = given["file"], given.get("distributed", False)

    def expected(self, n_pre: int, n_post: int) -> float:
        """It is not known before the file is read."""
        return 0.0

    def by_column(self, projection: Any) -> None:
        """Read the file and make its connections."""
        file = f"{self.file}.0" if self.distributed and isinstance(self.file, str) else self.file
        self.conn_list, names = read_connections(file)
        self.column_names = named_columns(f"FromFileConnector: {file}", self.conn_list, names)
        make_connections(self, projection, self.conn_list, self.column_names)


def _matrix(name: str, value: Any) -> NDArray[np.bool_]:
    """A Boolean matrix; 0 and 1 stand for False and True."""
    must = "a Boolean matrix, presynaptic x postsynaptic, or one of 0 and 1"
    try:
        if not has_items(value):
            raise NotNumbersError(f"it is of type {type(value).__name__}")
        if np.ma.is_masked(value):
            raise NotNumbersError("some are masked")
        array = np.asarray(value)
        if array.dtype != bool:
            array = as_array(value if array.dtype.kind != "O" else array.tolist())
    except (NotNumbersError, ValueError) as error:
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(value)}: must be {must} ({error})"
        ) from error
    if array.ndim != 2 or not np.isin(array, (0, 1)).all():
        raise errors.ConnectionError(
            f"{name} = {shown(value)}: must be {must}; its shape is {array.shape}"
        )
    return array.astype(bool)


class ArrayConnector(Listed, upstream.ArrayConnector):
    """Connects the pairs of cells for which a matrix [presynaptic, postsynaptic] is True, or 1."""

    arguments: ClassVar = {"array": _matrix}

    def expected(self, n_pre: int, n_post: int) -> float:
        """As many as are True."""
        return float(self.array.sum())

    def by_column(self, projection: Any) -> None:
        """Connect where the matrix is True, or 1; upstream takes numbers for indices."""
        if self.array.shape != projection.shape:
            raise errors.ConnectionError(
                f"ArrayConnector: array has the shape {self.array.shape}: must be a Boolean matrix "
                f"of shape {projection.shape} for {projection.label}"
            )
        self._standard_connect(projection, lambda: iter(self.array.T))


def _connection_set(name: str, value: Any) -> Any:
    """A connection set of the package csa, with no values or with weights and delays."""
    if not isinstance(value, upstream.csa.csaobject.CSAObject):
        raise TypeError(f"{name} = {shown(value)}: must be a connection set of the package csa")
    arity = upstream.csa.arity(value)
    if arity not in (0, 2):
        raise errors.InvalidParameterValueError(
            f"{name} has {arity} values for each connection: must have none, or weight and delay"
        )
    return value


class CSAConnector(Listed, upstream.CSAConnector):
    __doc__ = upstream.CSAConnector.__doc__
    arguments: ClassVar = {"cset": _connection_set} if upstream.haveCSA else {}

    def expected(self, n_pre: int, n_post: int) -> float:
        """It is not known before the set is enumerated."""
        return 0.0

    def by_column(self, projection: Any) -> None:
        """Make the connections of a connection set, with the values that it has, if it has any."""
        csa = upstream.csa
        n_pre, n_post = projection.shape
        finite = csa.cross((0, n_pre - 1), (0, n_post - 1)) * self.cset
        if csa.arity(self.cset) == 0:
            pairs = np.array(list(finite), np.int64).reshape(-1, 2)
            columns = (pairs[pairs[:, 1] == j, 0] for j in range(n_post))
            self._standard_connect(projection, lambda: columns)
            return
        for i, j, weight, delay in finite:
            projection._convergent_connect(np.array([i]), j, weight=weight, delay=delay)


def _projection(name: str, value: Any) -> Any:
    if not isinstance(value, common.Projection) or not hasattr(value, "_pre_ids"):
        raise TypeError(f"{name} = {shown(value)}: must be a Projection of pyNN.sparse")
    return value


class CloneConnector(Listed, upstream.CloneConnector):
    """Connects cells as another projection does, between the same groups of cells.

    Where that one has several connections between two cells, so has this.
    """

    arguments: ClassVar = {"reference_projection": _projection}

    def expected(self, n_pre: int, n_post: int) -> float:
        """As many as that projection has."""
        return float(len(self.reference_projection))

    def by_column(self, projection: Any) -> None:
        """Connect the pairs of cells that the other projection connects."""
        other = self.reference_projection
        if (projection.pre, projection.post) != (other.pre, other.post):
            ends = (f"{each.pre.label} and {each.post.label}" for each in (other, projection))
            reference, own = ends
            raise errors.ConnectionError(
                f"CloneConnector: reference_projection = {other.label}: connects {reference}; must "
                f"have the same pre and post as {projection.label}, {own}"
            )
        self._standard_connect(projection, lambda: iter(sources_of(other)))


def sources_of(projection: Any) -> list[NDArray[np.int64]]:
    """The presynaptic indices of each postsynaptic cell of a projection."""
    found = projection.get([], "columns")
    target = found["postsynaptic_index"]
    ends = np.cumsum(np.bincount(target, minlength=projection.shape[1]))[:-1]
    return np.split(found["presynaptic_index"][np.argsort(target, kind="stable")], ends)
