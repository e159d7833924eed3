"""Neurons that fire, and what was recorded of them."""

from __future__ import annotations

from typing import Any

import pyNN.sparse as sim


def driven(n: int = 4, **parameters: Any) -> Any:
    """Neurons that fire regularly."""
    return sim.Population(n, sim.IF_curr_exp(**{"i_offset": 2.0, **parameters}), label="driven")


def signal(population: Any, name: str = "v", segment: int = -1) -> Any:
    segments = population.get_data().segments
    return next(each for each in segments[segment].analogsignals if each.name == name)
