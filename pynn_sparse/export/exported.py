"""What an export has made, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .errors import DamagedTablesError
from .hardware import Memory, Placement
from .models.registers import RegisterError
from .nets.fixednet import FixedNet, Frame
from .nets.floatnet import FloatNet
from .nets.losses import Loss
from .nets.number_formats import Quantise
from .stages.prune import Pruned
from .stages.steps import Steps, steps_of
from .target import Target


@dataclass(frozen=True, repr=False)
class Exported:
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
        files: of tables that were loaded, what the folder has beside the words, by name.
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
    files: Mapping[str, bytes] = field(default_factory=dict)

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
            fixed = self.target.unpack(self.memories, self.frame)
        except DamagedTablesError:
            raise
        except KeyError as error:
            raise DamagedTablesError(f"memory {error} is missing") from error
        except (IndexError, MemoryError, OverflowError, TypeError, ValueError) as error:
            # Words of no network: how they fail is a matter of chance.
            raise DamagedTablesError(f"the words hold no network: {error}") from error
        most = self.target.limits().hop
        if most is not None and fixed.hop.max(initial=0) > most:
            raise DamagedTablesError(f"hop = {fixed.hop.max()}: the target has up to {most}")
        sizes = sum(each.size for each in self.frame.axons)
        if fixed.n_axons != sizes:
            raise DamagedTablesError(
                f"words of {fixed.n_axons} axons: the populations have {sizes}"
            )
        return fixed

    @cached_property
    def dynamics(self) -> Steps:
        """What the target makes of the populations' steps."""
        return steps_of(self.net, self.target)

    @property
    def dt(self) -> float:
        """Time step, ms."""
        return self.net.dt

    def weights(self) -> list[NDArray[np.float64]]:
        """What the weights of each projection of `net` have become, in PyNN's unit; 0 if left out.

        Set in the simulation, they show what pruning and rounding of weights alone do.
        """
        parts = self.net.connections
        values = np.zeros(sum(map(len, parts)))
        values[self.origin] = self.fixed.charge() / self.scale[self.fixed.target]
        values /= np.concatenate([np.zeros(0), *self.dynamics.gains])
        return np.split(values, np.cumsum([len(part) for part in parts])[:-1])
