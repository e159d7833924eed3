"""Spike-timing-dependent plasticity against NEST: the same weights, and so the same spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from numpy.typing import NDArray
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution
from support.comparison import Backend, assert_same_spikes, on_nest, on_sparse

DURATION = 600.0
EQUAL = 1e-12  # uS or nA; sums of thousands of changes, each rounded differently


def plastic(
    sim: Any, w_max: float, dependence: str = "AdditiveWeightDependence", **parameters: Any
) -> Any:
    """Parameters of the synapse, unlike all defaults."""
    return sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_plus=15.0, tau_minus=25.0, A_plus=0.02, A_minus=0.015
        ),
        weight_dependence=getattr(sim, dependence)(
            w_min=0.0, w_max=w_max, **DEPENDENCES[dependence]
        ),
        **parameters,
    )


def at_last_spike(backend: Backend, projection: Any) -> NDArray[np.float64]:
    """Weights after the last spike of each source, which is what NEST has at any time."""
    if backend.is_nest:
        return projection.get("weight", format="array")
    weights = np.full(projection.shape, np.nan)
    for table in projection._tables:
        weights[table.source(), table.target] = table.weight
    return weights


DEPENDENCES = {
    "AdditiveWeightDependence": {},
    "MultiplicativeWeightDependence": {},
    "AdditivePotentiationMultiplicativeDepression": {},
    "GutigWeightDependence": {},  # pyNN.nest 0.13.0 does not pass on other exponents
}


class PlasticNetwork:
    """Plastic synapses from sources and among neurons; `weights` after each part of a run."""

    def __init__(self, cell: str, w_max: float, dependence: str) -> None:
        self.cell = cell
        self.w_max = w_max
        self.dependence = dependence
        self.weights: list[list[NDArray[np.float64]]] = []

    def __call__(self, backend: Backend) -> None:
        sim, rng = backend.sim, NumpyRNG(seed=5)
        random = np.random.RandomState(3)
        times = [
            backend.spike_times(np.unique(np.round(random.uniform(1, DURATION, 25), 1)))
            for _ in range(60)
        ]
        inputs = sim.Population(60, sim.SpikeSourceArray(spike_times=times))
        neurons = sim.Population(40, getattr(sim, self.cell)(i_offset=0.9))
        neurons.initialize(v=RandomDistribution("uniform", (-65.0, -50.0), rng=rng))
        projections = []
        for pre, probability in ((inputs, 0.5), (neurons, 0.3)):
            synapse = plastic(
                sim,
                self.w_max,
                self.dependence,
                weight=RandomDistribution("uniform", (0.1 * self.w_max, self.w_max), rng=rng),
                delay=RandomDistribution("uniform", (0.3, 5.0), rng=rng),
            )
            connector = sim.FixedProbabilityConnector(probability, rng=rng)
            projections.append(sim.Projection(pre, neurons, connector, synapse))
        backend.watch("neurons", neurons)
        for _ in range(3):
            sim.run(DURATION / 3)
            self.weights.append([at_last_spike(backend, each) for each in projections])


@pytest.mark.parametrize("dependence", DEPENDENCES)
@pytest.mark.parametrize(("cell", "w_max"), [("IF_curr_exp", 0.3), ("IF_cond_exp", 0.006)])
def test_weights_and_spikes(cell: str, w_max: float, dependence: str) -> None:
    on_both = [PlasticNetwork(cell, w_max, dependence) for _ in range(2)]
    expected = on_nest(on_both[0])
    for threads in (1, 2):
        on_both[1].weights.clear()
        found = on_sparse(on_both[1], threads=threads)
        assert expected.n_spikes > 1000
        assert_same_spikes(expected, found, 0.1)
        for nest, sparse in zip(*(each.weights for each in on_both), strict=True):
            for before, after in zip(nest, sparse, strict=True):
                assert np.nanmax(np.abs(before - after)) < EQUAL
    last = np.concatenate([weight[~np.isnan(weight)] for weight in on_both[1].weights[-1]])
    if dependence == "AdditiveWeightDependence":
        assert (last == 0).any(), "no weight has come to its lower limit"
    assert (last > 0.2 * w_max).any()


def pairing(interval: float, delay: float, **parameters: Any) -> float:
    """Change of a weight of 0.5 by a pair of spikes, the target's `interval` ms after the source's.

    Another pulse of the source, long after, makes the change visible.
    """
    sim = pyNN.sparse
    sim.setup(timestep=0.1, min_delay=0.1)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=Sequence([100.0, 1000.0])))
    # The target fires when the driver's spike arrives, after 0.1 ms.
    driver = sim.Population(1, sim.SpikeSourceArray(spike_times=Sequence([100.0 + interval - 0.1])))
    target = sim.Population(1, sim.IF_curr_delta(tau_refrac=5.0))
    synapse = plastic(sim, 1.0, weight=0.5, delay=delay)
    projection = sim.Projection(source, target, sim.AllToAllConnector(), synapse)
    projection.set(**parameters)
    strong = sim.StaticSynapse(weight=50.0, delay=0.1)
    sim.Projection(driver, target, sim.AllToAllConnector(), strong)
    target.record("spikes")
    sim.run(1001.0)
    assert target.get_data().segments[0].spiketrains[0].magnitude == pytest.approx(100.0 + interval)
    return float(projection.get("weight", format="list", with_address=False)[0]) - 0.5


@pytest.mark.parametrize("delay", [0.1, 3.0])
@pytest.mark.parametrize("interval", [-40.0, -5.0, 0.5, 12.0, 60.0])
def test_window_of_a_pair(interval: float, delay: float) -> None:
    """Closed form; the target's spike reaches the synapse `delay` later."""
    lag = interval + delay
    late = 0.015 * np.exp(-(900.0 - lag) / 25.0)  # what the last pulse of the source takes away
    expected = 0.02 * np.exp(-lag / 15.0) if lag > 0 else -0.015 * np.exp(lag / 25.0)
    assert pairing(interval, delay) == pytest.approx(expected - late, abs=1e-14)


def test_parameters_may_be_changed() -> None:
    changed = pairing(5.0, 1.0, tau_plus=30.0, A_plus=0.1, w_max=0.9, w_min=0.4)
    assert changed == pytest.approx(0.1 * 0.5 * np.exp(-6.0 / 30.0), abs=1e-12)
    assert pairing(5.0, 1.0, A_plus=2.0) == pytest.approx(0.5, abs=1e-12)
    assert pairing(-5.0, 0.1, A_minus=2.0, w_min=0.3) == pytest.approx(-0.2, abs=1e-12)


class Reference:
    """A synapse by the definition of its rule: spikes in the order in which they come to it."""

    def __init__(self, weight: float, p: dict[str, float]) -> None:
        self.weight = weight
        self.p = p
        vogels = "eta" in p
        self.tau = (p["tau"], p["tau"]) if vogels else (p["tau_plus"], p["tau_minus"])
        span = p["w_max"] - p["w_min"]
        self.up = p["eta"] if vogels else p["A_plus"] * span
        self.down = 0.0 if vogels else p["A_minus"] * span
        self.symmetric = p["eta"] if vogels else 0.0
        self.constant = 2 * p["eta"] * p["rho"] * p["tau"] / 1000 if vogels else 0.0

    def raise_(self, change: float) -> None:
        part = (self.p["w_max"] - self.weight) / (self.p["w_max"] - self.p["w_min"])
        self.weight = min(self.weight + change * part ** self.p["mu_plus"], self.p["w_max"])

    def lower(self, change: float) -> None:
        part = (self.weight - self.p["w_min"]) / (self.p["w_max"] - self.p["w_min"])
        self.weight = max(self.weight - change * part ** self.p["mu_minus"], self.p["w_min"])

    def run(self, pre: list[float], post: list[float], until: float) -> float:
        """Times at the synapse (ms). What comes at the same time does not see each other."""
        for time in sorted({round(t, 6) for t in pre + post if t <= until + 1e-9}):
            x = sum(np.exp(-(time - t) / self.tau[0]) for t in pre if t < time - 1e-6)
            y = sum(np.exp(-(time - t) / self.tau[1]) for t in post if t < time - 1e-6)
            if any(abs(t - time) < 1e-6 for t in post):
                self.raise_(self.up * x)
            if any(abs(t - time) < 1e-6 for t in pre):
                self.raise_(self.symmetric * y)
                self.lower(self.down * y + self.constant)
        return self.weight


EXPONENTS = {
    "AdditiveWeightDependence": (0.0, 0.0),
    "MultiplicativeWeightDependence": (1.0, 1.0),
    "AdditivePotentiationMultiplicativeDepression": (0.0, 1.0),
    "GutigWeightDependence": (0.4, 0.6),
}
TIMINGS = {
    "SpikePairRule": {"tau_plus": 15.0, "tau_minus": 25.0, "A_plus": 0.05, "A_minus": 0.04},
    "Vogels2011Rule": {"tau": 20.0, "eta": 0.03, "rho": 8.0},
}


def trains(random: np.random.RandomState, n: int, number: int) -> list[list[float]]:
    """Spike times with pairs that meet, on the grid."""
    return [
        sorted(set(np.round(random.choice(np.arange(10, 2000), number, replace=False) * 0.1, 1)))
        for _ in range(n)
    ]


@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("fraction", [1.0, 0.7, 0.5, 0.2, 0.0])
@pytest.mark.parametrize("dependence", EXPONENTS)
@pytest.mark.parametrize("timing", TIMINGS)
def test_any_rule_by_its_definition(
    timing: str, dependence: str, fraction: float, own: bool
) -> None:
    """Weights whenever they are looked at; parameters that differ between synapses; w_min."""
    sim = pyNN.sparse
    random = np.random.RandomState(1)
    pre, post = trains(random, 5, 40), trains(random, 4, 60)
    shape = (5, 4)
    varied = random.uniform(0.8, 1.2, shape) if own else np.ones(shape)
    p: dict[str, Any] = {name: value * varied for name, value in TIMINGS[timing].items()}
    exponents = dict(zip(("mu_plus", "mu_minus"), EXPONENTS[dependence], strict=True))
    p |= {"w_min": 0.2 * varied, "w_max": 1.0 * varied}
    weight = random.uniform(0.3, 0.7, shape)
    delay = np.round(random.uniform(0.1, 4.0, shape), 1)

    sim.setup(timestep=0.1, min_delay=0.1)
    sources = sim.Population(5, sim.SpikeSourceArray(spike_times=[Sequence(t) for t in pre]))
    drivers = sim.Population(
        4, sim.SpikeSourceArray(spike_times=[Sequence(np.array(t) - 0.1) for t in post])
    )
    targets = sim.Population(4, sim.IF_curr_delta(tau_refrac=0.0))
    lazy = {name: value if own else float(value[0, 0]) for name, value in p.items()}
    limits = {name: lazy.pop(name) for name in ("w_min", "w_max")}
    if dependence == "GutigWeightDependence":
        limits |= exponents
    synapse = sim.STDPMechanism(
        timing_dependence=as_component(sim, timing, lazy),
        weight_dependence=getattr(sim, dependence)(**limits),
        dendritic_delay_fraction=fraction,
        weight=weight,
        delay=delay,
    )
    # The plastic synapses are much weaker than those that make the targets fire.
    projection = sim.Projection(
        sources, targets, sim.AllToAllConnector(), synapse, receptor_type="excitatory"
    )
    strong = sim.StaticSynapse(weight=500.0, delay=0.1)
    sim.Projection(drivers, targets, sim.OneToOneConnector(), strong)
    targets.set(v_thresh=300.0)
    targets.record("spikes")
    steps = np.round(delay / 0.1).astype(int)
    dendritic = np.floor(fraction * steps + 0.5).astype(int)
    for until in (0.1, 37.3, 120.0, 120.1, 190.0, 215.0):
        sim.run_until(until)
        found = projection.get("weight", format="array")
        for i, j in np.ndindex(shape):
            own_parameters = {name: float(value[i, j]) for name, value in p.items()} | exponents
            axonal = steps[i, j] - dendritic[i, j]
            if dendritic[i, j] == 0 and until < max(pre[i]) + 5:
                continue  # seen a step before it arrives, since it acts on the target at once
            seen = Reference(weight[i, j], own_parameters).run(
                [t + 0.1 * axonal for t in pre[i]],
                [t + 0.1 * dendritic[i, j] for t in post[j]],
                until,
            )
            # Where it has no time to wait for a target's spike of the same time, that one counts
            # after it instead of before.
            meets = {round(t + 0.1 * axonal, 1) for t in pre[i]} & {round(t, 1) for t in post[j]}
            exact = dendritic[i, j] > 0 or not meets
            assert found[i, j] == pytest.approx(seen, rel=1e-9 if exact else 0.05), (i, j, until)
    trains_found = targets.get_data().segments[0].spiketrains
    for times, train in zip(post, trains_found, strict=True):
        assert train.magnitude == pytest.approx(times)


def as_component(sim: Any, timing: str, parameters: dict[str, Any]) -> Any:
    return getattr(sim, timing)(**parameters)


@pytest.mark.parametrize("fraction", [1.0, 0.3, 0.0])
@pytest.mark.parametrize("threads", [1, 3])
def test_spikes_in_axons_survive_changes_of_the_network(fraction: float, threads: int) -> None:
    """Spikes on their way reach their synapses, whatever is added; but no new ones."""
    sim = pyNN.sparse

    def run(change: str) -> Any:
        sim.setup(timestep=0.1, threads=threads)
        source = sim.Population(70, sim.SpikeSourceArray(spike_times=[5.0, 6.5]))
        target = sim.Population(100, sim.IF_curr_exp())
        rule = sim.STDPMechanism(
            sim.SpikePairRule(A_plus=0.01, A_minus=0.01),
            sim.AdditiveWeightDependence(w_max=1.0),
            dendritic_delay_fraction=fraction,
            weight=0.01,
            delay=10.0,
        )
        sim.Projection(source, target, sim.AllToAllConnector(), rule)
        target.record("v")
        sim.run(7.0)
        if change == "population":
            sim.Population(3, sim.IF_curr_exp())
        if change == "source":
            sim.Population(3, sim.SpikeSourcePoisson()).record("spikes")
        if change == "projection":
            static = sim.StaticSynapse(weight=0.0, delay=20.0)
            sim.Projection(target, target, sim.OneToOneConnector(), static)
        if change == "plastic projection":
            sim.Projection(source, target, sim.AllToAllConnector(), rule)
        sim.run(20.0)
        return target.get_data().segments[0].analogsignals[0].magnitude

    expected = run("")
    assert expected.max() > -62.0
    for change in ("population", "source", "projection", "plastic projection"):
        assert np.array_equal(run(change), expected), change
