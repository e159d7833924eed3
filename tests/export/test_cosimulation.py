"""Tables with a network on chip, against a plain statement of routers and queues."""

from __future__ import annotations

import bisect
import functools
import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from crossbar_networks import random_odin, random_truenorth
from export_networks import random_events, random_fixed, random_float, rule_of
from plain_model import Reached, plain

from pynn_sparse.export import ExportError, Mesh, Tree, lower
from pynn_sparse.export.cosimulation.replayed import Replayed, replayed
from pynn_sparse.export.cosimulation.routers import PRESETS, Noc
from pynn_sparse.export.models import golden
from pynn_sparse.export.nets.fixednet import FixedNet
from pynn_sparse.export.registry import find

STEPS, CORES = 40, 6
SLOW = {"hop_ns": 90.0, "packet_ns": 70.0, "port_ns": 15.0}
NOCS = {
    "mesh": Mesh(3, 2, hop_y_ns=130.0, **SLOW),
    "multicast": Mesh(3, 2, multicast=True, entry=4, **SLOW),
    "short queues": Mesh(3, 2, queue=2, **SLOW),
    "multicast, no queues": Mesh(2, 3, queue=0, multicast=True, **SLOW),
    "several cores": Mesh(1, 3, cores_per_router=2, **SLOW),
    "tree": Tree(2, 3, cores_per_router=2, **SLOW),
    "tree, multicast": Tree(3, 2, cores_per_router=2, multicast=True, entry=1, queue=3, **SLOW),
}
STEP_US = 0.4  # shorter than many ways
OUTSIDE = -1


@functools.cache
def names(noc: Noc, home: int, core: int) -> list[Any]:
    """Queues on the way from a core, or from outside, to a core."""
    per = noc.cores_per_router
    at = noc.entrance if home == OUTSIDE else home // per
    way = [("in", home)]
    if isinstance(noc, Mesh):
        x, y = at % noc.width, at // noc.width
        to_x, to_y = core // per % noc.width, core // per // noc.width
        points = [(x, y)]
        while x != to_x:
            x += 1 if to_x > x else -1
            points.append((x, y))
        while y != to_y:
            y += 1 if to_y > y else -1
            points.append((x, y))
        way += list(pairwise(points))
    else:
        assert isinstance(noc, Tree)
        above = {}
        first, count = 0, noc.arity ** (noc.levels - 1)
        while count > 1:
            for router in range(count):
                above[first + router] = first + count + router // noc.arity
            first, count = first + count, count // noc.arity

        def line(router: int) -> list[int]:
            return [router, *(line(above[router]) if router in above else [])]

        up, down = line(at), line(core // per)
        while len(up) > 1 and len(down) > 1 and up[-2] == down[-2]:
            up.pop()
            down.pop()
        way += list(pairwise([*up, *down[-2::-1]]))
    return [*way, ("out", core)]


def latency(noc: Noc, queue: Any) -> int:
    if queue[0] in ("in", "out"):
        return round(noc.port_ns * 1000)
    if isinstance(noc, Mesh) and noc.hop_y_ns is not None and queue[0][1] != queue[1][1]:
        return round(noc.hop_y_ns * 1000)
    return round(noc.hop_ns * 1000)


class Routers:
    """One packet after the other, in order of time."""

    def __init__(self, net: FixedNet, core: list[int], noc: Noc, step_ps: int) -> None:
        self.net, self.core, self.noc, self.step_ps = net, core, noc, step_ps
        self.heap: list[tuple[int, int, int, int, tuple[int, ...], int]] = []
        self.leaves: dict[Any, list[int]] = defaultdict(list)
        self.arrivals: list[tuple[int, int, int]] = []  # spike, core, time
        self.due: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.spikes = self.lost = 0

    def arrive(self, axons: list[int], step: int) -> Reached:
        noc, now = self.noc, step * self.step_ps
        for axon in axons:
            spike, self.spikes = self.spikes, self.spikes + 1
            home = self.core[axon] if axon < self.net.n_neurons else OUTSIDE
            row = self.net.target[self.net.start[axon] : self.net.start[axon + 1]]
            cores = sorted({self.core[target] for target in row})
            if home in cores:
                self.due[step].append((spike, axon, home))
                self.arrivals.append((spike, home, now))
            away = [core for core in cores if core != home]
            groups = [tuple(away)] if noc.multicast and away else [(core,) for core in away]
            for group in groups:
                heapq.heappush(self.heap, (now, spike, group[0], 0, group, axon))
        while self.heap and self.heap[0][0] < now + self.step_ps:
            self.hop(*heapq.heappop(self.heap))

        def reaches(core: int) -> Callable[[int], bool]:
            return lambda target: self.core[target] == core

        return [(axon, reaches(core)) for _, axon, core in self.due.pop(step, [])]

    def hop(
        self, time: int, spike: int, _: int, at: int, cores: tuple[int, ...], axon: int
    ) -> None:
        noc = self.noc
        home = self.core[axon] if axon < self.net.n_neurons else OUTSIDE
        ways = {core: names(noc, home, core) for core in cores}
        queue = ways[cores[0]][at]
        packet, leaves = round(noc.packet_ns * 1000), self.leaves[queue]
        free = leaves[-1] + packet if leaves else 0
        waiting = len(leaves) - bisect.bisect_right(leaves, time)
        if noc.queue is not None and free > time and waiting >= noc.queue:
            self.lost += len(cores)
            return
        leaves.append(max(time, free))
        after = leaves[-1] + latency(noc, queue)
        branches = defaultdict(list)
        for core in cores:
            if at + 1 == len(ways[core]):
                self.arrivals.append((spike, core, after))
                self.due[after // self.step_ps].append((spike, axon, core))
            else:
                branches[ways[core][at + 1]].append(core)
        for group in branches.values():
            heapq.heappush(self.heap, (after, spike, group[0], at + 1, tuple(group), axon))


def case(seed: int, target: str = "asic") -> tuple[FixedNet, np.ndarray, np.ndarray]:
    fixed = random_fixed(seed, target)
    core = np.random.default_rng(seed).integers(0, CORES, fixed.n_neurons)
    return fixed, core, random_events(seed, fixed, STEPS)


def run(fixed: FixedNet, core: Any, noc: Noc, events: Any, step_us: float = STEP_US) -> Replayed:
    return replayed(fixed, np.asarray(core), noc, 1.0, step_us, STEPS, events)


@pytest.mark.parametrize("name", NOCS)
@pytest.mark.parametrize("seed", [1, 3])
def test_packets_and_spikes_are_those_of_plain_routers(name: str, seed: int) -> None:
    fixed, core, events = case(seed, "loihi1" if seed == 3 else "asic")
    noc = NOCS[name]
    found = run(fixed, core, noc, events)
    routers = Routers(fixed, core.tolist(), noc, round(STEP_US * 1e6))
    spikes, _ = plain(fixed, STEPS, events, routers.arrive)
    assert found.trace.spikes.tolist() == spikes
    assert len(spikes) > 3
    sent = found.spikes[found.spike, 0] * round(STEP_US * 1e6)
    arrivals = zip(found.spike, found.core, sent + found.latency_ps, strict=True)
    last = (STEPS + 1) * round(STEP_US * 1e6)
    assert sorted(arrivals) == sorted(each for each in routers.arrivals if each[2] < last)
    assert found.lost == routers.lost
    assert found.travelling == len([core for each in routers.heap for core in each[4]]) + len(
        [each for due in routers.due.values() for each in due]
    )
    assert (found.late > 0) == (noc.queue != 0)  # what never waits is not late
    assert (found.lost > 0) == (noc.queue is not None)


@pytest.mark.parametrize("noc", [Mesh(3, 2), Tree(2, 3, cores_per_router=2), Mesh(6, 1, queue=0)])
@pytest.mark.parametrize("seed", range(4))
def test_without_latency_it_is_the_golden_model(noc: Noc, seed: int) -> None:
    fixed, core, events = case(seed, ("asic", "loihi1")[seed % 2])
    found = run(fixed, core, noc, events)
    same(found.trace, golden.run(fixed, STEPS, events))
    assert found.equal
    assert not found.latency_ps.any()
    assert (found.late, found.disordered, found.lost, found.travelling) == (0, 0, 0, 0)
    assert not found.intervals_ns.any()


@pytest.mark.parametrize("make", [random_odin, random_truenorth])
def test_without_latency_spikes_that_act_one_by_one_or_merge_are_the_same(make: Any) -> None:
    target = find("odin" if make is random_odin else "truenorth")
    for seed in range(2):
        fixed = make(seed, target)
        events = np.repeat(random_events(seed, fixed, STEPS), 2, axis=0)  # twice at a time
        core = np.zeros(fixed.n_neurons, int)
        if make is random_truenorth:  # in a crossbar, the order of cells is that of spikes
            core = np.random.default_rng(seed).integers(0, CORES, fixed.n_neurons)
        found = run(fixed, core, Mesh(3, 2), events)
        same(found.trace, golden.run(fixed, STEPS, events))


def same(one: golden.Trace, other: golden.Trace) -> None:
    assert one.spikes.tolist() == other.spikes.tolist()
    for name in ("synaptic_events", "overflows", "largest_input", "merged"):
        assert getattr(one, name) == getattr(other, name)


def test_less_than_a_step_changes_nothing_and_more_does() -> None:
    fixed, core, events = case(1)
    noc = NOCS["mesh"]
    assert run(fixed, core, noc, events, step_us=1000.0).equal
    assert run(fixed, core, noc, events, step_us=1000.0).latency_ns.max() > 300
    slow = run(fixed, core, noc, events)
    assert not slow.equal
    assert min(each.coincident for each in slow.comparisons) < 1
    assert slow.disordered > 0
    assert slow.figures()["interval_distortion_ns"]["greatest"] > 0


def test_a_single_packet_takes_what_its_links_take() -> None:
    """From outside by router 0 to router 5: port, two links along x, one along y, port."""
    fixed, _, _ = case(1)
    core = np.full(fixed.n_neurons, 5)
    axon = int(np.flatnonzero(np.diff(fixed.start)[fixed.n_neurons :])[0]) + fixed.n_neurons
    found = run(fixed, core, NOCS["mesh"], np.array([[7, axon]]), step_us=1000.0)
    mine = found.axon == axon
    assert found.latency_ns[mine].tolist() == [15 + 90 + 90 + 130 + 15]
    ends = {(each.begin, each.end) for each in found.links}
    assert {("outside", "router 0"), ("router 1", "router 2"), ("router 5", "core 5")} <= ends
    assert all(each.queued == 0 for each in found.links)


def test_figures_count_what_arrived() -> None:
    fixed, core, events = case(1)
    found = run(fixed, core, NOCS["short queues"], events)
    figures = found.figures()
    rows = [len({core[t] for t in fixed.target[a:b]}) for a, b in pairwise(fixed.start)]
    sent = sum(rows[axon] for axon in found.spikes[:, 1])
    assert sent == figures["deliveries"] + found.lost + found.travelling
    entering = sum(each.packets for each in found.links if each.begin.startswith(("core", "out")))
    assert entering <= sent - found.own.sum()
    assert max(each.queued for each in found.links) == 2
    assert all(0 < each.busy <= 1 for each in found.links)
    text = found.markdown()
    assert f"| lost | {found.lost:,} " in text
    assert found.picture().startswith(b"\x89PNG")
    assert Tree(3, 2).position(3) == (1.0, 1)


def test_tables_are_replayed_on_the_cores_where_they_are() -> None:
    net = random_float(3, n=60)
    tables = lower(net, "loihi1", quantise=rule_of("loihi1"))
    found = tables.replay(100.0, noc="loihi")
    assert found.equal
    assert found.noc == PRESETS["loihi"]
    assert found.latency_ns.max() == pytest.approx(2.1)  # all neurons are in one core
    assert found.trace.spikes.tolist() == tables.trace(100.0).spikes.tolist()
    core = np.arange(60) % 4
    spread = tables.replay(100.0, noc=Mesh(2, 2, hop_ns=400.0), step_us=1.0, core=core)
    assert spread.late == 0
    assert not tables.replay(100.0, noc=Mesh(2, 2, hop_ns=600.0), step_us=1.0, core=core).equal


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Mesh(0, 2), "width = 0: must be 1 to 1024"),
        (lambda: Mesh(2, 2, hop_ns=-1.0), "hop_ns = -1.0: must be a number of ns, 0 or greater"),
        (lambda: Mesh(2, 2, hop_y_ns=float("nan")), "hop_y_ns = nan"),
        (lambda: Mesh(2, 2, port_ns=1e30), "port_ns = 1e+30: must be a number of ns, 0 or greater"),
        (lambda: Tree(1024, 4), "levels = 4: must be such that there are at most 1048576 routers"),
        (lambda: Mesh(2, 2, queue=-1), "queue = -1"),
        (lambda: Mesh(2, 2, entry=4), "entry = 4: must be 0 to 3"),
        (lambda: Mesh(2, 2, multicast=1), "multicast = 1: must be True or False"),  # type: ignore[arg-type]
        (lambda: Tree(1, 2), "arity = 1"),
        (lambda: Tree(2, 2, cores_per_router=0), "cores_per_router = 0"),
    ],
)
def test_what_cannot_be_a_network_on_chip_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ExportError) as error:
        make()
    assert words in str(error.value)


def test_what_cannot_be_replayed_is_refused() -> None:
    net = random_float(3, n=20)
    tables = lower(net, "asic", quantise=rule_of("asic"))
    for arguments, words in (
        ({"noc": "truenorth"}, "noc = 'truenorth': must be one of loihi"),
        ({"noc": 3}, "must be a Mesh, a Tree, or one of loihi"),
        ({"noc": Mesh(2, 2), "step_us": 0}, "step_us = 0: must be a number of us"),
        ({"noc": Mesh(2, 2), "core": [0]}, "core = [0]: must be 20 integers"),
        ({"noc": Mesh(2, 2), "core": [0.5] * 20}, "must be 20 integers"),
        ({"noc": Mesh(2, 2), "core": [4] * 20}, "with 5 cores or more; it has 4"),
    ):
        with pytest.raises(ExportError) as error:
            tables.replay(10.0, **arguments)  # type: ignore[arg-type]
        assert words in str(error.value)


def test_a_link_that_is_too_slow_for_all_its_packets_falls_behind() -> None:
    """Packets that a step leaves behind are there in the next ones."""
    fixed, core, events = case(1)
    noc = replace(NOCS["mesh"], packet_ns=300.0)
    found = run(fixed, core, noc, events)
    assert found.travelling > 50
    assert found.latency_ns.max() > 20 * STEP_US * 1000
    fast = run(fixed, core, replace(noc, packet_ns=3.0), events)
    assert fast.latency_ns.max() < 2 * STEP_US * 1000
