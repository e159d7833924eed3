"""Connections that come and go, against what each step's connections must do, and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.parameters import Sequence
from support.devices import gpu_from, threads
from support.emulated import EmulatedRuntime

N = 16
TAU, A_PLUS, A_MINUS, W_MAX = 20.0, 0.02, 0.01, 1.0
Synapses = dict[tuple[int, int], list[float]]


def rules(selection: Any, **changed: Any) -> dict[str, Any]:
    """Arguments of a mechanism with which connections soon come and go."""
    given = {"p_form_forward": 0.5, "sigma_form_forward": 1.5}
    given |= {name: changed.pop(name) for name in list(changed) if name in given}
    gone = {"threshold": 0.5, "prob_elim_depressed": 0.1, "prob_elim_potentiated": 0.1}
    gone |= {name: changed.pop(name) for name in list(changed) if name in gone}
    return {
        "partner_selection": selection,
        "formation": sim.DistanceDependentFormation(grid=(4, 4), **given),
        "elimination": sim.RandomByWeightElimination(**gone),
        "initial_weight": 0.5,
        "initial_delay": (1.0, 9.0),
        "s_max": 8,
        "f_rew": 3000.0,
        **changed,
    }


def stdp(**more: Any) -> Any:
    timing = sim.SpikePairRule(tau_plus=TAU, tau_minus=TAU, A_plus=A_PLUS, A_minus=A_MINUS)
    weights = sim.AdditiveWeightDependence(w_min=0.0, w_max=W_MAX)
    return sim.StructuralMechanismSTDP(timing_dependence=timing, weight_dependence=weights, **more)


def network(synapse: Any, connector: Any, rate: float = 100.0) -> tuple[Any, Any, Any]:
    """Sources that fire at random, and targets that sum up what comes, or fire when driven."""
    rng = np.random.default_rng(1)
    given = [Sequence(np.flatnonzero(rng.random(400) < rate / 1000) + 1.0) for _ in range(2 * N)]
    pre = sim.Population(N, sim.SpikeSourceArray(spike_times=given[:N]), label="pre")
    post = sim.Population(N, sim.IF_curr_delta(tau_m=1e12, v_thresh=300.0, tau_refrac=0.0))
    drivers = sim.Population(N, sim.SpikeSourceArray(spike_times=given[N:]))
    projection = sim.Projection(pre, post, connector, synapse, receptor_type="excitatory")
    return projection, drivers, post


def delivered(synapse: Any, connector: Any, steps: int) -> tuple[Any, Any]:
    """Potentials in each step, and those that the connections of each step would give."""
    projection, _, post = network(synapse, connector)
    post.record("v")
    trains = [each.value for each in projection.pre.get("spike_times")]
    fired = np.zeros((steps + 1, N), int)
    for cell, train in enumerate(trains):
        fired[train[train <= steps].astype(int), cell] = 1
    came = np.zeros((steps + 20, N))
    sizes = []
    for step in range(1, steps + 1):
        present = projection.get(["weight", "delay"], "list")
        sizes.append(len(present))
        for source, target, weight, delay in present:
            came[step + int(delay), int(target)] += weight * fired[step, int(source)]
        sim.run(1.0)
    (v,) = post.get_data("v").segments[0].analogsignals
    assert len(set(sizes)) > 10
    # What arrives in a step is in the potential at its end.
    return v.magnitude - v.magnitude[0], np.cumsum(came[: steps + 1], axis=0)


@pytest.mark.parametrize("selection", ["RandomSelection", "LastNeuronSelection"])
@pytest.mark.parametrize("connector", ["none", "one to one"])
def test_each_spike_goes_by_the_connections_of_its_step(selection: str, connector: str) -> None:
    """Also where synapses with differing delays are delivered in groups, or had been alike."""
    sim.setup(timestep=1.0, threads=1)
    synapse = sim.StructuralMechanismStatic(
        **rules(getattr(sim, selection)(), weight=0.5, delay=2.0)
    )
    made = sim.FixedProbabilityConnector(0.0) if connector == "none" else sim.OneToOneConnector()
    found, expected = delivered(synapse, made, 150)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert expected.max() > 1


def test_attempts_succeed_as_often_as_they_should() -> None:
    """Without elimination, and with places to spare, formations are draws of one probability."""
    sim.setup(timestep=1.0, threads=1)
    synapse = sim.StructuralMechanismStatic(
        **rules(sim.RandomSelection(), s_max=2**20, p_form_forward=0.3, f_rew=20000.0)
    )
    projection, *_ = network(synapse, sim.FixedProbabilityConnector(0.0))
    sim.run(120.0)
    along = np.minimum(np.arange(4), 4 - np.arange(4))
    square = along[:, None] ** 2 + along[None] ** 2
    p = 0.3 * np.exp(-square / (2 * 1.5**2)).mean()
    attempts = 120 * 20
    assert abs(len(projection) - attempts * p) < 4 * np.sqrt(attempts * p * (1 - p))
    pre, post = (
        projection.get("weight", "columns")[f"{side}synaptic_index"] for side in ("pre", "post")
    )
    chance = np.bincount(np.minimum(abs(pre - post) // 4, 4 - abs(pre - post) // 4), minlength=3)
    assert chance[0] > chance[2]
    assert set(projection.get("delay", "list", with_address=False)) == set(range(1, 10))


def test_places_fill_to_where_formation_and_elimination_meet() -> None:
    """Of all places a share f is taken, with (1 - f) p = f q on average."""
    sim.setup(timestep=1.0, threads=1)
    synapse = sim.StructuralMechanismStatic(
        **rules(sim.RandomSelection(), sigma_form_forward=1e6, f_rew=20000.0)
    )
    projection, *_ = network(synapse, sim.FixedProbabilityConnector(0.0))
    sizes = []
    sim.run(80.0)
    for _ in range(8):
        sim.run(10.0)
        sizes.append(len(projection))
    share = 0.5 / 0.6
    assert np.mean(sizes) / (8 * N) == pytest.approx(share, abs=0.05)
    counts = np.bincount(projection.get("weight", "columns")["postsynaptic_index"], minlength=N)
    assert counts.max() <= 8


def grown(steps: int = 300, parts: int = 1, **more: Any) -> tuple[Any, Any]:
    """A network that learns and grows, whose targets fire whatever their inputs are."""
    sim.setup(timestep=1.0)
    synapse = stdp(**rules(sim.RandomSelection(), weight=0.5, delay=3.0, **more))
    connector = sim.FixedProbabilityConnector(0.2, rng=sim.NumpyRNG(3))
    projection, drivers, post = network(synapse, connector, rate=40.0)
    drive = sim.StaticSynapse(weight=1000.0, delay=1.0)
    sim.Projection(drivers, post, sim.OneToOneConnector(), drive)
    post.record("spikes")
    for _ in range(parts):
        sim.run(steps / parts)
    return projection, post


def test_new_synapses_learn_by_what_comes_after_them() -> None:
    """Each weight against the pairs of spikes since its synapse was there, summed up plainly."""
    sim.setup(timestep=1.0, threads=1)
    projection, post = grown(0, prob_elim_depressed=0.02, prob_elim_potentiated=0.02, seed=5)
    began: dict[int, float] = {}
    seen: dict[int, tuple[int, int, float]] = {}
    for step in range(300):
        (table,) = projection._tables
        for number, source, target, delay in zip(
            table.identity,
            table.source(),
            table.target,
            np.broadcast_to(table.delay, len(table)),
            strict=True,
        ):
            began.setdefault(int(number), float(step))
            seen[int(number)] = int(source), int(target), float(delay)
        sim.run(1.0)
    (table,) = projection._tables
    pre = [each.value for each in projection.pre.get("spike_times")]
    fired = [train.magnitude for train in post.get_data().segments[0].spiketrains]
    present = dict(zip(table.identity.tolist(), _present(projection).tolist(), strict=True))
    assert len({began[number] for number in present}) > 10
    changed = 0
    for number, weight in present.items():
        source, target, delay = seen[number]
        expected = _learnt(pre[source], fired[target] + delay, began[number], 300.0)
        assert weight == pytest.approx(expected, abs=1e-12), (number, began[number])
        changed += expected != 0.5
    assert changed > len(present) / 2


def _present(projection: Any) -> Any:
    from pyNN.sparse.projections.synapse_columns import present

    return present(projection._tables[0]).weight


def _learnt(pre: Any, post: Any, began: float, until: float) -> float:
    """All pairs of spikes of which the later one comes to the synapse after it began."""
    events = sorted(
        [(t, 1) for t in pre if t <= until] + [(t, 0) for t in post if t <= until]
    )  # of two that come together, the target's first
    weight = 0.5
    for time, is_pre in events:
        if time <= began:
            continue
        if is_pre:
            weight -= A_MINUS * W_MAX * sum(np.exp(-(time - t) / TAU) for t in post if t < time)
        else:
            weight += A_PLUS * W_MAX * sum(np.exp(-(time - t) / TAU) for t in pre if t < time)
        weight = min(max(weight, 0.0), W_MAX)
    return weight


def test_only_weak_synapses_go() -> None:
    sim.setup(timestep=1.0, threads=1)
    projection, _ = grown(0, prob_elim_depressed=1.0, prob_elim_potentiated=0.0)
    gone = 0
    for _ in range(100):
        (table,) = projection._tables
        before = dict(zip(table.identity.tolist(), _present(projection).tolist(), strict=True))
        sim.run(1.0)
        left = before.keys() - set(projection._tables[0].identity.tolist())
        gone += len(left)
        # The change of a weight in one step is small beside the margin.
        assert all(before[number] < 0.5 + 8 * A_PLUS for number in left)
    assert gone > 10


def test_the_same_on_every_device_and_however_a_run_is_divided() -> None:
    def columns(**more: Any) -> Any:
        projection, post = grown(60, **more)
        trains = [each.magnitude.tolist() for each in post.get_data().segments[0].spiketrains]
        return projection.get(["weight", "delay"], "list"), trains

    with threads(1):
        expected = columns()
    with threads(3):
        assert columns() == expected
    with gpu_from(lambda: EmulatedRuntime(backwards=True, resident=False)):
        assert columns() == expected
    assert len(expected[0]) > 10
    with threads(1):
        assert columns(parts=6) == expected
    sim.setup(device="cpu")


def test_partners_that_spiked_are_found_whichever_thread_has_them() -> None:
    """Attempts are some steps apart, so that threads have recorded several steps by then."""
    n = 192  # of which each of three threads has a third

    def pairs() -> Any:
        sim.setup(timestep=1.0)
        rng = np.random.default_rng(2)
        given = [Sequence(np.flatnonzero(rng.random(100) < 0.05) + 1.0) for _ in range(n)]
        pre = sim.Population(n, sim.SpikeSourceArray(spike_times=given))
        post = sim.Population(N, sim.IF_curr_exp())
        near = sim.DistanceDependentFormation((16, 12), p_form_forward=1, sigma_form_forward=1e6)
        synapse = sim.StructuralMechanismStatic(
            **rules(sim.LastNeuronSelection(), f_rew=200.0) | {"formation": near}
        )
        made = sim.Projection(pre, post, sim.FixedProbabilityConnector(0.0), synapse)
        sim.run(100.0)
        return made.get("weight", "list")

    with threads(1):
        expected = pairs()
    with threads(3):
        assert pairs() == expected
    assert {source // 64 for source, *_ in expected} == {0, 1, 2}
