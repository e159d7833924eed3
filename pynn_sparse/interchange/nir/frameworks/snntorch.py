"""snnTorch 1.0.0: `Leaky`, `Synaptic`, `RLeaky` and `RSynaptic`.

Its files have dt = 1e-4 s, tau = dt/(1 - beta), r = tau/dt and w_in = tau_syn/dt, so that what
arrives counts once. They say nothing of the reset. The default, `reset_mechanism="subtract"` with
`reset_delay=True`, takes the threshold away in the next step, after v decayed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ...layers import Neurons, Rule
from ..framework import Framework


def _of_class(rule: Rule, said: Collection[str], neurons: Neurons, recurrent: bool) -> Rule:
    """`Leaky` with a delayed reset to zero keeps the input of the next step; the others lose it."""
    if rule.reset == "blank" and neurons.kind == "LIF" and not recurrent:
        return replace(rule, reset="value")
    return rule


SNNTORCH = Framework(
    name="snntorch",
    title="snnTorch 1.0",
    rule=Rule(
        dt=1e-4,
        decay="euler",
        gain="file",
        jump="file",
        current="decay_first",
        fires=">",
        reset="subtract_next",
        spikes="one",
        leak="file",
        v_start=0.0,
        least_v="none",
        output_delay=0,
    ),
    source="snntorch/_neurons/*.py, snntorch/export_nir.py",
    special=_of_class,
)
