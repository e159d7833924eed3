"""PyNN's post-synaptic receptors, which a PointNeuron is composed of."""

from __future__ import annotations

from typing import Any

from pynn_sparse.network import receptors as engine_receptors

from ...standardmodels import build_translations, receptors
from ..doors.checked import Checked, Doors

LOCATIONS = "locations"  # of receptors on a morphology: means nothing for a point
UNITS = {"e_syn": "mV", "tau_syn": "ms", "tau_rise": "ms", "tau_decay": "ms"}


def _same_names(receptor: Any) -> dict[str, Any]:
    return build_translations(*((name, name) for name in receptor.default_parameters))


class _Receptor(Checked):
    """What all receptors have here: units of their parameters, and conditions on them."""

    @classmethod
    def doors(cls) -> Doors:
        return {name: door for name, door in super().doors().items() if name != LOCATIONS}


class CurrExpPostSynapticResponse(_Receptor, receptors.CurrExpPostSynapticResponse):
    __doc__ = receptors.CurrExpPostSynapticResponse.__doc__
    units = {**receptors.CurrExpPostSynapticResponse.units, **UNITS}
    translations = _same_names(receptors.CurrExpPostSynapticResponse)
    kind = engine_receptors.CURR_EXP
    constraints = kind.constraints
    recordable = ["isyn"]


class CondExpPostSynapticResponse(_Receptor, receptors.CondExpPostSynapticResponse):
    __doc__ = receptors.CondExpPostSynapticResponse.__doc__
    units = {**receptors.CondExpPostSynapticResponse.units, **UNITS}
    translations = _same_names(receptors.CondExpPostSynapticResponse)
    kind = engine_receptors.COND_EXP
    constraints = kind.constraints
    recordable = ["gsyn"]


class CondAlphaPostSynapticResponse(_Receptor, receptors.CondAlphaPostSynapticResponse):
    __doc__ = receptors.CondAlphaPostSynapticResponse.__doc__
    units = {**receptors.CondAlphaPostSynapticResponse.units, **UNITS}
    translations = _same_names(receptors.CondAlphaPostSynapticResponse)
    kind = engine_receptors.COND_ALPHA
    constraints = kind.constraints
    recordable = ["gsyn"]


class CondBetaPostSynapticResponse(_Receptor, receptors.CondBetaPostSynapticResponse):
    __doc__ = receptors.CondBetaPostSynapticResponse.__doc__
    units = {**receptors.CondBetaPostSynapticResponse.units, **UNITS}
    translations = _same_names(receptors.CondBetaPostSynapticResponse)
    kind = engine_receptors.COND_BETA
    constraints = kind.constraints
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
