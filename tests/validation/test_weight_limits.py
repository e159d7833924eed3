"""Plastic weights that are given outside the limits of their rule: as in NEST, with a warning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from numpy.typing import NDArray
from pyNN.random import NumpyRNG, RandomDistribution
from support.comparison import Backend, assert_same_spikes, on_nest, on_sparse

DEPENDENCES = (
    "AdditiveWeightDependence",
    "MultiplicativeWeightDependence",
    "AdditivePotentiationMultiplicativeDepression",
    "GutigWeightDependence",
)
W_MAX = {"IF_curr_exp": 0.2, "IF_cond_exp": 0.004}
OUTSIDE = "outside w_min = 0 to w_max"


class Network:
    """Sources that excite or inhibit driven neurons by weights from 0 to 3 `w_max`.

    Some sources fire before their targets do, some after, some not at all.
    """

    def __init__(self, cell: str, dependence: str, receptor: str) -> None:
        self.cell, self.dependence, self.receptor = cell, dependence, receptor
        self.weights: list[NDArray[np.float64]] = []

    def __call__(self, backend: Backend) -> None:
        sim, rng = backend.sim, NumpyRNG(seed=8)
        random = np.random.RandomState(4)
        times = [
            np.unique(np.round(random.uniform(first, 200.0, number), 1))
            for first in (1.0, 60.0, 150.0)
            for number in (0, 1, 2, 8, 20)
        ]
        inputs = sim.Population(
            15, sim.SpikeSourceArray(spike_times=[backend.spike_times(each) for each in times])
        )
        neurons = sim.Population(20, getattr(sim, self.cell)(i_offset=0.9))
        neurons.initialize(v=RandomDistribution("uniform", (-65.0, -50.0), rng=rng))
        w_max = W_MAX[self.cell]
        synapse = sim.STDPMechanism(
            sim.SpikePairRule(tau_plus=15.0, tau_minus=25.0, A_plus=0.02, A_minus=0.3),
            getattr(sim, self.dependence)(w_min=0.0, w_max=w_max),
            weight=RandomDistribution("uniform", (0.0, 3 * w_max), rng=rng),
            delay=RandomDistribution("uniform", (0.3, 3.0), rng=rng),
        )
        projection = sim.Projection(
            inputs, neurons, sim.AllToAllConnector(), synapse, receptor_type=self.receptor
        )
        backend.watch("neurons", neurons)
        for _ in range(4):
            sim.run(55.0)
            self.weights.append(at_last_spike(backend, projection))


def at_last_spike(backend: Backend, projection: Any) -> NDArray[np.float64]:
    """Weights after the last spike of each source, which is what NEST has at any time."""
    if backend.is_nest:
        return projection.get("weight", format="array")
    weights = np.full(projection.shape, np.nan)
    for table in projection._tables:
        weights[table.source(), table.target] = table.weight
    return weights


@pytest.mark.filterwarnings(f"ignore:.*{OUTSIDE}")
@pytest.mark.parametrize("dependence", DEPENDENCES)
@pytest.mark.parametrize(
    ("cell", "receptor"),  # pyNN.nest has no plasticity of negative weights
    [("IF_curr_exp", "excitatory"), ("IF_cond_exp", "excitatory"), ("IF_cond_exp", "inhibitory")],
)
def test_the_same_as_in_nest(cell: str, receptor: str, dependence: str) -> None:
    on_both = [Network(cell, dependence, receptor) for _ in range(2)]
    expected, found = on_nest(on_both[0]), on_sparse(on_both[1], threads=2)
    assert expected.n_spikes > 80
    assert_same_spikes(expected, found, 0.1)
    for nest, sparse in zip(*(each.weights for each in on_both), strict=True):
        assert np.abs(nest - sparse).max() < 1e-12
    above = on_both[1].weights[-1] > W_MAX[cell]
    assert 10 < above.sum() < 250, "some weights stay as they were given, others are learnt"


def delivered(
    weights: Any,
    *,
    post: float | None = None,
    precision: str = "double",
    receptor: str = "excitatory",
    **limits: Any,
) -> tuple[list[float], Any]:
    """Potentials (mV above rest) that spikes at 5, 25 and 45 ms make, and the projection."""
    sim = pyNN.sparse
    sim.setup(timestep=0.1, precision=precision)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 25.0, 45.0]))
    cell = sim.Population(1, sim.IF_curr_delta(tau_m=1.0, v_thresh=1e4))
    if post is not None:
        driver = sim.Population(1, sim.SpikeSourceArray(spike_times=[post - 0.1]))
        strong = sim.StaticSynapse(weight=1e5, delay=0.1)
        sim.Projection(driver, cell, sim.OneToOneConnector(), strong, receptor_type="excitatory")
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.01, A_minus=0.012),
        sim.AdditiveWeightDependence(**limits),
        weight=weights,
        delay=1.0,
    )
    projection = sim.Projection(source, cell, sim.OneToOneConnector(), rule, receptor_type=receptor)
    cell.record("v")
    sim.run(60.0)
    v = cell.get_data().segments[0].analogsignals[0].magnitude[:, 0] + 65
    return [round(float(v[step]), 3) for step in (60, 260, 460)], projection


@pytest.mark.parametrize("precision", ["double", "single"])
def test_a_weight_is_transmitted_as_given_until_something_is_learnt(precision: str) -> None:
    with pytest.warns(UserWarning, match=OUTSIDE):
        heights, projection = delivered(1.0, w_min=0.0, w_max=0.125, precision=precision)
    assert heights == [1.0, 1.0, 1.0]
    assert projection.get("weight", "list", with_address=False) == [1.0]
    with pytest.warns(UserWarning, match=OUTSIDE):
        heights, _ = delivered(1.0, post=30.0, w_min=0.0, w_max=0.125, precision=precision)
    assert heights[:2] == [1.0, 1.0]
    depressed = 0.125 - 0.012 * 0.125 * np.exp(-14.0 / 20.0)
    assert heights[2] == pytest.approx(depressed, abs=1e-3)


def test_weights_that_inhibit_are_treated_as_those_that_excite() -> None:
    for post in (None, 1.0, 30.0):
        with pytest.warns(UserWarning, match=OUTSIDE):
            excite, _ = delivered(1.0, post=post, w_max=0.1)
        with pytest.warns(UserWarning, match=OUTSIDE):
            inhibit, _ = delivered(-1.0, post=post, w_max=0.1, receptor="inhibitory")
        assert inhibit == [-height for height in excite]


def test_a_weight_below_w_min_is_transmitted_as_given_until_something_is_learnt() -> None:
    with pytest.warns(UserWarning, match=r"outside w_min = 0.5 to w_max = 2"):
        heights, _ = delivered(0.25, w_min=0.5, w_max=2.0)
    assert heights == [0.25, 0.25, 0.25]
    with pytest.warns(UserWarning, match=r"outside w_min = 0.5 to w_max = 2"):
        heights, _ = delivered(0.25, post=30.0, w_min=0.5, w_max=2.0)
    assert heights == [0.25, 0.25, 0.5]


def test_negative_amplitudes_end_at_the_other_limit() -> None:
    """So that no weight grows without end."""
    sim = pyNN.sparse
    for a_plus, a_minus, expected in ((-5.0, 0.0, 0.2), (0.0, -5.0, 0.8)):
        sim.setup(timestep=0.1)
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 25.0]))
        driver = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0]))
        cell = sim.Population(1, sim.IF_curr_delta())
        sim.Projection(driver, cell, sim.OneToOneConnector(), sim.StaticSynapse(weight=100.0))
        rule = sim.STDPMechanism(
            sim.SpikePairRule(A_plus=a_plus, A_minus=a_minus),
            sim.AdditiveWeightDependence(w_min=0.2, w_max=0.8),
            weight=0.5,
        )
        projection = sim.Projection(source, cell, sim.OneToOneConnector(), rule)
        sim.run(30.0)
        assert projection.get("weight", "list", with_address=False) == [expected]


class TestWarning:
    """Made when the projection is made or set, with its name and the numbers."""

    def projection(self, weight: Any = 0.5, **limits: Any) -> Any:
        sim = pyNN.sparse
        sim.setup(timestep=0.1)
        pre, post = (sim.Population(n, sim.IF_curr_exp(), label=f"p{n}") for n in (2, 3))
        rule = sim.STDPMechanism(
            sim.SpikePairRule(), sim.AdditiveWeightDependence(**limits), weight=weight
        )
        return sim.Projection(pre, post, sim.AllToAllConnector(), rule, label="taught")

    def test_of_a_projection(self) -> None:
        weights = np.array([[0.1, 0.2, 0.3], [0.4, 5.0, 0.6]])
        words = r"taught: 2 of 6 weights .* w_min = 0 to w_max = 0.5 .* size of 5;"
        with pytest.warns(UserWarning, match=words) as caught:
            self.projection(weights, w_max=0.5)
        assert len(caught) == 1
        assert caught[0].filename == __file__

    def test_of_limits_of_each_synapse(self) -> None:
        w_max = np.array([[0.1, 0.9, 0.9], [0.9, 0.9, 0.4]])
        with pytest.warns(UserWarning, match=r"2 of 6 weights .* w_max = 0.1 \.\. 0.9"):
            self.projection(0.5, w_max=w_max)

    @pytest.mark.parametrize(
        "change", [{"weight": 2.0}, {"w_max": 0.3}, {"w_min": 0.8}, {"weight": 0.9, "w_max": 0.8}]
    )
    def test_of_a_change(self, change: dict[str, float]) -> None:
        projection = self.projection()
        with pytest.warns(UserWarning, match="taught: 6 of 6 weights") as caught:
            projection.set(**change)
        assert caught[0].filename == __file__

    def test_none_within(self) -> None:
        projection = self.projection(w_max=0.5)
        projection.set(weight=0.0, A_plus=0.1)
        projection.set(weight=2.0, w_max=3.0)

    def test_none_for_weights_that_have_come_to_their_limit(self) -> None:
        sim = pyNN.sparse
        sim.setup(timestep=0.1, precision="single")
        cells = sim.Population(2, sim.IF_curr_exp())
        rule = sim.STDPMechanism(
            sim.SpikePairRule(), sim.AdditiveWeightDependence(w_max=0.1), weight=0.1
        )
        projection = sim.Projection(cells, cells, sim.AllToAllConnector(), rule)
        projection.set(weight=projection.get("weight", "array"))
