"""Ordinary networks as spiking ones: against plain steps, closed forms, and what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
import quantities as pq
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from pynn_sparse.errors import GraphError
from pynn_sparse.interchange.layers import (
    Assembling,
    Dense,
    Graph,
    Recipe,
    Rectifier,
    converted,
    forward,
    plan,
)
from pynn_sparse.interchange.scikit import read

DIGITS = load_digits()
IMAGES, LABELS = DIGITS.data / 16, DIGITS.target
TRAIN, TEST = slice(0, 1198), slice(1198, None)


def perceptron(*hidden: int, samples: int = 1198) -> MLPClassifier:
    made = MLPClassifier(hidden, random_state=0, alpha=1e-3)
    for _ in range(40):  # `fit` warns that it has not converged
        made.partial_fit(IMAGES[:samples], LABELS[:samples], classes=np.arange(10))
    return made


@pytest.fixture(scope="module")
def digits() -> MLPClassifier:
    return perceptron(40, 20)


def plain(
    model: MLPClassifier, x: np.ndarray, thetas: list[float], steps: int, **options: Any
) -> np.ndarray:
    """Sums of the outputs, [samples, steps, 10], with all layers in one step.

    `options["fired"]` gets the number of spikes of each layer.
    """
    fired = options.get("fired", np.zeros(len(thetas)))
    start, soft = options.get("v_start", 0.5), options.get("reset", "subtract") == "subtract"
    voltages = [np.full((len(x), b.size), 0.0) for b in model.intercepts_]
    for v, theta in zip(voltages, thetas, strict=False):
        v += start * theta
    found = []
    for _ in range(steps):
        z = x
        for layer, (w, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
            v = voltages[layer]
            v += z @ w + b
            if layer == len(thetas):
                break
            theta = thetas[layer]
            n = np.floor(v / theta) if options.get("spikes") == "many" else v >= theta
            n = np.maximum(n, 0) * 1.0
            fired[layer] += n.sum()
            voltages[layer] = v - n * theta if soft else np.where(n > 0, 0.0, v)
            z = n * theta
        found.append(voltages[-1].copy())
    return np.stack(found, axis=1)


def thresholds(net: Any) -> list[float]:
    return [float(net[name].get("threshold")) for name in net.populations if "relu" in name]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"percentile": 100, "reset": "value", "v_start": 0.0},
        {"percentile": 95.0, "spikes": "many"},
        {"thresholds": {"relu1": 0.75, "relu2": 3.0}, "v_start": 0.25},
    ],
    ids=str,
)
def test_spiking_networks_are_those_of_plain_steps(
    digits: MLPClassifier, options: dict[str, Any]
) -> None:
    images = IMAGES[TEST][:25]
    sim.setup(timestep=0.1)
    net = sim.convert(digits, IMAGES[TRAIN], **options)
    found = sim.present(net, images, steps=12)
    thetas = thresholds(net)
    if "thresholds" in options:
        assert thetas == [0.75, 3.0]
    np.testing.assert_allclose(
        found, plain(digits, images, thetas, 12, **options), rtol=0, atol=1e-5
    )


def test_thresholds_are_percentiles(digits: MLPClassifier) -> None:
    hidden = np.maximum(IMAGES[TRAIN] @ digits.coefs_[0] + digits.intercepts_[0], 0)
    second = np.maximum(hidden @ digits.coefs_[1] + digits.intercepts_[1], 0)
    sim.setup(timestep=0.1)
    for percentile in (97.0, 100):
        found = thresholds(sim.convert(digits, IMAGES[TRAIN], percentile=percentile))
        expected = [np.percentile(each, percentile) for each in (hidden, second)]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_mean_outputs_approach_those_of_the_ordinary_network(digits: MLPClassifier) -> None:
    """With the maximum as threshold, nothing is cut off: the error falls as 1 / T."""
    images = IMAGES[TRAIN][:20]
    (*_, (_, exact)) = forward(read(digits), {"input": images})
    sim.setup(timestep=0.1)
    found = sim.present(sim.convert(digits, IMAGES[TRAIN], percentile=100), images, steps=512)
    errors = [np.abs(found[:, T - 1] / T - exact).max() for T in (8, 64, 512)]
    assert errors[2] < 0.1 < errors[0]
    assert errors[1] < errors[0] / 4
    assert errors[2] < errors[1] / 4


def one_layer(rectifier: Rectifier, weight: np.ndarray, bias: np.ndarray) -> Graph:
    made = Assembling()
    before = made.layer("fc", Dense(weight, bias), made.input("input", (weight.shape[1],)))
    made.output("output", made.layer("act", rectifier, before))
    return made.graph()


@pytest.mark.parametrize("levels", [2, 4, 8])
def test_counts_are_the_levels_of_qcfs(levels: int) -> None:
    """In as many steps as it has levels, a layer fires just what its activation gave."""
    rng = np.random.default_rng(levels)
    graph = one_layer(Rectifier(1.5, levels), rng.normal(size=(40, 6)), rng.normal(size=40))
    x = rng.normal(size=(30, 6))
    values = dict(forward(graph, {"input": x}))["act"]
    share = np.clip(np.floor(values_before(graph, x) / 1.5 * levels + 0.5) / levels, 0, 1)
    np.testing.assert_allclose(values, share * 1.5)
    recipe = Recipe()
    sim.setup(timestep=0.1)
    planned = plan(converted(graph, {"input": x}, recipe), 1.0, lambda name: recipe.rule)
    found = sim.trained.TrainedNetwork(planned, recipe.rule).present(x, steps=levels)
    np.testing.assert_allclose(found.sum(axis=1) * 1.5 / levels, values, atol=1e-12)


def values_before(graph: Graph, x: np.ndarray) -> np.ndarray:
    layer = graph.nodes["fc"]
    assert isinstance(layer, Dense)
    return np.asarray(x @ layer.weight.T + layer.bias)


def test_accuracy_against_latency(digits: MLPClassifier, tmp_path: Path) -> None:
    images, labels = IMAGES[TEST][:100], LABELS[TEST][:100]
    sim.setup(timestep=0.1)
    net = sim.convert(digits, IMAGES[TRAIN])
    curve = sim.latency_curve(net, images, labels, steps=8)
    fired = np.zeros(2)
    outputs = plain(digits, images, thresholds(net), 8, fired=fired)
    right = outputs.argmax(axis=2) == labels[:, None]
    np.testing.assert_allclose(curve.accuracy, right.mean(axis=0))
    # Of the first layer, every spike of which has 20 synapses, and of the second, with 10.
    assert curve.spikes[-1] == pytest.approx(fired.sum() / 100)
    assert curve.operations[-1] == pytest.approx(fired @ [20, 10] / 100)
    assert (np.diff(curve.operations) >= 0).all()
    assert 0 <= (images > 0).sum() / 100 * 40 - curve.multiplications < 20  # a few weights are 0
    assert curve.synapses == sum(each.size() for each in net.projections.values())
    assert 0 <= 64 * 40 + 40 * 20 + 20 * 10 - curve.synapses < 100
    assert f"| 8 | {curve.accuracy[7]:.1%} |" in str(curve)
    assert curve.accuracy[7] > 0.85
    with pytest.raises(ValueError, match="steps = 9: must be from 1 to 8"):
        curve.table([1, 9])
    picture = curve.plot(tmp_path / "curve.png", same_again=curve)
    assert picture.read_bytes()[:4] == b"\x89PNG"
    for wrong in (labels[:3], labels / 2, labels + 1):
        with pytest.raises(ValueError, match="labels"):
            sim.latency_curve(net, images, wrong, steps=8)


def test_sums_of_spikes_where_the_last_layer_fires(digits: MLPClassifier) -> None:
    rng = np.random.default_rng(1)
    graph = one_layer(Rectifier(2.0), rng.normal(size=(3, 4)), np.zeros(3))
    recipe = Recipe()
    x = rng.normal(size=(20, 4))
    sim.setup(timestep=0.1)
    planned = plan(converted(graph, {"input": x}, recipe), 1.0, lambda name: recipe.rule)
    net = sim.trained.TrainedNetwork(planned, recipe.rule)
    labels = values_before(graph, x).argmax(axis=1)
    curve = sim.latency_curve(net, x, labels, steps=40)
    assert curve.accuracy[-1] > curve.accuracy[0]
    assert curve.operations[-1] == 0


def test_it_is_written_as_nir_and_read_again(digits: MLPClassifier, tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    images = IMAGES[TEST][:10]
    sim.setup(timestep=0.1)
    net = sim.convert(digits, IMAGES[TRAIN])
    before = sim.present(net, images, steps=5)
    with pytest.warns(UserWarning, match="NIR does not say"):
        sim.to_nir(net, tmp_path / "net.nir")
    again = sim.nir_network(tmp_path / "net.nir")
    np.testing.assert_array_equal(sim.present(again, images, steps=5), before)


def test_pruned_synapses_do_not_count(digits: MLPClassifier) -> None:
    sim.setup(timestep=0.1)
    net = sim.convert(digits, IMAGES[TRAIN])
    images, labels = IMAGES[TEST][:20], LABELS[TEST][:20]
    before = sim.latency_curve(net, images, labels, steps=4)
    net["fc3"].set(weight=0.0)
    after = sim.latency_curve(net, images, labels, steps=4)
    assert after.accuracy[-1] < before.accuracy[-1]


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"percentile": 0}, "percentile = 0: must be above 0, up to 100"),
            ({"percentile": 101}, "percentile = 101"),
            ({"percentile": float("nan")}, "percentile = nan"),
            ({"reset": "hard"}, "reset = 'hard': must be one of subtract, value"),
            ({"spikes": "two"}, "spikes = 'two'"),
            ({"spikes": "many", "reset": "value"}, "only reset='subtract'"),
            ({"v_start": 1.0}, "v_start = 1.0"),
            ({"thresholds": {"relu1": 0.0}}, "'relu1' = 0.0: must be a number greater than 0"),
            ({"thresholds": [1.0]}, "thresholds = .*: must be a dict of names"),
            ({"percentile": "99"}, "percentile = '99': must be above 0, up to 100"),
            ({"v_start": None}, "v_start = None: must be a share of the threshold, -1000 or"),
            ({"thresholds": {"relu9": 1.0}}, "'relu9' does not fire; there are relu1, relu2"),
            ({"percentile": 1.0}, "node 'relu1': percentile 1"),
        ],
        ids=str,
    )
    def test_options(self, digits: MLPClassifier, options: dict[str, Any], words: str) -> None:
        sim.setup(timestep=0.1)
        with pytest.raises(GraphError, match=words):
            sim.convert(digits, IMAGES[TRAIN], **options)
        assert not sim.simulator.state.network.blocks

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (IMAGES[:5, :3], r"its shape is \(5, 3\), but must be \[samples, \*shape\]"),
            (IMAGES[:0], "its shape is"),
            (IMAGES[:5] * np.nan, "not finite"),
            ([["a"] * 64], "array of numbers"),
            (IMAGES[:5] * pq.ms, "without a unit or a mask"),
            (np.ma.masked_less(IMAGES[:5], 0.5), "without a unit or a mask"),
            ({"pixels": IMAGES}, r"data = .*: must be an array for each of the inputs \['input'\]"),
        ],
        ids=["shape", "none", "nan", "text", "unit", "mask", "name"],
    )
    def test_data(self, digits: MLPClassifier, data: Any, words: str) -> None:
        sim.setup(timestep=0.1)
        with pytest.raises(GraphError, match=words):
            sim.convert(digits, data)

    def test_models(self, digits: MLPClassifier) -> None:
        sim.setup(timestep=0.1)
        with pytest.raises(TypeError, match="model = 3: must be the path of an ONNX file"):
            sim.convert(3, IMAGES)
        with pytest.raises(GraphError, match="MLPClassifier: has not been fitted"):
            sim.convert(MLPClassifier(), IMAGES)
        other = MLPClassifier((5,), activation="tanh")
        other.partial_fit(IMAGES[:20], LABELS[:20], classes=np.arange(10))
        with pytest.raises(GraphError, match="activation = 'tanh': must be 'relu'"):
            sim.convert(other, IMAGES)
        broken = perceptron(5, samples=100)
        broken.coefs_[1][2, 3] = np.nan
        with pytest.raises(GraphError, match="node 'fc2': weight must be finite numbers"):
            sim.convert(broken, IMAGES)

    def test_graphs(self) -> None:
        made = Assembling()
        made.output("output", made.layer("fc", Dense(np.eye(2)), made.input("input", (2,))))
        with pytest.raises(GraphError, match="no ReLU in it"):
            converted(made.graph(), {"input": np.ones((1, 2))}, Recipe())
        with pytest.raises(GraphError, match="node 'sum': gets different shapes"):
            made.layer("sum", Rectifier(), "fc", made.input("other", (3,)))
