"""Spike trains and recorded signals of two runs, spike by spike and sample by sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activity import Activity, Floats

SLACK = 1e-3  # of a time step: what is left of rounding


@dataclass
class SpikeDifference:
    """The spikes of one population in one segment on two backends.

    Attributes:
        neurons: number of neurons recorded on both.
        spikes: number of spikes on each.
        identical: neurons whose spikes are all in the same time steps.
        within_step: neurons with as many spikes, none of them more than a time step apart.
        lag: steps by which all spikes of the second come later, if the trains are otherwise
            identical and it is not 0.
        first_difference: ms, of the first spike in a different step or without a counterpart.
        first_divergence: likewise, of the first that is more than a step away.
        neuron: in which that first divergence is.
    """

    population: str
    segment: int
    neurons: int
    spikes: tuple[int, int]
    identical: int
    within_step: int
    lag: int | None = None
    first_difference: float | None = None
    first_divergence: float | None = None
    neuron: int | None = None

    @property
    def same(self) -> bool:
        """Whether all spikes are in the same steps."""
        return self.identical == self.neurons


@dataclass
class SignalDifference:
    """A recorded variable of one population in one segment on two backends.

    `until` is when the spikes of the network first diverge, in ms; `rms` and `worst` are for
    samples up to then, `rms_all` and `worst_all` for all, in `units`.
    """

    population: str
    segment: int
    variable: str
    units: str
    neurons: int
    until: float
    rms: float
    worst: float
    rms_all: float
    worst_all: float


def compare_spikes(
    population: str, segment: int, a: Activity, b: Activity, timestep: float
) -> SpikeDifference:
    """Compare the trains of the neurons that both have; `timestep` in ms."""
    both = [neuron for neuron in a.trains if neuron in b.trains]
    pairs = {neuron: (a.trains[neuron], b.trains[neuron]) for neuron in both}
    found = SpikeDifference(
        population,
        segment,
        len(both),
        (sum(len(one) for one, _ in pairs.values()), sum(len(two) for _, two in pairs.values())),
        identical=sum(apart(one, two, 0.5 * timestep) is None for one, two in pairs.values()),
        within_step=sum(
            apart(one, two, (1 + SLACK) * timestep) is None for one, two in pairs.values()
        ),
    )
    if not found.same:
        found.first_difference, _ = _first(pairs, 0.5 * timestep)
        found.first_divergence, found.neuron = _first(pairs, (1 + SLACK) * timestep)
        found.lag = _lag(pairs, timestep)
    return found


def apart(one: Floats, two: Floats, tolerance: float) -> float | None:
    """When the trains are first more than `tolerance` apart, or None."""
    n = min(len(one), len(two))
    far = np.flatnonzero(np.abs(one[:n] - two[:n]) > tolerance)
    if len(far):
        return float(min(one[far[0]], two[far[0]]))
    if len(one) == len(two):
        return None
    return float(one[n] if len(one) > n else two[n])


def _first(
    pairs: dict[int, tuple[Floats, Floats]], tolerance: float
) -> tuple[float | None, int | None]:
    """The earliest time at which a neuron's trains are apart, and that neuron."""
    times = [
        (time, neuron)
        for neuron, (one, two) in pairs.items()
        if (time := apart(one, two, tolerance)) is not None
    ]
    return min(times, default=(None, None))


def _lag(pairs: dict[int, tuple[Floats, Floats]], timestep: float) -> int | None:
    """By how many steps all of the second trains lag the first, if they do."""
    if any(len(one) != len(two) for one, two in pairs.values()):
        return None
    steps = [np.round((two - one) / timestep) for one, two in pairs.values()]
    lags = np.unique(np.concatenate(steps or [np.zeros(0)]))
    return int(lags[0]) if len(lags) == 1 else None


def beginning(trains: list[tuple[Floats, Floats]], number: int, tolerance: float) -> float | None:
    """Share of a network's first spikes that have a counterpart at most `tolerance` (ms) away.

    `trains` has those of each neuron on both backends, `number` is how many are looked at. None if
    there are no spikes at all.
    """
    spikes = np.sort(np.concatenate([one for one, _ in trains] or [np.zeros(0)]))
    if not len(spikes):
        return 0.0 if any(len(two) for _, two in trains) else None
    until = spikes[min(number, len(spikes)) - 1] + tolerance / 2
    matched = counted = 0
    for one, two in trains:
        first, second = one[one < until], two[two < until + tolerance]
        n = min(len(first), len(second))
        matched += int((np.abs(first[:n] - second[:n]) <= tolerance).sum())
        # A spike too many counts like one too few.
        counted += max(len(first), int((two < until - tolerance).sum()))
    return matched / counted


def compare_signals(
    population: str, segment: int, a: Activity, b: Activity, until: float
) -> list[SignalDifference]:
    """Compare the variables that both have, at the times at which both have samples.

    The first sample is left out: it is not simulated, and pyNN.nest does not always give it the
    initial value.
    """
    found = []
    for variable, one in a.signals.items():
        two = b.signals.get(variable)
        if two is None:
            continue
        # A nanosecond apart is the same time.
        times, rows, other_rows = np.intersect1d(
            np.round(one.times, 6), np.round(two.times, 6), return_indices=True
        )
        neurons, columns, other_columns = np.intersect1d(
            one.neurons, two.neurons, return_indices=True
        )
        times, rows, other_rows = times[1:], rows[1:], other_rows[1:]
        if not len(times) or not len(neurons):
            continue
        difference = (
            two.values[np.ix_(other_rows, other_columns)] - one.values[np.ix_(rows, columns)]
        )
        # The sample at the time of a spike is already that after it.
        before = difference[times < until - 1e-6]
        found.append(
            SignalDifference(
                population,
                segment,
                variable,
                one.units,
                len(neurons),
                min(until, float(times[-1])),
                *_size(before),
                *_size(difference),
            )
        )
    return found


def _size(difference: Floats) -> tuple[float, float]:
    """Root mean square, and greatest."""
    known = difference[~np.isnan(difference)]
    if not len(known):
        return 0.0, 0.0
    return float(np.sqrt(np.mean(known**2))), float(np.abs(known).max())
