"""Running a network in integers, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..nets.fixednet import FixedNet
from .semantics import COMPARISONS, DECAYS, OVERFLOWS

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
LONG = 32  # synapses of a row
EVENTS_AT_ONCE = 1 << 22  # synaptic events that are expanded at a time


@dataclass(frozen=True)
class Trace:
    """What a run left.

    Attributes:
        spikes: int64 [n, 2], (step, axon) of the neurons' spikes, in ascending order; those of a
            step in the order in which they happen, where spikes act one after the other.
        synaptic_events: number of synapses that spikes went through.
        overflows: number of times that a current or voltage left its range.
        largest_input: greatest input of a receptor in a step, by magnitude.
        merged: number of spikes that were lost beside others of their axon and step.
        lacking: register ("voltage", "current", "input") -> bits that each neuron's range would
            have to have more, int64 [N], where some left it.
        voltage: int64 [steps + 1, N], with `states`; row 0 is the initial state.
        current: int64 [steps + 1, N, R], with `states`; magnitudes where neurons relax.
        waiting: int64 [steps + 1, N], refractory steps that are left, with `states`.
    """

    spikes: Integers
    synaptic_events: int
    overflows: int
    largest_input: int
    merged: int
    voltage: Integers | None = None
    current: Integers | None = None
    waiting: Integers | None = None
    lacking: Mapping[str, Integers] = field(default_factory=dict)


class Delivery(Protocol):
    """How spikes come to the synapses of their axons."""

    @property
    def rows(self) -> FixedNet:
        """The network, with the rows of synapses that are delivered to as its axons."""

    def arrived(self, axons: Integers, step: int) -> Integers:
        """Rows that are reached in a step in which spikes of these axons are sent."""


@dataclass(frozen=True)
class Direct:
    """Spikes that reach all their synapses at once: an axon is a row."""

    rows: FixedNet

    def arrived(self, axons: Integers, step: int) -> Integers:
        return axons


def checked(net: FixedNet, events: Integers) -> Integers:
    """Events in order, if all are of sources; see `run`."""
    events = np.asarray(events, np.int64).reshape(-1, 2)
    for step, axon in events[(events[:, 0] < 0)][:1]:
        raise ExportError(f"axon {axon} has a spike at step {step}: must be 0 or later")
    bad = (events[:, 1] < net.n_neurons) | (events[:, 1] >= net.n_axons)
    for _, axon in events[bad][:1]:
        raise ExportError(
            f"axon {axon} cannot get spikes from outside: sources are {net.n_neurons} "
            f"to {net.n_axons - 1}"
        )
    return np.asarray(events[np.lexsort((events[:, 1], events[:, 0]))])


@dataclass
class Stepping:
    """A network that is run step by step, by the operations that its `Semantics` names."""

    net: FixedNet
    steps: int
    events: Integers
    keeps_states: bool
    unlimited: bool = False
    delivery: Delivery | None = None
    synaptic_events: int = 0
    overflows: int = 0
    largest_input: int = 0
    merged: int = 0
    spikes: list[Integers] = field(default_factory=list)
    lacking: dict[str, Integers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        net, profile = self.net, self.net.profile
        self.by: Delivery = self.delivery or Direct(net)
        self.rows = rows = self.by.rows
        semantics, registers = net.semantics, net.profiles
        n, receptors = net.n_neurons, semantics.n_receptors
        self.current_decay = registers.current_decay[profile] + semantics.current_decay_offset
        self.voltage_decay = registers.voltage_decay[profile]
        self.threshold, self.reset = registers.threshold[profile], registers.reset[profile]
        self.bias, self.refractory = registers.bias[profile], registers.refractory[profile]
        self.floor = registers.floor[profile] if registers.floor is not None else None
        self.voltage = net.initial.copy()
        self.current = np.zeros((n, receptors), np.int64)
        self.waiting = np.zeros(n, np.int64)
        self.charge = rows.charge()
        self.slots = int(net.hop.max(initial=0)) + 1
        # Twice as many rows as slots: what goes beyond the last one needs no modulo, and is added
        # when its slot is due.
        self.ring = np.zeros((2 * self.slots, n * receptors), np.int64)
        # Where in the ring a spike of step 0 adds its charge; one of a later step, as much later.
        self.place = rows.hop * (n * receptors) + rows.target * receptors
        self.place += net.formats.receptor[rows.format]
        self.scratch = np.zeros((2, 0), np.int64)
        self.decay = DECAYS[semantics.decay]
        self.operations = [getattr(self, f"_{name}") for name in semantics.order]

    def run(self) -> Trace:
        states = [self._state()]
        first = np.searchsorted(self.events[:, 0], np.arange(self.steps + 2))
        self._deliver(self.events[first[0] : first[1], 1], 0)
        for step in range(1, self.steps + 1):
            self.step = step
            slot, beyond = self.ring[step % self.slots :: self.slots]
            slot += beyond
            self.input = slot.reshape(self.current.shape)
            self.free = self.waiting == 0
            for operation in self.operations:
                operation()
            slot[:], beyond[:] = 0, 0
            fired = self._fired_in_order()
            self.spikes.append(np.stack([np.full_like(fired, step), fired], axis=1))
            self._deliver(
                np.concatenate([fired, self.events[first[step] : first[step + 1], 1]]), step
            )
            if self.keeps_states:
                states.append(self._state())
        spikes = np.concatenate([np.zeros((0, 2), np.int64), *self.spikes])
        voltage, current, waiting = (
            map(np.stack, zip(*states, strict=True)) if self.keeps_states else (None, None, None)
        )
        counts = self.synaptic_events, self.overflows, self.largest_input, self.merged
        return Trace(spikes, *counts, voltage, current, waiting, self.lacking)

    def _state(self) -> tuple[Integers, Integers, Integers]:
        return self.voltage.copy(), self.current.copy(), self.waiting.copy()

    def _fired_in_order(self) -> Integers:
        """A neuron for each spike of the step."""
        return np.repeat(np.arange(len(self.fired)), self.fired)

    # --- operations of a step, by their names in `semantics` ------------------------------------

    def _decay_current(self) -> None:
        self.current = self.decay(self.current, self.current_decay, self.net.semantics.decay_bits)

    def _add_input(self) -> None:
        self.largest_input = max(self.largest_input, int(np.abs(self.input).max(initial=0)))
        self.current = self._limited("current", self.current + self.input)

    def _decay_voltage(self) -> None:
        bits = self.net.semantics.decay_bits
        self.next = self.decay(self.voltage, self.voltage_decay, bits)

    def _add_current(self) -> None:
        self.next = self.next + self.current.sum(axis=1)

    def _add_bias(self) -> None:
        self.next = self.next + self.bias

    def _limit_voltage(self) -> None:
        self.next = self._limited("voltage", np.where(self.free, self.next, 0))

    def _fire(self) -> None:
        semantics = self.net.semantics
        reached = self.free & COMPARISONS[semantics.compare](self.next, self.threshold)
        if semantics.reset == "subtract":
            times = np.minimum(self.next // self.threshold, semantics.spikes_per_step)
            self.fired = np.where(reached, times, 0)
            after = self.next - self.fired * self.threshold
        else:
            self.fired = reached.astype(np.int64)
            after = np.where(reached, self.reset, self.next)
        if self.floor is not None:
            raised = self.next - self.floor if semantics.reset == "subtract" else -self.reset
            after = np.where(~reached & (self.next < self.floor), raised, after)
        self.voltage = np.where(self.free, after, self.voltage)
        counted = np.maximum(self.waiting - 1, 0)
        self.waiting = np.where(reached, self.refractory, counted)

    def _limited(
        self, register: str, x: Integers, neurons: Integers | slice = slice(None)
    ) -> Integers:
        """Values of a register, "voltage" or "current", of these neurons, as it holds them."""
        semantics = self.net.semantics
        bounds: tuple[int, int] = getattr(semantics, f"{register}_range")
        limited = OVERFLOWS[getattr(semantics, f"{register}_overflow")](x, *bounds)
        out = limited != x
        if out.any():
            self._left(register, np.abs(x) / bounds[1], out, neurons)
        return x if self.unlimited else limited

    def _left(
        self,
        register: str,
        share: Floats,
        out: NDArray[np.bool_],
        neurons: Integers | slice = slice(None),
    ) -> None:
        """Count values that left their range, of which they are this share."""
        self.overflows += int(out.sum())
        bits = np.where(out, np.maximum(np.ceil(np.log2(np.maximum(share, 1.0))), 1), 0)
        bits = bits.reshape(len(bits), -1).max(axis=1).astype(np.int64)
        lacking = self.lacking.setdefault(register, np.zeros(self.net.n_neurons, np.int64))
        lacking[neurons] = np.maximum(lacking[neurons], bits)

    # --- spikes ------------------------------------------------------------------------------

    def _deliver(self, axons: Integers, step: int) -> None:
        """Add what spikes of these axons bring to the inputs of later steps."""
        rows = self._arrived(axons, step)
        counts = self.rows.start[rows + 1] - self.rows.start[rows]
        self.synaptic_events += int(counts.sum())
        ring = self.ring.reshape(-1)
        for part in _portions(counts):
            begin, count = self.rows.start[rows[part]], counts[part]
            place, charge = self._of_rows(begin, count)
            place += step % self.slots * self.ring.shape[1]
            np.add.at(ring, place, charge)

    def _of_rows(self, begin: Integers, count: Integers) -> tuple[Integers, Integers]:
        """Place and charge of the synapses of some rows, one row after the other.

        They are in memory that is used again: new memory for each step takes longer than the sums.
        """
        total = int(count.sum())
        if self.scratch.shape[1] < total:
            self.scratch = np.zeros((2, total + total // 4), np.int64)
        place, charge = self.scratch[:, :total]
        if total >= LONG * len(count) > 0:  # then copies of whole rows take less than indices
            pairs = zip(begin.tolist(), (begin + count).tolist(), strict=True)
            rows = [slice(first, end) for first, end in pairs]
            np.concatenate([self.place[row] for row in rows], out=place)
            np.concatenate([self.charge[row] for row in rows], out=charge)
            return place, charge
        ends = np.cumsum(count)
        synapse = np.arange(total) + np.repeat(begin - (ends - count), count)
        np.take(self.place, synapse, out=place, mode="clip")
        np.take(self.charge, synapse, out=charge, mode="clip")
        return place, charge

    def _arrived(self, axons: Integers, step: int) -> Integers:
        """Rows that are reached in a step in which these axons spike."""
        return self._merged(self.by.arrived(self._merged(axons), step))

    def _merged(self, spikes: Integers) -> Integers:
        """Axons or rows, each once where the target cannot tell several spikes in a step."""
        if not self.net.semantics.merges_spikes:
            return spikes
        different = np.unique(spikes)
        self.merged += len(spikes) - len(different)
        return different


def _portions(counts: Integers) -> list[slice]:
    """Axons that together have at most about `EVENTS_AT_ONCE` synapses."""
    if not len(counts):
        return []
    if counts.sum() <= EVENTS_AT_ONCE:
        return [slice(None)]
    portion = np.cumsum(counts) // EVENTS_AT_ONCE
    first = np.flatnonzero(np.append(True, np.diff(portion) > 0))
    return [slice(a, b) for a, b in zip(first, [*first[1:], len(counts)], strict=True)]
