"""The integer model that all tables are run with: it interprets a network's `Semantics`.

Time step t (1, 2, ...) takes the sum of what arrives for it, advances all neurons, and sends their
spikes; a spike of step s with hop h is input of step s + h. Sources have spikes at steps 0, 1, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..nets.fixednet import FixedNet
from .by_event import ByEvent
from .relaxing import Relaxing
from .samples import Copies, events_through
from .stepping import Delivery, Stepping, Trace, checked

__all__ = ["Samples", "Trace", "checked", "run", "run_samples"]

Integers = NDArray[np.int64]
SYNAPSES_AT_ONCE = 1 << 21  # of all copies of a network


def run(
    net: FixedNet,
    steps: int,
    events: Integers,
    states: bool = False,
    unlimited: bool = False,
    delivery: Delivery | None = None,
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
        delivery: how spikes come to their synapses; None for at once.

    Raises `ExportError` for events of neurons, of axons that do not exist, or before step 0.
    """
    semantics = net.semantics
    kind = ByEvent if semantics.by_event else Relaxing if semantics.relaxes else Stepping
    return kind(net, steps, checked(net, events), states, unlimited, delivery).run()


@dataclass(frozen=True)
class Samples:
    """What runs of many samples left.

    Attributes:
        spikes: of each sample, as `Trace.spikes`.
        synaptic_events: of each sample, int64 [samples].
        overflows: number of times that a current or voltage left its range, in all samples.
    """

    spikes: list[Integers]
    synaptic_events: Integers
    overflows: int


def run_samples(net: FixedNet, steps: int, samples: Sequence[Integers]) -> Samples:
    """Run a network once for each of many samples, from the beginning; see `run`.

    Results are those of `run`. Small networks take much less time so: many copies of them do each
    step together.

    Args:
        net: the integers.
        steps: number of time steps of a sample.
        samples: events of each.

    Raises `ExportError` as `run` does.
    """
    events = [checked(net, each) for each in samples]
    most = max(SYNAPSES_AT_ONCE // max(net.n_synapses, 1), 1)
    spikes: list[Integers] = []
    overflows = 0
    for first in range(0, len(events), most):
        part = events[first : first + most]
        copies = Copies(net, len(part))
        trace = run(copies.network(), steps, copies.events(part))
        spikes += copies.spikes(trace.spikes)
        overflows += trace.overflows
    through = [events_through(net, steps, *each) for each in zip(events, spikes, strict=True)]
    return Samples(spikes, np.array(through, np.int64), overflows)
