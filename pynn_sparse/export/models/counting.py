"""Layers that count: what is left of neurons on hardware that has no time.

Spikes are counted in windows of N time steps. With the counts n_i of a window, neuron j has the
potential p_j = sum of w_ij n_i, and its activation, which is what the next layer counts, is the
number of levels k = 1 .. 2^bits - 1 that p_j exceeds::

    p_j > threshold_j + (k - 1) step_j

The levels follow from the neuron: an input that stays constant lets a leaky neuron fire k - 1/2
times in a window, on average, if the charge of a window is::

    Q_k = N ((threshold - reset f^s) (1 - f) / (1 - f^s) - bias),   s = N / (k - 1/2) - refractory

with the factor f of the voltage over a step, the bias of a step, and s steps from a reset to the
next spike. So activations are numbers of spikes rounded to the nearest. The threshold is Q_1, the
step the mean of (Q_k - Q_1) / (k - 1): a line cannot follow all levels, and errors count relative
to the activation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..hardware import Numbers
from ..nets.fixednet import FixedNet
from ..nets.floatnet import FloatNet
from ..proof import Check
from .dynamics import Dynamics
from .model import Model
from .registers import RegisterError
from .semantics import COMPARISONS
from .stepping import Trace, checked

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
FRACTION = 4  # bits of a step behind the point
MOST_BITS = 4  # of activations; steps are those of so many bits


@dataclass(frozen=True)
class LayerSemantics:
    """What a layer does with the counts of a window.

    Attributes:
        window: time steps.
        input_bits: of a source's count.
        activation_bits: of a neuron's count, up to `MOST_BITS`.
        compare: of potential and level, of `COMPARISONS`.
    """

    window: int
    input_bits: int
    activation_bits: int
    compare: str = "greater"
    n_receptors = 1

    def __post_init__(self) -> None:
        if self.compare not in COMPARISONS:
            choices = ", ".join(COMPARISONS)
            raise ValueError(f"compare = {self.compare!r}: must be one of {choices}")

    @property
    def levels(self) -> int:
        """Greatest activation."""
        return (1 << self.activation_bits) - 1

    @property
    def unit(self) -> int:
        """What a step's register counts, in units of 2^-FRACTION of a potential."""
        return 1 << (MOST_BITS - self.activation_bits)

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LayerSemantics:
        """The semantics that `to_json` described."""
        return cls(**data)


@dataclass(frozen=True)
class LayerProfiles:
    """Registers that neurons share, int64 [n_profiles] each: `step` has FRACTION bits."""

    threshold: Integers
    step: Integers

    def registers(self) -> dict[str, Integers]:
        """All of them, by name."""
        return vars(self)


def level_charges(step: Dynamics, semantics: LayerSemantics) -> Floats:
    """Charges of a window, mV, at which neurons fire k - 1/2 times in it, [size, levels].

    NaN where refractory periods, or the time step, leave no time for that.
    """
    k = np.arange(1, semantics.levels + 1)
    steps = semantics.window / (k - 0.5) - step.refractory[:, None]
    factor, reset = step.voltage_factor[:, None], step.reset[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        left = factor**steps
        lost = -np.expm1(steps * np.log(factor))  # 1 - left, also where that is small
        share = np.where(factor < 1, (1 - factor) / lost, 1 / steps)
        drive = (step.threshold[:, None] - reset * left) * share - step.bias[:, None]
    return np.where(steps >= 1, semantics.window * drive, np.nan)


def line(charges: Floats) -> tuple[Floats, Floats]:
    """Threshold and step, mV, of the line that follows level charges [size, levels]."""
    k = np.arange(1, charges.shape[1])
    slopes = (charges[:, 1:] - charges[:, :1]) / k
    reached = np.isfinite(slopes)
    total = np.where(reached, slopes, 0.0).sum(axis=1)
    return charges[:, 0], total / np.maximum(reached.sum(axis=1), 1)


class Layers(Model):
    """Neurons as levels of a sum: their update is a `LayerSemantics`."""

    semantics_type = LayerSemantics

    def gain(self, step: Dynamics, semantics: LayerSemantics) -> Floats:
        """All that a spike brings, for ever: its charge."""
        return np.asarray(step.gain / (1 - step.current_factor))

    def columns(
        self, step: Dynamics, scale: Floats, numbers: Numbers, semantics: LayerSemantics
    ) -> Integers:
        threshold, width = line(level_charges(step, semantics))
        strict = 1 if semantics.compare == "greater" else 0
        sixteenths = width * scale * (1 << FRACTION) / semantics.unit
        columns = [np.rint(threshold * scale) - strict, np.maximum(np.rint(sixteenths), 1)]
        return np.stack(columns, axis=1).astype(np.int64)

    def profiles(
        self, columns: Integers, semantics: LayerSemantics
    ) -> tuple[LayerProfiles, Integers]:
        unique, which = np.unique(columns, axis=0, return_inverse=True)
        return LayerProfiles(unique[:, 0], unique[:, 1]), which.reshape(-1).astype(np.int64)

    def error(
        self, label: str, step: Dynamics, scale: Floats, numbers: Numbers, semantics: LayerSemantics
    ) -> RegisterError:
        """The greatest error of a level relative to that of the neuron, as for `threshold`."""
        charges = level_charges(step, semantics) * scale[:, None]
        columns = self.columns(step, scale, numbers, semantics)
        error = np.abs(registered_levels(columns[:, 0], columns[:, 1], semantics) - charges)
        greatest = np.nanmax(error / np.nanmax(np.abs(charges), axis=1)[:, None], initial=0.0)
        return RegisterError(label, 0.0, 0.0, float(greatest), 0.0)

    def checks(
        self,
        fixed: FixedNet,
        net: FloatNet,
        steps: list[Dynamics],
        scale: Floats,
        numbers: Numbers,
    ) -> Iterator[Check]:
        semantics, profile = fixed.semantics, fixed.profile
        fits = [_fitted(level_charges(step, semantics)) for step in steps]
        threshold, width = (np.concatenate(each) * scale for each in zip(*fits, strict=True))
        strict = 1 if semantics.compare == "greater" else 0
        off = np.abs(fixed.profiles.threshold[profile] + strict - threshold)
        yield _nearest("threshold", off)
        sixteenths = np.maximum(width * (1 << FRACTION) / semantics.unit, 1)
        off = np.abs(fixed.profiles.step[profile] - sixteenths)
        yield _nearest("step", off)

    def steps_of_a_spike(self, semantics: LayerSemantics) -> int:
        return semantics.window

    def check_steps(self, semantics: LayerSemantics, steps: int) -> None:
        if not steps % semantics.window:
            return
        fitting = next(n for n in range(min(semantics.window, steps), 0, -1) if not steps % n)
        raise ExportError(
            f"duration of {steps} steps: must be a multiple of the window of {semantics.window}; "
            f"run as long as that, or take window={fitting} (--option window={fitting})"
        )

    def run(self, fixed: FixedNet, steps: int, events: Integers, states: bool = False) -> Trace:
        """Run the windows of a duration.

        A neuron's activations are returned as spikes at regular distances, the last one with the
        window's end: only their number means something. `Trace.voltage` has the potentials of each
        window, [windows, N]; `overflows` is the number of counts of sources that `input_bits` do
        not hold, and that were replaced by the greatest one.

        Raises `ExportError` unless the duration is a multiple of the window.
        """
        semantics = fixed.semantics
        self.check_steps(semantics, steps)
        counts = count(fixed, steps, checked(fixed, events))
        most = (1 << semantics.input_bits) - 1
        over = int((counts > most).sum())
        potential, activation = forward(fixed, np.minimum(counts, most))
        passed = np.concatenate([activation, np.minimum(counts, most)], axis=1)
        return Trace(
            _spikes(activation, semantics.window),
            int((passed * np.diff(fixed.start)).sum()),
            over,
            int(np.abs(potential).max(initial=0)),
            merged=0,
            voltage=potential if states else None,
        )


def count(fixed: FixedNet, steps: int, events: Integers) -> Integers:
    """Spikes of each source in each window, [windows, sources], of events (step, axon)."""
    window = fixed.semantics.window
    counts = np.zeros((steps // window, fixed.n_axons - fixed.n_neurons), np.int64)
    inside = events[:, 0] < steps
    step, axon = events[inside].T
    np.add.at(counts, (step // window, axon - fixed.n_neurons), 1)
    return counts


def forward(fixed: FixedNet, counts: Integers) -> tuple[Integers, Integers]:
    """Potentials and activations [windows, N] of counts [windows, sources]."""
    profiles, profile = fixed.profiles, fixed.profile
    potential = np.zeros((len(counts), fixed.n_neurons), np.int64)
    activation, source, charge = potential, fixed.source, fixed.charge()
    for _ in range(fixed.n_neurons + 1):  # as often as there are layers, and once more
        axons = np.concatenate([activation, counts], axis=1)
        potential = np.stack(
            [
                np.bincount(fixed.target, charge * row[source], fixed.n_neurons).astype(np.int64)
                for row in axons
            ]
            or [np.zeros(fixed.n_neurons, np.int64)]
        )[: len(counts)]
        after = activations(
            potential, profiles.threshold[profile], profiles.step[profile], fixed.semantics
        )
        if np.array_equal(after, activation):
            break
        activation = after
    return potential, activation


def activations(
    potential: Integers, threshold: Integers, step: Integers, semantics: LayerSemantics
) -> Integers:
    """Number of levels that potentials [..., N] reach."""
    above = (potential - threshold) << FRACTION
    reached = COMPARISONS[semantics.compare]
    width = step * semantics.unit
    return np.asarray(
        sum(reached(above, k * width).astype(np.int64) for k in range(semantics.levels))
    )


def registered_levels(threshold: Integers, step: Integers, semantics: LayerSemantics) -> Floats:
    """The least potentials, with a fraction, of each activation, [N, levels]."""
    strict = 1 if semantics.compare == "greater" else 0
    k = np.arange(semantics.levels)
    width = step * semantics.unit / (1 << FRACTION)
    return np.asarray(threshold[:, None] + strict + k * width[:, None], float)


def _fitted(charges: Floats) -> tuple[Floats, Floats]:
    """What `line` returns, as least squares of levels over their distance from the first one."""
    kinds, which = np.unique(charges, axis=0, return_inverse=True)
    steps = []
    for row in kinds:
        k = np.flatnonzero(np.isfinite(row))[1:]
        rows, wanted = k[:, None] / k[:, None], (row[k] - row[0]) / k
        steps.append(np.linalg.lstsq(rows, wanted, rcond=None)[0][0] if len(k) else 0.0)
    return charges[:, 0], np.array(steps)[which.reshape(-1)]


def _nearest(name: str, error: Floats) -> Check:
    worst = float(error.max(initial=0.0))
    return Check(
        f"each neuron has its {name}", worst <= 0.5 + 1e-6, f"largest error {worst:.4g} units"
    )


def _spikes(activation: Integers, window: int) -> Integers:
    """Events (step, neuron): the i-th of a spikes of a window is in its step ceil(i window / a)."""
    where, neuron = np.nonzero(activation)
    number = activation[where, neuron]
    ordinal = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number) + 1
    each = np.repeat(number, number)
    step = np.repeat(where * window, number) - (-ordinal * window // each)
    events = np.stack([step, np.repeat(neuron, number)], axis=1)
    return np.asarray(events[np.lexsort((events[:, 1], events[:, 0]))], np.int64)


LAYERS = Layers()
