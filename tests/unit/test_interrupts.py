"""A run that ends before its time leaves a state that makes sense, and all data up to there."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN.sparse import simulator
from support.small import Net, build, digest

from pynn_sparse import interrupts
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.engine.pace import AIM, Pace
from pynn_sparse.engine.plan import Plan
from pynn_sparse.errors import InterruptedRunError
from pynn_sparse.network import Probe
from pynn_sparse.network.disk import DiskArray

DURATION = 30.0  # ms


@pytest.fixture(scope="module")
def expected() -> str:
    """What a run does that nothing ends."""
    net = build()
    sim.run(DURATION)
    return digest(net)


@pytest.fixture
def steps_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a run is many calls down."""
    monkeypatch.setattr("pynn_sparse.engine.plan.MAX_STEPS", 10)


def calls_before(monkeypatch: pytest.MonkeyPatch, name: str, number: int, act: Any) -> None:
    """Do something at the `number`th call of a method of `Plan`."""
    original, count = getattr(Plan, name), itertools.count(1)

    def wrapped(self: Plan, *args: Any, **kwargs: Any) -> Any:
        if next(count) == number:
            act()
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Plan, name, wrapped)


def check_data(net: Net) -> None:
    """Spikes and samples are those until now."""
    now = sim.get_current_time()
    segment = net.cells.get_data().segments[-1]
    (signal_,) = segment.analogsignals
    assert signal_.shape[0] == round(now / 0.1) + 1
    assert np.isfinite(signal_.magnitude).all()
    times = segment.spiketrains.multiplexed[1]
    assert not len(times) or times.max() <= now


@pytest.mark.usefixtures("steps_of_ten")
class TestWhatEndsARun:
    @pytest.mark.parametrize("number", [1, 2, 7])
    @pytest.mark.parametrize(
        ("method", "error"),
        [
            ("prepare", KeyboardInterrupt),
            ("begin", KeyboardInterrupt),
            ("collect", KeyboardInterrupt),
            ("prepare", MemoryError),
            ("collect", MemoryError),
        ],
    )
    def test_data_are_kept_and_the_run_goes_on(
        self,
        expected: str,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        number: int,
        error: type[BaseException],
    ) -> None:
        net = build()

        def act() -> None:
            if error is KeyboardInterrupt:
                os.kill(os.getpid(), signal.SIGINT)
            else:
                raise MemoryError("nothing left")

        with monkeypatch.context() as patch:
            calls_before(patch, method, number, act)
            with pytest.raises(error, match=r"the run has ended at .* ms: get_data\(\) gives"):
                sim.run(DURATION)
        assert sim.get_current_time() < DURATION
        if simulator.state.running:
            check_data(net)
        sim.run_until(DURATION)
        assert digest(net) == expected

    def test_memory_runs_out_for_a_while(
        self, expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also while what was recorded is being collected, and once more when it is asked for."""
        net = build()
        original, count = Probe.append, itertools.count(1)

        def append(self: Probe, rows: NDArray[np.float64]) -> None:
            if next(count) in (9, 10, 11):
                raise MemoryError("nothing left")
            original(self, rows)

        monkeypatch.setattr(Probe, "append", append)
        with pytest.raises(MemoryError, match="nothing left; the run has ended"):
            sim.run(DURATION)
        with pytest.raises(MemoryError, match="nothing left"):
            net.cells.get_data()
        check_data(net)
        sim.run_until(DURATION)
        assert digest(net) == expected

    def test_the_disk_is_full(self, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
        net = build(recording_memory=0)
        original, count = DiskArray.append, itertools.count(1)

        def append(self: DiskArray, rows: NDArray[Any], at: int | None = None) -> None:
            if next(count) > 12:
                raise OSError(errno.ENOSPC, "No space left on device")
            original(self, rows, at)

        with monkeypatch.context() as patch:
            patch.setattr(DiskArray, "append", append)
            with pytest.raises(OSError, match=r"No space left.*the run has ended at .* ms") as info:
                sim.run(DURATION)
            assert info.value.errno == errno.ENOSPC
            check_data(net)  # while the disk is still full
            with pytest.raises(OSError, match="No space left"):
                sim.run(1.0)
            check_data(net)
        sim.run_until(DURATION)
        assert digest(net) == expected

    def test_a_handler_of_the_users(self, expected: str) -> None:
        """Such as a time limit."""
        net = build()

        def stop(*_: object) -> None:
            raise TimeoutError("the time is over")

        before = signal.signal(signal.SIGALRM, stop)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(TimeoutError, match="the time is over"):
                sim.run(1e7)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        check_data(net)
        sim.reset()
        sim.run(DURATION)
        assert sim.get_current_time() == DURATION
        assert len(net.cells.get_data().segments) == 2

    def test_reset_and_setup_are_possible(self) -> None:
        net = build()
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            sim.run(1e7)
        now = sim.get_current_time()
        assert 0 < now < 1e7
        sim.reset()
        assert sim.get_current_time() == 0
        segment = net.cells.get_data().segments[0]
        assert segment.analogsignals[0].shape[0] == round(now / 0.1) + 1
        build()


def test_where_a_device_fails_the_run_cannot_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    net = build()
    sim.run(1.0)

    def fail(*_: object) -> int:
        raise MemoryError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(CpuDevice, "advance", fail)
        with pytest.raises(
            MemoryError, match=r"in the middle; the network cannot go on: reset\(\)"
        ):
            sim.run(1.0)
    check_data(net)
    for call in (lambda: sim.run(1.0), lambda: sim.save_state("never.npz")):
        with pytest.raises(InterruptedRunError, match="between two time steps"):
            call()
    sim.reset()
    sim.run(1.0)


def test_where_laying_out_fails_only_setup_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    net = build()
    sim.run(1.0)
    net.plastic.set(delay=5.0)
    assert simulator.state.engine is not None

    def fail(*_: object) -> None:
        raise MemoryError("no room for the ring")

    with monkeypatch.context() as patch:
        patch.setattr(simulator.state.engine.synapses, "_move_ring", fail)
        with pytest.raises(MemoryError, match="no room"):
            sim.run(1.0)
    check_data(net)
    for call in (lambda: sim.run(1.0), sim.reset, lambda: sim.save_state("never.npz")):
        with pytest.raises(InterruptedRunError, match=r"\(MemoryError: no room .*: call setup\(\)"):
            call()
    sim.setup()


class TestPace:
    def test_calls_take_as_long_as_they_should(self) -> None:
        """Whatever a step costs, also if that changes."""
        now = 0.0
        pace = Pace(lambda: now)
        for cost in (1e-5, 1e-3, 1e-7, 0.02, 2.0):
            longest = 0.0
            for _ in range(12):
                pace.begin()
                steps = pace.steps
                now += steps * cost
                longest = steps * cost
                pace.end(steps)
            assert longest <= max(AIM, cost) * 1.01

    def test_the_first_calls_are_short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody knows yet how long a step takes."""
        build()
        ends: list[int] = []
        original = CpuDevice.advance

        def advance(
            self: CpuDevice, plan: Any, launches: Any, first: int, end: int, pass_on: Any
        ) -> int:
            ends.append(end)
            return original(self, plan, launches, first, end, pass_on)

        monkeypatch.setattr(CpuDevice, "advance", advance)
        sim.run(50.0)
        assert ends[0] - -1 <= 8
        assert all(b - a <= 8 * max(a + 1, 1) for a, b in itertools.pairwise(ends))


class TestHeld:
    def test_a_signal_waits(self) -> None:
        seen = []

        def section() -> None:
            with interrupts.held, interrupts.held:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)
                seen.append(interrupts.pending())

        with pytest.raises(KeyboardInterrupt):
            section()
        assert seen == [True]
        assert not interrupts.pending()

    def test_handlers_of_the_users_are_called_in_turn(self) -> None:
        """One that calls the handler that it has found, as tools do."""
        called = []
        with interrupts.held:
            pass
        found = signal.getsignal(signal.SIGINT)

        def mine(number: int, frame: Any) -> None:
            called.append(number)
            assert callable(found)
            found(number, frame)

        signal.signal(signal.SIGINT, mine)
        try:
            for _ in range(3):
                with pytest.raises(KeyboardInterrupt), interrupts.held:
                    os.kill(os.getpid(), signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        finally:
            signal.signal(signal.SIGINT, found)
        assert called == [signal.SIGINT] * 4

    def test_other_threads_hold_nothing(self) -> None:
        def work() -> None:
            with interrupts.held:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.05)

        thread = threading.Thread(target=work)

        def wait() -> None:
            thread.start()
            while thread.is_alive():
                time.sleep(0.001)
            time.sleep(1)

        with pytest.raises(KeyboardInterrupt):
            wait()
        thread.join()


class Interrupter:
    """Sends SIGINT to this process after a time, unless the section has ended."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._delay)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.fixture
def _alarm_interrupts() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.slow
@pytest.mark.usefixtures("_alarm_interrupts")
# A file that was just opened when the interrupt came is closed when nothing refers to it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupts_at_any_time_never_give_another_result(tmp_path: Any) -> None:
    """While building, running, changing, saving and reading; what was done is done again.

    Weights that learn are summed up where their rule is set: this counts for their last digits.
    """
    file = tmp_path / "state.npz"
    rng = np.random.default_rng(1)
    counts = {"interrupted": 0, "whole": 0}

    def insisting(act: Callable[[], Any]) -> Any:
        """Interrupted, and again until it has been done; all of it can be done twice."""
        delay = 0.02
        while True:
            delay *= 1.5  # later and later, however slow the machine is
            try:
                with Interrupter(float(rng.exponential(delay)) + 1e-4):
                    result = act()
            except KeyboardInterrupt:
                counts["interrupted"] += 1
            else:
                counts["whole"] += 1
                return result

    def whole(do: Callable[[Callable[[], Any]], Any]) -> str:
        net = do(build)
        for stop in (10.0, 20.0, DURATION):
            do(lambda stop=stop: sim.run_until(stop))
            do(lambda: net.cells.set(i_offset=0.5))
            do(lambda: net.plastic.set(w_max=0.1))
            do(lambda: net.cells.get_data())
            do(lambda: sim.save_state(file))
            do(lambda: sim.load_state(file))
        return digest(net)

    expected = whole(lambda act: act())
    for _ in range(4):
        assert whole(insisting) == expected
    assert counts["interrupted"] > 5
