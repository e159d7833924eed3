"""Networks on chip: routers, the links between them, and the way that a spike takes.

Each link is a queue from which packets leave in the order in which they came. A packet keeps its
link busy for `packet_ns`, and is at the next queue when `hop_ns` have passed since it left this
one. The way depends on where a packet comes from and where it goes alone, and links of a way
always follow each other in the same order (`Wire.order`), so that no packets wait for each other
in a circle.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..arguments import door

PICOSECONDS = 1000  # of a ns
MOST_ROUTERS = 1 << 20


@dataclass(frozen=True)
class Wire:
    """A link from one router to another.

    Attributes:
        begin, end: routers.
        order: on each way, it is less than that of the next wire.
        latency_ns: from a packet's leaving the queue of this wire to its being at the next one.
    """

    begin: int
    end: int
    order: int
    latency_ns: float


@dataclass(frozen=True, kw_only=True)
class Noc(ABC):
    """A network on chip.

    Attributes:
        hop_ns: latency of a link between routers, ns.
        port_ns: latency of a link from a core to its router, and of one to it, ns.
        packet_ns: how long a packet keeps a link busy, ns: 1000 / (millions of packets a second).
        queue: packets that may wait for a link, besides the one that is on it; those that find so
            many there are lost. None for any number.
        multicast: whether a spike for several cores is one packet as far as their ways are the
            same; else there is one for each core, and they leave one after the other.
        cores_per_router: cores are at routers in ascending order, as many at each.
        entry: router at which spikes of sources enter, by a link of their own; None for the first
            one, or the root of a tree.
    """

    hop_ns: float = 0.0
    port_ns: float = 0.0
    packet_ns: float = 0.0
    queue: int | None = None
    multicast: bool = False
    cores_per_router: int = 1
    entry: int | None = None

    def __post_init__(self) -> None:
        must = "a number of ns, 0 or greater, and 1e9 at most"
        for name in self._times():
            door.number(name, getattr(self, name), must, lambda x: 0 <= x <= 1e9)
        if self.queue is not None:
            door.integer("queue", self.queue, 0)
        door.flag("multicast", self.multicast)
        door.integer("cores_per_router", self.cores_per_router, 1)
        if self.entry is not None:
            door.integer("entry", self.entry, 0, self.routers - 1)

    def _times(self) -> tuple[str, ...]:
        return "hop_ns", "port_ns", "packet_ns"

    @property
    @abstractmethod
    def routers(self) -> int:
        """How many there are; those that have cores come first."""

    @property
    @abstractmethod
    def ends(self) -> int:
        """Routers that have cores."""

    @property
    @abstractmethod
    def first(self) -> int:
        """Router at which spikes of sources enter, if `entry` does not say."""

    @abstractmethod
    def wires(self) -> tuple[Wire, ...]:
        """All links between routers."""

    @abstractmethod
    def way(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Routers at both ends of each wire from one router to another."""

    @abstractmethod
    def position(self, router: int) -> tuple[float, float]:
        """Where a picture has it."""

    @property
    def cores(self) -> int:
        """How many there can be."""
        return self.ends * self.cores_per_router

    def router_of(self, core: int) -> int:
        """The router of a core."""
        return core // self.cores_per_router

    @property
    def entrance(self) -> int:
        """The router at which spikes of sources enter."""
        return self.first if self.entry is None else self.entry

    @cached_property
    def _number(self) -> dict[tuple[int, int], int]:
        return {(wire.begin, wire.end): n for n, wire in enumerate(self.wires())}

    def path(self, begin: int, end: int) -> list[int]:
        """Numbers of the wires from one router to another."""
        return [self._number[pair] for pair in self.way(begin, end)]


@dataclass(frozen=True)
class Mesh(Noc):
    """Routers in rows, each linked to its neighbours; packets go along x first, then along y.

    Attributes:
        width, height: routers along x and y. Router r is at (r % width, r // width).
        hop_y_ns: latency of a link along y, ns, if it is not `hop_ns`.
    """

    width: int
    height: int
    hop_y_ns: float | None = None

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            door.integer(name, getattr(self, name), 1, 1024)
        super().__post_init__()

    def _times(self) -> tuple[str, ...]:
        return (*super()._times(), *(["hop_y_ns"] if self.hop_y_ns is not None else []))

    @property
    def routers(self) -> int:
        return self.width * self.height

    @property
    def ends(self) -> int:
        return self.routers

    @property
    def first(self) -> int:
        return 0

    def wires(self) -> tuple[Wire, ...]:
        w, h = self.width, self.height
        along_y = self.hop_ns if self.hop_y_ns is None else self.hop_y_ns
        found = []
        for router in range(self.routers):
            x, y = router % w, router // w
            for there, end, order, latency in (
                (x + 1 < w, router + 1, x, self.hop_ns),
                (x > 0, router - 1, w - 1 - x, self.hop_ns),
                (y + 1 < h, router + w, w + y, along_y),
                (y > 0, router - w, w + h - 1 - y, along_y),
            ):
                if there:
                    found.append(Wire(router, end, order, latency))
        return tuple(found)

    def way(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        w = self.width
        at = begin
        while at != end:
            ahead = end % w - at % w
            step = int(math.copysign(1, ahead)) if ahead else (w if end > at else -w)
            yield at, at + step
            at += step

    def position(self, router: int) -> tuple[float, float]:
        return router % self.width, router // self.width


@dataclass(frozen=True)
class Tree(Noc):
    """Routers in levels; packets go up to the lowest router that both cores are below, and down.

    Attributes:
        arity: routers below each.
        levels: of routers, of which the lowest one has the cores, and the highest one is the root.
    """

    arity: int
    levels: int

    def __post_init__(self) -> None:
        door.integer("arity", self.arity, 2, 1024)
        door.integer("levels", self.levels, 1, 20)
        if self.routers > MOST_ROUTERS:
            must = f"such that there are at most {MOST_ROUTERS} routers; it has {self.routers}"
            raise door.refused("levels", self.levels, must)
        super().__post_init__()

    @cached_property
    def _begins(self) -> list[int]:
        """Number of the first router of each level, from below, and of all."""
        begins = [0]
        for level in range(self.levels):
            begins.append(begins[-1] + self.arity ** (self.levels - 1 - level))
        return begins

    @property
    def routers(self) -> int:
        return self._begins[-1]

    @property
    def ends(self) -> int:
        return self._begins[1]

    @property
    def first(self) -> int:
        return self.routers - 1

    def _level(self, router: int) -> int:
        return next(n for n, begin in enumerate(self._begins[1:]) if router < begin)

    def _above(self, router: int) -> int:
        level = self._level(router)
        return self._begins[level + 1] + (router - self._begins[level]) // self.arity

    def wires(self) -> tuple[Wire, ...]:
        found = []
        for router in range(self.routers - 1):
            level, above = self._level(router), self._above(router)
            found.append(Wire(router, above, level, self.hop_ns))
            found.append(Wire(above, router, 2 * self.levels - level, self.hop_ns))
        return tuple(found)

    def way(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        down = []
        while begin != end:
            if self._level(begin) <= self._level(end):
                yield begin, self._above(begin)
                begin = self._above(begin)
            else:
                down.append((self._above(end), end))
                end = self._above(end)
        yield from reversed(down)

    def position(self, router: int) -> tuple[float, float]:
        level = self._level(router)
        width = self.arity**level
        return (router - self._begins[level] + 0.5) * width - 0.5, level


# Latencies within a tile and between tiles of SPICE simulations, in Davies et al. (2018),
# doi:10.1109/MM.2018.112130359, as SANA-FE (SLAM-Lab/SANA-FE, arch/loihi.yaml) quotes them. How
# many packets a link takes is not among them.
PRESETS: dict[str, Noc] = {
    "loihi": Mesh(8, 4, hop_ns=4.1, hop_y_ns=6.5, port_ns=1.05, cores_per_router=4),
}


def noc_of(noc: Noc | str) -> Noc:
    """A network on chip, or the preset of a name. Raises `ExportError` for anything else."""
    if isinstance(noc, str):
        return PRESETS[door.one_of("noc", noc, PRESETS)]
    return door.instance("noc", noc, Noc, f"a Mesh, a Tree, or one of {', '.join(PRESETS)}")
