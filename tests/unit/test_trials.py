"""What `reset` does to random numbers: trials differ, and can be had again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.parameters import Sequence
from support.devices import Runtimes

from pynn_sparse import run_instances

DURATION = 60.0
RANDOM_SOURCES: dict[str, dict[str, Any]] = {
    "SpikeSourcePoisson": {"rate": 200.0},
    "SpikeSourcePoissonRefractory": {"rate": 200.0, "tau_refrac": 1.0},
    "SpikeSourceGamma": {"alpha": 2.0, "beta": 400.0},
    "SpikeSourceInhGamma": {
        "a": Sequence([2.0]),
        "b": Sequence([0.002]),
        "tbins": Sequence([0.0]),
        "start": 0.0,
        "duration": 1000.0,
    },
}
RANDOM_SYNAPSES: dict[str, dict[str, Any]] = {
    "SimpleStochasticSynapse": {"p": 0.5},
    "StochasticTsodyksMarkramSynapse": {"U": 0.5, "tau_rec": 20.0},
    "MultiQuantalSynapse": {"n": 3, "U": 0.5, "tau_rec": 20.0},
}


def network(backend: Any = sim, value: Any = None) -> dict[str, Any]:
    """Cells of which each population is moved by one kind of random numbers alone."""
    recorded = {}

    def watch(name: str, population: Any, variable: str = "v") -> None:
        population.record(variable)
        recorded[name] = population

    for name, parameters in RANDOM_SOURCES.items():
        watch(name, backend.Population(20, getattr(backend, name)(**parameters)), "spikes")
    times = np.arange(1.0, DURATION, 2.0)
    regular = backend.Population(20, backend.SpikeSourceArray(spike_times=times))
    for name, parameters in RANDOM_SYNAPSES.items():
        cells = backend.Population(20, backend.IF_curr_exp())
        synapse = getattr(backend, name)(weight=0.5, delay=1.0, **parameters)
        backend.Projection(regular, cells, backend.OneToOneConnector(), synapse)
        watch(name, cells)
    background = backend.Population(20, backend.SpikeSourcePoisson(rate=2000.0))
    driven = backend.Population(20, backend.IF_curr_exp())
    synapse = backend.StaticSynapse(weight=0.1, delay=1.0)
    backend.Projection(background, driven, backend.OneToOneConnector(), synapse)
    watch("Poisson input drawn at its targets", driven)
    noisy = backend.Population(20, backend.IF_curr_exp())
    backend.NoisyCurrentSource(mean=0.1, stdev=0.3, start=0.0, stop=1000.0).inject_into(noisy)
    watch("NoisyCurrentSource", noisy)
    watch("GIF_cond_exp", backend.Population(20, backend.GIF_cond_exp(i_offset=3.0)), "spikes")
    return recorded


def trials(recorded: dict[str, Any]) -> dict[str, list[Any]]:
    """What each population has recorded, trial by trial."""

    def of(segment: Any) -> Any:
        if segment.analogsignals:
            return segment.analogsignals[0].magnitude.tolist()
        return [train.magnitude.tolist() for train in segment.spiketrains]

    return {
        name: [of(segment) for segment in population.get_data().segments]
        for name, population in recorded.items()
    }


def run_trials(
    n: int, same_noise: bool = False, duration: float = DURATION, **options: Any
) -> dict[str, list[Any]]:
    sim.setup(timestep=0.1, **options)
    recorded = network()
    for trial in range(n):
        if trial:
            sim.reset(same_noise=same_noise)
        sim.run(duration)
    return trials(recorded)


def test_trials_differ_in_all_that_is_random() -> None:
    for name, (first, second, third) in run_trials(3).items():
        assert first != second, name
        assert second != third, name
        assert first != third, name


def test_trials_are_the_same_for_the_same_seed_however_they_are_run() -> None:
    expected = run_trials(2, threads=1)
    assert run_trials(2, threads=3) == expected
    other = run_trials(2, rng_seed=43)
    for name, (first, second) in expected.items():
        assert other[name][0] not in (first, second), name
        assert other[name][1] not in (first, second), name


@pytest.mark.slow  # it executes kernels of many models, thread by thread
def test_a_gpu_has_the_same_trials(runtimes: Runtimes) -> None:
    on_gpu, on_cpu = (run_trials(2, duration=15.0, device=name) for name in ("auto", "cpu"))
    assert on_gpu == on_cpu
    assert all(first != second for first, second in on_gpu.values())
    assert runtimes


def test_same_noise_repeats_the_trial_that_ends() -> None:
    sim.setup(timestep=0.1)
    recorded = network()
    for same_noise in (False, True, False):
        sim.run(DURATION)
        sim.reset(same_noise=same_noise)
    sim.run(DURATION)
    for name, (first, second, third, fourth) in trials(recorded).items():
        assert first != second == third != fourth, name
    assert all(first == second for first, second in run_trials(2, same_noise=True).values())


def test_a_new_setup_begins_again_with_the_first_trial() -> None:
    assert run_trials(2) == run_trials(2)


def test_a_reset_before_anything_was_run_changes_no_numbers() -> None:
    sim.setup(timestep=0.1)
    recorded = network()
    sim.reset()
    sim.reset()
    sim.run(DURATION)
    assert trials(recorded) == run_trials(1)


def test_the_second_trial_is_not_that_of_the_next_seed() -> None:
    """Trials and seeds do not overlap, so that loops over both give independent noise."""
    seen = [each for seed in range(40, 46) for each in run_trials(3, rng_seed=seed)["GIF_cond_exp"]]
    assert len({str(each) for each in seen}) == len(seen)


def test_rates_of_later_trials_are_right() -> None:
    sim.setup(timestep=0.1)
    source = sim.Population(100, sim.SpikeSourcePoisson(rate=100.0))
    source.record("spikes")
    for _ in range(20):
        sim.run(100.0)
        sim.reset()
    counts = [sum(map(len, each.spiketrains)) for each in source.get_data().segments[:20]]
    assert np.mean(counts) == pytest.approx(1000, abs=4 * np.sqrt(1000 / 20))
    assert 0.4 < np.var(counts, ddof=1) / 1000 < 2.0


def test_a_checkpoint_knows_its_trial(tmp_path: Any) -> None:
    sim.setup(timestep=0.1)
    recorded = network()
    sim.run(DURATION)
    sim.reset()
    sim.run(DURATION / 2)
    sim.save_state(tmp_path / "state.npz")
    sim.run(DURATION / 2)
    sim.reset()
    sim.run(DURATION)
    expected = {name: each[-2:] for name, each in trials(recorded).items()}
    sim.setup(timestep=0.1)
    recorded = network()
    sim.load_state(tmp_path / "state.npz")
    sim.run(DURATION / 2)
    sim.reset()
    sim.run(DURATION)
    assert {name: each[-2:] for name, each in trials(recorded).items()} == expected


def test_instances_have_the_trials_that_they_have_alone() -> None:
    seeds = [5, 6]
    built = run_instances(network, [None, None], DURATION, seeds=seeds, timestep=0.1)
    sim.reset()
    sim.run(DURATION)
    together = [trials(each) for each in built]
    assert together == [run_trials(2, rng_seed=seed) for seed in seeds]


def test_annotations_belong_to_the_segment_that_ends() -> None:
    sim.setup(timestep=0.1)
    source = sim.Population(2, sim.SpikeSourcePoisson(rate=100.0))
    source.record("spikes")
    sim.run(10.0)
    sim.reset(annotations={"trial": "first"}, same_noise=True)
    sim.run(10.0)
    first, second = source.get_data().segments
    assert first.annotations["trial"] == "first"
    assert "trial" not in second.annotations


@pytest.mark.parametrize("value", [1, None, "yes"])
def test_same_noise_is_true_or_false(value: Any) -> None:
    sim.setup(timestep=0.1)
    source = sim.Population(2, sim.SpikeSourcePoisson(rate=100.0))
    source.record("spikes")
    sim.run(10.0)
    with pytest.raises(ValueError, match=f"same_noise = {value!r}: must be True or False"):
        sim.reset(same_noise=value)
    assert sim.get_current_time() == 10.0
    assert len(source.get_data().segments) == 1
