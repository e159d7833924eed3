"""Time this backend beside NEST, alternating, and print the ratios.

    python tests/benchmarks/compare.py [--repeats 5] [--threads 1 2] [--neurons 4000] [--json FILE]

Each run has a process of its own. The rate of each run is compared before its time counts.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NETWORKS = Path(__file__).with_name("networks.py")
BACKENDS = ("sparse", "nest")
PHASES = ("build", "first step", "run per second")


def one(kind: str, backend: str, neurons: int, threads: int) -> dict[str, float]:
    """Figures of one run."""
    options = ["--neurons", str(neurons), "--threads", str(threads)]
    command = [sys.executable, "-W", "ignore", str(NETWORKS), kind, backend, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def check_rates(runs: dict[str, list[dict[str, float]]]) -> None:
    """Both backends must do the same thing: mean rates within 10 %."""
    sparse, nest = (statistics.mean(run["rate"] for run in runs[name]) for name in BACKENDS)
    if abs(sparse - nest) > 0.1 * nest:
        raise SystemExit(f"rates differ: {sparse:.2f} Hz on sparse, {nest:.2f} Hz on nest")


def summary(values: Iterable[float]) -> str:
    """Median and range."""
    values = sorted(values)
    return f"{statistics.median(values):.3g} ({values[0]:.3g}-{values[-1]:.3g})"


def compare(kind: str, neurons: int, threads: int, repeats: int) -> dict[str, Any]:
    """Run both in turn; print a row of the table."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in BACKENDS}
    for _ in range(repeats):
        for name in BACKENDS:
            runs[name].append(one(kind, name, neurons, threads))
    check_rates(runs)
    cells = [f"{kind} {neurons}", str(threads)]
    for phase in PHASES:
        sparse, nest = ([run[phase] for run in runs[name]] for name in BACKENDS)
        ratio = statistics.median(nest) / statistics.median(sparse)
        cells += [summary(sparse), summary(nest), f"{ratio:.1f}"]
    print("| " + " | ".join(cells) + " |", flush=True)
    return {"kind": kind, "neurons": neurons, "threads": threads, "runs": runs}


def versions() -> dict[str, str]:
    """What the figures are of."""
    packages = ("pynn-sparse", "PyNN", "nest-simulator", "numpy")
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found | {"Python": platform.python_version()}


def main() -> None:
    """Read the command line, compare, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--neurons", type=int, nargs="+", default=[4000])
    parser.add_argument("--kinds", nargs="+", default=["cuba", "coba"])
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    heads = ["network", "threads"]
    for phase in PHASES:
        heads += [f"{phase}: sparse / s", "NEST / s", "ratio"]
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    results = [
        compare(kind, neurons, threads, options.repeats)
        for kind in options.kinds
        for neurons in options.neurons
        for threads in options.threads
    ]
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    if options.json:
        options.json.write_text(json.dumps({"versions": versions(), "results": results}, indent=1))


if __name__ == "__main__":
    main()
