"""Names of cell types and synapse types in SONATA files, and what they stand for here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn_sparse.errors import SonataError
from pynn_sparse.interchange.sonata import Part

from ...models import BaseCellType
from ..native import NativeCell
from ..standardmodels import cells, receptors, synapses
from ..standardmodels.point_neuron import PointNeuron

PYNN, OWN, NEST = "pynn", "pynn-sparse", "nest"
VIRTUAL, POINT = "virtual", ("point_neuron", "point_process")
Parameters = dict[str, Any]


# --- cells ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CellModel:
    """What nodes of a template are.

    Attributes:
        make: the cell type, from PyNN's parameters.
        translate: PyNN's parameters and initial values, from those of the file.
        parameters: names that the file may use.
        weight: the file's unit of weights in PyNN's.
        virtual: whether the nodes emit the spikes that a simulation is given.
    """

    make: Callable[[Parameters], Any]
    translate: Callable[[Parameters], tuple[Parameters, Parameters]]
    parameters: frozenset[str]
    weight: float = 1.0
    virtual: bool = False


def describe_cells(celltype: Any) -> dict[str, str]:
    """What the table of node types says of a cell type."""
    name = type(celltype).__name__
    if isinstance(celltype, cells.SpikeSourceArray):
        return {"model_type": VIRTUAL, "model_template": "NULL"}
    schema = OWN if isinstance(celltype, NativeCell) else PYNN
    texts = {"model_type": POINT[0], "model_template": f"{schema}:{name}"}
    if isinstance(celltype, PointNeuron):
        texts["neuron"] = type(celltype.neuron).__name__
        texts["receptors"] = ",".join(
            f"{label}:{type(each).__name__}"
            for label, each in celltype.post_synaptic_receptors.items()
        )
    return texts


def cell_model(part: Part, own: Mapping[str, Any], where: str) -> CellModel:
    """The model of nodes; raises SonataError if it is not supported."""
    kind = part.text("model_type")
    if kind == VIRTUAL:
        return _plain(cells.SpikeSourceArray, virtual=True)
    if kind not in POINT:
        raise SonataError(
            f"{where}: model_type {kind!r} is not supported: must be {VIRTUAL!r} or {POINT[0]!r}"
        )
    schema, _, name = part.text("model_template").partition(":")
    if schema.lower() == PYNN and name == "PointNeuron":
        return _composed(part, where)
    found = getattr(cells, name, None) if name in cells.__all__ else None
    if schema.lower() == PYNN and isinstance(found, type) and issubclass(found, BaseCellType):
        return _plain(found)
    if schema == OWN:
        if not (isinstance(own.get(name), type) and issubclass(own[name], NativeCell)):
            raise SonataError(
                f"{where}: the cell type {name!r} is not PyNN's; give it as cell_types="
                f"{{{name!r}: ...}}, made by native_cell_type or nestml_cell_type"
            )
        return _plain(own[name])
    if schema.lower() == NEST and name in NEST_MODELS:
        return NEST_MODELS[name]
    raise SonataError(
        f"{where}: model_template {part.text('model_template')!r} is not supported: must be "
        f"'pynn:' with one of PyNN's cell types, or 'nest:' with one of {', '.join(NEST_MODELS)}"
    )


def _same(parameters: Parameters) -> tuple[Parameters, Parameters]:
    return parameters, {}


def _plain(kind: Any, virtual: bool = False) -> CellModel:
    names = frozenset(kind.default_parameters)
    return CellModel(lambda given: kind(**given), _same, names, virtual=virtual)


def _composed(part: Part, where: str) -> CellModel:
    membranes = {each.__name__: each for each in (cells.LIF, cells.AdExp)}
    kinds = {name: getattr(receptors, name) for name in receptors.__all__}
    placed = [each.partition(":")[::2] for each in part.text("receptors").split(",")]
    if part.text("neuron") not in membranes or not all(kind in kinds for _, kind in placed):
        raise SonataError(
            f"{where}: a PointNeuron must have a neuron, {' or '.join(membranes)}, and receptors "
            f"as NAME:TYPE,..., of the types {', '.join(kinds)}"
        )

    def make(given: Parameters) -> Any:
        neuron = PointNeuron(
            membranes[part.text("neuron")](), **{label: kinds[kind]() for label, kind in placed}
        )
        for name, value in given.items():
            neuron.parameter_space.update(**{name: value})
        return neuron

    return CellModel(make, _same, frozenset(make({}).default_parameters))


NEST_POTENTIAL = "V_m"  # in mV, at first
# NEST's defaults, where a file leaves a parameter out.
_IAF = {"E_L": -70.0, "C_m": 250.0, "tau_m": 10.0, "t_ref": 2.0, "V_th": -55.0} | {
    "V_reset": -70.0,
    "I_e": 0.0,
}
_SYN = {"tau_syn_ex": 2.0, "tau_syn_in": 2.0}
_COND = {"E_L": -70.0, "C_m": 250.0, "g_L": 16.6667, "t_ref": 2.0, "V_th": -55.0} | {
    "V_reset": -60.0,
    "I_e": 0.0,
    "E_ex": 0.0,
    "E_in": -85.0,
}


def _from_nest(defaults: Parameters) -> Callable[[Parameters], tuple[Parameters, Parameters]]:
    """PyNN's parameters and initial values from NEST's, in pF, pA and nS."""

    def translate(given: Parameters) -> tuple[Parameters, Parameters]:
        p = defaults | given
        values = {
            "v_rest": p["E_L"],
            "cm": p["C_m"] / 1000.0,
            "tau_m": p["tau_m"] if "tau_m" in p else p["C_m"] / p["g_L"],
            "tau_refrac": p["t_ref"],
            "v_thresh": p["V_th"],
            "v_reset": p["V_reset"],
            "i_offset": p["I_e"] / 1000.0,
        }
        for name, own in (("ex", "E"), ("in", "I")):
            if f"tau_syn_{name}" in p:
                values[f"tau_syn_{own}"] = p[f"tau_syn_{name}"]
            if f"E_{name}" in p:
                values[f"e_rev_{own}"] = p[f"E_{name}"]
        # NEST keeps the potential of iaf_psc relative to E_L, and that of iaf_cond absolute.
        at_first = p["E_L"] if "tau_m" in p else -70.0
        return values, {"v": p.get(NEST_POTENTIAL, at_first)}

    return translate


def _nest(kind: Any, defaults: Parameters, weight: float) -> CellModel:
    names = frozenset(defaults) | {NEST_POTENTIAL}
    return CellModel(lambda given: kind(**given), _from_nest(defaults), names, weight)


NEST_MODELS = {
    "iaf_psc_alpha": _nest(cells.IF_curr_alpha, _IAF | _SYN, 1e-3),
    "iaf_psc_exp": _nest(cells.IF_curr_exp, _IAF | _SYN, 1e-3),
    "iaf_psc_delta": _nest(cells.IF_curr_delta, _IAF, 1.0),
    "iaf_cond_alpha": _nest(
        cells.IF_cond_alpha, _COND | {"tau_syn_ex": 0.2, "tau_syn_in": 2.0}, 1e-3
    ),
    "iaf_cond_exp": _nest(cells.IF_cond_exp, _COND | {"tau_syn_ex": 0.2, "tau_syn_in": 2.0}, 1e-3),
}


# --- synapses ---------------------------------------------------------------------------------

NEST_STATIC = ("static_synapse", "nest:static_synapse")
NEST_DELAY = 1.0  # ms, NEST's where a file says none
FRACTION = "dendritic_delay_fraction"
OF_STDP = ("timing_dependence", "weight_dependence")


def describe_synapses(synapse_type: Any, receptor: str | None) -> dict[str, Any]:
    """What the table of edge types says of a synapse type; SONATA has a weight for each edge."""
    shared = isinstance(synapse_type, synapses.SharedWeights)
    kind = synapses.StaticSynapse if shared else type(synapse_type)
    if getattr(synapses, kind.__name__, None) is not kind:
        raise SonataError(
            f"synapse_type = {kind.__name__}: is none of PyNN's: must be one of these to be written"
        )
    if synapse_type.dynamics is not None and synapse_type.dynamics.modulation is not None:
        raise SonataError(
            f"synapse_type = {kind.__name__}: is modulated by Neuromodulation, which SONATA does "
            "not have: must be without it to be written"
        )
    described = {"model_template": f"{PYNN}:{kind.__name__}"}
    if receptor is not None:
        described["receptor_type"] = receptor
    if isinstance(synapse_type, synapses.STDPMechanism):
        described |= {name: type(getattr(synapse_type, name)).__name__ for name in OF_STDP}
    return described


def synapse_type(part: Part, shared: Parameters, where: str) -> Any:
    """The synapse type of edges, with the parameters that all of them share.

    Raises SonataError if it is not supported.
    """
    template = part.text("model_template")
    if not template or template in NEST_STATIC:
        return synapses.StaticSynapse()
    schema, _, name = template.partition(":")
    kind: Any = getattr(synapses, name, None) if name in synapses.__all__ else None
    if schema.lower() != PYNN or not hasattr(kind, "dynamics"):
        raise SonataError(
            f"{where}: model_template {template!r} is not supported: must be 'static_synapse', or "
            "'pynn:' with one of PyNN's synapse types"
        )
    if kind is not synapses.STDPMechanism:
        return kind(**_known(kind, shared))
    rules: list[Any] = [getattr(synapses, part.text(of) or "__all__", None) for of in OF_STDP]
    if not all(hasattr(each, "possible_models") for each in rules):
        raise SonataError(
            f"{where}: must have PyNN's rules as {' and '.join(OF_STDP)}, not "
            f"{', '.join(repr(part.text(of)) for of in OF_STDP)}"
        )
    timing, weight = (rule(**_known(rule, shared)) for rule in rules)
    return synapses.STDPMechanism(
        timing, weight, dendritic_delay_fraction=shared.get(FRACTION, 1.0)
    )


def _known(kind: Any, shared: Parameters) -> Parameters:
    return {name: each for name, each in shared.items() if name in kind.default_parameters}


def check_parameters(given: Parameters, known: Any, where: str) -> None:
    """Raise SonataError for a parameter that the model does not have, or that is not a number."""
    for name, value in given.items():
        if name not in known:
            raise SonataError(
                f"{where}: the model has no parameter {name!r}; it has {', '.join(sorted(known))}"
            )
        if isinstance(value, str) or np.asarray(value).dtype.kind in "USb":
            raise SonataError(f"{where}: {name} = {value!r}: must be numbers")
