"""The integer model, a neuron and a synapse at a time, in Python's integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.export.nets.fixednet import FixedNet


def decay(x: int, amount: int, bits: int) -> int:
    kept = abs(x) * (2**bits - amount) // 2**bits
    return kept if x >= 0 else -kept


def limit(x: int, bounds: tuple[int, int], how: str) -> int:
    low, high = bounds
    if how == "saturate":
        return min(max(x, low), high)
    while x > high:
        x -= high - low + 1
    while x < low:
        x += high - low + 1
    return x


Reached = list[tuple[int, Callable[[int], bool]]]


def at_once(axons: list[int], step: int) -> Reached:
    return [(axon, lambda target: True) for axon in axons]


def plain(
    net: FixedNet,
    steps: int,
    events: NDArray[np.int64],
    arrive: Callable[[list[int], int], Reached] = at_once,
) -> tuple[list, list]:
    """Spikes (step, neuron) and voltages after each step, as the documentation states the rule.

    `arrive` takes the axons that send spikes in a step, and gives those whose spikes reach targets
    in it, and which targets.
    """
    rule, registers = net.semantics, net.profiles
    v = net.initial.tolist()
    u = [[0] * rule.n_receptors for _ in v]
    waiting = [0] * len(v)
    arriving: dict[tuple[int, int, int], int] = {}
    spikes, voltages = [], [list(v)]

    def receive(axon: int, step: int, reaches: Callable[[int], bool]) -> None:
        for k in range(net.start[axon], net.start[axon + 1]):
            if not reaches(int(net.target[k])):
                continue
            f = net.format[k]
            charge = int(net.weight[k]) * 2 ** int(net.formats.shift[f])
            key = (step + int(net.hop[k]), int(net.target[k]), int(net.formats.receptor[f]))
            arriving[key] = arriving.get(key, 0) + (-charge if net.formats.negative[f] else charge)

    for step in range(steps + 1):
        fired = []
        for j, p in enumerate(net.profile):
            if step == 0:
                continue
            for r in range(rule.n_receptors):
                amount = int(registers.current_decay[p, r]) + rule.current_decay_offset
                total = decay(u[j][r], amount, rule.decay_bits) + arriving.get((step, j, r), 0)
                u[j][r] = limit(total, rule.current_range, rule.current_overflow)
            if waiting[j]:
                waiting[j] -= 1
                continue
            after = decay(v[j], int(registers.voltage_decay[p]), rule.decay_bits)
            after += sum(u[j]) + int(registers.bias[p])
            v[j] = limit(after, rule.voltage_range, rule.voltage_overflow)
            threshold = int(registers.threshold[p])
            if v[j] > threshold or (v[j] == threshold and rule.compare == "greater_or_equal"):
                v[j] = int(registers.reset[p])
                waiting[j] = int(registers.refractory[p])
                fired.append(j)
        for j in fired:
            spikes.append([step, j])
        sent = fired + events[events[:, 0] == step, 1].tolist()
        for axon, reaches in arrive(sent, step):
            receive(axon, step, reaches)
        if step:
            voltages.append(list(v))
    return spikes, voltages
