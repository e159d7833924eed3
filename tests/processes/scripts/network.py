"""Everything that scripts get from a network, in a file: `network.py FILE [emulated]`.

With "emulated", each process has a GPU, which is one that executes kernels on the CPU.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse import engine as engines
from pynn_sparse.engine.devices import loops

Found = dict[Any, Any]


def uniform(low: float, high: float, rng: Any) -> Any:
    return RandomDistribution("uniform", (low, high), rng=rng)


def of_block(block: Any) -> list[Any]:
    """The data of a Neo block, plain."""
    found = []
    for segment in block.segments:
        trains = [
            (int(train.annotations["channel_id"]), train.magnitude.tolist())
            for train in segment.spiketrains
        ]
        signals = [
            (each.name, each.magnitude.tolist(), each.annotations["channel_ids"].tolist())
            for each in sorted(segment.analogsignals, key=lambda each: each.name)
        ]
        found.append((trains, signals))
    return found


def build() -> tuple[dict[str, Any], list[Any]]:
    rng = NumpyRNG(3)
    cells: dict[str, Any] = {
        "poisson": sim.Population(150, sim.SpikeSourcePoisson(rate=800.0)),
        "one": sim.Population(1, sim.SpikeSourceArray(spike_times=[5.03, 10.0, 20.0])),
        "exc": sim.Population(200, sim.IF_curr_exp(tau_m=uniform(8, 12, rng))),
        "few": sim.Population(3, sim.IF_curr_exp()),
        "cond": sim.Population(70, sim.IF_cond_exp()),
        "background": sim.Population(200, sim.SpikeSourcePoisson(rate=100.0)),
    }
    exc, few = cells["exc"], cells["few"]
    exc.initialize(v=uniform(-70, -55, rng))
    for cell in few:
        cell.tau_m = 9.0
    stdp = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.02, A_minus=0.02),
        sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0),
        weight=0.2,
        delay=1.5,
    )
    short = sim.TsodyksMarkramSynapse(U=0.4, tau_rec=50.0, tau_facil=10.0, weight=0.1, delay=1.0)
    varied = sim.StaticSynapse(weight=uniform(0.3, 0.8, rng), delay=uniform(0.5, 3.0, rng))
    projections = [
        sim.Projection(cells["poisson"], exc, sim.FixedProbabilityConnector(0.1, rng=rng), varied),
        sim.Projection(
            exc,
            cells["cond"],
            sim.FixedNumberPostConnector(5, rng=rng),
            sim.StaticSynapse(weight=0.02, delay=1.0),
        ),
        sim.Projection(exc, exc, sim.FixedProbabilityConnector(0.05, rng=sim.NativeRNG(5)), stdp),
        sim.Projection(
            cells["one"],
            exc.sample(15, rng),
            sim.AllToAllConnector(),
            sim.StaticSynapse(weight=3.0, delay=2.0),
        ),
        sim.Projection(
            exc[0:30],
            exc + few,
            sim.FixedTotalNumberConnector(100, rng=rng),
            short,
            receptor_type="excitatory",
        ),
        sim.Projection(
            cells["background"], exc, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.5)
        ),
    ]
    projections += made_apart(cells)
    return cells, projections


def made_apart(cells: dict[str, Any]) -> list[Any]:
    """Of which each process makes its own part."""
    rng = sim.NativeRNG(7)
    pre, cond = cells["poisson"], cells["cond"]
    post = cells["exc"][20:190]
    varied = sim.StaticSynapse(weight=uniform(0.001, 0.002, rng), delay=uniform(0.5, 3.0, rng))
    short = sim.TsodyksMarkramSynapse(U=uniform(0.2, 0.5, rng), tau_rec=70.0, weight=0.002)
    random = sim.SimpleStochasticSynapse(p=uniform(0.2, 0.5, rng), weight=0.1, delay=1.0)
    connectors = [
        sim.FixedProbabilityConnector(0.1, rng=rng),
        sim.FixedNumberPostConnector(20, rng=rng),
        sim.FixedNumberPreConnector(8, with_replacement=True, rng=rng),
        sim.FixedTotalNumberConnector(700, rng=rng),
    ]
    ends = [(pre, post), (cells["exc"], cond), (post, post), (pre, cells["few"])]
    made = [
        sim.Projection(*each, connector, varied, receptor_type="excitatory")
        for each, connector in zip(ends, connectors, strict=True)
    ]
    each = sim.FixedProbabilityConnector(0.2, allow_self_connections=False, rng=rng)
    made.append(sim.Projection(post, post, each, random))
    made.append(sim.Projection(pre, cond, sim.AllToAllConnector(), short))
    # Onto cells of one process, so that others have none of synapses that learn.
    learning = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.02, A_minus=0.02),
        sim.AdditiveWeightDependence(w_max=0.1),
        weight=0.01,
        delay=1.0,
    )
    made.append(sim.Projection(pre, cells["few"], sim.AllToAllConnector(), learning))
    return made


def look(when: str, cells: dict[str, Any], projections: list[Any]) -> Found:
    """All that can be gathered, without arrays."""
    found: Found = {}
    recorded = [cells[name] for name in ("poisson", "one", "exc", "few", "cond")]
    for number, each in enumerate([*recorded, cells["exc"][3:50]]):
        found["data", number] = of_block(each.get_data())
    both = cells["exc"] + cells["few"]
    found["assembly"] = of_block(both.get_data("spikes"))
    found["counts"] = both.get_spike_counts()
    found["mean"] = both.mean_spike_count()
    found["parameters"] = [each.tolist() for each in both.get(["tau_m", "cm"], True, False)]
    for number, (projection, _) in enumerate(recorded_synapses(projections)):
        found["synapses", number] = of_synapses(projection.get_data(), projection)
    for number, projection in enumerate(projections):
        found["list", number] = projection.get(["weight", "delay"], "list")
        found["values", number] = projection.get("weight", "list", with_address=False)
        found["array", number] = without_nan(projection.get("weight", "array"))
        columns = projection.get(["weight"], "columns")
        found["columns", number] = {name: each.tolist() for name, each in columns.items()}
        found["size", number] = projection.size()
        everywhere = projection.get("weight", "array", gather="all")
        assert everywhere.shape == projection.shape
        found["all", number] = without_nan(everywhere)
    described = sim.describe_network()
    found["described"] = [replace(each, bytes=0) for each in described.projections]
    if when == "first":  # of one process, or of each of several
        assert sum(each.bytes for each in described.populations) % sim.num_processes() == 0
    found["delays"] = sim.get_min_delay(), sim.get_max_delay()
    return {(when, key): value for key, value in found.items()}


def without_nan(matrix: Any) -> list[list[float]]:
    """Which is not equal to itself."""
    plain: list[list[float]] = np.nan_to_num(matrix, nan=-1.0).tolist()
    return plain


def recorded_synapses(projections: list[Any]) -> list[tuple[Any, Any]]:
    """Projections whose weights are recorded, and of which connections.

    Of synapses that learn, onto two populations, between pairs that are connected more than once,
    and onto cells of one process.
    """
    some = {2: slice(None, None, 7), 4: [3, 50, 51, 99], 8: None, 12: slice(100, 200)}
    return [(projections[number], which) for number, which in some.items()]


def of_synapses(block: Any, projection: Any) -> list[Any]:
    """The data of a Neo block of synapses, plain; the last sample is what `get` gives."""
    signals = [each for segment in block.segments for each in segment.analogsignals]
    indices = "connection_index", "presynaptic_index", "postsynaptic_index"
    last = signals[-1].magnitude[-1].tolist()
    now = projection.get("weight", "list")
    assert last == [now[int(k)][2] for k in signals[-1].array_annotations["connection_index"]]
    about = [block.annotations["size"], len(block.segments)]
    columns = [[each.array_annotations[name].tolist() for name in indices] for each in signals]
    samples = [
        (each.name, str(each.units), float(each.t_start), each.magnitude.tolist())
        for each in signals
    ]
    return [about, columns, samples]


def check_local(cells: dict[str, Any], projections: list[Any]) -> None:
    """What this process has by itself; together that of all is everything."""
    for each in cells.values():
        assert each.local_size == len(each.local_cells) == each._mask_local.sum()
        assert [each.is_local(cell) for cell in each.all_cells] == each._mask_local.tolist()
        for index, cell in enumerate(each.local_cells):
            assert each.id_to_local_index(cell) == index
    exc = cells["exc"]
    assert len(exc.get("tau_m")) == exc.local_size
    block = exc.get_data(gather=False)
    trains = block.segments[0].spiketrains
    assert [train.annotations["channel_id"] for train in trains] == list(map(int, exc.local_cells))
    assert list(exc.get_spike_counts(gather=False)) == list(map(int, exc.local_cells))
    for projection, _ in recorded_synapses(projections):
        for signal in projection.get_data(gather=False).segments[-1].analogsignals:
            mask = projection.post._mask_local
            assert mask[signal.array_annotations["postsynaptic_index"]].all()
    for projection in projections:
        rows = projection.get("weight", "list", gather=False)
        assert len(rows) == len(projection) == projection.size(gather=False)
        local = projection.post._mask_local
        assert all(local[int(j)] for _, j, _ in rows)


@contextlib.contextmanager
def emulated_gpu() -> Iterator[None]:
    """`setup(device="cuda")` takes an emulated one."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from support.devices import gpu_from
    from support.emulated import EmulatedRuntime

    engines.require_cuda = lambda: None
    loops.DELIVERY_BLOCKS = 2  # an emulated block takes its time also where it has nothing to do
    with gpu_from(EmulatedRuntime):
        yield


def main(file: str, device: str = "cpu") -> None:
    if device == "emulated":
        with emulated_gpu():
            simulate(file, "cuda")
            assert sim.simulator.state.engine.device.name == "cuda"
    else:
        simulate(file, device)


def simulate(file: str, device: str) -> None:
    rank = sim.setup(timestep=0.1, min_delay=0.1, max_delay=20.0, device=device)
    assert rank == sim.rank()
    cells, projections = build()
    # Without a seed, but the same cells on all processes; that they are is checked by the backend.
    silent = sim.StaticSynapse(weight=0.0)
    sim.Projection(cells["one"], cells["exc"].sample(5), sim.AllToAllConnector(), silent)
    for name in ("poisson", "one", "exc", "few", "cond"):
        cells[name].record("spikes")
    for projection, some in recorded_synapses(projections):
        projection.record("weight", sampling_interval=10.0, connections=some)
    cells["exc"][10:90].record("v")
    cells["cond"].record(["v", "gsyn_exc"], sampling_interval=0.5)
    cells["exc"].inject(sim.NoisyCurrentSource(mean=0.1, stdev=0.05, stop=80.0, dt=0.5))
    cells["few"].record("spikes", to_file=f"{file}.end.pkl")
    seen: list[float] = []

    def callback(t: float) -> float:
        seen.append(t)
        return t + 20.0

    sim.run(60.0, callbacks=[callback])
    rng = NumpyRNG(4)
    projections[0].set(weight=uniform(0.3, 0.9, rng))
    projections[2].set(delay=2.0)
    n = projections[1].size()
    projections[1].set(weight=np.linspace(0.01, 0.03, n))
    sim.run(40.0)
    found: Found = {"seen": seen} | look("first", cells, projections)
    check_local(cells, projections)
    sim.reset()
    sim.run(30.0)
    found |= look("second", cells, projections)
    cells["exc"].write_data(f"{file}.gathered.pkl", "v")
    cells["exc"].write_data(f"{file}.own.pkl", "spikes", gather=False)
    projections[0].save("all", f"{file}.txt")
    projections[2].write_data(f"{file}.weights.pkl")
    cells["exc"].save_positions(f"{file}.positions.txt")
    sim.end()
    if rank == 0:
        with open(file, "wb") as out:
            pickle.dump(found, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
