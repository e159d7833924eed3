"""PyNN's standard cell types.

Parameters keep PyNN's names and units all the way to the engine's models, which compute from them
what a time step needs; so every translation is by the same name, and loses nothing.
"""

from __future__ import annotations

from typing import Any

from pynn_sparse.network import cells as engine_models

from ...standardmodels import build_translations, cells
from ..doors.checked import Checked
from .point_neuron import LIF, AdExp, PointNeuron


def _same_names(cell: Any) -> dict[str, Any]:
    return build_translations(*((name, name) for name in cell.default_parameters))


class _SynapticCurrents:
    """Synaptic currents can be recorded, also by the names that sPyNNaker has for them."""

    recordable = ["spikes", "v", "isyn_exc", "isyn_inh"]
    other_names = {"gsyn_exc": "isyn_exc", "gsyn_inh": "isyn_inh"}

    def can_record(self, variable: str, location: Any = None) -> bool:
        """Whether a variable can be recorded."""
        return location is None and (variable in self.recordable or variable in self.other_names)


class IF_curr_exp(Checked, _SynapticCurrents, cells.IF_curr_exp):
    __doc__ = cells.IF_curr_exp.__doc__
    translations = _same_names(cells.IF_curr_exp)
    model = engine_models.IF_CURR_EXP
    units = {**cells.IF_curr_exp.units, "gsyn_exc": "nA", "gsyn_inh": "nA"}


class IF_curr_alpha(Checked, _SynapticCurrents, cells.IF_curr_alpha):
    __doc__ = cells.IF_curr_alpha.__doc__
    translations = _same_names(cells.IF_curr_alpha)
    model = engine_models.IF_CURR_ALPHA
    units = {**cells.IF_curr_alpha.units, "gsyn_exc": "nA", "gsyn_inh": "nA"}


class IF_curr_delta(Checked, cells.IF_curr_delta):
    __doc__ = cells.IF_curr_delta.__doc__
    translations = _same_names(cells.IF_curr_delta)
    model = engine_models.IF_CURR_DELTA
    weight_unit = "mV"


class IF_cond_exp(Checked, cells.IF_cond_exp):
    __doc__ = cells.IF_cond_exp.__doc__
    translations = _same_names(cells.IF_cond_exp)
    model = engine_models.IF_COND_EXP


class IF_cond_alpha(Checked, cells.IF_cond_alpha):
    __doc__ = cells.IF_cond_alpha.__doc__
    translations = _same_names(cells.IF_cond_alpha)
    model = engine_models.IF_COND_ALPHA


class Izhikevich(Checked, cells.Izhikevich):
    __doc__ = cells.Izhikevich.__doc__
    translations = _same_names(cells.Izhikevich)
    model = engine_models.IZHIKEVICH
    weight_unit = "mV"


class IF_cond_exp_gsfa_grr(Checked, cells.IF_cond_exp_gsfa_grr):
    __doc__ = cells.IF_cond_exp_gsfa_grr.__doc__
    translations = _same_names(cells.IF_cond_exp_gsfa_grr)
    model = engine_models.IF_COND_EXP_GSFA_GRR


class IF_facets_hardware1(Checked, cells.IF_facets_hardware1):
    __doc__ = cells.IF_facets_hardware1.__doc__
    translations = _same_names(cells.IF_facets_hardware1)
    model = engine_models.IF_FACETS_HARDWARE1


class HH_cond_exp(Checked, cells.HH_cond_exp):
    __doc__ = cells.HH_cond_exp.__doc__
    translations = _same_names(cells.HH_cond_exp)
    model = engine_models.HH_COND_EXP
    recordable = [*cells.HH_cond_exp.recordable, "m", "h", "n"]


class EIF_cond_exp_isfa_ista(Checked, cells.EIF_cond_exp_isfa_ista):
    __doc__ = cells.EIF_cond_exp_isfa_ista.__doc__
    translations = _same_names(cells.EIF_cond_exp_isfa_ista)
    model = engine_models.EIF_COND_EXP_ISFA_ISTA


class EIF_cond_alpha_isfa_ista(Checked, cells.EIF_cond_alpha_isfa_ista):
    __doc__ = cells.EIF_cond_alpha_isfa_ista.__doc__
    translations = _same_names(cells.EIF_cond_alpha_isfa_ista)
    model = engine_models.EIF_COND_ALPHA_ISFA_ISTA


class GIF_cond_exp(Checked, cells.GIF_cond_exp):
    __doc__ = cells.GIF_cond_exp.__doc__
    translations = _same_names(cells.GIF_cond_exp)
    model = engine_models.GIF_COND_EXP
    vectors = {
        name: tuple(f"{name}_{k}" for k in range(3))
        for name in ("tau_eta", "tau_gamma", "a_eta", "a_gamma")
    }


class SpikeSourceArray(Checked, cells.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = _same_names(cells.SpikeSourceArray)
    model = engine_models.SPIKE_SOURCE_ARRAY


class SpikeSourcePoisson(Checked, cells.SpikeSourcePoisson):
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = _same_names(cells.SpikeSourcePoisson)
    model = engine_models.SPIKE_SOURCE_POISSON


class SpikeSourcePoissonRefractory(Checked, cells.SpikeSourcePoissonRefractory):
    __doc__ = cells.SpikeSourcePoissonRefractory.__doc__
    translations = _same_names(cells.SpikeSourcePoissonRefractory)
    model = engine_models.SPIKE_SOURCE_POISSON_REFRACTORY


class SpikeSourceGamma(Checked, cells.SpikeSourceGamma):
    __doc__ = cells.SpikeSourceGamma.__doc__
    # A number; PyNN's default is an integer, to which it would round all values down.
    default_parameters = {**cells.SpikeSourceGamma.default_parameters, "alpha": 2.0}
    translations = _same_names(cells.SpikeSourceGamma)
    model = engine_models.SPIKE_SOURCE_GAMMA


class SpikeSourceInhGamma(Checked, cells.SpikeSourceInhGamma):
    __doc__ = cells.SpikeSourceInhGamma.__doc__
    translations = _same_names(cells.SpikeSourceInhGamma)
    model = engine_models.SPIKE_SOURCE_INH_GAMMA


__all__ = [
    "LIF",
    "AdExp",
    "EIF_cond_alpha_isfa_ista",
    "EIF_cond_exp_isfa_ista",
    "GIF_cond_exp",
    "HH_cond_exp",
    "IF_cond_alpha",
    "IF_cond_exp",
    "IF_cond_exp_gsfa_grr",
    "IF_curr_alpha",
    "IF_curr_delta",
    "IF_curr_exp",
    "IF_facets_hardware1",
    "Izhikevich",
    "PointNeuron",
    "SpikeSourceArray",
    "SpikeSourceGamma",
    "SpikeSourceInhGamma",
    "SpikeSourcePoisson",
    "SpikeSourcePoissonRefractory",
]
