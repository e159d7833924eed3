"""Xylo: the golden model against xylosim, from the arguments that rockpool takes.

rockpool 3.1.0 and xylosim 0.1.3; PYNN_SPARSE_XYLOSIM may name a Python that has them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_networks import ACCEPT, arrays_in, neurons, random_float, sources
from references import python_with, run_reference

from pynn_sparse import export
from pynn_sparse.export.models import golden
from pynn_sparse.export.nets.fixednet import Axons, FixedNet, Formats, Profiles
from pynn_sparse.export.nets.floatnet import FloatNet, make_connections
from pynn_sparse.export.registry import find
from pynn_sparse.export.targets.xylo.target import specification

STEPS = 80


def random_xylo(seed: int) -> FixedNet:
    """12 neurons with two currents, recurrent, some driven to several spikes in a step.

    Voltages saturate, currents stay in range: where they do not, xylosim saturates at each event,
    and the result depends on their order. `verify` does not let such a run pass.
    """
    rng = np.random.default_rng(seed)
    n, inputs = 12, 8
    pairs = rng.permutation((n + inputs) * n)[: rng.integers(40, 160)]
    source, target = np.divmod(np.sort(pairs), n)
    shifts = rng.integers(0, 3, 2)
    formats = Formats(
        receptor=np.array([0, 1, 0, 1]),
        shift=np.repeat(shifts, 2),  # of synapses between neurons, of those from sources
        negative=np.zeros(4, np.int64),
    )
    return FixedNet(
        find("xylo").semantics(2),
        (Axons("n", 0, n, False), Axons("s", n, inputs, True)),
        Profiles(
            current_decay=rng.integers(1, 6, (3, 2)),
            voltage_decay=rng.integers(1, 6, 3),
            threshold=rng.integers(100, 600, 3),
            reset=np.zeros(3, np.int64),
            bias=rng.integers(-5, 10, 3),
            refractory=np.zeros(3, np.int64),
        ),
        rng.integers(0, 3, n),
        np.zeros(n, np.int64),
        formats,
        np.searchsorted(source, np.arange(n + inputs + 1)).astype(np.int64),
        target,
        np.where(
            source >= n, rng.integers(-60, 128, len(source)), rng.integers(-60, 20, len(source))
        ),
        np.ones(len(source), np.int64),
        2 * (source >= n) + rng.integers(0, 2, len(source)),
    )


def raster(fixed: FixedNet, events: np.ndarray, delay: int) -> np.ndarray:
    """Spikes of sources in each step, as `specification` says."""
    counts = np.zeros((STEPS, fixed.n_axons - fixed.n_neurons), np.int64)
    row = events[:, 0] + delay - 1
    inside = row < STEPS
    np.add.at(counts, (row[inside], events[inside, 1] - fixed.n_neurons), 1)
    return counts


def prepared(folder: Path, fixed: FixedNet, events: np.ndarray) -> golden.Trace:
    folder.mkdir()
    arrays = specification(fixed)
    np.savez(folder / "xylo.npz", **arrays)
    np.save(folder / "raster.npy", raster(fixed, events, int(arrays["input_delay"])))
    return golden.run(fixed, STEPS, events, states=True)


@pytest.mark.slow
def test_xylosim_has_the_same_states(tmp_path: Path) -> None:
    python = python_with("xylosim", "PYNN_SPARSE_XYLOSIM")
    folders = [tmp_path / str(seed) for seed in range(10)]
    traces = []
    for seed, folder in enumerate(folders):
        fixed = random_xylo(seed)
        on = np.random.default_rng(seed).random((STEPS, 8)) < 0.2
        step, source = np.nonzero(on)
        traces.append(prepared(folder, fixed, np.stack([step, source + 12], axis=1)))
    run_reference(python, "xylosim_run.py", STEPS, folders)
    several = 0
    for folder, trace in zip(folders, traces, strict=True):
        found = arrays_in(folder / "reference.npz")
        assert trace.current is not None
        assert trace.voltage is not None
        np.testing.assert_array_equal(found["current"], trace.current[1:])
        np.testing.assert_array_equal(found["voltage"], trace.voltage[1:])
        counts = np.zeros((STEPS, 12), np.int64)
        np.add.at(counts, (trace.spikes[:, 0] - 1, trace.spikes[:, 1]), 1)
        np.testing.assert_array_equal(found["spikes"], counts)
        several += int((counts > 1).sum())
    assert several > 50


@pytest.mark.slow
def test_lowered_network_in_xylosim(tmp_path: Path) -> None:
    """With time constants that Xylo has, and from the folder that is written."""
    python = python_with("xylosim", "PYNN_SPARSE_XYLOSIM")
    tau = -1 / np.log(1 - 2.0 ** -np.array([4, 2, 3]))  # of v and both currents
    net = random_float(
        3,
        n=32,
        tau_m=tau[0],
        tau_syn_E=tau[1],
        tau_syn_I=tau[2],
        tau_refrac=0.0,
        delays=1,
        rate=0.15,
    )
    rule = export.Quantise(weight_bits=6)
    with pytest.raises(export.LimitsError) as caught:
        export.lower(net, "xylo", quantise=rule)
    assert {each.accept for each in caught.value.violations} == {"delay", "reset"}
    tables = export.lower(net, "xylo", quantise=rule, accept=["delay", "reset"])
    tables.save(tmp_path / "out")
    assert export.verify(tables, duration=float(STEPS)).passed
    trace = tables.trace(float(STEPS), states=True)
    delay = int(arrays_in(tmp_path / "out" / "xylo.npz")["input_delay"])
    np.save(tmp_path / "out" / "raster.npy", raster(tables.fixed, tables.events(), delay))
    run_reference(python, "xylosim_run.py", STEPS, [tmp_path / "out"])
    found = arrays_in(tmp_path / "out" / "reference.npz")
    assert trace.voltage is not None
    np.testing.assert_array_equal(found["voltage"], trace.voltage[1:])
    assert found["spikes"].sum() == len(trace.spikes) > 20


def test_a_spike_brings_its_charge() -> None:
    """Input decays before it first acts, and time constants are rounded: the charge stays."""
    cells = (sources("s", 1, np.array([[0, 1]])), neurons("n", 1, tau_m=1e6, tau_syn_E=5.0))
    one = np.zeros(1, np.int64)
    part = make_connections("s→n", 0, 1, "excitatory", 1, one, one, np.array([1.0]), one + 1)
    tables = export.lower(FloatNet(1.0, cells, (part,)), "xylo", accept=ACCEPT)
    trace = tables.trace(60.0, states=True)
    assert trace.current is not None
    charge = trace.current[:, 0].sum() / tables.scale[0]
    assert charge == pytest.approx(1.0 * 5.0 / 1.0, rel=0.03)  # nA ms / nF


def test_limits_of_xylo() -> None:
    with pytest.raises(export.LimitsError, match="20 sources; limit: 16"):
        export.lower(random_float(0), "xylo", accept=ACCEPT)
    with pytest.raises(export.ExportError, match="signed weights of up to 8 bits"):
        export.lower(random_float(0), "xylo", quantise=export.Quantise(weight_bits=9))
    double = random_float(0, n=32, density=3.0)
    with pytest.raises(export.LimitsError, match="several synapses between two cells"):
        export.lower(double, "xylo", accept=ACCEPT)
