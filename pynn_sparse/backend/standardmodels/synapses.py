"""PyNN's standard synapse types."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn_sparse.network import dynamics
from pynn_sparse.network.dynamics import Dynamics

from ...parameters import ParameterSpace
from ...standardmodels import build_translations, synapses
from ..checks import Named
from ..simulator import state


def _same_names(component: Any) -> dict[str, Any]:
    return build_translations(*((name, name) for name in component.default_parameters))


class _Synapse:
    """What all synapse types have here.

    `dynamics` is what the engine does besides adding the weight, None if nothing; `electrical`
    says that there are no spikes to transmit.
    """

    dynamics: Dynamics | None = None
    electrical = False

    def _get_minimum_delay(self) -> float:
        """The delay of synapses for which the user gives none."""
        return state.least_delay_allowed


class StaticSynapse(Named, _Synapse, synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = _same_names(synapses.StaticSynapse)


class TsodyksMarkramSynapse(Named, _Synapse, synapses.TsodyksMarkramSynapse):
    __doc__ = synapses.TsodyksMarkramSynapse.__doc__
    translations = _same_names(synapses.TsodyksMarkramSynapse)
    dynamics = dynamics.TSODYKS_MARKRAM


class SimpleStochasticSynapse(Named, _Synapse, synapses.SimpleStochasticSynapse):
    __doc__ = synapses.SimpleStochasticSynapse.__doc__
    translations = _same_names(synapses.SimpleStochasticSynapse)
    dynamics = dynamics.SIMPLE_STOCHASTIC


class StochasticTsodyksMarkramSynapse(Named, _Synapse, synapses.StochasticTsodyksMarkramSynapse):
    __doc__ = synapses.StochasticTsodyksMarkramSynapse.__doc__
    translations = _same_names(synapses.StochasticTsodyksMarkramSynapse)
    dynamics = dynamics.STOCHASTIC_TSODYKS_MARKRAM


class MultiQuantalSynapse(Named, _Synapse, synapses.MultiQuantalSynapse):
    """Synapse of `n` release sites, each with short-term depression and facilitation.

    A spike transmits the weight times the number of sites that release. Arguments: `U`, use
    parameter; `n`, number of sites; `tau_rec`, `tau_facil`, time constants (ms).
    """

    # As a number, so that the engine sees what was given; PyNN would round it down.
    default_parameters = {**synapses.MultiQuantalSynapse.default_parameters, "n": 1.0}
    translations = _same_names(synapses.MultiQuantalSynapse)
    dynamics = dynamics.MULTI_QUANTAL


class SpikePairRule(synapses.SpikePairRule):
    __doc__ = synapses.SpikePairRule.__doc__
    translations = _same_names(synapses.SpikePairRule)
    possible_models = {"pairs"}


class Vogels2011Rule(synapses.Vogels2011Rule):
    """Timing rule of Vogels et al. (2011), doi:10.1126/science.1211095.

    A weight grows by `eta` (a weight) times the trace of the other side with each spike of either
    side, and each presynaptic spike takes away 2 eta rho tau: `tau` in ms, and `rho`, the rate that
    the targets are led to, in Hz. That is PyNN's unit of rates, in which its default of 3.0 is the
    paper's; pyNN.neuron takes the same parameter in 1/ms.
    """

    translations = _same_names(synapses.Vogels2011Rule)
    possible_models = {"pairs"}


class AdditiveWeightDependence(synapses.AdditiveWeightDependence):
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    translations = _same_names(synapses.AdditiveWeightDependence)
    possible_models = {"pairs"}


class MultiplicativeWeightDependence(synapses.MultiplicativeWeightDependence):
    __doc__ = synapses.MultiplicativeWeightDependence.__doc__
    translations = _same_names(synapses.MultiplicativeWeightDependence)
    possible_models = {"pairs"}


class AdditivePotentiationMultiplicativeDepression(
    synapses.AdditivePotentiationMultiplicativeDepression
):
    __doc__ = synapses.AdditivePotentiationMultiplicativeDepression.__doc__
    translations = _same_names(synapses.AdditivePotentiationMultiplicativeDepression)
    possible_models = {"pairs"}


class GutigWeightDependence(synapses.GutigWeightDependence):
    __doc__ = synapses.GutigWeightDependence.__doc__
    translations = _same_names(synapses.GutigWeightDependence)
    possible_models = {"pairs"}


class STDPMechanism(_Synapse, synapses.STDPMechanism):
    """Spike-timing-dependent plasticity: any rule of timing with any dependence on the weight.

    The arguments are those of PyNN's other backends. Parameters of the rule may differ between the
    synapses of a projection; `dendritic_delay_fraction` is any number from 0 to 1.

    Raises NotImplementedError for a voltage dependence, TypeError where a component is missing or
    of another backend, and ValueError for a dendritic_delay_fraction out of range.
    """

    base_translations = build_translations(
        *((name, name) for name in ("weight", "delay", "dendritic_delay_fraction"))
    )

    def __init__(
        self,
        timing_dependence: Any = None,
        weight_dependence: Any = None,
        voltage_dependence: Any = None,
        dendritic_delay_fraction: Any = 1.0,
        weight: Any = 0.0,
        delay: Any = None,
    ) -> None:
        for name, component in (
            ("timing_dependence", timing_dependence),
            ("weight_dependence", weight_dependence),
        ):
            if getattr(component, "possible_models", None) != {"pairs"}:
                raise TypeError(
                    f"{name} = {component!r}: must be an instance of a {name} class of pyNN.sparse"
                )
        if voltage_dependence is not None:
            raise NotImplementedError("pyNN.sparse has no voltage dependence of STDP")
        fraction = dendritic_delay_fraction
        if not isinstance(fraction, (int, float, np.number)) or not 0 <= fraction <= 1:
            raise ValueError(f"dendritic_delay_fraction = {fraction!r}: must be from 0 to 1")
        super().__init__(
            timing_dependence,
            weight_dependence,
            voltage_dependence,
            dendritic_delay_fraction,
            weight,
        )
        if delay is not None:  # PyNN's own asks an array whether it is true
            self.delay = delay
        self.dynamics = dynamics.PAIRS[
            type(timing_dependence).__name__, type(weight_dependence).__name__
        ]

    def _build_translations(self) -> None:
        # PyNN's own adds to the dictionary that all instances share.
        self.translations = {
            **self.base_translations,
            **self.timing_dependence.translations,
            **self.weight_dependence.translations,
        }


class ElectricalSynapse(Named, _Synapse, synapses.ElectricalSynapse):
    """Gap junction: a conductance (`weight`, in uS) between two cells, which acts both ways.

    The current into each cell is the conductance times the difference of potentials at the
    beginning of the time step. There is no delay, and no receptor.
    """

    translations = _same_names(synapses.ElectricalSynapse)
    electrical = True

    @property
    def native_parameters(self) -> ParameterSpace:
        """The conductance, and a delay for the tables, which has no meaning."""
        weight = super().native_parameters
        delay = ParameterSpace({"delay": state.dt}, {"delay": float}, weight.shape)
        weight.update(delay=delay["delay"])
        return weight


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
