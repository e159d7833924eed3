"""Microseconds of a processor that one change takes, or one look.

    python tests/benchmarks/single_changes.py --json docs/benchmarks/single_changes.json

Each row is one way to change or read a single thing, done once for each of n things, in a
population, projection or network that has n of them. Where the figures of a row do not grow with n,
a script that does so in a loop takes time in proportion. "first run" is the run of one time step
that takes all changes over, divided by n. A change of the "projection" rows is a projection between
10 x 10 cells. The least of several parts of n is shown, since other processes may disturb some.
"""

from __future__ import annotations

import argparse
import json
import shlex
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG

from pynn_sparse import measuring
from pynn_sparse.replacing import write_text

SIZES = (1000, 4000, 16000)
Change = Callable[[int], object]
CHANGES: dict[str, Callable[[int], Change]] = {}


def change(prepare: Callable[[int], Change]) -> Callable[[int], Change]:
    """Enter a function that prepares n things and returns what changes or reads the k-th."""
    CHANGES[prepare.__name__.replace("_", " ")] = prepare
    return prepare


# --- cells ------------------------------------------------------------------------------------


@change
def parameter_of_a_cell(n: int) -> Change:
    cells = list(sim.Population(n, sim.IF_cond_exp()))
    return lambda k: setattr(cells[k], "tau_m", 10.0 + k % 7)


@change
def computed_parameter_of_a_cell(n: int) -> Change:
    cells = list(sim.Population(n, sim.HH_cond_exp()))
    return lambda k: setattr(cells[k], "v_offset", -63.0 + k % 7)


@change
def reading_a_parameter_of_a_cell(n: int) -> Change:
    cells = list(sim.Population(n, sim.IF_cond_exp(tau_m=np.linspace(10.0, 20.0, n))))
    return lambda k: cells[k].tau_m


@change
def set_parameters_of_a_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[k].set_parameters(tau_m=10.0 + k % 7, v_thresh=-50.0)


@change
def set_of_a_view_of_one_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[k : k + 1].set(tau_m=10.0 + k % 7)


@change
def set_of_a_view_by_a_list(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[[k]].set(tau_m=10.0 + k % 7)


@change
def initialize_of_a_view_of_one_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[k : k + 1].initialize(v=-60.0 - k % 7)


@change
def initial_value_of_a_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[k].set_initial_value("v", -60.0 - k % 7)


@change
def reading_an_initial_value(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[k].get_initial_value("v")


@change
def position_of_a_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: setattr(population[k], "position", (1.0, 2.0, float(k)))


@change
def reading_a_position(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[k].position


@change
def spike_times_of_a_cell(n: int) -> Change:
    population = sim.Population(n, sim.SpikeSourceArray())
    return lambda k: setattr(population[k], "spike_times", [1.0 + k % 7, 20.0, 30.0])


@change
def spike_times_beside_long_ones(n: int) -> Change:
    times = [Sequence(np.arange(1.0, 501.0))] * n
    population = sim.Population(n, sim.SpikeSourceArray(spike_times=times))
    return lambda k: setattr(population[k], "spike_times", [1.0 + k % 7, 20.0, 30.0])


@change
def spike_times_during_a_simulation(n: int) -> Change:
    times = [Sequence(np.arange(1.0, 51.0))] * n
    population = sim.Population(n, sim.SpikeSourceArray(spike_times=times))
    sim.run(5.0)
    return lambda k: setattr(population[k], "spike_times", [10.0 + k % 7, 20.0, 30.0])


@change
def reading_spike_times(n: int) -> Change:
    times = [Sequence(np.arange(1.0, 4.0))] * n
    population = sim.Population(n, sim.SpikeSourceArray(spike_times=times))
    return lambda k: population[k].spike_times


@change
def record_of_a_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[k : k + 1].record(["spikes", "v"])


@change
def sim_record_of_a_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: sim.record("v", population[k], None)


@change
def current_into_a_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    source = sim.DCSource(amplitude=0.1)
    return lambda k: population[k].inject(source)


@change
def view_of_one_cell(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: population[k : k + 1]


@change
def view_of_a_view(n: int) -> Change:
    view = sim.Population(n, sim.IF_curr_exp())[0:n]
    return lambda k: view[k : k + 1].set(tau_m=10.0 + k % 7)


# --- populations ------------------------------------------------------------------------------


@change
def create_of_a_cell(n: int) -> Change:
    kind = sim.IF_curr_exp()
    return lambda k: sim.create(kind)


@change
def population_of_one_cell(n: int) -> Change:
    kind = sim.IF_curr_exp()
    return lambda k: sim.Population(1, kind)


@change
def assembly_grown_by_a_cell(n: int) -> Change:
    cells = [sim.Population(1, sim.SpikeSourceArray()) for _ in range(n)]
    whole = sim.Assembly(cells[0])

    def grow(k: int) -> None:
        nonlocal whole
        whole += cells[k]

    return grow


@change
def assembly_grown_by_a_view(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    whole = sim.Assembly(population[0:1])

    def grow(k: int) -> None:
        nonlocal whole
        whole += population[k : k + 1]

    return grow


# --- connections ------------------------------------------------------------------------------


def projection(n: int) -> sim.Projection:
    """A projection with about n connections."""
    size = int(n**0.5)
    cells = sim.Population(size, sim.IF_curr_exp())
    return sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))


@change
def reading_a_weight(n: int) -> Change:
    made = projection(n)
    return lambda k: made[k % len(made)].weight


@change
def reading_a_delay_and_both_ends(n: int) -> Change:
    made = projection(n)
    return lambda k: made[k % len(made)].as_tuple(
        "presynaptic_index", "postsynaptic_index", "delay"
    )


@change
def iterating_over_connections(n: int) -> Change:
    connections = iter(projection(n).connections)
    return lambda k: next(connections, made_none).weight


class _None:
    weight = 0.0


made_none = _None()


@change
def weight_of_a_connection(n: int) -> Change:
    made = projection(n)
    return lambda k: setattr(made[k % len(made)], "weight", 0.1 + k % 7)


@change
def delay_of_a_connection(n: int) -> Change:
    made = projection(n)
    return lambda k: setattr(made[k % len(made)], "delay", 1.0 + k % 7)


@change
def weight_of_a_plastic_connection(n: int) -> Change:
    size = int(n**0.5)
    cells = sim.Population(size, sim.IF_curr_exp())
    rule = sim.STDPMechanism(
        sim.SpikePairRule(),
        sim.AdditiveWeightDependence(w_max=10.0),
        weight=0.1,
        dendritic_delay_fraction=1.0,
    )
    made = sim.Projection(cells, cells, sim.AllToAllConnector(), rule)
    sim.run(1.0)
    return lambda k: setattr(made[k % len(made)], "weight", made[k % len(made)].weight + 0.1)


@change
def connect_of_two_cells(n: int) -> Change:
    population = sim.Population(n, sim.IF_curr_exp())
    return lambda k: sim.connect(population[k], population[(7 * k + 1) % n], weight=0.1, delay=1.0)


# --- small projections ------------------------------------------------------------------------


def small(connector: Callable[[], Any]) -> Change:
    pre, post = (sim.Population(10, sim.IF_curr_exp()) for _ in range(2))
    synapse = sim.StaticSynapse(weight=0.1, delay=1.0)
    return lambda k: sim.Projection(pre, post, connector(), synapse)


@change
def projection_all_to_all(n: int) -> Change:
    return small(sim.AllToAllConnector)


@change
def projection_one_to_one(n: int) -> Change:
    return small(sim.OneToOneConnector)


@change
def projection_of_a_list(n: int) -> Change:
    rows = [(i, j, 0.1, 1.0) for i in range(10) for j in range(0, 10, 2)]
    return small(lambda: sim.FromListConnector(rows))


@change
def projection_of_a_probability(n: int) -> Change:
    rng = NumpyRNG(seed=1)
    return small(lambda: sim.FixedProbabilityConnector(0.3, rng=rng))


@change
def projection_of_a_number_of_sources(n: int) -> Change:
    rng = NumpyRNG(seed=1)
    return small(lambda: sim.FixedNumberPreConnector(3, rng=rng))


@change
def projection_of_a_total_number(n: int) -> Change:
    rng = NumpyRNG(seed=1)
    return small(lambda: sim.FixedTotalNumberConnector(30, rng=rng))


PARTS = 10


def measure(prepare: Callable[[int], Change], n: int) -> tuple[float, float]:
    """Microseconds of one change, and of the first run, by change."""
    sim.setup(timestep=0.1)
    what = prepare(n)
    each = []
    for part in np.array_split(np.arange(n), PARTS):
        numbers = part.tolist()
        begin = time.process_time()
        for k in numbers:
            what(k)
        each.append((time.process_time() - begin) / len(numbers))
    changed = time.process_time()
    sim.run(0.1)
    return min(each) * 1e6, (time.process_time() - changed) / n * 1e6


def main(names: Iterable[str], sizes: Iterable[int], file: Path | None, typed: list[str]) -> None:
    """Print a table; write it with the machine, and the commit."""
    warnings.simplefilter("ignore")
    sim.setup()
    sim.Population(1, sim.IF_curr_exp())
    sim.run(0.1)
    columns = ["one change", *(f"n = {n}" for n in sizes), "first run"]
    print(f"| {' | '.join(columns)} |")
    print(f"|{'---|' * len(columns)}")
    rows = []
    for name, prepare in CHANGES.items():
        if names and not any(each in name for each in names):
            continue
        found = [measure(prepare, n) for n in sizes]
        rows.append([name, *(round(each, 1) for each, _ in found), round(found[-1][1], 1)])
        print(f"| {' | '.join(map(str, rows[-1]))} |", flush=True)
    if file is not None:
        about = measuring.machine(["PyNN", "numpy"]) | measuring.origin()
        command = shlex.join(["python", "tests/benchmarks/single_changes.py", *typed])
        about |= {"command": command, "columns": columns, "rows": rows}
        write_text(file, json.dumps(about, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the rows' names; default all")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--json", type=Path, metavar="FILE", help="the table, for the docs")
    options = parser.parse_args()
    typed = [] if options.sizes == SIZES else ["--sizes", *map(str, options.sizes)]
    main(options.names, options.sizes, options.json, typed)
