"""The engine's promises: the same bits for any number of threads and division of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import (
    MODELS,
    NEURONS,
    PARAMETERS,
    add_neurons,
    assert_identical,
    everything,
    random_table,
    result,
)

from pynn_sparse.engine import Engine
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.errors import InterruptedRunError
from pynn_sparse.network import Block, Network, SynapseTable, TimeGrid

STEPS = 600


def run(network: Network, threads: int = 1, precision: str = "double", *stops: int) -> Engine:
    engine = Engine(network, CpuDevice(threads), precision)
    for stop in stops or (STEPS,):
        engine.run_until(stop)
    return engine


@pytest.mark.parametrize("precision", ["double", "single"])
def test_every_population_is_active(precision: str) -> None:
    """Otherwise the comparisons below would compare silence."""
    network = everything()
    neuron, _ = run(network, 1, precision).recordings.spikes.of(0, network.size)
    for block in network.blocks:
        mine = (neuron >= block.first) & (neuron < block.first + block.size)
        assert mine.sum() > 10, block.model.name


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("dt", [0.1, 0.25, 1.0])
def test_threads_do_not_change_a_bit(precision: str, dt: float) -> None:
    one = result(run(everything(dt), 1, precision))
    for threads in (2, 3):
        assert_identical(one, result(run(everything(dt), threads, precision)))


def test_division_of_a_run_does_not_change_a_bit() -> None:
    whole = result(run(everything()))
    assert_identical(whole, result(run(everything(), 2, "double", 1, 2, 37, 38, 599, STEPS)))


def test_seed_changes_poisson_spikes() -> None:
    one, other = result(run(everything(seed=1))), result(run(everything(seed=2)))
    assert not np.array_equal(one["stamp"], other["stamp"])


def test_reset_repeats_the_run() -> None:
    network = everything()
    engine = run(network)
    first = result(engine)
    engine.reset()
    engine.recordings.spikes.discard(0, network.size)
    for probe in network.probes:
        probe.restart(0)
    engine.run_until(STEPS)
    assert_identical(first, result(engine))


def test_spike_record_may_fill_up(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = result(run(everything()))
    monkeypatch.setattr(CpuDevice, "record_capacity", 16)
    assert_identical(whole, result(run(everything(), 2)))


def test_an_interrupted_run_does_not_go_on_from_nowhere() -> None:
    class Interrupted(CpuDevice):
        count = 0

        def advance(self, *arguments: Any) -> int:
            reached = super().advance(*arguments)
            self.count += 1
            if self.count == 1:
                raise KeyboardInterrupt
            return reached

    network = everything()
    engine = Engine(network, Interrupted(2), "double")
    with pytest.raises(KeyboardInterrupt):
        engine.run_until(STEPS)
    with pytest.raises(InterruptedRunError, match=r"call reset\(\)"):
        engine.run_until(STEPS)
    engine.reset()
    for probe in network.probes:
        probe.restart(0)
    engine.run_until(STEPS)
    assert_identical(result(run(everything())), result(engine))


def quiet(n: int = 3) -> Network:
    """Neurons that do nothing by themselves, all recorded."""
    network = Network(TimeGrid(0.1), 1)
    network.add_block(MODELS["IF_curr_delta"], n, PARAMETERS["IF_curr_delta"] | {"i_offset": 0.0})
    network.spikes_wanted[:] = True
    return network


def source(network: Network, *times: float) -> None:
    trains = np.empty(1, dtype=object)
    trains[0] = np.array(times)
    network.add_block(MODELS["SpikeSourceArray"], 1, {"spike_times": trains})
    network.spikes_wanted[-1] = True


def connect(network: Network, pre: int, post: int, weight: float, delay: int) -> SynapseTable:
    table = SynapseTable.from_pairs(
        *(_block_of(network, neuron) for neuron in (pre, post)),
        *(np.array([neuron - _block_of(network, neuron).first]) for neuron in (pre, post)),
        np.array([weight]),
        np.array([delay], np.uint16),
        "excitatory",
    )
    network.add_tables([table])
    return table


def _block_of(network: Network, neuron: int) -> Block:
    return next(b for b in network.blocks if b.first <= neuron < b.first + b.size)


def spikes(engine: Engine) -> list[tuple[int, int]]:
    neuron, stamp = engine.recordings.spikes.of(0, engine.network.size)
    return sorted(zip(stamp.tolist(), neuron.tolist(), strict=True))


def test_spikes_arrive_after_their_delay() -> None:
    """A jump above threshold fires the neuron in the step that ends when the spike arrives."""
    network = quiet()
    source(network, 0.0, 5.0)
    connect(network, 3, 0, 50.0, 1)
    connect(network, 3, 1, 50.0, 20)
    connect(network, 0, 2, 50.0, 7)
    engine = run(network, 1, "double", 100)
    expected = [(0, 3), (1, 0), (8, 2), (20, 1), (50, 3), (51, 0), (58, 2), (70, 1)]
    assert spikes(engine) == expected


def test_spikes_in_flight_survive_new_delays_units_and_populations() -> None:
    """What was sent before a change of the network arrives when and as it would have."""
    network = quiet()
    source(network, 1.0)
    table = connect(network, 3, 0, 50.0, 20)
    engine = run(network, 1, "double", 15)
    table.update(weight=[1e-3])  # from now on: what is in flight has been sent
    connect(network, 3, 1, 1e6, 60)  # a longer ring, and accumulators of another unit
    network.add_block(MODELS["IF_curr_exp"], 5, PARAMETERS["IF_curr_exp"])
    engine.run_until(100)
    assert spikes(engine) == [(10, 3), (30, 0)]


def test_small_weights_keep_their_precision_next_to_large_ones() -> None:
    network = quiet(2)
    source(network, 0.0)
    connect(network, 2, 0, 1e-7, 1)
    connect(network, 2, 1, 1.0, 1)
    engine = run(network, 1, "double", 1)
    v = engine.blocks[0].sample("v", np.arange(2, dtype=np.int32))
    rest = PARAMETERS["IF_curr_delta"]["v_rest"]
    assert v[0] - rest == pytest.approx(1e-7, rel=1e-6)
    assert v[1] - rest == pytest.approx(1.0, rel=1e-12)


def test_weights_that_lose_precision_are_announced() -> None:
    network = quiet(2)
    source(network, 0.0)
    connect(network, 2, 0, 1e-4, 1)
    connect(network, 2, 1, 1e12, 1)
    with pytest.warns(UserWarning, match="1 synapses are so weak"):
        run(network, 2, "double", 1)


def test_new_weights_act_after_the_present() -> None:
    network = quiet()
    source(network, 1.0, 2.0)
    table = connect(network, 3, 0, 1e-3, 1)
    engine = run(network, 1, "double", 15)
    table.update(weight=[50.0])
    engine.run_until(30)
    assert spikes(engine) == [(10, 3), (20, 3), (21, 0)]


def test_new_spike_times_ignore_the_past() -> None:
    network = quiet()
    source(network, 1.0, 2.0)
    engine = run(network, 1, "double", 15)
    trains = np.empty(1, dtype=object)
    trains[0] = np.array([0.5, 1.2, 1.5, 1.6, 3.0])
    network.blocks[1].set_parameters(slice(None), {"spike_times": trains})
    engine.run_until(50)
    assert spikes(engine) == [(10, 3), (16, 3), (30, 3)]


def test_spike_times_that_never_come() -> None:
    """Whatever the numbers of their steps have in common with those of a run."""
    network = quiet()
    source(network, 1.0, *(0.1 * (2.0**bits + 20) for bits in range(31, 51)))
    assert spikes(run(network, 1, "double", 50)) == [(10, 3)]


@pytest.mark.parametrize("name", NEURONS)
def test_parameters_equal_or_per_neuron_give_the_same(name: str) -> None:
    """The two ways in which parameters are stored."""

    def network(spread: bool) -> Network:
        network = Network(TimeGrid(0.1), 3)
        parameters = PARAMETERS[name]
        if spread:
            parameters = {key: np.full(40, value) for key, value in parameters.items()}
        block = network.add_block(MODELS[name], 40, parameters)
        poisson = network.add_block(
            MODELS["SpikeSourcePoisson"], 40, {"rate": 500.0, "start": 0.0, "duration": 1e10}
        )
        random_table(network, poisson, block, "excitatory", 0.05, 5)
        network.spikes_wanted[:] = True
        return network

    assert_identical(result(run(network(False))), result(run(network(True))))


def test_reset_restores_plastic_weights() -> None:
    network = everything()
    initial = {number: table.weight.copy() for number, table in enumerate(network.tables)}
    engine = run(network)
    for number, table in enumerate(network.tables):
        learns = table.rule is not None and table.rule.learns
        assert np.array_equal(np.sort(table.weight), np.sort(initial[number])) != learns
    first = result(engine)
    engine.reset()
    engine.recordings.spikes.discard(0, network.size)
    for probe in network.probes:
        probe.restart(0)
    for number, table in enumerate(network.tables):
        assert np.array_equal(np.sort(table.weight), np.sort(initial[number]))
    engine.run_until(STEPS)
    assert_identical(first, result(engine))


def test_empty_network_and_no_steps() -> None:
    engine = Engine(Network(TimeGrid(0.1), 1), CpuDevice(2), "double")
    engine.run_until(0)
    assert engine.step == -1
    engine.run_until(5)
    assert engine.step == 5


def test_neurons_added_later_start_at_their_initial_state() -> None:
    network = quiet()
    engine = run(network, 2, "double", 50)
    block = add_neurons(network, "IF_cond_exp", 20, 1)
    engine.run_until(51)
    v = engine.blocks[1].sample("v", np.arange(20, dtype=np.int32))
    assert np.abs(v - block.initial["v"]).max() < 1.0
    assert engine.step == 51
