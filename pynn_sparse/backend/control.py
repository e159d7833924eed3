"""Setting up, running and ending simulations."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from pynn_sparse import engine as engines
from pynn_sparse.door import is_integer
from pynn_sparse.engine.exchange.processes import MOST_PROCESSES
from pynn_sparse.network.synapses import MAX_DELAY_STEPS
from pynn_sparse.network.time import TIMESTEPS
from pynn_sparse.notices import warn
from pynn_sparse.processors import processors

from .. import common, errors
from ..common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP
from . import simulator
from .access import exclusive, runs
from .doors.arguments import check_annotations, check_cells, checked_callbacks
from .doors.checks import as_flag, as_number
from .doors.parameters import shown
from .mpi import processes_of
from .options import check_option_names, check_ways, seed_of, warn_of_others

DEVICES = ("auto", "cpu", "cuda")
DEVICE_VARIABLE = "PYNN_SPARSE_DEVICE"
PRECISIONS = ("double", "single")
OWN_OPTIONS = (
    "device",
    "threads",
    "precision",
    "rng_seed",
    "max_delay",
    "recording_memory",
    "progress",
    "mpi",
    "dry_run",
)


@exclusive("setup", hold=True, in_callbacks=False)
def setup(
    timestep: float = DEFAULT_TIMESTEP,
    min_delay: float | str = DEFAULT_MIN_DELAY,
    **extra_params: Any,
) -> int:
    """Forget any network and begin at time 0.

    Options, all of which may be left out:

    - `timestep`: length of a time step in ms, from 0.0001 to 10000.
    - `min_delay`, `max_delay`: limits of synaptic delays in ms; "auto" allows from one time step to
      65535 of them.
    - `device`: "cpu"; "cuda", a GPU through CuPy; or "auto", the GPU if there is one, but on
      several processes of MPI the CPU. Without it, the environment variable PYNN_SPARSE_DEVICE
      decides, and without that it is "auto".
    - `threads`: number of threads of the CPU; by default 1 for small networks, else one for each
      processor. There are never more than processors, by affinity or a container's quota. It does
      not change the results.
    - `precision`: "double" or "single", of neurons' state and parameters.
    - `rng_seed`: integer that decides what random spike sources do. Default 42.
    - `recording_memory`: MiB that recorded spikes and samples may take in memory; what is more is
      kept in temporary files. By default a quarter of what is available when the first run begins.
      It does not change the results.
    - `progress`: True for a bar with the time left over runs and builds that take more than a
      second, in terminals and notebooks.
    - `mpi`: None for the processes that `mpiexec`, or another launcher of MPI, has started to
      simulate together; True for those of MPI in any case; False for each process by itself.
    - `dry_run`: (n, k) to build and run the part that process k of n would have, without the
      others, whose spikes are made up of its own; `dry_run_report` then says what that takes.

    Other backends' names of the seed (`rng_seeds`, `rng_seeds_seed`, `grng_seed`,
    `native_rng_baseseed`) are taken as `rng_seed`. Their other options are accepted with a warning
    that says which do nothing, and what is done in another way. Returns the number of this process
    among those of MPI, 0 without.
    Raises ValueError for an option value that is not valid, and for `rng_seed` beside another
    name of it, TypeError for an unknown option and
    `pynn_sparse.errors.DeviceError` for "cuda" without a GPU, and
    `pynn_sparse.errors.ProcessesError` where mpi4py cannot be used, or the processes have
    different options; the simulation is then as it was.
    """
    check_option_names(extra_params, ("timestep", "min_delay", *OWN_OPTIONS))
    check_ways(extra_params)
    timestep = _timestep(timestep)
    options = simulator.Options(
        timestep=timestep,
        min_delay=None if _is_auto(min_delay) else _positive("min_delay", min_delay),
        max_delay=_max_delay(extra_params.get("max_delay", DEFAULT_MAX_DELAY), timestep),
        device=_device(extra_params),
        threads=_threads(extra_params.get("threads")),
        precision=_choice("precision", extra_params.get("precision", "double"), PRECISIONS),
        seed=seed_of(extra_params, simulator.DEFAULT_SEED),
        recording_memory=_recording_memory(extra_params.get("recording_memory")),
        progress=_flag("progress", extra_params.get("progress", False)),
        mpi=None if extra_params.get("mpi") is None else _flag("mpi", extra_params["mpi"]),
        dry_run=_dry_run(extra_params.get("dry_run")),
    )
    _check_delays(options)
    limits = {"min_delay": options.min_delay, "max_delay": options.max_delay}
    given = extra_params | {k: "auto" if v is None else v for k, v in limits.items()}
    common.setup(options.timestep, **given)
    if options.device == "cuda":
        engines.require_cuda()
    warn_of_others(extra_params)
    _warn_of_files()
    simulator.state.configure(options)
    return rank()


def _positive(option: str, value: Any) -> float:
    must = "a number of milliseconds greater than 0"
    return _number(option, value, must, lambda x: math.isfinite(x) and x > 0, "ms")


def _timestep(value: Any) -> float:
    """In ms. Times that differ by less than a nanosecond are the same, so steps must be longer."""
    least, most = TIMESTEPS
    must = f"a number of milliseconds from {least:g} to {most:g}"
    return _number("timestep", value, must, lambda dt: least <= dt <= most, "ms")


def _number(option: str, value: Any, must: str, holds: Callable[[float], bool], unit: str) -> float:
    try:
        return as_number(option, value, must, holds, unit)
    except TypeError as error:
        raise errors.InvalidParameterValueError(str(error)) from error


def _is_auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"


def _max_delay(value: Any, timestep: float) -> float | None:
    if _is_auto(value):
        return None
    limit, delay = MAX_DELAY_STEPS * timestep, _positive("max_delay", value)
    if delay > limit:
        raise ValueError(f"max_delay = {delay:g}: must be at most {limit:g} ms, 65535 time steps")
    return delay


def _check_delays(options: simulator.Options) -> None:
    least, most = options.min_delay, options.max_delay
    if least is not None and least < options.timestep:
        raise ValueError(
            f"min_delay = {least:g}: must be at least the time step, {options.timestep:g} ms"
        )
    if least is not None and most is not None and least > most:
        raise ValueError(f"min_delay = {least:g}: must be at most max_delay, {most:g} ms")


def _warn_of_files() -> None:
    files = [str(destination) for _, _, destination in simulator.state.write_on_end]
    if files:
        warn(
            f"setup() discards the network, and with it data for files: {', '.join(files)}; "
            "end() would have written them",
        )


def _choice(option: str, value: Any, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"{option} = {shown(value)}: must be one of {', '.join(map(repr, choices))}"
        )
    return str(value)


def _device(options: dict[str, Any]) -> str:
    if "device" in options:
        return _choice("device", options["device"], DEVICES)
    return _choice(DEVICE_VARIABLE, os.environ.get(DEVICE_VARIABLE, "auto"), DEVICES)


def _threads(value: Any) -> int | None:
    if value is None:
        return None
    if not is_integer(value) or not 1 <= int(value) <= 1024:
        raise ValueError(f"threads = {shown(value)}: must be an integer from 1 to 1024")
    if int(value) > processors():
        warn(
            f"threads = {value}: this process may use {processors()} processors, and gets as many "
            "threads; the results are the same",
        )
    return min(int(value), processors())


def _flag(option: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{option} = {shown(value)}: must be True or False")
    return bool(value)


def _recording_memory(value: Any) -> float | None:
    if value is None:
        return None
    must = "a number of MiB, 0 or greater, or None"
    return _number("recording_memory", value, must, lambda x: x >= 0, "")


def _dry_run(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    given = tuple(value) if isinstance(value, (tuple, list)) else ()
    if len(given) != 2 or not all(map(is_integer, given)) or not 0 <= given[1] < given[0]:
        raise ValueError(
            f"dry_run = {shown(value)}: must be (n, k), the number of processes and that of one of "
            "them, from 0 to n - 1"
        )
    if given[0] > MOST_PROCESSES:
        raise ValueError(f"dry_run = {shown(value)}: must be of at most {MOST_PROCESSES} processes")
    if processes_of().size > 1:
        raise ValueError(f"dry_run = {shown(value)}: must be left out under mpiexec")
    return int(given[0]), int(given[1])


@exclusive("end", in_callbacks=False)
def end(compatible_output: bool = True) -> None:
    """Write what `record(..., to_file=...)` asked for, and end the simulation.

    All files are attempted; then the first error, if there was one, is raised. What was recorded
    can still be read; what would change the network raises RuntimeError until the next `setup`.
    """
    as_flag("compatible_output", compatible_output)
    simulator.state.processes.meet("end")
    simulator.state.closed = "end() has ended the simulation"
    requests, simulator.state.write_on_end = simulator.state.write_on_end, []
    failures = []
    for population, variables, destination in requests:
        try:
            population.write_data(destination, variables)
        except Exception as error:
            failures.append(error)
    if failures:  # after the others have been written
        raise failures[0]


_run, _run_until = common.build_run(simulator)


@runs("run")
def run(simtime: float, callbacks: Any = None) -> float:
    """Advance by `simtime` ms; see `pyNN.common.run`. Returns the time in ms.

    Raises TypeError or ValueError for what is not a time, or later than a simulation can get, and
    RuntimeError before `setup` and after `end`.
    """
    now = simulator.state.t
    duration = _checked_time("simtime", simtime, 0.0, simulator.state.network.grid.end - now)
    return float(_run(duration, checked_callbacks(callbacks)))


@runs("run_until")
def run_until(time_point: float, callbacks: Any = None) -> float:
    """Advance to the time `time_point`, in ms; see `pyNN.common.run_until`, and `run`."""
    end = simulator.state.network.grid.end
    time = _checked_time("time_point", time_point, simulator.state.t, end)
    return float(_run_until(time, checked_callbacks(callbacks)))


def _checked_time(name: str, value: Any, least: float, most: float) -> float:
    rounding = simulator.state.dt / 2
    must = f"a finite number of milliseconds, {least:g} (the present or later) to {most:.10g}"
    return as_number(name, value, must, lambda t: least - rounding <= t <= most, "ms")


run_for = run


@exclusive("reset", hold=True, in_callbacks=False)
def reset(annotations: Any = None, *, same_noise: bool = False) -> None:
    """Go back to time 0 and the initial state, and begin a new segment of recorded data.

    Spike sources, current sources and synapses that are random draw other numbers than before, so
    that trials differ; which numbers depends on `rng_seed` and on how many trials there have been
    since `setup`. With `same_noise` they draw those of the trial that ends, again.

    Parameters, weights that were set, and what is recorded stay as they are; weights that have
    learnt go back to their initial values. `annotations` are for the segment that ends.

    Raises ValueError if `same_noise` is not True or False, RuntimeError before `setup` and after
    `end`; nothing has changed then.
    """
    again = _flag("same_noise", same_noise)
    check_annotations(annotations)
    simulator.state.require_open("reset")
    simulator.state.processes.meet("reset")
    recorders = sorted(simulator.state.recorders, key=lambda each: each.population._block.first)
    for recorder in recorders:
        recorder.store_to_cache(annotations or {})
    for each in simulator.state.synapse_recorders:
        each.store(annotations or {})
    simulator.state.reset(again)


def initialize(cells: Any, **initial_values: Any) -> None:
    """Set state variables of cells; see `Population.initialize`. Raises TypeError for no cells."""
    check_cells("cells", cells)
    common.initialize(cells, **initial_values)


(
    get_current_time,
    get_time_step,
    get_min_delay,
    get_max_delay,
    num_processes,
    rank,
) = common.build_state_queries(simulator)
