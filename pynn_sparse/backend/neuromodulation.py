"""sPyNNaker's neuromodulation: spikes that reward or punish what synapses of STDP remember.

After E. M. Izhikevich (2007), doi:10.1093/cercor/bhl152. STDP changes an eligibility c of each
synapse instead of its weight, which changes by dw/dt = c d; d is the dopamine of the target.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from pynn_sparse.network import Block, Rule, SynapseTable
from pynn_sparse.network.dynamics import Modulator
from pynn_sparse.network.dynamics.formulas import Definition, rule_of_formulas
from pynn_sparse.network.network import Modulation

from .. import errors
from ..standardmodels import build_translations
from . import simulator
from .doors.checks import as_number, check_names
from .doors.parameters import shown
from .populations import Population
from .projections.connecting import blocks_of
from .standardmodels.synapses import (
    AdditiveWeightDependence,
    SpikePairRule,
    StaticSynapse,
    STDPMechanism,
)
from .synapses.suspicious import warn_of_rules

SIGNS = {"reward": 1.0, "punishment": -1.0}  # by receptor_type
SHARED = ("tau_c", "tau_d", "w_min", "w_max")
PAIR = ("tau_plus", "tau_minus", "A_plus", "A_minus")

RULE = rule_of_formulas(
    Definition(
        name="NeuromodulatedPairs",
        parameters=(*PAIR, *SHARED),
        state={"c": 0.0},
        pre_traces={"x": "tau_plus"},
        post_traces={"y": "tau_minus"},
        modulator_traces={"d": "tau_d"},
        on_post="c += A_plus * x",
        on_pre="c -= A_minus * y",
        between="""
            both: float = 1 / tau_c + 1 / tau_d
            weight += c * d * (1 - exp(-elapsed * both)) / both
            c *= exp(-elapsed / tau_c)
        """,
        limits=("w_min", "w_max"),
    )
)


class Neuromodulation(StaticSynapse):
    """Synapses whose spikes bring dopamine to their targets, as sPyNNaker's.

    With the `receptor_type` "reward" of its projection a spike adds `weight` to the dopamine d of
    its target, with "punishment" it takes it away; d decays with `tau_d`. That modulates all
    projections with an `STDPMechanism` of `SpikePairRule` and `AdditiveWeightDependence` onto the
    population: STDP adds A_plus exp(-t / tau_plus), and takes away A_minus exp(-t / tau_minus), of
    an eligibility c of the synapse, which decays with `tau_c`, and the weight changes by c d in
    each ms. `Projection.get("c", ...)` reads c. Dopamine comes after the least delay, one time step
    by default.

    Args:
        weight: dopamine of a spike, 0 or greater; one for all connections or one for each.
        tau_c, tau_d: time constants of eligibility and of dopamine, in ms.
        w_min, w_max: limits of the weights, in the place of those of the weight dependence.

    All projections like this onto a population have the same parameters but for `weight`. Raises
    TypeError or ValueError for what is not such a number.
    """

    modulates = True

    def __init__(
        self,
        weight: Any = 0.0,
        tau_c: float = 1000.0,
        tau_d: float = 200.0,
        w_min: float = 0.0,
        w_max: float = 1.0,
        **others: Any,
    ) -> None:
        owner = type(self).__name__
        check_names(others, owner, ["weight", *SHARED])
        super().__init__(weight=weight)
        positive = "a number of ms greater than 0"
        self.shared = {
            "tau_c": as_number(f"{owner}: tau_c", tau_c, positive, lambda t: 0 < t < np.inf, "ms"),
            "tau_d": as_number(f"{owner}: tau_d", tau_d, positive, lambda t: 0 < t < np.inf, "ms"),
            "w_min": as_number(f"{owner}: w_min", w_min, "a number, 0 or greater", _not_negative),
            "w_max": as_number(f"{owner}: w_max", w_max, "a number, 0 or greater", _not_negative),
        }
        if self.shared["w_min"] >= self.shared["w_max"]:
            raise ValueError(
                f"{owner}: w_min = {w_min:g}, w_max = {w_max:g}: must be w_min < w_max"
            )

    def check_ends(self, pre: Any, post: Any, receptor: Any) -> None:
        """Raise an error if a projection cannot modulate the synapses onto these cells."""
        owner, state = type(self).__name__, simulator.state
        for side, cells in (("presynaptic", pre), ("postsynaptic", post)):
            if not isinstance(cells, Population):
                raise errors.ConnectionError(
                    f"{owner}: {side}_neurons = {cells.label}: must be a whole Population"
                )
        if not isinstance(receptor, str) or receptor not in SIGNS:
            raise errors.ConnectionError(
                f"{owner}: receptor_type = {shown(receptor)}: must be 'reward' or 'punishment'"
            )
        if state.last_step >= 0:
            raise RuntimeError(f"{owner}: must be made before the first run")
        if pre._block.model.graded:
            raise errors.ConnectionError(
                f"{owner}: presynaptic_neurons = {pre.label}: must send spikes, not events that "
                "carry values"
            )
        known = state.neuromodulated.get(post._block)
        if known is not None:
            self._check_alike(known)
            return
        plastic = _plastic_onto(post._block)
        if not plastic:
            raise errors.ConnectionError(
                f"{owner}: postsynaptic_neurons = {post.label}: must have a projection with an "
                "STDPMechanism, which is made before"
            )
        for each in plastic:
            Neuromodulated.check(each.synapse_type, each.post, str(each.label))

    def _check_alike(self, known: Neuromodulated) -> None:
        for name in SHARED:
            mine, others = self.shared[name], known.shared[name]
            if mine != others:
                owner = type(self).__name__
                raise errors.ConnectionError(
                    f"{owner}: {name} = {mine:g}: must be {others:g}, as of the other projections "
                    f"with {owner} onto {known.post.label}"
                )

    def check_made(self, projection: Any) -> None:
        """Raise ConnectionError for connections that do otherwise than their receptor says."""
        for table in projection._tables:
            if (table.weight < 0).any():
                raise errors.ConnectionError(
                    f"weight = {table.weight.min():g} in {projection.label}: must be 0 or greater; "
                    "receptor_type = 'punishment' takes dopamine away"
                )

    def begin(self, projection: Any, receptor: str) -> None:
        """Let the spikes of a projection's sources modulate the synapses onto its targets."""
        state, post = simulator.state, projection.post
        projection.receptor_type = receptor
        known = state.neuromodulated.get(post._block)
        if known is None:
            known = Neuromodulated(post, self.shared)
            state.neuromodulated[post._block] = known
            known.take(*_plastic_onto(post._block))
        for table in projection._tables:
            state.network.modulations.append(Modulation(table, SIGNS[receptor]))


class Neuromodulated:
    """What modulates the synapses onto a population: how, and by which projections.

    Attributes:
        post: the population.
        shared: parameters of all `Neuromodulation` synapses onto it.
    """

    def __init__(self, post: Any, shared: dict[str, float]) -> None:
        self.post, self.shared = post, shared
        least = simulator.state.network.grid.nearest(simulator.state.least_delay_allowed)
        self.modulator = Modulator(post._block.index, max(int(least), 1), each=True)

    @staticmethod
    def check(kind: Any, post: Any, label: str) -> None:
        """Raise ConnectionError for STDP onto cells of the population that cannot be modulated."""
        if len(blocks_of(post)) > 1:
            raise errors.ConnectionError(
                f"{label}: postsynaptic_neurons = {post.label}: must be of one population, since "
                "Neuromodulation acts on some of these cells"
            )
        parts = kind.timing_dependence, kind.weight_dependence
        if not isinstance(parts[0], SpikePairRule) or not isinstance(
            parts[1], AdditiveWeightDependence
        ):
            raise errors.ConnectionError(
                f"{label}: {type(parts[0]).__name__} with {type(parts[1]).__name__}: must be "
                "SpikePairRule with AdditiveWeightDependence, since Neuromodulation acts on the "
                "targets"
            )

    def take(self, *projections: Any) -> None:
        """Have the synapses of projections with STDP modulated; warn of weights beyond limits."""
        for projection in projections:
            kind = copy.copy(projection.synapse_type)
            kind.dynamics = RULE
            kind.translations = {**kind.translations, **build_translations(("c", "c"))}
            for table in projection._tables:
                self._modulate(table)
            projection.synapse_type = kind
        for projection in projections:
            warn_of_rules(str(projection.label), projection._tables, RULE.limits)

    def _modulate(self, table: SynapseTable) -> None:
        old = table.rule
        assert old is not None
        limits = {name: np.array([value]) for name, value in self.shared.items()}
        parameters = {name: old.parameters[name] for name in PAIR} | limits
        table.rule = Rule(RULE, parameters, old.sign, old.dendritic, self.modulator)
        table.state = {"c": np.zeros(len(table))}
        table._initial_state = {"c": 0.0}
        table.version += 1


def _not_negative(value: float) -> bool:
    return 0 <= value < np.inf


def _plastic_onto(block: Block) -> list[Any]:
    """Projections with STDP onto cells of a population, or of a view or an assembly of it."""
    return [
        each
        for each in simulator.state.projections
        if isinstance(each.synapse_type, STDPMechanism) and block in blocks_of(each.post)
    ]
