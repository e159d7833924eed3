"""Events that carry a value, against the same network written down in NumPy, on every device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN.sparse import simulator

from pynn_sparse import export, run_instances
from pynn_sparse.engine.synapses import layout
from pynn_sparse.errors import EventOverflowError, ModelError

UNIT, LIMIT = 2.0**-8, 64.0
N, STEPS, DELAYS = 24, 60, 5
# Decays by a power of two, and sends what is above the threshold: all sums are exact.
CELL: dict[str, Any] = {
    "parameters": {"theta": 1.0},
    "state": {"v": 0.0},
    "update": "v = 0.5 * v + current",
    "receptors": {"input": "v += weight"},
    "threshold": "abs(v) >= theta",
    "send": "v - theta",
    "reset": "v = v - theta",
    "unit": UNIT,
    "limit": LIMIT,
    "conductance_based": False,
    "signed": ("input",),
}
Graded = sim.native_cell_type("Graded", **CELL)


def drive(n: int, seed: int) -> NDArray[np.float64]:
    """Currents [step][neuron] of which a tenth is not 0."""
    rng = np.random.default_rng(seed)
    kept = rng.random((STEPS, n)) < 0.1
    return np.asarray(np.where(kept, rng.integers(-300, 600, (STEPS, n)) / 128, 0.0))


def synapses(seed: int, n: int = N) -> dict[str, NDArray[Any]]:
    """Of pairs of cells, a third; weights have both signs, and are multiples of 1/64."""
    rng = np.random.default_rng(seed)
    source, target = np.nonzero(rng.random((n, n)) < 0.3)
    weight = rng.integers(-12, 13, len(source)) / 64
    return {
        "source": source,
        "target": target,
        "weight": weight,
        "delay": rng.integers(1, DELAYS + 1, len(source)),
    }


def expected(
    currents: NDArray[np.float64], made: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.float64], list[dict[int, float]]]:
    """State v [step][neuron] at the end of each step, and of each neuron step -> value sent."""
    n = currents.shape[1]
    arriving = np.zeros((STEPS + DELAYS + 1, n))
    v, states, sent = np.zeros(n), [], [{} for _ in range(n)]
    for step in range(STEPS):
        v = 0.5 * v + currents[step] + arriving[step]
        states.append(v)
        for i in np.flatnonzero(np.abs(v) >= 1.0):
            value = float(np.rint((v[i] - 1.0) / UNIT)) * UNIT
            sent[i][step + 1] = value
            mine = made["source"] == i
            at = step + made["delay"][mine], made["target"][mine]
            np.add.at(arriving, at, value * made["weight"][mine])
        states[-1] = v = np.where(np.abs(v) >= 1.0, v - 1.0, v)
    return np.array(states), sent


def built(
    currents: NDArray[np.float64], made: dict[str, NDArray[Any]], parts: int = 1
) -> list[Any]:
    """Populations that are that network, divided into as many as `parts`."""
    size = currents.shape[1] // parts
    cells = [sim.Population(size, Graded(), label=f"part {k}") for k in range(parts)]
    times = np.arange(STEPS) * 1.0
    for k, part in enumerate(cells):
        for cell, current in zip(part, currents.T[k * size : (k + 1) * size], strict=True):
            cell.inject(sim.StepCurrentSource(times=times, amplitudes=current))
        part.record(["spikes", "v"])
    for a, pre in enumerate(cells):
        for b, post in enumerate(cells):
            ours = (made["source"] // size == a) & (made["target"] // size == b)
            columns = made["source"] % size, made["target"] % size, made["weight"], made["delay"]
            rows = np.stack([each[ours] for each in columns], axis=1)
            list_ = sim.FromListConnector(rows, column_names=("weight", "delay"))
            sim.Projection(pre, post, list_, sim.StaticSynapse(), receptor_type="input")
    return cells


def recorded(cells: list[Any]) -> tuple[NDArray[np.float64], list[dict[int, float]]]:
    """As `expected` gives it."""
    segments = [part.get_data().segments[0] for part in cells]
    v = np.concatenate([np.asarray(each.filter(name="v")[0])[1:] for each in segments], axis=1)
    sent = [
        dict(zip(np.rint(train.magnitude), train.array_annotations["value"], strict=True))
        for segment in segments
        for train in segment.spiketrains
    ]
    return v, sent


def setup() -> None:
    sim.setup(timestep=1.0, min_delay=1.0, max_delay=20.0)


@pytest.mark.parametrize("parts", [1, 2])
def test_is_the_network_in_numpy(device: str, parts: int) -> None:
    currents, made = drive(N, 1), synapses(2)
    setup()
    cells = built(currents, made, parts)
    sim.run(float(STEPS))
    v, sent = expected(currents, made)
    assert sum(map(len, sent)) > 100
    assert min(value for each in sent for value in each.values()) < 0
    found_v, found_sent = recorded(cells)
    assert np.array_equal(found_v, v)
    assert found_sent == sent


def test_delays_that_are_delivered_in_groups(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of one source are then merged on the CPU."""
    monkeypatch.setattr(layout, "best_group", lambda *_: 2)
    currents, made = drive(N, 3), synapses(4)
    setup()
    cells = built(currents, made, 3)
    for part in cells:
        part.recorder.reset()
        part.record("spikes")
    sim.run(float(STEPS))
    assert simulator.state.require_engine().synapses.n_delay_group > 1
    _, sent = expected(currents, made)
    trains = [train for part in cells for train in part.get_data().segments[0].spiketrains]
    values = [train.array_annotations["value"].tolist() for train in trains]
    assert values == [list(each.values()) for each in sent]


@pytest.mark.parametrize("precision", ["double", "single"])
def test_any_weights_give_the_same_bits_everywhere(device: str, precision: str) -> None:
    """Beside spikes of a Poisson source, through connectors that draw weights and delays."""
    results = []
    for options in ({}, {"device": "cpu", "threads": 1}):
        sim.setup(timestep=1.0, max_delay=20.0, precision=precision, **options)
        rng = sim.NativeRNG(seed=3)
        cells = sim.Population(40, Graded(theta=0.7))
        noise = sim.Population(40, sim.SpikeSourcePoisson(rate=200.0))
        weights = sim.RandomDistribution("normal", (0.0, 0.05), rng=rng)
        delays = sim.RandomDistribution("uniform", (1.0, 9.0), rng=rng)
        within = sim.StaticSynapse(weight=weights, delay=delays)
        sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.3, rng=rng), within)
        sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weights))
        sim.Projection(noise, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.9))
        cells.record(["spikes", "v"])
        sim.run(80.0)
        results.append(recorded([cells]))
    assert np.array_equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
    assert sum(map(len, results[0][1])) > 200


def test_goes_on_from_a_checkpoint(device: str, tmp_path: Path) -> None:
    currents, made = drive(N, 5), synapses(6)
    setup()
    built(currents, made)
    sim.run(30.0)
    sim.save_state(tmp_path / "state.npz")
    setup()
    cells = built(currents, made)
    sim.load_state(tmp_path / "state.npz")
    sim.run(float(STEPS) - 30.0)
    assert recorded(cells)[1] == expected(currents, made)[1]


def test_instances_are_what_each_is_alone(device: str) -> None:
    seeds = [7, 8, 9]

    def build(module: Any, seed: int) -> Any:
        return built(drive(N, seed), synapses(seed + 10))

    made = run_instances(build, seeds, float(STEPS), timestep=1.0, max_delay=20.0)
    for seed, cells in zip(seeds, made, strict=True):
        assert recorded(cells)[1] == expected(drive(N, seed), synapses(seed + 10))[1]


def test_recordings_are_cleared_and_begin_anew(device: str) -> None:
    currents, made = drive(N, 1), synapses(2)
    setup()
    (cells,) = built(currents, made)
    sim.run(20.0)
    first = cells.get_data("spikes", clear=True).segments[0].spiketrains
    sim.run(20.0)
    second = cells[3:9].get_data("spikes").segments[0].spiketrains
    _, sent = expected(currents, made)
    assert [train.array_annotations["value"].tolist() for train in second] == [
        [value for step, value in each.items() if 20 < step <= 40] for each in sent[3:9]
    ]
    assert len(first) == N
    assert cells.get_spike_counts() == {
        cell: sum(20 < step <= 40 for step in each) for cell, each in zip(cells, sent, strict=True)
    }
    both = (cells[:2] + cells[4:6]).get_data("spikes").segments[0].spiketrains
    assert [len(train.array_annotations["value"]) for train in both] == [len(t) for t in both]


def test_a_value_that_is_too_large_ends_the_run(device: str) -> None:
    setup()
    cells = sim.Population(30, Graded(), label="cells")
    cells.record("spikes")
    for index, start in ((17, 12.0), (4, 12.0), (9, 15.0)):
        source = sim.DCSource(amplitude=70.0 + index, start=start, stop=start + 1)
        cells[index : index + 1].inject(source)
    with pytest.raises(EventOverflowError) as caught:
        sim.run(50.0)
    told = (
        "cells[4] was to send 73 at 13 ms: must be at most 64 in size, the limit of its cell type"
    )
    assert told in str(caught.value)
    with pytest.raises(EventOverflowError, match="reset"):
        sim.run(1.0)
    with pytest.raises(EventOverflowError):
        sim.save_state("never written")
    cells.set(theta=100.0)
    sim.reset()
    sim.run(50.0)
    assert not sum(cells.get_spike_counts().values())


def test_what_is_not_a_number_ends_the_run(device: str) -> None:
    cell = sim.native_cell_type("Broken", **{**CELL, "send": "log(-v)"})
    setup()
    cells = sim.Population(2, cell(theta=0.5), label="cells")
    cells.initialize(v=2.0)
    with pytest.raises(EventOverflowError, match=r"cells\[0\] was to send nan at 1 ms"):
        sim.run(3.0)


def test_neurons_that_rest_send_the_same() -> None:
    """Of many, most rest on the CPU, and those that do not are copied side by side."""
    trains = []
    for n in (8, 3000):
        sim.setup(timestep=1.0, threads=1)
        cells = sim.Population(n, Graded())
        cells.record("spikes")
        for index in (3, 5):
            times, amplitudes = [900.0, 901.0, 950.0, 951.0], [3.3 + index, 0.0, 2.0, 0.0]
            source = sim.StepCurrentSource(times=times, amplitudes=amplitudes)
            cells[index : index + 1].inject(source)
        sim.run(1000.0)
        found = cells[:8].get_data().segments[0].spiketrains
        trains.append([each.array_annotations["value"].tolist() for each in found])
    assert trains[0] == trains[1]
    assert trains[0][5]


def test_one_projection_has_weights_of_both_signs(fresh: None) -> None:
    cells = sim.Population(3, Graded())
    spikes = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    connector = sim.FromListConnector([(0, 0, -0.25), (0, 1, 0.5)], column_names=("weight",))
    made = sim.Projection(spikes, cells, connector, sim.StaticSynapse(delay=1.0))
    assert made.receptor_type == "input"
    cells.record("v")
    sim.run(2.0)
    v = np.asarray(cells.get_data().segments[0].filter(name="v")[0])[-1]
    assert v.tolist() == [-0.25, 0.5, 0.0]
    made.set(weight=-1.0)
    assert made.get("weight", "array")[0, :2].tolist() == [-1.0, -1.0]


def test_a_signed_receptor_may_have_any_name(fresh: None) -> None:
    receptors = {"excitatory": "v += weight", "inhibitory": "v -= weight"}
    options = {**CELL, "receptors": receptors, "conductance_based": True}
    cell = sim.native_cell_type("Both", **{**options, "signed": ("excitatory",)})
    cells = sim.Population(1, cell())
    all_to_all = sim.AllToAllConnector()
    sim.Projection(cells, cells, all_to_all, sim.StaticSynapse(weight=-0.5))
    inhibitory = sim.StaticSynapse(weight=-0.5)
    with pytest.raises(sim.errors.ConnectionError, match="positive"):
        sim.Projection(cells, cells, all_to_all, inhibitory, receptor_type="inhibitory")


def test_what_synapses_cannot_do_is_refused(fresh: None) -> None:
    cells, spikes = sim.Population(2, Graded(), label="cells"), sim.Population(2, sim.IF_curr_exp())
    stdp = sim.STDPMechanism(
        sim.SpikePairRule(), sim.AdditiveWeightDependence(w_max=1.0), weight=0.1, delay=1.0
    )
    for synapse in (stdp, sim.TsodyksMarkramSynapse(weight=0.1)):
        with pytest.raises(sim.errors.ConnectionError, match=r"cells \(Graded\) sends events"):
            sim.Projection(cells, spikes, sim.AllToAllConnector(), synapse)
    with pytest.raises(sim.errors.ConnectionError, match="'input' takes both"):
        sim.Projection(spikes, cells, sim.AllToAllConnector(), stdp)
    assert not simulator.state.network.tables


def test_the_export_refuses_values(fresh: None) -> None:
    cells, others = sim.Population(2, Graded(), label="cells"), sim.Population(2, sim.IF_curr_exp())
    sim.Projection(cells, others, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    with pytest.raises(export.ExportError, match="'cells' sends events that carry values"):
        export.lower(sim, "loihi1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"send": ""}, "unit = .* there is no `send`"),
        ({"unit": None}, "unit = None: must be a number above 0"),
        ({"limit": -1.0}, "limit = -1.0: must be a number above 0"),
        ({"unit": "1 mV"}, "unit = '1 mV': must be a number above 0"),
        ({"limit": 2.0**17}, "limit = 131072.0: must be from 1 to 16777216 times the unit"),
        ({"send": "v - tau"}, "send: unknown name 'tau'"),
        ({"send": 3}, "send = 3: must be a string"),
        ({"signed": ("excitatory",)}, r"signed = \('excitatory',\): must be a tuple of receptors"),
        ({"signed": "input"}, "signed = 'input': must be a tuple"),
    ],
)
def test_what_is_not_a_model(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        sim.native_cell_type("Graded", **{**CELL, **change})
