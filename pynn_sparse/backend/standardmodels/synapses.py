"""PyNN's standard synapse types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn_sparse.network import dynamics
from pynn_sparse.network.dynamics import Dynamics

from ...parameters import ParameterSpace
from ...standardmodels import StandardSynapseType, build_translations, synapses
from ..doors.checks import check_names
from ..doors.generators import copied
from ..doors.parameters import shown
from ..doors.signatures import bound, signature_with
from ..simulator import state
from ..synapses.parameters import STANDARD, accepted, all_accepted


def _same_names(component: Any) -> dict[str, Any]:
    return build_translations(*((name, name) for name in component.default_parameters))


class Synapse:
    """What all synapse types have here.

    `dynamics` is what the engine does besides adding the weight, None if nothing; `domain` has
    units and conditions of parameters; `electrical` says that there are no spikes to transmit, and
    `structure` how connections come and go, if they do; `modulates` that spikes act on other
    synapses onto their targets; `state_units` has units of state variables, where they are known.
    """

    dynamics: Dynamics | None = None
    domain = STANDARD
    electrical = False
    structure: Any = None
    modulates = False
    state_units: Mapping[str, str] = {}
    default_parameters: dict[str, Any]

    def __init__(self, *args: Any, **parameters: Any) -> None:
        """Check all parameters, then make the synapse type.

        Raises NonExistentParameterError for names that it does not have, and
        InvalidParameterValueError for values that cannot be meant.
        """
        owner = type(self).__name__
        if args:
            raise TypeError(
                f"{owner}: parameters must be given by name: {', '.join(self.default_parameters)}"
            )
        check_names(parameters, owner, self.default_parameters)
        super().__init__(**all_accepted(owner, parameters, self.domain))

    @property
    def native_parameters(self) -> ParameterSpace:
        """A copy of the parameters, whose generators of random numbers are copies, too.

        Names and units are PyNN's, so that nothing is to be translated.
        """
        space = self.parameter_space  # type: ignore[attr-defined]
        return ParameterSpace(copied(dict(space.items())), None, space.shape)

    @property
    def visible_state(self) -> list[str]:
        """Names of state variables that may be asked for: those of the user's rules."""
        dynamics = self.dynamics
        return list(dynamics.state) if dynamics and dynamics.source and not dynamics.hidden else []

    @property
    def recordable(self) -> list[str]:
        """What can be recorded over time."""
        return ["weight", *self.visible_state]

    def _get_minimum_delay(self) -> float:
        """The delay of synapses for which the user gives none."""
        return state.least_delay_allowed


class StaticSynapse(Synapse, synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = _same_names(synapses.StaticSynapse)


class SharedWeights(Synapse, StandardSynapseType):
    """Synapses whose weights are those of a connector's kernel."""

    default_parameters = {**synapses.StaticSynapse.default_parameters}
    translations = build_translations(("weight", "weight"), ("delay", "delay"))

    def __init__(self, delay: Any = None, **others: Any) -> None:
        check_names(others, type(self).__name__, ["delay"])
        super().__init__(delay=delay)
        given = self.parameter_space["delay"].base_value
        if not isinstance(given, float):
            raise TypeError(
                f"{type(self).__name__}: delay = {shown(delay)}: must be one number (ms) for all "
                "connections, or None for the least delay"
            )


class Convolution(SharedWeights):
    """Synapses of a `ConvolutionConnector`, as sPyNNaker's: the connector has their weights.

    Argument: `delay` in ms, the least that is allowed by default.
    """


class PoolDense(SharedWeights):
    """Synapses of a `PoolDenseConnector`, as sPyNNaker's: the connector has their weights.

    Argument: `delay` in ms, the least that is allowed by default.
    """


class TsodyksMarkramSynapse(Synapse, synapses.TsodyksMarkramSynapse):
    __doc__ = synapses.TsodyksMarkramSynapse.__doc__
    translations = _same_names(synapses.TsodyksMarkramSynapse)
    dynamics = dynamics.TSODYKS_MARKRAM


class SimpleStochasticSynapse(Synapse, synapses.SimpleStochasticSynapse):
    __doc__ = synapses.SimpleStochasticSynapse.__doc__
    translations = _same_names(synapses.SimpleStochasticSynapse)
    dynamics = dynamics.SIMPLE_STOCHASTIC


class StochasticTsodyksMarkramSynapse(Synapse, synapses.StochasticTsodyksMarkramSynapse):
    __doc__ = synapses.StochasticTsodyksMarkramSynapse.__doc__
    translations = _same_names(synapses.StochasticTsodyksMarkramSynapse)
    dynamics = dynamics.STOCHASTIC_TSODYKS_MARKRAM


class MultiQuantalSynapse(Synapse, synapses.MultiQuantalSynapse):
    """Synapse of `n` release sites, each with short-term depression and facilitation.

    A spike transmits the weight times the number of sites that release. Arguments: `U`, use
    parameter; `n`, number of sites; `tau_rec`, `tau_facil`, time constants (ms).
    """

    # As a number, so that the engine sees what was given; PyNN would round it down.
    default_parameters = {**synapses.MultiQuantalSynapse.default_parameters, "n": 1.0}
    translations = _same_names(synapses.MultiQuantalSynapse)
    dynamics = dynamics.MULTI_QUANTAL


class _Component:
    """A part of STDPMechanism, whose arguments are those of PyNN's class."""

    default_parameters: dict[str, Any]

    def __init__(self, *args: Any, **parameters: Any) -> None:
        owner = type(self).__name__
        check_names(parameters, owner, self.default_parameters)
        given = bound(owner, signature_with(self.default_parameters), args, parameters)
        super().__init__(**all_accepted(owner, given))


class SpikePairRule(_Component, synapses.SpikePairRule):
    __doc__ = synapses.SpikePairRule.__doc__
    translations = _same_names(synapses.SpikePairRule)
    possible_models = {"pairs"}


class Vogels2011Rule(_Component, synapses.Vogels2011Rule):
    """Timing rule of Vogels et al. (2011), doi:10.1126/science.1211095.

    A weight grows by `eta` (a weight) times the trace of the other side with each spike of either
    side, and each presynaptic spike takes away 2 eta rho tau: `tau` in ms, and `rho`, the rate that
    the targets are led to, in Hz. That is PyNN's unit of rates, in which its default of 3.0 is the
    paper's; pyNN.neuron takes the same parameter in 1/ms.
    """

    translations = _same_names(synapses.Vogels2011Rule)
    possible_models = {"pairs"}


class AdditiveWeightDependence(_Component, synapses.AdditiveWeightDependence):
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    translations = _same_names(synapses.AdditiveWeightDependence)
    possible_models = {"pairs"}


class MultiplicativeWeightDependence(_Component, synapses.MultiplicativeWeightDependence):
    __doc__ = synapses.MultiplicativeWeightDependence.__doc__
    translations = _same_names(synapses.MultiplicativeWeightDependence)
    possible_models = {"pairs"}


class AdditivePotentiationMultiplicativeDepression(
    _Component, synapses.AdditivePotentiationMultiplicativeDepression
):
    __doc__ = synapses.AdditivePotentiationMultiplicativeDepression.__doc__
    translations = _same_names(synapses.AdditivePotentiationMultiplicativeDepression)
    possible_models = {"pairs"}


class GutigWeightDependence(_Component, synapses.GutigWeightDependence):
    __doc__ = synapses.GutigWeightDependence.__doc__
    translations = _same_names(synapses.GutigWeightDependence)
    possible_models = {"pairs"}


def dendritic_fraction(owner: str, given: Any) -> float:
    """A dendritic_delay_fraction; raises TypeError or InvalidParameterValueError."""
    fraction = accepted(owner, "dendritic_delay_fraction", given)
    if not isinstance(fraction, float):
        raise TypeError(
            f"{owner}: dendritic_delay_fraction = {shown(given)}: must be one number from 0 to 1 "
            "for all connections"
        )
    return fraction


class STDPMechanism(Synapse, synapses.STDPMechanism):
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
        owner = "STDPMechanism"
        for name, component, kind in (
            ("timing_dependence", timing_dependence, synapses.STDPTimingDependence),
            ("weight_dependence", weight_dependence, synapses.STDPWeightDependence),
        ):
            ours = getattr(component, "possible_models", None) == {"pairs"}
            if not (ours and isinstance(component, kind)):
                raise TypeError(
                    f"{owner}: {name} = {shown(component)}: must be an instance of a {name} class "
                    "of pyNN.sparse"
                )
        if voltage_dependence is not None:
            raise NotImplementedError(
                f"{owner}: voltage_dependence = {shown(voltage_dependence)}: must be None; "
                "pyNN.sparse has no voltage dependence of STDP"
            )
        fraction = dendritic_fraction(owner, dendritic_delay_fraction)
        values = all_accepted(owner, {"weight": weight, "delay": delay})
        synapses.STDPMechanism.__init__(
            self, timing_dependence, weight_dependence, None, fraction, values["weight"]
        )
        if delay is not None:  # PyNN's own asks an array whether it is true
            self.delay = values["delay"]
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


class ElectricalSynapse(Synapse, synapses.ElectricalSynapse):
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
    "Convolution",
    "ElectricalSynapse",
    "GutigWeightDependence",
    "MultiQuantalSynapse",
    "MultiplicativeWeightDependence",
    "PoolDense",
    "STDPMechanism",
    "SimpleStochasticSynapse",
    "SpikePairRule",
    "StaticSynapse",
    "StochasticTsodyksMarkramSynapse",
    "TsodyksMarkramSynapse",
    "Vogels2011Rule",
]
