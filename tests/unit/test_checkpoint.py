"""Saved and loaded simulations go on as if nothing had happened, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse.engine.synapses import layout

FIRST, SECOND = 40.0, 45.0  # ms


def network(threads: int = 1, **options: Any) -> list[Any]:
    """Everything that has a state."""
    sim.setup(timestep=0.1, threads=threads, **options)
    rng = NumpyRNG(seed=2)
    poisson = sim.Population(50, sim.SpikeSourcePoisson(rate=100.0))
    times = [Sequence(np.arange(1.0, 90.0, 3.0 + i)) for i in range(10)]
    array = sim.Population(10, sim.SpikeSourceArray(spike_times=times))
    gamma = sim.Population(5, sim.SpikeSourceGamma(alpha=2.0, beta=300.0))
    neurons = sim.Population(200, sim.IF_curr_exp(i_offset=0.6), label="neurons")
    adaptive = sim.Population(30, sim.EIF_cond_exp_isfa_ista(i_offset=0.7))
    composed = sim.Population(
        10,
        sim.PointNeuron(sim.LIF(i_offset=0.8), A=sim.ExpPSR(), B=sim.CurrExpPostSynapticResponse()),
    )
    own = sim.Population(200, sim.SpikeSourcePoisson(rate=2000.0))
    neurons.initialize(v=RandomDistribution("uniform", (-65.0, -50.0), rng=rng))

    def connect(pre: Any, post: Any, synapse: Any, p: float = 0.2, **kwargs: Any) -> Any:
        connector = sim.FixedProbabilityConnector(p, rng=rng)
        return sim.Projection(pre, post, connector, synapse, **kwargs)

    delay = RandomDistribution("uniform", (0.2, 9.0), rng=rng)
    stdp = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(A_plus=0.1, A_minus=0.1),
        weight_dependence=sim.MultiplicativeWeightDependence(w_max=0.6),
        weight=0.3,
        delay=delay,
    )
    static = sim.StaticSynapse(weight=0.05, delay=delay)
    plastic = connect(poisson, neurons, stdp)
    connect(neurons, neurons, static)
    axonal = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(A_plus=0.1, A_minus=0.1),
        weight_dependence=sim.AdditiveWeightDependence(w_max=0.6),
        dendritic_delay_fraction=0.3,
        weight=0.2,
        delay=6.0,
    )
    connect(array, neurons, axonal)
    connect(array, adaptive, sim.TsodyksMarkramSynapse(weight=0.05, delay=1.0))
    connect(gamma, adaptive, sim.SimpleStochasticSynapse(weight=0.05, delay=2.0))
    connect(array, composed, sim.MultiQuantalSynapse(weight=0.02, delay=2.0), receptor_type="A")
    background = sim.StaticSynapse(weight=0.02, delay=3.0)
    sim.Projection(own, neurons, sim.OneToOneConnector(), background)
    noise = sim.NoisyCurrentSource(mean=0.1, stdev=0.2, start=5.0, dt=0.2)
    noise.inject_into(neurons[:20])
    neurons.inject(sim.StepCurrentSource(times=[10.0, 60.0], amplitudes=[0.2, 0.0]))
    recorded = [poisson, array, gamma, neurons, adaptive, composed]
    for each in recorded:
        each.record("spikes")
    neurons[:10].record(["v", "isyn_exc"], sampling_interval=0.5)
    adaptive.record("w")
    network.plastic = plastic  # type: ignore[attr-defined]
    return recorded


def results(recorded: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, each in enumerate(recorded):
        segment = each.get_data().segments[-1]
        for index, train in enumerate(segment.spiketrains):
            found[f"{number} {index}"] = train.magnitude
        for signal in segment.analogsignals:
            found[f"{number} {signal.name}"] = signal.magnitude
    found["weights"] = network.plastic.get("weight", format="array")  # type: ignore[attr-defined]
    found["now"] = np.array(sim.get_current_time())
    return found


def change(recorded: list[Any]) -> None:
    """Something that the rebuilt network does not know of."""
    neurons = recorded[3]
    neurons[5:9].set(tau_m=7.0)
    network.plastic.set(delay=2.0, A_plus=0.05)  # type: ignore[attr-defined]
    recorded[0].set(rate=60.0)


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    assert first.keys() == second.keys()
    return all(np.array_equal(first[name], second[name], equal_nan=True) for name in first)


def through_a_file(path: Path, threads: tuple[int, int], **options: Any) -> tuple[Any, Any]:
    recorded = network(threads[0], **options)
    sim.run(FIRST)
    change(recorded)
    sim.run(1.0)
    sim.save_state(path)
    sim.run(SECOND)
    expected = results(recorded)
    recorded = network(threads[1], **options)
    sim.load_state(path)
    assert sim.get_current_time() == FIRST + 1.0
    sim.run(SECOND)
    return expected, results(recorded)


@pytest.mark.parametrize("threads", [(1, 1), (1, 3), (2, 1)])
def test_it_goes_on_as_before(tmp_path: Path, threads: tuple[int, int]) -> None:
    expected, found = through_a_file(tmp_path / "state.npz", threads)
    assert sum(len(each) for name, each in expected.items() if name.startswith("3 ")) > 500
    assert same(expected, found)


def test_saving_changes_nothing(tmp_path: Path) -> None:
    recorded = network()
    sim.run(FIRST)
    sim.run(SECOND)
    expected = results(recorded)
    recorded = network()
    sim.run(FIRST)
    sim.save_state(tmp_path / "state.npz")
    sim.run(SECOND)
    assert same(expected, results(recorded))


def test_single_precision(tmp_path: Path) -> None:
    assert same(*through_a_file(tmp_path / "state.npz", (1, 2), precision="single"))


def test_a_reset_after_loading_goes_back_to_the_beginning(tmp_path: Path) -> None:
    recorded = network()
    sim.run(FIRST)
    expected = results(recorded)
    sim.save_state(tmp_path / "state.npz")
    recorded = network()
    sim.load_state(tmp_path / "state.npz")
    sim.reset(same_noise=True)
    sim.run(FIRST)
    assert same(expected, results(recorded))


def test_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    expected, _ = through_a_file(path, (1, 1))
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import numpy as np, test_checkpoint as test, pyNN.sparse as sim\n"
        f"recorded = test.network(2); sim.load_state({str(path)!r}); sim.run(test.SECOND)\n"
        f"np.savez({str(tmp_path / 'found.npz')!r}, **test.results(recorded))\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)
    with np.load(tmp_path / "found.npz") as file:
        assert same(expected, dict(file))


def test_what_waits_for_its_group_of_delays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "best_group", lambda *_: 7)

    def build() -> list[Any]:
        sim.setup(timestep=0.1, threads=2)
        rng = NumpyRNG(seed=2)
        neurons = sim.Population(300, sim.IF_curr_exp(i_offset=0.9))
        neurons.initialize(v=RandomDistribution("uniform", (-65.0, -50.0), rng=rng))
        delay = RandomDistribution("uniform", (0.2, 9.0), rng=rng)
        synapse = sim.StaticSynapse(weight=0.05, delay=delay)
        projection = sim.Projection(
            neurons, neurons, sim.FixedProbabilityConnector(0.2, rng=rng), synapse
        )
        network.plastic = projection  # type: ignore[attr-defined]
        neurons.record("spikes")
        return [neurons]

    recorded = build()
    sim.run(FIRST)
    sim.save_state(tmp_path / "state.npz")
    sim.run(SECOND)
    expected = results(recorded)
    recorded = build()
    sim.load_state(tmp_path / "state.npz")
    sim.run(SECOND)
    assert sum(len(each) for name, each in expected.items() if name.startswith("0 ")) > 500
    assert same(expected, results(recorded))


class TestRefusals:
    def test_before_the_first_run(self, tmp_path: Path) -> None:
        sim.setup()
        with pytest.raises(RuntimeError, match="before the first run"):
            sim.save_state(tmp_path / "state.npz")

    def test_of_another_network(self, tmp_path: Path) -> None:
        path = tmp_path / "state.npz"
        network()
        sim.run(1.0)
        sim.save_state(path)
        for build, words in (
            (lambda: network(precision="single"), "precision: double in the file, single"),
            (lambda: sim.setup(timestep=0.2), "time step: 0.1 in the file, 0.2"),
            (lambda: sim.setup(timestep=0.1), "populations"),
            (lambda: network()[0].record(None), "recorded spikes"),
        ):
            build()
            with pytest.raises(ValueError, match=words):
                sim.load_state(path)
            assert sim.get_current_time() == 0

    def test_of_what_is_no_state(self, tmp_path: Path) -> None:
        sim.setup()
        np.savez(tmp_path / "other.npz", a=1)
        with pytest.raises(ValueError, match="not a file that save_state wrote"):
            sim.load_state(tmp_path / "other.npz")
