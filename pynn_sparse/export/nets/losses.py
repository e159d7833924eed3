"""What quantisation did to weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .floatnet import Connections

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Loss:
    """What quantisation did to the weights of a projection.

    Attributes:
        label: of the projection.
        synapses: before.
        zeroed: those that became 0, and are left out.
        step: of the weights, in PyNN's unit; the greatest over targets.
        largest_error, rms_error: in PyNN's unit.
        sqnr: signal to quantisation noise, dB; infinite without error.
        dead: target neurons all of whose synapses became 0; without those that pruning left none.
        clipped: weights that were limited, see `Quantise.clip`.
    """

    label: str
    synapses: int
    zeroed: int
    step: float
    largest_error: float
    rms_error: float
    sqnr: float
    dead: int
    clipped: int = 0


@dataclass(frozen=True)
class Weights:
    """Integers of a projection; `step` and `value` are in PyNN's unit, [n]."""

    mantissa: Integers
    shift: Integers
    step: Floats
    value: Floats


def loss_of(part: Connections, weights: Weights, limited: Connections | None = None) -> Loss:
    """The loss of a projection, which may have been `limited` before it was rounded."""
    n = len(part)
    if not n:
        return Loss(part.label, 0, 0, 0.0, 0.0, 0.0, np.inf, 0)
    error = weights.value - part.weight
    noise, signal = float(np.mean(error**2)), float(np.mean(part.weight**2))
    lives = np.bincount(part.target, weights.mantissa != 0)
    connected = np.bincount(part.target)
    return Loss(
        part.label,
        n,
        int((weights.mantissa == 0).sum()),
        float(weights.step.max()),
        float(np.abs(error).max()),
        float(np.sqrt(noise)),
        float(10 * np.log10(signal / noise)) if noise and signal else np.inf,
        int(((connected > 0) & (lives == 0)).sum()),
        int((limited.weight != part.weight).sum()) if limited else 0,
    )
