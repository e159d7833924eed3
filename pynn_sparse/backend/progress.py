"""Progress bars of long runs and builds, for `setup(progress=True)`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

DELAY = 1.0  # s: what is done sooner has no bar
BETWEEN_REPORTS = 0.2  # s


def bar(**options: Any) -> Any:
    """Tqdm's bar in a terminal or notebook; nothing where standard error goes to a file."""
    # Imported here: in a notebook without ipywidgets it warns, which concerns those alone who ask
    # for a bar.
    from tqdm.auto import tqdm

    return tqdm(delay=DELAY, mininterval=BETWEEN_REPORTS, disable=None, leave=False, **options)


class RunProgress:
    """A bar over the biological time of a run, with the real-time factor.

    Args:
        step: that the run begins with.
        end: and ends with.
        dt: ms.
    """

    def __init__(self, step: int, end: int, dt: float) -> None:
        self._dt, self._first = dt, step
        self._began = self._last = time.perf_counter()
        self._steps = 100
        form = "{l_bar}{bar}| {n:.6g}/{total:.6g} ms [{elapsed}<{remaining}{postfix}]"
        self._bar = bar(total=round((end - step) * dt, 6), desc="run", bar_format=form)

    def next_stop(self, step: int) -> int:
        """How far to go before the next report: a fraction of a second, as far as can be told."""
        return step + self._steps

    def report(self, step: int) -> None:
        """Take note that the run has come to a step."""
        now = time.perf_counter()
        elapsed, self._last = now - self._last, now
        self._steps = min(max(int(self._steps * BETWEEN_REPORTS / max(elapsed, 1e-6)), 1), 10**6)
        done = (step - self._first) * self._dt
        factor = (now - self._began) / (done / 1000) if done else 0.0
        self._bar.set_postfix_str(f"{factor:.3g} s per biological second", refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()


def columns(items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
    """The items, with a bar over the postsynaptic cells of a projection."""
    yield from bar(iterable=items, total=total, desc=label, unit=" cells")
