"""`rho` of Vogels2011Rule is a rate in Hz; what looks like 1/ms, pyNN.neuron's unit, is said."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest


def projection(rho: Any) -> Any:
    sim.setup(timestep=0.1)
    source = sim.Population(
        1, sim.SpikeSourceArray(spike_times=[10.0 + 20.0 * k for k in range(10)])
    )
    cell = sim.Population(2, sim.IF_cond_exp())
    rule = sim.STDPMechanism(
        sim.Vogels2011Rule(eta=0.001, rho=rho, tau=20.0),
        sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0),
        weight=0.01,
        delay=1.0,
    )
    return sim.Projection(
        source, cell, sim.AllToAllConnector(), rule, receptor_type="inhibitory", label="inhibition"
    )


def test_the_unit_is_hz() -> None:
    """Each spike of the source takes away 2 eta rho tau: PyNN's default of 3 means 3 Hz."""
    made = projection(3.0)
    sim.run(250.0)
    expected = 0.01 - 10 * 2 * 0.001 * 3.0 * 0.020
    assert made.get("weight", "list", with_address=False) == pytest.approx([expected] * 2)


@pytest.mark.parametrize("rho", [0.003, 0.049, np.array([[3.0, 0.005]])])
def test_what_looks_like_another_unit_is_said_when_it_is_given(rho: Any) -> None:
    words = r"inhibition: rho = 0\.0\d+ Hz .* pyNN.neuron in 1/ms"
    with pytest.warns(UserWarning, match=words) as caught:
        projection(rho)
    assert [each.filename for each in caught] == [__file__]
    made = projection(3.0)
    with pytest.warns(UserWarning, match=words) as caught:
        made.set(rho=rho)
    assert [each.filename for each in caught] == [__file__]


@pytest.mark.parametrize("rho", [0.0, 0.05, 3.0, 100.0])
def test_rates_bring_no_warning(rho: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        projection(rho).set(rho=rho, eta=0.002)
