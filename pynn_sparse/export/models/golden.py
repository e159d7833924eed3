"""The integer model that all tables are run with: it interprets a network's `Semantics`.

Time step t (1, 2, ...) takes the sum of what arrives for it, advances all neurons, and sends their
spikes; a spike of step s with hop h is input of step s + h. Sources have spikes at steps 0, 1, ...
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..nets.fixednet import FixedNet
from .by_event import ByEvent
from .relaxing import Relaxing
from .stepping import Stepping, Trace, checked

__all__ = ["Trace", "checked", "run"]

Integers = NDArray[np.int64]


def run(
    net: FixedNet, steps: int, events: Integers, states: bool = False, unlimited: bool = False
) -> Trace:
    """Run a network.

    Args:
        net: the integers.
        steps: number of time steps.
        events: int64 [n, 2], (step, axon) of the sources' spikes, in any order; those after
            `steps` have no effect.
        states: whether to keep the state after each step.
        unlimited: whether voltages and currents may leave their range, as no hardware lets them:
            then `Trace.lacking` says how much range they would need.

    Raises `ExportError` for events of neurons, of axons that do not exist, or before step 0.
    """
    semantics = net.semantics
    kind = ByEvent if semantics.by_event else Relaxing if semantics.relaxes else Stepping
    return kind(net, steps, checked(net, events), states, unlimited).run()
