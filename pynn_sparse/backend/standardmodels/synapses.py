"""PyNN's standard synapse types."""

from __future__ import annotations

from ...standardmodels import build_translations, synapses
from ..simulator import state
from .unavailable import unavailable


class StaticSynapse(synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def _get_minimum_delay(self) -> float:
        """The delay of synapses for which the user gives none."""
        return state.least_delay_allowed


ElectricalSynapse = unavailable("ElectricalSynapse")
TsodyksMarkramSynapse = unavailable("TsodyksMarkramSynapse")
SimpleStochasticSynapse = unavailable("SimpleStochasticSynapse")
StochasticTsodyksMarkramSynapse = unavailable("StochasticTsodyksMarkramSynapse")
MultiQuantalSynapse = unavailable("MultiQuantalSynapse")
STDPMechanism = unavailable("STDPMechanism")
SpikePairRule = unavailable("SpikePairRule")
Vogels2011Rule = unavailable("Vogels2011Rule")
AdditiveWeightDependence = unavailable("AdditiveWeightDependence")
MultiplicativeWeightDependence = unavailable("MultiplicativeWeightDependence")
AdditivePotentiationMultiplicativeDepression = unavailable(
    "AdditivePotentiationMultiplicativeDepression"
)
GutigWeightDependence = unavailable("GutigWeightDependence")

__all__ = [
    "AdditivePotentiationMultiplicativeDepression",
    "AdditiveWeightDependence",
    "ElectricalSynapse",
    "GutigWeightDependence",
    "MultiQuantalSynapse",
    "MultiplicativeWeightDependence",
    "STDPMechanism",
    "SimpleStochasticSynapse",
    "SpikePairRule",
    "StaticSynapse",
    "StochasticTsodyksMarkramSynapse",
    "TsodyksMarkramSynapse",
    "Vogels2011Rule",
]
