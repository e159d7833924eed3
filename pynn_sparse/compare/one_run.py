"""One run of a script on one backend, in a process of its own.

python -m pynn_sparse.compare.one_run nest --result FILE -- script.py [its arguments]
"""

from __future__ import annotations

import argparse
import pickle
import random
import runpy
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..measuring import busy, peak, version
from .capture import Watch
from .redirect import redirect
from .runs import PRECISIONS, RunResult

# How `setup` takes the seed of a backend's own random numbers, and its default.
SEED_OPTION = {"sparse": ("rng_seed", 42), "nest": ("rng_seed", 42)}
SEED_OPTION["neuron"] = ("native_rng_baseseed", 0)
# Its other names, which count if a script has them.
SEED_NAMES = {
    "sparse": ("native_rng_baseseed", "grng_seed", "rng_seeds", "rng_seeds_seed"),
    "nest": ("rng_seeds_seed",),
}
PACKAGES = {"nest": "nest-simulator", "brian2": "Brian2", "sparse": "pynn-sparse"}
# pyNN.nest, with spikes on the grid, emits some spikes of a SpikeSourceArray a step late: those
# whose time, less the minimum delay, is above a multiple of the time step by a rounding error.
EARLIER = 1e-7  # ms


def setup_options(backend: str, precision: str, shift: int) -> Callable[[dict[str, Any]], Any]:
    """A function that gives what to change in the options of a script's `setup`."""

    def change(options: dict[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if backend == "nest" and precision != "script":
            changes["spike_precision"] = precision
        if shift and backend in SEED_OPTION:
            name, default = SEED_OPTION[backend]
            given = [each for each in SEED_NAMES.get(backend, ()) if each in options]
            for each in given or [name]:
                changes[each] = _shifted(options.get(each, default), shift)
        return changes

    return change


def _shifted(seed: Any, shift: int) -> Any:
    """A seed, or each of a list of them, plus `shift`."""
    return [each + shift for each in seed] if isinstance(seed, (list, tuple)) else seed + shift


def shift_seeds(backend: str, shift: int) -> None:
    """Add `shift` to the seeds of PyNN's generators; seed those that the script does not seed."""
    from pyNN.random import AbstractRNG

    original = AbstractRNG.__init__
    unseeded = 0

    def initialise(self: Any, seed: int | None = None) -> None:
        nonlocal unseeded
        if seed is None:
            unseeded += 1
            seed = 1_000_000 + unseeded
        original(self, seed)
        self.seed = seed + shift

    AbstractRNG.__init__ = initialise
    random.seed(1 + shift)
    np.random.seed(1 + shift)  # noqa: NPY002  what scripts use that do not seed it
    if backend == "brian2":
        import brian2

        brian2.seed(1 + shift)


def move_sources(sim: Any) -> None:
    """Give NEST the times of spike sources a little earlier; see `EARLIER`."""
    translation = sim.SpikeSourceArray.translations["spike_times"]
    original = translation["forward_transform"]

    def forward(spike_times: Any) -> Any:  # PyNN passes the parameter by name
        return original(spike_times - EARLIER)

    translation["forward_transform"] = forward


def run(backend: str, script: list[str], options: argparse.Namespace) -> RunResult:
    """Run the script; whatever it raises is part of the result."""
    result = RunResult(backend)
    before, begun, memory = busy(), time.perf_counter(), 0.0
    watch = None
    try:
        sim = redirect(backend)
        result.module = sim.__name__
        result.version = version(PACKAGES.get(backend, backend.split(".")[0]))
        shift_seeds(backend, options.shift)
        if backend == "nest" and options.precision == "on_grid" and not options.raw_times:
            move_sources(sim)
        change = setup_options(backend, options.precision, options.shift)
        watch = Watch(sim, change, connections=not options.no_connections)
        watch.install()
        _execute(script)
        memory = peak()
        watch.finish()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        result.error = "".join(traceback.format_exception_only(error)).strip()
        traceback.print_exc()
    result.seconds = time.perf_counter() - begun
    after = busy()
    result.other_cpu = max(0.0, after[0] - before[0] - (after[1] - before[1])) / result.seconds
    result.networks = watch.captured if watch else []
    result.peak = max([each.peak for each in result.networks] or [memory or peak()])
    if not result.error and not result.networks:
        result.error = "the script made no population"
    if backend == "nest":
        result.precision = _precision()
    return result


def _precision() -> str:
    from pyNN.nest import simulator

    return str(simulator.state.spike_precision)


def _execute(script: list[str]) -> None:
    file = Path(script[0]).resolve()
    sys.argv = [str(file), *script[1:]]
    sys.path[0] = str(file.parent)
    try:
        runpy.run_path(str(file), run_name="__main__")
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise RuntimeError(f"the script ended with exit status {stop.code}") from None


def main() -> None:
    """Read the command line, run, write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("backend")
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--precision", choices=PRECISIONS, default="on_grid")
    parser.add_argument("--shift", type=int, default=0, help="added to the seeds")
    parser.add_argument("--raw-times", action="store_true")
    parser.add_argument("--no-connections", action="store_true")
    parser.add_argument("script", nargs="+")
    options = parser.parse_args()
    with options.result.open("wb") as file:
        pickle.dump(run(options.backend, options.script, options), file)


if __name__ == "__main__":
    main()
