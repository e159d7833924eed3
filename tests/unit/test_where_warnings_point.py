"""Warnings point at the line of the user's script that they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyNN.sparse as sim
import pytest
from pyNN.errors import RoundingWarning

WARNED: dict[str, Callable[[Any], Any]] = {
    "threads = 1024": lambda cells: sim.setup(threads=1024),
    "of a Population, max_rate": lambda cells: sim.Population(2, sim.IF_curr_exp(), max_rate=3),
    "probability greater than 1": lambda cells: sim.Projection(
        cells, cells, sim.DistanceDependentProbabilityConnector("d + 2")
    ),
}


@pytest.mark.parametrize("text", WARNED)
def test_warnings_point_at_the_line_of_the_script(text: str) -> None:
    sim.setup(timestep=0.1)
    cells = sim.Population(3, sim.IF_curr_exp())
    with pytest.warns(UserWarning, match=text) as caught:
        WARNED[text](cells)
    assert [each.filename for each in caught] == [__file__]


@pytest.mark.parametrize("run", [sim.run, sim.run_until, sim.run_for])
def test_warnings_of_times_between_steps_point_there_too(run: Callable[[float], Any]) -> None:
    sim.setup(timestep=0.1)
    with pytest.warns(RoundingWarning, match="is not a multiple") as caught:
        run(0.15)
    assert [each.filename for each in caught] == [__file__]
