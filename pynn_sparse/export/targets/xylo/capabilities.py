"""What Xylo alone has: time constants by shifts, and two exponents of weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...capability import Capability
from ...errors import Violation
from ...models.dynamics import Dynamics
from ...nets.floatnet import Cells, FloatNet


@dataclass(frozen=True)
class PowersOfTwo(Capability):
    """Time constants are powers of two of the time step."""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        amounts = 1 - np.column_stack([step.current_factor, step.voltage_factor])
        nearest = np.exp2(-np.clip(np.rint(-np.log2(amounts)), 1, 15))
        far = (np.abs(nearest / amounts - 1) > 0.05).any(axis=1)  # more than a twentieth off
        if far.any():
            what = (
                f"{int(far.sum())} cells with time constants that are no power of two of the step"
            )
            remedy = f"choose tau_m and tau_syn near 2^k * {dt:g} ms"
            yield Violation(cells.label, what, "1 - exp(-dt/tau) near 2^-k", remedy, "tau")


@dataclass(frozen=True)
class OneExponentForInputs(Capability):
    """All synapses from sources have one exponent, and all others have one, too."""

    exponents = "an exponent for synapses of sources and one for all others"

    def exponent_groups(self, net: FloatNet) -> list[object]:
        return [net.cells[part.pre].is_source for part in net.connections]
