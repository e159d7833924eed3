"""Whether values stayed in their range: which ones did not, by how much, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import accepting
from ..models import golden
from ..models.golden import Trace
from ..models.model import Leaky
from ..nets.number_formats import MOST_HEADROOM
from ..proof import Check
from ..tables import Tables

SATURATION = "saturation"  # the approximation


def range_check(tables: Tables, trace: Trace, steps: int, events: NDArray[np.int64]) -> Check:
    """Values stayed in their range, or saturated as the hardware's do, if that was accepted.

    Args:
        tables: that were run.
        trace: of the run.
        steps: of the run.
        events: of the run, see `golden.run`.
    """
    limit = tables.target.greatest_input(tables.fixed, tables.rule.weight_bits)
    figures = f"largest input {trace.largest_input}, limit {limit}"
    statement = "currents, voltages and inputs stay in range"
    if not trace.overflows and trace.largest_input <= limit:
        return Check(statement, True, f"0 left it; {figures}")
    lacking = bits_lacking(tables, trace, steps, events)
    parts = [f"{trace.overflows} left it", *_left(tables, trace, lacking), figures]
    saturated = trace.largest_input <= limit and can_saturate(tables, trace)
    if saturated and SATURATION in tables.accept:
        return Check(f"{statement}, or saturation was accepted", True, "; ".join(parts))
    return Check(statement, False, "; ".join([*parts, _remedy(tables, lacking, saturated)]))


def can_saturate(tables: Tables, trace: Trace) -> bool:
    """Whether all that left its range saturates in the hardware, to the bit as in the model."""
    return bool(trace.lacking) and set(trace.lacking) <= set(tables.target.saturates)


def bits_lacking(
    tables: Tables, trace: Trace, steps: int, events: NDArray[np.int64]
) -> Mapping[str, NDArray[np.int64]]:
    """Bits that ranges of each neuron would have to have more, by register, see `Trace.lacking`.

    What saturates goes no further: so a run is taken in which nothing does.
    """
    if not trace.lacking or not isinstance(tables.target.model, Leaky):
        return trace.lacking
    return golden.run(tables.fixed, steps, events, unlimited=True).lacking


def more_headroom(lacking: Mapping[str, NDArray[np.int64]]) -> int:
    """Bits of headroom that these come to."""
    registers = [lacking[name] for name in ("voltage", "current") if name in lacking]
    return max((int(bits.max()) for bits in registers), default=0)


def _left(tables: Tables, trace: Trace, lacking: Mapping[str, NDArray[np.int64]]) -> Iterator[str]:
    """Population, register, number of cells and of bits."""
    for register in trace.lacking:
        bits = lacking[register]
        for each in tables.frame.axons:
            if each.is_source:
                continue
            here = bits[each.first : each.first + each.size]
            if here.any():
                yield (
                    f"{register} of {int((here > 0).sum())} cells of {each.label}, "
                    f"{int(here.max())} bits more are needed"
                )


def _remedy(tables: Tables, lacking: Mapping[str, NDArray[np.int64]], saturated: bool) -> str:
    target, ways = tables.target, []
    headroom = tables.rule.headroom + max(more_headroom(lacking), 1)
    if target.remedy:
        ways.append(target.remedy)
    elif headroom <= MOST_HEADROOM:
        ways.append(f"quantise with more headroom, headroom={headroom} (--headroom {headroom})")
    else:
        more = target.wider or "give neurons weaker input"
        ways.append(f"{headroom} bits of headroom are more than {MOST_HEADROOM}: {more}")
    if saturated:
        ways.append(f"or {accepting(SATURATION)}: the hardware does the same")
    return ", ".join(ways)
