"""What tinyODIN alone has: spikes that act one by one, and neurons without a constant input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...capability import Capability
from ...errors import Violation
from ...models.dynamics import Dynamics
from ...nets.floatnet import Cells


@dataclass(frozen=True)
class NoBias(Capability):
    """There is no constant input."""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        if step.bias.any():
            what = f"{int((step.bias != 0).sum())} cells with a constant input"
            remedy = "set i_offset to 0 and v_rest to v_reset, or drive them with spikes"
            yield Violation(cells.label, what, "none", remedy)


@dataclass(frozen=True)
class ByEvent(Capability):
    """Neurons may fire at each of the spikes that arrive in a step."""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        what = f"{cells.size} cells whose input is summed up in a step"
        limit = "spikes that act one after the other"
        yield Violation(cells.label, what, limit, "none: the target has no other way", "events")
