"""Tables of a network for a target: made by `lower`, kept in a folder, run, verified."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import golden
from .capture import capture
from .checks import is_number
from .dynamics import RECEPTORS
from .errors import DamagedTablesError, ExportError
from .fixednet import FixedNet, Frame
from .floatnet import FloatNet
from .legalise import legalise
from .losses import Loss
from .number_formats import Quantise
from .prune import Prune, Pruned, prune
from .quantise import quantise, rule_for, target_dynamics
from .registers import RegisterError
from .resample import resample
from .spikes import BlockOrBlocks, block_of, stimulus
from .targets import Target, find
from .targets.target import Memory, Placement


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
        from .files import save

        save(self, folder, csv, hdf5, nir)


def place(fixed: FixedNet, rule: Quantise, target: Target) -> Placement:
    """The stage that maps neurons to cores, and counts what that takes.

    Args:
        fixed: the integers, from `quantise`.
        rule: by which they were made.
        target: the hardware.

    Raises `LimitsError` where the network does not fit.
    """
    return target.place(fixed, rule.weight_bits, rule.signed)


def pack(fixed: FixedNet, rule: Quantise, target: Target) -> dict[str, Memory]:
    """The stage that makes words of integers: tables by name. Arguments are those of `place`."""
    return target.pack(fixed, rule.weight_bits, rule.signed)


def lower(
    source: Any,
    target: str | Target,
    prune: Prune | None = None,
    quantise: Quantise | None = None,
    accept: Collection[str] = (),
    timestep: float | None = None,
) -> Tables:
    """Make the tables of a network.

    Args:
        source: the module `pyNN.sparse`, a list of its projections, or what `capture` made.
        target: name, or a target with options.
        prune: which synapses to remove; None for none.
        quantise: number formats; None for weights of 8 bits, or those that the target has.
        accept: approximations that are allowed, see `legalise.APPROXIMATIONS`.
        timestep: of the target, ms, if it is not that of the simulation.

    Raises `ExportError` for an unknown target or bits that it does not have, and `LimitsError`
    with all limits that the network breaks.
    """
    hardware = find(target)
    if prune is not None and not isinstance(prune, Prune):
        raise ExportError(f"prune = {prune!r}: must be a Prune, such as Prune(fraction=0.7)")
    if quantise is not None and not isinstance(quantise, Quantise):
        raise ExportError(
            f"quantise = {quantise!r}: must be a Quantise, such as Quantise(weight_bits=8)"
        )
    rule = quantise or rule_for(hardware)
    net = source if isinstance(source, FloatNet) else capture(source)
    rule.numbers(hardware)
    if timestep is not None:
        net = resample(net, timestep)
    legalise(net, hardware, accept)
    return _lowered(net, hardware, prune, rule, tuple(sorted(accept)))


def _lowered(
    net: FloatNet, target: Target, pruning: Prune | None, rule: Quantise, accept: tuple[str, ...]
) -> Tables:
    kept, pruned = prune(net, pruning)
    made = quantise(kept, rule, target, accept)
    placement = place(made.fixed, rule, target)  # what does not fit is no matter for packing
    return Tables(
        target,
        kept,
        rule,
        accept,
        pruning.describe() if pruning else "none",
        tuple(pruned),
        made.losses,
        made.registers,
        made.fixed.frame,
        pack(made.fixed, rule, target),
        made.scale,
        made.origin,
        placement,
    )
