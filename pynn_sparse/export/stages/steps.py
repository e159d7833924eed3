"""What each population does in a time step, as the target can do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..models.dynamics import Dynamics, dynamics, exact_hops
from ..nets.floatnet import RECEPTORS, FloatNet
from ..target import Target

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Steps:
    """The steps of a network on a target.

    Attributes:
        of: index of a population of neurons -> its step, in the order of populations.
        gains: for each projection, mV per step that a weight of 1 adds, float64 [n].
        hops: for each projection, steps from a spike to the one whose input it is, int64 [n].
        receptors: synaptic currents in use, 1 or 2.
    """

    of: Mapping[int, Dynamics]
    gains: tuple[Floats, ...]
    hops: tuple[Integers, ...]
    receptors: int


def steps_of(net: FloatNet, target: Target) -> Steps:
    """The steps of a network that `legalise` has let pass, with approximations where needed.

    That an approximation was accepted is no reason to make it where the target can do without.
    """
    limits, semantics, capabilities = target.limits(), target.semantics(2), target.capabilities()
    of = {}
    for index, cells in enumerate(net.cells):
        if cells.is_source:
            continue
        step = dynamics(cells, net.dt, limits.reset_to_zero)
        for capability in capabilities:
            step = capability.step(step, cells, net.dt)
        of[index] = replace(step, gain=target.model.gain(step, semantics))
    hops = exact_hops(net)
    for capability in capabilities:
        hops = capability.hops(net, hops)
    gains = (
        of[part.post].gain[part.target, RECEPTORS.index(part.receptor)] for part in net.connections
    )
    return Steps(of, tuple(gains), tuple(hops), _receptors_in_use(net, of))


def _receptors_in_use(net: FloatNet, steps: Mapping[int, Dynamics]) -> int:
    """One current is enough where both receptors' decay alike, or one has no synapses."""
    used = {part.receptor for part in net.connections if len(part)}
    alike = all((s.current_factor[:, 0] == s.current_factor[:, 1]).all() for s in steps.values())
    return 1 if alike or used <= {"excitatory"} else 2
