"""How many steps a call down does, so that an interrupt from the keyboard is seen in time."""

from __future__ import annotations

import time
from collections.abc import Callable

AIM = 0.25  # s of a call: long beside what it costs to make one, short to a user who waits
GROWTH = 8  # from one call to the next, at most, since the first steps may be quick ones


class Pace:
    """Steps of the next call, from the time that the calls before have taken.

    How a run is divided into calls changes no result.

    Attributes:
        steps: that the next call may do.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.steps = 1

    def begin(self) -> None:
        """A call begins."""
        self._began = self._clock()

    def end(self, steps: int) -> None:
        """The call has done so many steps."""
        each = (self._clock() - self._began) / steps
        most = self.steps * GROWTH if steps >= self.steps else self.steps
        self.steps = max(int(min(most, AIM / max(each, 1e-9))), 1)
