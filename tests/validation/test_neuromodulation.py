"""A third factor: spikes of a population that modulates synapses, against NEST and definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN.parameters import Sequence
from support.devices import gpu_from, threads
from support.driven import DT, parrots, trains, weights_on_nest
from support.emulated import EmulatedRuntime
from support.synapse_rules import rewarded

DELAY, REWARD_DELAY = 3.2, 1.4
Trains = list[list[int]]


def times(given: Trains, shift: int = 0) -> list[Sequence]:
    return [Sequence((np.array(train) + shift) * DT) for train in given]


def network(kind: Any, pre: Trains, post: Trains, reward: Trains, **more: Any) -> Any:
    """Sources and targets that fire when they are told to, and neurons that are a reward."""
    sim.setup(timestep=DT, min_delay=DT, max_delay=20.0)
    sources = sim.Population(len(pre), sim.SpikeSourceArray(spike_times=times(pre)))
    drivers = sim.Population(len(post), sim.SpikeSourceArray(spike_times=times(post, -1)))
    targets = sim.Population(len(post), sim.IF_curr_delta(tau_refrac=0.0, v_thresh=300.0))
    rewards = sim.Population(len(reward), sim.SpikeSourceArray(spike_times=times(reward)))
    synapse = kind(weight=0.5, delay=DELAY, modulator=rewards, modulator_delay=REWARD_DELAY, **more)
    projection = sim.Projection(
        sources, targets, sim.AllToAllConnector(), synapse, receptor_type="excitatory"
    )
    strong = sim.StaticSynapse(weight=500.0, delay=DT)
    sim.Projection(drivers, targets, sim.OneToOneConnector(), strong)
    return projection


def on_nest(
    pre: Trains, post: Trains, reward: Trains, parameters: Any, until: float
) -> NDArray[np.float64]:
    nest = pytest.importorskip("nest")
    source, target, dopamine = parrots(0, [pre, post, reward], {"tau_minus": 25.0})
    transmitter = nest.Create("volume_transmitter", params={"deliver_interval": 10000})
    nest.Connect(dopamine, transmitter, "all_to_all", {"delay": REWARD_DELAY})
    given = {"volume_transmitter": transmitter, **parameters}
    nest.CopyModel("stdp_dopamine_synapse", "rewarded", given)
    spec = {"synapse_model": "rewarded", "weight": 0.5, "delay": DELAY, "receptor_type": 1}
    nest.Connect(source, target, "all_to_all", spec)
    nest.Simulate(until + 5.0)
    return weights_on_nest(source, target)


PRE, POST, REWARD = (
    trains(1, 6, 50, 2900, 20),
    trains(2, 4, 60, 2900, 20),
    trains(3, 3, 12, 2900, 20),
)
LAST = 3100
WEAK = {"A_plus": 0.003, "A_minus": 0.002, "b": 0.01}


def test_weights_are_those_of_nests_dopamine_synapse() -> None:
    """After a last spike of all sources."""
    pre = [sorted({*train, LAST}) for train in PRE]
    parameters = {**WEAK, "tau_plus": 15.0, "tau_c": 200.0, "tau_n": 50.0, "Wmin": 0.0, "Wmax": 1.0}
    expected = on_nest(pre, POST, REWARD, parameters, LAST * DT)
    projection = network(rewarded(), pre, POST, REWARD, w_min=0.0, **WEAK)
    sim.run_until(LAST * DT)
    found = projection.get("weight", "array")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert expected.std() > 0.02


def run(steps: int = 3000, look: bool = False) -> NDArray[np.float64]:
    projection = network(rewarded(), PRE, POST, REWARD, dendritic_delay_fraction=0.5, **WEAK)
    sim.run_until(0.4 * steps * DT)
    if look:
        projection.get(["weight", "c"], "array")
    sim.run_until(steps * DT)
    return np.array(projection.get(["weight", "c"], "array"))


def test_the_same_on_every_device() -> None:
    with threads(1):
        expected = run()
    with threads(3):
        np.testing.assert_array_equal(run(look=True), expected)
    with gpu_from(lambda: EmulatedRuntime(backwards=True, resident=False)):
        np.testing.assert_array_equal(run(), expected)
    sim.setup(device="cpu")


def test_checkpoints_and_reset(tmp_path: Any) -> None:
    expected = run()
    sim.reset()
    sim.run_until(100.0)
    sim.save_state(tmp_path / "state.npz")
    sim.run_until(300.0)
    projection = sim.state.projections[0]
    np.testing.assert_array_equal(projection.get(["weight", "c"], "array"), expected)
    again = network(rewarded(), PRE, POST, REWARD, dendritic_delay_fraction=0.5, **WEAK)
    sim.load_state(tmp_path / "state.npz")
    sim.run_until(300.0)
    np.testing.assert_array_equal(again.get(["weight", "c"], "array"), expected)


def test_spikes_of_the_modulator_act_at_once() -> None:
    """As many as come at a time, also for a synapse whose source is silent."""
    kind = sim.native_synapse_type(
        "Rewards",
        parameters={"gain": 0.01, "w_min": 0.0, "w_max": 2.0},
        state={"seen": 0.0},
        on_modulator="weight += gain * spikes\nseen += 1",
        limits=("w_min", "w_max"),
    )
    reward = [[100, 200], [100, 300], [100, 400]]
    projection = network(kind, [[10], []], [[50]], reward)
    delay = round(REWARD_DELAY / DT)
    for until, spikes, seen in ((100 + delay - 1, 0, 0), (100 + delay, 3, 1), (500, 6, 4)):
        sim.run_until(until * DT)
        weights = projection.get("weight", "array")[:, 0]
        assert weights == pytest.approx([0.5 + 0.01 * spikes] * 2), until
        assert projection.get("seen", "array")[:, 0].tolist() == [seen, seen]


def test_a_modulator_must_be_one() -> None:
    sim.setup(timestep=DT)
    old = sim.Population(2, sim.SpikeSourcePoisson())
    kind = rewarded()
    with pytest.raises(TypeError, match="Rewarded: modulator = None: must be a Population"):
        kind(weight=0.5)
    with pytest.raises(ValueError, match=r"modulator_delay = -1\.0: must be a number from 0\.1"):
        kind(weight=0.5, modulator=old, modulator_delay=-1.0)
    sim.setup(timestep=DT)
    with pytest.raises(ValueError, match="must be a population of the present simulation"):
        kind(weight=0.5, modulator=old)
