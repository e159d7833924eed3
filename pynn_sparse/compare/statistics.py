"""Measures of activity as distributions, and how far those of two backends lie apart.

Neurons of one network are not independent samples, so p-values of tests that pool them are shown
but decide nothing where there is a better yardstick: how far apart runs of one backend with
different seeds lie. A difference between backends counts if it exceeds the greatest difference
between seeds by a factor, and is not negligible.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .activity import Activity, Floats
from .findings import Tolerances, require

SAMPLE = 100  # neurons, of which all pairs are correlated
BIN = 5.0  # ms, of the counts that are correlated
SPECTRUM_BIN = 1.0  # ms, of the population's rate
RESOLUTION = 5.0  # Hz, of the spectrum
HIGHEST = 250.0  # Hz
LEAST_INTERVALS = 2  # of a neuron whose CV counts
EXACT = 50  # values, up to which p-values are exact
KS_FLOOR = 0.1  # a Kolmogorov-Smirnov distance below that is negligible


@dataclass
class Measure:
    """A quantity of a population on two backends.

    Attributes:
        means: on each backend, over seeds.
        samples: how many values there are on each, over seeds.
        p_value, effect: of a two-sample Kolmogorov-Smirnov test of all values, and Cliff's delta:
            how much more often a value of the second backend is greater than one of the first than
            the other way round, from -1 to 1.
        between: distances between backends with the same seed: of the mean (in `unit`), and of the
            distribution (Kolmogorov-Smirnov; for spectra, root mean square in dB).
        within: greatest distances between seeds of one backend; None with a single seed.
        differs: whether the difference counts.
    """

    population: str
    name: str
    unit: str
    means: tuple[float, float]
    samples: tuple[int, int]
    p_value: float
    effect: float
    between: tuple[float, float]
    within: tuple[float, float] | None
    differs: bool
    values: tuple[Floats, Floats] = field(repr=False, default=(np.zeros(0), np.zeros(0)))

    @property
    def relative(self) -> float:
        """Difference of the means, of the greater one."""
        greatest = max(map(abs, self.means))
        return self.between[0] / greatest if greatest else 0.0


@dataclass(frozen=True)
class Kind:
    """How a measure is taken from a population's segments, and when a difference is negligible.

    `floor` is for the means, in `unit`; None for `Tolerances.relative` of the mean.
    """

    name: str
    unit: str
    values: Callable[[list[Activity]], Floats]
    floor: float | None = None
    spectrum: bool = False


def rates(segments: list[Activity]) -> Floats:
    """Spikes per second of each neuron."""
    time = sum(each.duration for each in segments) / 1000
    neurons = _neurons(segments)
    counts = [sum(len(each.trains.get(neuron, ())) for each in segments) for neuron in neurons]
    return np.array(counts, float) / time if time else np.zeros(0)


def cvs(segments: list[Activity]) -> Floats:
    """Coefficient of variation of the intervals of each neuron with three spikes or more."""
    from elephant.statistics import cv

    found = []
    for neuron in _neurons(segments):
        intervals = [np.diff(each.trains[neuron]) for each in segments if neuron in each.trains]
        joined = np.concatenate(intervals)
        if len(joined) >= LEAST_INTERVALS and joined.mean() > 0:
            found.append(float(cv(joined)))
    return np.array(found)


def correlations(segments: list[Activity]) -> Floats:
    """Pearson's correlation of binned counts, of the pairs of up to 100 neurons that spike."""
    import neo
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient

    longest = max(segments, key=lambda each: each.duration)
    neurons = list(longest.trains)
    if len(neurons) > SAMPLE:
        neurons = [neurons[i] for i in np.linspace(0, len(neurons) - 1, SAMPLE).astype(int)]
    bins = math.floor(longest.duration / BIN + 1e-9)
    stop = longest.start + bins * BIN
    inside = [_between(longest.trains[neuron], longest.start, stop) for neuron in neurons]
    inside = [times for times in inside if len(times)]
    if len(inside) < 2 or bins < 2:
        return np.zeros(0)
    with _quiet():
        trains = [
            neo.SpikeTrain(times, units="ms", t_start=longest.start, t_stop=stop)
            for times in inside
        ]
        binned = BinnedSpikeTrain(trains, n_bins=bins, t_start=trains[0].t_start, tolerance=1e-6)
        matrix = np.asarray(correlation_coefficient(binned))
    found = matrix[np.triu_indices(len(trains), 1)]
    return np.asarray(found[~np.isnan(found)], np.float64)


def spectrum(segments: list[Activity]) -> Floats:
    """Power of the population's rate up to 250 Hz, in dB, by frequency; empty if too short."""
    from elephant.spectral import welch_psd

    longest = max(segments, key=lambda each: each.duration)
    bins = math.floor(longest.duration / SPECTRUM_BIN + 1e-9)
    if not longest.n_spikes or bins < 2000 / RESOLUTION / SPECTRUM_BIN:
        return np.zeros(0)
    edges = longest.start + SPECTRUM_BIN * np.arange(bins + 1)
    # Half a microsecond keeps spikes on an edge in the bin that begins there.
    times = np.concatenate(list(longest.trains.values())) + 5e-4
    counts, _ = np.histogram(times, edges)
    signal = 1000 * counts / (len(longest.trains) * SPECTRUM_BIN)  # Hz
    frequency = 1000 / SPECTRUM_BIN
    with _quiet():
        frequencies, power = welch_psd(
            signal, frequency_resolution=RESOLUTION, fs=frequency, detrend="constant"
        )
    chosen = (frequencies > 0) & (frequencies <= HIGHEST)
    return np.asarray(10 * np.log10(np.maximum(np.ravel(power)[chosen], 1e-12)), np.float64)


def frequencies() -> Floats:
    """Frequencies (Hz) of the values of `spectrum`."""
    return np.asarray(RESOLUTION * np.arange(1, HIGHEST / RESOLUTION + 1), np.float64)


KINDS = [
    Kind("rate", "Hz", rates),
    Kind("CV of intervals", "", cvs),
    Kind("correlation", "", correlations, floor=0.01),
    Kind("power spectrum", "dB", spectrum, floor=1.0, spectrum=True),
]


def of_signal(variable: str, statistic: str) -> Callable[[list[Activity]], Floats]:
    """Mean or standard deviation over time of each neuron's signal, but for the initial value."""
    function: Any = {"mean": np.nanmean, "SD": np.nanstd}[statistic]

    def values(segments: list[Activity]) -> Floats:
        longest = max((each for each in segments if variable in each.signals), key=_duration)
        if len(longest.signals[variable].times) < 2:
            return np.zeros(0)
        return np.asarray(function(longest.signals[variable].values[1:], axis=0), np.float64)

    return values


def measures(
    population: str,
    a: list[list[Activity]],
    b: list[list[Activity]],
    tolerances: Tolerances,
) -> list[Measure]:
    """Measures of a population on two backends; `a` and `b` have the segments of each seed."""
    require("elephant", "scipy")
    kinds = list(KINDS) if any(each.trains for run in (*a, *b) for each in run) else []
    common = set.intersection(*({*_variables(run)} for run in (*a, *b)))
    for variable in sorted(common):
        units = next(each.signals[variable].units for each in a[0] if variable in each.signals)
        for statistic in ("mean", "SD"):
            values = of_signal(variable, statistic)
            kinds.append(Kind(f"{statistic} of {variable}", units, values))
    found = []
    for kind in kinds:
        values_a, values_b = ([kind.values(run) for run in runs] for runs in (a, b))
        if any(len(each) for each in (*values_a, *values_b)):
            found.append(_measure(population, kind, values_a, values_b, tolerances))
    return found


def _measure(
    population: str, kind: Kind, a: list[Floats], b: list[Floats], tolerances: Tolerances
) -> Measure:
    pooled = np.concatenate(a), np.concatenate(b)
    means = _mean(pooled[0]), _mean(pooled[1])
    apart = [_distance(kind, one, two) for one, two in zip(a, b, strict=False)]
    distribution = float(np.mean([each[1] for each in apart]))
    # Differences of means of either sign cancel; distances of distributions have none.
    difference = abs(float(np.mean([_mean(each) for each in a])) - _mean_of(b))
    negligible = not difference > 1e-9 * np.nanmax(np.abs(means))  # rounding errors, or no values
    between = (0.0 if negligible else difference, distribution)
    within = None
    if min(len(a), len(b)) > 1:
        pairs = [
            _distance(kind, *two) for runs in (a, b) for two in itertools.combinations(runs, 2)
        ]
        within = max(one for one, _ in pairs), max(two for _, two in pairs)
    one_is_empty = not (len(pooled[0]) and len(pooled[1]))
    p_value = 0.0 if one_is_empty else float(_kolmogorov_smirnov(*pooled).pvalue)
    found = Measure(
        population,
        kind.name,
        kind.unit,
        means,
        (len(pooled[0]), len(pooled[1])),
        p_value,
        cliffs_delta(*pooled),
        between,
        within,
        differs=one_is_empty,
        values=pooled if not kind.spectrum else (_mean_spectrum(a), _mean_spectrum(b)),
    )
    found.differs = one_is_empty or _counts(found, kind, tolerances)
    return found


def _counts(found: Measure, kind: Kind, tolerances: Tolerances) -> bool:
    """Whether a difference is neither negligible nor what other seeds would make."""
    greatest = max(map(abs, found.means))
    floors = (
        tolerances.relative * greatest if kind.floor is None else kind.floor,
        kind.floor if kind.spectrum and kind.floor is not None else KS_FLOOR,
    )
    if found.within is None:
        return found.between[0] > floors[0] and found.p_value < tolerances.p_value
    return any(
        apart > max(floor, tolerances.spread * yardstick)
        for apart, floor, yardstick in zip(found.between, floors, found.within, strict=True)
    )


def _distance(kind: Kind, a: Floats, b: Floats) -> tuple[float, float]:
    """Distance of the means and of the distributions; 0 and 1 if one has no values."""
    if not (len(a) and len(b)):
        return 0.0, float(len(a) != len(b))
    if kind.spectrum:
        n = min(len(a), len(b))
        return abs(_mean(a) - _mean(b)), float(np.sqrt(np.mean((a[:n] - b[:n]) ** 2)))
    return abs(_mean(a) - _mean(b)), float(_kolmogorov_smirnov(a, b).statistic)


def _kolmogorov_smirnov(a: Floats, b: Floats) -> Any:
    from scipy.stats import ks_2samp

    # Rounding errors must not decide which of two values is the greater.
    unit = 1e-9 * max(np.abs(a).max(), np.abs(b).max(), 1e-300)
    # Exact p-values take long for many values, and the approximation does not hold for few.
    method = "exact" if max(len(a), len(b)) <= EXACT else "asymp"
    with warnings.catch_warnings():
        # It is the approximation that is wanted then.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation", RuntimeWarning)
        return ks_2samp(np.rint(a / unit), np.rint(b / unit), method=method)


def cliffs_delta(a: Floats, b: Floats) -> float:
    """How much more often a value of `b` exceeds one of `a` than falls below it, -1 to 1.

    Cliff (1993), doi:10.1037/0033-2909.114.3.494. 0 if one is empty.
    """
    if not (len(a) and len(b)):
        return 0.0
    ordered = np.sort(a)
    below = np.searchsorted(ordered, b, "left").sum()
    above = (len(a) - np.searchsorted(ordered, b, "right")).sum()
    return float((below - above) / (len(a) * len(b)))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan


def _mean_of(runs: list[Floats]) -> float:
    return float(np.mean([_mean(each) for each in runs]))


def _mean_spectrum(runs: list[Floats]) -> Floats:
    known = [each for each in runs if len(each)]
    return np.mean(known, axis=0) if known else np.zeros(0)


def _neurons(segments: Iterable[Activity]) -> list[int]:
    return sorted({neuron for each in segments for neuron in each.trains})


def _variables(segments: Iterable[Activity]) -> set[str]:
    return {variable for each in segments for variable in each.signals}


def _duration(segment: Activity) -> float:
    return segment.duration


def _between(times: Floats, start: float, stop: float) -> Floats:
    return times[(times >= start) & (times < stop)]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Elephant uses what newer versions of NumPy, quantities and SciPy deprecate."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", category)
        yield
