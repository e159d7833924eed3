"""Cell types defined in NESTML; `pyNN.nest` has a module of this name and purpose, too."""

from __future__ import annotations

import os

import quantities as pq

from pynn_sparse.errors import ModelError
from pynn_sparse.interchange.nestml import read_model
from pynn_sparse.interchange.nestml.units import DIMENSIONLESS

from .doors.parameters import shown
from .native import NativeCell, cell_type, checked_kind, checked_tolerance


def nestml_cell_type(
    name: str | os.PathLike[str],
    nestml_description: str | os.PathLike[str] | None = None,
    *,
    tolerance: float = 1e-6,
    conductance_based: bool | None = None,
) -> type[NativeCell]:
    """The cell type of a neuron model in NESTML, compiled for the device at hand when first run.

    Either `nestml_cell_type(file)`, or `nestml_cell_type(name, file)` as with `pyNN.nest`, for a
    file of several models. Needs pynestml: `pip install 'pynn-sparse[nestml]'`.

    Parameters and state variables have the names of the model, and the units in which NEST keeps
    them: ms, mV, pA, nS, pF. Weights and injected currents are PyNN's: 1 nA or uS is 1000 in the
    model, as on `pyNN.nest`. Initial values are computed from the parameters of the cells.

    Args:
        name: of the model; or, alone, what `nestml_description` is.
        nestml_description: path of a file, or the text of models.
        tolerance: absolute and relative, of the adaptive integration of equations that are not
            solved exactly, in the units of the state variables.
        conductance_based: whether weights are conductances, and so positive; if not, those of the
            receptor "inhibitory" are negative. By default, as on `pyNN.nest`, they are
            conductances if the name of a state variable or kernel begins with "g".

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: without pynestml.
        pynn_sparse.errors.ModelError: it is not a model; a ValueError, with pynestml's messages.
        NotImplementedError: something in it is not supported. Both name file and line.
    """
    for option, value in (("name", name), ("nestml_description", nestml_description)):
        if not isinstance(value, (str, os.PathLike)) and (value is not None or option == "name"):
            raise ModelError(
                f"nestml_cell_type: {option} = {shown(value)}: must be a string, or a path"
            )
    tolerance = checked_tolerance("nestml_cell_type", tolerance)
    if conductance_based is not None:
        conductance_based = checked_kind("nestml_cell_type", conductance_based)
    alone = nestml_description is None
    source = os.fspath(name if nestml_description is None else nestml_description)
    wanted = None if alone else os.fspath(name)
    model = read_model(source, wanted, tolerance, conductance_based)
    return cell_type(
        model.definition,
        model.defaults,
        {name: _known(unit) for name, unit in model.units.items()},
        initial=model.initial,
        conductance_based=model.conductance_based,
        injectable=model.injectable,
    )


def _known(unit: str) -> str:
    """A unit that signals can have; units that are not known there are left out."""
    try:
        pq.Quantity(1.0, unit)
    except LookupError:
        return DIMENSIONLESS
    return unit
