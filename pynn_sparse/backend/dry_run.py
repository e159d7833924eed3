"""What a dry run says of the run of many processes that it stands for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pynn_sparse.engine.exchange.dry import DryProcess
from pynn_sparse.measuring import peak, resident

from . import simulator
from .access import exclusive
from .doors.checks import as_number

BYTES_OF_WORD = 4


@dataclass(frozen=True)
class DryRunReport:
    """What one process of many has taken, and an exchange of spikes is expected to; `print` it.

    Attributes:
        processes: how many there would be.
        rank: the one that was run.
        time: biological time until now, ms.
        neurons: of this process.
        synapses: onto these.
        resident: bytes of memory of this process now, with Python and all libraries.
        peak: the most that there were.
        building: seconds from `setup` to the first run.
        laying_out: seconds in which runs were prepared.
        running: seconds of runs, without exchanges.
        exchanges: of spikes, until now.
        message: bytes that each process sends to each other one in an exchange.
        exchange: seconds that one is expected to take.
    """

    processes: int
    rank: int
    time: float
    neurons: int
    synapses: int
    resident: float
    peak: float
    building: float
    laying_out: float
    running: float
    exchanges: int
    message: int
    exchange: float

    @property
    def total(self) -> float:
        """Seconds that runs are expected to take, with exchanges, on processes as fast as this."""
        return self.laying_out + self.running + self.exchanges * self.exchange

    def __str__(self) -> str:
        mebi = 2**20
        return "\n".join(
            [
                f"process {self.rank} of {self.processes}: {self.neurons:,} neurons, "
                f"{self.synapses:,} synapses",
                f"memory: {self.resident / mebi:,.0f} MiB, {self.peak / mebi:,.0f} at the peak",
                f"building: {self.building:.3g} s; laying out: {self.laying_out:.3g} s",
                f"{self.time:g} ms of time: {self.running:.3g} s, and {self.exchanges:,} exchanges "
                f"of {self.message:,} bytes from each process, about {1e6 * self.exchange:.3g} us "
                f"each, {self.exchanges * self.exchange:.3g} s",
            ]
        )


@exclusive("dry_run_report")
def dry_run_report(latency: float = 2.0, bandwidth: float = 10.0) -> DryRunReport:
    """Memory and time of the process that `setup(dry_run=(n, k))` has run, and of its exchanges.

    An exchange is taken to need `latency` for each of log2(n) rounds, and the time in which the
    messages of all other processes arrive. That processes wait for the slowest is not in it.

    Args:
        latency: us that a message of a few bytes takes from one process to another.
        bandwidth: GB/s with which a process receives.

    Raises RuntimeError outside of a dry run, ValueError for numbers that are not greater than 0.
    """
    state = simulator.state
    must = "a number greater than 0"
    rounds = as_number("latency", latency, must, lambda x: 0 < x < math.inf)
    rate = as_number("bandwidth", bandwidth, must, lambda x: 0 < x < math.inf)
    processes = state.processes
    if not isinstance(processes, DryProcess):
        raise RuntimeError("dry_run_report: this is no dry run; call setup(dry_run=(n, k)) first")
    n, message = processes.size, BYTES_OF_WORD * processes.words
    own = map(state.own_part, state.network.blocks)
    return DryRunReport(
        processes=n,
        rank=processes.rank,
        time=state.t,
        neurons=sum(part.stop - part.start for part in own),
        synapses=sum(map(len, state.network.tables)),
        resident=resident(),
        peak=peak(),
        building=processes.building,
        laying_out=processes.laying_out,
        running=processes.running,
        exchanges=processes.n_exchange,
        message=message,
        exchange=1e-6 * rounds * math.ceil(math.log2(n)) + (n - 1) * message / (1e9 * rate),
    )
