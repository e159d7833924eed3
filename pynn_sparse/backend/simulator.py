"""The state of the simulation: the network, the engine that runs it, and the time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn_sparse import engine as engines
from pynn_sparse import notices
from pynn_sparse.engine.exchange.processes import digest
from pynn_sparse.interrupts import held
from pynn_sparse.network import Network, TimeGrid, memory
from pynn_sparse.network.stream import Stream
from pynn_sparse.network.synapses import MAX_DELAY_STEPS
from pynn_sparse.notices import warn
from pynn_sparse.processors import processors

from .. import common, errors
from . import access
from .identifiers import ID  # noqa: F401  where PyNN looks for it
from .mpi import processes_of
from .progress import RunProgress
from .together import Together

if TYPE_CHECKING:
    from pynn_sparse.engine import Engine
    from pynn_sparse.engine.devices.device import Device

name = "PyNN-sparse"

SHARE_OF_RECORDING = 0.25  # of the memory that is available when the first run begins
DEFAULT_SEED = (
    42  # a script gives the same result each time it is run, as with PyNN's other backends
)


def explain(error: BaseException, text: str) -> None:
    """Add to the message of an error."""
    if isinstance(error, OSError) and error.strerror:
        error.strerror += f"; {text}"
    else:
        message = f"{error}; {text}" if str(error) else text
        error.args = (message,)
        if str(error) != message:  # such as NumPy's, which makes its message of what it knows
            raise MemoryError(message) from error


@dataclass(frozen=True)
class Options:
    """What `setup` was told, checked."""

    timestep: float = 0.1
    min_delay: float | None = None  # ms; None where the time step is the only limit
    max_delay: float | None = None  # ms; None where the engine's is the only limit
    device: str = "auto"
    threads: int | None = None
    precision: str = "double"
    seed: int = DEFAULT_SEED
    recording_memory: float | None = None  # MiB; None for a share of what is available
    progress: bool = False
    mpi: bool | None = None  # None for what a launcher of MPI has started
    dry_run: tuple[int, int] | None = None  # how many processes, and which of them


class State(Together, common.control.BaseState):
    """What `setup` makes anew: options, an empty network, and time 0.

    The engine is made when the first run begins, so that "auto" can look at the network. A GPU is
    used before that, to build the network on it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._begin(Options())
        self.closed = "setup() has not been called"

    def configure(self, options: Options) -> None:
        """Discard the network and begin with these options."""
        processes = processes_of(options.mpi, options.dry_run)
        processes.meet_alike("setup", {"options": digest([replace(options, threads=None)])})
        if processes.rank and not processes.dry:
            notices.mute()
        recorders = [*self.recorders, *self.synapse_recorders]
        discarded = recorders, self.network, self.engine
        self._processes = processes
        self._begin(options)
        self._discard(*discarded)

    @staticmethod
    def _discard(recorders: list[Any], network: Network, engine: Engine | None) -> None:
        """Give memory and files back at once, whoever still refers to parts of the network."""
        for recorder in recorders:
            recorder.discard()
        network.discard()
        if engine is not None:
            engine.discard()

    def _begin(self, options: Options) -> None:
        self.options = options
        self.closed = ""  # why nothing can be made or changed
        self.network = Network(TimeGrid(options.timestep), options.seed, self._n_process())
        self._digest: Any = None  # made for several processes
        fits = float(self.network.grid.time(MAX_DELAY_STEPS))
        self._greatest_delay = options.max_delay or fits
        self.engine: Engine | None = None
        self._device_name: str | None = None  # not looked for yet
        self._gpu: Device | None = None
        self.recorders: set[Any] = set()
        self.synapse_recorders: list[Any] = []  # in the order in which projections were recorded
        self.projections: list[Any] = []  # in the order in which they were made
        self.rewiring: list[Any] = []  # of populations, onto which connections come and go
        self.neuromodulated: dict[Any, Any] = {}  # by the population of the targets
        self.kinds_of_projections: dict[Any, Any] = {}  # of those from cell to cell
        self.write_on_end: list[tuple[Any, Any, Any]] = []  # cells, variables, file name or Neo IO
        self._sources = itertools.count()
        self.said: set[str] = set()  # warnings that are given once
        self.running = False
        self.segment_counter = 0
        self.t_start = 0

    def _n_process(self) -> int:
        """Number of processes, without looking for them where `setup` has not done so yet."""
        return 1 if self._processes is None else self._processes.size

    def clear(self) -> None:
        """Discard the network, keep the options."""
        self.configure(self.options)

    def check_present(self, network: Network, what: str) -> None:
        """Raise RuntimeError if `network` is not the present one, to which `what` must belong."""
        if network is not self.network:
            raise RuntimeError(
                f"{what} belongs to a network that setup() has discarded; make it anew"
            )

    def require_open(self, what: str) -> None:
        """Raise RuntimeError, where there is no simulation to make or change `what` in."""
        if self.closed:
            raise RuntimeError(f"{what}: {self.closed}; call setup() first")

    def check_open(self, network: Network, what: str) -> None:
        """As `check_present`, for what is about to be changed."""
        self.check_present(network, what)
        self.require_open(what)

    def stream_of_new_source(self) -> Stream:
        """What a new current source draws its noise from; each has a number of its own."""
        return replace(self.network.stream, first=next(self._sources))

    def begin_instance(self, seed: int) -> None:
        """Let what is made from now on draw the random numbers that it would draw alone."""
        self.network.begin_instance(seed)
        self._sources = itertools.count()

    @property
    def threads(self) -> int:
        """How many threads build and read networks: what `setup` was told, or all processors."""
        return self.options.threads or processors()

    @property
    def gpu(self) -> Device | None:
        """The device, if that is a GPU."""
        if self._device_name is None:
            alone = self.processes.size == 1 or self.options.device != "auto"
            self._device_name = engines.chosen(self.options.device) if alone else "cpu"
        if self._device_name == "cuda" and self._gpu is None:
            of_process = 0, self.processes.place
            self._gpu = engines.make_device("cuda", None, 0, self.options.precision, *of_process)
        return self._gpu

    @property
    def dt(self) -> float:
        """Time step in ms."""
        return self.network.grid.dt

    @property
    def scalar(self) -> type[np.floating[Any]]:
        """Type of weights, as `setup` was told by `precision`."""
        return np.float32 if self.options.precision == "single" else np.float64

    @property
    def step(self) -> int:
        """Number of time steps since time 0."""
        return max(self.engine.step, 0) if self.engine else 0

    @property
    def last_step(self) -> int:
        """The step after which nothing has been done: -1 if not even that before time 0."""
        return self.engine.step if self.engine else -1

    @property
    def t(self) -> float:
        """Time in ms, free of accumulated rounding errors."""
        return float(self.network.grid.time(self.step))

    @property
    def least_delay_allowed(self) -> float:
        """Lower limit of synaptic delays in ms: what `setup` was given, or else the time step."""
        return self.options.min_delay or self.dt

    @property
    def min_delay(self) -> float:
        """Least synaptic delay in ms: what `setup` was given, or else the least that there is.

        Each process knows the synapses onto its own neurons, so that all have to ask.
        """
        own = self.network.least_delay()
        most = np.array([-np.inf if own is None else -own])
        least = -float(self.processes.greatest("get_min_delay", most)[0])
        if self.options.min_delay or least == np.inf:
            return self.least_delay_allowed
        return float(self.network.grid.time(int(least)))

    @property
    def max_delay(self) -> float:
        """Greatest synaptic delay allowed, in ms: what `setup` was given, or else what fits."""
        return self._greatest_delay

    def run_until(self, time: float) -> None:
        """Advance to `time` (ms), or if that lies between two time steps, to the later of them."""
        self.require_open("run")
        steps = time * self.network.grid.steps_per_ms
        end = int(np.ceil(steps - 1e-4))
        if abs(end - steps) > 1e-4:
            warn(
                f"{time:g} ms is not a multiple of the time step of {self.dt:g} ms; "
                f"running until {self.network.grid.time(end):g} ms",
                errors.RoundingWarning,
            )
        progress = None
        if self.options.progress and end > self.step and not self.processes.rank:
            progress = RunProgress(self.step, end, self.dt)
        try:
            self._check_alike(end)
            with self.processes.together("run"):
                self._advance(end, progress)
            self.running = True
        except (KeyboardInterrupt, MemoryError, OSError) as error:
            explain(error, self._what_is_possible())
            raise
        finally:
            self.running |= self.last_step >= 0  # there are data to be had
            if progress:
                progress.close()

    def _advance(self, end: int, progress: RunProgress | None) -> None:
        """Run to a step, and at steps on the way let connections come and go."""
        engine = self.require_engine()
        for each in self.rewiring:
            each.begin_run()
        while self.step < end:
            stop = min((each.next_stop(end) for each in self.rewiring), default=end)
            engine.run_until(stop, progress)
            if self.step < stop:  # a signal whose handler lets the run go on
                continue
            with held:
                for each in self.rewiring:
                    each.attempt(stop)

    def _what_is_possible(self) -> str:
        """After a run that has ended before its time."""
        if self.engine is None or not self.engine.can_go_on:
            return "the network cannot go on: reset() or setup() begin anew"
        return (
            f"the run has ended at {self.t:g} ms: get_data() gives what was recorded until then, "
            "run() goes on from there, reset() goes back to time 0, and setup() begins anew"
        )

    def require_engine(self) -> Engine:
        """The engine, made now if there is none."""
        if self.engine is None:
            self.engine = self.new_engine()
        return self.engine

    def new_engine(self) -> Engine:
        """An engine for the present network, at its beginning."""
        options = self.options
        size, precision = self.network.size, options.precision
        synapses = sum(map(len, self.network.tables))
        device = self.gpu or engines.make_device("cpu", options.threads, size, precision, synapses)
        recording = self._recording_bytes()
        self.processes.attach(self.network)
        return engines.Engine(self.network, device, precision, recording, self.processes)

    def _recording_bytes(self) -> float:
        if self.options.recording_memory is None:
            return SHARE_OF_RECORDING * memory.available()
        return self.options.recording_memory * 2**20

    def reset(self, same_noise: bool = False) -> None:
        """Go back to time 0 and the initial state, and begin a new segment of recordings.

        If time has passed, random numbers are others from now on, unless they shall be the same.
        """
        self.require_open("reset")
        if self.step > 0 and not same_noise:
            self.network.trials.number += 1
        self.running = False
        self.segment_counter += 1
        for each in self.rewiring:
            each.restart()
        if self.engine is not None:
            self.engine.reset()
            self.engine.recordings.forget()
        for probe in (*self.network.probes, *self.network.synapse_probes):
            probe.restart(0)

    def lose(self) -> None:
        """In the child of a fork: a thread that is not there any more was changing the network."""
        self.closed = "this process was forked while another thread ran or changed the network"


state = State()
access.when_lost(state.lose)
