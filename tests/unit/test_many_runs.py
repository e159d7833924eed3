"""Many short runs: the network is laid out anew only after a change, and no change is missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pyNN.sparse as sim
import pytest

from pynn_sparse.engine import engine as engine_module
from pynn_sparse.network import Network


def network(threads: int = 1) -> dict[str, Any]:
    sim.setup(timestep=0.1, threads=threads)
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=300.0))
    own = sim.Population(12, sim.SpikeSourcePoisson(rate=2000.0))  # drawn at its targets
    cells = sim.Population(12, sim.IF_curr_exp(i_offset=0.6))
    static = sim.StaticSynapse(weight=0.2, delay=0.7)
    rule = sim.STDPMechanism(
        sim.SpikePairRule(), sim.AdditiveWeightDependence(w_max=1.0), weight=0.3, delay=0.4
    )
    made = {
        "noise": noise,
        "own": own,
        "cells": cells,
        "static": sim.Projection(noise, cells, sim.AllToAllConnector(), static),
        "plastic": sim.Projection(cells, cells, sim.AllToAllConnector(), rule),
        "drive": sim.Projection(own, cells, sim.OneToOneConnector(), static),
    }
    cells.record(["spikes", "v"])
    return made


def grow(made: dict[str, Any]) -> None:
    more = sim.Population(3, sim.IF_curr_exp(i_offset=2.0), label="more")
    sim.Projection(more, made["cells"], sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5))


def inject(made: dict[str, Any]) -> None:
    made["source"] = sim.DCSource(amplitude=0.5, start=1.0)
    made["cells"].inject(made["source"])


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "nothing": lambda made: None,
    "a parameter": lambda made: made["cells"].set(tau_m=7.0),
    "a parameter of a cell": lambda made: setattr(made["cells"][3], "tau_m", 5.0),
    "a state variable": lambda made: made["cells"].initialize(v=-52.0),
    "a rate": lambda made: made["noise"].set(rate=900.0),
    "the rate of a source that is drawn": lambda made: made["own"].set(rate=100.0),
    "a weight": lambda made: setattr(made["static"][7], "weight", 2.0),
    "all weights": lambda made: made["static"].set(weight=0.4),
    "a delay": lambda made: setattr(made["static"][7], "delay", 1.4),
    "a learnt weight": lambda made: setattr(made["plastic"][7], "weight", 0.9),
    "a look at a weight": lambda made: made["plastic"][7].weight,
    "populations and projections": grow,
    "a current": inject,
    "recorded spikes": lambda made: made["noise"].record("spikes"),
    "recorded spikes of drawn sources": lambda made: made["own"].record("spikes"),
    "a recorded variable": lambda made: made["noise"] and made["cells"].record("isyn_exc"),
    "data that are cleared": lambda made: made["cells"].get_data(clear=True),
    "data that are looked at": lambda made: made["cells"].get_data(),
    "a reset": lambda made: sim.reset(),
}


def outcome(change: Callable[[dict[str, Any]], Any], threads: int) -> list[Any]:
    made = network(threads)
    for _ in range(15):
        sim.run(0.2)
    change(made)
    for _ in range(20):
        sim.run(0.3)
    if "source" in made:
        made["source"].set_parameters(amplitude=-0.5)
    for _ in range(5):
        sim.run(1.0)
    found: list[Any] = [made["plastic"].get("weight", format="array").tolist()]
    for name in ("cells", "noise", "own"):
        if made[name].recorder.recorded:
            (*_, segment) = made[name].get_data().segments
            found += [each.magnitude.tolist() for each in segment.analogsignals]
            found += [each.magnitude.tolist() for each in segment.spiketrains]
    return found


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", CHANGES)
def test_results_are_those_of_a_network_that_is_laid_out_for_each_run(
    name: str, threads: int
) -> None:
    found = outcome(CHANGES[name], threads)
    with mock.patch.object(Network, "versions", side_effect=lambda: (object(),)):
        expected = outcome(CHANGES[name], threads)
    assert repr(found) == repr(expected)  # NaN is equal to NaN
    assert np.concatenate([np.ravel(each) for each in found]).size > 300


def plans_of(run: Callable[[], Any]) -> int:
    with mock.patch.object(engine_module, "Plan", side_effect=engine_module.Plan) as plan:
        run()
    return int(plan.call_count)


def test_a_network_is_laid_out_once_for_many_runs() -> None:
    made = network()
    sim.run(0.1)

    def step(time: float) -> float:
        made["cells"].get_data()
        return time + 0.1

    def run() -> None:
        for _ in range(50):
            sim.run(0.1)
        sim.run(5.0, callbacks=[step])

    assert plans_of(run) == 0
    made["static"].set(weight=0.1)
    assert plans_of(run) == 1


def test_sources_that_end_are_laid_out_until_their_last_spikes_have_arrived() -> None:
    made = network()
    sim.run(1.0)
    made["own"].set(rate=50.0)  # others from now on; those of before are in flight for 0.7 ms
    assert plans_of(lambda: [sim.run(0.1) for _ in range(30)]) == 8
