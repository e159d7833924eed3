"""Synapses that share weights, against SciPy's convolutions, and against synapses one by one."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
import quantities as pq
from pyNN import errors
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import Grid2D, Line
from scipy.signal import convolve2d
from support.devices import device, fresh  # noqa: F401

from pynn_sparse import run_instances
from pynn_sparse.export.stages.capture import capture

STRONG = {"tau_m": 1e9, "v_rest": 0.0, "v_reset": 0.0, "v_thresh": 1e9, "tau_refrac": 0.1}


def image(rows: int, columns: int, cell: Any, **more: Any) -> Any:
    return sim.Population(rows * columns, cell, structure=Grid2D(columns / rows), **more)


def response(seen: np.ndarray, connector: Any, shape: Any, synapse: Any = None) -> Any:
    """What is added to v of integrators, as an image, by sources that fire `seen` times."""
    times = [list(5.0 + 0.5 * np.arange(n)) for n in seen.ravel().astype(int)]
    pre = image(*seen.shape, sim.SpikeSourceArray(spike_times=times))
    post = image(*shape, sim.IF_curr_delta(**STRONG), initial_values={"v": 0.0})
    made = sim.Projection(pre, post, connector, synapse or sim.Convolution())
    post.record("v")
    sim.run(20.0)
    return post.get_data().segments[0].analogsignals[0].magnitude[-1].reshape(shape), made


PADDED = {"None": (0, 0), "1": (1, 1), "(2, 0)": (2, 0), "True": (2, 1)}


@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (2, 3)])
@pytest.mark.parametrize("padding", [None, 1, (2, 0), True])
@pytest.mark.usefixtures("fresh")
def test_response_is_the_convolution(stride: Any, padding: Any) -> None:
    rng = np.random.default_rng(1)
    seen, kernel = rng.integers(0, 4, (7, 9)), rng.normal(size=(5, 2))
    rows, columns = PADDED[str(padding)]
    around = np.pad(seen, [(rows, rows), (columns, columns)])
    most = (np.array(around.shape) - (4, 1)) // stride  # as sPyNNaker has it
    expected = convolve2d(around, kernel, "valid")[:: stride[0], :: stride[1]]
    expected = expected[: most[0], : most[1]]
    connector = sim.ConvolutionConnector(kernel, strides=stride, padding=padding)
    assert tuple(connector.get_post_shape(seen.shape)) == expected.shape
    found, _ = response(seen, connector, expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(("pool", "stride"), [(2, None), ((3, 2), None), ((3, 2), (1, 2))])
@pytest.mark.usefixtures("fresh")
def test_pooling_comes_before_the_kernel(pool: Any, stride: Any) -> None:
    rng = np.random.default_rng(2)
    seen, kernel = rng.integers(0, 4, (6, 7)), rng.normal(size=(2, 2))
    connector = sim.ConvolutionConnector(kernel, pool_shape=pool, pool_stride=stride)
    size = np.broadcast_to(pool, 2)
    step = size if stride is None else np.array(stride)
    many = np.array(seen.shape) // step  # as sPyNNaker has it
    means = np.zeros(many)
    for at in np.ndindex(*many):
        first = at * step
        means[at] = seen[first[0] : first[0] + size[0], first[1] : first[1] + size[1]].sum()
    expected = convolve2d(means / size.prod(), kernel, "valid")
    assert tuple(connector.get_post_shape(seen.shape)) == expected.shape
    found, _ = response(seen, connector, expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("pool", [None, 2, (1, 3)])
@pytest.mark.usefixtures("fresh")
def test_pool_dense(pool: Any) -> None:
    rng = np.random.default_rng(3)
    seen = rng.integers(0, 3, (4, 5))
    rows, columns = np.broadcast_to(1 if pool is None else pool, 2)
    shape = sim.PoolDenseConnector.get_post_pool_shape(seen.shape, pool)
    weights = rng.normal(size=(*shape, 6))
    expected = np.zeros(6)
    for i, j in np.argwhere(seen):
        at = (i // rows, j // columns)
        if (at < shape).all():
            expected += seen[i, j] * weights[at] / (rows * columns)
    connector = sim.PoolDenseConnector(weights.reshape(-1, 6), pool)
    found, _ = response(seen, connector, (2, 3), sim.PoolDense(delay=1.5))
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-9)


def network(shared: bool, cell: str = "IF_curr_exp", **options: Any) -> dict[str, Any]:
    """A recurrent network of images; the same synapses are shared, or come from a list."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0, rng_seed=3, **options)
    rng = np.random.default_rng(5)
    scale = 0.02 if "cond" in cell else 1.0
    first, second = (scale * rng.normal(0.3, 0.4, shape) for shape in ((3, 4), (3, 3)))
    source = image(11, 9, sim.SpikeSourcePoisson(rate=np.linspace(5, 200, 99)), label="source")
    middle = image(5, 10, getattr(sim, cell)(), label="middle")
    connectors = [
        (source, middle, sim.ConvolutionConnector(first, strides=(2, 1), padding=(1, 2)), 1.3),
        (middle, middle, sim.ConvolutionConnector(second, padding=1), 0.2),
        (middle, middle, sim.PoolDenseConnector(second.ravel()[0] / 9, pool_shape=2), 0.1),
    ]
    for pre, post, connector, delay in connectors:
        kind = sim.Convolution if "Conv" in type(connector).__name__ else sim.PoolDense
        made = sim.Projection(pre, post, connector, kind(delay=delay))
        if not shared:
            listed(made)
    middle.record(["spikes", "v"])
    sim.run(150.0)
    data = middle.get_data().segments[0]
    return {
        "spikes": [list(train.magnitude) for train in data.spiketrains],
        "v": data.analogsignals[0].magnitude,
        "connections": [p.get(["weight", "delay"], "list") for p in sim.state.projections],
    }


def listed(projection: Any) -> None:
    """The same synapses one by one."""
    for table in projection._tables:
        with pytest.warns(UserWarning, match="get values of their own"):
            table.take_back()


@pytest.fixture(scope="module")
def one_by_one() -> dict[str, Any]:
    return network(shared=False, threads=1)


def test_same_bits_as_one_by_one(one_by_one: dict[str, Any], device: str) -> None:  # noqa: F811
    """On any number of threads, and where the kernels are those of a GPU."""
    found = network(shared=True)
    assert sum(map(len, found["spikes"])) > 200
    assert found["spikes"] == one_by_one["spikes"]
    assert found["connections"] == one_by_one["connections"]
    np.testing.assert_array_equal(found["v"], one_by_one["v"])


def layer(kernel: Any = None, **more: Any) -> Any:
    """A projection from 12 x 12 cells; the kernel that is not given has one weight of 0."""
    kernel = np.arange(9.0).reshape(3, 3) if kernel is None else kernel
    connector = sim.ConvolutionConnector(kernel, **more)
    pre = image(12, 12, sim.SpikeSourcePoisson(rate=100.0))
    post = image(*connector.get_post_shape((12, 12)), sim.IF_curr_exp())
    return sim.Projection(pre, post, connector, sim.Convolution(delay=0.5))


def listed_weights(projection: Any) -> np.ndarray:
    return np.array(projection.get("weight", "list", with_address=False))


def is_shared(projection: Any) -> bool:
    return all(table.rows.place is None and not table.rows.are_own for table in projection._tables)


@pytest.mark.usefixtures("fresh")
class TestAccess:
    def test_connections_are_those_of_the_kernel(self) -> None:
        made = layer()
        assert len(made) == len(made.connections) == 8 * 100
        pre, post, weight, delay = np.array(made.get(["weight", "delay"], "list")).T
        (row, column), (y, x) = np.divmod(pre, 12), np.divmod(post, 10)
        np.testing.assert_array_equal(weight, 8 - ((row - y) * 3 + (column - x)))
        assert set(delay) == {0.5}
        assert made[7].weight == weight[7]
        assert made.get("weight", "array").shape == (144, 100)
        kernel, tables = 9 * 8, sum(table.nbytes for table in made._tables)
        assert tables < kernel + 1000 < 800 * 10
        assert sim.describe_network().synapses == 800

    def test_set_keeps_what_a_kernel_has(self) -> None:
        made = layer()
        made.set(weight=3 * made.get("weight", "array"), delay=1.5)
        assert is_shared(made)
        assert set(listed_weights(made)) == set(3.0 * np.arange(1, 9))
        made.set(weight=0.25)
        assert is_shared(made)
        assert set(listed_weights(made)) == {0.25}
        assert len(made) == 800
        assert set(made.get("delay", "list", with_address=False)) == {1.5}

    def test_weights_of_no_kernel_are_stored_one_by_one(self) -> None:
        made = layer()
        before = listed_weights(made)
        sim.run(20.0)
        with pytest.warns(UserWarning, match="800 synapses that shared the weights of a kernel"):
            made[3].weight = 9.5
        assert not is_shared(made)
        before[3] = 9.5
        np.testing.assert_array_equal(listed_weights(made), before)
        sim.run(20.0)

    def test_each_sign_has_its_receptor(self) -> None:
        made = layer(np.array([[1.0, -2.0], [0.0, 3.0]]), padding=(0, 0), pool_shape=1)
        assert [table.receptor for table in made._tables] == ["excitatory", "inhibitory"]
        assert set(listed_weights(made)) == {1.0, -2.0, 3.0}
        made.set(weight=2 * made.get("weight", "array"))
        assert set(listed_weights(made)) == {2.0, -4.0, 6.0}
        with pytest.raises(sim.errors.ConnectionError, match="Weights must be negative"):
            made.set(weight=0.5)
        assert set(listed_weights(made)) == {2.0, -4.0, 6.0}

    def test_the_state_is_saved_and_loaded(self, tmp_path: Path) -> None:
        def run(until: float, load: bool) -> tuple[Any, Any]:
            sim.setup(timestep=0.1, threads=1, rng_seed=8)
            made = layer(np.full((3, 3), 0.4))
            made.post.record("spikes")
            if load:
                sim.load_state(tmp_path / "state.npz")
            else:
                sim.run(50.0)
                made.set(weight=0.7)
                sim.save_state(tmp_path / "state.npz")
            sim.run_until(until)
            trains = made.post.get_data().segments[0].spiketrains
            return made, [list(train.magnitude) for train in trains]

        (first, expected), (second, found) = run(100.0, load=False), run(100.0, load=True)
        assert found == expected
        assert sum(map(len, found)) > 100
        assert is_shared(second)
        np.testing.assert_array_equal(listed_weights(second), listed_weights(first))

    def test_many_networks_at_once(self) -> None:
        def build(backend: Any, scale: float) -> Any:
            made = layer(scale * np.arange(9.0).reshape(3, 3))
            made.post.record("spikes")
            return made.post

        def trains(population: Any) -> list[Any]:
            return [list(t.magnitude) for t in population.get_data().segments[0].spiketrains]

        scales, seeds = [0.1, 0.2], [4, 5]
        together = [trains(each) for each in run_instances(build, scales, 50.0, seeds=seeds)]
        for found, scale, seed in zip(together, scales, seeds, strict=True):
            sim.setup(timestep=0.1, rng_seed=seed)
            alone = build(sim, scale)
            sim.run(50.0)
            assert found == trains(alone)
            assert any(found)

    def test_export_has_all_synapses(self) -> None:
        made = layer(0.1 * np.arange(9.0).reshape(3, 3))
        sim.run(1.0)
        net = capture([made])
        assert sum(len(part.weight) for part in net.connections) == 800

    def test_sonata_has_an_edge_for_each_synapse(self, tmp_path: Path) -> None:
        made = layer()
        expected = made.get(["weight", "delay"], "list")
        sim.to_sonata(tmp_path / "one", [made])
        both = layer(np.array([[1.0, -2.0]]))
        with pytest.raises(NotImplementedError, match="receptors excitatory and inhibitory: must"):
            sim.to_sonata(tmp_path / "two", [both])
        sim.setup(timestep=0.1)
        (read,) = sim.from_sonata(tmp_path / "one").projections
        assert read.get(["weight", "delay"], "list") == expected


REFUSED = {
    "kernel without rows": ({"kernel_weights": [1.0, 2.0]}, TypeError, "kernel_shape = None"),
    "kernel with gaps": ({"kernel_weights": [[1.0], [2.0, 3.0]]}, ValueError, "rows of one length"),
    "kernel with NaN": ({"kernel_weights": [[np.nan]]}, ValueError, "must be finite numbers"),
    "kernel of 3 axes": ({"kernel_weights": np.ones((2, 2, 2))}, ValueError, "must have rows and"),
    "kernel of another shape": (
        {"kernel_weights": np.ones((2, 2)), "kernel_shape": 3},
        ValueError,
        "must have 3 rows and 3 columns",
    ),
    "too few weights": (
        {"kernel_weights": [1.0, 2.0], "kernel_shape": (1, 3)},
        ValueError,
        "has 2 values: must have 3 for kernel_shape",
    ),
    "strides": ({"strides": 0}, ValueError, "strides = 0: must be an integer, 1 to 65536"),
    "three strides": ({"strides": (1, 1, 1)}, ValueError, "must be an integer, or two, for rows"),
    "padding": ({"padding": -1}, ValueError, "padding = -1: must be an integer, 0 to 65536"),
    "half a pool": ({"pool_shape": 1.5}, TypeError, "pool_shape = 1.5: must be an integer"),
    "stride alone": ({"pool_stride": 2}, TypeError, "pool_stride = 2: needs a pool_shape"),
    "callback": ({"callback": 3}, TypeError, "callback = 3: must be a function"),
}


@pytest.mark.parametrize(("given", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_arguments_are_checked(given: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        sim.ConvolutionConnector(**{"kernel_weights": [[1.0, 2.0]]} | given)


ODD: tuple[Any, ...] = (
    "a",
    {},
    object(),
    float("nan"),
    2**70,
    [[1, 2], [3]],
    [["a"]],
    [],
    (1, 2, 3),
)

FINE = {
    **dict.fromkeys(("positive_receptor_type", "negative_receptor_type"), str),
    "kernel_weights": int,
    "weights": (int, tuple),  # how many they have to be is known to the projection
}


@pytest.mark.parametrize(
    ("kind", "valid"),
    [
        (sim.ConvolutionConnector, {"kernel_weights": 0.5, "kernel_shape": 3, "pool_shape": 2}),
        (sim.PoolDenseConnector, {"weights": 0.5, "pool_shape": 2}),
    ],
)
def test_odd_values_are_refused_by_name(kind: Any, valid: dict[str, Any]) -> None:
    for name in inspect.signature(kind).parameters:
        for odd in ODD:
            if isinstance(odd, FINE.get(name, ())):
                continue
            with pytest.raises((TypeError, ValueError, NotImplementedError), match=name):
                kind(**valid | {name: odd})


@pytest.mark.usefixtures("fresh")
def test_projections_are_checked() -> None:
    connector, kind = sim.ConvolutionConnector(np.ones((3, 3))), sim.Convolution()
    pre, post = image(4, 5, sim.SpikeSourceArray()), image(2, 3, sim.IF_curr_exp())
    line = sim.Population(6, sim.IF_curr_exp(), structure=Line())
    dense = sim.PoolDenseConnector([1.0, 2.0], pool_shape=2)
    none = sim.ConvolutionConnector(np.ones((3, 3)), positive_receptor_type="exitatory")
    for args, more, message in (
        ((pre, line, connector, kind), {}, r"must have a Grid2D\(columns / rows\)"),
        ((pre, image(3, 2, sim.IF_curr_exp()), connector, kind), {}, "2 rows and 3 columns, as"),
        ((pre, post[:3], connector, kind), {}, "must be a whole Population"),
        ((pre, post, connector, sim.StaticSynapse()), {}, r"must be Convolution\(\) with a Conv"),
        ((pre, post, connector, None), {}, r"must be Convolution\(\) with a Conv"),
        ((pre, post, sim.AllToAllConnector(), kind), {}, "must be a ConvolutionConnector for a C"),
        ((pre, post, connector, kind), {"receptor_type": "inhibitory"}, "must be None, since the"),
        ((pre, post, none, kind), {}, "'exitatory': must be one of .*Did you mean 'excitatory'"),
        ((pre, line, dense, sim.PoolDense()), {}, "must be one, or 24, for 2 x 2 windows of"),
    ):
        with pytest.raises((sim.errors.ConnectionError, ValueError), match=message):
            sim.Projection(*args, **more)
    assert not sim.state.projections
    with pytest.raises(TypeError, match="delay = 'd': must be one number"):
        sim.Convolution(delay="d")
    with pytest.raises(NotImplementedError, match=r"must be the pool_shape, \(2, 2\)"):
        sim.PoolDenseConnector(1.0, 2, 1)


@pytest.mark.usefixtures("fresh")
def test_weights_may_be_drawn_and_be_conductances() -> None:
    law = RandomDistribution("normal", (0.0, 1.0), rng=NumpyRNG(4))
    connector = sim.ConvolutionConnector(law, kernel_shape=(3, 2))
    expected = RandomDistribution("normal", (0.0, 1.0), rng=NumpyRNG(4)).next(6).reshape(3, 2)
    np.testing.assert_array_equal(connector.kernel_weights, expected)
    pre, post = image(4, 4, sim.SpikeSourceArray()), image(2, 3, sim.IF_cond_exp())
    made = sim.Projection(pre, post, connector, sim.Convolution())
    tables = {table.receptor: set(np.unique(table.weight)) for table in made._tables}
    assert tables == {
        "excitatory": set(expected[expected > 0]),
        "inhibitory": set(-expected[expected < 0]),
    }


@pytest.mark.parametrize(
    "odd",
    [
        np.ones((3, 3)) * pq.kg,
        np.ma.masked_equal(np.eye(3), 0.0),
        np.full((3, 3), 1j),
        np.full((3, 3), "1"),
        np.full((3, 3), True),
        [[1.0, 2.0], [3.0]],
        np.full((3, 3), np.nan),
    ],
    ids=str,
)
def test_kernels_are_plain_numbers(odd: Any) -> None:
    """A unit, a mask or a kind of number is never lost on the way."""
    words = r"kernel_weights = [\s\S]*: must be finite"
    with pytest.raises(errors.InvalidParameterValueError, match=words):
        sim.ConvolutionConnector(odd)
