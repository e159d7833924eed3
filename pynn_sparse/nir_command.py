"""The command `pynn-sparse nir`: from a file to outputs, a table and a picture."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .interchange.nir import FRAMEWORKS
from .replacing import replaced_file

# What says that a network or its inputs cannot be run.
REFUSED = (ImportError, MemoryError, NotImplementedError, OSError, OverflowError, ValueError)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("file", help="NIR file")
    add("--rule", choices=list(FRAMEWORKS), help="program that trained the network")
    add("--dt", type=float, help="how long a step lasts, in the unit of the file's times (s)")
    words = "a switch of the rule that is otherwise, such as reset=value; may be repeated"
    add("--switch", action="append", default=[], metavar="NAME=VALUE", help=words)
    shape = "[samples, steps, *shape], or [samples, *shape] with --steps"
    add("--input", required=True, metavar="X.NPY", help=f"samples: {shape}")
    add("--steps", type=int, help="how long each image is shown")
    add("--device", choices=("auto", "cpu", "cuda"), help="what to run on")
    add("--threads", type=int, help="number of threads of the CPU")
    add("--out", type=Path, default=Path("nir"), help="folder for the results (default: nir)")
    add("--plot", action="store_true", help="also draw the outputs of the first sample")
    words = "also make tables for a target, run them on the first sample, and compare"
    add("--export", metavar="TARGET", help=words)
    words = "for the tables, as of `pynn-sparse export`: '--weight-bits 5 --accept saturation'"
    add("--export-options", default="", metavar="WORDS", help=words)


def run(options: argparse.Namespace) -> int:
    """Run the network; exit status 0, or 1 with a message or where verification failed."""
    import pyNN.sparse as sim

    if options.export_options and not options.export:
        print("pynn-sparse nir: --export-options needs --export TARGET", file=sys.stderr)
        return 1
    setup = {name: getattr(options, name) for name in ("device", "threads")}
    try:
        inputs = _loaded(options.input)
        switches = dict(_switch(each) for each in options.switch)
        chosen = {name: value for name, value in setup.items() if value is not None}
        sim.setup(timestep=1.0, progress=True, **chosen)
        net = sim.nir_network(options.file, options.rule, dt=options.dt, **switches)
        found = sim.present(net, inputs, options.steps)
    except (
        ImportError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        ValueError,
    ) as error:
        print(f"pynn-sparse nir: {error}", file=sys.stderr)
        return 1
    named = found if isinstance(found, dict) else {next(iter(net.outputs)): found}
    options.out.mkdir(parents=True, exist_ok=True)
    for name, values in named.items():
        path = options.out / f"{name.replace('/', '_')}.npy"
        with replaced_file(path) as file:
            np.save(file, values)
        print(f"{path}: {values.shape}")
    print(_table(net, named))
    if options.plot:
        print(_plot(named, options.out / "outputs.png"))
    return _export(sim, net, inputs, options) if options.export else 0


def _export(sim: Any, net: Any, inputs: NDArray[Any], options: argparse.Namespace) -> int:
    """Tables of the network in a folder of the target's name, compared on the first sample."""
    from .export import capture, command
    from .export.errors import ExportError
    from .export.script import Observed

    parser = argparse.ArgumentParser(prog="pynn-sparse nir --export-options", add_help=False)
    command.add_options(parser)
    words = [options.file, "--target", options.export, "--out", str(options.out / options.export)]
    chosen = parser.parse_args([*words, *shlex.split(options.export_options)])
    chosen.typed = options.typed
    try:
        if options.steps is not None:
            raise ExportError("--export needs sequences of spikes for input, not images (--steps)")
        blocks = net.play(inputs[0])
        spikes = {
            block.name: [train.magnitude for train in block.segments[0].spiketrains]
            for block in blocks
        }
        observed = Observed(capture(sim), spikes, float(sim.get_current_time()))
        return command.export(observed, chosen)
    except (ExportError, ValueError) as error:
        print(f"pynn-sparse nir: {error}", file=sys.stderr)
        return 1


def _loaded(file: str) -> Any:
    """The array of a file. Raises ValueError with its name for one that is damaged."""
    try:
        return np.load(file, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # NumPy raises many, also those of Python's tokenizer
        raise ValueError(f"{file}: is damaged, or no .npy file: {error}") from error


def _switch(text: str) -> tuple[str, Any]:
    """Name and value; numbers are numbers. Raises ValueError."""
    name, equals, word = text.partition("=")
    if not equals:
        raise ValueError(f"--switch {text!r}: must be NAME=VALUE")
    for kind in (int, float):
        try:
            return name, kind(word)
        except ValueError:
            continue
    return name, word


def _table(net: Any, named: dict[str, NDArray[Any]]) -> str:
    """Sizes, and what each output did."""
    lines = [f"{'projection':32} {'synapses':>10}"]
    lines += [f"{name:32} {part.size():>10,}" for name, part in net.projections.items()]
    lines += [
        "",
        f"{'output':32} {'neurons':>8} {'steps':>6} {'sum':>12} {'most active in samples'}",
    ]
    for name, values in named.items():
        flat = values.reshape(*values.shape[:2], -1)
        total = flat.sum(axis=(0, 1), dtype=np.float64)
        answers = np.bincount(flat.sum(axis=1, dtype=np.float64).argmax(axis=1))
        most = ", ".join(f"{cell}: {n}" for cell, n in enumerate(answers) if n)
        sizes = f"{flat.shape[2]:>8,} {flat.shape[1]:>6,}"
        lines.append(f"{name:32} {sizes} {total.sum():>12,.6g} {most}")
    return "\n".join(lines)


def _plot(named: dict[str, NDArray[Any]], path: Path) -> str:
    """Outputs of the first sample over its steps, as a picture."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return "no picture: matplotlib is not installed"
    figure = Figure(figsize=(8, 2.5 * len(named)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(named), squeeze=False)[:, 0]
    for ax, (name, values) in zip(axes, named.items(), strict=True):
        ax.imshow(values[0].reshape(values.shape[1], -1).T, aspect="auto", interpolation="nearest")
        ax.set(title=name, xlabel="step", ylabel="neuron")
    figure.savefig(path)
    return f"{path}: outputs of the first sample"
