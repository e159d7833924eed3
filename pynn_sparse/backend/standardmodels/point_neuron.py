"""PyNN's PointNeuron: a neuron composed of a membrane and receptors."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from pynn_sparse.network import Model
from pynn_sparse.network.cells.composed import composed_adaptive_exponential, composed_lif
from pynn_sparse.network.receptors import Placed

from ... import errors
from ...parameters import ParameterSpace
from ...standardmodels import StandardCellType, build_translations, cells
from ..doors.checked import Checked, Doors, door_of
from . import receptors
from .receptors import LOCATIONS


class LIF(Checked, cells.LIF):
    __doc__ = cells.LIF.__doc__
    translations = build_translations(*((name, name) for name in cells.LIF.default_parameters))
    compose = staticmethod(composed_lif)
    constraints = composed_lif([]).constraints


class AdExp(Checked, cells.AdExp):
    __doc__ = cells.AdExp.__doc__
    translations = build_translations(*((name, name) for name in cells.AdExp.default_parameters))
    compose = staticmethod(composed_adaptive_exponential)
    constraints = composed_adaptive_exponential([]).constraints


class PointNeuron(StandardCellType):
    """A neuron composed of a membrane, LIF or AdExp, and any number of receptors of any names.

    Receptors may be currents and conductances in one neuron. Parameters and variables of a receptor
    have its name in front: `population.set(**{"AMPA.tau_syn": 2.0})`,
    `population.record("AMPA.gsyn")`.

    Raises TypeError for what is not a membrane or receptor of this backend, and ValueError where
    there is no receptor or its name is not an identifier.
    """

    def __init__(self, neuron: Any, **post_synaptic_receptors: Any) -> None:
        _check(neuron, post_synaptic_receptors)
        self.neuron = neuron
        self.post_synaptic_receptors = dict(sorted(post_synaptic_receptors.items()))
        for each in self.post_synaptic_receptors.values():
            each.set_parent(self)
        self.default_parameters = self._combined(lambda part: part.default_parameters)
        self.default_initial_values = self._combined(lambda part: part.default_initial_values)
        self.units = self._combined(lambda part: part.units)
        self.recordable = [*neuron.recordable, *(each.state[0] for each in self._placed())]
        self.translations = build_translations(*((name, name) for name in self.default_parameters))
        self._doors = {
            name: door_of(type(self).__name__, name, self, default)
            for name, default in self.default_parameters.items()
        }
        values = self._combined(lambda part: dict(part.parameter_space.items()))
        self.parameter_space = ParameterSpace(values, self.get_schema(), shape=None)

    def doors(self) -> Doors:
        """What is valid for each parameter."""
        return self._doors

    def _combined(self, of: Any) -> dict[str, Any]:
        """Items of the membrane, and those of the receptors with their names in front."""
        combined = dict(of(self.neuron))
        for label, receptor in self.post_synaptic_receptors.items():
            combined |= {
                f"{label}.{name}": each for name, each in of(receptor).items() if name != LOCATIONS
            }
        return combined

    def _placed(self) -> list[Placed]:
        return [
            Placed.composed(
                label,
                receptor.kind,
                tuple(name for name in receptor.default_parameters if name != LOCATIONS),
            )
            for label, receptor in self.post_synaptic_receptors.items()
        ]

    @property
    def model(self) -> Model:
        """The engine's model, whose kernel is compiled when it is first run."""
        model: Model = type(self.neuron).compose(self._placed())
        return model

    @property
    def receptor_types(self) -> list[str]:
        """Names of the receptors, in alphabetical order."""
        return list(self.post_synaptic_receptors)

    @property
    def conductance_based(self) -> bool:
        """Whether all receptors are conductances; `is_conductance` tells of each."""
        return all(each.conductance_based for each in self.post_synaptic_receptors.values())

    def is_conductance(self, receptor: str) -> bool:
        """Whether weights of a receptor are conductances, in uS, and not currents, in nA."""
        return bool(self.post_synaptic_receptors[receptor].conductance_based)

    def has_parameter(self, name: str) -> bool:
        """Whether there is a parameter of that name."""
        return name in self.default_parameters

    def get_parameter_names(self) -> list[str]:
        """Names of the parameters of the membrane and of the receptors."""
        return list(self.default_parameters)

    def get_schema(self) -> dict[str, type]:
        return dict.fromkeys(self.default_parameters, float)

    def translate(self, parameters: ParameterSpace, copy: bool = True) -> ParameterSpace:
        """The same parameters: names with a dot cannot be evaluated as PyNN's own code does."""
        return deepcopy(parameters) if copy else parameters

    def reverse_translate(self, native_parameters: ParameterSpace) -> ParameterSpace:
        """The same parameters."""
        return native_parameters


def _check(neuron: Any, post_synaptic_receptors: dict[str, Any]) -> None:
    if not hasattr(neuron, "compose"):
        raise TypeError(
            f"PointNeuron: {neuron!r} is not a membrane of pyNN.sparse: must be an instance of LIF "
            "or AdExp"
        )
    if not post_synaptic_receptors:
        raise ValueError("PointNeuron: there is no receptor: give at least one, by its name")
    for name, receptor in post_synaptic_receptors.items():
        if not hasattr(receptor, "kind"):
            raise TypeError(
                f"PointNeuron: {name} = {receptor!r} is not a receptor of pyNN.sparse: must be an "
                f"instance of {', '.join(receptors.__all__)}"
            )
        if not re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", name):
            raise errors.InvalidParameterValueError(
                f"PointNeuron: {name!r}: names of receptors consist of letters, digits and _"
            )
