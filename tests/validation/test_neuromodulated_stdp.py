"""sPyNNaker's neuromodulation, against its own figure, plain sums, and NEST."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN import errors
from pyNN.parameters import Sequence
from support.devices import gpu_from, threads
from support.emulated import EmulatedRuntime

from pynn_sparse.errors import SonataError
from pynn_sparse.export import ExportError
from pynn_sparse.export import capture as export_of

TAU_C, TAU_D, TAU, STEPS = 100.0, 30.0, 15.0, 300
N_PRE, N_POST, N_REWARD = 4, 3, 5


def stdp(**more: Any) -> Any:
    timing = sim.SpikePairRule(tau_plus=TAU, tau_minus=20.0, A_plus=0.02, A_minus=0.01)
    weights = sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0)
    return sim.STDPMechanism(timing, weights, **{"weight": 0.5, "delay": 2.0, **more})


def dopamine(weight: Any = 0.1, **more: Any) -> Any:
    given = {"tau_c": TAU_C, "tau_d": TAU_D, "w_max": 1.0, **more}
    return sim.extra_models.Neuromodulation(weight=weight, **given)


def trains(seed: int, n: int, spikes: int) -> list[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return [np.sort(rng.choice(np.arange(2.0, STEPS - 2), spikes, False)) for _ in range(n)]


PRE, POST = trains(1, N_PRE, 25), trains(2, N_POST, 20)
REWARD, PUNISHMENT = trains(3, N_REWARD, 4), trains(4, N_REWARD, 3)
RNG = np.random.default_rng(5)
GIVEN, TAKEN = (RNG.uniform(0.01, 0.1, (N_REWARD, N_POST)) for _ in range(2))
GIVEN[RNG.random(GIVEN.shape) < 0.4] = np.nan  # which are no connections


def sources(given: Any) -> Any:
    return sim.Population(len(given), sim.SpikeSourceArray(spike_times=list(map(Sequence, given))))


def network(**more: Any) -> Any:
    """Targets that fire when they are told to, each with dopamine of its own."""
    sim.setup(timestep=1.0)
    pre, drivers = sources(PRE), sources([train - 1 for train in POST])
    post = sim.Population(N_POST, sim.IF_curr_delta(tau_refrac=0.0, v_thresh=300.0))
    plastic = sim.Projection(pre, post, sim.AllToAllConnector(), stdp(**more))
    for receptor, times, weights in (("reward", REWARD, GIVEN), ("punishment", PUNISHMENT, TAKEN)):
        pairs = [(i, j, weights[i, j]) for i, j in zip(*np.nonzero(weights > 0), strict=True)]
        connector = sim.FromListConnector(pairs, column_names=["weight"])
        sim.Projection(sources(times), post, connector, dopamine(), receptor_type=receptor)
    strong = sim.StaticSynapse(weight=1000.0, delay=1.0)
    sim.Projection(drivers, post, sim.OneToOneConnector(), strong)
    return plastic


def plainly(delay: float, until: float) -> NDArray[np.float64]:
    """Weights by the definition, in each piece of time between two events."""
    found = np.zeros((N_PRE, N_POST))
    for i in range(N_PRE):
        for j in range(N_POST):
            events = [(t, 2, 0.0) for t in PRE[i]] + [(t + delay, 1, 0.0) for t in POST[j]]
            for sign, times, weights in ((1, REWARD, GIVEN), (-1, PUNISHMENT, TAKEN)):
                for k in range(N_REWARD):
                    if weights[k, j] > 0:
                        events += [(t + 1, 0, sign * weights[k, j]) for t in times[k]]
            weight, c, d, now = 0.5, 0.0, 0.0, 0.0
            both = 1 / TAU_C + 1 / TAU_D
            for time, kind, size in sorted(
                [e for e in events if e[0] <= until] + [(until, 3, 0.0)]
            ):
                passed = time - now
                weight += c * d * (1 - np.exp(-passed * both)) / both
                weight = min(max(weight, 0.0), 1.0)
                c, d, now = c * np.exp(-passed / TAU_C), d * np.exp(-passed / TAU_D), time
                before = [t + delay for t in POST[j] if t + delay < time]
                if kind == 0:
                    d += size
                elif kind == 1:
                    c += 0.02 * sum(np.exp(-(time - t) / TAU) for t in PRE[i] if t < time)
                elif kind == 2:
                    c -= 0.01 * sum(np.exp(-(time - t) / 20.0) for t in before)
            found[i, j] = weight
    return found


@pytest.mark.parametrize("until", [120.0, float(STEPS)])
def test_each_target_has_dopamine_of_its_own(until: float) -> None:
    plastic = network()
    sim.run(until)
    expected = plainly(2.0, until)
    np.testing.assert_allclose(plastic.get("weight", "array"), expected, rtol=0, atol=1e-12)
    assert expected.std() > 0.02


def test_the_figure_of_sPyNNakers_own_test() -> None:  # noqa: N802
    """A change of 10.0552710, as it says, by Izhikevich's equations."""
    sim.setup(timestep=1.0)
    pre, reward, stimulus = (sources([t]) for t in ([1500.0, 2400.0], [1600.0], [1502.0]))
    cells = sim.IF_curr_delta(v_rest=-65.0, v_reset=-70.0, v_thresh=-55.4, tau_refrac=4.0)
    post = sim.Population(1, cells)
    sim.Projection(
        stimulus, post, sim.OneToOneConnector(), sim.StaticSynapse(weight=50.0, delay=1.0)
    )
    timing = sim.SpikePairRule(tau_plus=10, tau_minus=12, A_plus=1, A_minus=1)
    weights = sim.AdditiveWeightDependence(w_min=0, w_max=20)
    plastic = sim.STDPMechanism(timing_dependence=timing, weight_dependence=weights, weight=0.0)
    plastic = sim.Projection(pre, post, sim.AllToAllConnector(), plastic)
    given = sim.extra_models.Neuromodulation(tau_c=1000, tau_d=200, weight=0.1, w_max=20.0)
    rewards = sim.Projection(reward, post, sim.AllToAllConnector(), given, receptor_type="reward")
    sim.run(2401.0)
    assert plastic.get("weight", "list") == [(0, 0, pytest.approx(10.0552710, abs=1e-3))]
    assert rewards.get("weight", "list") == [(0, 0, 0.1)]
    assert plastic.get("c", "array")[0, 0] == pytest.approx(
        (np.exp(-0.4) * np.exp(-0.896) - np.exp(-896 / 12)) * np.exp(-0.001), rel=1e-9
    )


def test_the_same_on_every_device_and_however_a_run_is_divided() -> None:
    def weights(parts: int = 1) -> Any:
        plastic = network()
        for _ in range(parts):
            sim.run(STEPS / parts)
        return plastic.get(["weight", "c"], "array")

    with threads(1):
        expected = weights()
        np.testing.assert_array_equal(weights(3), expected)
    with threads(3):
        np.testing.assert_array_equal(weights(), expected)
    with gpu_from(lambda: EmulatedRuntime(backwards=True, resident=False)):
        np.testing.assert_array_equal(weights(), expected)
    sim.setup(device="cpu")


def test_changes_and_reset() -> None:
    plastic = network()
    sim.run(STEPS)
    expected = plastic.get("weight", "array")
    (first, second) = sim.state.projections[1:3]
    first.set(weight=0.0)
    second.set(weight=0.0)
    sim.reset()
    sim.run(STEPS)
    assert set(plastic.get("weight", "list", with_address=False)) == {0.5}
    first.set(weight=GIVEN[GIVEN > 0] if first.shape == () else np.nan_to_num(GIVEN))
    second.set(weight=TAKEN)
    sim.reset()
    sim.run(STEPS)
    np.testing.assert_array_equal(plastic.get("weight", "array"), expected)


def test_spikes_of_a_population_that_is_also_drawn_at_its_targets() -> None:
    """Poisson sources that excite one cell each may be drawn there, but not where they reward."""

    def weights(record: bool) -> Any:
        sim.setup(timestep=1.0)
        noise = sim.Population(3, sim.SpikeSourcePoisson(rate=100.0))
        post = sim.Population(3, sim.IF_curr_delta(tau_refrac=1.0))
        strong = sim.StaticSynapse(weight=20.0, delay=1.0)
        sim.Projection(noise, post, sim.OneToOneConnector(), strong)
        plastic = sim.Projection(sources(PRE), post, sim.AllToAllConnector(), stdp())
        sim.Projection(
            noise, post, sim.OneToOneConnector(), dopamine(0.002), receptor_type="reward"
        )
        if record:
            noise.record("spikes")
        sim.run(STEPS)
        return plastic.get("weight", "array")

    np.testing.assert_array_equal(weights(True), weights(False))
    assert weights(True).std() > 0.01


def test_later_projections_are_modulated_too_and_others_are_not() -> None:
    sim.setup(timestep=1.0)
    pre, drivers = sources(PRE), sources([train - 1 for train in POST])
    modulated, plain = (
        sim.Population(N_POST, sim.IF_curr_delta(tau_refrac=0.0, v_thresh=300.0)) for _ in range(2)
    )
    synapse = stdp()
    strong = sim.StaticSynapse(weight=1000.0, delay=1.0)
    made = [
        sim.Projection(pre, each, sim.AllToAllConnector(), synapse) for each in (modulated, plain)
    ]
    given = dopamine()
    sim.Projection(
        sources(REWARD), modulated, sim.AllToAllConnector(), given, receptor_type="reward"
    )
    made.append(sim.Projection(pre, modulated, sim.AllToAllConnector(), synapse))
    for each in (modulated, plain):
        sim.Projection(drivers, each, sim.OneToOneConnector(), strong)
    sim.run(STEPS)
    first, other, later = (each.get("weight", "array") for each in made)
    np.testing.assert_array_equal(first, later)
    assert (first != other).all()


def test_views_and_limits() -> None:
    """STDP onto some of the cells is modulated, whether it is made before or after."""
    sim.setup(timestep=1.0)
    pre, drivers = sources(PRE), sources([train - 1 for train in POST])
    post = sim.Population(N_POST, sim.IF_curr_delta(tau_refrac=0.0, v_thresh=300.0))
    every = sim.AllToAllConnector()
    made = [sim.Projection(pre, post[:2], every, stdp())]
    rewards = sources(REWARD)
    sim.Projection(rewards, post, every, dopamine(0.01), receptor_type="reward")
    made += [sim.Projection(pre, each, every, stdp()) for each in (post[:2], post)]
    strong = sim.StaticSynapse(weight=1000.0, delay=1.0)
    sim.Projection(drivers, post, sim.OneToOneConnector(), strong)
    with pytest.warns(UserWarning, match="lie outside w_min = 0 to w_max = 1"):
        sim.Projection(pre, post, every, stdp(weight=3.0))
    sim.run(STEPS)
    before, after, whole = (each.get("weight", "array") for each in made)
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(before, whole[:, :2])
    assert before.std() > 0.01


@contextlib.contextmanager
def refused(error: type[Exception], message: str) -> Any:
    before = len(sim.state.projections), len(sim.state.network.modulations)
    with pytest.raises(error, match=message):
        yield
    assert (len(sim.state.projections), len(sim.state.network.modulations)) == before


def test_what_cannot_be_modulated_is_refused(tmp_path: Path) -> None:
    sim.setup(timestep=1.0)
    pre, reward = sources(PRE), sources(REWARD)
    post = sim.Population(N_POST, sim.IF_curr_exp(), label="post")
    every = sim.AllToAllConnector()
    ends = reward, post, every

    with refused(errors.ConnectionError, "post: must have a projection with an STDPMechanism"):
        sim.Projection(*ends, dopamine(), receptor_type="reward")
    timing, weights = sim.Vogels2011Rule(), sim.AdditiveWeightDependence()
    vogels = sim.STDPMechanism(timing, weights, weight=0.1)
    old = sim.Projection(pre, post, every, vogels, label="old")
    with refused(
        errors.ConnectionError, "old: Vogels2011Rule with Additive.*must be SpikePairRule"
    ):
        sim.Projection(*ends, dopamine(), receptor_type="reward")
    del old
    post = sim.Population(N_POST, sim.IF_curr_exp(), label="post")
    ends = reward, post, every
    sim.Projection(pre, post, every, stdp())
    with refused(errors.ConnectionError, "receptor_type = None: must be 'reward' or 'punishment'"):
        sim.Projection(*ends, dopamine())
    with refused(errors.ConnectionError, "must be a whole Population"):
        sim.Projection(reward[:2], post, every, dopamine(), receptor_type="reward")
    with refused(errors.ConnectionError, "weight = -1 in .*must be 0 or greater"):
        sim.Projection(*ends, dopamine(-1.0), receptor_type="reward")
    sim.Projection(*ends, dopamine(), receptor_type="reward")
    with refused(errors.ConnectionError, "tau_c = 7: must be 100, as of the other projections"):
        sim.Projection(*ends, dopamine(tau_c=7.0), receptor_type="punishment")
    with refused(errors.ConnectionError, "must be SpikePairRule with AdditiveWeight"):
        sim.Projection(pre, post, every, vogels)
    other = sim.Population(2, sim.IF_curr_exp(), label="other")
    with refused(errors.ConnectionError, "must be of one population, since Neuromodulation"):
        sim.Projection(pre, other + post, every, stdp())
    sim.Projection(pre, post + other, every, sim.StaticSynapse(weight=0.1))
    with pytest.raises(ExportError, match="Neuromodulation cannot be exported"):
        export_of(sim.state.projections)
    plastic, rewards, _ = sim.state.projections[1:]
    for each, words in ((plastic, "modulated by Neuromodulation"), (rewards, "none of PyNN's")):
        with pytest.raises(SonataError, match=words):
            sim.to_sonata(tmp_path, each)
    for changed, message in (
        ({"tau_c": 0}, "tau_c = 0: must be a number of ms"),
        ({"w_min": 2.0}, "w_min = 2, w_max = 1: must be w_min < w_max"),
        ({"w_max": -1.0}, r"w_max = -1\.0: must be a number, 0 or greater"),
    ):
        with pytest.raises(ValueError, match=message):
            dopamine(**changed)
    with pytest.raises(errors.NonExistentParameterError, match="tau_cc"):
        dopamine(tau_cc=1.0)
    with pytest.raises(AttributeError, match=r"extra_models.*no attribute 'IFCurDelta'"):
        _ = sim.extra_models.IFCurDelta
    sim.run(1.0)
    with refused(RuntimeError, "must be made before the first run"):
        sim.Projection(*ends, dopamine(), receptor_type="reward")
    with pytest.raises(NotImplementedError, match="with Neuromodulation has no checkpoints"):
        sim.save_state("nothing.npz")
