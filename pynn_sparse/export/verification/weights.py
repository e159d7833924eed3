"""Proof that weights are those that rounding leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..nets.fixednet import FixedNet
from ..nets.rounding import ROUNDINGS
from ..proof import Check
from ..tables import Tables

Floats = NDArray[np.float64]


def as_rounded(tables: Tables, fixed: FixedNet, exact: Floats, unit: Floats) -> Check:
    """Weights are those that rounding of `exact`, in units, leaves."""
    error = np.abs(fixed.charge() / unit - exact)
    if tables.rule.minifloat is not None:  # steps grow with the weights
        digits = 2.0**tables.rule.minifloat.mantissa_bits
        power = np.floor(np.log2(np.maximum(np.abs(exact), 1.0)))
        error /= np.maximum(np.exp2(power) / digits, 1.0)
    worst = float(error.max(initial=0.0))
    bound = ROUNDINGS[tables.rule.rounding][1]
    text = f"largest error {worst:.3f} steps, {tables.rule.rounding} rounding makes {bound}"
    return Check("each weight is as rounding leaves it", worst <= bound * (1 + 1e-6), text)


def limited(weight: Floats, share: float) -> Floats:
    """Weights of a projection, but for this share of the greatest, which are as the next one."""
    order = np.argsort(np.abs(weight))
    most = np.abs(weight[order[: len(weight) - int(share * len(weight))]]).max(initial=0.0)
    return np.asarray(np.sign(weight) * np.minimum(np.abs(weight), most))


def only_zeros_are_missing(tables: Tables) -> Check:
    """Synapses that are left out had weights that round to 0."""
    bound = ROUNDINGS[tables.rule.rounding][1]
    parts = zip(tables.net.connections, tables.losses, strict=True)
    ratio = np.concatenate(
        [
            np.zeros(0),
            *(
                np.abs(limited(part.weight, tables.rule.clip)) / (loss.step or 1.0)
                for part, loss in parts
            ),
        ]
    )
    left_out = np.ones(len(ratio), bool)
    left_out[tables.origin] = False
    worst = float(ratio[left_out].max(initial=0.0))
    return Check(
        "only weights that round to 0 are left out",
        worst <= bound * (1 + 1e-9),
        f"{int(left_out.sum())} of {len(ratio)}, the greatest has {worst:.3f} steps",
    )
