"""The GPU's path: on a GPU where there is one, and everywhere thread by thread on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.emulated import EmulatedRuntime
from support.networks import Driven, assert_identical, change, everything, result, slow

from pynn_sparse.engine import Engine, describe_devices
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.engine.devices.device import Device
from pynn_sparse.engine.devices.gpu import CudaDevice
from pynn_sparse.engine.devices.loops import STEPS_PER_GRAPH, TRIAL_STEPS, TRIALS, Fastest, Work
from pynn_sparse.engine.devices.runtime import CupyRuntime
from pynn_sparse.engine.pace import Pace
from pynn_sparse.engine.synapses import layout
from pynn_sparse.errors import DeviceError
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


class Unhurried(Pace):
    """Takes no regard to how long a call takes, which is long on an emulated GPU."""

    def end(self, steps: int) -> None:
        pass

    def __init__(self) -> None:
        super().__init__()
        self.steps = 10_000


@pytest.fixture
def whole_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is one call down, unless something else divides it."""
    monkeypatch.setattr("pynn_sparse.engine.engine.Pace", Unhurried)


class TestLoops:
    """Both ways to do many steps without the host, and the choice of one."""

    @pytest.mark.parametrize("plastic", [True, False])
    def test_one_kernel_gives_the_same_bits(
        self, runtime: Any, plastic: bool, few_blocks: None
    ) -> None:
        steps = 60
        engine = Engine(everything(plastic=plastic), CpuDevice(1), "double")
        engine.run_until(steps)
        device = CudaDevice(runtime, "double", "kernel")
        other = Engine(everything(plastic=plastic), device, "double")
        for stop in (1, 25, steps):
            other.run_until(stop)
        assert len(result(engine)["stamp"]) > 100
        assert_identical(result(engine), result(other))

    def test_one_launch_for_each_call(self, few_blocks: None, whole_calls: None) -> None:
        runtime = EmulatedRuntime()
        engine = Engine(slow(), CudaDevice(runtime, "double", "kernel"), "double")
        engine.run_until(20)
        before_time_0 = len(["SpikeSourcePoisson", "deliver"])
        assert (runtime.launches, runtime.graphs) == (before_time_0 + 1, [])

    @pytest.mark.parametrize("loop", ["graphs", "kernel"])
    def test_neurons_do_as_many_steps_as_delays_allow(
        self, runtime: Any, loop: str, few_blocks: None
    ) -> None:
        engine = Engine(slow(), CpuDevice(1), "double")
        engine.run_until(158)
        other = Engine(slow(), CudaDevice(runtime, "double", loop), "double")
        for stop in (3, 47, 158):  # batches that are cut short
            other.run_until(stop)
        assert other._plan is not None
        assert other._plan.batch == 10
        assert len(result(engine)["stamp"]) > 1000
        assert_identical(result(engine), result(other))

    def test_the_number_of_launches_falls_with_the_batch(
        self, few_blocks: None, whole_calls: None
    ) -> None:
        runtime = EmulatedRuntime()
        Engine(slow(), CudaDevice(runtime, "double", "graphs"), "double").run_until(100)
        per_batch = len(["SpikeSourcePoisson", "IF_curr_exp", "deliver"])
        assert runtime.launches == 100 // 10 * per_batch + len(["SpikeSourcePoisson", "deliver"])

    @pytest.mark.parametrize(("times", "chosen"), [((1.0, 2.0), 0), ((2.0, 1.0), 1)])
    def test_a_long_run_takes_the_faster_one(self, times: tuple[float, ...], chosen: int) -> None:
        loops = self.run_fakes(times, calls=14)
        assert all(loop.prepared for loop in loops)
        assert loops[1].steps == TRIALS * TRIAL_STEPS + (
            40_000 - 2 * TRIALS * TRIAL_STEPS if chosen else 0
        )

    def test_a_short_run_compiles_nothing_more(self) -> None:
        loops = self.run_fakes((2.0, 1.0), calls=10)
        assert (loops[1].steps, loops[1].prepared) == (0, False)

    def run_fakes(self, times: tuple[float, ...], calls: int) -> list[FakeLoop]:
        """Loops with these times for a step, after some calls of 10,000 steps."""
        clock = Clock()
        loops = [FakeLoop(clock, each) for each in times]
        fastest, work = Fastest(EmulatedRuntime(), list(loops), clock.time), Work(0, (), 1)
        fastest.prepare(work)
        for call in range(calls):
            fastest.run(None, work, call * 10_000, (call + 1) * 10_000)
        assert sum(loop.steps for loop in loops) == calls * 10_000
        return loops

    @pytest.mark.parametrize(("loop", "resident"), [("threads", True), ("kernel", False)])
    def test_what_there_is_not(
        self, monkeypatch: pytest.MonkeyPatch, loop: str, resident: bool
    ) -> None:
        monkeypatch.setenv("PYNN_SPARSE_CUDA_LOOP", loop)
        with pytest.raises(DeviceError, match=r"PYNN_SPARSE_CUDA_LOOP = .*must be"):
            CudaDevice(EmulatedRuntime(resident=resident), "double")


class Clock:
    """Time that passes when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now


class FakeLoop:
    """Counts steps, each of which takes some time."""

    def __init__(self, clock: Clock, per_step: float) -> None:
        self.clock, self.per_step = clock, per_step
        self.steps, self.prepared = 0, False

    def prepare(self, work: Work) -> None:
        self.prepared = True

    def run(self, plan: Any, work: Work, first: int, end: int) -> None:
        self.steps += end - first
        self.clock.now += (end - first) * self.per_step


class TestGroupsOfDelays:
    """Accumulators that the second-level cache has no room for are needed for some delays only."""

    def test_they_follow_the_size_of_the_cache(self) -> None:
        for cache, grouped in ((50 << 20, False), (40 << 10, True)):
            device = CudaDevice(EmulatedRuntime(cache=cache), "double")
            engine = Engine(everything(plastic=False), device, "double")
            engine.run_until(1)
            assert (engine.synapses.n_delay_group > 1) is grouped

    @pytest.mark.parametrize("group", [3, 7])
    def test_same_bits(
        self, monkeypatch: pytest.MonkeyPatch, runtime: Any, group: int, few_blocks: None
    ) -> None:
        """Also where delays, synapses and populations change while spikes are on their way."""
        expected = changing(CpuDevice(1))
        monkeypatch.setattr(layout, "best_group", lambda *_: group)
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
    monkeypatch.setattr("pynn_sparse.engine.devices.loops.DELIVERY_BLOCKS", 12)


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
    whole = Engine(everything(), CpuDevice(2), "double")
    whole.run_until(150)
    parts, _ = emulated("double", 1, 60, 61, 150)
    assert_identical(result(whole), result(parts))


def test_no_host_between_steps(whole_calls: None) -> None:
    """A call launches a fixed number of kernels per step, by graphs, and waits before them."""
    steps = 2 * STEPS_PER_GRAPH + 3
    _, runtime = emulated("double", steps)
    models = len(BUILT_IN)
    per_step = models + len(["inject", "couple", "record", "deliver", "remember"])
    before_time_0 = len([*SOURCES, "deliver", "remember"])
    assert runtime.launches == steps * per_step + before_time_0
    assert [times for _, times in runtime.graphs] == [2]
    assert runtime.synchronisations == 2


def test_graphs_are_kept_while_the_plan_stays(
    monkeypatch: pytest.MonkeyPatch, whole_calls: None
) -> None:
    """Within a run, calls repeat the same graph; its key says so."""
    monkeypatch.setattr("pynn_sparse.engine.plan.MAX_STEPS", STEPS_PER_GRAPH)
    _, runtime = emulated("double", 2 * STEPS_PER_GRAPH)  # and the step before time 0
    assert [times for _, times in runtime.graphs] == [0, 1, 0]
    assert len({key for key, _ in runtime.graphs}) == 1
