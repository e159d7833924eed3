"""User-defined synapse types, for every device from one definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pynn_sparse.errors import ModelError
from pynn_sparse.network.dynamics import Modulator
from pynn_sparse.network.dynamics.formulas import Definition, rule_of_formulas

from ..standardmodels import StandardSynapseType, build_translations
from . import simulator
from .doors.checks import as_number
from .doors.parameters import shown
from .doors.plain import NotNumbersError, number_of
from .native import Numbers, are_names, numbers_given
from .populations import Population
from .standardmodels.synapses import Synapse, dendritic_fraction
from .synapses.parameters import Domain

OWN = {"weight": 0.0, "delay": None}


class NativeSynapse(Synapse, StandardSynapseType):
    """What the synapse types that `native_synapse_type` makes have in common."""

    dendritic_delay_fraction = 1.0
    modulated = False

    def __init__(
        self,
        *args: Any,
        dendritic_delay_fraction: Any = 1.0,
        modulator: Any = None,
        modulator_delay: Any = None,
        **parameters: Any,
    ) -> None:
        super().__init__(*args, **parameters)
        owner = type(self).__name__
        self.dendritic_delay_fraction = dendritic_fraction(owner, dendritic_delay_fraction)
        self.modulation = self._modulation(owner, modulator, modulator_delay)

    def _modulation(self, owner: str, population: Any, delay: Any) -> Modulator | None:
        """The modulator for the network. Raises TypeError or ValueError."""
        if not self.modulated:
            for option, given in (("modulator", population), ("modulator_delay", delay)):
                if given is not None:
                    raise TypeError(
                        f"{owner}: {option} = {shown(given)}: must be left out, since no formula "
                        "of this type asks for a modulator"
                    )
            return None
        if not isinstance(population, Population):
            raise TypeError(
                f"{owner}: modulator = {shown(population)}: must be a Population, whose spikes "
                "modulate the synapses"
            )
        block, now = population._block, simulator.state
        if not any(each is block for each in now.network.blocks):
            raise ValueError(
                f"{owner}: modulator = {shown(population)}: must be a population of the present "
                "simulation, not of one before setup()"
            )
        if block.model.graded:
            raise ValueError(
                f"{owner}: modulator = {shown(population)}: must send spikes, not events that "
                "carry values"
            )
        least, most = now.least_delay_allowed, now.max_delay
        if delay is None:
            delay = least
        what = f"{owner}: modulator_delay", delay, f"a number from {least:g} to {most:g} ms"
        given = as_number(*what, lambda each: least <= each <= most, "ms")
        return Modulator(block.index, max(int(now.network.grid.nearest(given)), 1))

    def get_native_names(self, *names: str) -> list[str]:
        """The names themselves, those of state variables, too."""
        return list(names or self.default_parameters)


def native_synapse_type(
    name: str,
    *,
    parameters: Numbers,
    state: Numbers | None = None,
    pre_traces: Mapping[str, str] | None = None,
    post_traces: Mapping[str, str] | None = None,
    modulator_traces: Mapping[str, str] | None = None,
    nearest: tuple[str, ...] = (),
    post_variables: tuple[str, ...] = (),
    on_pre: str = "",
    on_post: str = "",
    on_modulator: str = "",
    between: str = "",
    transmit: str = "",
    most: float = 1.0,
    limits: tuple[str, ...] = (),
) -> type[NativeSynapse]:
    """A synapse type defined by formulas, compiled for the device at hand when it is first run.

    Its parameters, besides `weight`, `delay` and `dendritic_delay_fraction`, can be set like those
    of any other synapse type; `Projection.initialize` sets its state variables, and
    `Projection.get` reads them.

    Spikes are taken up in the order in which they come to the synapse: the source's after the
    axonal part of the delay, the target's after the dendritic part. Of two that come together, the
    target's is first (with no dendritic delay, the source's), and neither sees the other: traces
    are as they are just before that time. Several spikes of a source in one time step count as one,
    and transmit as many.

    Args:
        name: of the type.
        parameters: name -> default value, or (value, unit); one for all connections, or one for
            each.
        state: name -> value at time 0, or (value, unit), of variables of each synapse.
        pre_traces: name -> the parameter that is its time constant in ms, of what spikes of the
            source leave: each adds 1, and that decays. Such a parameter is the same for all
            connections of a projection.
        post_traces: the same for spikes of the target.
        modulator_traces: the same for all spikes of a population, a neuromodulator, which the
            synapse type then gets as `modulator`, with a `modulator_delay` in ms after which they
            come to all synapses, by default the least delay.
        nearest: those traces of source and target that each spike sets to 1, so that only the
            nearest one counts.
        post_variables: variables of the target, such as "v", which `on_pre` may read as they are
            when the source's spike has come to the synapse.
        on_pre: statements done at a spike of the source, which may change `weight` and the state.
            They may use `interval`, the time in ms since the source's last spike, which is infinite
            at the first.
        on_post: the same for a spike of the target.
        on_modulator: the same for `spikes` of the modulator that come at the same time; they come
            before what else comes at that time.
        between: statements done before each of these, and when the user looks, for the `elapsed` ms
            since the last one, by the modulator's traces at the beginning of that time.
        transmit: formula of what a spike transmits, of `weight`, state and parameters as `on_pre`
            leaves them; by default the weight. Less than 0 counts as 0.
        most: what is transmitted is at most so many times the weight.
        limits: the two parameters between which `weight` is kept, where statements change it.
            Weights have no sign in formulas; those of inhibitory currents get it from the backend.

    Raises `pynn_sparse.errors.ModelError`, a ValueError, for what is not a rule.
    """
    if not isinstance(name, str):
        raise ModelError(f"native_synapse_type: name = {shown(name)}: must be a string")
    texts = {"on_pre": on_pre, "on_post": on_post, "on_modulator": on_modulator}
    texts |= {"between": between, "transmit": transmit}
    for option, text in texts.items():
        if not isinstance(text, str):
            raise ModelError(f"{name}: {option} = {shown(text)}: must be a string")
    mappings: dict[str, Any] = {
        "parameters": parameters,
        "state": {} if state is None else state,
        "pre_traces": {} if pre_traces is None else pre_traces,
        "post_traces": {} if post_traces is None else post_traces,
        "modulator_traces": {} if modulator_traces is None else modulator_traces,
    }
    for option, mapping in mappings.items():
        if not isinstance(mapping, Mapping) or not all(isinstance(each, str) for each in mapping):
            raise ModelError(f"{name}: {option} = {shown(mapping)}: must be a dict by name")
    for option in ("pre_traces", "post_traces", "modulator_traces"):
        for each, tau in mappings[option].items():
            if not isinstance(tau, str):
                raise ModelError(
                    f"{name}: {option}: {each} = {shown(tau)}: must be the name of a parameter"
                )
    tuples = {"nearest": nearest, "limits": limits, "post_variables": post_variables}
    for option, names in tuples.items():
        if not are_names(names):
            raise ModelError(f"{name}: {option} = {shown(names)}: must be a tuple of names")
    defaults, units = numbers_given(name, "parameters", parameters)
    states, state_units = numbers_given(name, "state", mappings["state"])
    definition = Definition(
        name=name,
        parameters=tuple(defaults),
        state=states,
        pre_traces=dict(mappings["pre_traces"]),
        post_traces=dict(mappings["post_traces"]),
        modulator_traces=dict(mappings["modulator_traces"]),
        nearest=tuple(nearest),
        limits=tuple(limits),
        post_variables=tuple(post_variables),
        most=_most(name, most),
        on_pre=on_pre,
        on_post=on_post,
        on_modulator=on_modulator,
        between=between,
        transmit=transmit,
    )
    return synapse_type(definition, defaults, units, state_units)


def _most(name: str, given: Any) -> float:
    try:
        most = number_of(given)
    except NotNumbersError:
        most = math.nan
    if not 0 < most <= 1000:
        raise ModelError(f"{name}: most = {shown(given)}: must be a number above 0, at most 1000")
    return most


def synapse_type(
    definition: Definition,
    defaults: Mapping[str, float],
    units: Mapping[str, str],
    state_units: Mapping[str, str],
) -> type[NativeSynapse]:
    """The synapse type of a definition, with default values of its parameters and their units."""
    dynamics = rule_of_formulas(definition)
    every = {**OWN, **defaults}
    attributes = {
        "__doc__": f"{definition.name}, a user-defined synapse.",
        "dynamics": dynamics,
        "modulated": definition.modulated,
        "state_units": dict(state_units),
        "domain": Domain({"weight": None, "delay": "ms", **units}, dynamics.constraints),
        "default_parameters": every,
        "default_initial_values": dict(definition.state),
        "translations": build_translations(*((each, each) for each in every)),
    }
    return type(definition.name, (NativeSynapse,), attributes)
