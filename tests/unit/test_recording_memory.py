"""What is recorded beyond `recording_memory` goes to disk, and comes back bit for bit."""

from __future__ import annotations

import errno
import gc
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN.random import NumpyRNG
from pyNN.sparse import simulator

from pynn_sparse.engine import plan as plan_module
from pynn_sparse.engine.neurons.spikes import SpikeStore
from pynn_sparse.network.disk import DiskArray, Mapping

Data = list[Any]


def contents(block: Any) -> Data:
    """All that a Neo block has of data, to be compared."""
    return [
        (
            [(train.magnitude.tolist(), train.annotations) for train in segment.spiketrains],
            [
                (signal.name, signal.magnitude.tobytes(), signal.shape, str(signal.t_start))
                for signal in sorted(segment.analogsignals, key=lambda each: each.name)
            ],
        )
        for segment in block.segments
    ]


def simulate(**options: Any) -> Data:
    """Several runs with all that can happen to recordings in between."""
    sim.setup(timestep=0.1, rng_seed=3, threads=2, **options)
    noise = sim.Population(30, sim.SpikeSourcePoisson(rate=200.0), label="noise")
    given = sim.Population(2, sim.SpikeSourceArray(spike_times=[3.14, 7.0, 30.0]), label="given")
    cells = sim.Population(20, sim.IF_cond_exp(), label="cells")
    connector = sim.FixedProbabilityConnector(0.5, rng=NumpyRNG(seed=1))
    sim.Projection(noise, cells, connector, sim.StaticSynapse(weight=0.01))
    both = given + cells
    both.record("spikes")
    cells[3:9].record(["v", "gsyn_exc"], sampling_interval=0.2)
    sim.run(20.0)
    noise.record("spikes")
    cells[:5].record("v")
    sim.run(20.0)
    found = [contents(cells.get_data()), contents(cells[4:7].get_data("v"))]
    found.append(contents(given.get_data(clear=True)))
    sim.run(20.0)
    found += [contents(each.get_data()) for each in (noise, given, both)]
    sim.reset()
    sim.run(15.0)
    found += [contents(each.get_data()) for each in (noise, given, cells)]
    found.append([cells.get_spike_counts(), noise[3:8].get_spike_counts()])
    return found


@pytest.mark.parametrize("memory", [0, 0.002, 0.02, 1])
def test_data_are_the_same(memory: float, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = simulate()
    monkeypatch.setattr(plan_module, "MAX_STEPS", 30)
    assert simulate(recording_memory=memory) == expected
    total = sum(len(times) for segment in expected[0] for times, _ in segment[0])
    assert total > 20


def test_memory_stays_within_limits_and_files_have_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(plan_module, "MAX_STEPS", 100)
    sim.setup(timestep=0.1, recording_memory=1)
    cells = sim.Population(200, sim.IF_curr_exp(i_offset=2.0))
    cells.record(["spikes", "v"])
    sim.run(500.0)  # 8 MB of samples
    (probe,) = simulator.state.network.probes
    assert simulator.state.engine is not None
    assert probe.nbytes + simulator.state.engine.recordings.spikes.nbytes <= 1 << 20
    signal = cells.get_data("v").segments[0].analogsignals[0]
    assert not list(tmp_path.iterdir())
    base: Any = signal
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, Mapping), "the signal is not copied into memory"
    first = signal.magnitude[0, 0]
    signal[0, 0] = 5.0 * signal.units
    assert cells.get_data("v").segments[0].analogsignals[0].magnitude[0, 0] == first
    last = signal.magnitude[-1].copy()
    del probe, cells
    sim.setup()
    gc.collect()
    assert np.array_equal(signal.magnitude[-1], last), "also when the network is gone"


@pytest.mark.parametrize("value", [-1, "much", float("nan"), [1]])
def test_bad_limits(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a number of MiB, 0 or greater"):
        sim.setup(recording_memory=value)


class TestDiskArray:
    def test_rows(self) -> None:
        array = DiskArray(np.float64, (3,))
        rows = np.random.default_rng(1).random((1000, 3))
        for begin in range(0, 1000, 300):
            array.append(rows[begin : begin + 300])
        array.append(rows[:0])
        assert len(array) == 1000
        assert np.array_equal(array.rows(), rows)
        assert np.array_equal(array.rows(7, 900), rows[7:900])
        assert array.rows(5, 5).shape == (0, 3)

    @pytest.mark.parametrize("row", [(), (0,), (2,)])
    def test_without_rows(self, row: tuple[int, ...]) -> None:
        assert DiskArray(np.int32, row).rows().shape == (0, *row)

    def test_what_was_read_belongs_to_the_caller(self) -> None:
        array = DiskArray(np.int64)
        array.append(np.arange(5))
        read = array.rows()
        read[:] = 7
        assert array.rows().tolist() == [0, 1, 2, 3, 4]

    def test_full_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        array = DiskArray(np.int64)
        array.append(np.arange(3))

        class Full:
            def __init__(self, file: Any) -> None:
                self._file = file
                self._writes = 0

            def __getattr__(self, name: str) -> Any:
                return getattr(self._file, name)

            def write(self, data: Any) -> int:
                if self._writes:
                    raise OSError(errno.ENOSPC, "No space left on device")
                self._writes += 1
                return int(self._file.write(data[:9]))

        file = array._file
        monkeypatch.setattr(array, "_file", Full(file))
        with pytest.raises(OSError, match=r"800 bytes of recorded data cannot .* TMPDIR"):
            array.append(np.arange(100))
        monkeypatch.setattr(array, "_file", file)
        assert array.rows().tolist() == [0, 1, 2]
        array.append(np.arange(2))
        assert array.rows().tolist() == [0, 1, 2, 0, 1]


def test_full_disk_when_neurons_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    sim.setup(timestep=0.1, recording_memory=0)
    cells = sim.Population(9, sim.IF_curr_exp(i_offset=2.0))
    cells[:4].record("v")
    sim.run(10.0)
    (probe,) = simulator.state.network.probes
    before = probe.samples().copy()

    def full(self: DiskArray, rows: NDArray[Any], at: int | None = None) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(DiskArray, "append", full)
        with pytest.raises(OSError, match="full"):
            probe.add(np.arange(9, dtype=np.int32))
    assert np.array_equal(probe.samples(), before)
    probe.add(np.arange(9, dtype=np.int32))
    assert np.array_equal(probe.samples()[:, :4], before)
    assert np.isnan(probe.samples()[:, 4:]).all()


@pytest.mark.parametrize("seed", range(20))
def test_spike_store(seed: int) -> None:
    """Against a list of all spikes, with spikes given out of order, too."""
    rng = np.random.default_rng(seed)
    store = SpikeStore()
    known = np.zeros((0, 2), np.int64)

    def within(first: int, size: int) -> NDArray[np.bool_]:
        return np.asarray((known[:, 0] >= first) & (known[:, 0] < first + size))

    for step in range(30):
        n = int(rng.integers(0, 40))
        neuron = rng.integers(0, 70_000 if seed % 2 else 50, n)
        stamp = rng.integers(0, 10, n) + (0 if seed % 3 else 10 * step)
        store.append(neuron.astype(np.int32), stamp)
        known = np.concatenate([known, np.column_stack([neuron, stamp])])
        first, size = int(rng.integers(0, 40)), int(rng.integers(1, 60))
        match int(rng.integers(0, 4)):
            case 0:
                store.spill()
                assert store.nbytes == 0
            case 1:
                store.discard(first, size)
                known = known[~within(first, size)]
        chosen = known[within(first, size)]
        chosen = chosen[np.lexsort((chosen[:, 1], chosen[:, 0]))]
        found = store.of(first, size)
        assert found[0].dtype == np.int32
        assert np.array_equal(np.column_stack(found), chosen)
        counts = np.bincount(chosen[:, 0] - first, minlength=size)
        assert np.array_equal(store.counts(first, size), counts)
    store.discard(0, 70_000)
    assert not len(store.of(0, 70_000)[0])
    assert store.nbytes == 0


@pytest.mark.parametrize("spilled", [False, True])
def test_spikes_of_a_step_are_found_in_all_parts_of_a_call(spilled: bool) -> None:
    """Each owner has a part of what a call down records, with spikes of several steps."""
    rng = np.random.default_rng(7)
    store = SpikeStore()
    known = np.zeros((0, 2), np.int64)
    for call in range(4):
        parts = []
        for owner in range(3):
            neuron = rng.integers(20 * owner, 20 * owner + 20, 30)
            stamp = np.sort(rng.integers(5 * call, 5 * call + 5, 30))
            parts.append((neuron.astype(np.int32), stamp))
            known = np.concatenate([known, np.column_stack(parts[-1])])
        store.extend(parts)
        for step in range(5 * call + 5):
            here = known[(known[:, 1] == step) & (known[:, 0] >= 15) & (known[:, 0] < 50), 0]
            np.testing.assert_array_equal(store.at(step, 15, 35), np.sort(here))
        if spilled:
            store.spill()
            store.discard(30, 1)
            known = known[known[:, 0] != 30]


def test_list_of_spike_trains_is_neos() -> None:
    """Trains, annotations and sums of lists, and what a pickle of it needs."""
    import copy
    import pickle

    from neo.core.spiketrainlist import SpikeTrainList

    sim.setup()
    first, second = (sim.Population(20, sim.SpikeSourcePoisson(rate=100.0)) for _ in range(2))
    first.record("spikes")
    second.record("spikes")
    sim.run(50.0)
    block = first.get_data()
    trains = block.segments[0].spiketrains
    plain = pickle.loads(pickle.dumps(block)).segments[0].spiketrains
    assert type(plain) is type(copy.deepcopy(trains)) is SpikeTrainList
    assert len(trains) == len(plain) == 20
    for ours, neos in zip(trains, plain, strict=True):
        assert ours.magnitude.tolist() == neos.magnitude.tolist()
        assert ours.annotations == neos.annotations
        assert (ours.t_start, ours.t_stop) == (neos.t_start, neos.t_stop)
        assert ours.segment is block.segments[0]
    backwards = second.get_data().segments[0].spiketrains
    for train in first.get_data().segments[0].spiketrains:
        backwards.append(train)
    assert len(backwards) == 40
