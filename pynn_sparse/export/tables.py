"""Tables of a network for a target: made by `lower`, kept in a folder, run, verified."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.time import LAST_STEP
from .arguments import door
from .cosimulation.replayed import Replayed, replayed
from .cosimulation.routers import Noc, noc_of
from .exported import Exported
from .folder.reading import read
from .folder.writing import save
from .models import golden
from .spikes import BlockOrBlocks, block_of, check_duration, stimulus


@dataclass(frozen=True, repr=False)
class Tables(Exported):
    """A network as words: what `Exported` has, run and saved."""

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
        steps = round(check_duration(duration) / self.dt)
        if steps > LAST_STEP:
            must = f"at most {LAST_STEP * self.dt:.6g} ms, {LAST_STEP} time steps"
            raise door.refused("duration", duration, must)
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

    def replay(
        self,
        duration: float,
        spikes: BlockOrBlocks | None = None,
        *,
        noc: Noc | str,
        step_us: float | None = None,
        core: Sequence[int] | None = None,
    ) -> Replayed:
        """Run the integer model together with a network on chip that takes spikes to their cores.

        A spike that needs a step or longer is input so much later; one that is lost is none. With
        links that take no time, or less than a step, the run is that of `run`, bit for bit.

        Args:
            duration: ms.
            spikes: of the sources, see `run`.
            noc: a `Mesh` or `Tree` of routers, or the name of one of `cosimulation.PRESETS`.
            step_us: how long the hardware takes for a time step, us; by default as long as the
                step is, which is real time.
            core: of each neuron, ints [N], if not where `place` put it.

        Raises `ExportError` where there are not enough cores, for targets that count spikes in
        windows, and as `run` does.
        """
        chip = noc_of(noc)
        steps, events = self.steps(duration), self.events(spikes)
        if step_us is None:
            step_us = self.dt * 1000
        must = "a number of us, 1e-6 or greater, and 1e6 at most"
        step_us = door.number("step_us", step_us, must, lambda us: 1e-6 <= us <= 1e6)
        where = np.asarray(self.placement.core if core is None else core)
        n, whole = self.fixed.n_neurons, np.issubdtype(where.dtype, np.integer)
        if where.shape != (n,) or not whole or where.min(initial=0) < 0:
            raise door.refused("core", core, f"{n} integers, 0 or greater, one for each neuron")
        return replayed(self.fixed, where, chip, self.dt, step_us, steps, events)

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
        save(self, folder, csv, hdf5, nir)


def load(folder: str | os.PathLike[str]) -> Tables:
    """The tables of a folder.

    Raises `DamagedTablesError` naming the file where one is missing, was changed or cut, or where
    the folder is of another version; and FileNotFoundError where there is no manifest.
    """
    exported = read(folder)
    return Tables(**{each.name: getattr(exported, each.name) for each in fields(exported)})
