"""Neurons that may fire at each of the spikes that arrive in a step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..nets.crossbar import Lines
from .semantics import COMPARISONS
from .stepping import Stepping

Integers = NDArray[np.int64]


@dataclass
class ByEvent(Stepping):
    """Each spike that arrives is added to the voltages by itself; see `Semantics.order`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.slots, self.ring = 1, np.zeros((2, self.ring.shape[1]), np.int64)
        lines = Lines.of(self.rows)
        self.line_order = np.lexsort((self.rows.target, lines.line))
        self.line_ends = np.searchsorted(
            lines.line[self.line_order], np.arange(len(lines.axon) + 1)
        )
        self.line_hop = lines.hop
        self.lines_of = np.searchsorted(lines.axon, np.arange(self.rows.n_axons + 1))
        self.due: dict[int, list[int]] = {}

    def _fired_in_order(self) -> Integers:
        return np.asarray(self.order, np.int64)

    def _take_events(self) -> None:
        """Take a step's events, after its leak, which may have made neurons fire, too."""
        semantics = self.net.semantics
        self.order = np.flatnonzero(self.fired).tolist()
        for line in sorted(self.due.pop(self.step, ())):
            synapses = self.line_order[self.line_ends[line] : self.line_ends[line + 1]]
            target, charge = self.rows.target[synapses], self.charge[synapses]
            self.largest_input = max(self.largest_input, int(np.abs(charge).max()))
            after = self._limited("voltage", self.voltage[target] + charge, target)
            reached = COMPARISONS[semantics.compare](after, self.threshold[target])
            self.voltage[target] = np.where(reached, self.reset[target], after)
            self.order += target[reached].tolist()

    def _deliver(self, axons: Integers, step: int) -> None:
        rows = self._arrived(axons, step)
        counts = self.rows.start[rows + 1] - self.rows.start[rows]
        self.synaptic_events += int(counts.sum())
        for row in rows.tolist():
            for line in range(self.lines_of[row], self.lines_of[row + 1]):
                self.due.setdefault(step + int(self.line_hop[line]), []).append(line)
