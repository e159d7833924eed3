"""ONNX: operators against its own evaluator, a file that PyTorch exported, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from sklearn.datasets import load_digits

from pynn_sparse.errors import GraphError
from pynn_sparse.interchange.layers import forward
from pynn_sparse.interchange.onnx import read

onnx = pytest.importorskip("onnx")
helper, numpy_helper = onnx.helper, onnx.numpy_helper
ReferenceEvaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
FILE = Path(__file__).resolve().parents[2] / "docs" / "digits.onnx"
RNG = np.random.default_rng(1)


def model(*nodes: Any, shape: Any = ("n", 3, 6, 5), **constants: Any) -> Any:
    """Nodes in a row from "x" to the last one's output."""
    kind = onnx.TensorProto.FLOAT
    return helper.make_model(
        helper.make_graph(
            list(nodes),
            "net",
            [helper.make_tensor_value_info("x", kind, list(shape))],
            [helper.make_tensor_value_info(nodes[-1].output[0], kind, None)],
            [numpy_helper.from_array(_single(v), name) for name, v in constants.items()],
        )
    )


def _single(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def node(kind: str, inputs: str = "x", output: str = "y", **attributes: Any) -> Any:
    return helper.make_node(kind, inputs.split(), [output], name=f"my {kind}", **attributes)


def computed(given: Any, x: np.ndarray) -> np.ndarray:
    """What the graph gives: as ONNX's own evaluator says, and also by its layers' synapses."""
    graph = read(given)
    (*_, (_, found)) = forward(graph, {"x": x})
    (expected,) = ReferenceEvaluator(given).run(None, {"x": x.astype(np.float32)})
    np.testing.assert_allclose(found, expected, atol=1e-4)
    for sample, expected in zip(x, found, strict=True):
        value = sample.ravel()
        for name in graph.nodes:
            layer = graph.nodes[name]
            if hasattr(layer, "synapses"):
                shape = graph.shape_into(name)
                value = layer.synapses(shape).product(value) + layer.constant(shape)
        np.testing.assert_allclose(value, expected.ravel(), atol=1e-12)
    return found


def images(n: int = 2) -> np.ndarray:
    return RNG.normal(size=(n, 3, 6, 5))


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [1, 0, 2, 1]},
        {"auto_pad": "VALID", "strides": [2, 1]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"dilations": [2, 1], "pads": [1, 1, 1, 1], "group": 3},
    ],
    ids=str,
)
def test_convolutions(attributes: dict[str, Any]) -> None:
    weight = RNG.normal(size=(6, 3 // attributes.get("group", 1), 3, 2))
    computed(model(node("Conv", "x w b", **attributes), w=weight, b=RNG.normal(size=6)), images())


def test_dense_layers() -> None:
    x = RNG.normal(size=(4, 5))
    weight, bias = RNG.normal(size=(5, 3)), RNG.normal(size=3)
    shape = ("n", 5)
    computed(model(node("Gemm", "x w b"), shape=shape, w=weight, b=bias), x)
    scaled = node("Gemm", "x w b", alpha=0.5, beta=2.0, transB=1)
    computed(model(scaled, shape=shape, w=weight.T, b=np.array(0.25)), x)
    both = node("MatMul", "x w", "m"), node("Add", "b m")
    computed(model(*both, shape=shape, w=weight, b=bias[None]), x)


def test_normalisation_and_pools() -> None:
    x = images()
    scale, shift, mean, variance = RNG.uniform(0.5, 2.0, (4, 3))
    norm = node("BatchNormalization", "x s b m v", epsilon=0.01)
    computed(model(norm, s=scale, b=shift, m=mean, v=variance), x)
    computed(model(node("AveragePool", kernel_shape=[3, 2], strides=[3, 1])), x)
    counted = node("AveragePool", kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1)
    computed(model(counted), x)
    computed(model(node("GlobalAveragePool")), x)


def test_sums_and_rectifiers() -> None:
    x = images()
    added = node("Relu", "x", "r"), node("Clip", "x low high", "c"), node("Add", "r c")
    given = model(*added, low=np.float32(0), high=np.float32(0.5))
    (*_, (_, values)) = forward(read(given), {"x": x})
    np.testing.assert_allclose(values, np.maximum(x, 0) + np.clip(x, 0, 0.5))


@pytest.mark.parametrize(
    "last",
    [
        node("Flatten"),
        node("Flatten", axis=-3),
        node("Reshape", "x to"),
    ],
)
def test_one_axis_for_each_sample(last: Any) -> None:
    x = images()
    found = computed(model(last, to=np.array([0, -1])), x)
    np.testing.assert_array_equal(found, x.reshape(2, -1))


def test_constants_and_operators_that_do_nothing() -> None:
    x = images()
    bias = RNG.normal(size=(3, 1, 1)).astype(np.float32)
    value = numpy_helper.from_array(bias)
    constant = helper.make_node("Constant", [], ["b"], name="b", value=value)
    nodes = constant, node("Dropout", "x", "d"), node("Identity", "d", "i"), node("Add", "i b")
    np.testing.assert_allclose(computed(model(*nodes), x), x + bias)


def test_a_file_of_pytorch() -> None:
    """Convolutions, a residual block and pools, exported by torch.onnx."""
    digits = load_digits()
    x, labels = digits.images[1198:, None] / 16, digits.target[1198:]
    (*_, (_, found)) = forward(read(FILE), {"image": x})
    (expected,) = ReferenceEvaluator(onnx.load(FILE)).run(None, {"image": x[:1].astype(np.float32)})
    np.testing.assert_allclose(found[:1], expected, atol=1e-4)
    sim.setup(timestep=0.1)
    net = sim.convert(FILE, digits.images[:1198, None] / 16)
    curve = sim.latency_curve(net, x[:150], labels[:150], steps=32)
    exact = (found[:150].argmax(axis=1) == labels[:150]).mean()
    assert abs(curve.accuracy[-1] - exact) < 0.03
    assert exact > 0.9
    again = sim.convert(onnx.load(FILE), x[:200])
    assert set(again.projections) == set(net.projections)


class TestRefused:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (
                model(node("MaxPool", kernel_shape=[2, 2])),
                r"'my MaxPool' \(MaxPool\): .*AveragePool",
            ),
            (model(node("Softmax")), r"'my Softmax' \(Softmax\): .*export without it"),
            (
                model(node("Sigmoid")),
                "this operator cannot be converted; known are Add, AveragePool",
            ),
            (model(node("Relu", domain="my.own")), r"'my Relu' \(Relu\): this operator"),
            (model(node("Relu"), shape=("n", "c", 4)), "axis 1 is 'c', not a number"),
            (model(node("Relu"), shape=("n", None, 4)), "axis 1 is 'nothing', not a number"),
            (model(node("Relu", "z")), "'z' is nothing that was computed before"),
            (model(node("MatMul", "x x")), "second factor is no constant"),
            (model(node("MatMul", "w x"), w=np.eye(3)), "first input must depend"),
            (model(node("Gemm", "x w", transA=1), w=np.eye(3)), "transA = 1 would mix samples"),
            (model(node("Conv", "x w"), w=np.ones((2, 4, 2, 2))), "takes 4 channels"),
            (
                model(node("Conv", "x w", auto_pad="ALL"), w=np.ones((2, 3, 2, 2))),
                "auto_pad = 'ALL'",
            ),
            (model(node("Conv", "x w", pads=[1]), w=np.ones((2, 3, 2, 2))), r"pads = \[1\]"),
            (model(node("Conv", "x w", extra=1), w=np.ones((2, 3, 2, 2))), "attribute 'extra'"),
            (
                model(node("Conv", "x w"), w=np.full((2, 3, 2, 2), np.nan)),
                "weight must be finite numbers",
            ),
            (
                model(node("AveragePool", kernel_shape=[2, 2], pads=[1] * 4)),
                "count_include_pad = 0",
            ),
            (
                model(node("AveragePool", kernel_shape=[2, 2], strides=[4, 4], ceil_mode=1)),
                "ceil_mode",
            ),
            (model(node("Flatten", axis=2)), "axis = 2 would mix samples"),
            (model(node("Reshape", "x to"), to=np.array([0, 3, -1])), r"to \[0, 3, -1\]"),
            (model(node("Clip", "x low"), low=np.float32(-1)), r"min, max = \[-1.0, None\]"),
            (model(node("Add", "x b"), b=np.ones((2, 3, 6, 5))), "not the same for all samples"),
            (model(node("Add", "x b"), b=np.ones(4)), "does not fit"),
            (model(node("Relu", "b"), b=np.ones(4)), "depends on constants alone"),
        ],
        ids=lambda each: each.graph.node[0].op_type if hasattr(each, "graph") else "",
    )
    def test_operators(self, given: Any, words: str) -> None:
        sim.setup(timestep=0.1)
        with pytest.raises(GraphError, match=f"ModelProto: .*{words}"):
            sim.convert(given, images())
        assert not sim.simulator.state.network.blocks

    def test_files(self, tmp_path: Path) -> None:
        sim.setup(timestep=0.1)
        with pytest.raises(FileNotFoundError, match=r"no\.onnx: there is no such file"):
            sim.convert(tmp_path / "no.onnx", images())
        for contents in (b"", b"no protobuf at all", FILE.read_bytes()[:2000]):
            (tmp_path / "bad.onnx").write_bytes(contents)
            with pytest.raises(GraphError, match=r"bad\.onnx: .*no ONNX file"):
                sim.convert(tmp_path / "bad.onnx", images())
