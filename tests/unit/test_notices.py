"""Warnings name the line of the script that caused them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyNN.sparse as sim
import pytest


def with_an_idle_option() -> None:
    sim.setup(timestep=0.1, verbosity="error")


def with_too_many_threads() -> None:
    sim.setup(timestep=0.1, threads=1000)


def of_a_time_between_steps() -> None:
    sim.run(0.25)


def of_the_dialect_of_another_backend() -> None:
    sim.set_number_of_neurons_per_core(sim.IF_curr_exp, 10)


def learning(weight: float) -> tuple[Any, ...]:
    timing, limits = sim.SpikePairRule(), sim.AdditiveWeightDependence(w_max=0.1)
    cells = sim.Population(2, sim.IF_curr_exp())
    rule = sim.STDPMechanism(timing, limits, weight=weight, delay=1.0)
    return cells, cells, sim.AllToAllConnector(), rule


def of_a_population_for_another_machine() -> None:
    sim.Population(2, sim.IF_curr_exp(), max_rate=3)


def of_a_probability_above_1() -> None:
    cells = sim.Population(3, sim.IF_curr_exp())
    sim.Projection(cells, cells, sim.DistanceDependentProbabilityConnector("d + 2"))


def of_weights_of_a_projection() -> None:
    sim.Projection(*learning(weight=1.0))


def of_weights_that_are_set() -> None:
    sim.Projection(*learning(weight=0.05)).set(weight=1.0)


def of_what_was_not_recorded() -> None:
    cells = sim.Population(1, sim.IF_curr_exp())
    cells.record("spikes")
    sim.run(1.0)
    cells.get_data("v")


@pytest.mark.parametrize(
    "warned",
    [
        with_an_idle_option,
        with_too_many_threads,
        of_a_time_between_steps,
        of_the_dialect_of_another_backend,
        of_a_population_for_another_machine,
        of_a_probability_above_1,
        of_weights_of_a_projection,
        of_weights_that_are_set,
        of_what_was_not_recorded,
    ],
)
def test_a_warning_names_the_line_of_the_script(warned: Callable[[], None]) -> None:
    sim.setup(timestep=0.1)
    with pytest.warns() as caught:
        warned()
    assert [warning.filename for warning in caught] == [__file__]
