"""Loihi: the golden model against public emulators, from the files that users load.

nengo-loihi 1.1.0, brian2-loihi 0.5.2 and lava-nc 0.10.0 need NumPy 1. Where they are not in this
environment, PYNN_SPARSE_NENGO_LOIHI, PYNN_SPARSE_BRIAN2_LOIHI and PYNN_SPARSE_LAVA may each name a
Python that has them.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_networks import arrays_in, random_events, random_fixed, random_float
from references import python_with, run_reference

from pynn_sparse import export
from pynn_sparse.export.models import golden
from pynn_sparse.export.nets.fixednet import FixedNet
from pynn_sparse.export.targets.loihi.files import bias_parts, loihi_arrays
from pynn_sparse.export.targets.loihi.memory import bits_of_axon

STEPS = 60


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
    traces = [prepared(folder, canonical(seed, 1), seed) for seed, folder in enumerate(folders)]
    run_reference(python, "nengo_loihi_run.py", STEPS, folders)
    spikes = 0
    for folder, trace in zip(folders, traces, strict=True):
        found = arrays_in(folder / "reference.npz")
        np.testing.assert_array_equal(found["current"], trace.current[1:, :, 0])
        np.testing.assert_array_equal(found["voltage"], trace.voltage[1:])
        step, neuron = np.nonzero(found["spikes"])
        np.testing.assert_array_equal(np.stack([step + 1, neuron], axis=1), trace.spikes)
        spikes += len(trace.spikes)
    assert spikes > 100


def alike(fixed: FixedNet) -> FixedNet:
    """With the registers of one profile in all neurons, and no bias."""
    profiles = replace(fixed.profiles, bias=np.zeros_like(fixed.profiles.bias))
    return replace(fixed, profiles=profiles, profile=np.zeros_like(fixed.profile))


def test_brian2_loihi_has_the_same_states_with_delays(tmp_path: Path) -> None:
    python = python_with("brian2_loihi", "PYNN_SPARSE_BRIAN2_LOIHI")
    folders = [tmp_path / str(seed) for seed in range(4)]
    traces = [
        prepared(folder, alike(canonical(seed, 5)), seed) for seed, folder in enumerate(folders)
    ]
    run_reference(python, "brian2_loihi_run.py", STEPS, folders)
    spikes = 0
    for folder, trace in zip(folders, traces, strict=True):
        found = arrays_in(folder / "reference.npz")
        assert trace.current is not None
        assert trace.voltage is not None
        np.testing.assert_array_equal(found["current"], trace.current[1:, :, 0])
        np.testing.assert_array_equal(found["voltage"], trace.voltage[1:])
        np.testing.assert_array_equal(found["spikes"] + [1, 0], trace.spikes)
        spikes += len(trace.spikes)
    assert spikes > 20


def test_lava_has_the_same_states_with_delays(tmp_path: Path) -> None:
    """Its bit-accurate LIF, which has no refractory period, and DelayDense."""
    python = python_with("lava", "PYNN_SPARSE_LAVA")
    folders = [tmp_path / str(seed) for seed in range(4)]
    traces = []
    for seed, folder in enumerate(folders):
        fixed = random_fixed(seed, "loihi1", hops=5, refractory=0)
        traces.append(prepared(folder, replace(fixed, profile=np.zeros_like(fixed.profile)), seed))
    run_reference(python, "lava_run.py", STEPS, folders)
    spikes = 0
    for folder, trace in zip(folders, traces, strict=True):
        found = arrays_in(folder / "reference.npz")
        assert trace.current is not None
        assert trace.voltage is not None
        np.testing.assert_array_equal(found["current"], trace.current[1:, :, 0])
        np.testing.assert_array_equal(found["voltage"], trace.voltage[1:])
        step, neuron = np.nonzero(found["spikes"])
        np.testing.assert_array_equal(np.stack([step + 1, neuron], axis=1), trace.spikes)
        spikes += len(trace.spikes)
    assert spikes > 50


def test_memory_of_an_axon_is_that_of_nengo_loihi() -> None:
    """Against its formula, evaluated by its own code for 0 to 300 synapses of 8 + 9 bits."""
    python = python_with("nengo_loihi", "PYNN_SPARSE_NENGO_LOIHI")
    code = (
        "from nengo_loihi.block import SynapseConfig as S\n"
        "c = S(weight_bits=7, idx_bits=4, n_synapses=63, delay_bits=0, tag_bits=0)\n"
        "print(c.real_weight_bits, c.real_idx_bits, *[c.bits_per_axon(n) for n in range(301)])"
    )
    done = subprocess.run([python, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    weight, index, *expected = map(int, done.stdout.split())
    assert (weight, index) == (8, 9)
    n = np.arange(301)
    np.testing.assert_array_equal(bits_of_axon(n, np.full_like(n, weight + index)), expected)


@pytest.mark.parametrize(
    ("bits", "signed"), [(8, True), (6, True), (4, True), (8, False), (1, False)]
)
def test_weights_are_canonical(bits: int, signed: bool) -> None:
    """Multiples of the step of their bits, in range, with exponents that all references have."""
    rule = export.Quantise(weight_bits=bits, signed=signed)
    tables = export.lower(random_float(3), "loihi1", quantise=rule)
    arrays = loihi_arrays(tables.fixed, bits, signed)
    step = 1 << (8 - bits + signed)
    assert not (arrays["weight"] % step).any()
    assert np.abs(arrays["weight"]).max() <= (254 if signed else 255)
    assert arrays["weight_exp"].min() >= 0
    assert arrays["weight_exp"].max() <= 7
    assert arrays["vth_mant"].max() < 1 << 17
    charge = arrays["weight"] << (6 + arrays["weight_exp"])
    np.testing.assert_array_equal(charge, tables.fixed.charge())
    if not signed:
        assert (arrays["weight"][arrays["sign_mode"] == 2] > 0).all()
        assert (arrays["weight"][arrays["sign_mode"] == 3] < 0).all()


def test_bias_has_a_mantissa_of_12_bits() -> None:
    bias = np.array([0, 1, -1, 4095, 4096, -8190, 524160, -524160])
    mantissa, exponent = bias_parts(bias)
    np.testing.assert_array_equal(mantissa << exponent, bias)
    assert np.abs(mantissa).max() < 1 << 12
    assert exponent.max() == 7


def test_a_network_that_does_not_fit_is_refused() -> None:
    dense = random_float(0, n=1100, density=0.02)
    assert export.lower(dense, "loihi1").placement.cores >= 2
    with pytest.raises(export.LimitsError, match="131073 neurons; limit: 131072"):
        export.lower(random_float(0, n=131073, density=1e-7), "loihi1")


def test_two_time_constants_need_to_be_accepted() -> None:
    net = random_float(0, tau_syn_I=10.0)
    with pytest.raises(export.LimitsError) as caught:
        export.lower(net, "loihi1")
    assert {each.accept for each in caught.value.violations} == {"tau_syn"}
    tables = export.lower(net, "loihi1", accept=["tau_syn"])
    assert export.verify(tables, duration=100.0).passed
