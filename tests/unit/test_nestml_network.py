"""Networks of models in NESTML: threads, precision, checkpoints and a GPU change no bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from support.emulated import EmulatedRuntime
from support.nestml import LEAKY

from pynn_sparse.engine import Engine
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.engine.devices.gpu import CudaDevice

pytest.importorskip("pynestml")


def network(threads: int = 1, **options: Any) -> Any:
    """Neurons with equations of both kinds, functions, and several receptors, with input."""
    text = LEAKY.replace("V_m' = ", "w' = (a(V_m) - w) / (5 ms)\n        V_m' = -w + ").replace(
        "refr_t ms = 0 ms", "refr_t ms = 0 ms\n        w mV/ms = 0 mV/ms"
    )
    text += "    function a(V mV) mV/ms:\n        return 0.1 mV/ms * exp((V + 60 mV) / 20 mV)\n"
    text = text.replace("integrate_odes(refr_t)", "integrate_odes(refr_t, w)")
    text = text.replace("integrate_odes(V_m)", "integrate_odes(V_m, w)")
    sim.setup(timestep=0.1, threads=threads, rng_seed=3, **options)
    drive = np.linspace(300.0, 700.0, 50)
    linear = sim.Population(50, sim.nestml_cell_type(LEAKY)(I_e=drive), label="linear")
    other = sim.Population(50, sim.nestml_cell_type(text)(I_e=2 * drive), label="nonlinear")
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=200.0))
    synapse = sim.StaticSynapse(weight=0.1, delay=1.0)
    for pre, post in ((noise, linear), (noise, other), (linear, other), (other, linear)):
        connector = sim.FixedProbabilityConnector(0.2, rng=sim.NativeRNG(seed=4))
        sim.Projection(pre, post, connector, synapse)
    linear.inject(sim.DCSource(amplitude=0.05, start=20.0))
    for each in (linear, other):
        each.record(["spikes", "V_m", "K__X__spikes"])
    return linear, other


def results(populations: Any) -> list[NDArray[np.float64]]:
    found = []
    for each in populations:
        segment = each.get_data().segments[0]
        assert len(segment.spiketrains.multiplexed[1]) > 50
        signals = sorted(segment.analogsignals, key=lambda signal: str(signal.name))
        found += [*segment.spiketrains.multiplexed, *(signal.magnitude for signal in signals)]
    return [np.asarray(each) for each in found]


@pytest.fixture(scope="module")
def expected() -> list[NDArray[np.float64]]:
    populations = network()
    sim.run(60.0)
    return results(populations)


def test_threads_change_no_bit(expected: list[NDArray[np.float64]]) -> None:
    populations = network(threads=2)
    sim.run(60.0)
    assert all(map(np.array_equal, results(populations), expected))


def test_single_precision(expected: list[NDArray[np.float64]]) -> None:
    """The neurons are double in any case; only injected currents and weights are rounded."""
    populations = network(precision="single")
    sim.run(60.0)
    found = results(populations)
    for first, second in zip(found[2:4], expected[2:4], strict=True):
        assert first[:50] == pytest.approx(second[:50], abs=1e-4)


def test_reset_and_checkpoint(expected: list[NDArray[np.float64]], tmp_path: Path) -> None:
    populations = network()
    sim.run(25.0)
    sim.save_state(tmp_path / "state")
    sim.reset()
    sim.run(10.0)
    populations = network()
    sim.load_state(tmp_path / "state")
    sim.run(35.0)
    assert all(map(np.array_equal, results(populations), expected))


def test_gpu_kernels_give_the_same_bits() -> None:
    """CUDA's kernels, thread by thread on the CPU."""
    found = []
    for device in (CpuDevice(2), CudaDevice(EmulatedRuntime(), "double")):
        network()
        engine = Engine(sim.simulator.state.network, device, "double")
        engine.run_until(300)
        spikes = engine.recordings.spikes.of(0, engine.network.size)
        found.append([*spikes, *(probe.samples() for probe in engine.network.probes)])
    assert len(found[0][0]) > 100
    assert all(map(np.array_equal, *found))
