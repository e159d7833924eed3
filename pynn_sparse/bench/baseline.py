"""Figures beside those of an earlier run, or of an earlier build that was run in turn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .suite import EARLIER, OWN, Comparison

FIGURES = {"build": "build", "run per second": "run"}
SLOWER = 1.1  # times the earlier median, and more than the earlier greatest time


def load(file: Path) -> list[Comparison]:
    """The comparisons of a file. Raises ValueError, with its name, for what is not such a file."""
    try:
        found = [Comparison(**each) for each in json.loads(file.read_text())["results"]]
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{file}: is not a file of `pynn-sparse bench --json`") from None
    if any(each.ranks > 1 for each in found):
        raise ValueError(f"{file}: is a file of --ranks, which has both sides of the comparison")
    return found


def of_build(found: list[Comparison]) -> list[Comparison]:
    """The runs of the earlier build, as if they had been a run of their own."""
    return [
        Comparison(each.network, each.threads, each.rng, {OWN: each.runs[EARLIER]})
        for each in found
        if EARLIER in each.runs
    ]


def beside(found: list[Comparison], before: list[Comparison]) -> tuple[str, bool]:
    """A line for each time of this backend that both have, and whether any is slower than before.

    A time is slower if its median is above the greatest earlier one, and by more than a tenth above
    the earlier median. Times of runs that other processes disturbed are shown, and do not count.
    """
    known = {(each.network, each.threads, each.rng): each for each in before}
    lines, slower = [], False
    for each in found:
        earlier = known.get((each.network, each.threads, each.rng))
        if earlier is None or OWN not in each.runs or OWN not in earlier.runs:
            lines.append(f"{each.network}, {each.threads} thr.: not measured before")
            continue
        for name, now, then, greatest in _times(each, earlier):
            worse = now > max(SLOWER * then, greatest)
            slower |= worse and not each.disturbed
            verdict = "SLOWER" if worse else "faster" if now * SLOWER < then else "alike"
            note = ", disturbed" if each.disturbed else ""
            lines.append(
                f"{each.network}, {each.threads} thr.: {name} {now:.3g} s, before {then:.3g} s: "
                f"{verdict}{note}"
            )
    return "\n".join(lines), slower


def _times(each: Comparison, earlier: Comparison) -> Iterator[tuple[str, float, float, float]]:
    """Name of a time, its median, the earlier median, and the greatest earlier time."""
    for figure, name in FIGURES.items():
        if (values := earlier.values(OWN, figure)) and each.values(OWN, figure):
            now, then = each.median(OWN, figure), earlier.median(OWN, figure)
            yield name, now, then, values[-1]
