"""Runs side by side, in other processes: same results, in order, and none is done twice."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest

from pynn_sparse import sweep
from pynn_sparse.errors import SweepError

pytest.importorskip("loky", reason="the extra 'sweep' is not installed")

DURATION = 200.0


def source(backend: Any, rate: float) -> Any:
    cells = backend.Population(5, backend.SpikeSourcePoisson(rate=rate), label=f"{rate:g}")
    cells.record("spikes")
    return cells


def count(backend: Any, rate: float) -> Any:
    return source(backend, rate).get_spike_counts


def parts(backend: Any, rate: float) -> Any:
    cells = source(backend, rate)
    return {"data": cells, "pair": (rate, [cells[:2].mean_spike_count])}


def noted(folder: str, backend: Any, rate: float) -> Any:
    """Leaves a file for each time it was run; one that was done before waits for its end."""
    number = len(list(Path(folder).glob(f"{rate:g}-*")))
    Path(folder, f"{rate:g}-{number}").touch()
    if rate < 0:
        raise ValueError(f"rate = {rate:g}: no source has it")
    if rate == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return count(backend, rate)


def lambda_of(backend: Any, rate: float) -> Any:
    return lambda: (each for each in [rate])  # generators cannot be pickled


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


def serial(rates: list[float], seeds: list[int]) -> list[dict[int, int]]:
    found = []
    for rate, seed in zip(rates, seeds, strict=True):
        sim.setup(timestep=0.1, rng_seed=seed)
        cells = source(sim, rate)
        sim.run(DURATION)
        found.append(cells.get_spike_counts())
    return found


def test_results_are_those_of_runs_one_after_the_other(pool: Executor) -> None:
    rates, seeds = [500.0, 50.0, 500.0], [7, 3, 8]
    found = sweep(count, rates, DURATION, seeds=seeds, executor=pool, timestep=0.1)
    assert found == serial(rates, seeds)
    assert found[0] != found[2]
    with_threads = sweep(
        count, rates, DURATION, seeds=seeds, executor=pool, timestep=0.1, threads=2
    )
    assert with_threads == found


def test_loky_is_the_default() -> None:
    assert sweep(lambda sim, rate: count(sim, rate), [50.0], DURATION) == serial([50.0], [42])


def test_populations_stand_for_their_data(pool: Executor) -> None:
    (found,) = sweep(parts, [400.0], DURATION, executor=pool, timestep=0.1)
    trains = found["data"].segments[0].spiketrains
    assert found["data"].name == "400"
    rate, (mean,) = found["pair"]
    assert (rate, mean) == (400.0, np.mean([len(train) for train in trains[:2]]))


def test_no_values() -> None:
    assert sweep(count, [], DURATION) == []


class TestFolder:
    def test_what_is_there_is_not_run_again(self, tmp_path: Path, pool: Executor) -> None:
        notes, folder = tmp_path / "notes", tmp_path / "sweep"
        notes.mkdir()
        build = partial(noted, str(notes))
        first = sweep(build, [10.0, 20.0], DURATION, folder=folder, executor=pool)
        both = sweep(build, [10.0, 20.0, 30.0], DURATION, folder=folder, executor=pool)
        assert both[:2] == first
        assert sorted(path.name for path in notes.iterdir()) == ["10-0", "20-0", "30-0"]

    def test_it_goes_on_after_the_process_was_killed(self, tmp_path: Path, pool: Executor) -> None:
        script = tmp_path / "script.py"
        script.write_text(
            textwrap.dedent(
                """
                import time
                from concurrent.futures import ProcessPoolExecutor
                from multiprocessing import get_context
                from pathlib import Path
                from pynn_sparse import sweep

                def network(sim, rate):
                    if rate == 30.0 and Path("wait").exists():
                        time.sleep(60)
                    cells = sim.Population(5, sim.SpikeSourcePoisson(rate=rate))
                    cells.record("spikes")
                    return cells.get_spike_counts

                if __name__ == "__main__":
                    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                        rates = [10.0, 20.0, 30.0]
                        print(sweep(network, rates, 200.0, folder="out", executor=pool))
                """
            )
        )
        command = [sys.executable, str(script)]
        (tmp_path / "wait").touch()
        first = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
        while len(list(tmp_path.glob("out/[0-9]*.pickle"))) < 2:
            assert first.poll() is None
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        (tmp_path / "wait").unlink()
        kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/[0-9]*.pickle")}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        expected = serial([10.0, 20.0, 30.0], [42, 43, 44])
        assert done.stdout.strip() == str([dict(each) for each in expected])
        assert {path: path.stat().st_mtime_ns for path in kept} == kept

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"duration": 100.0}, "duration was 200.0, not 100.0"),
            ({"timestep": 0.5}, "options was"),
            ({"build": parts}, "build was 'count', not 'parts'"),
            ({"seeds": [1]}, "is the result of another seed"),
            ({"values": [20.0]}, "is the result of another value"),
        ],
    )
    def test_of_another_sweep(
        self, changes: dict[str, Any], message: str, tmp_path: Path, pool: Executor
    ) -> None:
        given = {"build": count, "values": [10.0], "duration": DURATION}
        more: dict[str, Any] = {"folder": tmp_path / "a", "executor": pool}
        sweep(**given, **more)
        before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
        with pytest.raises(ValueError, match=message):
            sweep(**{**given, **more, **changes})
        assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before

    def test_with_other_files(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(ValueError, match="holds other files"):
            sweep(count, [10.0], DURATION, folder=tmp_path)

    def test_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        with pytest.raises(ValueError, match="is a file, and must be a folder"):
            sweep(count, [10.0], DURATION, folder=tmp_path / "a")

    @pytest.mark.parametrize("name", ["000000.pickle", "sweep.json"])
    def test_damaged(self, name: str, tmp_path: Path, pool: Executor) -> None:
        sweep(count, [10.0], DURATION, folder=tmp_path / "a", executor=pool)
        file = tmp_path / "a" / name
        file.write_bytes(file.read_bytes()[:-5])
        with pytest.raises(ValueError, match=name):
            sweep(count, [10.0], DURATION, folder=tmp_path / "a", executor=pool)


class TestFailures:
    def test_of_a_run(self, tmp_path: Path, pool: Executor) -> None:
        build = partial(noted, str(tmp_path))
        folder = tmp_path / "sweep"
        with pytest.raises(SweepError, match=r"run 1, of the value -1.0, failed: ValueError: rate"):
            sweep(build, [10.0, -1.0], DURATION, folder=folder, executor=pool)
        assert sweep(build, [10.0], DURATION, folder=folder, executor=pool) == serial([10.0], [42])

    def test_of_a_worker(self, tmp_path: Path) -> None:
        build = partial(noted, str(tmp_path))
        with (
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as own,
            pytest.raises(SweepError, match=r"run 0, of the value 0.0, failed: BrokenProcessPool"),
        ):
            sweep(build, [0.0], DURATION, executor=own)

    def test_of_a_result(self, pool: Executor) -> None:
        with pytest.raises(SweepError, match="cannot pickle 'generator'"):
            sweep(lambda_of, [1.0], DURATION, executor=pool)

    def test_unknown_options(self, pool: Executor) -> None:
        with pytest.raises(SweepError, match="colour"):
            sweep(count, [1.0], DURATION, executor=pool, colour="red")


def test_the_simulation_of_the_caller_is_left_alone() -> None:
    sim.setup(timestep=0.1)
    cells = source(sim, 100.0)
    sim.run(10.0)
    with (
        ThreadPoolExecutor(1) as threads,
        pytest.raises(SweepError, match="workers must be other processes"),
    ):
        sweep(count, [1.0], DURATION, executor=threads)
    sim.run(10.0)
    assert sim.get_current_time() == 20.0
    assert cells.get_data().segments[0].t_stop == 20.0


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"build": "network"}, TypeError, "build = 'network': must be a function"),
        ({"duration": -1.0}, ValueError, "duration = -1.0: must be a finite number of ms"),
        ({"duration": True}, ValueError, "duration = True"),
        ({"duration": float("inf")}, ValueError, "duration = inf"),
        ({"seeds": [1, 2]}, ValueError, "2 seeds for 1 values"),
        ({"seeds": [-1]}, ValueError, "seed = -1"),
        ({"rng_seed": 1}, TypeError, "every run has its own"),
        ({"executor": 4}, TypeError, "executor = 4: must be a concurrent.futures.Executor"),
    ],
)
def test_wrong_arguments(
    changes: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"build": count, "values": [1.0], "duration": DURATION}
    with pytest.raises(error, match=message):
        sweep(**{**given, "folder": tmp_path / "new", **changes})
    assert not (tmp_path / "new").exists()


def test_values_that_cannot_be_recognised(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        sweep(count, [lambda: 0], DURATION, folder=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_kept_result_can_be_read_by_hand(tmp_path: Path, pool: Executor) -> None:
    sweep(count, [10.0], DURATION, folder=tmp_path / "a", executor=pool)
    entry = pickle.loads((tmp_path / "a" / "000000.pickle").read_bytes())
    assert entry["result"] == serial([10.0], [42])[0]


@pytest.mark.parametrize("folder", [3, ["runs"], b"runs", "", "a\0b"])
def test_a_folder_is_a_path(folder: Any) -> None:
    with pytest.raises(TypeError, match=r"folder = .*: must be a path"):
        sweep(count, [1.0], 1.0, folder=folder)
