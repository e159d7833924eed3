"""Weights and states recorded over time: each sample is what `get` gives, and nothing changes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neo.io import get_io
from pyNN import errors
from pyNN.random import NumpyRNG
from pyNN.sparse.simulator import state
from support.synapse_rules import eligible

from pynn_sparse.errors import CheckpointError, NetworkTooLargeError
from pynn_sparse.network import memory
from pynn_sparse.network.disk import DiskArray

DT = 0.1
STEPS = 300  # of a run
ELIGIBLE = eligible()


class Net(NamedTuple):
    """Sources with STDP onto cells, and a user's rule among these."""

    plastic: Any
    rule: Any
    cells: Any


def network(fraction: float = 0.4, **options: Any) -> Net:
    sim.setup(**{"timestep": DT, "threads": 1, **options})
    rng = NumpyRNG(seed=4)
    sources = sim.Population(6, sim.SpikeSourcePoisson(rate=300.0))
    cells = sim.Population(8, sim.IF_curr_exp(i_offset=np.linspace(1.0, 1.6, 8)))
    stdp = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.05, A_minus=0.04),
        sim.AdditiveWeightDependence(w_max=1.0),
        weight=0.3,
        delay=np.random.default_rng(2).uniform(DT, 4.0, (6, 8)),
        dendritic_delay_fraction=fraction,
    )
    connector = sim.FixedProbabilityConnector(0.6, rng=rng)
    plastic = sim.Projection(sources, cells, connector, stdp, label="plastic")
    user = ELIGIBLE(weight=0.2, delay=1.3, dendritic_delay_fraction=fraction)
    rule = sim.Projection(cells, cells, sim.AllToAllConnector(), user, label="rule")
    cells.record("spikes")
    return Net(plastic, rule, cells)


def listed(projection: Any, name: str) -> Any:
    return np.array(projection.get(name, "list", with_address=False))


def spikes(cells: Any) -> list[Any]:
    return [train.magnitude.tolist() for train in cells.get_data().segments[-1].spiketrains]


def signal(projection: Any, name: str = "weight", segment: int = -1) -> Any:
    (found,) = projection.get_data(name).segments[segment].analogsignals
    return found


def runs(ends: Any) -> None:
    for end in ends:
        sim.run_until(end * DT)


@settings(max_examples=12)
@given(
    interval=st.integers(2, 60),
    fraction=st.sampled_from([0.0, 0.3, 1.0]),
    divided=st.lists(st.integers(1, STEPS), max_size=3),
    some=st.lists(st.integers(0, 63), min_size=1, max_size=8),
    precision=st.sampled_from(["double", "single"]),
)
def test_each_sample_is_what_get_gives_then(
    interval: int, fraction: float, divided: list[int], some: list[int], precision: str
) -> None:
    net = network(fraction, precision=precision)
    expected: dict[str, list[Any]] = {"plastic": [], "weight": [], "c": [], "n": []}
    for step in range(0, STEPS + 1, interval):
        sim.run_until(step * DT)
        expected["plastic"].append(listed(net.plastic, "weight"))
        for name in ("weight", "c", "n"):
            expected[name].append(listed(net.rule, name)[sorted(set(some))])
    sim.run_until(STEPS * DT)
    fired, last = spikes(net.cells), listed(net.plastic, "weight")
    assert last.std() > 0.01

    net = network(fraction, precision=precision, threads=2)
    net.plastic.record("weight", sampling_interval=interval * DT)
    net.rule.record("all", sampling_interval=interval * DT, connections=some)
    runs([*sorted(divided), STEPS])
    assert np.array_equal(signal(net.plastic), expected["plastic"])
    for name in ("weight", "c", "n"):
        assert np.array_equal(signal(net.rule, name), expected[name])
    assert spikes(net.cells) == fired
    assert np.array_equal(listed(net.plastic, "weight"), last)


@pytest.fixture(scope="module")
def expected() -> Any:
    return outcome(threads=1)


def outcome(**options: Any) -> Any:
    net = network(**options)
    net.plastic.record("weight", sampling_interval=0.7)
    net.rule.record(["weight", "c"], sampling_interval=2.0, connections=slice(3, 40, 5))
    runs([140, STEPS])
    recorded = [signal(net.plastic), signal(net.rule), signal(net.rule, "c")]
    assert min(np.ptp(each, axis=0).max() for each in recorded) > 0.01
    return [each.magnitude.tolist() for each in recorded], spikes(net.cells)


def test_every_device(expected: Any, device: str) -> None:
    assert outcome() == expected, device


def test_a_pair_of_spikes_is_a_step_of_the_weight() -> None:
    """A_plus exp(-dt / tau_plus), when the target's spike has come back to the synapse."""
    sim.setup(timestep=DT)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[10.0]))
    driver = sim.Population(1, sim.SpikeSourceArray(spike_times=[14.9]))
    target = sim.Population(1, sim.IF_curr_delta())
    stdp = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=20.0, A_plus=0.01, A_minus=0.0),
        sim.AdditiveWeightDependence(w_max=1.0),
        weight=0.5,
        delay=1.0,
    )
    synapse = sim.Projection(source, target, sim.AllToAllConnector(), stdp)
    strong = sim.StaticSynapse(weight=50.0, delay=DT)
    sim.Projection(driver, target, sim.AllToAllConnector(), strong)
    target.record("spikes")
    synapse.record("weight")
    sim.run(30.0)
    (fired,) = target.get_data().segments[0].spiketrains[0].magnitude
    weight = signal(synapse)
    assert weight.shape == (301, 1)
    assert str(weight.units.dimensionality) == "mV"
    assert (float(weight.t_start), float(weight.sampling_period)) == (0.0, DT)
    arrives = round((fired + 1.0) / DT)
    assert (weight.magnitude[:arrives] == 0.5).all()
    later = 0.5 + 0.01 * np.exp(-(fired + 1.0 - 10.0) / 20.0)
    assert weight.magnitude[arrives:] == pytest.approx(later, abs=1e-15)


def test_columns_are_those_of_the_list() -> None:
    """Of several tables, with pairs of cells that are connected more than once."""
    sim.setup(timestep=DT)
    one, two = (sim.Population(3, sim.IF_cond_exp()) for _ in range(2))
    both = one + two
    rng = np.random.default_rng(5)
    pairs = [(int(i), int(j)) for i, j in rng.integers(0, 6, (25, 2))]
    assert len(set(pairs)) < len(pairs)
    given_ones = [(*pair, 0.01 * k, 0.5) for k, pair in enumerate(pairs)]
    projection = sim.Projection(both, both, sim.FromListConnector(given_ones))
    projection.record("weight", sampling_interval=1.0, connections=[7, -1, 2])
    sim.run(1.0)
    projection.set(delay=2.0)
    projection[7].weight = 9.0
    sim.run(1.0)
    recorded = signal(projection)
    expected = np.array(projection.get("weight", "list"))[[2, 7, 24]]
    where = recorded.array_annotations
    assert where["connection_index"].tolist() == [2, 7, 24]
    assert where["presynaptic_index"].tolist() == expected[:, 0].tolist()
    assert where["postsynaptic_index"].tolist() == expected[:, 1].tolist()
    assert recorded.magnitude[-1].tolist() == expected[:, 2].tolist()
    assert recorded.magnitude[0, 1] == recorded.magnitude[1, 1] != 9.0, "as it was at 1 ms"
    assert str(recorded.units.dimensionality) == "uS"
    assert recorded.annotations["projection"] == projection.label


def test_segments_and_data_that_are_cleared() -> None:
    net = network()
    net.plastic.record("weight", sampling_interval=2.0)
    sim.run(5.0)
    first = net.plastic.get_data(clear=True, annotations={"of": "me"})
    assert first.annotations["of"] == "me"
    assert first.annotations["label"] == "plastic"
    sim.run(4.0)
    second = signal(net.plastic)
    assert (float(second.t_start), len(second)) == (5.0, 3)
    assert np.array_equal(second[-1], listed(net.plastic, "weight"))
    sim.reset(annotations={"trial": 1})
    sim.reset()
    sim.run(2.0)
    segments = net.plastic.get_data().segments
    assert [len(each.analogsignals[0]) for each in segments] == [3, 2]
    assert segments[0].annotations == {"trial": 1}
    assert set(segments[1].analogsignals[0].magnitude[0]) == {0.3}
    net.plastic.record(None)
    sim.run(2.0)
    (segment,) = net.plastic.get_data().segments
    assert not segment.analogsignals
    with pytest.warns(UserWarning, match="weight of plastic was not recorded"):
        net.plastic.get_data("weight")


def test_what_is_added_later_is_in_step() -> None:
    net = network()
    net.rule.record("weight", sampling_interval=1.0, connections=[3])
    sim.run(2.5)
    net.rule.record(["weight", "c"], connections=np.arange(64) % 32 == 5)
    sim.run(1.5)
    weight, c = signal(net.rule), signal(net.rule, "c")
    assert weight.array_annotations["connection_index"].tolist() == [3, 5, 37]
    assert np.isnan(weight.magnitude[:, 1:]).all(axis=1).tolist() == [True] * 3 + [False] * 2
    assert np.isfinite(weight.magnitude[:, 0]).all()
    assert (float(c.t_start), c.shape) == (3.0, (2, 2))


def test_callbacks_and_short_runs() -> None:
    net = network()
    seen: list[Any] = []

    def look(now: float) -> float:
        seen.append(listed(net.plastic, "weight"))
        if now > 0:
            net.plastic.get_data()
        return now + 0.5

    net.plastic.record("weight", sampling_interval=0.5)
    sim.run(10.0, callbacks=[look])
    assert len(seen) > 15
    assert np.array_equal(signal(net.plastic).magnitude[: len(seen)], seen)
    for _ in range(20):
        sim.run(0.1)
    assert len(signal(net.plastic)) == 25


def test_beyond_the_memory_for_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outcome()
    appended = []
    original = DiskArray.append

    def append(self: DiskArray, rows: Any, at: int | None = None) -> None:
        appended.append(rows.shape)
        original(self, rows, at)

    monkeypatch.setattr(DiskArray, "append", append)
    assert outcome(recording_memory=0) == expected
    assert {(1, 8), (1, 28)} <= set(appended), "of some connections of a projection, and of all"


def test_checkpoints(tmp_path: Path) -> None:
    def build() -> Net:
        net = network()
        net.plastic.record("weight", sampling_interval=0.3)
        net.rule.record("c", sampling_interval=1.0, connections=[1, 50])
        return net

    net = build()
    sim.run(7.0)
    sim.save_state(tmp_path / "state.npz")
    sim.run(7.0)
    expected = [signal(net.plastic).magnitude, signal(net.rule, "c").magnitude]
    net = build()
    sim.load_state(tmp_path / "state.npz")
    sim.run(7.0)
    found = [signal(net.plastic).magnitude, signal(net.rule, "c").magnitude]
    assert all(map(np.array_equal, found, expected))
    assert len(found[0]) == 47
    net = network()
    net.plastic.record("weight", sampling_interval=0.3)
    net.rule.record("c", sampling_interval=1.0, connections=[1, 51])
    with pytest.raises(CheckpointError, match="which synapses are recorded"):
        sim.load_state(tmp_path / "state.npz")


def test_a_run_that_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sample is lost, and none is taken twice."""
    expected = outcome()
    net = network()
    net.plastic.record("weight", sampling_interval=0.7)
    net.rule.record(["weight", "c"], sampling_interval=2.0, connections=slice(3, 40, 5))
    original = type(state).require_engine(state).recordings.sample

    def fail(*_: Any) -> None:
        raise MemoryError("nothing left")

    for at in (0.0, 0.7, 4.0):
        with monkeypatch.context() as patch:
            sim.run_until(at)
            patch.setattr(state.engine.recordings, "sample", fail)
            with pytest.raises(MemoryError, match="nothing left; the run has ended"):
                sim.run(10.0)
    assert state.engine.recordings.sample == original
    sim.run_until(STEPS * DT)
    recorded = [signal(net.plastic), signal(net.rule), signal(net.rule, "c")]
    assert ([each.magnitude.tolist() for each in recorded], spikes(net.cells)) == expected


def test_files(tmp_path: Path) -> None:
    net = network()
    net.rule.record("c", connections=[0, 9])
    sim.run(3.0)
    expected = signal(net.rule, "c")
    for name in ("weights.pkl", "weights.nix"):
        net.rule.write_data(str(tmp_path / name))
        (read,) = get_io(str(tmp_path / name)).read_block().segments[0].analogsignals
        assert np.array_equal(read.magnitude, expected.magnitude)
        where = read.array_annotations["postsynaptic_index"]
        assert where.tolist() == expected.array_annotations["postsynaptic_index"].tolist()
    net.rule.write_data(tmp_path / "weights.pkl", clear=True)
    assert not net.rule.get_data().segments[-1].analogsignals
    with pytest.raises(ValueError, match=r"io = .*: the name must end in"):
        net.rule.write_data("weights.csv")


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"variables": "wieght"}, errors.RecordingError, "'wieght' cannot be recorded from Eligible: "),
    (
        {"variables": "wieght"},
        errors.RecordingError,
        "must be one of weight, c, n. Did you mean 'w",
    ),
    ({"variables": ["c", "x"]}, errors.RecordingError, "'x' cannot be recorded"),
    ({"variables": "delay"}, errors.RecordingError, "'delay' cannot be recorded"),
    ({"variables": 3}, TypeError, "variables = 3: must be the name of a variable"),
    ({"variables": []}, ValueError, "variables = []: must be at least one of weight, c, n"),
    ({"sampling_interval": 0.25}, ValueError, "sampling_interval = 0.25: must be a multiple of"),
    ({"sampling_interval": 0.0}, ValueError, "sampling_interval = 0.0: must be a multiple of th"),
    ({"sampling_interval": "a"}, TypeError, "sampling_interval = 'a': must be"),
    ({"sampling_interval": 2.0}, ValueError, "= 2: must be 1 ms, with which weight of rule is rec"),
    (
        {"connections": 64},
        IndexError,
        "index 64 of rule.record: connections: must be from -64 to 63",
    ),
    ({"connections": [0, 64]}, IndexError, "must be from -64 to 63"),
    ({"connections": 1.5}, TypeError, "connections: must be an integer, a slice"),
    ({"connections": []}, errors.InvalidDimensionsError, "connections is empty: must be"),
    (
        {"connections": [True]},
        errors.InvalidDimensionsError,
        "as many as there are connections, 64",
    ),
]


@pytest.mark.parametrize(("arguments", "error", "message"), REFUSED)
def test_what_cannot_be_recorded(arguments: Any, error: type[Exception], message: str) -> None:
    net = network()
    net.rule.record("weight", sampling_interval=1.0, connections=[0])
    before = [(each.variable, each.index.tolist()) for each in state.network.synapse_probes]
    with pytest.raises(error, match=re.escape(message)):
        net.rule.record(**{"variables": "weight", **arguments})
    after = [(each.variable, each.index.tolist()) for each in state.network.synapse_probes]
    assert after == before == [("weight", [0])]


def test_who_cannot_record() -> None:
    net = network()
    with pytest.raises(errors.NothingToWriteError, match="rule has no data before a run"):
        net.rule.get_data()
    with pytest.raises(errors.RecordingError, match="'c' cannot be recorded from STDPMechanism"):
        net.plastic.record("c")
    growing = sim.StructuralMechanismStatic(
        sim.RandomSelection(),
        sim.DistanceDependentFormation(grid=(3, 3)),
        sim.RandomByWeightElimination(threshold=0.2),
    )
    cells = sim.Population(8, sim.IF_curr_exp())
    none = sim.FixedProbabilityConnector(0.0)
    grown = sim.Projection(cells, cells, none, growing, label="grown")
    with pytest.raises(NotImplementedError, match=r"grown\.record: connections of Structural"):
        grown.record("weight")
    empty = sim.Projection(cells, cells, none, sim.StaticSynapse())
    with pytest.raises(errors.InvalidDimensionsError, match="there are none: must be at least one"):
        empty.record("weight")
    sim.setup()
    with pytest.raises(RuntimeError, match="setup"):
        net.rule.record("weight")
    with pytest.raises(RuntimeError, match="setup"):
        net.rule.get_data()
    several = network(dry_run=(2, 0)).plastic
    with pytest.raises(
        NotImplementedError, match=r"plastic\.record in a dry run: needs what other"
    ):
        several.record("weight")
    sim.setup()


def test_more_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    with monkeypatch.context() as patch:
        patch.setattr(memory, "LITTLE", 0)
        patch.setattr(memory, "available", lambda: 1000)
        told = "recording 64 of 64 connections of rule would take about 5.25e-06 GiB; 9.31e-07 GiB"
        with pytest.raises(NetworkTooLargeError, match=re.escape(told)):
            net.rule.record("weight")
    assert not state.network.synapse_probes
    net.rule.record("weight")
    usage = shutil.disk_usage("/")._replace(free=0)
    monkeypatch.setattr(memory, "available", lambda: 2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(
        NetworkTooLargeError, match=r"until 1e\+06 ms would take about 4.77 GiB in m"
    ):
        sim.run(1e6)
    assert sim.get_current_time() == 0.0
    sim.run(1.0)
    assert signal(net.rule).shape == (11, 64)
