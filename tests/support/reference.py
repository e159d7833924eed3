"""A plain simulation of small networks, a neuron, a synapse and a time step at a time.

It is written from docs/semantics.md and docs/models.md, and shares nothing with the engine:
numbers are Python's, synapses are objects in a list, and what is on its way waits in a dictionary.
It stands among the tests, not in the engine, so that nothing but tests can come to depend on it.

Time is counted in steps of h ms. Units are PyNN's: mV, nF, nA, uS, ms.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

SUBSTEPS = 20  # of a time step, where a membrane with conductances is integrated


@dataclass
class Cell:
    """A leaky integrate-and-fire neuron: its model, its parameters under PyNN's names, its state.

    `nearest` is how close to the threshold (mV) `v` came at the end of a step in which the neuron
    may fire; it says how sure the spikes are.
    """

    model: str
    parameters: dict[str, float]
    v: float
    excitatory: float = 0.0  # nA, or uS
    inhibitory: float = 0.0
    pause: int = 0  # time steps of the refractory period that are left
    voltages: list[float] = field(default_factory=list)
    spikes: list[int] = field(default_factory=list)
    nearest: float = math.inf

    def advance(self, h: float, excitatory: float, inhibitory: float) -> bool:
        """Take one time step, at whose end this input arrives; returns whether there is a spike."""
        p = self.parameters
        fires = False
        if self.pause:
            self.pause -= 1
        else:
            self.v = self._integrated(h)
            if self.model == "IF_curr_delta":
                self.v += excitatory + inhibitory
            self.nearest = min(self.nearest, abs(self.v - p["v_thresh"]))
            fires = self.v >= p["v_thresh"]
        if fires:
            self.v = p["v_reset"]
            self.pause = math.ceil(round(p["tau_refrac"] / h, 6))
        if self.model != "IF_curr_delta":
            self.excitatory *= math.exp(-h / p["tau_syn_E"])
            self.inhibitory *= math.exp(-h / p["tau_syn_I"])
            self.excitatory += excitatory
            self.inhibitory += inhibitory
        return fires

    def _integrated(self, h: float) -> float:
        """The potential after a time step, without the input that arrives at its end."""
        p = self.parameters
        if self.model == "IF_cond_exp":
            return self._runge_kutta(h)
        tau, r = p["tau_m"], p["tau_m"] / p["cm"]
        end = p["v_rest"] + r * p["i_offset"]
        v = end + (self.v - end) * math.exp(-h / tau)
        if self.model == "IF_curr_exp":
            for current, tau_syn in (
                (self.excitatory, p["tau_syn_E"]),
                (self.inhibitory, p["tau_syn_I"]),
            ):
                both = math.exp(-h / tau_syn) - math.exp(-h / tau)
                v += current * r * tau_syn / (tau_syn - tau) * both
        return v

    def _runge_kutta(self, h: float) -> float:
        p, dt = self.parameters, h / SUBSTEPS

        def slope(t: float, v: float) -> float:
            v = min(v, p["v_thresh"])
            excitatory = self.excitatory * math.exp(-t / p["tau_syn_E"])
            inhibitory = self.inhibitory * math.exp(-t / p["tau_syn_I"])
            current = excitatory * (p["e_rev_E"] - v) + inhibitory * (p["e_rev_I"] - v)
            return (p["v_rest"] - v) / p["tau_m"] + (current + p["i_offset"]) / p["cm"]

        v = self.v
        for k in range(SUBSTEPS):
            t = k * dt
            k1 = slope(t, v)
            k2 = slope(t + dt / 2, v + dt / 2 * k1)
            k3 = slope(t + dt / 2, v + dt / 2 * k2)
            k4 = slope(t + dt, v + dt * k3)
            v += dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return v


@dataclass(frozen=True)
class PairRule:
    """`SpikePairRule` with `AdditiveWeightDependence`; the whole delay is on the dendrite."""

    tau_plus: float = 20.0
    tau_minus: float = 20.0
    a_plus: float = 0.01
    a_minus: float = 0.01
    w_min: float = 0.0
    w_max: float = 1.0


@dataclass
class Synapse:
    """A connection from a source or a cell to a cell; `delay` is in time steps."""

    pre: tuple[str, int]  # "source" or "cell", and which
    post: int
    receptor: str
    weight: float
    delay: int
    rule: PairRule | None = None
    fired: list[int] = field(default_factory=list)  # presynaptic spikes that have been sent
    seen: int = 0  # until when postsynaptic spikes have been paired

    def send(self, now: int, h: float, post_spikes: list[int]) -> float:
        """The weight that a presynaptic spike transmits, after what has changed it before."""
        self.strengthen(now, h, post_spikes)
        if rule := self.rule:
            back = [spike + self.delay for spike in post_spikes]
            pairs = sum(math.exp((when - now) * h / rule.tau_minus) for when in back if when < now)
            self.weight = max(rule.w_min, self.weight - rule.a_minus * rule.w_max * pairs)
        self.fired.append(now)
        return self.weight

    def strengthen(self, now: int, h: float, post_spikes: list[int]) -> None:
        """Pair postsynaptic spikes that have come back to the synapse with what was sent before."""
        for when in (spike + self.delay for spike in post_spikes):
            if self.rule and self.seen < when <= now:
                pairs = sum(math.exp((pre - when) * h / self.rule.tau_plus) for pre in self.fired)
                more = self.rule.a_plus * self.rule.w_max * pairs
                self.weight = min(self.rule.w_max, self.weight + more)
        self.seen = now


def simulate(
    cells: Sequence[Cell],
    sources: Sequence[Sequence[int]],
    synapses: Sequence[Synapse],
    steps: int,
    h: float,
) -> None:
    """Run a network from its state at time 0; what comes of it is in the cells and synapses.

    Args:
        cells: the neurons.
        sources: time steps of each source's spikes.
        synapses: the connections.
        steps: number of time steps.
        h: their length, ms.
    """
    # (time step, cell, receptor) -> sum of the weights that arrive then
    on_its_way: defaultdict[tuple[int, int, str], float] = defaultdict(float)

    def send(now: int) -> None:
        fire = {("source", number) for number, spikes in enumerate(sources) if now in spikes}
        fire |= {("cell", number) for number, cell in enumerate(cells) if now in cell.spikes[-1:]}
        for synapse in synapses:
            if synapse.pre in fire:
                weight = synapse.send(now, h, cells[synapse.post].spikes)
                on_its_way[now + synapse.delay, synapse.post, synapse.receptor] += weight

    for cell in cells:
        cell.voltages.append(cell.v)
    send(0)
    for now in range(1, steps + 1):
        for number, cell in enumerate(cells):
            arrives = [on_its_way[now, number, each] for each in ("excitatory", "inhibitory")]
            if cell.advance(h, *arrives):
                cell.spikes.append(now)
            cell.voltages.append(cell.v)
        send(now)
    for synapse in synapses:
        synapse.strengthen(steps, h, cells[synapse.post].spikes)
