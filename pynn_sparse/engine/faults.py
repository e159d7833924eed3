"""What users are told of a run that went wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..errors import EventOverflowError, SynapseFormulaError
from ..network import TimeGrid
from ..network.model import SENT
from ..notices import warn
from .devices.device import Device
from .neurons.blocks import BlockArrays
from .synapses.flaws import Flaw


def event_not_sent(
    blocks: Iterable[BlockArrays], grid: TimeGrid, step: int, neuron: int
) -> EventOverflowError:
    """The error for an event whose value is too great, of a neuron by its place in the network."""
    arrays = next(each for each in blocks if neuron < each.block.first + each.block.size)
    block, graded = arrays.block, arrays.block.model.graded
    assert graded is not None
    index = neuron - block.first
    (value,) = arrays.sample(SENT, np.array([index], np.int32))
    return EventOverflowError(
        f"{block.label}[{index}] was to send {value:g} at {grid.time(step):g} ms: "
        f"must be at most {graded.limit:g} in size, the limit of its cell type; the run "
        "cannot go on, reset() begins anew"
    )


def formula_failed(flaw: Flaw, grid: TimeGrid) -> SynapseFormulaError:
    """The error for a synapse for which a formula gave what is no finite number."""
    table, place = flaw.table, flaw.place
    assert table.rule is not None
    source, target = int(table.source()[place]), int(table.target[place])
    return SynapseFormulaError(
        f"{table.label}: a formula of {table.rule.dynamics.name} gave no finite number for the "
        f"synapse from {table.pre.label}[{source}] to {table.post.label}[{target}], whose "
        f"weight is {float(table.weight[place]):g}, at {grid.time(flaw.step):g} ms; the "
        "run cannot go on, reset() begins anew"
    )


class Divergence:
    """Warns once of each population in which a potential is not a finite number any more."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._known: set[int] = set()

    def look(self, blocks: Iterable[BlockArrays], grid: TimeGrid, step: int) -> None:
        """Look at all potentials as they are at a step."""
        for arrays in blocks:
            if "v" not in arrays.block.model.state or arrays.block.index in self._known:
                continue
            v = self._device.get(arrays.own("v"))
            if math.isfinite(np.add.reduce(v)):  # as it is where all are, but for huge ones
                continue
            bad = np.flatnonzero(~np.isfinite(v))
            if len(bad):
                self._known.add(arrays.block.index)
                model = arrays.block.model
                synaptic = ", ".join(name for name in model.recordable if "syn" in name)
                warn(
                    f"v of {len(bad)} neurons of a population of {model.name}, the first with "
                    f"index {arrays.first + bad[0]}, is not a finite number any more at "
                    f"{grid.time(step):g} ms: its input "
                    f"{f'({synaptic}) ' if synaptic else ''}is too strong for the time step and "
                    "the capacitance",
                    RuntimeWarning,
                    of_process_alone=True,
                )
