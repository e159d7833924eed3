"""Many runs of a network with other values, each in a process of its own, several at a time."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from .door import Door, shown
from .errors import SweepError
from .instances import seeds_of
from .processors import processors
from .replacing import replaced_file, write_text

Value = TypeVar("Value")

SCHEMA = 1  # of the folder; a greater number if what is in it changes
FACTS = "sweep.json"
DOOR = Door(TypeError)


def sweep(
    build: Callable[[Any, Value], Any],
    values: Iterable[Value],
    duration: float,
    *,
    seeds: Iterable[int] | None = None,
    folder: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    progress: bool = False,
    **options: Any,
) -> list[Any]:
    """Build and run a network once for each value, several at a time, in processes of their own.

    Results are in the order of the values, and do not depend on the executor, nor on which runs
    were done before: run k is what a script does after ``setup(rng_seed=seeds[k])``.

    Args:
        build: called as ``build(sim, value)`` with the module `pyNN.sparse`; makes a network,
            records from it, and returns what is wanted: populations, views and assemblies stand
            for their data after the run, functions for what they return then, tuples, lists and
            dictionaries for what is in them.
        values: whatever distinguishes the runs.
        duration: biological time, ms.
        seeds: `rng_seed` of each run; without them, 42, 43, ...
        folder: where each result is kept as soon as it is there, so that the same call goes on
            where an earlier one was ended, however it was. Results are pickled: a folder that
            somebody else may have written is not to be read.
        executor: a `concurrent.futures.Executor` whose workers are other processes, such as
            `mpi4py.futures.MPIPoolExecutor`, or `Client.get_executor()` of Dask. Without one, as
            many workers of loky as there are processors.
        progress: True for a bar over the runs.
        options: of `pyNN.sparse.setup`, but for `rng_seed`. Each run has one thread unless
            `threads` says otherwise, since there are other runs beside it.

    Returns the results, one for each value.

    Raises ValueError or TypeError for wrong arguments, and where `folder` has results of another
    sweep, before anything is run; `SweepError`, which names the value, where a run fails.

        from pynn_sparse import sweep

        def network(sim, rate):
            source = sim.Population(10, sim.SpikeSourcePoisson(rate=rate))
            source.record("spikes")
            return source.mean_spike_count

        counts = sweep(network, [10.0, 20.0, 40.0], 1000.0, timestep=0.1)
    """
    _check(build, duration, executor, options)
    items = DOOR.several("values", values)
    chosen = seeds_of(seeds, len(items))
    kept = None
    if folder is not None:
        runs = [_of(value, seed) for value, seed in zip(items, chosen, strict=True)]
        kept = _Folder(DOOR.path("folder", folder), _facts(build, duration, options), runs)
    results = kept.results() if kept else {}
    todo = [k for k in range(len(items)) if k not in results]
    pool = _loky(len(todo)) if executor is None else executor
    with _bar(progress, len(items), len(results)) as bar:
        futures = {
            pool.submit(_run, build, items[k], duration, chosen[k], options, _process()): k
            for k in todo
        }
        try:
            for future in as_completed(futures):
                k = futures[future]
                results[k] = _result(future, k, items[k])
                if kept:
                    kept.keep(k, results[k])
                bar(1)
        finally:  # if one has failed, others may be there that were not asked for yet
            for future, k in futures.items():
                if not future.cancel() and k not in results and _succeeded(future) and kept:
                    kept.keep(k, future.result())
    return [results[k] for k in range(len(items))]


def _check(build: Any, duration: Any, executor: Any, options: dict[str, Any]) -> None:
    DOOR.function("build", build, "a function of the backend and a value")
    if "rng_seed" in options:
        raise TypeError("rng_seed: every run has its own, see `seeds`")
    must = "a finite number of ms above 0"
    Door(ValueError).number("duration", duration, must, lambda number: number > 0)
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise DOOR.refused("executor", executor, "a concurrent.futures.Executor")


def _loky(n: int) -> Executor:
    """Processes for n runs, as many as there are processors; they go on idle."""
    try:
        from loky import get_reusable_executor
    except ImportError as error:
        raise ImportError(
            f"sweep without an executor needs loky ({error}): pip install 'pynn-sparse[sweep]', or "
            "give an executor, such as concurrent.futures.ProcessPoolExecutor()"
        ) from error
    return get_reusable_executor(max(min(processors(), n), 1))  # type: ignore[no-any-return]


@contextmanager
def _bar(shown: bool, total: int, done: int) -> Iterator[Callable[[int], Any]]:
    """A function that adds to a bar, if there is to be one."""
    if not shown:
        yield lambda n: None
        return
    from pyNN.sparse.progress import bar

    with bar(total=total, initial=done, desc="sweep", unit=" runs") as shown_bar:
        yield shown_bar.update


def _process() -> tuple[str, int]:
    return socket.gethostname(), os.getpid()


def _run(
    build: Callable[[Any, Any], Any],
    value: Any,
    duration: float,
    seed: int,
    options: dict[str, Any],
    caller: tuple[str, int],
) -> Any:
    """One run, in a worker."""
    if caller == _process():
        raise TypeError(
            "executor: runs its tasks in the process that calls sweep, where a run would end the "
            "simulation that is there; its workers must be other processes"
        )
    import pyNN.sparse as sim

    sim.setup(**{"threads": 1, **options}, rng_seed=seed)
    built = build(sim, value)
    sim.run(duration)
    wanted = _harvest(built)
    sim.end()
    return wanted


def _harvest(built: Any) -> Any:
    """What is wanted of what `build` returned, after the run."""
    if hasattr(built, "get_data"):
        return built.get_data()
    if callable(built):
        return built()
    if isinstance(built, dict):
        return {name: _harvest(each) for name, each in built.items()}
    if isinstance(built, list | tuple):
        each = map(_harvest, built)
        return type(built)(*each) if hasattr(built, "_fields") else type(built)(each)
    return built


def _succeeded(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _result(future: Future[Any], k: int, value: Any) -> Any:
    try:
        return future.result()
    except Exception as error:
        raise SweepError(
            f"run {k}, of the value {shown(value)}, failed: {type(error).__name__}: {error}"
        ) from error


def _facts(build: Any, duration: float, options: dict[str, Any]) -> dict[str, Any]:
    """What all runs of a folder have in common, of types that JSON has."""
    return {
        "schema": SCHEMA,
        "version": version("pynn-sparse"),
        "build": getattr(build, "__qualname__", type(build).__qualname__),
        "text of build": _digest(_text(build)),
        "duration": float(duration),
        "options": {name: repr(options[name]) for name in sorted(options)},
    }


def _text(build: Any) -> bytes:
    if not inspect.isfunction(build):  # an object that can be called, such as a partial function
        return _pickled("build", build)
    try:
        return inspect.getsource(build).encode()
    except OSError:  # it was typed in
        return bytes(build.__code__.co_code)


def _pickled(name: str, value: Any) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception as error:
        raise TypeError(
            f"{name} = {shown(value)}: cannot be pickled, by which it is recognised in a folder "
            f"({type(error).__name__}: {error})"
        ) from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


class _Folder:
    """Results of a sweep in a folder: a file each, and what all of them have in common.

    Args:
        path: of the folder, which is made if there is none.
        facts: what all runs have in common.
        runs: what each of them is recognised by.
    """

    def __init__(self, path: Path, facts: dict[str, Any], runs: Sequence[dict[str, Any]]) -> None:
        self._path, self._runs = path, runs
        if path.exists() and not path.is_dir():
            raise ValueError(f"folder = {str(path)!r}: is a file, and must be a folder")
        there = path / FACTS
        if there.exists():
            self._compare(_read_json(there), facts)
        elif path.exists() and any(path.iterdir()):
            raise ValueError(
                f"folder = {str(path)!r}: holds other files; must be empty, or of this sweep"
            )
        else:
            path.mkdir(parents=True, exist_ok=True)
            write_text(there, json.dumps(facts, indent=1) + "\n")

    def _compare(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        for name, value in new.items():
            if old.get(name) != value:
                raise ValueError(
                    f"folder = {str(self._path)!r}: has results of another sweep, whose {name} was "
                    f"{old.get(name)!r}, not {value!r}; give another folder, or delete this one"
                )

    def _file(self, k: int) -> Path:
        return self._path / f"{k:06d}.pickle"

    def results(self) -> dict[int, Any]:
        """Those that are there, by the number of the run."""
        numbers = range(len(self._runs))
        return {k: self._load(file, k) for k in numbers if (file := self._file(k)).exists()}

    def _load(self, file: Path, k: int) -> Any:
        try:
            entry = pickle.loads(file.read_bytes())
            run, result = entry["run"], entry["result"]
        except Exception as error:
            raise ValueError(
                f"{file}: is damaged ({type(error).__name__}: {error}); delete it, and the run is "
                "done again"
            ) from error
        for name, expected in self._runs[k].items():
            if run.get(name) != expected:
                raise ValueError(
                    f"{file}: is the result of another {name}; give another folder, or delete this "
                    "file"
                )
        return result

    def keep(self, k: int, result: Any) -> None:
        with replaced_file(self._file(k)) as file:
            pickle.dump({"run": self._runs[k], "result": result}, file)


def _of(value: Any, seed: int) -> dict[str, Any]:
    """What a run is recognised by: a digest of its value, and its seed."""
    return {"value": _digest(_pickled("value", value)), "seed": seed}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from error
    if not isinstance(facts, dict):
        raise ValueError(f"{path}: is not the description of a sweep")
    return facts
