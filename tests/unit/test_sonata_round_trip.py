"""A network that is written as SONATA files and read again is the same, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.parameters import Sequence
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.space import RandomStructure, Sphere

from pynn_sparse.errors import SonataError

pytest.importorskip("h5py")
Build = Callable[[], None]
END = 80.0  # ms


def random(*limits: float, seed: int = 5) -> RandomDistribution:
    return RandomDistribution("uniform", limits, rng=NumpyRNG(seed=seed))


def some(seed: int = 2, p: float = 0.3) -> Any:
    return sim.FixedProbabilityConnector(p, rng=NumpyRNG(seed=seed))


def everything() -> tuple[list[Any], list[Any]]:
    """All populations and projections, in the order in which they were made."""
    recorders = sim.simulator.state.recorders
    populations = sorted((each.population for each in recorders), key=lambda each: each.first_id)
    return populations, list(sim.simulator.state.projections)


def outcome(populations: list[Any], projections: list[Any]) -> list[Any]:
    """What a network is, and what it does: shapes, connections, spikes, weights at the end."""
    found: list[Any] = [
        (p.pre.label, p.post.label, p.receptor_type, type(p.synapse_type).__name__, len(p), p.shape)
        for p in projections
    ]
    found += [
        p.get(p.synapse_type.get_parameter_names(), format="columns")
        for p in projections
        if not p.synapse_type.electrical
    ]
    found += [each.positions for each in populations]
    for each in populations:
        each.record("spikes")
        found.append((each.label, type(each.celltype).__name__, each.size))
    sim.run(END)
    for each in populations:
        segment = each.get_data("spikes").segments[0]
        found.append([train.magnitude for train in segment.spiketrains])
    found += [p.get("weight", format="columns")["weight"] for p in projections]
    return found


def assert_same(first: Any, second: Any) -> None:
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    elif isinstance(first, np.ndarray):
        assert np.array_equal(first, second)
    else:
        assert first == second


def static() -> None:
    noise = sim.Population(30, sim.SpikeSourcePoisson(rate=lambda i: 200.0 + 20 * i), label="noise")
    cells = sim.Population(
        *(40, sim.IF_curr_exp(tau_m=random(8.0, 20.0))),
        structure=RandomStructure(Sphere(100.0), rng=NumpyRNG(seed=4)),
        initial_values={"v": random(-70.0, -55.0)},
        label="cells → é",
    )
    synapse = sim.StaticSynapse(weight=random(0.1, 0.9), delay=random(0.2, 3.0))
    sim.Projection(noise, cells, some(), synapse, receptor_type="excitatory", label="same label")
    inhibition = sim.StaticSynapse(weight=-0.2, delay=1.5)
    sim.Projection(
        cells, cells, some(3), inhibition, receptor_type="inhibitory", label="same label"
    )


def views_and_assemblies() -> None:
    noise = sim.Population(30, sim.SpikeSourcePoisson(rate=900.0), label="noise")
    array = sim.Population(
        10, sim.SpikeSourceArray(spike_times=[[1.0 + i, 30.04, 60.0] for i in range(10)])
    )
    cells = sim.Population(40, sim.IF_curr_exp(tau_refrac=2.0), label="cells")
    others = sim.Population(20, sim.IF_curr_alpha(), label="others")
    strong = sim.StaticSynapse(weight=0.4, delay=random(0.5, 2.0))
    sim.Projection(noise + array, cells[::2] + others, some(), strong, receptor_type="excitatory")
    sim.Projection(cells[5:24], others[[1, 4, 8]], sim.AllToAllConnector(), strong,
                   receptor_type="excitatory")  # fmt: skip
    repeated = [(0, 1, 0.01, 1.0), (0, 1, 0.02, 1.0), (0, 1, 0.01, 0.5)]
    sim.Projection(noise, cells, sim.FromListConnector(repeated), sim.StaticSynapse())
    sim.Projection(cells, others, sim.FromListConnector([]), sim.StaticSynapse(), label="empty")


def plastic() -> None:
    noise = sim.Population(30, sim.SpikeSourcePoisson(rate=300.0), label="noise")
    one, two = (sim.Population(20, sim.IF_curr_exp(), label=name) for name in ("one", "two"))
    rule = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=15.0, tau_minus=25.0, A_plus=0.05, A_minus=0.04),
        sim.MultiplicativeWeightDependence(w_min=0.0, w_max=2.0),
        dendritic_delay_fraction=0.4,
        weight=random(0.5, 1.0),
        delay=random(0.5, 3.0),
    )
    sim.Projection(noise, one + two, some(), rule, receptor_type="excitatory", label="learning")
    vogels = sim.STDPMechanism(
        sim.Vogels2011Rule(tau=20.0, eta=0.01, rho=10.0),
        sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0),
        weight=-0.1,
        delay=1.0,
    )
    sim.Projection(one, two, some(6), vogels, receptor_type="inhibitory", label="balancing")


def short_term() -> None:
    noise = sim.Population(30, sim.SpikeSourcePoisson(rate=400.0), label="noise")
    one, two = (sim.Population(20, sim.IF_curr_exp(), label=name) for name in ("one", "two"))
    kinds = (
        sim.TsodyksMarkramSynapse(U=random(0.2, 0.6), tau_rec=80.0, tau_facil=20.0, weight=0.5),
        sim.SimpleStochasticSynapse(p=0.5, weight=0.4, delay=1.0),
        sim.StochasticTsodyksMarkramSynapse(U=0.4, tau_rec=50.0, weight=0.5, delay=1.0),
        sim.MultiQuantalSynapse(U=0.4, n=5, tau_rec=50.0, weight=0.1, delay=1.0),
    )
    for kind in kinds:
        made = sim.Projection(noise, one + two, some(), kind, receptor_type="excitatory")
        if isinstance(kind, sim.TsodyksMarkramSynapse):
            made.initialize(u=0.1)


def of_all_models() -> None:
    noise = sim.Population(30, sim.SpikeSourcePoisson(rate=600.0), label="noise")
    renewing = (
        sim.SpikeSourceGamma(alpha=2.0, beta=200.0),
        sim.SpikeSourcePoissonRefractory(rate=90.0, tau_refrac=3.0),
        sim.SpikeSourceInhGamma(a=Sequence([2.0, 1.0]), b=Sequence([0.01, 0.03]),
                                tbins=Sequence([0.0, 30.0]), duration=60.0, start=5.0),
    )  # fmt: skip
    for kind in renewing:
        sim.Population(4, kind, label=type(kind).__name__)
    composed = sim.PointNeuron(
        sim.LIF(tau_m=12.0),
        AMPA=sim.CurrExpPostSynapticResponse(tau_syn=3.0),
        GABA=sim.CondAlphaPostSynapticResponse(e_syn=-75.0, tau_syn=2.0),
    )
    synapse = sim.StaticSynapse(weight=0.3, delay=1.0)
    for kind, receptor in (
        (sim.IF_curr_alpha(), "excitatory"),
        (sim.Izhikevich(a=0.03), "excitatory"),
        (sim.GIF_cond_exp(a_eta=(0.1, 0.2, 0.3)), "excitatory"),
        (sim.EIF_cond_exp_isfa_ista(), "excitatory"),
        (composed, "AMPA"),
    ):
        cells = sim.Population(5, kind, label=type(kind).__name__)
        sim.Projection(noise, cells, some(), synapse, receptor_type=receptor)


def currents() -> None:
    cells = sim.Population(12, sim.IF_curr_exp(), label="cells")
    others = sim.Population(6, sim.HH_cond_exp(), label="others")
    sim.DCSource(amplitude=1.2, start=5.0, stop=45.0).inject_into(cells[:5])
    sim.StepCurrentSource(times=[3.0, 20.0, 60.0], amplitudes=[0.6, 1.4, 0.0]).inject_into(others)
    noisy = sim.NoisyCurrentSource(mean=0.8, stdev=0.5, start=0.0, stop=70.0, dt=0.2)
    noisy.inject_into(cells + others)
    noisy.inject_into(cells[2:4])
    sim.ACSource(amplitude=0.5, offset=0.5, frequency=40.0, stop=60.0).inject_into(cells)
    sim.Projection(others[:2], others[2:], sim.AllToAllConnector(),
                   sim.ElectricalSynapse(weight=0.02), label="gap junctions")  # fmt: skip


NETWORKS = static, views_and_assemblies, plastic, short_term, of_all_models, currents


@pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)
def test_the_network_read_again_gives_the_same_spikes(build: Build, tmp_path: Path) -> None:
    sim.setup(timestep=0.1, rng_seed=7)
    build()
    sim.to_sonata(tmp_path / "net")
    expected = outcome(*everything())
    assert sum(len(train) for part in expected for train in part if isinstance(part, list)) > 50
    (tmp_path / "net").rename(tmp_path / "moved")  # paths are relative
    sim.setup(timestep=0.1, rng_seed=7)
    sim.from_sonata(tmp_path / "moved")
    assert_same(expected, outcome(*everything()))


@pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)
def test_written_twice_the_files_are_the_same(build: Build, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    sim.setup(timestep=0.1, rng_seed=7)
    build()
    sim.to_sonata(tmp_path / "first")
    sim.setup(timestep=0.1, rng_seed=7)
    sim.from_sonata(tmp_path / "first")
    sim.to_sonata(tmp_path / "second")
    names = {
        each.relative_to(tmp_path / "first")
        for each in (tmp_path / "first").rglob("*")
        if each.is_file()
    }
    assert len(names) > 4

    def contents(path: Path) -> dict[str, Any]:
        found = {}
        with h5py.File(path) as file:

            def take(name: str, item: Any) -> None:
                found[name] = [item[()] if isinstance(item, h5py.Dataset) else None]
                found[name] += sorted(map(str, item.attrs.items()))

            file.visititems(take)
        return found

    for name in names:
        one, two = tmp_path / "first" / name, tmp_path / "second" / name
        if name.suffix == ".h5":
            first, second = contents(one), contents(two)
            assert first.keys() == second.keys()
            for key in first:
                assert str(first[key]) == str(second[key])
        else:
            assert one.read_text() == two.read_text()


def test_weights_are_those_of_now(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    plastic()
    sim.run(50.0)
    (learning, *_) = everything()[1]
    present = learning.get("weight", format="columns")["weight"]
    sim.to_sonata(tmp_path / "net")
    sim.setup(timestep=0.1)
    again = sim.from_sonata(tmp_path / "net").get_component("learning")
    assert np.array_equal(again.get("weight", format="columns")["weight"], present)
    assert len(np.unique(present)) > 50


def test_a_model_of_formulas_is_read_with_its_type(tmp_path: Path) -> None:
    model = sim.native_cell_type(
        "Leaky", parameters={"tau": 10.0}, state={"v": 0.0}, equations="dv/dt = (1.5 - v) / tau",
        threshold="v > 1", reset="v = 0",
    )  # fmt: skip
    sim.setup(timestep=0.1)
    sim.Population(3, model(tau=[5.0, 10.0, 15.0]), label="cells")
    sim.to_sonata(tmp_path / "net")
    sim.setup(timestep=0.1)
    with pytest.raises(SonataError, match=r"cell_types=\{'Leaky': ...\}"):
        sim.from_sonata(tmp_path / "net")
    cells = sim.from_sonata(tmp_path / "net", {"Leaky": model}).get_component("cells")
    assert np.array_equal(cells.get("tau"), [5.0, 10.0, 15.0])


def test_another_time_step_is_said(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    sim.Population(3, sim.IF_curr_exp())
    sim.to_sonata(tmp_path / "net")
    sim.setup(timestep=0.5)
    with pytest.warns(UserWarning, match=r"time step of 0.1 ms; .* the present one, 0.5 ms"):
        sim.from_sonata(tmp_path / "net")


def test_a_network_is_read_beside_another(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    views_and_assemblies()
    sizes = [len(each) for each in everything()[1]]
    sim.to_sonata(tmp_path / "net")
    sim.from_sonata(tmp_path / "net")
    assert [len(each) for each in everything()[1]] == 2 * sizes
