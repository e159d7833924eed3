"""Small networks without PyNN, with everything in them that an engine has to get right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine import Engine
from pynn_sparse.network import (
    Block,
    Injection,
    Network,
    Probe,
    Rule,
    SynapseTable,
    TimeGrid,
    currents,
    dynamics,
)
from pynn_sparse.network.cells import BUILT_IN

MODELS = {model.name: model for model in BUILT_IN}
NEURONS = [name for name, model in MODELS.items() if not model.is_source]

LEAKY = {
    "v_rest": -65.0,
    "cm": 0.25,
    "tau_m": 12.0,
    "tau_refrac": 1.15,
    "i_offset": 0.1,
    "v_reset": -68.0,
    "v_thresh": -52.0,
}
SYNAPTIC = {"tau_syn_E": 1.7, "tau_syn_I": 4.0}
REVERSAL = {"e_rev_E": 0.0, "e_rev_I": -75.0}
ADAPTIVE = {
    "cm": 0.281,
    "tau_refrac": 1.15,
    "v_spike": -40.0,
    "v_reset": -68.0,
    "v_rest": -70.6,
    "tau_m": 9.4,
    "i_offset": 0.9,
    "a": 4.0,
    "b": 0.08,
    "delta_T": 2.0,
    "tau_w": 144.0,
    "v_thresh": -52.0,
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "IF_curr_exp": LEAKY | SYNAPTIC,
    "IF_curr_alpha": LEAKY | SYNAPTIC,
    "IF_curr_delta": LEAKY,
    "IF_cond_exp": LEAKY | SYNAPTIC | REVERSAL,
    "IF_cond_alpha": LEAKY | SYNAPTIC | REVERSAL,
    "Izhikevich": {"a": 0.02, "b": 0.2, "c": -65.0, "d": 6.0, "i_offset": 0.004},
    "IF_cond_exp_gsfa_grr": LEAKY
    | SYNAPTIC
    | REVERSAL
    | {"tau_sfa": 100.0, "e_rev_sfa": -75.0, "q_sfa": 15.0}
    | {"tau_rr": 2.0, "e_rev_rr": -75.0, "q_rr": 300.0},
    "IF_facets_hardware1": {"g_leak": 20.0, "e_rev_I": -80.0, "v_rest": -65.0}
    | {"v_reset": -68.0, "v_thresh": -55.0}
    | SYNAPTIC,
    "HH_cond_exp": {"gbar_Na": 20.0, "gbar_K": 6.0, "g_leak": 0.01, "cm": 0.2, "v_offset": -63.0}
    | {"e_rev_Na": 50.0, "e_rev_K": -90.0, "e_rev_leak": -65.0, "i_offset": 0.1}
    | SYNAPTIC
    | REVERSAL,
    "EIF_cond_exp_isfa_ista": ADAPTIVE | SYNAPTIC | REVERSAL,
    "EIF_cond_alpha_isfa_ista": ADAPTIVE | SYNAPTIC | REVERSAL,
    "GIF_cond_exp": LEAKY
    | SYNAPTIC
    | REVERSAL
    | {"delta_v": 0.5, "v_t_star": -52.0, "lambda0": 100.0}
    | {f"tau_{name}_{k}": 10.0**k for name in ("eta", "gamma") for k in range(3)}
    | {f"a_{name}_{k}": 0.05 for name in ("eta", "gamma") for k in range(3)},
}
RENEWING = {
    "SpikeSourcePoissonRefractory": {"rate": 90.0, "tau_refrac": 5.0},
    "SpikeSourceGamma": {"alpha": np.linspace(0.3, 3.0, 7), "beta": 300.0},
    "SpikeSourceInhGamma": {
        name: [np.array(values)] * 7
        for name, values in (("tbins", [0.0, 30.0]), ("a", [2.0, 1.0]), ("b", [0.01, 0.03]))
    },
}
# Weights that make each model fire at some ten spikes a second, excitatory and inhibitory.
WEIGHTS = {
    "IF_curr_exp": (0.3, -0.5),
    "IF_curr_alpha": (0.3, -0.5),
    "IF_curr_delta": (2.0, -3.0),
    "IF_cond_exp": (0.01, 0.02),
    "IF_cond_alpha": (0.01, 0.02),
    "Izhikevich": (3.0, -2.0),
    "IF_cond_exp_gsfa_grr": (0.01, 0.02),
    "IF_facets_hardware1": (0.02, 0.02),
    "HH_cond_exp": (0.01, 0.02),
    "EIF_cond_exp_isfa_ista": (0.01, 0.002),
    "EIF_cond_alpha_isfa_ista": (0.01, 0.0005),
    "GIF_cond_exp": (0.01, 0.005),
}


STRONG = ("IF_cond_exp", "IF_cond_alpha", "IF_cond_exp_gsfa_grr", "GIF_cond_exp")


def _rule(of: dynamics.Dynamics, weight: float = 1.0, **values: Any) -> Rule:
    parameters = {name: np.atleast_1d(np.asarray(each, float)) for name, each in values.items()}
    return Rule(of, parameters, sign=float(np.sign(weight)))


def _pairs(weight: float, timing: str, dependence: str, **values: float) -> Rule:
    limits = {"w_min": 0.2 * abs(weight), "w_max": 2 * abs(weight)}
    return _rule(dynamics.PAIRS[timing, dependence], weight, **limits, **values)


PAIR = {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.1, "A_minus": 0.05}
USE = {"U": 0.4, "tau_rec": 50.0, "tau_facil": 30.0}
# Of each kind one, made for a weight.
RULES = (
    lambda weight: _pairs(weight, "SpikePairRule", "AdditiveWeightDependence", **PAIR),
    lambda weight: _pairs(
        *(weight, "SpikePairRule", "GutigWeightDependence"), mu_plus=0.3, mu_minus=0.8, **PAIR
    ),
    lambda weight: _pairs(
        *(weight, "Vogels2011Rule", "MultiplicativeWeightDependence"),
        tau=20.0,
        eta=0.1 * abs(weight),
        rho=20.0,
    ),
    lambda weight: _rule(dynamics.TSODYKS_MARKRAM, **USE, tau_psc=2.0),
    lambda weight: _rule(dynamics.SIMPLE_STOCHASTIC, p=0.6),
    lambda weight: _rule(dynamics.STOCHASTIC_TSODYKS_MARKRAM, **USE),
    lambda weight: _rule(dynamics.MULTI_QUANTAL, **USE, n=3),
)


@dataclass(frozen=True)
class Wave:
    """A direct current, as the front's sources are for the engine."""

    amplitude: float
    start: float
    stop: float

    def sample(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        """Current in steps first .. first + n - 1."""
        return currents.direct(
            first, n, grid, amplitude=self.amplitude, start=self.start, stop=self.stop
        )


def random_table(
    network: Network,
    pre: Block,
    post: Block,
    receptor: str,
    weight: float,
    seed: int,
    rule: Rule | None = None,
) -> SynapseTable:
    """A tenth of all pairs; weights vary by 10 %, delays from 1 to 20 steps."""
    rng = np.random.default_rng(seed)
    source, target = np.nonzero(rng.random((pre.size, post.size)) < 0.1)
    table = SynapseTable.from_pairs(
        pre,
        post,
        source,
        target,
        weight * rng.uniform(0.9, 1.1, len(source)),
        rng.integers(1, 21, len(source)).astype(np.uint16),
        receptor,
        rule,
    )
    network.add_tables([table])
    return table


def add_neurons(network: Network, name: str, size: int, seed: int) -> Block:
    """A population with an own tau_m (or a) and initial potential for each neuron."""
    rng = np.random.default_rng(seed)
    parameters = dict(PARAMETERS[name])
    varied = next(each for each in ("tau_m", "g_leak", "a") if each in parameters)
    parameters[varied] = parameters[varied] * rng.uniform(0.8, 1.2, size)
    block = network.add_block(MODELS[name], size, parameters)
    block.set_state("v", slice(None), rng.uniform(-70, -55, size))
    return block


def random_junctions(network: Network, pre: Block, post: Block, seed: int) -> None:
    """A few weak gap junctions between two populations, and within the second."""
    random = np.random.RandomState(seed)
    for other in (pre, post):
        source, target = random.randint(0, 50, (2, 30))
        conductance = random.uniform(1e-6, 1e-5, 30)
        none = np.array([1])
        table = SynapseTable.from_pairs(other, post, source, target, conductance, none, "")
        network.add_junctions([table])


def everything(dt: float = 0.1, seed: int = 7, *, plastic: bool = True) -> Network:
    """Every neuron model driven by two kinds of sources, recurrent, with currents and probes.

    All synapses have a rule, of all kinds, or all are static.
    """
    network = Network(TimeGrid(dt), seed)
    poisson = network.add_block(
        MODELS["SpikeSourcePoisson"], 40, {"rate": 300.0, "start": 2.0, "duration": 1e10}
    )
    times = np.empty(20, dtype=object)
    times[:] = [np.arange(0.0, 60.0, 3.0 + i) for i in range(20)]
    array = network.add_block(MODELS["SpikeSourceArray"], 20, {"spike_times": times})
    for name, parameters in RENEWING.items():
        network.add_block(MODELS[name], 7, parameters | {"start": 1.0, "duration": 1e10})
    before: Block | None = None
    for number, name in enumerate(NEURONS):
        homogeneous = network.add_block(MODELS[name], 30, PARAMETERS[name])
        varied = add_neurons(network, name, 50, number)
        exc, inh = WEIGHTS[name]
        for seed_of, (pre, post, receptor, weight) in enumerate(
            [
                (poisson, varied, "excitatory", exc),
                (poisson, homogeneous, "excitatory", exc),
                (array, varied, "excitatory", exc),
                (varied, homogeneous, "inhibitory", inh),
                (homogeneous, varied, "inhibitory", inh),
            ]
        ):
            rule = RULES[(seed_of + number) % len(RULES)](weight) if plastic else None
            # What transmits a part has to be stronger, where it excites.
            strength = 5 if rule and not rule.learns and weight == exc else 1
            random_table(
                *(network, pre, post, receptor, strength * weight, seed_of + 100 * number, rule)
            )
        chosen = np.arange(varied.first, varied.first + 50, 3)
        network.injections.append(Injection(Wave(0.05, 5.0, 40.0), chosen))
        network.injections.append(Injection(Wave(0.02, 10.0, 30.0), chosen[::2]))
        for variable in MODELS[name].recordable:
            probe = Probe(varied, variable, 3, 0)
            probe.add(np.arange(0, 50, 7, dtype=np.int32))
            network.probes.append(probe)
        if before is not None:
            random_junctions(network, before, varied, number)
        before = varied
    add_strong(network, array, 1000)
    network.spikes_wanted[:] = True
    return network


def add_strong(network: Network, pre: Block, seed: int) -> None:
    """Of each leaky model with conductances, neurons that conduct more than a step can bear."""
    for number, name in enumerate(STRONG):
        parameters = PARAMETERS[name] | {"i_offset": 0.4, "v_thresh": -60.0, "delta_v": 5.0}
        known = {key: value for key, value in parameters.items() if key in PARAMETERS[name]}
        block = network.add_block(MODELS[name], 20, known)
        block.set_state("gsyn_inh", slice(None), np.geomspace(1e-3, 1e3, 20))
        block.set_state("gsyn_exc", slice(0, 20, 3), 3.0)
        for receptor, weight in (("excitatory", 2.0), ("inhibitory", 5.0)):
            random_table(network, pre, block, receptor, weight, seed + number)
        for variable in ("v", "gsyn_inh"):
            probe = Probe(block, variable, 1, 0)
            probe.add(np.arange(0, 20, dtype=np.int32))
            network.probes.append(probe)


def slow() -> Network:
    """Random neurons, all of whose delays are 10 steps or longer."""
    network = Network(TimeGrid(0.1), 5)
    poisson = network.add_block(
        MODELS["SpikeSourcePoisson"], 100, {"rate": 500.0, "start": 0.0, "duration": 1e10}
    )
    neurons = add_neurons(network, "IF_curr_exp", 1000, 1)
    for pre, weight, seed in ((poisson, 1.0, 1), (neurons, 0.2, 2)):
        table = random_table(network, pre, neurons, "excitatory", weight, seed)
        table.update(delay=table.delay + 9)
    network.spikes_wanted[:] = True
    return network


def change(network: Network, stop: int) -> None:
    """Something else after each part of a run."""
    table = network.tables[3]
    match stop:
        case 100:
            table.update(weight=table.weight * 2)
        case 101:
            table.update(delay=np.asarray(table.delay) + 7)
        case 130 | 260:
            block = add_neurons(network, "IF_curr_exp", 30, 99)
            random_table(network, network.blocks[0], block, "excitatory", 0.5, 98)


class Driven:
    """Neurons with a Poisson source each, and others that they excite."""

    def __init__(self, *, recorded: bool, rate: Any = 8000.0, spread: bool = False) -> None:
        self.network = Network(TimeGrid(0.1), 5)
        parameters = {"rate": rate, "start": 3.0, "duration": 30.0}
        self.poisson = self.network.add_block(MODELS["SpikeSourcePoisson"], 300, parameters)
        self.neurons = self.add(300)
        weight = np.linspace(0.05, 0.3, 300) if spread else np.array([0.1])
        index = np.arange(300)
        self.background = SynapseTable.from_pairs(
            self.poisson, self.neurons, index, index, weight, np.array([12]), "excitatory"
        )
        self.network.add_tables([self.background])
        self.others = self.add(50)
        random_table(self.network, self.neurons, self.others, "excitatory", 0.5, 2)
        self.record(recorded)

    def add(self, n: int) -> Block:
        block = self.network.add_block(MODELS["IF_curr_exp"], n, PARAMETERS["IF_curr_exp"])
        self.network.spikes_wanted[block.first :] = True
        return block

    def record(self, recorded: bool) -> None:
        """The sources' spikes."""
        self.network.spikes_wanted[: self.poisson.size] = recorded

    def spikes(self, engine: Engine) -> dict[str, NDArray[Any]]:
        """Those of the neurons."""
        neuron, stamp = engine.recordings.spikes.of(self.neurons.first, 350)
        return {"neuron": neuron, "stamp": stamp}


def result(engine: Engine) -> dict[str, NDArray[Any]]:
    """All that was recorded, by name."""
    network = engine.network
    neuron, stamp = engine.recordings.spikes.of(0, network.size)
    samples = {
        f"{number} {probe.variable}": probe.samples() for number, probe in enumerate(network.probes)
    }
    weights = {
        f"weights {number}": table.weight[table.order()]
        for number, table in enumerate(network.tables)
    }
    return {"neuron": neuron, "stamp": stamp, **samples, **weights}


def assert_identical(first: dict[str, NDArray[Any]], second: dict[str, NDArray[Any]]) -> None:
    """The same to the last bit."""
    assert first.keys() == second.keys()
    for name in first:
        assert np.array_equal(first[name], second[name]), f"{name} differs"
