"""How alike spikes of tables and of a simulation are, and what is alike enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..arguments import door
from ..likeness import Comparison, Spikes, Times, compare
from ..models.golden import Trace
from ..proof import Check
from ..tables import Tables

STEPS = 2  # by which a spike may move at any rate: rounding moves it by one, at each hop


@dataclass(frozen=True)
class Tolerance:
    """How much spikes of a population may differ from those of the simulation.

    Attributes:
        spikes: most that the cells' numbers of spikes may differ, added up over cells, relative to
            the number of spikes; the square root of that number is allowed anyway.
        coincidence: least `Comparison.coincident`, 0 to 1.
        distance: greatest `Comparison.distance`.
    """

    spikes: float = 0.2
    coincidence: float = 0.5
    distance: float = 0.75

    def __post_init__(self) -> None:
        for name, valid, most in (
            ("spikes", "0 or greater", np.inf),
            ("coincidence", "0 to 1", 1.0),
            ("distance", "0 or greater", np.inf),
        ):
            value, must = getattr(self, name), f"a number, {valid}"
            if door.number(f"tolerance.{name}", value, must, lambda x: x >= 0) > most:
                raise door.refused(f"tolerance.{name}", value, must)

    def checks(self, each: Comparison) -> Iterator[Check]:
        """All that is asked of a population. One that is dead never passes."""
        yield Check(
            f"{each.label} fires if it does in the simulation",
            not each.is_dead,
            f"{each.found} spikes instead of {each.expected}, {each.silent} cells fell silent",
        )
        allowed = max(self.spikes * each.expected, np.sqrt(each.expected))
        yield Check(
            f"cells of {each.label} have about as many spikes as in the simulation",
            each.differing <= allowed,
            f"{each.found} instead of {each.expected}, differences of cells add up to "
            f"{each.differing} ({allowed:.0f} may)",
        )
        yield Check(
            f"spikes of {each.label} coincide with those of the simulation",
            each.coincident >= self.coincidence,
            f"{each.coincident:.1%} have a partner within {each.window:g} ms, or a fifth of the "
            f"cell's mean interval ({self.coincidence:.0%} must)",
        )
        yield Check(
            f"spike trains of {each.label} are near those of the simulation",
            each.distance <= self.distance,
            f"van Rossum distance {each.distance:.3f} ({self.distance:g} at most)",
        )


def compare_runs(
    tables: Tables, trace: Trace, recorded: Mapping[str, Spikes], duration: float
) -> tuple[Comparison, ...]:
    """Compare all populations of neurons that were recorded, as far as the run goes.

    Args:
        tables: what was run.
        trace: of the integer model.
        recorded: label -> spikes in the simulation; those after `duration` are left out.
        duration: ms.
    """
    # Where spikes are counted in windows, only the window of a spike means something.
    step = tables.target.model.steps_of_a_spike(tables.fixed.semantics)
    resolution = step * tables.dt
    least = resolution if step > 1 else STEPS * tables.dt

    def told(time: Times) -> Times:
        return time if step == 1 else np.ceil(np.rint(time / tables.dt) / step) * resolution

    comparisons = []
    for population in tables.frame.axons:
        if population.is_source or population.label not in recorded:
            continue
        cell, time = recorded[population.label]
        kept = time <= duration * (1 + 1e-9)
        expected = cell[kept], told(time[kept])
        cell = trace.spikes[:, 1] - population.first
        mine = (cell >= 0) & (cell < population.size)
        found = cell[mine], told(trace.spikes[mine, 0] * tables.dt)
        ends = population.label, population.size
        comparisons.append(compare(*ends, expected, found, duration, least))
    return tuple(comparisons)
