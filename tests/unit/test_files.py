"""Recorded data in all of Neo's formats that PyNN writes, as far as they are installed."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.random import NumpyRNG
from pyNN.recording import files
from pyNN.sparse.recording.files import NEEDS

SUFFIXES = [suffix for suffix in NEEDS if suffix != ".pickle"]
PARTS: dict[str, Callable[[Any, Any], Any]] = {
    "population": lambda cells, source: cells,
    "view": lambda cells, source: cells[1:3],
    "assembly": lambda cells, source: cells + source,
}


def recorded(**options: Any) -> tuple[Any, Any]:
    """Cells and a source with data of two segments."""
    sim.setup(timestep=0.1, **options)
    cells = sim.Population(5, sim.IF_cond_exp(i_offset=1.0), label="cells")
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 2.55]), label="source")
    (cells + source).record("spikes")
    cells.record(["v", "gsyn_exc"])
    sim.run(60.0)
    sim.reset()
    sim.run(40.0)
    return cells, source


def read(path: Path) -> Any:
    match path.suffix:
        case ".mat":
            return neo.io.NeoMatlabIO(str(path)).read_block()
        case ".nix" | ".h5":
            return neo.io.NixIO(str(path), mode="ro").read_block()
        case ".nwb":
            return neo.io.NWBIO(str(path), mode="r").read_all_blocks()[0]
    return neo.io.PickleIO(str(path)).read_block()


def same(stored: Any, expected: Any) -> None:
    """The same segments with the same spikes and samples, to the bit; NWB stores seconds."""
    assert len(stored.segments) == len(expected.segments) == 2
    for ours, theirs in zip(expected.segments, stored.segments, strict=True):
        assert len(ours.spiketrains) == len(theirs.spiketrains) > 0
        assert sum(map(len, ours.spiketrains)) > 0
        for one, other in zip(ours.spiketrains, theirs.spiketrains, strict=True):
            times = other.rescale("ms").magnitude
            assert np.allclose(one.magnitude, times, rtol=1e-14, atol=0)
        assert len(ours.analogsignals) == len(theirs.analogsignals)
        for one in ours.analogsignals:
            (other,) = (each for each in theirs.analogsignals if one.name in each.name.split())
            assert one.units == other.units
            assert np.array_equal(one.magnitude, other.magnitude)


@pytest.mark.filterwarnings("ignore::Warning")  # of the formats' own packages
@pytest.mark.parametrize(("part", "memory"), [("population", None), ("view", 0), ("assembly", 0)])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip(suffix: str, part: str, memory: float | None, tmp_path: Path) -> None:
    if NEEDS[suffix]:
        pytest.importorskip(NEEDS[suffix])
    chosen = PARTS[part](*recorded(recording_memory=memory))
    path = tmp_path / "new folder" / f"data{suffix}"
    chosen.write_data(path)
    same(read(path), chosen.get_data())
    again = path.with_stem("again")
    chosen.write_data(str(again))
    same(read(again), chosen.get_data())


@pytest.mark.filterwarnings("ignore::Warning")
def test_nwb_has_the_users_start(tmp_path: Path) -> None:
    pytest.importorskip("pynwb")
    cells, _ = recorded()
    start = datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc)
    path = tmp_path / "data.nwb"
    cells.write_data(str(path), annotations={"session_start_time": start})
    assert read(path).rec_datetime == start


def test_end_writes_an_assembly_into_one_file(tmp_path: Path) -> None:
    cells, source = recorded()
    path = tmp_path / "both.pkl"
    (cells + source).record("spikes", to_file=str(path))
    sim.end()
    assert len(read(path).segments[1].spiketrains) == 7


def test_end_writes_to_an_io(tmp_path: Path) -> None:
    cells, _ = recorded()
    path = tmp_path / "data"
    cells.record("spikes", to_file=neo.io.PickleIO(str(path)))
    sim.end()
    assert len(read(path).segments[1].spiketrains) == 5


def test_data_are_cleared_only_when_they_are_written(tmp_path: Path) -> None:
    cells, source = recorded()
    (tmp_path / "file").touch()
    for part in (cells, cells + source):
        with pytest.raises(OSError):
            part.write_data(str(tmp_path / "file" / "data.pkl"), clear=True)
        assert len(cells.get_data().segments) == 2
    (cells + source).write_data(str(tmp_path / "data.pkl"), clear=True)
    assert all(len(part.get_data().segments) == 1 for part in (cells, source))


@pytest.mark.parametrize("name", ["data.txt", "data.xyz", "data", ""])
@pytest.mark.parametrize("part", PARTS)
def test_unknown_suffix(part: str, name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = PARTS[part](*recorded())
    valid = r"must end in \.pkl, \.pickle, \.mat, \.nix, \.h5, \.nwb"
    with pytest.raises(ValueError, match=f"to_file = '{name}': the name {valid}"):
        chosen.record("spikes", to_file=name)
    if name:  # without, it is the file of `record`
        with pytest.raises(ValueError, match=f"io = '{name}': the name {valid}"):
            chosen.write_data(name)
    assert not list(tmp_path.iterdir())


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NEEDS, ".nix", "no_such_package")
    cells, _ = recorded()
    with pytest.raises(ImportError, match=r"data\.nix'.* need the package no_such_package .*\.pkl"):
        cells.record("spikes", to_file="data.nix")


def test_other_destinations(tmp_path: Path) -> None:
    cells, source = recorded()
    text = neo.io.AsciiSpikeTrainIO(str(tmp_path / "data.txt"))
    for part in (cells, cells + source):
        with pytest.raises(ValueError, match="io = AsciiSpikeTrainIO: cannot write blocks"):
            part.write_data(text)
        with pytest.raises(TypeError, match="io = 3: must be a file name or a Neo IO"):
            part.write_data(3)


@pytest.mark.parametrize("kind", ["StandardTextFile", "PickleFile", "NumpyBinaryFile"])
def test_connections_in_files(kind: str, tmp_path: Path) -> None:
    """PyNN's own kinds of files."""
    sim.setup()
    cells = sim.Population(30, sim.IF_curr_exp())
    connector = sim.FixedProbabilityConnector(0.3, rng=NumpyRNG(seed=4))
    synapse = sim.StaticSynapse(weight=lambda d: 0.1 + 0.01 * d, delay=1.5)
    projection = sim.Projection(cells, cells, connector, synapse)
    make = getattr(files, kind)
    binary = "" if kind == "StandardTextFile" else "b"
    path = str(tmp_path / "connections")
    projection.save(["weight", "delay"], make(path, "w" + binary))
    source = make(path, "r" + binary)
    found = np.array(source.read())
    source.close()
    assert np.array_equal(found, np.array(projection.get(["weight", "delay"], format="list")))
