"""The arguments of a projection and of its methods, checked before anything is done."""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import common, errors
from ...connectors import Connector
from ...models import BaseSynapseType
from ..connectors.rule import check_connects
from ..doors.arguments import checked_index
from ..doors.checks import as_choice, did_you_mean
from ..doors.generators import restoring_generators
from ..doors.parameters import shown
from ..populations import Assembly, Population, PopulationView
from ..populations.structures import check_space
from ..standardmodels.synapses import SharedWeights

OWNER = "Projection"
COMBINED = tuple(common.Projection.MULTI_SYNAPSE_OPERATIONS)


def check_arguments(
    pre: Any,
    post: Any,
    connector: Any,
    synapse_type: Any,
    source: Any,
    receptor_type: Any,
    space: Any,
    label: Any,
) -> None:
    """Raise an error that names an argument of a projection, if one is not valid.

    That is ConnectionError for groups of cells and receptors, InvalidModelError for a synapse type
    of another backend, RuntimeError for cells of a network that has been discarded, and TypeError.
    """
    for side, cells in (("pre", pre), ("post", post)):
        _check_cells(f"{side}synaptic_neurons", cells)
    if not isinstance(connector, Connector):
        raise TypeError(
            f"{OWNER}: connector = {shown(connector)}: must be an instance of a Connector, such as "
            "AllToAllConnector()"
        )
    check_connects(connector)
    if synapse_type is not None:
        _check_synapse_type(synapse_type)
    _check_kernel(connector, synapse_type, receptor_type)
    electrical = getattr(synapse_type, "electrical", False)
    _check_source(source, electrical)
    if space is not None:
        check_space(OWNER, space)
    if label is not None and not isinstance(label, str):
        raise TypeError(f"{OWNER}: label = {shown(label)}: must be a string")
    _check_shapes(synapse_type, pre, post)
    if electrical:
        _check_junctions(pre, post, receptor_type)
    elif not getattr(synapse_type, "modulates", False):  # which looks at them itself
        _check_receptor(post, receptor_type)


def _check_cells(name: str, cells: Any) -> None:
    if isinstance(cells, common.IDMixin):
        raise errors.ConnectionError(
            f"{OWNER}: {name} = {shown(cells)}: must be a Population, PopulationView or Assembly; "
            "population[i:i + 1] is a view of one cell"
        )
    if not isinstance(cells, (Population, PopulationView, Assembly)):
        raise errors.ConnectionError(
            f"{OWNER}: {name} = {shown(cells)}: must be a Population, PopulationView or Assembly "
            "of pyNN.sparse"
        )
    for part in parts_of(cells):
        part._check_open()
    if cells.size == 0:
        raise errors.ConnectionError(
            f"{OWNER}: {name} = {cells.label}: has no cells: must have at least one"
        )


def parts_of(cells: Any) -> list[Any]:
    """The populations and views that a group of cells consists of."""
    return list(getattr(cells, "populations", [cells]))


def _check_synapse_type(synapse_type: Any) -> None:
    if not isinstance(synapse_type, BaseSynapseType):
        raise TypeError(
            f"{OWNER}: synapse_type = {shown(synapse_type)}: must be an instance of a synapse "
            "type, such as StaticSynapse(weight=0.1)"
        )
    if not hasattr(synapse_type, "dynamics"):
        kind = type(synapse_type)
        raise errors.InvalidModelError(
            f"{OWNER}: synapse_type = {kind.__module__}.{kind.__name__}: is not a synapse type of "
            "pyNN.sparse: must be one"
        )


def _check_kernel(connector: Any, synapse_type: Any, receptor_type: Any) -> None:
    """A connector with a kernel goes with one synapse type, and has receptors of its own."""
    needed = getattr(connector, "synapse_type", None)
    if needed is None:
        if isinstance(synapse_type, SharedWeights):
            raise errors.ConnectionError(
                f"{OWNER}: connector = {shown(connector)}: must be a "
                f"{type(synapse_type).__name__}Connector for a {type(synapse_type).__name__}"
            )
        return
    if type(synapse_type) is not needed:
        raise errors.ConnectionError(
            f"{OWNER}: synapse_type = {shown(synapse_type)}: must be {needed.__name__}() with a "
            f"{type(connector).__name__}"
        )
    if receptor_type not in (None, "default", connector.positive_receptor_type):
        raise errors.ConnectionError(
            f"{OWNER}: receptor_type = {shown(receptor_type)}: must be None, since the connector "
            "has a positive_receptor_type and a negative_receptor_type"
        )


def _check_source(source: Any, electrical: bool) -> None:
    """Which part of the presynaptic cell signals: cells of one compartment have no choice."""
    if source is None or (electrical and isinstance(source, str) and source.endswith("gap")):
        return
    kind = NotImplementedError if isinstance(source, str) else TypeError
    raise kind(
        f"{OWNER}: source = {shown(source)}: must be None, since pyNN.sparse has no "
        "multicompartmental models"
    )


def _check_receptor(post: Any, receptor_type: Any) -> None:
    if isinstance(post, Assembly) and not post._homogeneous_synapses:
        raise errors.ConnectionError(
            f"{OWNER}: postsynaptic_neurons = {post.label}: must be cells that all have currents "
            "or all conductances as synapses"
        )
    known = list(post.receptor_types)
    if not known:
        raise errors.ConnectionError(
            f"{OWNER}: postsynaptic_neurons = {post.label}: must have receptors, but it consists "
            "of spike sources, which have no receptors, or of cells with no receptor in common"
        )
    if receptor_type is None or (isinstance(receptor_type, str) and receptor_type == "default"):
        return
    if not isinstance(receptor_type, str) or receptor_type not in known:
        raise errors.ConnectionError(
            f"{OWNER}: receptor_type = {shown(receptor_type)}: must be one of "
            f"{', '.join(map(repr, known))} for {post.label}{did_you_mean(receptor_type, known)}"
        )


def _check_shapes(synapse_type: Any, pre: Any, post: Any) -> None:
    """Values of a synapse type are numbers, or arrays with a value for each pair of cells."""
    if synapse_type is None:
        return
    for name, lazy in synapse_type.parameter_space.items():
        shape = np.shape(lazy.base_value) if isinstance(lazy.base_value, np.ndarray) else ()
        if shape not in ((), (pre.size, post.size)):
            raise errors.InvalidDimensionsError(
                f"{type(synapse_type).__name__}: {name} = {shown(lazy.base_value)}: has the shape "
                f"{shape}: must be one value, or an array of shape {(pre.size, post.size)} with a "
                "value for each pair of cells"
            )


def _check_junctions(pre: Any, post: Any, receptor_type: Any) -> None:
    """Gap junctions are between neurons with a membrane potential, and act on it directly."""
    if receptor_type is not None and not str(receptor_type).endswith("gap"):
        raise errors.ConnectionError(
            f"{OWNER}: receptor_type = {shown(receptor_type)}: must be None, since an "
            "ElectricalSynapse has none"
        )
    for ends in (pre, post):
        for part in parts_of(ends):
            if not part.celltype.injectable or "v" not in part.celltype.recordable:
                raise errors.ConnectionError(
                    f"{OWNER}: {part.label}: {type(part.celltype).__name__} has no membrane "
                    "potential and current for an ElectricalSynapse to couple: must have both"
                )


@contextlib.contextmanager
def leaving_no_trace(connector: Any, synapse_type: Any) -> Iterator[None]:
    """Put generators of random numbers, and PyNN's count of projections, back after an error."""
    count = common.Projection._nProj
    laws = [lazy for _, lazy in synapse_type.parameter_space.items()]
    laws.append(getattr(connector, "n", None))
    try:
        with restoring_generators(laws, getattr(connector, "rng", None)):
            yield
    except BaseException:
        common.Projection._nProj = count
        raise


def names_of(owner: str, value: Any) -> list[str]:
    """`attribute_names`, a name or several, as a list; raises TypeError."""
    if isinstance(value, str):
        return [value]
    try:
        names = list(value)
    except TypeError:
        names = [None]
    if not all(isinstance(each, str) for each in names):
        raise TypeError(
            f"{owner}: attribute_names = {shown(value)}: must be the name of an attribute, or a "
            "list of names"
        )
    return names


def check_format(owner: str, value: Any, known: Collection[str]) -> None:
    """Raise ValueError for another format."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(
            f"{owner}: format = {shown(value)}: must be one of {', '.join(map(repr, known))}"
            f"{did_you_mean(value, known)}"
        )


def check_combined(owner: str, value: Any) -> None:
    """What becomes of several synapses between two cells in a matrix."""
    as_choice(f"{owner}: multiple_synapses", value, COMBINED)


def index_of(owner: str, value: Any, n: int) -> Any:
    """The number of a connection, 0 .. n - 1, or a range of numbers for a slice.

    Raises TypeError for anything else, IndexError for a number that no connection has.
    """
    if isinstance(value, slice):
        try:
            return range(*value.indices(n))
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"{owner}[{value}]: must be a slice of integers, with a step that is not 0"
            ) from error
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        i = operator.index(value)
    except TypeError as error:
        raise TypeError(
            f"{owner}[{shown(value)}]: must be the number of a connection, or a slice"
        ) from error
    if not -n <= i < n:
        raise IndexError(f"{owner}[{shown(value)}]: must be the number of one of {n} connections")
    return i % n


def connections_of(owner: str, value: Any, n: int) -> NDArray[np.int64]:
    """Numbers of some of n connections, ascending; of all for None.

    Raises as `checked_index` does, and InvalidDimensionsError where there are none.
    """
    if not n:
        raise errors.InvalidDimensionsError(
            f"{owner}: connections = {shown(value)}: there are none: must be at least one"
        )
    every = np.arange(n)
    if value is None:
        return every
    chosen = checked_index(value, n, f"{owner}: connections", "connections")
    return np.unique(every[chosen])


def check_file(owner: str, value: Any) -> None:
    """The name of a file, or one of PyNN's."""
    named = isinstance(value, (str, os.PathLike)) and str(value)
    if not named and not hasattr(value, "write"):
        raise TypeError(
            f"{owner}: file = {shown(value)}: must be the name of a file, or one of "
            "pyNN.recording.files"
        )
