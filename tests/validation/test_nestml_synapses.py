"""The published NESTML synapse models, against NEST's own synapses of the same rules."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from support.driven import DT, Driven, on_nest

from pynn_sparse.errors import ModelError

pytest.importorskip("pynestml")

PAIRS = {"lambda": 0.05, "alpha": 0.8, "mu_plus": 0.7, "mu_minus": 1.0, "tau_plus": 15.0}
OURS = {"lambda_": 0.05, "alpha": 0.8, "mu_plus": 0.7, "mu_minus": 1.0}
OURS |= {"tau_tr_pre": 15.0, "tau_tr_post": 25.0}
TRIPLETS = {"Aplus": 0.05, "Aminus": 0.04, "Aplus_triplet": 0.06, "Aminus_triplet": 0.01}
TRIPLETS |= {"tau_plus": 15.0, "tau_plus_triplet": 101.0}
# Model of NESTML -> NEST's, and the parameters of both.
RULES: dict[str, Any] = {
    "stdp_synapse": ("stdp_synapse", PAIRS, OURS),
    "stdp_nn_symm_synapse": ("stdp_nn_symm_synapse", PAIRS, OURS),
    "stdp_nn_pre_centered_synapse": ("stdp_nn_pre_centered_synapse", PAIRS, OURS),
    "stdp_nn_restr_symm_synapse": ("stdp_nn_restr_synapse", PAIRS, OURS),
    "stdp_triplet_synapse": (
        "stdp_triplet_synapse",
        TRIPLETS,
        {"A2_plus": 0.05, "A2_minus": 0.04, "A3_plus": 0.06, "A3_minus": 0.01}
        | {"tau_plus": 15.0, "tau_x": 101.0, "tau_minus": 25.0, "tau_y": 114.0},
    ),
}
REFUSED = {
    "neuromodulated_stdp_synapse": "a third port .*sim.native_synapse_type has modulators",
    "noisy_synapse": "transmits something else than a weight",
    "stdsp_synapse": "continuous input of a synapse",
    "tsodyks_synapse": "transmits something else than a weight",
}


def published(name: str) -> str:
    (file,) = (
        str(each.locate())
        for each in metadata.files("nestml") or ()
        if str(each).endswith(f"models/synapses/{name}.nestml")
    )
    return file


def trains(seed: int, n: int, spikes: int, odd: int) -> list[list[int]]:
    """At odd steps, or at even ones: spikes of both sides never come to a synapse together."""
    rng = np.random.default_rng(seed)
    steps = 2 * np.arange(1, 1450) + odd
    return [sorted(rng.choice(steps, spikes, False).tolist()) for _ in range(n)]


@pytest.mark.parametrize("model", RULES)
def test_weights_are_nests(model: str) -> None:
    """After a last spike of all sources.

    They fire first of all: NEST's stdp_nn_restr_synapse takes time 0 for a spike of the source.
    """
    theirs, parameters, ours = RULES[model]
    pre = [sorted({2, *train, 3100}) for train in trains(4, 6, 50, 0)]
    post = trains(5, 4, 70, 1)
    tau_minus = {"tau_minus": 25.0}
    if "triplet" in model:
        tau_minus |= {"tau_minus_triplet": 114.0}
    expected = on_nest(theirs, {**parameters, "Wmax": 1.0}, tau_minus, pre, post)
    kind = sim.nestml_synapse_type(published(model))
    net = Driven(kind(weight=0.5, delay=3.2, Wmin=0.0, Wmax=1.0, **ours), pre, post)
    sim.run(3100 * DT)
    np.testing.assert_allclose(net.get("weight"), expected, rtol=0, atol=1e-12)
    assert expected.std() > 0.005
    net.check()


def test_a_static_synapse() -> None:
    kind = sim.nestml_synapse_type("static_synapse", published("static_synapse"))
    sim.setup(timestep=DT)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cell = sim.Population(1, sim.IF_curr_delta())
    sim.Projection(source, cell, sim.AllToAllConnector(), kind(weight=5.0, delay=1.0))
    cell.record("v")
    sim.run(3.0)
    assert cell.get_data().segments[0].analogsignals[0].magnitude.max() == pytest.approx(-60.0)


@pytest.mark.parametrize("model", REFUSED)
def test_what_cannot_be_said_is_refused(model: str) -> None:
    with pytest.raises(NotImplementedError, match=rf"{model}.nestml:\d+: .*{REFUSED[model]}"):
        sim.nestml_synapse_type(published(model))


def test_what_is_no_synapse() -> None:
    neuron = published("stdp_synapse").replace(
        "synapses/stdp_synapse", "neurons/iaf_psc_exp_neuron"
    )
    with pytest.raises(ModelError, match="must be a synapse model: one call of emit_spike"):
        sim.nestml_synapse_type(neuron)
    with pytest.raises(NotImplementedError, match="a synapse model, whose spikes have weights"):
        sim.nestml_cell_type(published("stdp_synapse"))
    with pytest.raises(ModelError, match="limits = 'Wmax': must be the names of two parameters"):
        sim.nestml_synapse_type(published("stdp_synapse"), limits="Wmax")  # type: ignore[arg-type]
    kind = sim.nestml_synapse_type(published("stdp_synapse"))
    sim.setup(timestep=DT)
    cells = sim.Population(1, sim.SpikeSourceArray()), sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(sim.errors.InvalidParameterValueError, match="Wmin"):
        sim.Projection(*cells, sim.AllToAllConnector(), kind(weight=0.5, Wmin=-1.0))
