"""Files that the package writes are whole or as they were."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pyNN.sparse as sim
import pytest

from pynn_sparse.replacing import replaced, replaced_file, write_text


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


class TestReplaced:
    def test_new_and_old(self, tmp_path: Path) -> None:
        file = tmp_path / "a.txt"
        for text in ("first", "second"):
            write_text(file, text)
            assert file.read_text() == text
        assert names(tmp_path) == ["a.txt"]

    def test_an_error_leaves_everything_as_it_was(self, tmp_path: Path) -> None:
        file = tmp_path / "a.txt"
        write_text(file, "old")

        def fail(path: Path) -> None:
            with replaced_file(path) as new:
                new.write(b"half of")
                raise KeyboardInterrupt

        for path in (file, tmp_path / "b.txt"):
            with pytest.raises(KeyboardInterrupt):
                fail(path)
        assert file.read_text() == "old"
        assert names(tmp_path) == ["a.txt"]

    def test_the_old_file_is_there_until_the_new_one_is_complete(self, tmp_path: Path) -> None:
        file = tmp_path / "a.txt"
        write_text(file, "old")
        with replaced(file) as new:
            new.write_text("new")
            assert file.read_text() == "old"
            assert new.suffix == ".txt"
        assert file.read_text() == "new"

    def test_leftovers_of_processes_that_are_gone_are_removed(self, tmp_path: Path) -> None:
        file = tmp_path / "a.npz"

        def die() -> None:
            with replaced(file) as new:
                new.write_text("half of")
                os._exit(9)

        process = multiprocessing.get_context("fork").Process(target=die)
        process.start()
        process.join()
        assert len(names(tmp_path)) == 1
        with replaced(file) as other:  # one at work is left alone
            other.write_text("of this process")
            write_text(file, "new")
            assert names(tmp_path) == sorted([other.name, "a.npz"])
        assert names(tmp_path) == ["a.npz"]

    def test_what_is_no_plain_file_is_written_as_it_is(self) -> None:
        write_text("/dev/null", "nothing")
        assert not Path("/dev/null").is_file()

    def test_the_error_names_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"No such file.*none/a\.txt'$"):
            write_text(tmp_path / "none" / "a.txt", "text")


@pytest.fixture
def network() -> tuple[Any, Any]:
    sim.setup(timestep=0.1)
    cells = sim.Population(3, sim.IF_curr_exp(i_offset=1.5), label="cells")
    cells.record(["spikes", "v"])
    synapse = sim.StaticSynapse(weight=0.1, delay=1.0)
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), synapse)
    sim.run(5.0)
    return cells, projection


WRITERS: dict[str, Callable[[Any, Any, Path], Any]] = {
    "data.pkl": lambda cells, projection, file: cells.write_data(str(file)),
    "data.nix": lambda cells, projection, file: cells.write_data(file),
    "data.mat": lambda cells, projection, file: (cells + cells[:1]).write_data(file),
    "data.nwb": lambda cells, projection, file: cells.write_data(file),
    "weights.txt": lambda cells, projection, file: projection.save("all", str(file)),
    "delays.txt": lambda cells, projection, file: projection.save("delay", file, format="array"),
    "state.npz": lambda cells, projection, file: sim.save_state(file),
}


@pytest.mark.filterwarnings("ignore:Date is missing timezone information:UserWarning")
@pytest.mark.filterwarnings("ignore:.*Using positional arguments:FutureWarning")  # within Neo
@pytest.mark.parametrize("name", WRITERS)
def test_an_error_while_writing_keeps_the_old_file(
    name: str, network: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells, projection = network
    package = {".nix": "nixio", ".mat": "scipy", ".nwb": "pynwb"}.get(Path(name).suffix)
    if package:
        pytest.importorskip(package)
    file = tmp_path / name
    WRITERS[name](cells, projection, file)
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)  # after all has been written
        with pytest.raises(OSError, match=rf"No space left.*{name}"):
            WRITERS[name](cells, projection, file)
    assert file.read_bytes() == before
    assert names(tmp_path) == [name]
    WRITERS[name](cells, projection, file)
    assert names(tmp_path) == [name]


def test_nix_files_are_added_to(network: tuple[Any, Any], tmp_path: Path) -> None:
    pytest.importorskip("nixio")
    cells, _ = network
    file = tmp_path / "data.nix"
    cells.write_data(file)
    cells[:2].write_data(file)
    io = neo.io.NixIO(str(file), mode="ro")
    assert len(io.read_all_blocks()) == 2
    io.close()


def test_what_projections_save_is_what_pynn_saves(network: tuple[Any, Any], tmp_path: Path) -> None:
    _, projection = network
    projection.save("all", tmp_path / "folder" / "weights.txt")
    values = np.loadtxt(tmp_path / "folder" / "weights.txt")
    assert np.array_equal(values[:, :3], [(i, j, 0.1) for j in range(3) for i in range(3)])
    assert (tmp_path / "folder" / "weights.txt").read_text().startswith("# columns = ['i', 'j',")
