"""Calls that have no place or time: wrong options of setup, no simulation, a run into the past."""

from __future__ import annotations

from typing import Any

import pyNN.sparse as sim
import pytest
from pyNN import errors
from pyNN.sparse.simulator import state
from support.refused import cells, refused

pytestmark = pytest.mark.usefixtures("fresh")


NAN = float("nan")


class TestSetup:
    @pytest.mark.parametrize(
        ("options", "error", "words"),
        [
            ({"timestep": 0.0}, ValueError, ("timestep", "0", "from 0.0001 to 10000")),
            ({"timestep": 1e-300}, ValueError, ("timestep", "1e-300", "from 0.0001 to 10000")),
            ({"timestep": 1e9}, ValueError, ("timestep", "1000000000.0", "from 0.0001 to 10000")),
            ({"timestep": NAN}, ValueError, ("timestep", "nan")),
            ({"device": "gpu"}, ValueError, ("device", "gpu", "'cuda'")),
            ({"precision": "half"}, ValueError, ("precision", "half", "'single'")),
            ({"threads": 0}, ValueError, ("threads", "0", "1 to 1024")),
            ({"threads": 1.5}, ValueError, ("threads", "1.5")),
            ({"rng_seed": -1}, ValueError, ("rng_seed", "-1")),
            ({"max_delay": 1e5}, ValueError, ("max_delay", "100000", "6553.5 ms")),
            ({"min_delay": 0.01}, ValueError, ("min_delay", "0.01", "0.1 ms")),
            ({"min_delay": "x"}, ValueError, ("min_delay", "'x'")),
            ({"min_delay": 3.0, "max_delay": 2.0}, ValueError, ("min_delay", "max_delay")),
            ({"mindelay": 1.0}, TypeError, ("'mindelay'", "'min_delay'")),
            ({"thread": 2}, TypeError, ("'thread'", "'threads'")),
            ({"colour": 2}, TypeError, ("'colour'", "device")),
        ],
    )
    def test_options(self, options: dict[str, Any], error: type[Exception], words: Any) -> None:
        cells()
        refused(lambda: sim.setup(**options), error, *words)

    def test_options_of_other_backends_are_named_once(self) -> None:
        with pytest.warns(UserWarning, match="use_cvode.*no effect here: verbosity") as caught:
            sim.setup(verbosity="error", use_cvode=True, spike_precision="on_grid")
        assert len(caught) == 1

    def test_the_grid_is_what_on_grid_means(self, recwarn: pytest.WarningsRecorder) -> None:
        sim.setup(spike_precision="on_grid")
        assert not recwarn.list

    def test_device_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYNN_SPARSE_DEVICE", "gpu")
        refused(sim.setup, ValueError, "PYNN_SPARSE_DEVICE", "'gpu'", "'cuda'")
        sim.setup(device="cpu")  # what the script says comes first
        monkeypatch.setenv("PYNN_SPARSE_DEVICE", "cpu")
        sim.setup()
        assert state.options.device == "cpu"

    def test_missing_gpu(self) -> None:
        from pynn_sparse.engine import describe_devices
        from pynn_sparse.errors import DeviceError

        if describe_devices()[0].usable:
            pytest.skip("there is a GPU")
        refused(lambda: sim.setup(device="cuda"), DeviceError, 'device="cuda"', "CuPy")


class TestDiscardedNetwork:
    """What belongs to a network before setup() is not mistaken for part of the new one."""

    def test_everything_refuses(self) -> None:
        old = cells()
        old.record("spikes")
        projection = sim.Projection(old, old, sim.AllToAllConnector(), sim.StaticSynapse())
        sim.run(10.0)
        sim.setup()
        new = cells()
        words = ("setup() has discarded", "cells")
        refused(old.get_data, RuntimeError, *words)
        refused(old.get_spike_counts, RuntimeError, *words)
        refused(lambda: old[:2].record("v"), RuntimeError, *words)
        refused(lambda: old.set(tau_m=5.0), RuntimeError, *words)
        refused(lambda: old[1:].initialize(v=-70.0), RuntimeError, *words)
        refused(lambda: projection.set(weight=1.0), RuntimeError, *words)
        connector = sim.AllToAllConnector()
        refused(lambda: sim.Projection(new, old, connector), RuntimeError, *words)
        refused(lambda: sim.Projection(old[:1] + old[2:], new, connector), RuntimeError, *words)
        refused(lambda: old.inject(sim.DCSource()), RuntimeError, *words)


class TestRun:
    @pytest.mark.parametrize("time", [NAN, float("inf")])
    def test_time_without_end(self, time: float) -> None:
        cells()
        refused(lambda: sim.run(time), ValueError, str(time), "finite")

    def test_data_before_a_run(self) -> None:
        population = cells()
        population.record("v")
        refused(population.get_data, errors.NothingToWriteError, "cells", "before a run")

    def test_into_the_past(self) -> None:
        cells()
        sim.run(10.0)
        refused(lambda: sim.run_until(5.0), ValueError, "5", "10")

    def test_between_two_steps(self) -> None:
        cells()
        with pytest.warns(errors.RoundingWarning, match=r"0.25 ms.*0.1 ms.*0.3 ms"):
            assert sim.run(0.25) == 0.3


class TestNoSimulation:
    """Before the first setup, and after end."""

    @pytest.fixture(params=["before", "after"])
    def words(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
        if request.param == "before":
            monkeypatch.setattr(state, "closed", "setup() has not been called")
            return "setup() has not been called; call setup() first"
        sim.end()
        return "end() has ended the simulation; call setup() first"

    def test_nothing_is_made_or_changed(self, words: str) -> None:
        state.closed, closed = "", state.closed
        population = cells()
        projection = sim.Projection(
            population, population, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0)
        )
        state.closed = closed
        for call in (
            cells,
            lambda: sim.Projection(population, population, sim.OneToOneConnector()),
            lambda: sim.run(1.0),
            lambda: sim.run_until(1.0),
            sim.reset,
            lambda: population.set(tau_m=5.0),
            lambda: population[:2].initialize(v=-60.0),
            lambda: population.record("v"),
            lambda: projection.set(weight=2.0),
            lambda: sim.DCSource().inject_into(population),
            lambda: sim.load_state("nowhere.npz"),
        ):
            refused(call, RuntimeError, words)

    def test_what_was_recorded_can_be_read(self) -> None:
        population = cells()
        population.record("v")
        sim.run(1.0)
        sim.end()
        assert population.get_data().segments[0].analogsignals[0].shape == (11, 4)
        assert population.get("tau_m") == 20.0

    def test_setup_begins_anew(self) -> None:
        sim.end()
        sim.setup()
        cells()
        sim.run(1.0)


@pytest.mark.parametrize("time", ["10", None, [1.0]])
def test_times_that_are_no_numbers(time: Any) -> None:
    refused(lambda: sim.run(time), TypeError, "simtime = ", "number of milliseconds")
    refused(lambda: sim.run_until(time), TypeError, "time_point = ")
