"""What the engine does with tables of synapses that are on a GPU, and with the same on the host."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.emulated import EmulatedRuntime
from support.networks import add_neurons

from pynn_sparse.engine import Engine
from pynn_sparse.engine.devices.gpu import CudaDevice
from pynn_sparse.engine.devices.gpu_builder import GpuBuilder
from pynn_sparse.engine.exchange.processes import Alone
from pynn_sparse.engine.synapses.gpu import GpuRows
from pynn_sparse.engine.synapses.own import arrange
from pynn_sparse.engine.synapses.stored import Arrangement
from pynn_sparse.engine.synapses.survey import Survey
from pynn_sparse.engine.synapses.units import Ports, input_bound
from pynn_sparse.engine.synapses.whole import Wholes
from pynn_sparse.errors import NetworkTooLargeError
from pynn_sparse.network import Network, SynapseTable, TimeGrid
from pynn_sparse.network.synapses import index_type


@dataclass
class Twins:
    """The same synapses on the host, and on a GPU."""

    host: SynapseTable
    gpu: SynapseTable


@pytest.fixture(params=[(50, 20, np.float64), (70_000, 300, np.float32)], ids=["narrow", "wide"])
def twins(request: pytest.FixtureRequest) -> Twins:
    """3000 synapses of 40 cells, with zero weights, rows of 0 to 200."""
    n_post, longest, scalar = request.param
    builder = GpuBuilder(EmulatedRuntime(backwards=True))
    network = Network(TimeGrid(0.1), 1)
    pre, post = (add_neurons(network, "IF_curr_exp", n, 3) for n in (45, n_post))
    rng = np.random.default_rng(4)
    length = rng.multinomial(3000, np.r_[0.1, 0, np.full(38, 0.9 / 38)])
    row_start = np.concatenate([[0], np.cumsum(length)])
    target = rng.integers(0, n_post, 3000).astype(index_type(n_post))
    weight = (rng.normal(0, 1, 3000) * 10.0 ** rng.integers(-9, 1, 3000)).astype(scalar)
    weight[::50] = 0
    delay = rng.integers(2, longest + 1, 3000).astype(np.uint8 if longest < 256 else np.uint16)
    arrays = target, weight, delay
    resident = GpuRows(builder, *map(builder.put, arrays))
    ends = pre, post, 3, row_start
    host = SynapseTable(*ends, *(each.copy() for each in arrays), "inhibitory")
    return Twins(host, SynapseTable.held(*ends, "inhibitory", resident, resident.delay_range))


@pytest.mark.parametrize("group", [1, 3, 7, 13, 1000])
def test_rows_are_sorted_by_groups_of_delays(twins: Twins, group: int) -> None:
    host, gpu = twins.host, twins.gpu
    arrangement = Arrangement.of(host, np.array([0, host.post.size]), group)
    assert arrangement == Arrangement.of(gpu, np.array([0, host.post.size]), group)
    begin = gpu.rows.arrange(gpu, group, arrangement.first_group, arrangement.n_group)
    assert np.array_equal(gpu.rows.builder.get(begin), arrange(host, arrangement, 2))
    for mine, other in zip(host.arrays(), gpu.arrays(), strict=True):
        assert mine.dtype == other.dtype
        assert np.array_equal(mine, other)
    keys = (host.delay.astype(int) - 1) // group
    assert all(np.all(np.diff(keys[a:b]) >= 0) for a, b in itertools.pairwise(host.row_start))


def test_rows_with_common_values_are_sorted(twins: Twins) -> None:
    host, gpu = twins.host, twins.gpu
    builder = gpu.rows.builder
    resident = GpuRows(builder, *map(builder.put, (host.target, np.full(3000, 2.0), host.delay)))
    alike = SynapseTable.held(gpu.pre, gpu.post, 3, gpu.row_start, "x", resident, (2, 20))
    arrangement = Arrangement.of(host, np.array([0, host.post.size]), 5)
    resident.arrange(alike, 5, arrangement.first_group, arrangement.n_group)
    arrange(host, arrangement, 1)
    assert alike.weight.tolist() == [2.0]
    assert np.array_equal(alike.target, host.target)


def bound_of(table: SynapseTable, ports: Ports, threads: int) -> NDArray[np.float64]:
    """What synapses of one process can bring to each port."""
    wholes = Wholes(Alone(), threads)
    network = Network(TimeGrid(0.1), 1)
    network.tables.append(table)
    wholes.synchronise(network)
    own = [slice(0, block.size) for block in (table.pre, table.post)]
    return input_bound([table], wholes, ports, own, threads)


def test_what_can_come_in_is_bounded_by_the_same_number(twins: Twins) -> None:
    ports = Ports([twins.host.pre, twins.host.post])
    bounds = [bound_of(table, ports, 3) for table in (twins.host, twins.gpu)]
    assert np.array_equal(*bounds)
    assert np.array_equal(bounds[0], bound_of(twins.host, ports, 1))
    weights = np.abs(twins.host.weight.astype(float))
    exact = np.bincount(twins.host.target, weights, twins.host.post.size)
    port = ports.of_table(twins.host)
    found = bounds[0][port : port + twins.host.post.size]
    assert np.all(found >= exact * (1 - 1e-12))
    assert np.all(found <= exact + 1e-6)
    assert found[exact == 0].tolist() == [0.0] * np.count_nonzero(exact == 0)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_bound_does_not_depend_on_the_order(seed: int) -> None:
    network = Network(TimeGrid(0.1), 1)
    pre, post = (add_neurons(network, "IF_curr_exp", n, 3) for n in (20, 5))
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, 20, 400), rng.integers(0, 5, 400)
    weight = rng.normal(0, 1, 400) * 10.0 ** rng.integers(-3, 3, 400)
    bounds = []
    for order in (np.arange(400), rng.permutation(400)):
        ends = source[order], target[order]
        table = SynapseTable.from_pairs(
            pre, post, *ends, weight[order], np.ones(1, np.uint16), "excitatory"
        )
        bounds.append(bound_of(table, Ports([pre, post]), 2))
    assert np.array_equal(*bounds)


@pytest.mark.parametrize("exponent", [20, 30, 50])
def test_coarse_weights_are_counted(twins: Twins, exponent: int) -> None:
    weights = np.abs(twins.host.weight.astype(float))
    expected = np.count_nonzero((weights > 0) & (weights * 2.0**exponent < 2**20))
    assert (
        Survey(twins.host, 2).coarse(exponent) == Survey(twins.gpu, 2).coarse(exponent) == expected
    )


def test_a_common_weight_that_is_coarse(twins: Twins) -> None:
    builder, target = twins.gpu.rows.builder, twins.host.target
    resident = GpuRows(builder, builder.put(target), np.array([1e-3]), np.array([1], np.uint16))
    ends = twins.gpu.pre, twins.gpu.post, 3, twins.gpu.row_start, "excitatory"
    alike = SynapseTable.held(*ends, resident, resident.delay_range)
    assert [Survey(alike, 2).coarse(exponent) for exponent in (20, 40)] == [3000, 0]
    ports = Ports([alike.pre, alike.post])
    bound = bound_of(alike, ports, 2)[ports.first[1] :][: alike.post.size]
    exact = 1e-3 * np.bincount(target, minlength=alike.post.size)
    assert np.allclose(bound, exact, rtol=1e-9)
    assert np.all(bound >= exact * (1 - 1e-12))


def test_memory_for_what_is_brought_to_the_gpu() -> None:
    """Synapses made on the host are weighed, too, before a run."""
    network = Network(TimeGrid(0.1), 1)
    pre, post = (add_neurons(network, "IF_curr_exp", n, 3) for n in (40, 10))
    source, target = np.arange(5000) % 40, np.arange(5000) % 10
    weight, delay = np.linspace(0.1, 0.2, 5000), np.ones(1, np.uint16)
    table = SynapseTable.from_pairs(pre, post, source, target, weight, delay, "excitatory")
    network.add_tables([table])
    runtime = EmulatedRuntime(memory=16_000)
    engine = Engine(network, CudaDevice(runtime, "double"), "double")
    with pytest.raises(NetworkTooLargeError, match=r"5000 synapses would.*on the device"):
        engine.run_until(1)
