"""Neurons composed of a membrane and any receptors; the C++ type is written down here."""

from __future__ import annotations

from ..model import Model
from ..receptors import Placed
from .adaptive_exponential import adaptive_exponential
from .leaky_composed import has_exact_solution, leaky_composed


def composed_lif(receptors: list[Placed]) -> Model:
    """A leaky integrate-and-fire neuron with receptors."""
    if has_exact_solution(receptors):
        name, kind = f"LIF_{len(receptors)}_currents", f"LeakyCurrents<{len(receptors)}>"
    else:
        name, kind = _name("LIF", receptors), f"LeakyComposed<{_kinds(receptors)}>"
    return leaky_composed(name, receptors, _source("leaky_composed.h", name, kind))


def composed_adaptive_exponential(receptors: list[Placed]) -> Model:
    """An adaptive exponential integrate-and-fire neuron with receptors."""
    name, kind = _name("AdExp", receptors), f"AdaptiveExponential<{_kinds(receptors)}>"
    return adaptive_exponential(name, receptors, _source("adaptive_exponential.h", name, kind))


def _name(neuron: str, receptors: list[Placed]) -> str:
    return "_".join([neuron, *(each.kind.name for each in receptors)])


def _kinds(receptors: list[Placed]) -> str:
    return ", ".join(each.kind.name for each in receptors)


def _source(header: str, name: str, kind: str) -> str:
    return f'#include "membranes/{header}"\ntemplate <class real>\nstruct {name} : {kind} {{}};\n'
