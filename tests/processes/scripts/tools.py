"""What tools make of a whole network, in a file: `tools.py FILE FOLDER`."""

from __future__ import annotations

import hashlib
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
from network import of_block
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse import export, run_instances

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from support.synapse_rules import eligible, rewarded


def digests(folder: Path) -> dict[str, str]:
    """Of all files; but HDF5 files have times in them."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {
        str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in files
        if each.suffix not in (".h5", ".html")
    }


def learn() -> dict[str, Any]:
    """Rules by formulas, one with a modulator."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=5.0)
    rng = NumpyRNG(1)
    sources = sim.Population(90, sim.SpikeSourcePoisson(rate=60.0), label="sources")
    cells = sim.Population(150, sim.IF_curr_exp(i_offset=0.9), label="cells")
    rewards = sim.Population(80, sim.SpikeSourcePoisson(rate=20.0), label="rewards")
    each = RandomDistribution("uniform", (0.1, 0.9), rng=rng)
    kinds = [
        eligible()(weight=each, delay=1.0, rate=RandomDistribution("uniform", (0.01, 0.02), rng)),
        rewarded()(weight=0.5, delay=1.5, modulator=rewards, modulator_delay=1.0),
    ]
    connectors = [
        sim.FixedProbabilityConnector(0.2, rng=rng),
        sim.FixedProbabilityConnector(0.2, rng=sim.NativeRNG(4)),
    ]
    made = [
        sim.Projection(sources, cells, connector, kind, receptor_type="excitatory")
        for connector, kind in zip(connectors, kinds, strict=True)
    ]
    made[0].initialize(c=RandomDistribution("uniform", (0.0, 0.1), rng=rng))
    sources.record("spikes")
    cells[0:100].record("spikes")
    made.append(
        sim.Projection(
            sources,
            cells,
            sim.FixedProbabilityConnector(0.1, rng=rng),
            sim.STDPMechanism(
                sim.SpikePairRule(A_plus=0.05, A_minus=0.04),
                sim.AdditiveWeightDependence(w_max=2.0),
                weight=each,
                delay=1.0,
            ),
        )
    )
    for receptor in ("reward", "punishment"):
        dopamine = sim.extra_models.Neuromodulation(weight=each, tau_c=50.0, tau_d=20.0)
        some = sim.FixedProbabilityConnector(0.1, rng=rng)
        sim.Projection(rewards, cells, some, dopamine, receptor_type=receptor)
    found: dict[str, Any] = {}
    for when in ("first", "second"):
        sim.run(150.0)
        found[when] = [each.get(["weight", "delay", "c"], "list") for each in made]
    found["trains"] = of_block(cells.get_data())
    return found


def grow() -> dict[str, Any]:
    """Connections that come and go, by weights that learn and by spikes of the last step.

    Of one projection onto cells of several processes, and of one onto cells of one process alone,
    so that the other processes come to have none.
    """
    sim.setup(timestep=1.0, min_delay=1.0)
    sources = sim.Population(140, sim.SpikeSourcePoisson(rate=40.0), label="sources")
    cells = sim.Population(130, sim.IF_curr_exp(i_offset=0.85), label="cells")
    rules = {
        "formation": sim.DistanceDependentFormation((12, 12), 0.5, 3.0, 0.5, 3.0),
        "elimination": sim.RandomByWeightElimination(0.4, 0.4, 0.05),
        "initial_weight": 0.5,
        "initial_delay": (1.0, 4.0),
        "s_max": 6,
        "f_rew": 4000.0,
    }
    learning = sim.StructuralMechanismSTDP(
        sim.LastNeuronSelection(),
        timing_dependence=sim.SpikePairRule(A_plus=0.2, A_minus=0.15),
        weight_dependence=sim.AdditiveWeightDependence(w_max=1.0),
        weight=0.5,
        delay=2.0,
        **rules,
    )
    lateral = sim.StructuralMechanismStatic(sim.LastNeuronSelection(), **rules)
    first = sim.FromListConnector([(i, 3, 0.5, 2.0) for i in range(6)])  # of one process alone
    made = [
        sim.Projection(sources, cells, first, learning, label="learning"),
        sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.0), lateral, label="lateral"),
    ]
    cells.record("spikes")
    found: dict[str, Any] = {}
    for when in ("first", "second", "third"):
        if when == "third":
            made[1].set(weight=0.3)
            sim.reset()
        found[when, "before"] = [each.get(["weight", "delay"], "list") for each in made]
        sim.run(100.0)
        found[when] = [each.get(["weight", "delay"], "list") for each in made]
        found[when, "sizes"] = [each.size() for each in made]
    found["trains"] = of_block(cells.get_data())
    return found


def write_circuit(folder: Path) -> dict[str, Any]:
    """SONATA files, which are read again."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=5.0)
    rng = NumpyRNG(5)
    sources = sim.Population(90, sim.SpikeSourcePoisson(rate=60.0), label="sources")
    cells = sim.Population(150, sim.IF_curr_exp(i_offset=0.9), label="cells")
    stdp = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.05, A_minus=0.05),
        sim.AdditiveWeightDependence(w_max=1.0),
        weight=RandomDistribution("uniform", (0.1, 0.9), rng=rng),
        delay=2.0,
    )
    short = sim.TsodyksMarkramSynapse(
        U=RandomDistribution("uniform", (0.1, 0.5), rng=rng), weight=0.5, delay=1.0
    )
    some = sim.FixedProbabilityConnector(0.2, rng=rng)
    sim.Projection(sources, cells[10:140], some, stdp, label="a")
    sim.Projection(sources + cells, cells, some, short, label="b", receptor_type="excitatory")
    sources.record("spikes")
    cells[0:100].record("spikes")
    sim.run(100.0)
    path = sim.to_sonata(folder / "sonata", overwrite=True)
    assert path.exists()
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=5.0)
    again = sim.from_sonata(path)
    projections = sorted(again.projections, key=lambda each: str(each.label))
    names = ["weight", "delay"]
    made = [each.get(names, "list") for each in projections]
    return {"files": digests(folder / "sonata") if sim.rank() == 0 else {}, "again": made}


def export_to_chip(folder: Path) -> dict[str, Any]:
    """Words for a chip, from neurons whose synapses have learnt."""
    sim.setup(timestep=1.0, min_delay=1.0, max_delay=8.0)
    rng = NumpyRNG(2)
    inputs = sim.Population(70, sim.SpikeSourceArray(spike_times=[2.0, 9.0, 30.0]), label="in")
    cells = sim.Population(140, sim.IF_curr_exp(tau_m=20.0), label="cells")
    stdp = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.05, A_minus=0.05),
        sim.AdditiveWeightDependence(w_max=4.0),
        weight=2.0,
        delay=2.0,
    )
    fixed = sim.StaticSynapse(
        weight=RandomDistribution("uniform", (0.5, 1.5), rng=rng),
        delay=RandomDistribution("uniform", (1.0, 5.0), rng=rng),
    )
    some = sim.FixedProbabilityConnector(0.2, rng=rng)
    sim.Projection(inputs, cells, some, stdp, label="learnt")
    recurrent = sim.Projection(cells, cells, some, fixed, label="recurrent")
    sim.run(60.0)
    tables = export.lower(sim, target="asic", accept=["plasticity"])
    tables.save(folder / "tables")
    again = export.load(folder / "tables")
    part = export.lower([recurrent], target="asic", accept=["plasticity"])
    return {
        "files": digests(folder / "tables") if sim.rank() == 0 else {},
        "words": {name: each.words.tolist() for name, each in again.memories.items()},
        "part": {name: each.words.tolist() for name, each in part.memories.items()},
    }


def present() -> dict[str, Any]:
    """A converted network, shown images."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    sim.setup(timestep=1.0, min_delay="auto", max_delay="auto")
    rng = np.random.default_rng(3)
    images = rng.uniform(0, 1, (20, 16))
    model = MLPClassifier((130, 70), max_iter=3, random_state=1)
    model.fit(images, np.arange(20) % 4)
    net = sim.convert(model, images)
    shown = sim.present(net, images, steps=6)
    curve = sim.latency_curve(net, images, np.arange(20) % 4, 6)
    sums = curve.accuracy.tolist(), curve.spikes.tolist(), curve.operations.tolist()
    return {"shown": shown.tolist(), "curve": sums, "more": (curve.multiplications, curve.synapses)}


def instances() -> dict[str, Any]:
    """Copies of a network."""

    def build(sim: Any, rate: float) -> Any:
        sources = sim.Population(70, sim.SpikeSourcePoisson(rate=rate))
        cells = sim.Population(130, sim.IF_curr_exp())
        some = sim.FixedProbabilityConnector(0.2, rng=sim.NativeRNG(3))
        sim.Projection(sources, cells, some, sim.StaticSynapse(weight=1.0, delay=1.0))
        cells.record("spikes")
        return cells

    built = run_instances(build, [50.0, 100.0], 60.0, seeds=[3, 5], timestep=0.1)
    return {"copies": [of_block(each.get_data()) for each in built]}


def main(file: str, folder: str) -> None:
    parts = {
        "rules": learn(),
        "grown": grow(),
        "circuit": write_circuit(Path(folder)),
        "chip": export_to_chip(Path(folder)),
        "samples": present(),
        "copies": instances(),
    }
    found = {(name, key): each for name, part in parts.items() for key, each in part.items()}
    sim.end()
    if sim.rank() == 0:
        Path(file).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
