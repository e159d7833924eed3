"""Structural plasticity: scripts of sPyNNaker, what is refused, and what other parts do with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN import errors

from pynn_sparse import export, run_instances
from pynn_sparse.engine import Engine

NONE = sim.FixedProbabilityConnector(0.0)
NEVER = sim.RandomByWeightElimination(0.0, 0.0, 0.0)


def rules(**changed: Any) -> dict[str, Any]:
    """Arguments with which connections soon come and go."""
    return {
        "partner_selection": sim.RandomSelection(),
        "formation": sim.DistanceDependentFormation(grid=(3, 3), p_form_forward=0.5),
        "elimination": sim.RandomByWeightElimination(threshold=1.0, prob_elim_depressed=0.2),
        "initial_weight": 0.5,
        "initial_delay": 2.0,
        "s_max": 5,
        "f_rew": 2000.0,
        **changed,
    }


def static(**changed: Any) -> Any:
    return sim.StructuralMechanismStatic(**rules(**changed))


def populations(n: int = 2, size: int = 9) -> list[Any]:
    sim.setup(timestep=1.0, min_delay=1.0)
    return [sim.Population(size, sim.IF_curr_exp(), label=f"cells {k}") for k in range(n)]


def test_a_script_in_sPyNNakers_dialect() -> None:  # noqa: N802
    """Positional rules, initial and new connections, training, and connections as a list."""
    sim.setup(timestep=1.0, min_delay=1.0)
    n = 7**2
    pre, post = (sim.Population(n, sim.IF_curr_exp(tau_syn_E=5.0), label=k) for k in ("a", "b"))
    noise = sim.Population(n, sim.SpikeSourcePoisson(rate=100.0))
    sim.Projection(noise, pre, sim.OneToOneConnector(), sim.StaticSynapse(weight=3.0))
    mechanism = sim.StructuralMechanismSTDP(
        sim.LastNeuronSelection(),
        sim.DistanceDependentFormation(grid=[np.sqrt(n), np.sqrt(n)], sigma_form_forward=0.5),
        sim.RandomByWeightElimination(
            prob_elim_potentiated=0, prob_elim_depressed=0, threshold=0.5
        ),
        initial_weight=0,
        weight=0,
        initial_delay=10,
        delay=10,
        s_max=64,
        f_rew=10**4,
        timing_dependence=sim.SpikePairRule(
            tau_plus=20.0, tau_minus=20.0, A_plus=0.1, A_minus=0.02
        ),
        weight_dependence=sim.AdditiveWeightDependence(w_min=0, w_max=1.0),
    )
    grown = sim.Projection(pre, post, NONE, synapse_type=mechanism, label="grown")
    assert grown.get(["weight", "delay"], format="list") == []
    sim.run(300)
    found = grown.get(["weight", "delay"], format="list")
    assert len(found) == len(grown) == grown.size() > 5
    assert {delay for *_, delay in found} == {10.0}
    # What LastNeuronSelection had to know of spikes is nobody's recording.
    assert not pre.get_data().segments[0].spiketrains
    assert sim.simulator.state.engine.recordings.spikes.of(0, n)[0].size == 0


def test_reset_goes_back_to_the_first_connections() -> None:
    pre, post = populations()
    given = sim.OneToOneConnector()
    projection = sim.Projection(pre, post, given, static(weight=2.0, delay=3.0, seed=4))
    before = projection.get(["weight", "delay"], "list")
    sim.run(200.0)
    after = projection.get(["weight", "delay"], "list")
    assert len(after) != len(before)
    sim.reset(same_noise=True)
    assert projection.get(["weight", "delay"], "list") == before
    sim.run(200.0)
    assert projection.get(["weight", "delay"], "list") == after
    sim.reset()
    sim.run(200.0)
    assert projection.get(["weight", "delay"], "list") != after


def test_seeds_decide() -> None:
    def run(seed: int | None, of_setup: int = 1) -> Any:
        pre, post = populations()
        sim.setup(timestep=1.0, rng_seed=of_setup)
        pre, post = (sim.Population(9, sim.IF_curr_exp()) for _ in range(2))
        projection = sim.Projection(pre, post, NONE, static(seed=seed))
        sim.run(50.0)
        return projection.get("weight", "list")

    assert run(None) == run(None) != run(None, 2)
    assert run(3) == run(3, 2) != run(4)


def test_copies_have_the_connections_that_each_has_alone() -> None:
    def build(sim: Any, _: Any) -> Any:
        pre, post = (sim.Population(9, sim.IF_curr_exp()) for _ in range(2))
        return sim.Projection(pre, post, NONE, static())

    seeds = [3, 5]
    copies = run_instances(build, seeds, 50.0, seeds=seeds, timestep=1.0)
    found = [each.get("weight", "list") for each in copies]
    for seed, one in zip(seeds, found, strict=True):
        sim.setup(timestep=1.0, rng_seed=seed)
        alone = build(sim, None)
        sim.run(50.0)
        assert alone.get("weight", "list") == one
    assert found[0] != found[1]


def test_projections_onto_a_population_share_its_places() -> None:
    pre, post = populations()
    forward = sim.Projection(pre, post, NONE, static())
    lateral = sim.Projection(post, post, NONE, static(initial_weight=0.25))
    sim.run(300.0)
    assert len(forward) > 5 < len(lateral)
    both = [each.get("weight", "columns")["postsynaptic_index"] for each in (forward, lateral)]
    assert np.bincount(np.concatenate(both)).max() <= 5
    assert set(lateral.get("weight", "list", with_address=False)) == {0.25}
    pairs = set(zip(*lateral.get([], "columns").values(), strict=True))
    assert len(pairs) < len(lateral)  # some several times


def test_without_replacement_no_pair_is_connected_twice() -> None:
    pre, post = populations()
    more = {"with_replacement": False, "s_max": 100, "elimination": NEVER, "f_rew": 1e4}
    projection = sim.Projection(pre, post, NONE, static(**more))
    sim.run(300.0)
    assert not np.isnan(projection.get("weight", "array", multiple_synapses="sum")).any()
    assert len(projection) == 81


def test_a_signal_that_lets_the_run_go_on_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine comes back before the next attempt, which has to wait for its time."""

    def run() -> Any:
        (post,) = populations(1)
        pre = sim.Population(9, sim.SpikeSourcePoisson(rate=200.0))
        last = sim.LastNeuronSelection()
        rare = static(partner_selection=last, elimination=NEVER, f_rew=100.0)
        projection = sim.Projection(pre, post, NONE, rare)
        sim.run(200.0)
        return projection.get(["weight", "delay"], "list")

    expected = run()
    assert len(expected) > 3
    original = Engine.run_until

    def stops(engine: Engine, end: int, progress: Any = None) -> None:
        original(engine, min(end, max(engine.step, 0) + 3), progress)

    monkeypatch.setattr(Engine, "run_until", stops)
    assert run() == expected


def test_weights_that_the_user_sets_stay() -> None:
    pre, post = populations()
    projection = sim.Projection(
        pre, post, sim.OneToOneConnector(), static(weight=1.0, elimination=NEVER)
    )
    sim.run(20.0)
    n = len(projection)
    projection.set(weight=7.0)
    sim.run(40.0)
    weights = projection.get("weight", "list", with_address=False)
    assert weights.count(7.0) == n < len(weights)
    assert set(weights) == {7.0, 0.5}


def test_parameters_of_plasticity_stay_alike_for_all_connections() -> None:
    """Also those that are set before there is any connection."""
    pre, post = populations()
    timing, weights = sim.SpikePairRule(), sim.AdditiveWeightDependence(w_max=1.0)
    kind = sim.StructuralMechanismSTDP(
        **rules(f_rew=1e4), timing_dependence=timing, weight_dependence=weights
    )
    projection = sim.Projection(pre, post, NONE, kind, receptor_type="excitatory")
    projection.set(A_plus=0.25, w_max=[])
    sim.run(20.0)
    n = len(projection)
    assert n > 2
    with pytest.raises(errors.InvalidParameterValueError, match=r"w_max = .*one number for all"):
        projection.set(w_max=np.arange(1.0, 82.0).reshape(9, 9))
    with pytest.raises(errors.InvalidParameterValueError, match=r"A_minus = .*one number for all"):
        projection[0].A_minus = 7.0
    projection.set(w_max=np.full((9, 9), 2.0))
    sim.run(20.0)
    assert len(projection) != n
    columns = projection.get(["A_plus", "w_max"], "columns")
    assert set(columns["A_plus"]) == {0.25}
    assert set(columns["w_max"]) == {2.0}


def test_the_export_asks_before_it_takes_what_is_there() -> None:
    pre, post = populations()
    projection = sim.Projection(pre, post, sim.OneToOneConnector(), static(weight=1.0))
    with pytest.raises(export.LimitsError, match="9 synapses with structural plasticity"):
        export.lower(sim, "asic")
    tables = export.lower([projection], "asic", accept=["plasticity"])
    assert tables.net.n_synapses == 9


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (
            {"partner_selection": "random"},
            TypeError,
            "partner_selection = 'random': must be a sim.R",
        ),
        ({"formation": None}, TypeError, "formation = None: must be a sim.DistanceDependentForm"),
        (
            {"elimination": sim.RandomSelection},
            TypeError,
            "must be a sim.RandomByWeightElimination",
        ),
        ({"f_rew": 0}, ValueError, "f_rew = 0: must be a number of Hz greater than 0"),
        ({"s_max": 1.5}, TypeError, "s_max = 1.5: must be an integer"),
        ({"s_max": 0}, ValueError, "s_max = 0: must be an integer, 1 to"),
        ({"initial_delay": (3.0, 2.0)}, ValueError, "initial_delay = .*the least one first"),
        ({"initial_delay": "x"}, TypeError, "initial_delay = 'x': must be a number of ms"),
        ({"initial_weight": np.nan}, ValueError, "initial_weight = nan: must be a finite number"),
        ({"with_replacement": 1}, TypeError, "with_replacement = 1: must be True or False"),
        ({"seed": -1}, ValueError, "seed = -1"),
    ],
)
def test_wrong_arguments(changed: Any, error: type[Exception], message: str) -> None:
    sim.setup(timestep=1.0)
    with pytest.raises(error, match=message):
        static(**changed)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sim.DistanceDependentFormation(grid=(3,)), r"grid = \(3,\): must be two numbers"),
        (lambda: sim.DistanceDependentFormation(p_form_forward=2), "must be a number from 0 to 1"),
        (lambda: sim.DistanceDependentFormation(sigma_form_lateral=0), "sigma_form_lateral = 0"),
        (lambda: sim.RandomByWeightElimination(np.inf), "threshold = inf"),
        (lambda: sim.RandomByWeightElimination(1, prob_elim_depressed=-1), "depressed = -1"),
        (lambda: sim.LastNeuronSelection(0), "spike_buffer_size = 0: must be an integer, 1"),
    ],
)
def test_wrong_rules(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_ends_and_partners_are_refused_before_anything_is_made() -> None:
    pre, post = populations()
    both = pre + post

    def refused(message: str, *ends: Any, connector: Any = NONE, **changed: Any) -> None:
        with pytest.raises(errors.ConnectionError, match=message):
            sim.Projection(*ends, connector, static(**changed))
        assert len(sim.state.projections) == len(sim.state.network.tables) == n

    n = 0
    refused("presynaptic_neurons = .*must be a whole Population", pre[:3], post)
    refused("postsynaptic_neurons = .*must be a whole Population", pre, both)
    refused(
        "s_max = 5: must be at least 9", pre, post, connector=sim.AllToAllConnector(), weight=1.0
    )
    refused("Weights must be positive", pre, post, initial_weight=-1.0)
    refused("initial_delay = .*must be from 1 ms", pre, post, initial_delay=0.5)
    sim.Projection(pre, post, NONE, static(), label="first")
    n = 1
    refused("first has connections of the same populations", pre, post)
    refused("f_rew = 1.0: must be 2000.0, as of first", post, post, f_rew=1.0)
    last = sim.LastNeuronSelection()
    refused("must be RandomSelection", post, post, partner_selection=last)


def test_a_rule_of_plasticity_is_alike_for_all_connections() -> None:
    sim.setup(timestep=1.0)
    weights = sim.AdditiveWeightDependence()
    timing = sim.SpikePairRule(A_plus=np.ones((9, 9)))
    with pytest.raises(TypeError, match=r"A_plus = .*must be one number for all connections"):
        sim.StructuralMechanismSTDP(**rules(), timing_dependence=timing, weight_dependence=weights)
    more = {"timing_dependence": sim.SpikePairRule(), "weight_dependence": weights}
    with pytest.raises(NotImplementedError, match=r"delay_fraction = 0\.5: must be 1"):
        sim.StructuralMechanismSTDP(**rules(), **more, dendritic_delay_fraction=0.5)


def test_a_grid_that_is_too_small_is_warned_of() -> None:
    pre, post = populations(size=10)
    with pytest.warns(UserWarning, match=r"grid = \(3, 3\) has places for 9 of 10 cells"):
        sim.Projection(pre, post, NONE, static())


def test_there_are_no_checkpoints(tmp_path: Any) -> None:
    pre, post = populations()
    sim.Projection(pre, post, NONE, static())
    sim.run(10.0)
    with pytest.raises(NotImplementedError, match=r"save_state: .*must be run from its beginning"):
        sim.save_state(tmp_path / "x.npz")
