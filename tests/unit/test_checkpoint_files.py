"""Files of checkpoints are whole or refused, and loading them is all or nothing."""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.sparse import simulator
from support.processes import in_a_child
from support.small import build, digest

import pynn_sparse
from pynn_sparse.engine.neurons.spikes import SpikeStore
from pynn_sparse.errors import CheckpointError, MissingCheckpointError
from pynn_sparse.network import archive

Arrays = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("saved") / "state.npz"
    build()
    sim.run(3.0)
    sim.save_state(file)
    return file


@pytest.fixture(scope="module")
def expected() -> str:
    net = build()
    sim.run(5.0)
    return digest(net)


def refused(file: Path, words: str) -> None:
    """Loading the file raises the documented error, and changes nothing."""
    before = simulator.state.engine, pickle.dumps(simulator.state.network.blocks[2].parameters)
    with pytest.raises(CheckpointError, match=words) as info:
        sim.load_state(file)
    assert str(file) in str(info.value)
    after = simulator.state.engine, pickle.dumps(simulator.state.network.blocks[2].parameters)
    assert before == after
    assert not simulator.state.running


def refusal(file: Path) -> str:
    """Why a file is not loaded; "" if it is."""
    try:
        sim.load_state(file)
    except CheckpointError as error:
        return str(error)
    return ""


class TestWhole:
    def test_numpy_reads_it(self, saved: Path) -> None:
        with np.load(saved) as arrays:
            assert arrays["step"] == 30

    def test_every_changed_bit_is_refused(self, saved: Path, tmp_path: Path) -> None:
        build()
        data, file = saved.read_bytes(), tmp_path / "flipped.npz"
        rng = np.random.default_rng(1)
        anywhere = rng.integers(0, len(data), 150).tolist()
        for place in (*range(60), *anywhere, *range(len(data) - 120, len(data))):
            flipped = bytearray(data)
            flipped[place] ^= 1 << int(rng.integers(8))
            file.write_bytes(flipped)
            with pytest.raises(CheckpointError, match=r"flipped\.npz: is (damaged|not a file)"):
                archive.read(file)
        refused(file, "is damaged|is not a file")

    @pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.9999])
    def test_a_part_is_refused(self, saved: Path, tmp_path: Path, part: float) -> None:
        build()
        file = tmp_path / "part.npz"
        file.write_bytes(saved.read_bytes()[: int(part * saved.stat().st_size)])
        refused(file, "is not a file that save_state wrote, or its end is missing")

    def test_what_is_something_else(self, tmp_path: Path) -> None:
        build()
        file = tmp_path / "other.npz"
        np.savez(file, a=np.arange(3))
        refused(file, "is not a file that save_state wrote")
        archive.write(file, {"a": np.arange(3)})
        refused(file, "network is missing")
        file.write_text("hello" * 100)
        refused(file, "is not a file that save_state wrote")
        refused(tmp_path, "is not a file|cannot be read")

    def test_no_file(self, tmp_path: Path) -> None:
        build()
        refused(tmp_path / "none.npz", "there is no such file")
        with pytest.raises(FileNotFoundError):
            sim.load_state(tmp_path / "none.npz")
        assert issubclass(MissingCheckpointError, (CheckpointError, FileNotFoundError))

    def test_another_version_is_said(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        build()
        monkeypatch.setattr(pynn_sparse, "__version__", "9.9")
        with pytest.warns(UserWarning, match=r"was written by version .*, this is 9\.9"):
            sim.load_state(saved)


class TestOtherNetworks:
    """Each differs in one thing, with equal numbers of everything."""

    @staticmethod
    def small(**change: Any) -> None:
        sim.setup(timestep=0.1, rng_seed=change.get("rng_seed", 42))
        cells = sim.Population(10, change.get("cells", sim.IF_curr_exp)())
        pairs = change.get("pairs", [(0, 1), (2, 3), (4, 5)])
        receptor = change.get("receptor", "excitatory")
        weight = 0.1 if receptor == "excitatory" else -0.1
        synapses = [(i, j, weight, 1.0) for i, j in pairs]
        connector = sim.FromListConnector(synapses, column_names=["weight", "delay"])
        synapse = change.get("synapse", sim.StaticSynapse)()
        sim.Projection(cells, cells, connector, synapse, receptor_type=receptor)
        first = change.get("recorded", 0)
        cells[first : first + 2].record("spikes")
        cells[first : first + 2].record("v")
        fed = change.get("fed", 0)
        cells[fed : fed + 1].inject(change.get("current", sim.DCSource)(amplitude=0.1))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"pairs": [(0, 1), (2, 3), (4, 6)]}, "connections: "),
            ({"pairs": [(0, 1), (2, 3), (5, 5)]}, "connections: "),
            ({"pairs": [(1, 0), (3, 2), (5, 4)]}, "connections: "),
            ({"cells": sim.IF_curr_alpha}, "populations"),
            ({"receptor": "inhibitory"}, "projections"),
            ({"recorded": 1}, "which cells have recorded spikes|recorded variables"),
            ({"fed": 1}, "cells with currents"),
            ({"current": sim.ACSource}, "current sources"),
            ({"rng_seed": 3}, "seed"),
            ({"synapse": sim.TsodyksMarkramSynapse}, "projections"),
        ],
    )
    def test_the_difference_is_named(
        self, tmp_path: Path, change: dict[str, Any], words: str
    ) -> None:
        file = tmp_path / "state.npz"
        self.small()
        sim.run(1.0)
        sim.save_state(file)
        self.small()
        sim.load_state(file)
        self.small(**change)
        with pytest.raises(CheckpointError, match=f"is of another network. .*({words})"):
            sim.load_state(file)
        assert sim.get_current_time() == 0
        sim.run(1.0)

    def test_a_model_of_the_same_name_with_other_formulas(self, tmp_path: Path) -> None:
        def make(slope: str) -> None:
            cell = sim.native_cell_type(
                "Line",
                parameters={"a": 1.0},
                state={"v": 0.0},
                equations=f"dv/dt = {slope} * a",
                threshold="v > 10.0",
                reset="v = 0.0",
            )
            sim.setup(timestep=0.1)
            sim.Population(2, cell())

        make("1.0")
        sim.run(1.0)
        sim.save_state(tmp_path / "state.npz")
        make("2.0")
        with pytest.raises(CheckpointError, match=r"populations|models"):
            sim.load_state(tmp_path / "state.npz")


def altered(array: Any) -> Iterator[tuple[str, Any]]:
    """What an array could be, and does not fit."""
    yield "type", array.astype(np.complex64 if array.dtype.kind == "f" else np.float32)
    yield "dimensions", array[np.newaxis]
    if array.size and array.ndim:  # what is empty stays as it is
        yield "half", array[: len(array) // 2 if len(array) > 1 else 0]
        yield "twice", np.concatenate([array, array])
        yield "empty", array[:0]
    if array.dtype.kind in "iu" and array.size:
        for value in (np.iinfo(array.dtype).min, np.iinfo(array.dtype).max):
            changed = array.copy()
            changed[(0,) * array.ndim] = value
            yield f"{value}", changed
    yield "missing", None


# Arrays in which any length, or any value, is possible.
ANY_LENGTH = ("spikes/", "past ", "sample ", "ring", "threshold", "parameter spike_times")
ANY_VALUE = (
    "ring",
    "delay",
    "exponent",
    "seen",
    "count",
    "steps",
    "since",
    "/first",
    "spikes/",
    "times",
)
OPTIONAL = ("sample ", "threshold", "history")


class TestContents:
    """Arrays that do not fit, in a file with a valid checksum."""

    @pytest.mark.slow
    def test_everything_is_checked_before_anything_changes(
        self, saved: Path, tmp_path: Path, expected: str
    ) -> None:
        arrays, file = archive.read(saved), tmp_path / "altered.npz"
        net = build()
        loaded = []
        for number, (name, array) in enumerate(arrays.items()):
            ways = list(altered(array)) if array.dtype.kind != "U" else []
            for how, value in ways[number % 6 :: 6]:
                changed = {k: v for k, v in arrays.items() if k != name}
                if value is not None:
                    changed[name] = value
                archive.write(file, changed)
                if reason := refusal(file):
                    assert str(file) in reason, (name, how)
                else:
                    loaded.append((name, how))
                    net = build()
        for name, how in loaded:
            allowed = OPTIONAL if how == "missing" else ANY_LENGTH + ANY_VALUE
            assert any(each in name for each in allowed), (name, how)
        sim.load_state(saved)
        sim.run(2.0)
        assert digest(net) == expected

    def test_names_that_nobody_knows(self, saved: Path, tmp_path: Path) -> None:
        build()
        file = tmp_path / "more.npz"
        for name in ("other", "block 0/more", "table 99/weight", "synapses/more"):
            archive.write(file, archive.read(saved) | {name: np.zeros(3)})
            refused(file, "does not belong there")

    def test_values_that_a_model_cannot_have(self, saved: Path, tmp_path: Path) -> None:
        build()
        file = tmp_path / "values.npz"
        for name, value, words in (
            ("block 2/parameter tau_m", np.array(-1.0), "tau_m = -1"),
            ("block 2/parameter tau_m", np.array(np.nan), "tau_m = nan"),
            ("recorder 0/start", np.array(np.inf), "not finite"),
        ):
            archive.write(file, archive.read(saved) | {name: value})
            refused(file, words)

    def test_failing_in_the_middle_is_undone(
        self, saved: Path, monkeypatch: pytest.MonkeyPatch, expected: str
    ) -> None:
        """As if memory ran out at the end of it."""
        net = build()
        sim.run(2.0)
        net.plastic.set(weight=0.02)
        before = digest(net)

        def fail(*_: object) -> None:
            raise MemoryError("nothing left")

        with monkeypatch.context() as patch:
            patch.setattr(SpikeStore, "append", fail)
            with pytest.raises(MemoryError, match="nothing left"):
                sim.load_state(saved)
        assert digest(net) == before
        sim.run(3.0)
        sim.load_state(saved)
        sim.run(2.0)
        assert digest(net) == expected


class TestReplacing:
    def test_a_full_disk_leaves_the_old_file(self, tmp_path: Path) -> None:
        """A limit of the size of files stands for the disk."""
        net = build()
        sim.run(1.0)
        file = tmp_path / "state.npz"
        sim.save_state(file)
        first = file.read_bytes()
        sim.run(1.0)

        def act() -> bool:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
            try:
                sim.save_state(file)
            except OSError as error:
                resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
                return str(file) in str(error) and digest(net) == now
            return False

        now = digest(net)
        assert in_a_child(act)
        assert file.read_bytes() == first
        assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]
        sim.save_state(file)
        assert file.read_bytes() != first

    def test_a_full_file_system(self, tmp_path: Path) -> None:
        build(20)
        sim.run(1.0)
        sim.save_state(tmp_path / "state.npz")
        size = 2 * (tmp_path / "state.npz").stat().st_size + (1 << 16)
        folder = tmp_path / "small"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no file system can be mounted: {error}")
        try:
            sim.save_state(folder / "state.npz")
            first = (folder / "state.npz").read_bytes()
            sim.run(float(max(1, size // 2000)))  # 25 cells, 8 bytes each, in each step
            with pytest.raises(OSError, match=r"No space left.*state\.npz"):
                sim.save_state(folder / "state.npz")
            assert (folder / "state.npz").read_bytes() == first
            assert len(list(folder.iterdir())) == 1
        finally:
            subprocess.run(["umount", str(folder)], check=True)

    def test_links_and_modes_stay(self, tmp_path: Path) -> None:
        build()
        sim.run(1.0)
        (tmp_path / "there").mkdir()
        real, link = tmp_path / "there" / "real.npz", tmp_path / "link.npz"
        sim.save_state(real)
        real.chmod(0o640)
        link.symlink_to(real)
        sim.run(1.0)
        sim.save_state(link)
        assert link.is_symlink()
        assert real.stat().st_mode & 0o777 == 0o640
        build()
        sim.load_state(real)
        assert sim.get_current_time() == 2.0

    def test_where_a_folder_is_missing(self, tmp_path: Path) -> None:
        build()
        sim.run(1.0)
        with pytest.raises(FileNotFoundError, match="none/state"):
            sim.save_state(tmp_path / "none" / "state.npz")


def killed_in_between(act: Callable[[], Any], delay: float) -> None:
    """Do something again and again in the child of a fork, and kill it after a time."""
    process = os.fork()
    if not process:
        try:
            while True:
                act()
        finally:
            os._exit(1)
    time.sleep(delay)
    os.kill(process, 9)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status), "the child has ended by itself"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_sixty_kills_lose_no_checkpoint(tmp_path: Path) -> None:
    """A process that records to disk, runs and saves is killed at random times."""
    file = tmp_path / "state.npz"
    net = build(recording_memory=0)
    digests = {}
    for _ in range(400):
        sim.run(0.1)
        digests[round(sim.get_current_time(), 1)] = digest(net)
        if sim.get_current_time() > 12.0:
            break
    rng = np.random.default_rng(1)
    net = build(recording_memory=0)
    sim.run(0.1)
    sim.save_state(file)

    def act() -> None:
        sim.run(0.1)
        sim.save_state(file)

    begin = time.perf_counter()
    act()
    typical = time.perf_counter() - begin
    steps = []
    for turn in range(60):
        killed_in_between(act, float(rng.uniform(0.0, 2 * typical)))
        steps.append(int(archive.read(file)["step"]))
        if turn % 5 == 4:
            net = build(recording_memory=0)
            sim.load_state(file)
            now = round(sim.get_current_time(), 1)
            assert now not in digests or digest(net) == digests[now]
            if now > 11.0:
                net = build(recording_memory=0)
                sim.run(0.1)
                sim.save_state(file)
    sim.save_state(file)
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"], "leftovers are removed"
    assert len(set(steps)) > 1, "some have saved"


def test_memory_runs_out_while_recording() -> None:
    """With a limit of the address space that is lifted afterwards."""

    def act() -> bool:
        sim.setup(timestep=0.1, threads=1, recording_memory=1e6)
        cells = sim.Population(1000, sim.IF_curr_exp(i_offset=1.5))
        cells.record(["spikes", "v"])
        sim.run(10.0)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (size + (150 << 20), resource.RLIM_INFINITY))
        try:
            sim.run(1e5)
        except MemoryError as error:
            text = str(error)
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        now = sim.get_current_time()
        signal = cells.get_data("v").segments[0].analogsignals[0]
        good = 10.0 < now < 1e5 and signal.shape[0] == round(now / 0.1) + 1
        sim.run(1.0)
        return good and "the run has ended at" in text

    assert in_a_child(act)
