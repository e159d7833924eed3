"""Advances a network on a device."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import interrupts
from ..errors import DeviceError, InterruptedRunError, ParameterError
from ..network import Network, Probe, SynapseTable
from ..network.block import Arrays
from ..notices import warn
from .devices.device import Device
from .exchange import Exchange, Local
from .layout import Layout
from .neurons.blocks import BlockArrays, scalar
from .neurons.currents import CurrentLayout
from .neurons.junctions import JunctionLayout
from .neurons.spikes import Emitted, SpikeStore
from .ownership import Ownership
from .pace import Pace
from .plan import Plan
from .synapses.drawn import Backgrounds
from .synapses.layout import SynapseLayout
from .synapses.plasticity import Plasticity

if TYPE_CHECKING:
    from ..network.contents import Contents

BEFORE_TIME_0 = -1  # the step in which spike sources emit what is due at time 0


class Progress(Protocol):
    """Who wants to know how far a run has come."""

    def next_stop(self, step: int) -> int:
        """The step at which to report next."""

    def report(self, step: int) -> None:
        """The run has come to a step."""


class Engine:
    """A network on a device, at step `step`: the state is that at time `step * dt`.

    `run_until` is the only way forward. Changes to the network between runs are taken over when
    the next run begins. All results are in the network's probes and in `spikes`; those that take
    more than `recording_memory` bytes are moved to disk.
    """

    def __init__(
        self,
        network: Network,
        device: Device,
        precision: str,
        recording_memory: float = math.inf,
        exchange: Exchange | None = None,
    ) -> None:
        self.network = network
        self.device = device
        self.precision = precision
        self._recording_memory = recording_memory
        self._exchange = exchange or Local()
        self.spikes = SpikeStore()
        self.step = BEFORE_TIME_0
        self.blocks: list[BlockArrays] = []
        self.synapses = SynapseLayout(network, device)
        self.currents = CurrentLayout(network, device)
        self.junctions = JunctionLayout(network, device)
        self.backgrounds = Backgrounds(network, device)
        self.plasticity = Plasticity(network, device)
        self._ownership = Ownership([], device.n_owner)
        self._layout: Layout | None = None
        self._plan: Plan | None = None
        self._prepared: tuple[Any, ...] = ()  # versions of the network that the plan is of
        self._diverged: set[int] = set()
        self.waiting: Emitted | None = None  # spikes that a restored state has in axons
        self._between_steps = False
        self._unprepared = ""  # why the network could not be laid out
        self._pace = Pace()
        self._ask_at = BEFORE_TIME_0  # the step at which plasticity may need to catch up

    def reset(self) -> None:
        """Go back to time 0 and the initial state; what was recorded stays.

        Raises `InterruptedRunError` if the network could not be laid out for the device.
        """
        self._check_prepared()
        self.step = self._ask_at = BEFORE_TIME_0
        self._between_steps = False
        self.synapses.reset()
        self.backgrounds.reset()
        self.plasticity.reset()
        self._plan = self.waiting = None
        for table in self.network.tables:
            table.reset()
        for block in self.network.blocks:
            block.reset()
            block.version += 1  # spike times count from 0 again

    def run_until(self, end: int, progress: Progress | None = None) -> None:
        """Advance to step `end`.

        A signal, such as that of Ctrl-C, ends the run after the call down that is in progress, and
        so do a lack of memory and a full disk: `step` is the step reached, all that was recorded
        until then is there, and the next run goes on.

        Raises `InterruptedRunError` where the last run was broken off while steps were done, or
        while the network was laid out.
        """
        if end <= max(self.step, 0):
            return
        with interrupts.held:
            self._check_prepared()
            if self._between_steps:
                raise InterruptedRunError(
                    "the last run was broken off between two time steps, so that it cannot go on: "
                    "call reset(), or load_state(); what was recorded before can be read"
                )
            self.collect()
            self._prepare()
            try:
                self._run(end, progress)
            finally:
                self.collect()
                if not self._between_steps:
                    self.synapses.fetch()
            self._warn_of_divergence()

    def discard(self) -> None:
        """Give all memory back, also if a traceback refers to the engine; it is of no use then."""
        for part in (self._plan, self._layout, self):
            if part is not None:
                part.__dict__.clear()

    @property
    def can_go_on(self) -> bool:
        """Whether `run_until` may be called: not after it was broken off between two states."""
        return not (self._between_steps or self._unprepared)

    def collect(self) -> None:
        """Have all that was recorded in `spikes` and the network's probes.

        A run does so itself, unless memory runs out.
        """
        self._collect()

    def _collect(self, but: int = 0) -> None:
        """The same, `but` for the last calls down, of which one may still be at work."""
        for recorded in self._plan.collect(but) if self._plan is not None else ():
            for probe, rows in recorded.samples:
                probe.append(rows)
            self.spikes.extend(recorded.spikes)

    def _prepare(self) -> None:
        """Lay the network out, and make the plan of a run, unless those of the last one hold."""
        same = self._plan is not None and self._prepared == self.network.versions()
        if same and self.backgrounds.all_open():
            return
        self._layout = self._lay_out()
        self._plan = Plan(self._layout, self.device, self._plan, self.waiting)
        self.waiting = None
        self._prepared = self.network.versions()

    def _lay_out(self) -> Layout:
        """Take over what has changed in the network; what was recorded has been collected."""
        try:
            return self._synchronise()
        except ParameterError:  # which changes nothing
            raise
        except BaseException as error:
            self._unprepared = f"{type(error).__name__}: {error}"
            raise

    def _check_prepared(self) -> None:
        if self._unprepared:
            raise InterruptedRunError(
                "the network could not be laid out for the device, and cannot go on "
                f"({self._unprepared}): call setup(); what was recorded before can be read"
            )

    def _run(self, end: int, progress: Progress | None) -> None:
        assert self._plan is not None
        self._ask_at = min(self._ask_at, self.step + self.plasticity.longest_run())
        while self.step < end and not interrupts.pending():
            if self.step >= self._ask_at:
                self._ask_plasticity()
            self._pace.begin()
            first = self.step
            most = min(self._pace.steps, self._exchange.steps(self._plan.batch))
            stop = min(end, first + most, self._ask_at)
            stop = min(stop, progress.next_stop(first)) if progress else stop
            call = self._plan.prepare(first, stop)
            self._between_steps = True
            try:
                self.step = self._plan.begin(call)
            except DeviceError:  # before anything was done
                self._between_steps = False
                raise
            self._between_steps = False
            self._exchange.take(partial(self._plan.emitted, first, self.step))
            self._collect(but=1)
            self.spill()
            self._pace.end(self.step - first)
            if progress:
                progress.report(self.step)

    def _ask_plasticity(self) -> None:
        """Have weights take in the targets' spikes, if these would be forgotten soon.

        That is asked at steps that depend on the network alone.
        """
        self.collect()  # and wait
        if self.plasticity.behind():
            self.synapses.fetch()
            self.plasticity.catch_up(self.step)
            self._prepare()
        self._ask_at = self.step + self.plasticity.longest_run()

    def _warn_of_divergence(self) -> None:
        """Warn once of each population in which a potential is not a finite number any more."""
        for arrays in self.blocks:
            if "v" not in arrays.block.model.state or arrays.block.index in self._diverged:
                continue
            v = self.device.get(arrays.row("v"))
            if math.isfinite(np.add.reduce(v)):  # as it is where all are, but for huge ones
                continue
            bad = np.flatnonzero(~np.isfinite(v))
            if len(bad):
                self._diverged.add(arrays.block.index)
                model = arrays.block.model
                synaptic = ", ".join(name for name in model.recordable if "syn" in name)
                warn(
                    f"v of {len(bad)} neurons of a population of {model.name}, the first with "
                    f"index {bad[0]}, is not a finite number any more at "
                    f"{self.network.grid.time(self.step):g} ms: its input "
                    f"{f'({synaptic}) ' if synaptic else ''}is too strong for the time step and "
                    "the capacitance",
                    RuntimeWarning,
                )

    def weights(self, table: SynapseTable) -> NDArray[Any]:
        """Weights of a table as they are now, in the order of storage.

        Those that learn take in all spikes of their targets that have come to them by now.
        """
        return self.plasticity.present(table, max(self.step, 0))

    def snapshot(self) -> Arrays:
        """All that the future depends on, but for what is in the blocks and tables themselves.

        Raises `InterruptedRunError` where the last run was broken off between two time steps.
        """
        self._check_prepared()
        if self._between_steps:
            raise InterruptedRunError(
                "the last run was broken off between two time steps: there is no state to save"
            )
        with interrupts.held:
            self.collect()
            self._lay_out()
            self.synapses.settle(self.step, self._settle)
        waiting = self._plan.waiting(self.step) if self._plan else self.waiting
        neuron, stamp = self.spikes.of(0, self.network.size)
        parts: dict[str, Arrays] = {
            "synapses": self.synapses.snapshot(),
            "plasticity": self.plasticity.snapshot(),
            "background": self.backgrounds.snapshot(),
            "state": {str(k): each.snapshot() for k, each in enumerate(self.blocks)},
            "spikes": {"neuron": neuron, "stamp": stamp},
            "waiting": waiting._asdict() if waiting else {},
        }
        arrays = {
            f"{name}/{key}": each for name, part in parts.items() for key, each in part.items()
        }
        return arrays | {"step": np.array(self.step)}

    def check(self, contents: Contents, step: int) -> None:
        """Raise `CheckpointError` for what is no snapshot of this network at a step.

        May also raise `ParameterError`, ValueError or KeyError.
        """
        now, network = max(step, 0), self.network
        self.synapses.check(contents.part("synapses"), step)
        self.plasticity.check(contents.part("plasticity"), step)
        self.backgrounds.check(contents.part("background"), step)
        states = contents.part("state")
        for number, block in enumerate(network.blocks):
            shape = len(block.model.state), block.size
            states.check(str(number), scalar(block, self.precision), shape)
        states.finish()
        spikes = contents.part("spikes")
        neuron = spikes.check("neuron", np.int32, (None,), least=0, most=network.size - 1)
        spikes.check("stamp", np.int64, neuron.shape, least=0, most=now)
        if (np.diff(neuron) < 0).any():
            spikes.fail("neuron is not in ascending order")
        spikes.finish()
        Emitted.check(contents.part("waiting"), network, step)

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same network, whose blocks and tables have been restored."""

        def part(name: str) -> Arrays:
            prefix = f"{name}/"
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        self.step = self._ask_at = int(arrays["step"])
        self._between_steps = False
        self._plan = None
        self.currents = CurrentLayout(self.network, self.device)
        self.junctions = JunctionLayout(self.network, self.device)
        waiting = part("waiting")
        self.waiting = Emitted(**waiting) if waiting else None
        self.blocks = [
            BlockArrays(block, self.device, self.precision) for block in self.network.blocks
        ]
        for number, state in part("state").items():
            self.blocks[int(number)].restore(state)
        self.synapses.restore(part("synapses"))
        self.plasticity.restore(part("plasticity"))
        self.backgrounds.restore(part("background"))
        self.spikes = SpikeStore()
        self.spikes.append(arrays["spikes/neuron"], arrays["spikes/stamp"])

    def _synchronise(self) -> Layout:
        for block in self.network.blocks[len(self.blocks) :]:
            self.blocks.append(BlockArrays(block, self.device, self.precision))
        for arrays in self.blocks:
            arrays.synchronise(self.step)
        if len(self._ownership.starts) != len(self.blocks):
            self._pace = Pace()
            self._ownership = Ownership(self.network.blocks, self.device.n_owner)
        fused = self.backgrounds.tables()
        closing = self.backgrounds.closing(self.step, fused)
        self.synapses.synchronise(self.step, fused, closing, self._ownership, self._settle)
        self.backgrounds.synchronise(self.step, fused, self.blocks)
        self.plasticity.synchronise(self._ownership)
        self.junctions.synchronise(self.blocks, self._ownership, self.network.grid.dt)
        self.currents.synchronise(self.blocks, self._ownership, self.junctions)
        layout = Layout(
            network=self.network,
            precision=self.precision,
            step=self.step,
            blocks=tuple(self.blocks),
            ownership=self._ownership,
            synapses=self.synapses,
            plasticity=self.plasticity,
            backgrounds=self.backgrounds,
            currents=self.currents,
            junctions=self.junctions,
        )
        for probe in self.network.probes:
            if not probe.rows and probe.first == max(self.step, 0):
                state = layout.arrays_of(probe).sample(probe.variable, probe.index)
                probe.append(state[np.newaxis])
        return layout

    def spill(self) -> None:
        """Move what was recorded to disk, if it takes more memory than it may."""
        recorded: list[SpikeStore | Probe] = [self.spikes, *self.network.probes]
        if sum(each.nbytes for each in recorded) > self._recording_memory:
            for each in recorded:
                each.spill()

    def _settle(self, synapses: SynapseLayout) -> None:
        """Deliver all that was emitted, with the synapses as they were, into a ring with room."""
        if self._plan is not None:
            self._plan.settle(synapses, self.step)
            self._plan = None
