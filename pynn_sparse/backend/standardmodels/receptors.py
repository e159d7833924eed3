"""PyNN's post-synaptic receptors, which a PointNeuron is composed of."""

from __future__ import annotations

from typing import Any

from pynn_sparse.network import receptors as engine_receptors

from ...standardmodels import build_translations, receptors


def _same_names(receptor: Any) -> dict[str, Any]:
    return build_translations(*((name, name) for name in receptor.default_parameters))


class CurrExpPostSynapticResponse(receptors.CurrExpPostSynapticResponse):
    __doc__ = receptors.CurrExpPostSynapticResponse.__doc__
    translations = _same_names(receptors.CurrExpPostSynapticResponse)
    kind = engine_receptors.CURR_EXP
    recordable = ["isyn"]


class CondExpPostSynapticResponse(receptors.CondExpPostSynapticResponse):
    __doc__ = receptors.CondExpPostSynapticResponse.__doc__
    translations = _same_names(receptors.CondExpPostSynapticResponse)
    kind = engine_receptors.COND_EXP
    recordable = ["gsyn"]


class CondAlphaPostSynapticResponse(receptors.CondAlphaPostSynapticResponse):
    __doc__ = receptors.CondAlphaPostSynapticResponse.__doc__
    translations = _same_names(receptors.CondAlphaPostSynapticResponse)
    kind = engine_receptors.COND_ALPHA
    recordable = ["gsyn"]


class CondBetaPostSynapticResponse(receptors.CondBetaPostSynapticResponse):
    __doc__ = receptors.CondBetaPostSynapticResponse.__doc__
    translations = _same_names(receptors.CondBetaPostSynapticResponse)
    kind = engine_receptors.COND_BETA
    recordable = ["gsyn"]


# PyNN's shorter names.
ExpPSR = CondExpPostSynapticResponse
AlphaPSR = CondAlphaPostSynapticResponse
BetaPSR = CondBetaPostSynapticResponse

__all__ = [
    "AlphaPSR",
    "BetaPSR",
    "CondAlphaPostSynapticResponse",
    "CondBetaPostSynapticResponse",
    "CondExpPostSynapticResponse",
    "CurrExpPostSynapticResponse",
    "ExpPSR",
]
