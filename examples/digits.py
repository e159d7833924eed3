"""Handwritten digits on a spiking network, pruned and quantised for hardware, end to end.

    python examples/digits.py [--target asic loihi1] [--bits 5] [--sparsity 0.75] [--images 598]

Trains a network of 64-100-10 rectifying neurons on 1199 of scikit-learn's 1797 images of 8 x 8
pixels, in NumPy; takes it as rates of integrate-and-fire neurons, which run on pyNN.sparse; removes
most of its weights, training the others further; exports it, and classifies the other 598 images
with the integer model from the exported words, and with the Verilog core where Icarus Verilog or
Verilator is there. Prints a table, and writes tables and a picture into `results/`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from pynn_sparse import export, run_instances
from pynn_sparse.export import golden
from pynn_sparse.export.targets.asic.simulate import Simulator, available
from pynn_sparse.export.targets.asic.synthesise import energy, synthesise

Floats = NDArray[np.float64]
Layers = list[Floats]
N_TEST, HIDDEN, BRIGHTEST = 598, 100, 16
HEADROOM = 7  # bits: neurons are driven far below rest
STEPS = 64  # ms for an image, with a time step of 1 ms
GATE_STEPS = 8  # of them in which the activity of gates is measured, which takes minutes


# --- training --------------------------------------------------------------------------------


def train(
    images: Floats, labels: NDArray[np.int64], layers: Layers, masks: Layers, epochs: int
) -> None:
    """Adam on the cross-entropy, in place; weights where a mask is 0 stay 0."""
    rng, wanted = np.random.default_rng(1), np.eye(10)[labels]
    first, second = ([np.zeros_like(w) for w in layers] for _ in range(2))
    step = 0
    for _ in range(epochs):
        for batch in np.array_split(rng.permutation(len(images)), len(images) // 50):
            step += 1
            x = images[batch]
            hidden = np.maximum(x @ layers[0], 0)
            scores = hidden @ layers[1]
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            error = (shares / shares.sum(axis=1, keepdims=True) - wanted[batch]) / len(batch)
            back = (error @ layers[1].T) * (hidden > 0)
            for k, slope in enumerate((x.T @ back, hidden.T @ error)):
                slope = (slope + 1e-4 * layers[k]) * masks[k]
                first[k] += 0.1 * (slope - first[k])
                second[k] += 0.001 * (slope**2 - second[k])
                scale = np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8
                layers[k] -= 0.003 * first[k] / (1 - 0.9**step) / scale


def sparse_layers(
    images: Floats, labels: NDArray[np.int64], layers: Layers, sparsity: float
) -> Layers:
    """The layers with this share of weights removed, in five steps with training in between."""
    kept = [w.copy() for w in layers]
    masks = [np.ones_like(w) for w in kept]
    for part in np.linspace(0, sparsity, 6)[1:]:
        for k, w in enumerate(kept):
            masks[k] = (np.abs(w) > np.quantile(np.abs(w), part)).astype(float)
            kept[k] = w * masks[k]
        train(images, labels, kept, masks, 20)
    return kept


def balanced(images: Floats, layers: Layers) -> Layers:
    """Scaled so that the most active neurons fire in nearly every step (Diehl et al. 2015)."""
    scaled, activity = [], images
    before = 1.0
    for w in layers:
        activity = np.maximum(activity @ w, 0)
        top = float(np.percentile(activity, 99.9))
        scaled.append(w * before / top)
        before = top
    return scaled


# --- the spiking network ---------------------------------------------------------------------


def spike_times(image: Floats) -> list[Floats]:
    """A pixel of brightness b, 0 to 1, has b * STEPS spikes, evenly spread."""
    counts = np.floor(np.outer(image, np.arange(STEPS + 1)) + 1e-9)
    return [np.flatnonzero(np.diff(row)).astype(float) for row in counts]


def build(sim: Any, image: Floats, layers: Layers) -> Any:
    """Populations of 64, 100 and 10 cells; returns the last one."""
    cell = sim.IF_curr_delta(
        v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_m=1000.0, cm=1.0, tau_refrac=0.0
    )
    pre = sim.Population(64, sim.SpikeSourceArray(spike_times=spike_times(image)), label="pixels")
    for label, w in zip(("hidden", "digits"), layers, strict=True):
        post = sim.Population(w.shape[1], cell, initial_values={"v": 0.0}, label=label)
        for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
            source, target = np.nonzero(sign * w > 1e-6)
            rows = np.column_stack([source, target, w[source, target], np.ones(len(source))])
            connector = sim.FromListConnector(rows, column_names=["weight", "delay"])
            sim.Projection(pre, post, connector, sim.StaticSynapse(), receptor_type=receptor)
        pre = post
    post.record("spikes")
    return post


def simulated(images: Floats, layers: Layers) -> NDArray[np.int64]:
    """Spikes of each output for each image, all images at once on pyNN.sparse."""
    outputs = run_instances(
        lambda sim, image: build(sim, image, layers), images, float(STEPS), timestep=1.0
    )
    return np.array([[len(t) for t in o.get_data().segments[0].spiketrains] for o in outputs])


def network(image: Floats, layers: Layers) -> Any:
    """What is exported."""
    sim.setup(timestep=1.0)
    build(sim, image, layers)
    return export.capture(sim)


# --- on hardware -----------------------------------------------------------------------------


def events_of(tables: export.Tables, image: Floats) -> NDArray[np.int64]:
    """Spikes (step, axon) of the pixels."""
    return tables.events({"pixels": spike_times(image)})


def outputs_of(tables: export.Tables, spikes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Spikes of each output."""
    first = next(each.first for each in tables.frame.axons if each.label == "digits")
    mine = spikes[spikes[:, 1] >= first, 1] - first
    return np.bincount(mine, minlength=10)


def golden_counts(tables: export.Tables, images: Floats) -> tuple[NDArray[np.int64], float]:
    """Spikes of each output for each image, and synaptic operations of an image."""
    found = golden.run_samples(tables.fixed, STEPS, [events_of(tables, image) for image in images])
    counts = np.array([outputs_of(tables, spikes) for spikes in found.spikes])
    return counts, float(found.synaptic_events.mean())


def rtl_counts(
    tables: export.Tables, images: Floats, folder: Path, tool: str
) -> tuple[NDArray[np.int64], float]:
    """The same from the Verilog core, and cycles of an image."""
    core = Simulator(tables, folder, tool)
    runs = [core.run(events_of(tables, image), STEPS) for image in images]
    counts = np.array([outputs_of(tables, each.spikes) for each in runs])
    return counts, float(np.mean([each.cycles for each in runs]))


def accuracy(counts: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """Share of images whose label has most spikes; of several, the first."""
    return float((counts.argmax(axis=1) == labels).mean())


def print_energy(
    tables: export.Tables, folder: Path, image: Floats, operations: float, cycles: float
) -> None:
    """Of the logic, with all assumptions.

    The activity is that of the first `GATE_STEPS` of one image; energy and time are for the mean
    one, with these numbers of synaptic operations and of cycles.
    """
    made = synthesise(folder)
    print(f"{made.cells} standard cells, {made.area / 1e6:.3f} mm2 without memories")
    events = events_of(tables, image)
    trace = golden.run(tables.fixed, GATE_STEPS, events)
    found = energy(tables, folder, events, trace, GATE_STEPS)
    latency = cycles * found.period / 1e6
    total = found.power * latency * 1e3
    bits = found.memory_bits * cycles / found.cycles / 1e6
    print(
        f"slack {found.slack:.1f} ns at {1e3 / found.period:.0f} MHz; "
        f"{1e6 * total / operations:.0f} pJ for a synaptic operation; for the mean image "
        f"{total:.1f} uJ, {latency:.2f} ms, that is {1e3 / latency:.0f} images/s and "
        f"{total / latency:.2f} mW; {bits:.1f} Mbit of memories are read or written, not counted"
    )
    for assumption in found.assumptions:
        print(f"  assumed: {assumption}")


def tool_at_hand() -> str | None:
    """A simulator of Verilog that is there, or None."""
    return next((tool for tool in ("verilator", "icarus") if available(tool)), None)


def main() -> None:
    """Train, prune, export, classify, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--target", nargs="+", default=["asic", "loihi1"])
    parser.add_argument("--bits", type=int, default=5)
    parser.add_argument("--sparsity", type=float, default=0.75)
    parser.add_argument("--energy", action="store_true", help="synthesise, and estimate energy")
    parser.add_argument("--images", type=int, default=N_TEST, help="of the test set")
    options = parser.parse_args()

    data = load_digits()
    images, labels = data.data / BRIGHTEST, data.target
    order = np.random.default_rng(0).permutation(len(images))
    learn, test = order[N_TEST:], order[:N_TEST][: options.images]
    rng = np.random.default_rng(0)
    dense = [rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in ((64, HIDDEN), (HIDDEN, 10))]
    train(images[learn], labels[learn], dense, [np.ones_like(w) for w in dense], 60)
    pruned = sparse_layers(images[learn], labels[learn], dense, options.sparsity)
    dense, pruned = (balanced(images[learn], each) for each in (dense, pruned))

    synapses = sum(w.size for w in dense)
    left = sum(int((w != 0).sum()) for w in pruned)
    base = accuracy(simulated(images[test], dense), labels[test])
    thin = accuracy(simulated(images[test], pruned), labels[test])
    print(f"{len(test)} test images")
    print(f"dense network on pyNN.sparse:  accuracy {base:.1%}, {synapses} synapses")
    print(f"pruned network on pyNN.sparse: accuracy {thin:.1%}, {left} synapses")
    print(f"sparsity {1 - left / synapses:.1%}")

    net, rule = (
        network(images[test[0]], pruned),
        export.Quantise(weight_bits=options.bits, headroom=HEADROOM),
    )
    for name in options.target:
        folder = Path("results") / f"digits_{name}"
        export.lower(net, name, quantise=rule).save(folder)
        tables = export.load(folder)
        report = export.verify(tables, duration=float(STEPS))
        counts, operations = golden_counts(tables, images[test])
        bits = tables.memories["synapses"].bits
        print(
            f"{name}, {options.bits} bits: verified {report.passed}, "
            f"accuracy {accuracy(counts, labels[test]):.1%}, "
            f"{operations:.0f} synaptic operations for an image, {bits} bits of synapses"
        )
        tool = tool_at_hand()
        if name == "asic" and tool:
            core, cycles = rtl_counts(tables, images[test], folder, tool)
            print(
                f"Verilog core in {tool}: accuracy {accuracy(core, labels[test]):.1%}, outputs "
                f"{'equal' if np.array_equal(core, counts) else 'DIFFERENT'}, "
                f"{cycles:.0f} cycles for an image"
            )
            if options.energy:
                print_energy(tables, folder, images[test[0]], operations, cycles)
        elif name == "asic":
            print("Verilog core: not run, neither Verilator nor Icarus Verilog is installed")
    draw(net, images[test], labels[test])


def draw(net: Any, images: Floats, labels: NDArray[np.int64]) -> None:
    """Accuracy against further pruning, without further training, and bits; 100 images."""

    def figure(tables: export.Tables) -> float:
        return accuracy(golden_counts(tables, images[:100])[0], labels[:100])

    rule = export.Quantise(headroom=HEADROOM)
    fractions, bits = (0, 0.2, 0.4, 0.6), (2, 3, 4, 5, 8, "e2m1", "e3m2")
    found = export.sweep(net, "asic", fractions, bits, figure, "accuracy", quantise=rule)
    print(found.markdown())
    Path("results").mkdir(exist_ok=True)
    Path("results/digits.png").write_bytes(found.picture())


if __name__ == "__main__":
    main()
