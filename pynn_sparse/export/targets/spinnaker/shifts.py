"""By how much SpiNNaker's ring buffers are shifted, as sPyNNaker decides it.

A ring buffer has 16 bits for the sum of all weights that arrive at a neuron's receptor in a step.
It becomes a current in s16.15 by a left shift, the same for a population's receptor: the least with
which an upper bound of that sum fits, which is the greatest weight, or the mean and some standard
deviations of what Poisson spikes bring, but at most what all synapses together do. Where all delays
are equal, it is what all do. After `population_vertex.py` of sPyNNaker 1!7.4.1; there, too, all
populations have the same expected rate, whatever their own is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...nets.floatnet import Connections, FloatNet

POISSON_SIGMA = 3.0  # standard deviations of the number of spikes that are looked at
LOG_MOST = 701.0  # beyond, sPyNNaker leaves the variance of weights out


@dataclass(frozen=True)
class RingBuffers:
    """What sPyNNaker's users may set.

    Attributes:
        ring_buffer_sigma: standard deviations above the mean.
        spikes_per_second: expected of every neuron and source.
        max_expected_summed_weight: greatest sum in nA instead, for both receptors.
    """

    ring_buffer_sigma: float = 5.0
    spikes_per_second: float = 30.0
    max_expected_summed_weight: float | None = None


@dataclass
class _Moments:
    """Mean and variance of what several groups of samples have together."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, n: int, mean: float, variance: float) -> None:
        difference, before = mean - self.mean, self.n
        self.n += n
        self.mean = (before * self.mean + n * mean) / self.n
        self.squares += variance * (n - 1.0) + difference * difference * before * n / self.n

    @property
    def variance(self) -> float:
        return self.squares / (self.n - 1.0) if self.n > 1 else 0.0


def ring_shift(parts: Iterable[Connections], dt: float, rule: RingBuffers) -> int:
    """The shift of a receptor, from all projections to it."""
    given = rule.max_expected_summed_weight
    return shift_for(_bound(list(parts), dt, rule) if given is None else given)


def shift_for(bound: float) -> int:
    """The least shift at which a sum stays below 2^shift."""
    if bound <= 0:
        return 0
    shift = max(0, math.ceil(math.log2(bound)))
    return shift + 1 if 2**shift <= bound else shift


def _bound(parts: list[Connections], dt: float, rule: RingBuffers) -> float:
    """Upper bound of the sum of weights in a step, nA."""
    weights, delays = _Moments(), _Moments()
    total, greatest = 0.0, 0.0
    spikes = max(1.0, rule.spikes_per_second * dt / 1000.0)
    for part in parts:
        magnitude = np.abs(part.weight)
        fan_in = int(np.bincount(part.target).max())
        weights.add(fan_in, float(np.mean(magnitude)), float(np.var(magnitude)))
        delays.add(fan_in, 0.0, float(np.var(part.delay * dt)))
        greatest = max(greatest, float(magnitude.max()))
        total += spikes * float(magnitude.max()) * fan_in
    if delays.variance == 0.0:
        return max(total, greatest)
    expected = _poisson_bound(weights, rule.spikes_per_second * dt / 1000.0, rule.ring_buffer_sigma)
    return max(min(expected, total), greatest)


def _poisson_bound(weights: _Moments, spikes_per_step: float, sigma: float) -> float:
    """Mean and `sigma` standard deviations of what Poisson spikes bring in a step."""
    mean = weights.n * spikes_per_step
    variance = mean * weights.mean**2 + weights.variance * _spikes_counted(mean)
    return mean * weights.mean + sigma * math.sqrt(variance)


def _spikes_counted(mean: float) -> float:
    """Expected number of spikes, those beyond a bound left out: mean * P(N < bound)."""
    bound = round(mean + POISSON_SIGMA * math.sqrt(mean))
    logarithm = math.log(mean) * bound - math.lgamma(1 + bound)
    if not -LOG_MOST < logarithm < LOG_MOST or logarithm == 0.0:
        return 0.0
    terms = (k * math.log(mean) - math.lgamma(1 + k) - mean for k in range(bound))
    return mean * math.fsum(map(math.exp, terms))


def shifts_of(net: FloatNet, rule: RingBuffers) -> dict[tuple[int, str], int]:
    """(population, receptor) -> shift, of those with synapses."""
    parts: dict[tuple[int, str], list[Connections]] = {}
    for part in net.connections:
        if len(part):
            parts.setdefault((part.post, part.receptor), []).append(part)
    return {key: ring_shift(each, net.dt, rule) for key, each in parts.items()}
