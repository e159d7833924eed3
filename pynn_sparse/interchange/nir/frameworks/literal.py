"""The equations of NIR's documentation, by Euler's method; no program computes just that.

An input of height 1 lasts for one step, so that it adds r dt/tau to v, or w_in dt/tau_syn to the
current, which v sees in the same step.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ...layers import Neurons, Rule
from ..framework import Framework


def _start(rule: Rule, said: Collection[str], neurons: Neurons, recurrent: bool) -> Rule:
    """NIR does not say where v begins; that makes no difference where all candidates are 0."""
    rests = [neurons.values[each] for each in ("v_leak", "v_reset") if each in neurons.values]
    if rule.v_start is None and not any(each.any() for each in rests):
        return replace(rule, v_start=0.0)
    return rule


LITERAL = Framework(
    name="literal",
    title="NIR 1.0.8's equations",
    rule=Rule(
        decay="euler",
        gain="file",
        jump="file",
        current="decay_first",
        fires=">",
        reset="value",
        spikes="one",
        leak="file",
        least_v="none",
        output_delay=0,
    ),
    source="https://neuroir.org/docs/primitives.html",
    special=_start,
)
