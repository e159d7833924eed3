"""Cell and synapse types defined in NESTML; `pyNN.nest` has a module of this name, too."""

from __future__ import annotations

import os
from typing import Any

import quantities as pq

from pynn_sparse.errors import ModelError
from pynn_sparse.interchange.nestml import read_model, read_synapse
from pynn_sparse.interchange.nestml.units import DIMENSIONLESS

from .doors.parameters import shown
from .native import NativeCell, are_names, cell_type, checked_kind, checked_tolerance
from .native_synapses import NativeSynapse, synapse_type


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
    source, wanted = _source("nestml_cell_type", name, nestml_description)
    tolerance = checked_tolerance("nestml_cell_type", tolerance)
    if conductance_based is not None:
        conductance_based = checked_kind("nestml_cell_type", conductance_based)
    model = read_model(source, wanted, tolerance, conductance_based)
    return cell_type(
        model.definition,
        model.defaults,
        {name: _known(unit) for name, unit in model.units.items()},
        initial=model.initial,
        conductance_based=model.conductance_based,
        injectable=model.injectable,
    )


def nestml_synapse_type(
    name: str | os.PathLike[str],
    nestml_description: str | os.PathLike[str] | None = None,
    *,
    limits: tuple[str, str] | None = None,
) -> type[NativeSynapse]:
    """The synapse type of a model in NESTML, compiled for the device at hand when first run.

    Either `nestml_synapse_type(file)`, or `nestml_synapse_type(name, file)` for a file of several
    models. Needs pynestml: `pip install 'pynn-sparse[nestml]'`.

    The variable that the model emits is PyNN's `weight`; it, and its limits, are in the unit of
    the projection's weights, without sign. Other parameters have the names of the model, or one
    with a `_` behind it where that is a word of Python, such as `lambda_`, and the units in which
    NEST keeps them. Variables with equations decay exactly between spikes. Of spikes that come to
    the synapse together, the target's is first.

    Args:
        name: of the model; or, alone, what `nestml_description` is.
        nestml_description: path of a file, or the text of models.
        limits: the parameters between which the weight stays; by default Wmin and Wmax.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: without pynestml.
        pynn_sparse.errors.ModelError: it is no synapse model; a ValueError.
        NotImplementedError: something in it is not supported, such as a third port, continuous
            input, random numbers, or equations that are no decays. Both name file and line.
    """
    source, wanted = _source("nestml_synapse_type", name, nestml_description)
    if limits is not None and not are_names(limits):
        raise ModelError(
            f"nestml_synapse_type: limits = {shown(limits)}: must be the names of two parameters"
        )
    model = read_synapse(source, wanted, None if limits is None else tuple(limits))
    known = {each: _known(unit) for each, unit in model.units.items()}
    units = {each: unit for each, unit in known.items() if each in model.defaults}
    for each in model.definition.limits:
        units.pop(each, None)  # as those of weights, they depend on the targets
    states = {each: unit for each, unit in known.items() if each in model.definition.state}
    return synapse_type(model.definition, model.defaults, units, states)


def _source(function: str, name: Any, description: Any) -> tuple[str, str | None]:
    """A file or text, and the name of the model in it, if it is given."""
    for option, value in (("name", name), ("nestml_description", description)):
        if not isinstance(value, (str, os.PathLike)) and (value is not None or option == "name"):
            raise ModelError(f"{function}: {option} = {shown(value)}: must be a string, or a path")
    if description is None:
        return os.fspath(name), None
    return os.fspath(description), os.fspath(name)


def _known(unit: str) -> str:
    """A unit that signals can have; units that are not known there are left out."""
    try:
        pq.Quantity(1.0, unit)
    except LookupError:
        return DIMENSIONLESS
    return unit
