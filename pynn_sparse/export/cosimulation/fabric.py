"""Packets in a network on chip, step by step, beside the integer model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..arguments import door
from ..nets.fixednet import FixedNet
from .routers import PICOSECONDS, Noc

Integers = NDArray[np.int64]
NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Groups:
    """Items of keys 0, 1, ..., n - 1: those of key k are `item[start[k]:start[k + 1]]`."""

    item: Integers
    start: Integers

    @classmethod
    def of(cls, keys: Integers, n: int, items: Integers | None = None) -> Groups:
        """Items 0, 1, ..., or those that are given, by their keys."""
        order = np.argsort(keys, kind="stable")
        start = np.searchsorted(keys[order], np.arange(n + 1))
        return cls(order if items is None else items[order], start)

    def expand(self, keys: Integers) -> tuple[Integers, Integers]:
        """All items of these keys, and for each the place of its key among them."""
        begin, count = self.start[keys], self.start[keys + 1] - self.start[keys]
        ends = np.cumsum(count)
        place = np.repeat(np.arange(len(keys)), count)
        return self.item[np.arange(len(place)) + (begin - (ends - count))[place]], place


@dataclass(frozen=True)
class Ways:
    """The ways of all spikes: a tree of links for each axon.

    Rows are pairs of an axon and a core at which it has synapses.

    Attributes:
        axon, core: int64 [rows].
        last: int64 [rows], node of the link by which a row's core is reached; -1 within a core.
        link, parent: int64 [nodes], a node's link, and the node before it; -1 for the first one.
        owner: int64 [nodes], axon.
        below: int64 [nodes], rows that a packet here goes to.
        rank: int64 [links], greater for the next link of a way.
        latency: int64 [links], ps.
        wires: number of links that are ports; wires follow.
    """

    axon: Integers
    core: Integers
    last: Integers
    link: Integers
    parent: Integers
    owner: Integers
    below: Integers
    rank: Integers
    latency: Integers
    wires: int


def picoseconds(ns: float) -> int:
    """The nearest integer."""
    return round(ns * PICOSECONDS)


def ways_of(axon: Integers, core: Integers, home: Integers, cores: int, noc: Noc) -> Ways:
    """Ways of rows.

    Args:
        axon: of the rows, in ascending order.
        core: of the rows, in ascending order within an axon.
        home: core of each axon; `cores` for those of sources.
        cores: how many there are.
        noc: the network on chip.
    """
    # Links: from cores 0, 1, ... to their routers, from outside; from routers to cores; wires.
    entering, leaving, first = np.arange(cores + 1), cores + 1, 2 * cores + 1
    wires = noc.wires()
    deepest = max((wire.order for wire in wires), default=0)
    ports = [0] * len(entering), [deepest + 2] * cores, [wire.order + 1 for wire in wires]
    rank = np.concatenate([np.array(each, np.int64) for each in ports])
    port = picoseconds(noc.port_ns)
    latencies = [picoseconds(wire.latency_ns) for wire in wires]
    latency = np.array([port] * first + latencies, np.int64)

    pairs, pair = np.unique(np.stack([home[axon], core]), axis=1, return_inverse=True)
    chains = []
    for begin, end in pairs.T.tolist():
        router = noc.entrance if begin == cores else noc.router_of(begin)
        path = [first + n for n in noc.path(router, noc.router_of(end))]
        chains.append([] if begin == end else [begin, *path, leaving + end])
    chain = Groups(
        np.array([link for each in chains for link in each], np.int64),
        np.cumsum([0, *map(len, chains)]),
    )
    link, row = chain.expand(pair.reshape(-1))
    begins = np.append(True, np.diff(row) != 0)[: len(row)]
    before = np.where(begins, -1, np.arange(len(row)) - 1)
    ends = np.append(begins[1:], True)[: len(row)]
    node = np.arange(len(row))
    if noc.multicast:
        _, at, node = np.unique(
            axon[row] * len(rank) + link, return_index=True, return_inverse=True
        )
        before = np.where(before[at] < 0, -1, node[before[at]])
        link, owner = link[at], axon[row[at]]
    else:
        owner = axon[row]
    last = np.full(len(axon), -1)
    last[row[ends]] = node[ends]
    below = np.bincount(last[last >= 0], minlength=len(link)).astype(np.int64)
    for level in np.unique(rank[link])[::-1]:
        mine = np.flatnonzero((rank[link] == level) & (before >= 0))
        np.add.at(below, before[mine], below[mine])
    return Ways(axon, core, last, link, before, owner, below, rank, latency, first)


class Fabric:
    """What delivers spikes to the rows of their axons when their packets arrive.

    A spike of step s leaves its core at s `step_ps`. It is input as if it had been sent in the
    step within which it arrives: what takes less than a step makes no difference. All times are
    integers, ps. Packets that reach a queue at one time leave in the order in which spikes were
    sent, those of a spike in ascending order of cores.

    Args:
        net: the network.
        core: int64 [N], core of each neuron.
        noc: the network on chip.
        step_ps: time of a step.

    Attributes:
        rows: the network with a row for each pair of an axon and a core, in place of each axon.
        ways: of these rows.
        sent: steps and axons of spikes, in order.
        arrivals: (row, spike, time) of what was delivered.
        lost, travelling: rows whose packets were lost, or are not yet there.
        free: int64 [links], when the last packet of each has passed, ps.
        packets, waited, queued: int64 [links], packets that went through; how long they waited in
            all, ps; most that were waiting or on the link when one came.
    """

    def __init__(self, net: FixedNet, core: Integers, noc: Noc, step_ps: int) -> None:
        core = np.asarray(core, np.int64)
        cores = int(core.max(initial=0)) + 1
        if cores > noc.cores:
            raise door.refused(
                "noc",
                noc,
                f"one with {cores} cores or more; it has {noc.cores}: more routers, "
                "or cores_per_router",
            )
        source, at = net.source, core[net.target]
        order = np.lexsort((at, source))
        pair = source[order] * cores + at[order]
        begin = np.flatnonzero(np.append(True, np.diff(pair) != 0)[: len(pair)])
        self.rows = replace(
            net,
            start=np.append(begin, len(pair)),
            **{name: getattr(net, name)[order] for name in ("target", "weight", "hop", "format")},
        )
        axon, row_core = np.divmod(pair[begin], cores)
        home = np.append(core, np.full(net.n_axons - net.n_neurons, cores))
        self.ways = ways = ways_of(axon, row_core, home, cores, noc)
        self._rows_of = Groups.of(axon, net.n_axons)
        roots = np.flatnonzero(ways.parent < 0)
        self._roots = Groups.of(ways.owner[roots], net.n_axons, roots)
        inner, nodes = np.flatnonzero(ways.parent >= 0), len(ways.link)
        self._children = Groups.of(ways.parent[inner], nodes, inner)
        remote = np.flatnonzero(ways.last >= 0)
        self._ends = Groups.of(ways.last[remote], nodes, remote)
        self.noc, self.step_ps = noc, step_ps
        self._packet = picoseconds(noc.packet_ns)
        links = len(ways.rank)
        self.free = np.zeros(links, np.int64)
        self.packets, self.waited, self.queued = (np.zeros(links, np.int64) for _ in range(3))
        self._ranks: list[int] = np.unique(ways.rank).tolist()
        self._coming: dict[int, list[Integers]] = {}  # rank -> (node, time, spike) of packets
        self._due: dict[int, list[Integers]] = {}  # step -> (row, spike, time)
        self.sent: list[Integers] = []
        self.arrivals: list[Integers] = []
        self.lost = self.travelling = self._spikes = 0

    def arrived(self, axons: Integers, step: int) -> Integers:
        """Rows that packets reach within a step, at whose beginning spikes of `axons` are sent.

        Has to be called for each step, one after the other.
        """
        now = step * self.step_ps
        spike = self._spikes + np.arange(len(axons))
        self._spikes += len(axons)
        self.sent.append(np.stack([np.full(len(axons), step), axons], axis=1))
        row, place = self._rows_of.expand(axons)
        self.travelling += len(row)
        own = self.ways.last[row] < 0
        self._deliver(row[own], spike[place[own]], np.full(own.sum(), now))
        node, place = self._roots.expand(axons)
        self._send(node, np.full(len(node), now), spike[place])
        for rank in self._ranks:
            if rank in self._coming:
                self._pass(rank, now + self.step_ps)
        here = np.concatenate([np.zeros((3, 0), np.int64), *self._due.pop(step, [])], axis=1)
        here = here[:, np.lexsort((here[0], here[1]))]
        self.travelling -= here.shape[1]
        self.arrivals.append(here)
        return np.asarray(here[0])

    def _deliver(self, row: Integers, spike: Integers, time: Integers) -> None:
        step = time // self.step_ps
        for each in np.unique(step).tolist():
            mine = step == each
            self._due.setdefault(each, []).append(np.stack([row[mine], spike[mine], time[mine]]))

    def _send(self, node: Integers, time: Integers, spike: Integers) -> None:
        rank = self.ways.rank[self.ways.link[node]]
        for each in np.unique(rank).tolist():
            mine = rank == each
            self._coming.setdefault(each, []).append(
                np.stack([node[mine], time[mine], spike[mine]])
            )

    def _pass(self, rank: int, end: int) -> None:
        """Packets that are at links of a rank before `end` go on; no others can be before them."""
        coming = np.concatenate(self._coming.pop(rank), axis=1)
        later = coming[1] >= end
        if later.any():
            self._coming[rank] = [coming[:, later]]
        node, time, spike = coming[:, ~later]
        link = self.ways.link[node]
        order = np.lexsort((node, spike, time, link))
        node, time, spike, link = node[order], time[order], spike[order], link[order]
        leaves = self._leave(link, time)
        kept = leaves >= 0
        self._lose(node[~kept])
        node, time, spike, link, leaves = (each[kept] for each in (node, time, spike, link, leaves))
        self._count(link, leaves - time)
        at = leaves + self.ways.latency[link]
        row, place = self._ends.expand(node)
        self._deliver(row, spike[place], at[place])
        child, place = self._children.expand(node)
        self._send(child, at[place], spike[place])

    def _leave(self, link: Integers, time: Integers) -> Integers:
        """When packets, in order of their links and of time, leave the queues; -1 for never.

        A packet leaves when it comes, or `packet_ns` after the one before it: packet i of a link
        at the greatest of t_j + (i - j) packet_ns over j <= i.
        """
        packet, n = self._packet, len(link)
        if not n:
            return NONE
        begins = np.flatnonzero(np.append(True, np.diff(link) != 0))
        place = np.searchsorted(begins, np.arange(n), side="right") - 1
        behind = (np.arange(n) - begins[place]) * packet
        ready = time.copy()
        ready[begins] = np.maximum(ready[begins], self.free[link[begins]])
        # Relative to the first of a link, and never less: the greatest is at most a step.
        ahead = np.maximum(ready - behind - ready[begins][place], 0)
        span = int(ahead.max()) + 1
        greatest = np.maximum.accumulate(ahead + place * span) - place * span
        leaves = greatest + ready[begins][place] + behind
        ends = np.append(begins[1:], n)
        if self.noc.queue is not None:
            late = leaves - time > self.noc.queue * packet
            for k in np.unique(place[late]).tolist():
                mine = slice(begins[k], ends[k])
                leaves[mine] = self._with_losses(time[mine].tolist(), int(self.free[link[mine]][0]))
        np.maximum.at(self.free, link, np.where(leaves >= 0, leaves + packet, 0))
        return np.asarray(leaves)

    def _with_losses(self, times: list[int], free: int) -> list[int]:
        """When packets leave a queue that is too short for some; -1 for these."""
        assert self.noc.queue is not None
        most, leaves = self.noc.queue * self._packet, []
        for time in times:
            at = max(time, free)
            if at - time > most:
                leaves.append(-1)
                continue
            leaves.append(at)
            free = at + self._packet
        return leaves

    def _lose(self, node: Integers) -> None:
        rows = int(self.ways.below[node].sum())
        self.lost += rows
        self.travelling -= rows

    def _count(self, link: Integers, waits: Integers) -> None:
        np.add.at(self.packets, link, 1)
        np.add.at(self.waited, link, waits)
        if self._packet:
            np.maximum.at(self.queued, link, -(-waits // self._packet))
