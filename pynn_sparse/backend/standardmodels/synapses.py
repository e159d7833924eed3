"""PyNN's standard synapse types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pynn_sparse.network import PairRule

from ...parameters import LazyArray
from ...standardmodels import build_translations, synapses
from ..simulator import state
from .unavailable import unavailable


def _same_names(component: Any) -> dict[str, Any]:
    return build_translations(*((name, name) for name in component.default_parameters))


class StaticSynapse(synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def _get_minimum_delay(self) -> float:
        """The delay of synapses for which the user gives none."""
        return state.least_delay_allowed

    def rule(self, values: Mapping[str, Any], sign: float) -> None:
        """How the weights change: they do not."""


class SpikePairRule(synapses.SpikePairRule):
    __doc__ = synapses.SpikePairRule.__doc__
    translations = _same_names(synapses.SpikePairRule)
    possible_models = {PairRule}


class AdditiveWeightDependence(synapses.AdditiveWeightDependence):
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    translations = _same_names(synapses.AdditiveWeightDependence)
    possible_models = {PairRule}


class STDPMechanism(synapses.STDPMechanism):
    """Spike-timing-dependent plasticity: SpikePairRule with AdditiveWeightDependence.

    The arguments are those of PyNN's other backends. As on NEST, all of the delay is dendritic, and
    `Projection.get("weight", ...)` gives the weight as it was after the last presynaptic spike.

    Raises NotImplementedError for a voltage dependence, for a dendritic_delay_fraction below 1, and
    TypeError where a component is missing.
    """

    base_translations = build_translations(
        *((name, name) for name in ("weight", "delay", "dendritic_delay_fraction"))
    )

    def __init__(
        self,
        timing_dependence: Any = None,
        weight_dependence: Any = None,
        voltage_dependence: Any = None,
        dendritic_delay_fraction: float = 1.0,
        weight: Any = 0.0,
        delay: Any = None,
    ) -> None:
        for name, component in (
            ("timing_dependence", timing_dependence),
            ("weight_dependence", weight_dependence),
        ):
            if not hasattr(component, "possible_models"):
                raise TypeError(f"{name} = {component!r}: must be an instance of a {name} class")
        if voltage_dependence is not None:
            raise NotImplementedError("pyNN.sparse has no voltage dependence of STDP")
        if dendritic_delay_fraction != 1:
            raise NotImplementedError(
                f"dendritic_delay_fraction = {dendritic_delay_fraction!r}: pyNN.sparse takes all "
                "of the delay as dendritic, which is 1"
            )
        super().__init__(
            timing_dependence,
            weight_dependence,
            voltage_dependence,
            dendritic_delay_fraction,
            weight,
            delay,
        )

    def _build_translations(self) -> None:
        # PyNN's own adds to the dictionary that all instances share.
        self.translations = {
            **self.base_translations,
            **self.timing_dependence.translations,
            **self.weight_dependence.translations,
        }

    def _get_minimum_delay(self) -> float:
        """The delay of synapses for which the user gives none."""
        return state.least_delay_allowed

    def rule(self, values: Mapping[str, Any], sign: float) -> PairRule:
        """The rule for weights of this sign; `values` may override parameters."""
        names = [field.name for field in fields(PairRule) if field.name != "sign"]
        given = {name: _one(name, values.get(name, self.parameter_space[name])) for name in names}
        return PairRule(**given, sign=sign)


def _one(name: str, value: Any) -> float:
    """A parameter that all synapses of a projection share."""
    lazy = value if isinstance(value, LazyArray) else LazyArray(value, shape=(1,))
    if not lazy.is_homogeneous:
        raise NotImplementedError(
            f"{name}: must be one number; pyNN.sparse has one rule for all synapses of a projection"
        )
    lazy.shape = (1,)
    return float(lazy.evaluate(simplify=True))


ElectricalSynapse = unavailable("ElectricalSynapse")
TsodyksMarkramSynapse = unavailable("TsodyksMarkramSynapse")
SimpleStochasticSynapse = unavailable("SimpleStochasticSynapse")
StochasticTsodyksMarkramSynapse = unavailable("StochasticTsodyksMarkramSynapse")
MultiQuantalSynapse = unavailable("MultiQuantalSynapse")
Vogels2011Rule = unavailable("Vogels2011Rule")
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
