"""Whole networks whose synapses are made on a GPU, which is executed by the CPU, and stay there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.sparse import simulator
from support.devices import Runtimes
from support.emulated import DeviceArray, EmulatedRuntime

from pynn_sparse import export
from pynn_sparse.engine import Engine, describe_devices
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.engine.synapses import layout
from pynn_sparse.engine.synapses.gpu import GpuRows
from pynn_sparse.errors import NetworkTooLargeError
from pynn_sparse.network.rows import ARRAYS


def normal(mean: float, rng: Any) -> RandomDistribution:
    limits = (0.0, np.inf) if mean > 0 else (-np.inf, 0.0)
    return RandomDistribution("normal_clipped", (mean, abs(mean) * 0.3, *limits), rng=rng)


def delays(rng: Any, mean: float = 1.5) -> RandomDistribution:
    return RandomDistribution("normal_clipped", (mean, 0.75, 0.1, np.inf), rng=rng)


CONNECTORS: dict[str, Callable[[Any], Any]] = {
    "probability": lambda rng: sim.FixedProbabilityConnector(0.2, rng=rng),
    "no self": lambda rng: sim.FixedProbabilityConnector(
        0.2, rng=rng, allow_self_connections=False
    ),
    "total": lambda rng: sim.FixedTotalNumberConnector(1500, rng=rng),
    "post": lambda rng: sim.FixedNumberPostConnector(15, rng=rng),
    "pre": lambda rng: sim.FixedNumberPreConnector(15, rng=rng),
    "all": lambda rng: sim.AllToAllConnector(),
}


def balanced(device: str, precision: str = "double", **options: Any) -> dict[str, Any]:
    """A network of all connectors, driven by Poisson input."""
    sim.setup(timestep=0.1, device=device, precision=precision, max_delay=20.0, **options)
    rng = sim.NativeRNG(seed=7)
    cell = sim.IF_curr_exp(tau_m=10.0, tau_refrac=2.0, v_rest=-60.0)
    background = sim.StaticSynapse(weight=0.5, delay=0.1)
    cells = {name: sim.Population(n, cell, label=name) for name, n in (("E", 80), ("I", 25))}
    for population in cells.values():
        noise = sim.Population(population.size, sim.SpikeSourcePoisson(rate=9000.0))
        sim.Projection(noise, population, sim.OneToOneConnector(), background)
        population.record("spikes")
    made = []
    for number, (name, make) in enumerate(CONNECTORS.items()):
        pre = cells["EI"[number % 2]]
        post = cells["E"] if name != "all" else cells["I"][5:20]
        sign = 1 if pre is cells["E"] else -4
        synapse = sim.StaticSynapse(weight=normal(0.05 * sign, rng), delay=delays(rng))
        receptor = "excitatory" if sign > 0 else "inhibitory"
        made.append(sim.Projection(pre, post, make(rng), synapse, receptor_type=receptor))
    alike = sim.StaticSynapse(weight=-0.2, delay=1.0)
    within = sim.FixedProbabilityConnector(0.3, rng=rng)
    made.append(sim.Projection(cells["I"], cells["I"], within, alike, receptor_type="inhibitory"))
    return {"cells": cells, "made": made}


def spikes(network: dict[str, Any]) -> list[Any]:
    return [
        [
            train.magnitude.tolist()
            for train in population.get_data("spikes").segments[0].spiketrains
        ]
        for population in network["cells"].values()
    ]


def lists(network: dict[str, Any]) -> list[Any]:
    return [projection.get(["weight", "delay"], format="list") for projection in network["made"]]


def tables_of(network: dict[str, Any]) -> list[Any]:
    return [table for projection in network["made"] for table in projection._tables]


def fetched(runtime: EmulatedRuntime, network: dict[str, Any]) -> set[str]:
    """Which kinds of arrays of synapses were brought to the host."""
    return {
        name
        for table in tables_of(network)
        for name, array in zip(ARRAYS, table.rows.arrays(), strict=True)
        if isinstance(array, DeviceArray)
        and any(np.may_share_memory(array.memory, each.memory) for each in runtime.fetched)
    }


@pytest.mark.parametrize("precision", ["double", "single"])
def test_the_same_spikes_and_synapses_stay_there(runtimes: Runtimes, precision: str) -> None:
    network = balanced("cpu", precision, threads=2)
    sim.run(12.0)
    expected, expected_lists = spikes(network), lists(network)
    assert sum(map(len, expected[0])) > 50

    network = balanced("auto", precision)
    (runtime,) = runtimes
    assert all(isinstance(table.rows, GpuRows) for table in tables_of(network))
    described = sim.describe_network()
    sim.run(6.0)
    sim.run(6.0)
    assert fetched(runtime, network) == set()
    synapses = sum(map(len, tables_of(network)))
    assert described.synapses == synapses + 105
    assert spikes(network) == expected
    assert lists(network) == expected_lists
    assert fetched(runtime, network) == set(ARRAYS)


def test_on_a_gpu() -> None:
    found = describe_devices()[0]
    if not found.usable:
        pytest.skip(found.detail)
    made = []
    for device in ("cpu", "cuda"):
        network = balanced(device)
        sim.run(100.0)
        made.append((spikes(network), lists(network)))
    assert made[0] == made[1]


def projection(device: str, connector: Any, weight: Any, delay: Any, **ends: Any) -> Any:
    """One projection, of 60 cells onto 50 unless `ends` says otherwise."""
    sim.setup(timestep=0.1, device=device, max_delay=20.0)
    cells = [sim.Population(n, sim.IF_curr_exp()) for n in (60, 50)]
    pre, post = (ends.get(name, slice(None)) for name in ("pre", "post"))
    synapse = sim.StaticSynapse(weight=weight, delay=delay)
    return sim.Projection(cells[0][pre], cells[1][post], connector, synapse)


def on_gpu(made: Any) -> bool:
    return all(isinstance(table.rows, GpuRows) for table in made._tables)


def native() -> Any:
    return sim.NativeRNG(seed=3)


PLACES: dict[str, tuple[bool, Callable[[str], Any]]] = {
    "part of a population": (
        True,
        lambda device: projection(
            device, CONNECTORS["probability"](native()), 0.1, 1.0, post=slice(20, 40)
        ),
    ),
    "cells with gaps": (
        False,
        lambda device: projection(
            device, CONNECTORS["probability"](native()), 0.1, 1.0, post=slice(0, 40, 2)
        ),
    ),
    "cell i to cell i": (
        False,
        lambda device: projection(
            device, sim.OneToOneConnector(), normal(0.1, native()), delays(native())
        ),
    ),
    "another generator": (
        False,
        lambda device: projection(
            device, sim.AllToAllConnector(), normal(0.1, NumpyRNG(seed=1)), 1.0
        ),
    ),
    "distributions of NumPy": (
        True,
        lambda device: projection(
            device,
            sim.AllToAllConnector(),
            RandomDistribution("gamma", (2.0, 0.1), rng=native()),
            RandomDistribution("gamma", (9.0, 0.5), rng=native()),
        ),
    ),
    "values that are all equal": (
        True,
        lambda device: projection(
            device,
            sim.AllToAllConnector(),
            RandomDistribution("normal", (0.3, 0.0), rng=native()),
            RandomDistribution("normal", (2.0, 0.0), rng=native()),
        ),
    ),
    "no connections": (
        True,
        lambda device: projection(
            device, sim.FixedProbabilityConnector(0.0, rng=native()), 0.1, 1.0
        ),
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_who_makes_it_does_not_show(runtimes: Runtimes, name: str) -> None:
    there, make = PLACES[name]
    expected = make("cpu").get(["weight", "delay"], format="list")
    made = make("auto")
    assert on_gpu(made) or not there
    assert there or not any(isinstance(table.rows, GpuRows) for table in made._tables)
    assert made.get(["weight", "delay"], format="list") == expected


def test_targets_in_a_large_population(runtimes: Runtimes) -> None:
    """Few targets, whose indices in their population take 32 bits."""
    lists = []
    for device in ("cpu", "auto"):
        sim.setup(device=device)
        cells = sim.Population(70_000, sim.IF_curr_exp())
        part, rng = cells[69_000:], native()
        made = sim.Projection(part, part, CONNECTORS["total"](rng), sim.StaticSynapse(weight=0.1))
        assert made._tables[0].target.dtype == np.uint32
        lists.append(made.get("weight", format="list"))
    assert on_gpu(made)
    assert lists[0] == lists[1]


@pytest.mark.parametrize(
    ("weight", "delay", "message"),
    [
        (RandomDistribution("normal", (0.0, 1.0), rng=sim.NativeRNG(1)), 1.0, "positive"),
        (0.1, RandomDistribution("normal", (1.0, 1.0), rng=sim.NativeRNG(1)), "from 0.1 ms to"),
        (RandomDistribution("lognormal", (9e2, 1.0), rng=sim.NativeRNG(1)), 1.0, "at most 1e.100"),
    ],
)
def test_values_that_are_not_valid(
    runtimes: Runtimes, weight: Any, delay: Any, message: str
) -> None:
    for device in ("cpu", "auto"):
        with pytest.raises(sim.errors.ConnectionError, match=message):
            projection(device, sim.AllToAllConnector(), weight, delay)
        assert not simulator.state.network.tables


def test_a_network_too_large_for_the_gpu(runtimes: Runtimes) -> None:
    sim.setup(device="auto")
    cells = sim.Population(1000, sim.IF_curr_exp())
    assert simulator.state.gpu is not None
    (runtime,) = runtimes
    runtime.memory = 2 << 20
    with pytest.raises(NetworkTooLargeError, match=r"0.0242 GiB on the device; 0.00195 GiB are"):
        sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    assert runtime.launches == 0
    few = sim.FixedProbabilityConnector(0.01, rng=native())
    assert on_gpu(sim.Projection(cells, cells, few, sim.StaticSynapse(weight=0.1)))


def test_changes_between_runs(runtimes: Runtimes) -> None:
    """What is set by the user comes from the host from then on."""
    found = []
    for device in ("cpu", "auto"):
        network = balanced(device)
        sim.run(4.0)
        network["made"][0].set(weight=0.03)
        network["made"][2].set(delay=2.5)
        weights = network["made"][3].get("weight", format="array")
        network["made"][3].set(weight=weights * 2)
        sim.run(4.0)
        found.append((spikes(network), lists(network)))
    changed = {0, 2, 3}
    for number, made in enumerate(network["made"]):
        assert on_gpu(made) == (number not in changed)
    assert found[0] == found[1]


def test_checkpoint(runtimes: Runtimes, tmp_path: Any) -> None:
    network = balanced("auto")
    sim.run(4.0)
    sim.save_state(tmp_path / "state.npz")
    sim.run(4.0)
    expected = spikes(network)
    for device in ("cpu", "auto"):
        network = balanced(device)
        sim.load_state(tmp_path / "state.npz")
        sim.run(4.0)
        assert spikes(network) == expected


def test_export_captures_the_same(runtimes: Runtimes) -> None:
    nets = []
    for device in ("cpu", "auto"):
        balanced(device)
        nets.append(export.capture(sim))
    for a, b in zip(nets[0].connections, nets[1].connections, strict=True):
        for name in ("source", "target", "weight", "delay"):
            assert np.array_equal(getattr(a, name), getattr(b, name))


def test_another_device_takes_the_synapses_over(runtimes: Runtimes) -> None:
    """A network that was built on a GPU runs on the CPU, too."""
    network = balanced("auto")
    engine = Engine(simulator.state.network, CpuDevice(2), "double")
    engine.run_until(60)
    assert not any(isinstance(table.rows, GpuRows) for table in tables_of(network))
    expected = engine.recordings.spikes.of(0, 105)
    assert len(expected[0]) > 20
    balanced("cpu")
    sim.run(6.0)
    for a, b in zip(
        expected, simulator.state.require_engine().recordings.spikes.of(0, 105), strict=True
    ):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("group", [3, 11])
def test_delivery_by_groups_of_delays(
    runtimes: Runtimes, monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    """Rows that are made, or only sorted, on the GPU are delivered in segments."""
    balanced("cpu")
    sim.run(6.0)
    expected = simulator.state.require_engine().recordings.spikes.of(0, 105)
    assert len(expected[0]) > 20
    monkeypatch.setattr(layout, "best_group", lambda *_: group)
    network = balanced("auto")
    network["made"][0]._tables[0].take_back()
    sim.run(6.0)
    assert simulator.state.require_engine().synapses.delay_group == group
    assert [on_gpu(made) for made in network["made"]] == [False] + 6 * [True]
    for a, b in zip(
        expected, simulator.state.require_engine().recordings.spikes.of(0, 105), strict=True
    ):
        assert np.array_equal(a, b)
