"""What SpiNNaker alone has: neurons that its programs compute, and the words that they read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...capability import Capability, Hops
from ...errors import Violation
from ...models.dynamics import Dynamics
from ...models.relaxing import UNIT
from ...nets.floatnet import RECEPTORS, Cells, Connections, FloatNet
from .cells import beyond_range, exact_dynamics
from .words import most_delay

SOURCES = ("SpikeSourceArray", "SpikeSourcePoisson")


@dataclass(frozen=True)
class Programs(Capability):
    """Neurons are those of sPyNNaker's programs, with potentials in mV and currents in nA."""

    def step(self, step: Dynamics, cells: Cells, dt: float) -> Dynamics:
        return exact_dynamics(cells, dt)

    def hops(self, net: FloatNet, hops: Hops) -> Hops:
        return [part.delay.copy() for part in net.connections]


@dataclass(frozen=True)
class Words(Capability):
    """Values, delays and signs have to be those that sPyNNaker's words hold."""

    neurons_per_core: int

    def of_network(self, net: FloatNet) -> Iterator[Violation]:
        for cells in net.cells:
            yield from _cells(cells, net.dt)
        for part in net.connections:
            yield from self._delays(part, net)
            yield from _signs(part)

    def _delays(self, part: Connections, net: FloatNet) -> Iterator[Violation]:
        size = net.cells[part.post].size
        most = most_delay(size, self.neurons_per_core)
        late = part.delay > most
        if late.any():
            what = f"{int(late.sum())} synapses with delays up to {part.delay.max()} steps"
            limit = f"{most} steps with {min(size, self.neurons_per_core)} neurons on a core"
            remedy = "shorten delays, lengthen the step, or take fewer neurons_per_core"
            yield Violation(part.label, what, limit, remedy)


def _cells(cells: Cells, dt: float) -> Iterator[Violation]:
    if cells.is_source:
        if cells.model not in SOURCES:
            what, limit = f"sources of type {cells.model}", ", ".join(SOURCES)
            remedy = "record their spikes, and give them to a SpikeSourceArray"
            yield Violation(cells.label, what, limit, remedy)
        return
    if cells.model != "IF_curr_exp":
        return
    names = beyond_range(cells, dt)
    if names:
        what = f"values of {', '.join(names)} beyond s16.15"
        yield Violation(cells.label, what, "-65536 to 65535.99997", "choose smaller values")
    p = cells.parameters
    taus = np.stack([p[name] for name in ("tau_m", "tau_syn_E", "tau_syn_I")])
    if (taus >= UNIT * dt).any():
        what = f"a time constant of {taus.max():g} ms, which would not decay"
        yield Violation(cells.label, what, f"below {UNIT * dt:g} ms", "choose a shorter one")


def _signs(part: Connections) -> Iterator[Violation]:
    if part.receptor not in RECEPTORS:
        return
    sign = 1 if part.receptor == RECEPTORS[0] else -1
    wrong = int((part.weight * sign < 0).sum())
    if wrong:
        what = f"{wrong} {part.receptor} synapses with the sign of the other receptor"
        limit = "signs that are the receptor's"
        yield Violation(part.label, what, limit, "give them to the other receptor")
