"""While a thread runs the simulation, others get an error before anything happens."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from support.processes import in_a_child
from support.small import Net, build, digest

CALLS: dict[str, Callable[[Net], Any]] = {
    "run": lambda net: sim.run(1.0),
    "run_for": lambda net: sim.run_for(1.0),
    "run_until": lambda net: sim.run_until(100.0),
    "reset": lambda net: sim.reset(),
    "setup": lambda net: sim.setup(),
    "end": lambda net: sim.end(),
    "save_state": lambda net: sim.save_state("never.npz"),
    "load_state": lambda net: sim.load_state("never.npz"),
    "describe_network": lambda net: sim.describe_network(),
    "Population": lambda net: sim.Population(1, sim.IF_curr_exp()),
    "Population.set": lambda net: net.cells.set(tau_m=5.0),
    "Population.get": lambda net: net.cells.get("tau_m"),
    "cell's parameter": lambda net: setattr(net.cells[0], "tau_m", 5.0),
    "PopulationView.set": lambda net: net.cells[:3].set(tau_m=5.0),
    "Assembly.set": lambda net: (net.cells + net.noise).set(rate=5.0),
    "Population.initialize": lambda net: net.cells.initialize(v=-60.0),
    "Population.record": lambda net: net.cells.record("gsyn_exc"),
    "Population.record None": lambda net: net.cells.record(None),
    "Population.get_data": lambda net: net.cells.get_data(),
    "Population.get_data clear": lambda net: net.cells.get_data(clear=True),
    "Population.write_data": lambda net: net.cells.write_data("never.pkl"),
    "Population.get_spike_counts": lambda net: net.cells.get_spike_counts(),
    "Population.mean_spike_count": lambda net: net.cells.mean_spike_count(),
    "PopulationView.get_data": lambda net: net.cells[:3].get_data(),
    "Assembly.get_data": lambda net: (net.cells + net.noise).get_data(),
    "inject": lambda net: net.cells.inject(sim.DCSource()),
    "DCSource": lambda net: sim.DCSource(),
    "current source's set": lambda net: net.parts[-3].set_parameters(mean=0.2),
    "Projection": lambda net: sim.Projection(
        net.noise, net.cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1)
    ),
    "Projection.set": lambda net: net.plastic.set(weight=0.1),
    "Projection.get": lambda net: net.plastic.get("weight", format="list"),
    "Projection.save": lambda net: net.plastic.save("weight", "never.txt"),
    "connection's weight": lambda net: net.plastic[0].weight,
    "connection's set": lambda net: setattr(net.plastic[0], "weight", 0.1),
}


def during_a_run(act: Callable[[], Any]) -> None:
    """Call a function while a run is in progress in another thread."""
    inside, go_on = threading.Event(), threading.Event()

    def callback(t: float) -> float:
        inside.set()
        assert go_on.wait(60)
        return t + 1.0

    thread = threading.Thread(target=lambda: sim.run(3.0, callbacks=[callback]), name="runner")
    thread.start()
    assert inside.wait(60)
    try:
        act()
    finally:
        go_on.set()
        thread.join()


def test_every_entry_is_refused_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    net = build()
    sim.run(3.0)
    expected = digest(net)
    net = build()

    def act() -> None:
        for name, call in CALLS.items():
            with pytest.raises(
                RuntimeError, match="a run is in progress in another thread, runner"
            ):
                pytest.fail(f"{name} gave {call(net)!r}")
        assert sim.get_current_time() == 0.0

    during_a_run(act)
    assert digest(net) == expected
    assert not list(tmp_path.iterdir())
    for call in (sim.reset, net.cells.get_data, lambda: sim.run(1.0)):
        call()


def test_one_of_many_that_run_at_once_does() -> None:
    build(400)
    barrier, refused = threading.Barrier(8), []

    def run() -> None:
        barrier.wait()
        try:
            sim.run(20.0)
        except RuntimeError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = 8 - len(refused)
    assert done >= 1
    assert sim.get_current_time() == pytest.approx(20.0 * done)
    assert all("a run is in progress" in each for each in refused)


def test_threads_that_build_do_not_get_into_each_others_way() -> None:
    sim.setup()
    barrier, made = threading.Barrier(6), []

    def work() -> None:
        barrier.wait()
        for _ in range(10):
            cells = sim.Population(7, sim.IF_curr_exp())
            sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
            made.append(cells)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = sorted(int(cells.first_id) for cells in made)
    assert first == [7 * k for k in range(60)]
    sim.run(1.0)


def test_setups_from_many_threads() -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                sim.setup()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    sim.Population(1, sim.IF_curr_exp())
    sim.run(1.0)


class TestCallbacks:
    """They run in the thread that runs, between calls down."""

    @pytest.mark.parametrize("name", ["run", "run_until", "reset", "setup", "end", "load_state"])
    def test_what_the_run_could_not_go_on_after(self, name: str) -> None:
        net = build()

        def callback(t: float) -> float:
            CALLS[name](net)
            return t + 1.0

        with pytest.raises(RuntimeError, match=r"was called from a callback of run\(\)"):
            sim.run(3.0, callbacks=[callback])
        sim.run(1.0)
        assert sim.get_current_time() == 1.0

    def test_what_pynn_lets_them_do(self, tmp_path: Path) -> None:
        net, seen = build(), []

        def callback(t: float) -> float:
            net.cells.set(i_offset=0.1 * t)
            net.plastic.set(weight=0.02)
            net.cells.get_spike_counts()
            if t > 0:
                net.cells.get_data()
                sim.save_state(tmp_path / "state.npz")
            net.cells.inject(sim.DCSource(amplitude=0.1))
            sim.Population(3, sim.IF_curr_exp())
            seen.append(sim.get_current_time())
            return t + 1.0

        sim.run(3.0, callbacks=[callback])
        assert np.allclose(seen, [0.0, 1.0, 2.0, 3.0])

    def test_the_next_run_may_come_from_any_thread(self) -> None:
        build()
        sim.run(1.0)
        thread = threading.Thread(target=lambda: sim.run(1.0))
        thread.start()
        thread.join()
        assert sim.get_current_time() == 2.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestForks:
    @pytest.mark.parametrize("threads", [1, 2])
    def test_a_child_goes_on_as_its_parent(self, threads: int) -> None:
        net = build(200, threads=threads)
        sim.run(2.0)

        def act() -> bool:
            sim.run(2.0)
            return digest(net) == expected

        sim.run(2.0)
        expected = digest(net)
        net = build(200, threads=threads)
        sim.run(2.0)
        assert in_a_child(act)

    def test_a_child_that_was_born_during_a_run_needs_a_setup(self) -> None:
        net = build()

        def act() -> bool:
            for call in (lambda: sim.run(1.0), sim.reset, lambda: net.cells.set(tau_m=5.0)):
                try:
                    call()
                except RuntimeError as error:
                    if "was forked while another thread" not in str(error):
                        return False
                else:
                    return False
            build()
            sim.run(1.0)
            return bool(sim.get_current_time() == 1.0)

        during_a_run(lambda: in_a_child(act) or pytest.fail("the child did something else"))
        assert sim.get_current_time() == 3.0
