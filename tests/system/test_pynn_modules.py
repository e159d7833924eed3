"""What PyNN offers around its core: networks as objects, SONATA, several processes, text files."""

from __future__ import annotations

import importlib.util
import multiprocessing
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.multisim import MultiSim
from pyNN.network import Network
from pyNN.random import NumpyRNG, RandomDistribution


def network() -> Network:
    """Two populations, and two projections with random connections, weights and delays."""
    sim.setup(timestep=0.1)
    rng = NumpyRNG(seed=1)
    one = sim.Population(
        10, sim.IF_cond_exp(v_rest=-65.0, tau_m=lambda i: 10 + 0.1 * i), label="one"
    )
    two = sim.Population(20, sim.HH_cond_exp(i_offset=0.5), label="two")
    weight = RandomDistribution("uniform", (0.0, 0.01), rng=rng)
    projections = [
        sim.Projection(
            *(pre, post, sim.FixedProbabilityConnector(0.5, rng=rng), synapse),
            receptor_type="excitatory",
            label=label,
        )
        for pre, post, synapse, label in (
            (one, two, sim.StaticSynapse(weight=weight, delay=0.5), "static"),
            (two, one, sim.TsodyksMarkramSynapse(weight=weight, delay=1.0, U=0.3), "depressing"),
        )
    ]
    return Network(one, two, *projections)


def test_network() -> None:
    net = network()
    assert net.count_neurons() == 30
    assert net.count_connections() == sum(len(each) for each in net.projections)
    assert net.get_component("two").size == 20
    assert net.filter(cell_types=[sim.HH_cond_exp]).size == 20


def test_sonata(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    from pyNN.serialization import export_to_sonata, import_from_sonata

    net = network()
    export_to_sonata(net, str(tmp_path / "sonata"))
    again = import_from_sonata(str(tmp_path / "sonata" / "circuit_config.json"), sim)
    for original in net.populations:
        copy = again.get_component(original.label)
        assert copy.size == original.size
        for name in original.celltype.default_parameters:
            assert np.allclose(copy.get(name), original.get(name), atol=1e-12)
    for original in net.projections:
        (copy,) = (each for each in again.projections if each.pre.label == original.pre.label)
        for name in ("weight", "delay"):
            expected = original.get(name, "array")
            assert np.array_equal(copy.get(name, "array"), expected, equal_nan=True)
    sim.run(1.0)


class Model:
    """What MultiSim runs."""

    def __init__(self, sim: Any, parameters: Any) -> None:
        sim.setup(timestep=0.1, threads=parameters["threads"])
        self.neurons = sim.Population(300, sim.IF_curr_exp(i_offset=parameters["i_offset"]))
        self.neurons.record("spikes")

    def mean_spike_count(self) -> float:
        return float(self.neurons.mean_spike_count())


def mean_spike_count(current: float) -> float:
    model = Model(sim, {"threads": 2, "i_offset": current})
    sim.run(100.0)
    return model.mean_spike_count()


def test_multisim() -> None:
    """In processes that are forked, also from one whose threads have run."""
    expected = mean_spike_count(1.5)
    assert expected > 1
    runs = MultiSim([sim], Model, {"threads": 2, "i_offset": 1.5})
    runs.run(100.0, steps=2)
    assert runs.mean_spike_count() == {"pyNN.sparse": expected}
    runs.end()


def test_pool_of_processes() -> None:
    currents = [1.2, 1.5, 2.0]
    expected = list(map(mean_spike_count, currents))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(mean_spike_count, currents).get(timeout=120) == expected


def test_processes_forked_from_one_that_has_loaded_nest() -> None:
    """NEST's OpenMP, whose symbols all libraries see, cannot end its threads before a fork."""
    if importlib.util.find_spec("nest") is None:
        pytest.skip("NEST is not installed")
    code = """
        import multiprocessing, sys
        import nest
        import pyNN.sparse as sim
        from pynn_sparse import processors
        from pynn_sparse.engine.devices import choice

        processors._affinity, choice.WORK_OF_OWNER = (lambda: 2), 1  # two threads, however small

        def count(current):
            sim.setup(timestep=0.1, threads=2)
            cells = sim.Population(300, sim.IF_curr_exp(i_offset=current))
            cells.record("spikes")
            sim.run(100.0)
            return float(cells.mean_spike_count())

        expected = count(1.5)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.map_async(count, [1.5]).get(timeout=60) == [expected]
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_connections_in_text_files(tmp_path: Path) -> None:
    projection = network().get_component("static")
    projection.save("all", str(tmp_path / "list.txt"))
    rows = np.loadtxt(tmp_path / "list.txt")
    names = (tmp_path / "list.txt").read_text().partition("\n")[0]
    assert names == "# columns = ['i', 'j', 'weight', 'delay']"
    assert rows == pytest.approx(np.array(projection.get(["weight", "delay"], "list")))
    projection.save("weight", str(tmp_path / "array.txt"), format="array")
    matrix = projection.get("weight", "array")
    assert np.loadtxt(tmp_path / "array.txt") == pytest.approx(np.nan_to_num(matrix))


def test_histogram_of_weights() -> None:
    projection = network().get_component("static")
    with pytest.warns(DeprecationWarning, match="weightHistogram"):
        counts, bins = projection.weightHistogram(min=0.0, max=0.01, nbins=5)
    assert counts.sum() == len(projection)
    assert bins == pytest.approx(np.linspace(0, 0.01, 6))
