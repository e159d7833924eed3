"""TrueNorth's tables in RANC's own RTL and in its C++ simulator.

PYNN_SPARSE_RANC may name a copy of the repository UA-RCL/RANC.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from crossbar_networks import random_truenorth
from export_networks import random_events, random_float
from references.rtl import build_ranc_simulator, folder_of, ranc_rtl, ranc_simulator
from truenorth_chip import CHANGES, check, prepared, small, with_words

from pynn_sparse import export
from pynn_sparse.export.models import golden

STEPS = 30
ACCEPT = ("current", "leak", "refractory", "weights")
RANC = "PYNN_SPARSE_RANC", "UA-RCL/RANC"


@pytest.mark.slow
@pytest.mark.parametrize("reset_mode", [0, 1])
def test_rtl_of_ranc(reset_mode: int, tmp_path: Path) -> None:
    """Cores and their routers, in every potential and spike of every tick."""
    repository = folder_of(*RANC)
    cores = set()
    for seed, (axons, size) in enumerate(((128, 100), (64, 40), (64, 20), (64, 12))):
        folder = tmp_path / str(seed)
        folder.mkdir()
        target = small(reset_mode, axons, size)
        fixed = random_truenorth(10 + seed, target)
        tables = prepared(fixed, target, folder)
        cores.add(tables.placement.cores)
        events = random_events(seed, fixed, STEPS)
        trace = golden.run(fixed, STEPS, events, states=True)
        check(ranc_rtl(repository, tables, events, STEPS, folder), tables, trace)
        assert len(trace.spikes) > 20
    assert cores == {1, 2, 3, 9}


@pytest.mark.slow
def test_lowered_network_in_rtl_of_ranc(tmp_path: Path) -> None:
    """Cores of 256 axons and 256 neurons, from the folder that is written."""
    repository = folder_of(*RANC)
    net = random_float(2, n=32, rate=0.3, delays=14)
    tables = export.lower(net, "truenorth", accept=ACCEPT)
    assert tables.placement.cores == 2
    tables.save(tmp_path)
    trace = tables.trace(12.0, states=True)
    found = ranc_rtl(repository, tables, tables.events(), 12, tmp_path)
    check(found, tables, trace)
    assert len(trace.spikes) > 10


@pytest.mark.slow
def test_simulator_of_ranc(tmp_path: Path) -> None:
    """RANC's C++ simulator: potentials, spikes, and what the output bus gets."""
    program = build_ranc_simulator(folder_of(*RANC), tmp_path)
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        target = small(seed % 2)
        fixed = random_truenorth(20 + seed, target, neurons=40)
        tables = prepared(fixed, target, folder)
        events = random_events(seed, fixed, STEPS)
        trace = golden.run(fixed, STEPS, events, states=True)
        check(ranc_simulator(program, tables, events, STEPS, folder), tables, trace)
        silent = np.flatnonzero(np.diff(fixed.start)[:40] == 0)
        lines = [line.split() for line in (folder / "output.txt").read_text().splitlines()]
        out = np.asarray(lines[1:], np.int64)[:, : len(silent)]  # line t is printed in tick t + 1
        wanted = np.zeros((STEPS, 40), np.int64)
        wanted[trace.spikes[:, 0] - 1, trace.spikes[:, 1]] = 1
        assert len(silent) > 0
        np.testing.assert_array_equal(out, wanted[: len(out), silent])


@pytest.mark.slow
@pytest.mark.parametrize("change", ["threshold", "leak", "delay", "weight", "type", "synapse"])
def test_other_words_differ_in_ranc(change: str, tmp_path: Path) -> None:
    """> for >=, a missing leak, a delay off by one, a flipped bit: the RTL tells."""
    repository = folder_of(*RANC)
    target = small()
    fixed = random_truenorth(11, target)
    tables = prepared(fixed, target, tmp_path)
    events = random_events(1, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    changed = with_words(tables, *CHANGES[change])
    for name, data in target.more_files(changed).items():
        (tmp_path / name).write_bytes(data)
    found = ranc_rtl(repository, changed, events, STEPS, tmp_path)
    with pytest.raises(AssertionError):
        check(found, tables, trace)
