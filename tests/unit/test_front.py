"""PyNN's objects on this backend: parameters, initial values, segments, connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.sparse.simulator import state
from support.front import driven, signal

pytestmark = pytest.mark.usefixtures("fresh")


class TestParameters:
    def test_round_trip_is_lossless(self) -> None:
        values = np.linspace(0.1, 30.0, 7) / 3
        population = sim.Population(7, sim.IF_cond_exp(tau_m=values, cm=0.1 + 1e-16))
        assert np.array_equal(population.get("tau_m"), values)
        assert population.get("cm") == 0.1 + 1e-16
        population.set(tau_syn_E=lambda i: 1.0 + i / 3)
        assert np.array_equal(population.get("tau_syn_E"), 1.0 + np.arange(7) / 3)

    def test_views_of_views(self) -> None:
        population = driven(10)
        inner = population[2:9][[1, 3, 5]]
        inner.set(tau_m=[1.0, 2.0, 3.0])
        expected = np.full(10, 20.0)
        expected[[3, 5, 7]] = [1.0, 2.0, 3.0]
        assert np.array_equal(population.get("tau_m"), expected)
        assert np.array_equal(inner.get("tau_m"), [1.0, 2.0, 3.0])
        assert population[5].tau_m == 2.0
        population[5].tau_m = 9.0
        assert inner.get("tau_m")[1] == 9.0

    def test_spike_times_of_some_neurons(self) -> None:
        population = sim.Population(3, sim.SpikeSourceArray(spike_times=[1.0, 2.0]))
        population[1:2].set(spike_times=[5.0])
        first, second, third = population.get("spike_times")
        assert first == third == Sequence([1.0, 2.0])
        assert second == Sequence([5.0])
        population.set(spike_times=[3.0])
        assert population.get("spike_times") == Sequence([3.0])
        assert population[2].spike_times == Sequence([3.0])

    def test_two_populations_may_share_a_cell_type(self) -> None:
        celltype = sim.IF_curr_exp(tau_m=RandomDistribution("uniform", (5, 20), NumpyRNG(1)))
        one, two = sim.Population(3, celltype), sim.Population(8, celltype)
        one.set(v_thresh=-40.0)
        assert len(two.get("tau_m")) == 8
        assert two.get("v_thresh") == -50.0


class TestInitialValues:
    def test_of_views(self) -> None:
        population = driven(5)
        population[1:3].initialize(v=[-70.0, -71.0])
        assert list(population.initial_values["v"]) == [-65.0, -70.0, -71.0, -65.0, -65.0]
        assert list(population[2:4].initial_values["v"]) == [-71.0, -65.0]
        population[4].set_initial_value("v", -72.0)
        assert population[4].get_initial_value("v") == -72.0
        population.record("v")
        sim.run(0.1)
        assert list(signal(population).magnitude[0]) == [-65.0, -70.0, -71.0, -65.0, -72.0]

    def test_random_ones_are_drawn_once(self) -> None:
        population = driven(5)
        population.initialize(v=RandomDistribution("uniform", (-70, -60), NumpyRNG(3)))
        drawn = population.initial_values["v"].evaluate()
        assert np.array_equal(drawn, population.initial_values["v"].evaluate())
        population.record("v")
        sim.run(0.1)
        sim.reset()
        sim.run(0.1)
        for segment in population.get_data().segments:
            assert np.array_equal(segment.analogsignals[0].magnitude[0], drawn)

    def test_set_during_a_simulation(self) -> None:
        population = driven(3)
        population.record("v")
        sim.run(1.0)
        population[1:2].initialize(v=-80.0)
        sim.run(0.1)
        v = signal(population).magnitude
        assert v[-1, 1] < -79.0
        assert v[-1, 0] > -65.0


class TestRunning:
    def test_segments(self) -> None:
        population = driven()
        population.record(["v", "spikes"])
        sim.run(30.0)
        sim.reset(annotations={"trial": 1})
        assert sim.get_current_time() == 0.0
        population.set(i_offset=0.8)
        sim.run(20.0)
        sim.reset()
        population.set(i_offset=2.0)
        sim.run(30.0)
        first, second, third = population.get_data().segments
        assert first.annotations["trial"] == 1
        assert len(second.analogsignals[0]) == 201
        assert np.array_equal(first.analogsignals[0].magnitude, third.analogsignals[0].magnitude)
        assert not np.array_equal(
            first.analogsignals[0].magnitude[:201], second.analogsignals[0].magnitude
        )

    def test_time_does_not_drift(self) -> None:
        driven(1)
        for _ in range(3000):
            sim.run(0.1)
        assert sim.get_current_time() == 300.0
        assert sim.run_until(300.0) == 300.0

    def test_callbacks(self) -> None:
        driven(1)
        seen = []

        def every_third(t: float) -> float:
            seen.append(t)
            return t + 3.0

        sim.run(10.0, callbacks=[every_third])
        assert seen[:4] == [0.0, 3.0, 6.0, 9.0]
        assert sim.get_current_time() == 10.0

    def test_changes_between_runs(self) -> None:
        population = driven(2)
        population.record("spikes")
        sim.run(100.0)
        before = population.get_spike_counts()
        population[1:].set(i_offset=0.0)
        sim.run(100.0)
        after = population.get_spike_counts()
        assert after[population[0]] >= 2 * before[population[0]] - 1
        assert after[population[1]] <= before[population[1]] + 1

    def test_network_may_grow(self) -> None:
        population = driven(2)
        sim.run(10.0)
        later = sim.Population(2, sim.IF_curr_delta())
        later.record("spikes")
        connector = sim.AllToAllConnector()
        sim.Projection(population, later, connector, sim.StaticSynapse(weight=20.0, delay=1.0))
        sim.run(50.0)
        assert later.mean_spike_count() > 0

    def test_setup_forgets_everything(self) -> None:
        driven(2)
        sim.run(10.0)
        sim.setup(timestep=0.5)
        assert sim.get_current_time() == 0.0
        assert sim.get_time_step() == 0.5
        assert state.network.size == 0

    def test_precision_and_threads(self) -> None:
        counts = []
        for options in ({"threads": 1}, {"threads": 2}, {"precision": "single"}):
            sim.setup(timestep=0.1, **options)
            population = driven(50)
            noise = sim.Population(50, sim.SpikeSourcePoisson(rate=500.0))
            connector = sim.FixedProbabilityConnector(0.5, rng=NumpyRNG(1))
            sim.Projection(noise, population, connector, sim.StaticSynapse(weight=0.01))
            population.record("spikes")
            sim.run(200.0)
            counts.append(population.get_spike_counts())
        assert counts[0] == counts[1]
        assert sum(counts[2].values()) == pytest.approx(sum(counts[0].values()), rel=0.02)


class TestProjections:
    def project(self, **synapse: Any) -> Any:
        pre, post = driven(4), driven(3)
        connector = sim.FixedProbabilityConnector(0.6, rng=NumpyRNG(4))
        return sim.Projection(pre, post, connector, sim.StaticSynapse(**synapse))

    def test_get_agrees_in_all_formats(self) -> None:
        weight = RandomDistribution("uniform", (0.1, 0.9), NumpyRNG(2))
        projection = self.project(weight=weight, delay=0.3)
        matrix, delays = projection.get(["weight", "delay"], format="array")
        rows = projection.get(["weight", "delay"], format="list")
        assert len(rows) == len(projection) == projection.size() == np.isfinite(matrix).sum()
        for (i, j, w, d), connection in zip(rows, projection.connections, strict=True):
            assert matrix[i, j] == w == connection.weight
            assert delays[i, j] == d == connection.delay == 0.3
            assert (connection.presynaptic_index, connection.postsynaptic_index) == (i, j)
            assert connection.as_tuple("presynaptic_index", "weight") == (i, w)
        values = projection.get("weight", format="list", with_address=False)
        assert values == [row[2] for row in rows]

    def test_several_synapses_between_two_cells(self) -> None:
        pre, post = driven(2), driven(2)
        rows = [(0, 1, 0.5, 1.0), (0, 1, 0.2, 2.0), (0, 1, 0.3, 3.0), (1, 0, 0.1, 1.0)]
        projection = sim.Projection(pre, post, sim.FromListConnector(rows), sim.StaticSynapse())
        made = [w for i, j, w in projection.get("weight", format="list") if (i, j) == (0, 1)]
        assert sorted(made) == [0.2, 0.3, 0.5]  # upstream's connector decides on the order
        expected = {"first": made[0], "last": made[-1], "sum": 1.0, "min": 0.2, "max": 0.5}
        for operation, value in expected.items():
            matrix = projection.get("weight", format="array", multiple_synapses=operation)
            assert matrix[0, 1] == pytest.approx(value)
            assert matrix[1, 0] == 0.1
            assert np.isnan(matrix[0, 0])
            assert np.isnan(matrix[1, 1])

    def test_set(self) -> None:
        projection = self.project(weight=0.5)
        connected = np.isfinite(projection.get("weight", format="array"))
        n = len(projection)
        projection.set(weight=0.7)
        assert set(projection.get("weight", "list", with_address=False)) == {0.7}
        projection.set(weight=list(np.arange(n)))
        assert np.array_equal(projection.get("weight", "array")[connected], np.arange(n))
        matrix = np.where(connected, np.arange(12).reshape(4, 3), np.nan)
        projection.set(weight=matrix, delay=0.5)
        assert np.array_equal(projection.get("weight", "array"), matrix, equal_nan=True)
        projection.set(weight=lambda d: 0.1 + d)
        distances = np.abs(np.arange(4)[:, np.newaxis] - np.arange(3))
        assert np.allclose(projection.get("weight", "array")[connected], 0.1 + distances[connected])
        projection.set(weight=RandomDistribution("uniform", (0, 1), NumpyRNG(9)))
        drawn = NumpyRNG(9).next(12, "uniform", {"low": 0, "high": 1}).reshape(4, 3)
        assert np.array_equal(projection.get("weight", "array")[connected], drawn[connected])
        projection[2].weight = 0.123
        assert [c.weight for c in projection.connections].count(0.123) == 1
        assert set(projection.get("delay", "list", with_address=False)) == {0.5}

    def test_assemblies_and_views_as_ends(self) -> None:
        one, two = driven(3), driven(4)
        pre, post = one[1:] + two[::2], two[1:3] + one
        projection = sim.Projection(
            pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1)
        )
        matrix = projection.get("weight", format="array")
        assert matrix.shape == (4, 5)
        assert (matrix == 0.1).all()
        ends = [(c.presynaptic_index, c.postsynaptic_index) for c in projection]
        assert ends == [(i, j) for j in range(5) for i in range(4)]
        ids = {
            (int(i) + table.pre.first, int(j) + table.post.first)
            for table in projection._tables
            for i, j in zip(table.source(), table.target, strict=True)
        }
        assert ids == {(int(i), int(j)) for i in pre.all_cells for j in post.all_cells}

    def test_no_connections(self) -> None:
        pre, post = driven(2), driven(2)
        projection = sim.Projection(pre, post, sim.FromListConnector([]), sim.StaticSynapse())
        assert len(projection) == 0
        assert projection.get("weight", format="list") == []
        projection.set(weight=1.0)
        sim.run(1.0)

    def test_save_and_load(self, tmp_path: Path) -> None:
        projection = self.project(weight=RandomDistribution("uniform", (0, 1), NumpyRNG(2)))
        file = str(tmp_path / "connections.txt")
        projection.save("all", file)
        again = sim.Projection(projection.pre, projection.post, sim.FromFileConnector(file))
        rows = [sorted(each.get("weight", "list")) for each in (projection, again)]
        assert np.allclose(*rows, rtol=1e-6)


class TestCurrentSources:
    def test_parameters_may_change_between_runs(self) -> None:
        population = sim.Population(2, sim.IF_curr_exp())
        source = sim.DCSource(amplitude=0.5, start=1.0, stop=1e9)
        population[:1].inject(source)
        population.record("v")
        sim.run(10.0)
        source.amplitude = -0.5
        sim.run(10.0)
        v = signal(population).magnitude
        assert np.argmax(v[:, 0] > -65.0) == 11
        assert (np.diff(v[100:, 0]) < 0).all()
        assert (v[:, 1] == -65.0).all()
        assert source.amplitude == -0.5

    def test_recorded_current(self) -> None:
        population = sim.Population(1, sim.IF_curr_exp())
        source = sim.StepCurrentSource(times=[0.31, 0.33, 0.6], amplitudes=[1.0, 2.0, 0.5])
        source.inject_into(population)
        source.record()
        sim.run(1.0)
        recorded = source.get_data()
        assert recorded.magnitude.ravel().tolist() == [0, 0, 0, 2, 2, 2, 0.5, 0.5, 0.5, 0.5, 0.5]
        assert list(source.times.evaluate()) == [0.3, 0.6]

    def test_recorded_current_after_a_reset(self) -> None:
        population = sim.Population(1, sim.IF_curr_exp())
        source = sim.DCSource(amplitude=1.0, start=1.0, stop=2.0)
        population.inject(source)
        sim.run(1.0)
        source.record()
        sim.run(2.0)
        assert source.get_data().magnitude.ravel().tolist() == [1.0] * 10 + [0.0] * 11
        sim.reset()
        for stop in (1.5, 5.0):
            sim.run_until(stop)
            t = np.arange(round(stop * 10) + 1)
            expected = ((t >= 10) & (t < 20)).astype(float)
            assert source.get_data().magnitude.ravel().tolist() == expected.tolist()

    def test_several_sources_add_up(self) -> None:
        one, two = (sim.Population(1, sim.IF_curr_exp(cm=10.0)) for _ in range(2))
        for amplitude in (0.1, 0.2, 0.4):
            one.inject(sim.DCSource(amplitude=amplitude))
        two.inject(sim.DCSource(amplitude=0.7))
        for population in (one, two):
            population.record("v")
        sim.run(20.0)
        assert np.allclose(signal(one).magnitude, signal(two).magnitude, rtol=0, atol=1e-10)

    def test_noise_is_reproducible(self) -> None:
        traces = []
        for _ in range(2):
            sim.setup(rng_seed=5)
            population = sim.Population(1, sim.IF_curr_exp())
            population.inject(sim.NoisyCurrentSource(mean=0.2, stdev=0.3, start=1.0, dt=0.2))
            population.record("v")
            sim.run(20.0)
            traces.append(signal(population).magnitude)
        assert np.array_equal(*traces)
        assert traces[0].std() > 0


def test_list_of_standard_models() -> None:
    assert set(sim.list_standard_models()) == {
        "IF_curr_exp",
        "IF_curr_alpha",
        "IF_curr_delta",
        "IF_cond_exp",
        "IF_cond_alpha",
        "IF_cond_exp_gsfa_grr",
        "IF_facets_hardware1",
        "HH_cond_exp",
        "EIF_cond_exp_isfa_ista",
        "EIF_cond_alpha_isfa_ista",
        "GIF_cond_exp",
        "Izhikevich",
        "PointNeuron",
        "SpikeSourceArray",
        "SpikeSourceGamma",
        "SpikeSourceInhGamma",
        "SpikeSourcePoisson",
        "SpikeSourcePoissonRefractory",
    }


def test_each_model_can_be_described_and_recorded() -> None:
    for name in sim.list_standard_models():
        parts = (sim.AdExp(),) if name == "PointNeuron" else ()
        receptors = {"AMPA": sim.AlphaPSR(), "slow": sim.BetaPSR()} if parts else {}
        cell = getattr(sim, name)(*parts, **receptors)
        population = sim.Population(2, cell)
        population.record(cell.recordable)
        assert name in population.describe()
    sim.run(1.0)
