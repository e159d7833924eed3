"""A run of tables together with the network on chip, beside one whose spikes take no time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..likeness import Comparison, compare
from ..models import golden
from ..models.semantics import Semantics
from ..nets.fixednet import FixedNet
from .fabric import Fabric, Ways, picoseconds
from .picture import congestion
from .routers import PICOSECONDS, Noc

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Link:
    """What a link had to carry.

    Attributes:
        begin, end: "router 3" or "core 3"; spikes of sources begin "outside".
        packets: that went through, or will.
        busy: share of the run in which a packet was on it.
        waited_ns: mean time that a packet waited.
        queued: most packets that were waiting or on it when one came.
    """

    begin: str
    end: str
    packets: int
    busy: float
    waited_ns: float
    queued: int


@dataclass(frozen=True)
class Replayed:
    """Tables that were run with a network on chip.

    Attributes:
        noc: the network on chip.
        dt: time step of the tables, ms.
        step_us: how long the hardware took for one, us.
        steps: that were run.
        trace: of the run with the network on chip.
        direct: of the run without: the golden model's.
        comparisons: of the spikes of each population, with it (`found`) and without (`expected`).
        spikes: int64 [n, 2], (step, axon) of all spikes that were sent, of sources, too.
        spike, axon, core: int64 [arrivals], of what was delivered to a core.
        latency_ps: int64 [arrivals], from the beginning of the step of the spike.
        own: bool [arrivals], whether the core is that of the spike: such spikes take no time.
        lost: deliveries whose packet found a full queue.
        travelling: those that were not there at the end.
        links: all links that carried packets.
    """

    noc: Noc
    dt: float
    step_us: float
    steps: int
    trace: golden.Trace
    direct: golden.Trace
    comparisons: tuple[Comparison, ...]
    spikes: Integers
    spike: Integers
    axon: Integers
    core: Integers
    latency_ps: Integers
    own: NDArray[np.bool_]
    lost: int
    travelling: int
    links: tuple[Link, ...]

    @property
    def equal(self) -> bool:
        """Whether the network on chip changed no spike."""
        return np.array_equal(self.trace.spikes, self.direct.spikes)

    @property
    def latency_ns(self) -> Floats:
        """From the beginning of the step of a spike to each delivery, ns, float64 [arrivals]."""
        return self.latency_ps / PICOSECONDS

    @property
    def late(self) -> int:
        """Deliveries in a later step than that of the spike."""
        return int((self.latency_ps >= picoseconds(self.step_us * 1000)).sum())

    @cached_property
    def disordered(self) -> int:
        """Deliveries that came to a core after that of a spike of a later step."""
        step = self.spikes[self.spike, 0]
        at = step * picoseconds(self.step_us * 1000) + self.latency_ps
        order = np.lexsort((step, self.core))
        core, step, at = self.core[order], step[order], at[order]
        count = 0
        ends = np.searchsorted(core, np.arange(core.max(initial=-1) + 2))
        for first, end in itertools.pairwise(ends.tolist()):
            steps, times = step[first:end], at[first:end]
            earliest = np.minimum.accumulate(times[::-1])[::-1]
            after = np.searchsorted(steps, steps, side="right")
            later = after < len(steps)
            count += int((times[later] > earliest[after[later]]).sum())
        return count

    @cached_property
    def intervals_ns(self) -> Floats:
        """By how much intervals between spikes of an axon changed on the way to a core, ns."""
        step = self.spikes[self.spike, 0]
        order = np.lexsort((self.spike, self.core, self.axon))
        same = (np.diff(self.axon[order]) == 0) & (np.diff(self.core[order]) == 0)
        same &= np.diff(step[order]) > 0
        changed = np.abs(np.diff(self.latency_ps[order]))
        return np.asarray(changed[same] / PICOSECONDS)

    def figures(self) -> dict[str, Any]:
        """All in short, for other programs."""
        through = self.latency_ns[~self.own]
        return {
            "equal": self.equal,
            "spikes": len(self.spikes),
            "deliveries": len(self.spike),
            "between_cores": len(through),
            "latency_ns": _summary(through),
            "interval_distortion_ns": _summary(self.intervals_ns),
            "late": self.late,
            "disordered": self.disordered,
            "lost": self.lost,
            "travelling": self.travelling,
            "links": len(self.links),
            "busiest": max((each.busy for each in self.links), default=0.0),
            "longest_queue": max((each.queued for each in self.links), default=0),
            "coincident": {each.label: each.coincident for each in self.comparisons},
        }

    def markdown(self) -> str:
        """All figures, the busiest links, and what became of each population's spikes."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        found = self.figures()
        latency, interval = found["latency_ns"], found["interval_distortion_ns"]
        n = max(len(self.spike), 1)
        yield from ("| | |", "|---|---|")
        yield f"| network on chip | {self.noc} |"
        yield f"| time step | {self.dt:g} ms, in {self.step_us:g} us of the hardware |"
        yield f"| spikes | {found['spikes']:,}, {found['deliveries']:,} deliveries to cores |"
        yield f"| between cores | {found['between_cores']:,} |"
        yield f"| latency | mean {latency['mean']:.1f} ns, greatest {latency['greatest']:.1f} ns |"
        yield (
            f"| change of intervals | mean {interval['mean']:.1f} ns, "
            f"greatest {interval['greatest']:.1f} ns |"
        )
        for name, count in (
            ("in a later step", self.late),
            ("after a spike of a later step", self.disordered),
            ("lost", self.lost),
            ("still on the way at the end", self.travelling),
        ):
            yield f"| {name} | {count:,} ({count / n:.2%}) |"
        yield ""
        yield "| link | packets | busy | mean wait / ns | longest queue |"
        yield "|---|---|---|---|---|"
        for each in sorted(self.links, key=lambda link: (-link.busy, -link.packets))[:10]:
            ends = f"{each.begin} → {each.end}"
            figures = f"{each.busy:.1%} | {each.waited_ns:.1f} | {each.queued}"
            yield f"| {ends} | {each.packets:,} | {figures} |"
        yield ""
        yield "| population | spikes without | with | coincident | distance |"
        yield "|---|---|---|---|---|"
        for one in self.comparisons:
            alike = f"{one.coincident:.1%} | {one.distance:.3f}"
            yield f"| {one.label} | {one.expected:,} | {one.found:,} | {alike} |"

    def picture(self) -> bytes:
        """A map of the routers and of how busy links are, as PNG. Needs matplotlib."""
        return congestion(self.noc, {(each.begin, each.end): each for each in self.links})


def replayed(
    fixed: FixedNet,
    core: Integers,
    noc: Noc,
    dt: float,
    step_us: float,
    steps: int,
    events: Integers,
) -> Replayed:
    """Run a network with and without a network on chip.

    Args:
        fixed: the integers.
        core: of each neuron, int64 [N].
        noc: the network on chip.
        dt: time step, ms.
        step_us: how long the hardware takes for it, us.
        steps: how many.
        events: (step, axon) of sources' spikes, int64 [n, 2].

    Raises `ExportError` for neurons that have no steps, and for more cores than there are.
    """
    if not isinstance(fixed.semantics, Semantics):
        raise ExportError(
            "replay: the target counts spikes in windows; must be one whose spikes have times"
        )
    step_ps = picoseconds(step_us * 1000)
    fabric = Fabric(fixed, core, noc, step_ps)
    direct = golden.run(fixed, steps, events)
    trace = golden.run(fixed, steps, events, delivery=fabric)
    row, spike, time = np.concatenate([np.zeros((3, 0), np.int64), *fabric.arrivals], axis=1)
    spikes = np.concatenate([np.zeros((0, 2), np.int64), *fabric.sent])
    latency = time - spikes[spike, 0] * step_ps
    return Replayed(
        noc,
        dt,
        step_us,
        steps,
        trace,
        direct,
        _compared(fixed, direct, trace, dt, steps),
        spikes,
        spike,
        fabric.ways.axon[row],
        fabric.ways.core[row],
        latency,
        fabric.ways.last[row] < 0,
        fabric.lost,
        fabric.travelling,
        tuple(_links(fabric, steps)),
    )


def _summary(values: Floats) -> dict[str, float]:
    if not len(values):
        return {"mean": 0.0, "greatest": 0.0}
    return {"mean": float(values.mean()), "greatest": float(values.max())}


def _compared(
    fixed: FixedNet, direct: golden.Trace, trace: golden.Trace, dt: float, steps: int
) -> tuple[Comparison, ...]:
    """Spikes of each population; those of one step are the same."""
    found = []
    for population in fixed.axons:
        if population.is_source:
            continue
        both = []
        for spikes in (direct.spikes, trace.spikes):
            cell = spikes[:, 1] - population.first
            mine = (cell >= 0) & (cell < population.size)
            both.append((cell[mine], spikes[mine, 0] * dt))
        expected, got = both
        found.append(compare(population.label, population.size, expected, got, steps * dt))
    return tuple(found)


def _links(fabric: Fabric, steps: int) -> Iterator[Link]:
    """Those that carried packets, with the names of their ends."""
    ways, noc = fabric.ways, fabric.noc
    run = (steps + 1) * fabric.step_ps
    # All that a link has yet to do at the end follows without a pause.
    busy = fabric.packets * picoseconds(noc.packet_ns) - np.maximum(fabric.free - run, 0)
    for link in np.flatnonzero(fabric.packets).tolist():
        packets = int(fabric.packets[link])
        yield Link(
            *_ends(link, ways, noc),
            packets,
            float(busy[link]) / run,
            float(fabric.waited[link]) / packets / PICOSECONDS,
            int(fabric.queued[link]),
        )


def _ends(link: int, ways: Ways, noc: Noc) -> tuple[str, str]:
    cores = ways.wires // 2
    if link < cores:
        return f"core {link}", f"router {noc.router_of(link)}"
    if link == cores:
        return "outside", f"router {noc.entrance}"
    if link < ways.wires:
        core = link - cores - 1
        return f"router {noc.router_of(core)}", f"core {core}"
    wire = noc.wires()[link - ways.wires]
    return f"router {wire.begin}", f"router {wire.end}"
