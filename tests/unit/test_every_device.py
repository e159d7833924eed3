"""What users do with a network comes to the same on every device, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyNN.sparse as sim
import pytest
from support.small import build, digest


def it_is_changed_and_reset(_: Path, **options: Any) -> list[Any]:
    net = build(30, **options)
    sim.run(10.0)
    net.cells.set(i_offset=0.8)
    net.cells[:5].initialize(v=-60.0)
    net.plastic.set(weight=0.02, delay=2.5)
    sim.run(10.0)
    changed = digest(net)
    sim.reset()
    sim.run(10.0)
    return [changed, digest(net)]


def it_grows(_: Path, **options: Any) -> list[Any]:
    net = build(30, **options)
    sim.run(10.0)
    more = sim.Population(5, sim.IF_curr_alpha(i_offset=1.5))
    synapse = sim.StaticSynapse(weight=0.5, delay=0.7)
    sim.Projection(net.cells, more, sim.AllToAllConnector(), synapse)
    back = sim.StaticSynapse(weight=0.01, delay=3.0)
    sim.Projection(more, net.cells, sim.AllToAllConnector(), back)
    more.record("spikes")
    sim.run(15.0)
    trains = more.get_data().segments[0].spiketrains
    return [digest(net), [train.magnitude.tolist() for train in trains]]


def its_state_is_saved_and_loaded(folder: Path, **options: Any) -> list[Any]:
    net = build(30, **options)
    sim.run(10.0)
    sim.save_state(folder / "state.npz")
    sim.run(10.0)
    whole = digest(net)
    net = build(30, **options)
    sim.load_state(folder / "state.npz")
    sim.run(10.0)
    return [whole, digest(net)]


DEPENDENCES: dict[str, Callable[[], Any]] = {
    "additive": lambda: sim.AdditiveWeightDependence(w_max=0.1),
    "multiplicative": lambda: sim.MultiplicativeWeightDependence(w_max=0.1),
    "Gütig": lambda: sim.GutigWeightDependence(w_max=0.1, mu_plus=0.3, mu_minus=0.8),
}


def its_synapses_learn(_: Path, **options: Any) -> list[Any]:
    net = build(20, **options)
    made = []
    for fraction, dependence in zip((1.0, 0.0, 0.4), DEPENDENCES.values(), strict=True):
        rule = sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(A_plus=0.02, A_minus=0.015),
            weight_dependence=dependence(),
            dendritic_delay_fraction=fraction,
            weight=0.01,
            delay=4.0,
        )
        made.append(sim.Projection(net.noise, net.cells, sim.AllToAllConnector(), rule))
    homeostatic = sim.STDPMechanism(
        timing_dependence=sim.Vogels2011Rule(eta=1e-4, rho=5.0),
        weight_dependence=sim.AdditiveWeightDependence(w_max=0.1),
        weight=0.01,
        delay=1.0,
    )
    made.append(
        sim.Projection(
            *(net.noise, net.cells, sim.AllToAllConnector(), homeostatic),
            receptor_type="inhibitory",
        )
    )
    sim.run(25.0)
    weights = [each.get("weight", "list", with_address=False) for each in made]
    assert all(len(set(each)) > 10 for each in weights)
    return [digest(net), weights]


DOINGS = (it_is_changed_and_reset, it_grows, its_state_is_saved_and_loaded, its_synapses_learn)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """On one thread of the CPU."""
    folder = tmp_path_factory.mktemp("expected")
    return {do.__name__: do(folder, device="cpu", threads=1) for do in DOINGS}


@pytest.mark.parametrize("do", DOINGS, ids=lambda do: do.__name__)
def test_same_bits(
    expected: dict[str, list[Any]],
    device: str,
    do: Callable[..., list[Any]],
    tmp_path: Path,
) -> None:
    assert do(tmp_path) == expected[do.__name__]
