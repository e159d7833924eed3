"""Small networks, drawn at random, do on every device what a plain simulation says."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from support.reference import Cell, PairRule, Synapse, simulate

H = 0.1  # ms
STEPS = 250
# Model -> largest difference of v in mV: both are exact, or differ as methods of integration do.
MODELS = {"IF_curr_exp": 1e-9, "IF_curr_delta": 1e-9, "IF_cond_exp": 1e-3}
STRONGEST = {"IF_curr_exp": 2.0, "IF_curr_delta": 8.0, "IF_cond_exp": 0.05}
RECEPTORS = ("excitatory", "inhibitory")


@dataclass
class Net:
    cells: list[Cell]
    sources: list[list[int]]
    synapses: list[Synapse]


def numbers(least: float, greatest: float) -> st.SearchStrategy[float]:
    return st.floats(least, greatest).map(lambda x: round(x, 3))


@st.composite
def cells(draw: Any) -> Cell:
    model = draw(st.sampled_from(sorted(MODELS)))
    parameters = {
        "cm": draw(numbers(0.1, 1.0)),
        "tau_m": draw(numbers(8.0, 25.0)),
        "tau_refrac": draw(st.sampled_from([0.0, 0.1, 0.55, 2.0])),
        "v_rest": -65.0,
        "v_reset": draw(numbers(-75.0, -60.0)),
        "v_thresh": draw(numbers(-58.0, -50.0)),
        "i_offset": draw(numbers(-0.1, 0.5)),
    }
    if model != "IF_curr_delta":
        parameters |= {"tau_syn_E": draw(numbers(0.5, 6.0)), "tau_syn_I": draw(numbers(0.5, 6.0))}
    if model == "IF_cond_exp":
        parameters |= {"e_rev_E": 0.0, "e_rev_I": -75.0}
    return Cell(model, parameters, draw(numbers(-70.0, -60.0)))


@st.composite
def networks(draw: Any) -> Net:
    made = draw(st.lists(cells(), min_size=1, max_size=3))
    times = st.lists(st.integers(0, STEPS), unique=True, max_size=15).map(sorted)
    sources = draw(st.lists(times, min_size=1, max_size=2))
    ends = [("source", i) for i in range(len(sources))] + [("cell", i) for i in range(len(made))]
    synapses = []
    for _ in range(draw(st.integers(1, 8))):
        post = draw(st.integers(0, len(made) - 1))
        strongest = STRONGEST[made[post].model]
        receptor = draw(st.sampled_from(RECEPTORS))
        weight = draw(numbers(0.0, 1.0)) * strongest
        rule = None
        if receptor == "excitatory" and draw(st.booleans()):
            rule = PairRule(
                *(draw(numbers(5.0, 30.0)) for _ in range(2)),
                *(draw(numbers(0.0, 0.3)) for _ in range(2)),
                w_max=strongest,
            )
        elif receptor == "inhibitory" and made[post].model != "IF_cond_exp":
            weight = -weight
        delay = draw(st.integers(1, 30))
        synapses.append(Synapse(draw(st.sampled_from(ends)), post, receptor, weight, delay, rule))
    return Net(made, sources, synapses)


def synapse_type(synapse: Synapse) -> Any:
    values = {"weight": synapse.weight, "delay": synapse.delay * H}
    if synapse.rule is None:
        return sim.StaticSynapse(**values)
    rule = synapse.rule
    return sim.STDPMechanism(
        sim.SpikePairRule(rule.tau_plus, rule.tau_minus, A_plus=rule.a_plus, A_minus=rule.a_minus),
        sim.AdditiveWeightDependence(w_min=rule.w_min, w_max=rule.w_max),
        **values,
    )


def run(net: Net) -> tuple[list[list[int]], list[Any], list[float]]:
    """Spikes of each cell as time steps, its potentials, and the synapses' weights at the end."""
    sim.setup(timestep=H)
    nodes: dict[tuple[str, int], Any] = {}
    for number, spikes in enumerate(net.sources):
        source = sim.SpikeSourceArray(spike_times=[step * H for step in spikes])
        nodes["source", number] = sim.Population(1, source)
    for number, cell in enumerate(net.cells):
        made = sim.Population(1, getattr(sim, cell.model)(**cell.parameters))
        made.initialize(v=cell.v)
        made.record(["spikes", "v"])
        nodes["cell", number] = made
    projections = [
        sim.Projection(
            nodes[synapse.pre],
            nodes["cell", synapse.post],
            sim.AllToAllConnector(),
            synapse_type(synapse),
            receptor_type=synapse.receptor,
        )
        for synapse in net.synapses
    ]
    sim.run(STEPS * H)
    spikes, voltages = [], []
    for number in range(len(net.cells)):
        segment = nodes["cell", number].get_data().segments[0]
        times = segment.spiketrains[0].magnitude
        spikes.append(np.rint(times / H).astype(int).tolist())
        voltages.append(segment.filter(name="v")[0].magnitude[:, 0])
    weights = [each.get("weight", format="array").item() for each in projections]
    return spikes, voltages, weights


# Networks are small as they are drawn; to look for smaller ones takes minutes.
@pytest.mark.usefixtures("device")
@settings(
    max_examples=25,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(net=networks())
def test_networks(net: Net) -> None:
    expected = deepcopy(net)
    simulate(expected.cells, expected.sources, expected.synapses, STEPS, H)
    for cell in expected.cells:  # else rounding, or the method of integration, decides on a spike
        assume(cell.nearest > 2 * MODELS[cell.model])
    spikes, voltages, weights = run(net)
    assert spikes == [cell.spikes for cell in expected.cells]
    for cell, v in zip(expected.cells, voltages, strict=True):
        np.testing.assert_allclose(v, cell.voltages, rtol=0, atol=MODELS[cell.model])
    np.testing.assert_allclose(weights, [each.weight for each in expected.synapses], atol=1e-9)
