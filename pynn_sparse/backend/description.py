"""What a network is made of, before it is run: sizes, bytes, expected events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pynn_sparse.network import Block, SynapseTable

from . import simulator
from .access import exclusive

BYTES_OF_TIMING = 8  # of an accumulator


@dataclass(frozen=True)
class PopulationDescription:
    """A population: its model, number of cells, and bytes of state and parameters."""

    model: str
    cells: int
    bytes: int
    rate: float | None  # Hz, of sources whose rate is known


@dataclass(frozen=True)
class ProjectionDescription:
    """Synapses between two populations, given by their numbers.

    `events` are synaptic events per biological second where the rate of the source is known, else
    None; `events_per_hz` what each Hz of it brings.
    """

    source: int
    target: int
    receptor: str
    dynamics: str
    synapses: int
    bytes: int
    delays: tuple[float, float]  # ms, least and greatest
    events: float | None
    events_per_hz: float


@dataclass(frozen=True)
class NetworkDescription:
    """What `describe_network` gives; `str` makes tables of it."""

    populations: list[PopulationDescription] = field(default_factory=list)
    projections: list[ProjectionDescription] = field(default_factory=list)
    accumulator_bytes: int = 0

    @property
    def neurons(self) -> int:
        """Number of cells, spike sources included."""
        return sum(each.cells for each in self.populations)

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return sum(each.synapses for each in self.projections)

    @property
    def bytes(self) -> int:
        """Bytes of state, parameters, synapses and accumulators of input."""
        cells, synapses = (
            sum(each.bytes for each in parts) for parts in (self.populations, self.projections)
        )
        return cells + synapses + self.accumulator_bytes

    @property
    def known_events(self) -> float:
        """Synaptic events per biological second from sources whose rate is known."""
        return sum(each.events or 0.0 for each in self.projections)

    @property
    def events_per_hz(self) -> float:
        """Those that each Hz of the other neurons brings."""
        return sum(each.events_per_hz for each in self.projections if each.events is None)

    def __str__(self) -> str:
        populations = [
            (str(k), p.model, f"{p.cells:,}", _bytes(p.bytes), _rate(p.rate))
            for k, p in enumerate(self.populations)
        ]
        projections = [
            (
                f"{p.source} → {p.target}",
                p.receptor,
                p.dynamics or "static",
                f"{p.synapses:,}",
                "{:g} to {:g}".format(*p.delays),
                _bytes(p.bytes),
                f"{p.events:.3g}" if p.events is not None else f"{p.events_per_hz:.3g} per Hz",
            )
            for p in self.projections
        ]
        return "\n".join(
            [
                _table(("", "model", "cells", "bytes", "rate / Hz"), populations),
                "",
                _table(
                    (
                        "",
                        "receptor",
                        "synapses are",
                        "synapses",
                        "delay / ms",
                        "bytes",
                        "events / s",
                    ),
                    projections,
                ),
                "",
                f"{self.neurons:,} cells, {self.synapses:,} synapses, {_bytes(self.bytes)} "
                f"({_bytes(self.accumulator_bytes)} of them for input on its way)",
                f"{self.known_events:.3g} synaptic events per biological second from sources of "
                f"known rate, and {self.events_per_hz:.3g} for each Hz of the other cells",
            ]
        )


@exclusive("describe_network")
def describe_network() -> NetworkDescription:
    """The populations and projections made so far: sizes, memory, expected synaptic events.

    Works before and between runs. Populations are numbered in the order in which they were made.
    `print` it, or look at its attributes. Where several processes simulate together, all have to
    call this; synapses and bytes are those of all of them, of which each has its own state of all
    cells.
    """
    network, processes = simulator.state.network, simulator.state.processes
    longest = np.array([network.greatest_delay() or 1])
    greatest = int(processes.greatest("describe_network", longest)[0])
    rates = [_rates(block) for block in network.blocks]
    scalar = np.dtype(simulator.state.scalar).itemsize
    ports = sum(block.size * len(block.model.receptors) for block in network.blocks)
    return NetworkDescription(
        [
            _population(block, each, scalar, processes.size)
            for block, each in zip(network.blocks, rates, strict=True)
        ],
        _of_all([_projection(table, rates[table.pre.index]) for table in network.tables])
        + [_junctions(table) for table in network.junctions],
        BYTES_OF_TIMING * ports * greatest * processes.size,
    )


def _of_all(projections: list[ProjectionDescription]) -> list[ProjectionDescription]:
    """Projections of this process with the synapses of all."""
    processes, tables = simulator.state.processes, simulator.state.network.tables
    if processes.size == 1:
        return projections
    what = "describe_network"
    sums, greatest = np.zeros((len(tables), 3)), np.full((len(tables), 2), -np.inf)
    for number, (table, each) in enumerate(zip(tables, projections, strict=True)):
        # Rows that share weights have all synapses everywhere.
        counted = not (table.rows.share_weights and processes.rank)
        sums[number] = counted * each.synapses, each.bytes, counted * (each.events or 0.0)
        if len(table):
            greatest[number] = -each.delays[0], each.delays[1]
    sums, greatest = processes.total(what, sums), processes.greatest(what, greatest)
    return [
        replace(
            each,
            synapses=int(n),
            bytes=int(size),
            delays=(-float(less), float(more)),
            events=None if each.events is None else float(events),
            events_per_hz=float(n),
        )
        for each, (n, size, events), (less, more) in zip(projections, sums, greatest, strict=True)
    ]


def _population(
    block: Block, rates: np.ndarray | None, scalar: int, n_process: int
) -> PopulationDescription:
    size = 8 if block.model.double_only else scalar
    shared = all(np.ndim(value) == 0 for value in block.derived.values())
    n = block.size * len(block.model.state) + len(block.derived) * (1 if shared else block.size)
    rate = None if rates is None else float(np.mean(rates))
    return PopulationDescription(block.model.name, block.size, n * size * n_process, rate)


def _projection(table: SynapseTable, rates: np.ndarray | None) -> ProjectionDescription:
    fan_out = np.diff(table.row_start)
    rows = slice(table.first_source, table.first_source + table.n_source)
    grid = simulator.state.network.grid
    least, greatest = (float(grid.time(each)) for each in table.waits.delay)
    return ProjectionDescription(
        *(table.pre.index, table.post.index, table.receptor),
        table.rule.dynamics.name if table.rule else "",
        len(table),
        table.nbytes,
        (least, greatest),
        None if rates is None else float(np.sum(fan_out * rates[rows])),
        float(len(table)),
    )


def _junctions(table: SynapseTable) -> ProjectionDescription:
    none = 0.0
    return ProjectionDescription(
        *(table.pre.index, table.post.index, "", "gap junctions", len(table), table.nbytes),
        *((none, none), none, none),
    )


def _rates(block: Block) -> np.ndarray | None:
    """Hz of each source, where its parameters say so."""
    p = block.parameters
    match block.model.name:
        case "SpikeSourcePoisson" | "SpikeSourcePoissonRefractory":
            rate = p["rate"]
        case "SpikeSourceGamma":
            rate = np.asarray(p["beta"], float) / p["alpha"]
        case "SpikeSourceArray":
            rate = np.array([_mean_rate(times) for times in p["spike_times"]])
        case _:
            return None
    return np.array(np.broadcast_to(np.asarray(rate, float), (block.size,)))


def _mean_rate(times: np.ndarray) -> float:
    """Spikes per second until the last one."""
    return 1000.0 * len(times) / float(times[-1]) if len(times) and times[-1] > 0 else 0.0


def _bytes(n: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if n < 1024:
            return f"{n:.3g} {unit}"
        n /= 1024
    return f"{n:.3g} GiB"


def _rate(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.4g}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    )
