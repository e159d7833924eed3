"""IF_facets_hardware1: IF_cond_exp as the FACETS hardware, stage 1, has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model import POSITIVE, Model, Values
from ..time import TimeGrid
from .if_cond_exp import IF_COND_EXP

CM = 0.2  # nF
FIXED = {"cm": CM, "tau_refrac": 1.0, "e_rev_E": 0.0, "i_offset": 0.0}


def _derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
    tau_m = CM / (np.asarray(p["g_leak"], float) / 1000)  # g_leak in nS
    return IF_COND_EXP.derive({**p, **FIXED, "tau_m": tau_m}, grid)


IF_FACETS_HARDWARE1 = Model(
    name="IF_facets_hardware1",
    state=IF_COND_EXP.state,
    derived=IF_COND_EXP.derived,
    derive=_derive,
    constraints=dict.fromkeys(("g_leak", "tau_syn_E", "tau_syn_I"), POSITIVE),
    recordable=IF_COND_EXP.recordable,
)
