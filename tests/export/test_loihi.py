"""Loihi: the golden model against public emulators, from the files that users load.

nengo-loihi 1.1.0 and brian2-loihi 0.5.2 need NumPy 1; where they are not in this environment,
PYNN_SPARSE_NENGO_LOIHI and PYNN_SPARSE_BRIAN2_LOIHI may name a Python that has them.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import random_events, random_fixed, random_float

from pynn_sparse import export
from pynn_sparse.export import golden
from pynn_sparse.export.fixednet import FixedNet
from pynn_sparse.export.targets.loihi import bits_of_axon
from pynn_sparse.export.targets.loihi_files import bias_parts, loihi_arrays

REFERENCES = Path(__file__).parent / "references"
STEPS = 60


def python_with(module: str, variable: str) -> str:
    if importlib.util.find_spec(module):
        return sys.executable
    if variable not in os.environ:
        pytest.skip(f"{module} is not installed; {variable} may name a Python that has it")
    return os.environ[variable]


def run_reference(python: str, script: str, folders: list[Path]) -> None:
    command = [python, "-W", "ignore", str(REFERENCES / script), str(STEPS), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]


def prepared(folder: Path, fixed: FixedNet, seed: int) -> golden.Trace:
    """Write what references read, and run the golden model."""
    folder.mkdir()
    np.savez(folder / "loihi.npz", **loihi_arrays(fixed, 8, True))
    events = random_events(seed, fixed, STEPS, first=1)
    np.save(folder / "events.npy", events)
    return golden.run(fixed, STEPS, events, states=True)


def canonical(seed: int, hops: int) -> FixedNet:
    return random_fixed(seed, "loihi1", hops=hops)


def test_nengo_loihi_has_the_same_states(tmp_path: Path) -> None:
    python = python_with("nengo_loihi", "PYNN_SPARSE_NENGO_LOIHI")
    folders = [tmp_path / str(seed) for seed in range(10)]
    traces = [
        prepared(folder, canonical(seed, 1), seed) for seed, folder in enumerate(folders)
    ]
    run_reference(python, "nengo_loihi_run.py", folders)
    spikes = 0
    for folder, trace in zip(folders, traces, strict=True):
        found = np.load(folder / "reference.npz")
        np.testing.assert_array_equal(found["current"], trace.current[1:, :, 0])
        np.testing.assert_array_equal(found["voltage"], trace.voltage[1:])
        step, neuron = np.nonzero(found["spikes"])
        np.testing.assert_array_equal(np.stack([step + 1, neuron], axis=1), trace.spikes)
        spikes += len(trace.spikes)
    assert spikes > 100
