"""What is recorded, from when to when, and what files of it hold."""

from __future__ import annotations

from pathlib import Path

import neo
import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.parameters import Sequence
from support.front import driven, signal

pytestmark = pytest.mark.usefixtures("fresh")


def test_sampling_interval() -> None:
    population = driven()
    every, some = driven(), driven()
    every.record("v")
    some.record("v", sampling_interval=0.7)
    population.record("spikes")
    sim.run(10.0)
    sampled, full = signal(some), signal(every)
    assert len(full) == 101
    assert sampled.sampling_period == 0.7 * sampled.sampling_period.units
    assert np.array_equal(sampled.magnitude, full.magnitude[::7])


def test_begins_with_the_initial_value_after_clear_with_the_last() -> None:
    population = driven()
    population.record(["v", "spikes"])
    sim.run(10.0)
    first = population.get_data(clear=True).segments[0]
    sim.run(10.0)
    second = population.get_data().segments[0]
    v1, v2 = first.analogsignals[0], second.analogsignals[0]
    assert (len(v1), len(v2)) == (101, 101)
    assert np.array_equal(v1.magnitude[-1], v2.magnitude[0])
    assert float(v2.t_start) == 10.0
    assert min(float(train.min()) for train in second.spiketrains if len(train)) > 10.0


def test_begins_during_a_simulation() -> None:
    """Neurons and variables that come later have no values for the time before."""
    population = driven(4)
    population[:2].record("v")
    sim.run(5.0)
    population.record(["v", "isyn_exc"])
    sim.run(5.0)
    v, isyn = signal(population), signal(population, "isyn_exc")
    assert v.shape == isyn.shape == (101, 4)
    assert np.isfinite(v.magnitude[:, :2]).all()
    assert np.isnan(v.magnitude[:51, 2:]).all()
    assert np.isfinite(v.magnitude[51:, 2:]).all()
    assert np.isnan(isyn.magnitude[:50]).all()
    assert np.isfinite(isyn.magnitude[50:]).all()


def test_begins_when_nothing_was_recorded_before() -> None:
    population = driven()
    sim.run(5.0)
    population.record(["v", "spikes"])
    sim.run(5.0)
    assert float(signal(population).t_start) == 5.0
    assert len(signal(population)) == 51


def test_ends() -> None:
    population = driven()
    population.record(["v", "spikes"])
    sim.run(20.0)
    population.record(None)
    sim.run(20.0)
    segment = population.get_data().segments[0]
    assert not segment.analogsignals
    assert not segment.spiketrains


def test_of_views_and_assemblies() -> None:
    one, two = driven(4), driven(3, tau_refrac=10.0)
    assembly = one[1:3] + two
    assembly.record(["v", "spikes"])
    sim.run(50.0)
    block = assembly.get_data()
    assert sum(each.shape[1] for each in block.segments[0].analogsignals) == 5
    assert len(block.segments[0].spiketrains) == 5
    assert len(one[:2].get_data().segments[0].spiketrains) == 1
    counts = assembly.get_spike_counts()
    assert [counts[cell] for cell in one[1:3]] == [counts[one[1]]] * 2
    assert counts[two[0]] < counts[one[1]]


def test_spike_trains() -> None:
    sources = sim.Population(
        3,
        sim.SpikeSourceArray(
            spike_times=[Sequence([0.0, 1.0, 1.0]), Sequence([]), Sequence([2.04, 9.96])]
        ),
    )
    sources.record("spikes")
    sim.run(10.0)
    trains = sources.get_data().segments[0].spiketrains
    assert [train.magnitude.tolist() for train in trains] == [[0.0, 1.0, 1.0], [], [2.04, 9.96]]
    assert [train.annotations["source_index"] for train in trains] == [0, 1, 2]
    assert sources.get_spike_counts() == {
        int(cell): n for cell, n in zip(sources, (3, 0, 2), strict=True)
    }


def test_spike_times_beyond_all_steps_are_never() -> None:
    """As numbers of 64 bits, some of them would be early steps when they are multiplied."""
    never = (1e300, (2**33 + 50) * 0.1, 1e9)
    times = [Sequence([2.04, each]) for each in never]
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=times))
    sources.record("spikes")
    sim.run(10.0)
    trains = sources.get_data().segments[0].spiketrains
    assert [train.magnitude.tolist() for train in trains] == [[2.04]] * 3


def test_spike_trains_of_changed_spike_times() -> None:
    """Recorded are the times that were given when they were due."""
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.02, 4.96, 12.0]))
    source.record("spikes")
    sim.run(5.0)
    source[:1].set(spike_times=[0.5, 1.01, 6.04, 6.06])
    sim.run(5.0)
    trains = source.get_data(clear=True).segments[0].spiketrains
    assert [train.magnitude.tolist() for train in trains] == [
        [1.02, 4.96, 6.04, 6.06],
        [1.02, 4.96],
    ]
    sim.reset()
    sim.run(5.0)
    trains = source.get_data().segments[0].spiketrains
    assert [train.magnitude.tolist() for train in trains] == [[0.5, 1.01], [1.02, 4.96]]


def test_to_file(tmp_path: Path) -> None:
    population = driven()
    population.record(["v", "spikes"], to_file=str(tmp_path / "data.pkl"))
    sim.run(20.0)
    expected = population.get_data().segments[0]
    sim.end()
    stored = neo.io.PickleIO(str(tmp_path / "data.pkl")).read_block().segments[0]
    assert np.array_equal(stored.analogsignals[0].magnitude, expected.analogsignals[0].magnitude)
    assert len(stored.spiketrains[0]) == len(expected.spiketrains[0]) > 0


def test_files_of_a_discarded_network_are_announced(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    names = "old.pkl", "new.pkl", "file/in_a_file.pkl"
    old, files = driven(), [str(tmp_path / name) for name in names]
    old.record("spikes", to_file=files[0])
    sim.run(1.0)
    with pytest.warns(UserWarning, match="old.pkl"):
        sim.setup()
    new = driven()
    new.record("spikes", to_file=files[2])
    new.record("v", to_file=files[1])
    sim.run(1.0)
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        sim.end()
    assert Path(files[1]).exists()  # all the same
    sim.end()


def test_reset_keeps_what_came_after_a_clear() -> None:
    population = driven()
    population.record("v")
    sim.run(3.0)
    population.get_data(clear=True)
    sim.run(2.0)
    sim.reset()
    sim.run(0.5)
    first, second = population.get_data().segments
    assert float(first.analogsignals[0].t_start) == 3.0
    assert (len(first.analogsignals[0]), len(second.analogsignals[0])) == (21, 6)
