"""The state of a network that several processes share, as that of one process.

A checkpoint is the file that one process would write, whatever the number of processes. Each sends
its part to process 0, which puts the parts together; and each takes its own part of what it reads.
What all processes have, such as parameters of cells, is taken from process 0.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.exchange.processes import Processes, first_number
from pynn_sparse.engine.exchange.stripes import stripes
from pynn_sparse.engine.synapses.histories import Sources
from pynn_sparse.network import Network, SynapseTable, wiring
from pynn_sparse.network.block import Arrays
from pynn_sparse.network.probe import Probe, SynapseProbe
from pynn_sparse.network.rows import compact

# Beginnings of the names of what processes have a part of each.
SHARED = ("state/", "spikes/", "graded/", "synapses/ring", "plasticity/", "background/", "joined/")
OF_SYNAPSES = ("weight", "delay", "parameter ")  # [n], or [1] where all are equal
STEPS, WAITING = 0, 1  # places in "steps" of a history


class Joining:
    """The parts that processes have of a network.

    Args:
        network: with the synapses of this process.
        processes: that share the network.
        step: at which the state is that of the network.
    """

    def __init__(self, network: Network, processes: Processes, step: int) -> None:
        self._network, self._processes, self._step = network, processes, step
        every = [stripes(block, processes.size) for block in network.blocks]
        self._parts = [
            [slice(int(starts[rank]), int(starts[rank + 1])) for starts in every]
            for rank in range(processes.size)
        ]
        self._own = self._parts[processes.rank]
        self._tables = network.tables
        numbers = np.array([[len(each), each.rows.share_weights] for each in self._tables])
        numbers = processes.all_gather("checkpoint", numbers.reshape(-1, 2))
        self._whole = numbers[0, :, 1].astype(bool)  # tables that all processes have whole
        self._lengths = np.where(self._whole, numbers[0, :, 0], numbers[:, :, 0].sum(axis=0))
        self._columns = [self._columns_of(probe) for probe in network.probes]
        self.recorded_synapses = [self._synapses_of(probe) for probe in network.synapse_probes]
        self._places = [self._places_of(number) for number in range(len(self._tables))]

    def _places_of(self, number: int) -> NDArray[np.int64]:
        """Where the synapses of this process are among all of a table, in the order of users."""
        table, processes = self._tables[number], self._processes
        if self._whole[number]:
            return np.arange(len(table))
        ordered = processes.any("checkpoint", len(table.identity) > 0)
        if not ordered:  # by targets first, of which processes have consecutive ones
            lengths = processes.meet("checkpoint", length=len(table))
            return sum(lengths[: processes.rank]) + np.arange(len(table))
        mine = table.identity
        if len(mine) < len(table):
            mine = (first_number(processes) + np.arange(len(table))).astype(np.uint32)
        every = processes.gather("checkpoint", mine, everywhere=True)
        assert every is not None
        return np.searchsorted(np.sort(every), np.sort(mine))

    def _columns_of(self, probe: Probe) -> tuple[NDArray[Any], slice]:
        """Neurons whose variable is recorded, of all processes, and which of these are own."""
        lengths = self._processes.meet("checkpoint", length=len(probe.index))
        every = self._processes.gather("checkpoint", probe.index, everywhere=True)
        assert every is not None
        first = sum(lengths[: self._processes.rank])
        return every, slice(first, first + len(probe.index))

    def _synapses_of(self, probe: SynapseProbe) -> tuple[list[int], NDArray[np.int64]]:
        """Tables, and numbers, of synapses that are recorded, of all processes."""
        mine = np.array([each.table.index for each in probe.chosen], np.int64), probe.index
        tables, numbers = (
            self._processes.gather("checkpoint", each, everywhere=True) for each in mine
        )
        assert tables is not None
        assert numbers is not None
        return np.unique(tables).tolist(), np.sort(numbers)

    def recorded(self) -> list[list[int]]:
        """Neurons of each recorded variable, over all processes."""
        return [every.tolist() for every, _ in self._columns]

    def wiring(self) -> list[tuple[int, str]]:
        """Number of synapses, and the digest, of each table over all processes."""
        sums = [
            np.zeros(2, np.uint64)
            if whole and self._processes.rank
            else wiring.sums_of_table(table, self._identity(table, places))
            for table, places, whole in zip(self._tables, self._places, self._whole, strict=True)
        ]
        total = self._processes.total("checkpoint", np.array(sums, np.uint64).reshape(-1, 2))
        return [
            (int(n), wiring.as_text(each)) for n, each in zip(self._lengths, total, strict=True)
        ]

    def _identity(self, table: SynapseTable, places: NDArray[np.int64]) -> NDArray[np.uint32]:
        """`identity` as one process would have it.

        Numbers that each process has given by itself, once a script has looked at one synapse, are
        apart from those of other processes.
        """
        given = table.identity
        apart = len(given) > 0 and int(given.max()) >= self._lengths.sum()
        if not self._processes.any("checkpoint", apart):
            return given
        numbers = np.empty(len(table), np.uint32)
        numbers[table.order()] = places
        return numbers

    # --- putting together -------------------------------------------------------------------------

    def join(self, arrays: Arrays) -> Arrays | None:
        """What one process would have, on process 0; None on the others."""
        sent = self._sent(arrays)
        data = io.BytesIO()
        entries: Any = sent
        np.savez(data, **entries)
        mine = np.frombuffer(data.getbuffer(), np.uint8)
        lengths = self._processes.meet("save_state", length=len(mine))
        every = self._processes.gather("save_state", mine)
        if every is None:
            return None
        parts = []
        for part in np.split(every, np.cumsum(lengths)[:-1]):
            with np.load(io.BytesIO(part.tobytes()), allow_pickle=False) as archive:
                parts.append(dict(archive))
        return {k: each for k, each in arrays.items() if k not in sent} | self._joined(parts)

    def _sent(self, arrays: Arrays) -> Arrays:
        """What differs between processes, as far as it belongs to this one."""
        sent = {k: each for k, each in arrays.items() if k.startswith(SHARED)}
        for number, part in enumerate(self._own):
            sent[f"state/{number}"] = sent[f"state/{number}"][:, part]
        sent["synapses/ring"] = sent["synapses/ring"][:, self._ports(self._processes.rank)]
        sent |= {k: each for k, each in arrays.items() if k.endswith("/samples")}
        for number, probe in enumerate(self._network.synapse_probes):
            sent[f"joined/synapse probe {number}"] = probe.index
        for number, places in enumerate(self._places):
            if not self._whole[number]:
                prefix = f"table {number}/"
                sent |= {k: each for k, each in arrays.items() if k.startswith(prefix)}
                sent[f"joined/{number}"] = places
        return sent

    def _ports(self, rank: int) -> NDArray[np.bool_]:
        """Of the columns of the ring, by block, receptor and neuron, those of a process."""
        columns = [np.zeros(0, bool)]
        for block, part in zip(self._network.blocks, self._parts[rank], strict=True):
            mine = np.zeros(block.size, bool)
            mine[part] = True
            columns += [mine] * len(block.model.receptors)
        return np.concatenate(columns)

    def _joined(self, parts: list[Arrays]) -> Arrays:
        joined: Arrays = {}
        for name in parts[0]:
            if name.startswith("state/"):
                joined[name] = np.concatenate([part[name] for part in parts], axis=1)
            elif name.endswith("/samples"):  # which only those with recorded cells have in full
                some = [part[name] for part in parts if part[name].shape[1]]
                joined[name] = np.concatenate(some, axis=1)
        for number in range(len(self._network.synapse_probes)):
            name = f"synapse probe {number}"
            order = np.argsort(np.concatenate([part[f"joined/{name}"] for part in parts]))
            joined[f"{name}/samples"] = joined[f"{name}/samples"][:, order]
        joined["synapses/ring"] = self._ring([part["synapses/ring"] for part in parts])
        for kind in ("spikes", "graded"):
            joined |= _sorted_by_neuron(kind, parts)
        for number, whole in enumerate(self._whole):
            if not whole:
                joined |= self._table(number, parts)
        joined |= self._plasticity([_with(part, "plasticity/") for part in parts])
        return joined | self._background([_with(part, "background/") for part in parts])

    def _ring(self, rings: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Accumulators of all; those of a process that has shorter delays have fewer slots."""
        n_slot = max(len(each) for each in rings)
        ports = [self._ports(rank) for rank in range(len(rings))]
        every = np.zeros((n_slot, len(ports[0])), np.int64)
        for mine, ring in zip(ports, rings, strict=True):
            arrival = self._step + 1 + np.arange(len(ring))
            every[np.ix_(arrival % n_slot, mine)] = ring[arrival % len(ring)]
        return every

    def _table(self, number: int, parts: list[Arrays]) -> Arrays:
        prefix, n = f"table {number}/", int(self._lengths[number])
        some = [part for part in parts if len(part[f"joined/{number}"])]
        return {
            name: _column(
                name.removeprefix(prefix),
                name,
                [(part[f"joined/{number}"], part[name]) for part in some],
                n,
            )
            for name in some[0]
            if name.startswith(prefix)
        }

    def _plasticity(self, parts: list[Arrays]) -> Arrays:
        joined: Arrays = {}
        names = list(dict.fromkeys(name for part in parts for name in part))
        for key in dict.fromkeys(name.rpartition(" ")[0] for name in names):
            having = [part for part in parts if f"{key} count" in part]
            every = [
                {k.rpartition(" ")[2]: v for k, v in part.items() if k.rpartition(" ")[0] == key}
                for part in having
            ]
            if key.startswith("source "):
                made = _latest(every)
            elif key.startswith("modulator "):  # which all processes count alike
                made = every[0]
            else:
                ranks = [rank for rank, part in enumerate(parts) if f"{key} count" in part]
                made = self._history(int(_block_of(key)), dict(zip(ranks, every, strict=True)))
            joined |= {f"plasticity/{key} {name}": each for name, each in made.items()}
        return joined

    def _history(self, block: int, parts: dict[int, Arrays]) -> Arrays:
        """Spikes of all targets; a process may remember fewer of each, by its delays."""
        capacity = max(part["stamp"].shape[1] for part in parts.values())
        every = {rank: resized(part, capacity) for rank, part in parts.items()}
        made = {k: np.zeros_like(each) for k, each in next(iter(every.values())).items()}
        made["steps"] = np.max([part["steps"] for part in every.values()], axis=0)
        for rank, part in every.items():
            own = self._parts[rank][block]
            for name in ("count", "seen", "stamp", "trace"):
                made[name][own] = part[name][own]
        return made

    def _background(self, parts: list[Arrays]) -> Arrays:
        """Sources that are drawn at their targets, each once, with the weights of all targets."""
        drives: dict[tuple[int, ...], dict[int, Arrays]] = {}
        for rank, part in enumerate(parts):
            for k in (name.removesuffix(" times") for name in part if name.endswith(" times")):
                times = tuple(part[f"{k} times"].tolist())
                drives.setdefault(times, {})[rank] = _with(part, f"{k} ")
        joined: Arrays = {}
        for number, (times, having) in enumerate(drives.items()):
            made = dict(next(iter(having.values())))
            post = self._tables[times[0]].post
            pieces = []
            for rank, drive in having.items():
                own, weight = self._parts[rank][post.index], drive["weight"]
                places = np.arange(own.start, own.stop)
                pieces.append((places, weight if len(weight) == 1 else weight[own]))
            made["weight"] = _column("weight", "weight", pieces, post.size)
            joined |= {f"background/{number} {name}": each for name, each in made.items()}
        return joined

    # --- taking the own part ----------------------------------------------------------------------

    def own(self, arrays: Arrays) -> Arrays:
        """What this process has of the state of all."""
        mine: dict[str, Any] = dict(arrays)
        for kind in ("spikes", "graded"):
            mine |= self._own_spikes(kind, arrays)
        for number, (_, columns) in enumerate(self._columns):
            name = f"probe {number}/samples"
            if arrays.get(name, np.zeros(0)).ndim == 2:
                mine[name] = arrays[name][:, columns]
        for number, probe in enumerate(self._network.synapse_probes):
            name, (_, every) = f"synapse probe {number}/samples", self.recorded_synapses[number]
            if arrays.get(name, np.zeros(0)).shape[1:] == every.shape:
                mine[name] = arrays[name][:, np.searchsorted(every, probe.index)]
        for number, places in enumerate(self._places):
            if not self._whole[number]:
                mine |= self._own_table(number, places, arrays)
            mine |= self._own_sources(number, arrays)
        return {k: each for k, each in mine.items() if each is not None}

    def _own_sources(self, number: int, arrays: Arrays) -> dict[str, Any]:
        """What is remembered of sources: none without synapses, and less with shorter delays."""
        table, prefix = self._tables[number], f"plasticity/source {number} "
        of_table = _with(arrays, prefix)
        if len(table) and set(of_table) >= {"count", "stamp", "trace"}:
            made: dict[str, Any] = dict(resized(of_table, Sources.room(table)))
        else:
            made = {name: each if len(table) else None for name, each in of_table.items()}
        return {prefix + name: each for name, each in made.items()}

    def _own_spikes(self, kind: str, arrays: Arrays) -> Arrays:
        names = [name for name in arrays if name.startswith(f"{kind}/")]
        neuron = arrays.get(f"{kind}/neuron", np.zeros(0))
        own = np.zeros(self._network.size + 1, bool)
        for block, part in zip(self._network.blocks, self._own, strict=True):
            own[block.first + part.start : block.first + part.stop] = True
        # What is no neuron of the network stays, for the check to complain of.
        known = (neuron >= 0) & (neuron < self._network.size)
        kept = own[np.where(known, neuron, -1).astype(np.int64)] | ~known
        return {
            name: arrays[name][kept] if arrays[name].shape == kept.shape else arrays[name]
            for name in names
        }

    def _own_table(self, number: int, places: NDArray[np.int64], arrays: Arrays) -> Arrays:
        prefix, n = f"table {number}/", int(self._lengths[number])
        mine: Arrays = {}
        for name, each in arrays.items():
            if not name.startswith(prefix) or each.ndim != 1:
                continue
            common = name.removeprefix(prefix).startswith(OF_SYNAPSES)
            if common and (len(each) == 1 or not len(places)):
                mine[name] = each[:1]
            elif len(each) == n:
                mine[name] = each[places]
        return mine


def _with(arrays: Arrays, prefix: str) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _block_of(key: str) -> str:
    """Of a history's name, which begins with the place of its block."""
    return key.split()[1]


def _sorted_by_neuron(kind: str, parts: list[Arrays]) -> Arrays:
    names = [name for name in parts[0] if name.startswith(f"{kind}/")]
    every = {name: np.concatenate([part[name] for part in parts]) for name in names}
    if not every:
        return {}
    order = np.argsort(every[f"{kind}/neuron"], kind="stable")
    return {name: each[order] for name, each in every.items()}


def _column(
    what: str, name: str, pieces: list[tuple[NDArray[np.int64], NDArray[Any]]], n: int
) -> NDArray[Any]:
    """Values of all synapses of parts at these places; one if it is that of all, and may be so."""
    first = pieces[0][1]
    if first.ndim == 0 or all(
        len(values) == 1 and values[0] == first[0] and what.startswith(OF_SYNAPSES)
        for _, values in pieces
    ):
        return first
    every = np.zeros(n, np.result_type(*(values for _, values in pieces)))
    for places, values in pieces:
        every[places] = values
    return compact(every) if what == "delay" else every


def _latest(parts: list[Arrays]) -> Arrays:
    """Of each source what the process remembers that has seen most of it."""
    capacity = max(part["stamp"].shape[1] for part in parts)
    parts = [resized(part, capacity) for part in parts]
    each = np.arange(len(parts[0]["count"]))
    last = [
        np.where(part["count"] > 0, part["stamp"][each, (part["count"] - 1) % capacity], -1)
        for part in parts
    ]
    best = np.argmax(last, axis=0)
    return {
        name: np.stack([part[name] for part in parts])[best, each]
        for name in ("count", "stamp", "trace")
    }


def resized(arrays: Arrays, capacity: int) -> Arrays:
    """Remembered spikes, with room for another number of them: the last ones are kept.

    Args:
        arrays: "count" [n], "stamp" [n, room] and "trace" [n, traces * room]; others stay.
        capacity: the room that there is to be.
    """
    count, stamp, trace = (arrays[name] for name in ("count", "stamp", "trace"))
    n, old = stamp.shape
    if old == capacity:
        return arrays
    # A spike stands at its number modulo the room.
    number = count.astype(np.int64)[:, np.newaxis] - 1 - np.arange(min(old, capacity))
    row, k = np.nonzero(number >= 0)
    number = number[row, k]
    traces = trace.shape[1] // old
    made = arrays | {
        "stamp": np.zeros((n, capacity), stamp.dtype),
        "trace": np.zeros((n, traces * capacity), trace.dtype),
    }
    made["stamp"][row, number % capacity] = stamp[row, number % old]
    for kind in range(traces):
        to, place = kind * capacity + number % capacity, kind * old + number % old
        made["trace"][row, to] = trace[row, place]
    return made
