"""Bits that the synapses of a network take in various forms."""

from __future__ import annotations

import numpy as np

from ..nets.fixednet import FixedNet
from ..nets.layout import bits_for

GAP_BITS = 4


def sizes(fixed: FixedNet, weight_bits: int) -> dict[str, int]:
    """Form -> bits, for weights alone, without delays and formats.

    Dense matrices and bitmaps cover all axons and neurons. Run lengths store the gap to the next
    target of a row in `GAP_BITS` bits; a longer gap takes entries of weight 0.
    """
    axons, neurons, synapses = fixed.n_axons, fixed.n_neurons, fixed.n_synapses
    pairs = axons * neurons
    index, pointer = bits_for(neurons - 1), bits_for(synapses)
    return {
        "dense matrix": pairs * weight_bits,
        "bitmap and weights": pairs + synapses * weight_bits,
        "rows of indices and weights": synapses * (weight_bits + index) + (axons + 1) * pointer,
        f"run lengths of {GAP_BITS} bits": _entries(fixed) * (weight_bits + GAP_BITS),
    }


def _entries(fixed: FixedNet) -> int:
    """Synapses, and the fillers of weight 0 in gaps of 2^GAP_BITS or more."""
    if not fixed.n_synapses:
        return 0
    before = np.append(-1, fixed.target[:-1])
    source = fixed.source
    before[np.append(True, np.diff(source) != 0)] = -1
    gaps = np.maximum(fixed.target - before - 1, 0)
    return fixed.n_synapses + int((gaps >> GAP_BITS).sum())
