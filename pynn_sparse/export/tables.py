"""Tables of a network for a target: made by `lower`, kept in a folder, run, verified."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import is_number
from .errors import DamagedTablesError, ExportError
from .hardware import Memory, Placement
from .models import golden
from .models.dynamics import RECEPTORS
from .models.registers import RegisterError
from .nets.fixednet import FixedNet, Frame
from .nets.floatnet import FloatNet
from .nets.losses import Loss
from .nets.number_formats import Quantise
from .stages.prune import Pruned
from .stages.quantise import target_dynamics
from .target import Target
from .verification.spikes import BlockOrBlocks, block_of, stimulus


@dataclass(frozen=True, repr=False)
class Tables:
    """A network as words, with what they stand for.

    Attributes:
        target: the hardware.
        net: the network in floats, after pruning.
        rule: how it was quantised.
        accept: approximations that were allowed.
        pruning: what was asked for, in words.
        pruned: what pruning left of each projection.
        losses: what quantisation did to each projection.
        registers: what it did to each population.
        frame: populations and semantics.
        memories: the words.
        scale: integer units of a mV, float64 [N].
        origin: int64 [n], number of each synapse in the concatenated projections of `net`.
        placement: where neurons are, and what that takes.
    """

    target: Target
    net: FloatNet
    rule: Quantise
    accept: tuple[str, ...]
    pruning: str
    pruned: tuple[Pruned, ...]
    losses: tuple[Loss, ...]
    registers: tuple[RegisterError, ...]
    frame: Frame
    memories: dict[str, Memory]
    scale: NDArray[np.float64]
    origin: NDArray[np.int64]
    placement: Placement

    def __repr__(self) -> str:
        neurons = sum(cells.size for cells in self.net.cells if not cells.is_source)
        return (
            f"<tables for {self.target.name}: {neurons} neurons, {len(self.origin)} synapses, "
            f"{self.placement.cores} core(s); {', '.join(self.memories)}>"
        )

    @cached_property
    def fixed(self) -> FixedNet:
        """The integers that the words hold. Raises `DamagedTablesError` where they hold none."""
        try:
            return self.target.unpack(self.memories, self.frame)
        except KeyError as error:
            raise DamagedTablesError(f"memory {error} is missing") from error

    @property
    def dt(self) -> float:
        """Time step, ms."""
        return self.net.dt

    def trace(
        self, duration: float, spikes: BlockOrBlocks | None = None, states: bool = False
    ) -> golden.Trace:
        """Run the integer model, in steps and axons; see `run`."""
        steps, events = self.steps(duration), self.events(spikes)
        return self.target.model.run(self.fixed, steps, events, states)

    def events(self, spikes: BlockOrBlocks | None = None) -> NDArray[np.int64]:
        """Spikes of sources, int64 [n, 2], as (step, axon); see `run`."""
        return stimulus(self.net, self.frame.axons, self.dt, spikes)

    def steps(self, duration: float) -> int:
        """Time steps of a duration (ms).

        Raises `ExportError` unless it is 0 or greater, and what the target can run.
        """
        if not (is_number(duration) and duration >= 0):
            raise ExportError(f"duration = {duration!r}: must be a number of ms, 0 or greater")
        steps = round(duration / self.dt)
        self.target.model.check_steps(self.frame.semantics, steps)
        return steps

    def run(self, duration: float, spikes: BlockOrBlocks | None = None) -> Any:
        """Run the integer model from the packed words.

        Args:
            duration: ms.
            spikes: of the sources: blocks that PyNN recorded, or label -> times (ms) of each cell.
                Not needed where all sources are `SpikeSourceArray`.

        Returns a Neo Block with the spike trains of all neurons. Raises `ExportError` where spikes
        of a source are not known.
        """
        steps = self.steps(duration)
        trace = self.trace(duration, spikes)
        return block_of(trace.spikes, self.frame.axons, self.dt, steps)

    def weights(self) -> list[NDArray[np.float64]]:
        """What the weights of each projection of `net` have become, in PyNN's unit; 0 if left out.

        Set in the simulation, they show what pruning and rounding of weights alone do.
        """
        steps = target_dynamics(self.net, self.target)
        parts = self.net.connections
        gain = [
            steps[part.post].gain[part.target, RECEPTORS.index(part.receptor)] for part in parts
        ]
        values = np.zeros(sum(map(len, parts)))
        values[self.origin] = self.fixed.charge() / self.scale[self.fixed.target]
        values /= np.concatenate([np.zeros(0), *gain])
        return np.split(values, np.cumsum([len(part) for part in parts])[:-1])

    def save(
        self,
        folder: str | os.PathLike[str],
        csv: bool = False,
        hdf5: bool = False,
        nir: bool = False,
    ) -> None:
        """Write the tables and their manifest; `emit` says what files, and what the options add.

        The same network gives the same bytes. Files of that name, and those of an earlier export in
        the folder, are replaced, when all have been made. Raises what `emit` raises, and OSError
        where the folder cannot be written.
        """
        from .folder.files import save

        save(self, folder, csv, hdf5, nir)
