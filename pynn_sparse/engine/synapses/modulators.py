"""Spikes that modulate synapses, as kernels have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...network import Network, SynapseTable
from ...network.dynamics import Trace, Traces
from ...network.network import Modulation
from .. import structures
from ..devices.device import Device

STEPS = 4096  # in which spikes of a modulator may come before weights catch up, at least
LEAST_STEPS = 128  # the same where there is one of each of many targets ...
MOST_BYTES = 1 << 26  # ... so that their spikes take no more than this, if there are not too many
DIGITS = 50  # bits of what spikes bring to a target in a step, of which 12 more fit into a sum


class ModulatorKey(NamedTuple):
    """What is remembered of spikes that modulate synapses: index of a block, delay and traces.

    The block is the population whose spikes these are. With `each` it has the targets, to each of
    which come its own, by the network's `modulations`. The last trace, of which nothing is left
    after a step, is how many spikes come together.
    """

    block: int
    delay: int
    traces: Traces
    each: bool = False

    def __str__(self) -> str:
        """In names of a checkpoint."""
        return f"{self.block} {self.delay} {','.join(repr(each.tau) for each in self.traces)}"

    @classmethod
    def of(cls, table: SynapseTable) -> ModulatorKey | None:
        """That of a table; None where it has no modulator."""
        rule = table.rule
        if rule is None or rule.modulator is None:
            return None
        by = rule.modulator
        return cls(by.block, by.delay, (*rule.modulation, Trace(0.0)), by.each)

    @classmethod
    def parsed(cls, text: str) -> ModulatorKey:
        """The reverse of `str`; ValueError for what that does not give."""
        block, delay, taus = text.split(" ")
        made = tuple(Trace(float(tau)) for tau in taus.split(","))
        key = cls(int(block), int(delay), made)
        if key.delay < 1 or not all(0 <= each.tau < np.inf for each in made):
            raise ValueError(text)
        return key


def room(key: ModulatorKey, size: int) -> int:
    """Steps in which spikes may come before weights have to catch up."""
    if not key.each:
        return STEPS
    of_step = 8 * (1 + len(key.traces)) * size
    return int(np.clip(MOST_BYTES // of_step, LEAST_STEPS, STEPS))


def most_modulated(network: Network, block: int) -> float:
    """What modulations may bring to a neuron of a block in a step, at most, without sign."""
    most = np.zeros(network.blocks[block].size)
    for each in _onto(network, block):
        target, weight, _ = each.table.arrays()
        np.add.at(most, target, np.abs(np.broadcast_to(weight, target.shape)))
    return float(most.max(initial=0.0))


def _onto(network: Network, block: int) -> list[Modulation]:
    return [each for each in network.modulations if each.table.post.index == block]


def modulations(
    network: Network, block: int, most: float, number: Callable[[int], int], device: Device
) -> tuple[dict[str, Any], list[Any]]:
    """Fields of the record of the modulator of each neuron of a block, and what has to stay alive.

    What spikes bring is a whole number of units, so that sums do not depend on an order; `most` is
    `most_modulated` over all processes.
    """
    exponent = int(np.frexp(most)[1])
    unit = float(np.ldexp(1.0, exponent - DIGITS))
    alive: list[Any] = []

    def put(array: Any) -> int:
        if not len(array):
            return 0
        alive.append(device.put(array))
        return device.address(alive[-1])

    rows = []
    for each in _onto(network, block):
        table, sign = each.table, each.sign
        target, weight, _ = table.arrays()
        starts = np.zeros(table.pre.size + 1, np.int64)
        own = table.row_start
        first, end = table.first_source, table.first_source + table.n_source
        starts[first : end + 1] = own
        starts[end + 1 :] = own[-1]
        size = np.rint(sign * np.broadcast_to(weight, target.shape) / unit).astype(np.int64)
        at = put(starts), put(target.astype(np.int32)), put(size)
        rows.append((*at, number(table.pre.index), 0))
    sums = device.zeros(network.blocks[block].size, np.int64)
    alive.append(sums)
    return {
        "each": put(np.array(rows, structures.MODULATION)),
        "n_each": len(rows),
        "sum": device.address(sums),
        "unit": unit,
        "number": -1,
    }, alive
