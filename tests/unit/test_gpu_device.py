"""The GPU's path: on a GPU where there is one, and everywhere thread by thread on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emulated import EmulatedRuntime
from networks import Driven, assert_identical, change, everything, result

from pynn_sparse.engine import Engine, describe_devices, gpu, synapses
from pynn_sparse.engine.cpu import CpuDevice
from pynn_sparse.engine.device import Device
from pynn_sparse.engine.gpu import STEPS_PER_GRAPH, CudaDevice, CupyRuntime
from pynn_sparse.network.cells import BUILT_IN

STEPS = 230
SOURCES = [model.name for model in BUILT_IN if model.is_source]


def emulated(precision: str, *stops: int) -> tuple[Engine, EmulatedRuntime]:
    runtime = EmulatedRuntime()
    engine = Engine(everything(), CudaDevice(runtime, precision), precision)
    for stop in stops:
        engine.run_until(stop)
    return engine, runtime


@pytest.fixture(params=["emulated", "cuda"])
def runtime(request: pytest.FixtureRequest) -> Any:
    """Where CUDA kernels run."""
    if request.param == "emulated":
        return EmulatedRuntime()
    found = describe_devices()[0]
    if not found.usable:
        pytest.skip(found.detail)
    return CupyRuntime()


@pytest.mark.parametrize("precision", ["double", "single"])
def test_same_bits_as_the_cpu(precision: str, runtime: Any) -> None:
    engine = Engine(everything(), CpuDevice(2), precision)
    engine.run_until(STEPS)
    assert len(result(engine)["stamp"]) > 100
    other = Engine(everything(), CudaDevice(runtime, precision), precision)
    other.run_until(STEPS)
    assert_identical(result(engine), result(other))


class TestGroupsOfDelays:
    """Accumulators that the second-level cache has no room for are needed for some delays only."""

    def test_they_follow_the_size_of_the_cache(self) -> None:
        for cache, grouped in ((50 << 20, False), (40 << 10, True)):
            device = CudaDevice(EmulatedRuntime(cache), "double")
            engine = Engine(everything(plastic=False), device, "double")
            engine.run_until(1)
            assert (engine._synapses.n_delay_group > 1) is grouped

    @pytest.mark.parametrize("group", [3, 7])
    def test_same_bits(
        self, monkeypatch: pytest.MonkeyPatch, runtime: Any, group: int, few_blocks: None
    ) -> None:
        """Also where delays, synapses and populations change while spikes are on their way."""
        expected = changing(CpuDevice(1))
        monkeypatch.setattr(synapses, "best_group", lambda *_: group)
        assert_identical(changing(CudaDevice(runtime, "double")), expected)


def changing(device: Device) -> dict[str, Any]:
    network = everything(plastic=False)
    engine = Engine(network, device, "double")
    for stop in (100, 101, 130):
        engine.run_until(stop)
        change(network, stop)
    engine.run_until(160)
    return result(engine)


@pytest.fixture
def few_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the emulation has fewer threads to go through, and blocks take several spikes."""
    monkeypatch.setattr(gpu, "DELIVERY_BLOCKS", 12)


@pytest.mark.parametrize("rate", [8000.0, np.linspace(2000.0, 12000.0, 300)])
def test_background_drawn_where_it_arrives(rate: Any, runtime: Any) -> None:
    """Spikes emitted on the CPU, or drawn at the targets on the GPU, also after a change."""
    found = []
    for recorded, device in ((True, CpuDevice(2)), (False, CudaDevice(runtime, "double"))):
        driven = Driven(recorded=recorded, rate=rate, spread=True)
        engine = Engine(driven.network, device, "double")
        engine.run_until(STEPS // 2)
        driven.poisson.set_parameters(slice(0, 100), {"rate": 15000.0})
        engine.run_until(STEPS)
        found.append(driven.spikes(engine))
    assert len(found[0]["stamp"]) > 100
    assert_identical(*found)


def test_division_of_a_run_does_not_change_a_bit() -> None:
    whole, parts = emulated("double", STEPS)[0], emulated("double", 1, 60, 61, STEPS)[0]
    assert_identical(result(whole), result(parts))


def test_no_host_between_steps() -> None:
    """A call launches a fixed number of kernels per step, by graphs, and waits before and after."""
    _, runtime = emulated("double", STEPS)
    models = len(BUILT_IN)
    per_step = models + len(["inject", "couple", "record", "deliver", "remember"])
    before_time_0 = len([*SOURCES, "deliver", "remember"])
    assert runtime.launches == STEPS * per_step + before_time_0
    assert [times for _, times in runtime.graphs] == [STEPS // STEPS_PER_GRAPH]
    assert runtime.synchronisations == 2


def test_graphs_are_kept_while_the_plan_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a run, calls repeat the same graph; its key says so."""
    monkeypatch.setattr("pynn_sparse.engine.engine.MAX_STEPS", 100)
    _, runtime = emulated("double", STEPS)
    assert len(runtime.graphs) == 3
    assert len({key for key, _ in runtime.graphs}) == 1
