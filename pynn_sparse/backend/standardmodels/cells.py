"""PyNN's standard cell types.

Parameters keep PyNN's names and units all the way to the engine's models, which compute from them
what a time step needs; so every translation is by the same name, and loses nothing.
"""

from __future__ import annotations

from typing import Any

from pynn_sparse.network import cells as engine_models

from ...standardmodels import build_translations, cells
from .unavailable import unavailable


def _same_names(cell: Any) -> dict[str, Any]:
    return build_translations(*((name, name) for name in cell.default_parameters))


class IF_curr_exp(cells.IF_curr_exp):
    __doc__ = cells.IF_curr_exp.__doc__
    translations = _same_names(cells.IF_curr_exp)
    model = engine_models.IF_CURR_EXP
    recordable = ["spikes", "v", "isyn_exc", "isyn_inh"]


class IF_curr_alpha(cells.IF_curr_alpha):
    __doc__ = cells.IF_curr_alpha.__doc__
    translations = _same_names(cells.IF_curr_alpha)
    model = engine_models.IF_CURR_ALPHA
    recordable = ["spikes", "v", "isyn_exc", "isyn_inh"]


class IF_curr_delta(cells.IF_curr_delta):
    __doc__ = cells.IF_curr_delta.__doc__
    translations = _same_names(cells.IF_curr_delta)
    model = engine_models.IF_CURR_DELTA


class IF_cond_exp(cells.IF_cond_exp):
    __doc__ = cells.IF_cond_exp.__doc__
    translations = _same_names(cells.IF_cond_exp)
    model = engine_models.IF_COND_EXP


class IF_cond_alpha(cells.IF_cond_alpha):
    __doc__ = cells.IF_cond_alpha.__doc__
    translations = _same_names(cells.IF_cond_alpha)
    model = engine_models.IF_COND_ALPHA


class Izhikevich(cells.Izhikevich):
    __doc__ = cells.Izhikevich.__doc__
    translations = _same_names(cells.Izhikevich)
    model = engine_models.IZHIKEVICH


class SpikeSourceArray(cells.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = _same_names(cells.SpikeSourceArray)
    model = engine_models.SPIKE_SOURCE_ARRAY


class SpikeSourcePoisson(cells.SpikeSourcePoisson):
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = _same_names(cells.SpikeSourcePoisson)
    model = engine_models.SPIKE_SOURCE_POISSON


IF_cond_exp_gsfa_grr = unavailable("IF_cond_exp_gsfa_grr")
IF_facets_hardware1 = unavailable("IF_facets_hardware1")
HH_cond_exp = unavailable("HH_cond_exp")
EIF_cond_exp_isfa_ista = unavailable("EIF_cond_exp_isfa_ista")
EIF_cond_alpha_isfa_ista = unavailable("EIF_cond_alpha_isfa_ista")
GIF_cond_exp = unavailable("GIF_cond_exp")
PointNeuron = unavailable("PointNeuron")
LIF = unavailable("LIF")
AdExp = unavailable("AdExp")
SpikeSourcePoissonRefractory = unavailable("SpikeSourcePoissonRefractory")
SpikeSourceGamma = unavailable("SpikeSourceGamma")
SpikeSourceInhGamma = unavailable("SpikeSourceInhGamma")

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
