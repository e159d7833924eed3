"""Synapse types whose connections come and go: sPyNNaker's structural plasticity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_sparse.network import SynapseTable
from pynn_sparse.network.rewiring import empty_table, rewire, wired

from ... import errors
from .. import simulator
from ..doors.checks import as_flag, as_integer, as_number
from ..doors.parameters import shown
from ..doors.plain import NotNumbersError, number_of
from ..options import seed_number
from ..populations import Population
from ..standardmodels.synapses import StaticSynapse, STDPMechanism
from .rewiring import Grown, rewiring_of
from .rules import (
    DistanceDependentFormation,
    LastNeuronSelection,
    Mechanism,
    RandomByWeightElimination,
    RandomSelection,
)

RULES: dict[str, tuple[type, ...]] = {
    "partner_selection": (RandomSelection, LastNeuronSelection),
    "formation": (DistanceDependentFormation,),
    "elimination": (RandomByWeightElimination,),
}
MOST_PER_SECOND = 1e9


class Structure(Mechanism):
    """What a projection does with a mechanism."""

    def check_ends(self, pre: Any, post: Any) -> None:
        """Raise an error if these cells cannot have connections that come and go."""
        for side, cells in (("presynaptic", pre), ("postsynaptic", post)):
            if not isinstance(cells, Population):
                raise errors.ConnectionError(
                    f"{self.owner}: {side}_neurons = {cells.label}: must be a whole Population"
                )
        simulator.state.require_all(self.owner)
        delays = simulator.state.least_delay_allowed, simulator.state.max_delay
        if not delays[0] <= self.initial_delay[0] <= self.initial_delay[1] <= delays[1]:
            raise errors.ConnectionError(
                f"{self.owner}: initial_delay = {shown(self.initial_delay)}: must be from "
                f"{delays[0]:g} ms to {delays[1]:g} ms"
            )
        rewiring_of(post).check(self, pre)

    def tables(self, projection: Any, made: list[SynapseTable]) -> list[SynapseTable]:
        """The one table of a projection, which may be without synapses; it has a row for each cell.

        Raises ConnectionError for more connections than cells may have, and for weights that new
        ones cannot have.
        """
        pre, post = projection.pre._block, projection.post._block
        if not made:
            rule = projection._rule(post, np.zeros(0, np.int64), self._parameters(projection))
            made = [empty_table(pre, post, projection.receptor_type, rule, simulator.state.scalar)]
        (table,) = made
        projection._check_weights(np.array([self.initial_weight]))
        rewire(table, wired(table))
        rewiring_of(projection.post).check_room(self, table, str(projection.label))
        return made

    @staticmethod
    def check_values(label: str, table: SynapseTable, values: Mapping[str, Any]) -> None:
        """Raise an error for parameters of a rule that are not alike for all connections."""
        for name in table.rule.parameters if table.rule is not None else ():
            if name in values and (values[name] != values[name][0]).any():
                raise errors.InvalidParameterValueError(
                    f"{label}: {name} = {shown(values[name])}: must be one number for all "
                    "connections, since they come and go"
                )

    def _parameters(self, projection: Any) -> Any:
        space = projection.synapse_type.native_parameters
        return {name: np.array([space[name].base_value]) for name in projection._of_rule}

    def begin(self, projection: Any) -> None:
        """Let the connections of a projection come and go from now on."""
        rewiring_of(projection.post).add(Grown(projection, self))


def _structure(owner: str, **given: Any) -> Structure:
    """The arguments, checked. Raises TypeError or ValueError."""
    for name, kinds in RULES.items():
        if not isinstance(given[name], kinds):
            names = " or ".join(f"sim.{kind.__name__}" for kind in kinds)
            raise TypeError(f"{owner}: {name} = {shown(given[name])}: must be a {names}")
    most = f"a number of Hz greater than 0, at most {MOST_PER_SECOND:g}"
    seed = given["seed"]
    return Structure(
        owner,
        given["partner_selection"],
        given["formation"],
        given["elimination"],
        as_number(f"{owner}: f_rew", given["f_rew"], most, lambda f: 0 < f <= MOST_PER_SECOND),
        as_number(f"{owner}: initial_weight", given["initial_weight"], "a finite number"),
        _delays(f"{owner}: initial_delay", given["initial_delay"]),
        as_integer(f"{owner}: s_max", given["s_max"], 1, 2**20),
        as_flag(f"{owner}: with_replacement", given["with_replacement"]),
        None if seed is None else seed_number("seed", seed),
    )


def _delays(name: str, given: Any) -> tuple[float, float]:
    several = given if isinstance(given, (tuple, list)) else (given, given)
    try:
        low, high = (float(number_of(each, "ms")) for each in several)
    except (NotNumbersError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name} = {shown(given)}: must be a number of ms, or the least and the greatest one"
        ) from error
    if not 0 < low <= high < np.inf:
        raise ValueError(f"{name} = {shown(given)}: must be greater than 0, the least one first")
    return low, high


ARGUMENTS = """
    Args:
        partner_selection: `RandomSelection()` or `LastNeuronSelection()`.
        formation: a `DistanceDependentFormation`.
        elimination: a `RandomByWeightElimination`.
        f_rew: attempts per second, for a postsynaptic population.
        initial_weight: of new connections.
        initial_delay: of new connections, in ms; of two numbers, any time step from one to the
            other.
        s_max: connections that a cell may have, from all projections like this one.
        with_replacement: whether new connections may be of cells that are connected already.
        seed: of the attempts; by default it follows from `rng_seed` of `setup`.
        weight, delay: of the connections that the connector makes, as with other types.

    Raises TypeError or ValueError for what is not such an argument.
"""


class StructuralMechanismStatic(StaticSynapse):
    __doc__ = f"""Static synapses that come and go by rules, as sPyNNaker's.

    At each attempt a postsynaptic cell and one of its `s_max` places for a connection are drawn. A
    connection that is there is eliminated, and into a place that is free comes a new one, with the
    probabilities that the rules give. All projections like this onto a population share its
    attempts and places. After `reset` the connections are those from before the first attempt.
{ARGUMENTS}"""

    def __init__(
        self,
        partner_selection: Any,
        formation: Any,
        elimination: Any,
        f_rew: float = 1e4,
        initial_weight: float = 0.0,
        initial_delay: Any = 1.0,
        s_max: int = 32,
        with_replacement: bool = True,
        seed: int | None = None,
        weight: Any = 0.0,
        delay: Any = None,
    ) -> None:
        self.structure = _structure(
            type(self).__name__,
            partner_selection=partner_selection,
            formation=formation,
            elimination=elimination,
            f_rew=f_rew,
            initial_weight=initial_weight,
            initial_delay=initial_delay,
            s_max=s_max,
            with_replacement=with_replacement,
            seed=seed,
        )
        super().__init__(weight=weight, delay=delay)


class StructuralMechanismSTDP(STDPMechanism):
    __doc__ = f"""STDP whose synapses come and go by rules, as `StructuralMechanismStatic` has them.

    The rule of plasticity is that of `STDPMechanism`, whose arguments this takes as well. Its
    parameters are the same for all connections, and all of the delay is dendritic.
{ARGUMENTS}"""

    def __init__(
        self,
        partner_selection: Any,
        formation: Any,
        elimination: Any,
        timing_dependence: Any = None,
        weight_dependence: Any = None,
        voltage_dependence: Any = None,
        dendritic_delay_fraction: Any = 1.0,
        f_rew: float = 1e4,
        initial_weight: float = 0.0,
        initial_delay: Any = 1.0,
        s_max: int = 32,
        with_replacement: bool = True,
        seed: int | None = None,
        weight: Any = 0.0,
        delay: Any = None,
    ) -> None:
        owner = type(self).__name__
        self.structure = _structure(
            owner,
            partner_selection=partner_selection,
            formation=formation,
            elimination=elimination,
            f_rew=f_rew,
            initial_weight=initial_weight,
            initial_delay=initial_delay,
            s_max=s_max,
            with_replacement=with_replacement,
            seed=seed,
        )
        super().__init__(
            timing_dependence,
            weight_dependence,
            voltage_dependence,
            dendritic_delay_fraction,
            weight,
            delay,
        )
        if self.dendritic_delay_fraction != 1:
            raise NotImplementedError(
                f"{owner}: dendritic_delay_fraction = {shown(dendritic_delay_fraction)}: must be 1"
            )
        space = self.native_parameters
        for component in (timing_dependence, weight_dependence):
            for name in component.default_parameters:
                if not isinstance(space[name].base_value, float):
                    raise TypeError(
                        f"{owner}: {name} = {shown(space[name].base_value)}: must be one number "
                        "for all connections"
                    )
