"""Layers as synapses, against sums over windows; random graphs, against plain steps."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_sparse.errors import GraphError
from pynn_sparse.interchange.layers import Convolution, Dense, Flatten, Pool, Scale
from pynn_sparse.interchange.layers.timing import skews


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).normal(size=shape)


def applied(layer: Any, x: np.ndarray) -> np.ndarray:
    """What a layer makes of an input, by its synapses and its constant."""
    flat = layer.synapses(x.shape).product(x.ravel()) + layer.constant(x.shape)
    return flat.reshape(layer.shape_out(x.shape))


def padded(x: np.ndarray, padding: tuple[int, ...]) -> np.ndarray:
    return np.pad(x, [(0, 0), *((each, each) for each in padding)])


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [
        ((3, 5), (1, 2), (1, 0), (1, 1)),
        ((2, 3), (2, 1), (0, 2), (2, 1)),
        ((1, 1), (3, 2), (0, 0), (1, 1)),
        ((4,), (2,), (3,), (2,)),
    ],
)
def test_convolutions(kernel: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 11, 9)[: len(kernel) + 1])
    weight = rng.normal(size=(6, 4 // groups, *kernel))
    bias = rng.normal(size=6)
    layer = Convolution(stride, padding, dilation, weight, bias, groups)
    found = applied(layer, x)
    given_in = padded(x, padding)
    for place in product(*map(range, found.shape)):
        channel, where = place[0], place[1:]
        first = channel // (6 // groups) * (4 // groups)
        total = bias[channel]
        for source, *at in product(range(4 // groups), *map(range, kernel)):
            origin = tuple(
                w * s + a * d for w, s, a, d in zip(where, stride, at, dilation, strict=True)
            )
            total += weight[(channel, source, *at)] * given_in[(first + source, *origin)]
        assert found[place] == pytest.approx(total, abs=1e-12)
    extents = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(x.shape[1:], padding, dilation, kernel, stride, strict=True)
    ]
    assert list(found.shape[1:]) == extents


def test_padding_in_words() -> None:
    weight = np.ones((1, 1, 2, 3))
    x = np.arange(20.0).reshape(1, 4, 5)
    same = Convolution((1, 1), "same", (1, 1), weight)
    assert applied(same, x).shape == (1, 4, 5)
    # An even kernel has its extra zero at the end, as in PyTorch.
    assert applied(same, x)[0, 3, 4] == x[0, 3, 3:].sum()
    assert applied(Convolution((1, 1), "valid", (1, 1), weight), x).shape == (1, 3, 3)
    with pytest.raises(GraphError, match="padding 'same' with stride"):
        Convolution((2, 1), "same", (1, 1), weight).shape_out((1, 4, 5))


@pytest.mark.parametrize("mean", [False, True])
def test_pooling(mean: bool) -> None:
    x = np.random.default_rng(2).normal(size=(3, 7, 6))
    found = applied(Pool((2, 3), (1, 0), (1, 1), (3, 2), mean), x)
    within = padded(x, (1, 0))
    for c, i, j in product(*map(range, found.shape)):
        window = within[c, 2 * i : 2 * i + 3, 3 * j : 3 * j + 2]
        assert found[c, i, j] == pytest.approx(window.sum() / (6 if mean else 1), abs=1e-12)


def test_layers_in_sequence_are_their_product() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 8, 8))
    pool = Pool((2, 2), (0, 0), (1, 1), (2, 2), mean=True)
    conv = Convolution((1, 1), (1, 1), (1, 1), rng.normal(size=(3, 2, 3, 3)))
    dense = Dense(rng.normal(size=(5, 48)))
    expected = dense.weight @ applied(conv, applied(pool, x)).ravel()
    joined = pool.synapses((2, 8, 8)).then(conv.synapses((2, 4, 4))).then(dense.synapses((48,)))
    np.testing.assert_allclose(joined.product(x.ravel()), expected, rtol=1e-12)
    assert Flatten(0, -1).shape_out((3, 4, 4)) == (48,)
    assert Flatten(1, -1).shape_out((3, 4, 4)) == (3, 16)
    assert Flatten(1, -1).shape_out((48,)) == (48,)  # others count the axis of samples


AS_KERNELS = {
    "strides and groups": (Convolution((2, 1), (1, 2), (1, 2), random(4, 2, 3, 2), None, 2),),
    "of a signal": (Convolution((2,), (3,), (2,), random(8, 4, 4)),),
    "pool and convolution": (
        Pool((2, 2), (0, 0), (1, 1), (2, 2), mean=True),
        Convolution((1, 1), (1, 1), (1, 1), random(9, 4, 3, 3)),
    ),
    "scales before and after": (
        Scale(random(4, 1, 1)),
        Convolution((1, 1), (0, 0), (1, 1), random(6, 2, 3, 3), None, 2),
        Scale(random(6, 1, 1)),
    ),
    "scale of all and pools": (
        *(Scale(np.array(0.25)), Pool((2, 3), (1, 1), (1, 1), (2, 3), mean=False)),
        *(Scale(random(4, 1, 1)), Pool((2, 2), (0, 0), (1, 1), (2, 2), mean=False)),
    ),
}


@pytest.mark.parametrize("layers", AS_KERNELS.values(), ids=AS_KERNELS)
def test_kernels_are_the_same_synapses(layers: Any) -> None:
    """Also in a network's form, and to the last bit."""
    shape = (4, 11, 9)[: 2 if len(getattr(layers[0], "stride", (1, 1))) == 1 else 3]
    kernel, listed, n = None, None, int(np.prod(shape))
    for layer in layers:
        following, synapses = layer.as_kernel(shape), layer.synapses(shape)
        kernel = following if kernel is None else kernel.then(following)
        listed = synapses.merged() if listed is None else listed.then(synapses)
        shape = layer.shape_out(shape)
    found, windows = kernel.synapses(), kernel.windows()
    for name in ("n_pre", "n_post", "source", "target", "weight", "delay"):
        np.testing.assert_array_equal(getattr(found, name), getattr(listed, name))
    target, place = windows.synapses()
    assert kernel.greatest_sum() == pytest.approx(found.greatest_sum(), rel=1e-12)
    assert len(windows) == len(target) == len(found.source)
    source = np.repeat(np.arange(windows.n_pre), np.diff(windows.row_start()))
    order = np.lexsort((target, source))
    assert (windows.n_pre, windows.n_post) == (n, int(np.prod(shape)))
    np.testing.assert_array_equal(source[order], found.source)
    np.testing.assert_array_equal(target[order], found.target)
    np.testing.assert_array_equal(kernel.weight.ravel()[place[order]], found.weight)
    np.testing.assert_array_equal(np.bincount(place), windows.uses().ravel())


def test_sums_of_weights_are_no_kernel() -> None:
    """Nor is what differs from place to place."""
    conv, pool = (
        Convolution((1, 1), (0, 0), (1, 1), random(2, 2, 3, 3)).as_kernel((2, 7, 7)),
        Pool((1, 1), (0, 0), (1, 1), (2, 2), mean=False),
    )
    assert conv is not None
    assert conv.then(pool.as_kernel((2, 5, 5))) is None
    assert Scale(random(2, 1, 5)).as_kernel((2, 4, 5)) is None
    assert Dense(random(3, 4)).as_kernel((4,)) is None


@given(st.data())
def test_skews_leave_a_step_for_each_hop(data: st.DataObject) -> None:
    """Every hop lasts its steps and a step at least, or there is a cycle that cannot."""
    n = data.draw(st.integers(1, 6))
    names = [f"l{k}" for k in range(n)]
    ends = st.tuples(st.sampled_from(["in", *names]), st.sampled_from(names), st.integers(0, 3))
    hops = [hop for hop in data.draw(st.lists(ends, max_size=10)) if hop[0] != hop[1]]
    try:
        found = skews(["in"], names, hops)
    except GraphError as error:
        cycle = str(error).split("the cycle ")[1].split(" passes")[0].split(" -> ")
        least = {(a, b): min(s for x, y, s in hops if (x, y) == (a, b)) for a, b, _ in hops}
        length = len(cycle) - 1
        assert cycle[0] == cycle[-1]
        assert sum(least[pair] for pair in pairwise(cycle)) < length
        return
    assert found["in"] == -1
    assert min(found[name] for name in names) >= 0
    assert all(found[b] - found[a] + steps >= 1 for a, b, steps in hops)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_random_graphs_are_stepped_as_by_a_plain_program(data: st.DataObject) -> None:
    """Layers with biases, loops, and connections that skip layers."""
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    layers = range(1, len(sizes))
    wanted = {(k - 1, k) for k in layers}
    wanted |= {(a, b) for b in layers for a in range(b + 1) if a and data.draw(st.booleans())}
    pairs = sorted(wanted)
    names = ["input", *(f"n{k}" for k in layers)]
    nodes: dict[str, Any] = {"input": {"type": "Input", "shape": np.array([sizes[0]])}}
    weight, bias, edges = {}, {}, []
    for k in layers:
        ones = np.ones(sizes[k])
        values = {"tau": 2e-4 * ones, "r": 2 * ones, "v_leak": 0 * ones, "v_threshold": ones}
        nodes[names[k]] = {"type": "LIF", "v_reset": 0 * ones, **values}
        nodes[f"o{k}"] = {"type": "Output", "shape": np.array([sizes[k]])}
        edges.append((names[k], f"o{k}"))
    for a, b in pairs:
        weight[a, b] = rng.integers(-6, 11, (sizes[b], sizes[a])) / 8
        bias[a, b] = rng.integers(-2, 3, sizes[b]) / 8
        name = f"w{a}_{b}"
        nodes[name] = {"type": "Affine", "weight": weight[a, b], "bias": bias[a, b]}
        edges += [(names[a], name), (name, names[b])]
    x = rng.integers(0, 2, (2, 12, sizes[0]))
    sim.setup(timestep=1.0)
    tree = {"type": "NIRGraph", "nodes": nodes, "edges": edges}
    net = sim.nir_network(tree, rule="literal", dt=1e-4)
    found = net.present(x)
    found = found if isinstance(found, dict) else {"o1": found}
    for sample, sequence in enumerate(x):
        v = {k: np.zeros(sizes[k]) for k in layers}
        z = {k: np.zeros(sizes[k]) for k in layers}
        for step, u in enumerate(sequence):
            for k in layers:
                arrived = sum(
                    weight[a, b] @ (u if a == 0 else z[a]) + bias[a, b] for a, b in pairs if b == k
                )
                v[k] = v[k] / 2 + arrived
                z[k] = (v[k] > 1).astype(float)
                v[k][z[k] > 0] = 0
                np.testing.assert_array_equal(found[f"o{k}"][sample, step], z[k])
