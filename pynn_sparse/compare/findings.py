"""What a comparison found, and what it tolerates."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from ..door import Door

door = Door(ValueError)
DIFFERENT, EXPLAINED, SAME, NOTE = "different", "explained", "same", "note"


@dataclass(frozen=True)
class Finding:
    """A statement about two backends.

    `kind` is "different" if it counts against them being the same; "explained" if they differ for a
    reason that is known and named; "same"; or "note".
    """

    kind: str
    about: str
    text: str


@dataclass(frozen=True)
class Tolerances:
    """What may differ.

    Attributes:
        relative: difference of a mean (of rates, CVs, signals) that is negligible, of the mean.
        spread: how many times the greatest difference between seeds one between backends may be.
        p_value: with a single seed, below which the test of a measure counts.
        beginning: least share of the first 500 spikes that are in the same time step on both, in
            networks without random input.
        beginning_off_grid: likewise, of the first 100, within a time step, where one has spikes off
            the grid or another rule for a time step.
        signal: RMS by which a membrane potential (mV) may differ before spikes diverge.
        identical: whether all spikes must be in the same time steps.
    """

    relative: float = 0.05
    spread: float = 1.5
    p_value: float = 1e-3
    beginning: float = 0.98
    beginning_off_grid: float = 0.5
    signal: float = 0.1
    identical: bool = False

    def __post_init__(self) -> None:
        for name in ("relative", "p_value", "beginning", "beginning_off_grid"):
            value, must = getattr(self, name), "a number from 0 to 1"
            door.number(name, value, must, lambda number: 0 <= number <= 1)
        for name in ("spread", "signal"):
            value = getattr(self, name)
            door.number(name, value, "a number, 0 or greater", lambda number: number >= 0)
        door.flag("identical", self.identical)


def require(*packages: str) -> None:
    """Raise ImportError, with the way to install them, if packages are missing."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"comparing backends needs {' and '.join(missing)}: pip install 'pynn-sparse[compare]'"
        )
