"""The comparison of two backends, and how it is made from what they recorded."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from .activity import Activity, Floats
from .capture import Captured
from .connections import ConnectionDifference, difference
from .exact import (
    SLACK,
    SignalDifference,
    SpikeDifference,
    beginning,
    compare_signals,
    compare_spikes,
)
from .findings import DIFFERENT, Finding, Tolerances
from .statistics import Measure, measures


@dataclass
class Recorded:
    """What one backend did, with each seed.

    Attributes:
        name: how reports call it.
        networks: one for each seed.
        on_grid: whether its spikes are expected in the very time steps of this engine's and NEST's
            rule; else, within a step.
    """

    name: str
    networks: list[Captured]
    on_grid: bool = True


@dataclass
class PairComparison:
    """A backend compared with a reference.

    Attributes:
        connections, spikes, signals: differences, for each seed.
        beginning: share of the first spikes, but for those of spike sources, that are the same, for
            each seed; None without spikes.
        on_grid: whether "the same" means in the same time step, else within one.
        first_spikes: how many these are.
        measures: of all seeds together.
    """

    reference: str
    other: str
    seeds: int
    timestep: float
    tolerances: Tolerances
    on_grid: bool = True
    connections: list[list[ConnectionDifference]] = field(default_factory=list)
    spikes: list[list[SpikeDifference]] = field(default_factory=list)
    signals: list[list[SignalDifference]] = field(default_factory=list)
    beginning: list[float | None] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    verdict: str = ""

    @property
    def first_spikes(self) -> int:
        """Off the grid, spikes are sooner apart, since each is at another time from the start."""
        return 500 if self.on_grid else 100

    @property
    def same(self) -> bool:
        """Whether nothing was found that counts as a difference."""
        return not any(each.kind == DIFFERENT for each in self.findings)

    @property
    def identical(self) -> bool:
        """Whether connections are equal and all spikes in the same time steps, with every seed."""
        equal = all(each.same for seed in self.connections for each in seed)
        return equal and all(each.same for seed in self.spikes for each in seed)

    def figures(self) -> dict[str, Any]:
        """All figures, of types that JSON has."""
        found = {
            name: value
            for name, value in vars(self).items()
            if name not in ("connections", "spikes", "signals", "measures", "findings")
        }
        found["tolerances"] = asdict(self.tolerances)
        for name in ("same", "identical", "first_spikes"):
            found[name] = getattr(self, name)
        for name in ("connections", "spikes", "signals"):
            found[name] = [
                {"seed": seed} | _properties(each)
                for seed, rows in enumerate(getattr(self, name))
                for each in rows
            ]
        found["measures"] = [_without_values(each) for each in self.measures]
        found["findings"] = [asdict(each) for each in self.findings]
        return dict(without_nan(found))


def compare_recorded(
    reference: Recorded, other: Recorded, tolerances: Tolerances
) -> PairComparison:
    """Compare everything but say nothing yet: `verdict.judge` does."""
    pairs = list(zip(reference.networks, other.networks, strict=False))
    timestep = pairs[0][0].timestep
    names = reference.name, other.name
    found = PairComparison(*names, len(pairs), timestep, tolerances)
    found.on_grid = reference.on_grid and other.on_grid
    for a, b in pairs:
        found.connections.append(
            [
                difference(name, a.connections[name], b.connections[name], timestep)
                for name in a.connections
                if name in b.connections
            ]
        )
        spikes = [
            compare_spikes(name, segment, *two, timestep)
            for name, segment, two in _segments(a, b)
            if two[0].trains or two[1].trains
        ]
        found.spikes.append(spikes)
        tolerance = (0.5 if found.on_grid else 1 + SLACK) * timestep
        found.beginning.append(beginning(driven_trains(a, b), found.first_spikes, tolerance))
        found.signals.append(
            [
                row
                for name, segment, two in _segments(a, b)
                for row in compare_signals(name, segment, *two, divergence(spikes, segment))
            ]
        )
    for name in pairs[0][0].activities:
        one, two = (
            [network.activities.get(name, []) for network in each.networks]
            for each in (reference, other)
        )
        if all([*one, *two]):
            found.measures += measures(name, one, two, tolerances)
    return found


def divergence(spikes: list[SpikeDifference], segment: int) -> float:
    """When spikes of a segment first are in different steps; infinity if never."""
    times = (each.first_difference for each in spikes if each.segment == segment)
    return min((time for time in times if time is not None), default=math.inf)


def driven_trains(a: Captured, b: Captured) -> list[tuple[Floats, Floats]]:
    """Spikes of each neuron that both recorded, but for sources, in the first segment."""
    return [
        (two[0].trains[neuron], two[1].trains[neuron])
        for name, segment, two in _segments(a, b)
        if segment == 0 and not a.models.get(name, "").startswith("SpikeSource")
        for neuron in two[0].trains
        if neuron in two[1].trains
    ]


def _segments(a: Captured, b: Captured) -> list[tuple[str, int, tuple[Activity, Activity]]]:
    return [
        (name, number, two)
        for name, segments in a.activities.items()
        for number, two in enumerate(zip(segments, b.activities.get(name, []), strict=False))
    ]


def _properties(each: Any) -> dict[str, Any]:
    return asdict(each) | {"same": each.same} if hasattr(each, "same") else asdict(each)


def _without_values(measure: Measure) -> dict[str, Any]:
    return {name: value for name, value in vars(measure).items() if name != "values"}


def without_nan(value: Any) -> Any:
    """NaN and infinity, which JSON does not have, as None; NumPy's numbers as Python's."""
    if isinstance(value, dict):
        return {name: without_nan(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(each) for each in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
