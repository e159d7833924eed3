"""Spike sources that fire what a network is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...parameters import Sequence
from .. import simulator


def spike_times(counts: NDArray[Any], steps: NDArray[Any]) -> list[Sequence]:
    """Times (ms) of sources that fire `counts` times, integers [sources, ...], at `steps` [...]."""
    flat = counts.reshape(len(counts), -1)
    source, place = np.nonzero(flat)
    times = np.repeat(steps.ravel()[place], flat[source, place]) * simulator.state.dt
    ends = np.cumsum(flat.sum(axis=1, dtype=np.int64))
    return [Sequence(each) for each in np.split(times, ends[:-1])]
