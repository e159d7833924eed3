"""Time against activity: neurons that are silent cost nothing.

    python tests/benchmarks/activity.py docs/benchmarks/activity.json
    python tests/benchmarks/activity.py --draw docs/activity.png docs/benchmarks/activity.json

Neurons that rest without input get strong input from Poisson sources of different rates. For each
number of neurons and rate, processor time of one thread is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# Neurons, and ms before and while it is measured.
SIZES = {20_000: (800.0, 400.0), 1_000_000: (300.0, 100.0)}
RATES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # Hz, of sources
FAN_OUT = 100
STEPS = 10_000  # in a biological second


def measure(n: int, rate: float) -> dict[str, float]:
    """One run: mean rate (Hz) of the neurons, and seconds of a processor per biological second."""
    import numpy as np
    import pyNN.sparse as sim

    warm_up, duration = SIZES[n]
    sim.setup(timestep=0.1, threads=1)
    neurons = sim.Population(n, sim.IF_curr_exp(tau_refrac=2.0))
    sources = sim.Population(n // FAN_OUT, sim.SpikeSourcePoisson(rate=rate))
    synapse = sim.StaticSynapse(weight=2.5, delay=1.0)
    connector = sim.FixedNumberPostConnector(FAN_OUT, rng=sim.NativeRNG(1))
    sim.Projection(sources, neurons, connector, synapse)
    sample = neurons[:: n // 1000]
    sample.record("spikes")
    sim.run(warm_up)
    before, begin = np.mean(list(sample.get_spike_counts().values())), time.process_time()
    sim.run(duration)
    taken = time.process_time() - begin
    spikes = np.mean(list(sample.get_spike_counts().values())) - before
    return {"rate": 1000 * float(spikes) / duration, "seconds": 1000 * taken / duration}


def measure_all() -> dict[str, Any]:
    """The figures of all runs, with the machine's and the commit."""
    from pynn_sparse.measuring import machine, origin

    curves: dict[str, list[dict[str, float]]] = {}
    for n in SIZES:
        for rate in RATES:
            command = [sys.executable, __file__, "--one", str(n), str(rate)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            figures = {"source rate": rate, **json.loads(output.splitlines()[-1])}
            print(n, figures, flush=True)
            curves.setdefault(str(n), []).append(figures)
    found = {**machine(("pynn-sparse", "numpy")), **origin()}
    command = ["python tests/benchmarks/activity.py docs/benchmarks/activity.json"]
    return {**found, "command": command, **table(curves), "curves": curves}


def table(curves: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Columns and rows of docs/performance.md: by the rate of the sources."""
    columns = ["Hz of the sources"]
    for n in curves:
        columns += [f"{int(n):,} neurons: rate / Hz", "ns per neuron and step"]
    rows = []
    for runs in zip(*curves.values(), strict=True):
        row = [f"{runs[0]['source rate']:g}"]
        for n, run in zip(curves, runs, strict=True):
            row += [f"{run['rate']:.3g}", f"{_nanoseconds(int(n), run):.3g}"]
        rows.append(row)
    return {"columns": columns, "rows": rows}


def _nanoseconds(n: int, run: dict[str, float]) -> float:
    """Of a processor, for each neuron and step."""
    return 1e9 * run["seconds"] / (STEPS * n)


def draw(curves: dict[str, list[dict[str, float]]], path: Path) -> None:
    """The picture in docs/performance.md."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for n, runs in curves.items():
        rates = [run["source rate"] for run in runs]
        times = [_nanoseconds(int(n), run) for run in runs]
        axes.plot(rates, times, "o-", label=f"{int(n):,}")
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_yscale("log")
    axes.set_xlabel("rate of input to each neuron / Hz")
    axes.set_ylabel("ns of one processor per neuron and step")
    axes.legend(title="neurons")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    """Measure, or draw what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("file", nargs="?", type=Path, help="JSON, written or drawn")
    parser.add_argument("--draw", type=Path, metavar="PICTURE")
    parser.add_argument("--one", nargs=2, metavar=("NEURONS", "RATE"), help="measure one run")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(int(options.one[0]), float(options.one[1]))))
    elif options.draw:
        draw(json.loads(options.file.read_text())["curves"], options.draw)
    else:
        options.file.write_text(json.dumps(measure_all(), indent=1) + "\n")


if __name__ == "__main__":
    main()
