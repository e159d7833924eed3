"""Advances a network on a device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import interrupts
from ..errors import (
    DeviceError,
    InterruptedRunError,
    ParameterError,
    ProcessesError,
)
from ..network import Block, Network, SynapseTable
from ..network.block import Arrays
from ..network.synapses import Present
from .devices.device import Device
from .exchange.processes import Alone, Processes
from .exchange.stripes import GRAIN, stripes
from .faults import Divergence, event_not_sent, formula_failed
from .layout import Layout
from .neurons.blocks import BlockArrays, scalar
from .neurons.currents import CurrentLayout
from .neurons.junctions import JunctionLayout
from .neurons.spikes import Emitted
from .ownership import Ownership
from .pace import Pace
from .plan import Plan
from .recordings import Recordings
from .synapses.drawn import Backgrounds
from .synapses.layout import SynapseLayout
from .synapses.plasticity import Plasticity
from .synapses.whole import Wholes

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
    the next run begins. All results are in the network's probes and in `recordings`; those that
    take more than `recording_memory` bytes are moved to disk. A run stops on the way for samples of
    synapses, which are what `present` gives at that step.

    Where several processes share the network, each has an engine, with the same blocks in its
    network, and with tables of the synapses onto its own neurons, see `stripes`. All of them come
    to the same calls of `run_until`. What is recorded is that of a process's own neurons.

    Args:
        network: what to simulate.
        device: where.
        precision: "double" or "single".
        recording_memory: bytes.
        processes: that share the network.
        grain: of which their stripes have multiples.
    """

    def __init__(
        self,
        network: Network,
        device: Device,
        precision: str,
        recording_memory: float = math.inf,
        processes: Processes | None = None,
        grain: int = GRAIN,
    ) -> None:
        self.network = network
        self.device = device
        self.precision = precision
        self.processes = processes or Alone()
        self._grain = grain
        self.recordings = Recordings(network, recording_memory)
        self.step = BEFORE_TIME_0
        self.blocks: list[BlockArrays] = []
        self._wholes = Wholes(self.processes, device.build_threads)
        self.synapses = SynapseLayout(network, device, self.processes, self._wholes)
        self.currents = CurrentLayout(network, device)
        self.junctions = JunctionLayout(network, device)
        self.backgrounds = Backgrounds(network, device, self.processes)
        self.plasticity = Plasticity(network, device, self._wholes)
        self._ownership = Ownership([], device.n_owner)
        self._layout: Layout | None = None
        self._plan: Plan | None = None
        self._prepared: tuple[Any, ...] = ()  # versions of the network that the plan is of
        self._divergence = Divergence(device)
        self.waiting: Emitted | None = None  # spikes that a restored state has in axons
        self._between_steps = False
        self._unprepared = ""  # why the network could not be laid out
        self._refused: InterruptedRunError | None = None  # why a run cannot go on
        self._pace = Pace()
        self._ask_at = BEFORE_TIME_0  # the step at which plasticity may need to catch up

    def reset(self) -> None:
        """Go back to time 0 and the initial state; what was recorded stays.

        Raises `InterruptedRunError` if the network could not be laid out for the device.
        """
        self._check_prepared()
        self.step = self._ask_at = BEFORE_TIME_0
        self._between_steps = False
        self._refused, self.recordings.refused = None, None
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
        while the network was laid out, `EventOverflowError`, which is one, for a graded event that
        cannot be sent, and `SynapseFormulaError`, another, where a formula of a synapse type gives
        what is no finite number. Raises `NetworkTooLargeError` before anything is done where there
        is no room for the samples of synapses.
        """
        if end <= max(self.step, 0):
            return
        with interrupts.held, self.processes.together("run"):
            self.recordings.require_room(end)
            self._check_shared()
            self._check_prepared()
            if self._between_steps:
                raise InterruptedRunError(
                    "the last run was broken off between two time steps, so that it cannot go on: "
                    "call reset(), or load_state(); what was recorded before can be read"
                )
            self._check_sent()
            self.collect()
            self._prepare()
            try:
                self._run(end, progress)
            finally:
                self.collect()
                if not self._between_steps:
                    self.synapses.fetch()
            self._note_flaw()
            self._check_sent()
            self._divergence.look(self.blocks, self.network.grid, self.step)

    def discard(self) -> None:
        """Give all memory back, also if a traceback refers to the engine; it is of no use then."""
        for part in (self._plan, self._layout, self):
            if part is not None:
                part.__dict__.clear()

    @property
    def can_go_on(self) -> bool:
        """Whether `run_until` may be called: not after it was broken off between two states."""
        return not (self._between_steps or self._unprepared or self._refused)

    def collect(self) -> None:
        """Have all that was recorded in `recordings` and the network's probes.

        A run does so itself, unless memory runs out.
        """
        self._collect()

    def _collect(self, but: int = 0) -> None:
        """The same, `but` for the last calls down, of which one may still be at work."""
        if self._plan is not None:
            self.recordings.take(self._plan.collect(but))
        if self.recordings.refused and not self._refused:
            event = self.recordings.refused
            self._refused = event_not_sent(self.blocks, self.network.grid, *event)

    def _note_flaw(self) -> None:
        """Have the run end where a formula of a synapse type gave what is no finite number."""
        flaw = None if self._refused else self.plasticity.flaw()
        if flaw:
            self._refused = formula_failed(flaw, self.network.grid)

    def _check_sent(self) -> None:
        if self._refused:
            raise type(self._refused)(*self._refused.args)

    def _prepare(self) -> None:
        """Lay the network out, and make the plan of a run, unless those of the last one hold."""
        same = self._plan is not None and self._prepared == self.network.versions()
        if not self.processes.any("run", not (same and self.backgrounds.all_open())):
            return
        self._layout = self._lay_out()
        self._plan = Plan(self._layout, self.device, self.processes, self._plan, self.waiting)
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

    def _check_shared(self) -> None:
        """Raise NotImplementedError for what several processes cannot do together."""
        if self.processes.size == 1:
            return
        if self.network.junctions:
            raise NotImplementedError(
                f"gap junctions on {self.processes.size} processes: must be simulated by one"
            )

    def _check_prepared(self) -> None:
        if self._unprepared:
            raise InterruptedRunError(
                "the network could not be laid out for the device, and cannot go on "
                f"({self._unprepared}): call setup(); what was recorded before can be read"
            )

    def _run(self, end: int, progress: Progress | None) -> None:
        assert self._plan is not None
        self._ask_at = self._first(min(self._ask_at, self._longest_run()))
        self._sample_synapses()
        while self.step < end:
            if self.step >= self._ask_at:
                self._ask_plasticity()
            first = self.step
            stop = min(end, first + self._pace.steps, self._ask_at, first + self._plan.chunk())
            stop = min(stop, progress.next_stop(first)) if progress else stop
            stop = min([stop, *(each.next for each in self.network.synapse_probes)])
            stop = self._first(first if self._refused or interrupts.pending() else stop)
            if stop <= first:
                break
            self._pace.begin()
            call = self._plan.prepare(first, stop)
            self._between_steps = True
            try:
                self.step = self._plan.begin(call)
            except DeviceError:  # before anything was done
                self._between_steps = False
                raise
            except ProcessesError as error:
                self.processes.lost(error)
                raise error from self.processes.failure or error.__cause__
            self._between_steps = False
            self._collect(but=1)
            if self.device.shares_memory:  # a GPU would have to be waited for
                self._note_flaw()
            self._sample_synapses()
            self.recordings.spill()
            self._pace.end(self.step - first)
            if progress:
                progress.report(self.step)

    def _sample_synapses(self) -> None:
        """Take the samples of synapses that are due at this step."""
        due = self.recordings.due(max(self.step, 0))
        if due:
            self.collect()  # and wait
            self.synapses.fetch()
            self.recordings.sample(due, self.present)

    def _ask_plasticity(self) -> None:
        """Have weights take in the targets' spikes, if these would be forgotten soon.

        That is asked at steps that depend on the network alone.
        """
        self.collect()  # and wait
        if self.processes.any("run", self.plasticity.behind()):
            self.synapses.fetch()
            self.plasticity.catch_up(self.step)
            self._prepare()
        self._ask_at = self._first(self._longest_run())

    def _longest_run(self) -> int:
        """The step at which plasticity may need to catch up."""
        return self.step + self.plasticity.longest_run()

    def _first(self, step: int) -> int:
        """The first of the steps that processes give."""
        return -int(self.processes.greatest("run", np.array([-step]))[0])

    def weights(self, table: SynapseTable) -> NDArray[Any]:
        """Weights of a table as they are now, in the order of storage.

        Those that learn take in all spikes of their targets that have come to them by now.
        """
        return self.present(table).weight

    def present(self, table: SynapseTable, which: NDArray[np.int64] | None = None) -> Present:
        """Weights and states of a table, with what has come to them by now.

        With `which`, those of the synapses stored at these places, ascending.
        """
        return self.plasticity.present(table, max(self.step, 0), which)

    def snapshot(self) -> Arrays:
        """All that the future depends on, but for what is in the blocks and tables themselves.

        Raises `InterruptedRunError` where the last run was broken off between two time steps.
        """
        self._check_prepared()
        if self._between_steps:
            raise InterruptedRunError(
                "the last run was broken off between two time steps: there is no state to save"
            )
        self._check_sent()
        with interrupts.held:
            self.collect()
            self._lay_out()
            self._sample_synapses()
            self.synapses.settle(self.step, self._settle)
        waiting = self._plan.waiting(self.step) if self._plan else self.waiting
        parts: dict[str, Arrays] = {
            "synapses": self.synapses.snapshot(),
            "plasticity": self.plasticity.snapshot(),
            "background": self.backgrounds.snapshot(),
            "state": {str(k): each.snapshot() for k, each in enumerate(self.blocks)},
            **self.recordings.snapshot(),
            "waiting": waiting.in_order()._asdict() if waiting else {},
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
        self.recordings.check(contents, now)
        Emitted.check(contents.part("waiting"), network, step)

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot of the same network, whose blocks and tables have been restored."""

        def part(name: str) -> Arrays:
            prefix = f"{name}/"
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        self.step = self._ask_at = int(arrays["step"])
        self._between_steps = False
        self._refused = None
        self._plan = None
        self.currents = CurrentLayout(self.network, self.device)
        self.junctions = JunctionLayout(self.network, self.device)
        waiting = part("waiting")
        self.waiting = Emitted(**waiting) if waiting else None
        self.blocks = [self._arrays_of(block) for block in self.network.blocks]
        for number, state in part("state").items():
            self.blocks[int(number)].restore(state)
        self.synapses.restore(part("synapses"))
        self.plasticity.restore(part("plasticity"))
        self.backgrounds.restore(part("background"))
        self.recordings.restore(part("spikes"), part("graded"))

    def _arrays_of(self, block: Block) -> BlockArrays:
        starts = stripes(block, self.processes.size, self._grain)[self.processes.rank :]
        return BlockArrays(block, self.device, self.precision, slice(*starts[:2].tolist()))

    def _synchronise(self) -> Layout:
        for block in self.network.blocks[len(self.blocks) :]:
            self.blocks.append(self._arrays_of(block))
        for arrays in self.blocks:
            arrays.synchronise(self.step)
        if len(self._ownership.starts) != len(self.blocks):
            self._pace = Pace()
            among = self.processes.rank, self.processes.size, self._grain
            self._ownership = Ownership(self.network.blocks, self.device.n_owner, *among)
        self._wholes.synchronise(self.network)
        fused = self.backgrounds.tables(self._ownership)
        closing = self.backgrounds.closing(self.step, fused)
        self.synapses.synchronise(self.step, fused, closing, self._ownership, self._settle)
        self.backgrounds.synchronise(self.step, fused, self.blocks, self._ownership)
        self.plasticity.synchronise(self._ownership, self.step)
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

    def _settle(self, synapses: SynapseLayout) -> None:
        """Deliver all that was emitted, with the synapses as they were, into a ring with room."""
        if self._plan is not None:
            self._plan.settle(synapses, self.step)
            self._plan = None
