"""Engines of several processes, which are threads here, give the bits of one engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support import networks
from support.emulated import EmulatedRuntime

from pynn_sparse.engine import Engine
from pynn_sparse.engine.devices import loops
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.engine.devices.device import Device
from pynn_sparse.engine.devices.gpu import CudaDevice
from pynn_sparse.engine.exchange.processes import WORDS, Alone, Processes
from pynn_sparse.engine.exchange.stripes import stripes
from pynn_sparse.engine.exchange.threads import run_as_processes
from pynn_sparse.network import Network, SynapseTable, TimeGrid

GRAIN = 8
Results = dict[str, NDArray[Any]]
STOPS = 100, 101, 130, 260, 300


def mine(network: Network, processes: Processes) -> list[slice]:
    """The neurons of a process in each block."""
    parts = [stripes(block, processes.size, GRAIN) for block in network.blocks]
    return [slice(*part[processes.rank :][:2].tolist()) for part in parts]


def keep_local(network: Network, processes: Processes, known: int = 0) -> None:
    """Have no synapses but those onto neurons of this process, but for tables known before."""
    own = mine(network, processes)
    for number, table in enumerate(network.tables[known:], known):
        part = own[table.post.index]
        network.tables[number] = table.onto(part.start, part.stop)


@pytest.fixture(autouse=True)
def few_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulated block takes its time also where it has nothing to do."""
    monkeypatch.setattr(loops, "DELIVERY_BLOCKS", 2)


def emulated_gpu() -> Device:
    return CudaDevice(EmulatedRuntime(backwards=True), "double")


def simulate(
    make: Callable[[], Network],
    processes: Processes,
    device: Device,
    *,
    changes: bool = False,
) -> tuple[Engine, Results]:
    network = make()
    network.junctions.clear()
    keep_local(network, processes)
    engine = Engine(network, device, "double", processes=processes, grain=GRAIN)
    for stop in STOPS:
        engine.run_until(stop)
        if changes:
            known = len(network.tables)
            networks.change(network, stop)
            keep_local(network, processes, known)
    return engine, local_results(engine, processes)


def local_results(engine: Engine, processes: Processes) -> Results:
    network = engine.network
    neuron, stamp = engine.recordings.spikes.of(0, network.size)
    own = mine(network, processes)
    results: Results = {"neuron": neuron, "stamp": stamp}
    for number, probe in enumerate(network.probes):
        part = own[probe.block.index]
        local = (probe.index >= part.start) & (probe.index < part.stop)
        results[f"{number} {probe.variable}"] = probe.samples()[:, local]
    for number, table in enumerate(network.tables):
        weights = np.broadcast_to(engine.weights(table), (len(table),))
        results[f"weights {number}"] = weights[table.order()]
    for number, arrays in enumerate(engine.blocks):
        results[f"state {number}"] = arrays.snapshot()[:, own[number]]
    return results


def joined(parts: list[Results]) -> Results:
    """Results of processes as one would have them."""
    every = {name: [part[name] for part in parts] for name in parts[0]}
    neuron, stamp = (np.concatenate(every.pop(name)) for name in ("neuron", "stamp"))
    order = np.lexsort((stamp, neuron))
    results = {"neuron": neuron[order], "stamp": stamp[order]}
    for name, each in every.items():
        axis = -1 if name.startswith("state") or name[0].isdigit() else 0
        results[name] = np.concatenate(each, axis=axis)
    return results


def check(
    make: Callable[[], Network],
    ranks: int,
    device: Callable[[], Device],
    *,
    changes: bool = False,
) -> None:
    _, expected = simulate(make, Alone(), CpuDevice(1), changes=changes)
    parts = run_as_processes(
        ranks, lambda processes: simulate(make, processes, device(), changes=changes)
    )
    networks.assert_identical(joined([expected]), joined([results for _, results in parts]))
    assert len(expected["neuron"])
    emitted = [set(results["neuron"].tolist()) for _, results in parts]
    assert sum(map(len, emitted)) == len(set.union(*emitted))  # each neuron by one process alone
    for engine, _ in parts:
        own = mine(engine.network, engine.processes)
        for table in engine.network.tables:
            part = own[table.post.index]
            assert ((table.target >= part.start) & (table.target < part.stop)).all()


ONE_THREAD, TWO_THREADS = (partial(CpuDevice, n) for n in (1, 2))


@pytest.mark.parametrize("plastic", [False, True])
@pytest.mark.parametrize(
    ("ranks", "device"), [(2, ONE_THREAD), (3, TWO_THREADS), (3, emulated_gpu)]
)
def test_all_models_and_rules(plastic: bool, ranks: int, device: Callable[[], Device]) -> None:
    check(lambda: networks.everything(plastic=plastic), ranks, device)


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("spread", [False, True])
def test_background_drawn_at_its_targets(recorded: bool, spread: bool) -> None:
    for device in (ONE_THREAD, emulated_gpu)[: 1 + recorded]:
        check(lambda: networks.Driven(recorded=recorded, spread=spread).network, 3, device)


@pytest.mark.parametrize("device", [TWO_THREADS, emulated_gpu])
def test_long_delays_are_exchanged_in_batches(device: Callable[[], Device]) -> None:
    check(networks.slow, 2, device)


@pytest.mark.parametrize("device", [ONE_THREAD, emulated_gpu])
def test_changes_between_runs(device: Callable[[], Device]) -> None:
    check(lambda: networks.everything(plastic=False), 3, device, changes=True)


@settings(max_examples=12, deadline=None)
@given(
    ranks=st.integers(1, 4),
    threads=st.integers(1, 2),
    sizes=st.lists(st.integers(1, 60), min_size=2, max_size=5),
    longest=st.integers(1, 30),
    plastic=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_any_network(
    ranks: int, threads: int, sizes: list[int], longest: int, plastic: bool, seed: int
) -> None:
    """Also with more processes than neurons, and processes without any."""

    def make() -> Network:
        rng = np.random.default_rng(seed)
        network = Network(TimeGrid(0.1), seed)
        rate = {"rate": 3000.0, "start": 0.0, "duration": 1e10}
        sources = network.add_block(networks.MODELS["SpikeSourcePoisson"], 30, rate)
        blocks = [networks.add_neurons(network, "IF_curr_exp", n, n) for n in sizes]
        for number, post in enumerate(blocks):
            for pre in (sources, blocks[number - 1]):
                n = int(rng.integers(1, 200))
                source, target = rng.integers(0, pre.size, n), rng.integers(0, post.size, n)
                weight = rng.uniform(0.5, 2.0, n)
                delay = rng.integers(1, longest + 1, n).astype(np.uint16)
                rule = networks.RULES[number % len(networks.RULES)](1.0) if plastic else None
                ends = pre, post, source, target, weight, delay, "excitatory", rule
                network.add_tables([SynapseTable.from_pairs(*ends)])
        network.spikes_wanted[sources.size :] = bool(seed % 2)
        network.spikes_wanted[: sources.size] = True
        return network

    check(make, ranks, partial(CpuDevice, threads))
    if not seed % 4:
        check(make, ranks, emulated_gpu)


@pytest.mark.parametrize("device", [ONE_THREAD, emulated_gpu])
def test_messages_grow_with_what_is_sent(device: Callable[[], Device]) -> None:
    parts = run_as_processes(2, lambda processes: simulate(networks.slow, processes, device()))
    for engine, _ in parts:
        exchange = engine.processes.exchange()
        assert exchange is not None
        assert exchange["words"][0] > WORDS
        assert exchange["n_exchange"][0] >= STOPS[-1] // 10


def test_reset_begins_anew() -> None:
    def work(processes: Processes) -> list[Results]:
        network = networks.everything()
        network.junctions.clear()
        keep_local(network, processes)
        engine = Engine(network, CpuDevice(1), "double", processes=processes, grain=GRAIN)
        found = []
        for _ in range(2):
            engine.run_until(150)
            found.append(local_results(engine, processes))
            engine.reset()
            engine.recordings.forget()
            for probe in network.probes:
                probe.restart(0)
        return found

    for first, second in run_as_processes(2, work):
        networks.assert_identical(first, second)


def test_what_one_process_records_ends_calls_of_all() -> None:
    """A record that is full stops all processes at the same step."""

    def work(processes: Processes) -> tuple[int, int]:
        network = networks.slow()
        keep_local(network, processes)
        device = CpuDevice(1)
        device.record_capacity = 300
        network.spikes_wanted[40:] = False  # of sources of the first process alone
        engine = Engine(network, device, "double", processes=processes, grain=GRAIN)
        engine.run_until(400)
        return engine.step, len(engine.recordings.spikes.of(0, network.size)[0])

    (step, recorded), (other, none) = run_as_processes(2, work)
    assert step == other == 400
    assert recorded > 300
    assert not none


def test_gap_junctions_are_refused_before_anything_is_done() -> None:
    def work(processes: Processes) -> None:
        engine = Engine(networks.everything(), CpuDevice(1), "double", processes=processes)
        with pytest.raises(NotImplementedError, match="gap junctions"):
            engine.run_until(10)
        assert engine.step == -1

    run_as_processes(2, work)
