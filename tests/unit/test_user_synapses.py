"""Synapse types from formulas: what is refused, and what other parts of the API do with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.parameters import Sequence
from support.devices import gpu_from, threads
from support.emulated import EmulatedRuntime
from support.synapse_rules import LIMITS, PAIR, eligible, pair

from pynn_sparse.errors import ModelError, SynapseFormulaError

GOOD: dict[str, Any] = {
    "parameters": PAIR | LIMITS,
    "state": {"c": 0.0},
    "pre_traces": {"x": "tau_plus"},
    "post_traces": {"y": "tau_minus"},
    "on_post": "c += x",
    "on_pre": "weight -= A_minus * y",
    "limits": ("w_min", "w_max"),
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"on_pre": "weight -= A_minos * y"}, "on_pre: unknown name 'A_minos' (did you mean"),
        ({"on_post": "weight += interval"}, "on_post: unknown name 'interval'"),
        ({"on_post": "import os"}, "on_post: 'import os': only assignments"),
        ({"on_post": "weight += x; }"}, "on_post: 'weight += x; }'"),
        ({"on_post": "x = 1"}, "on_post: 'x' cannot be assigned"),
        ({"on_post": "wieght += x"}, "'wieght' cannot be assigned (did you mean 'weight'?)"),
        ({"on_pre": 3}, "on_pre = 3: must be a string"),
        ({"transmit": "weight * y"}, "transmit: unknown name 'y'"),
        ({"transmit": "weight = 1"}, "transmit: 'weight = 1' is not a formula"),
        (
            {"between": "c *= exp(-elaps)"},
            "between: unknown name 'elaps' (did you mean 'elapsed'?)",
        ),
        ({"pre_traces": {"x": "tau_pls"}}, "trace x: unknown name 'tau_pls' (did you mean 'tau_pl"),
        ({"pre_traces": {"x": 20.0}}, "pre_traces: x = 20.0: must be the name of a parameter"),
        ({"pre_traces": {"weight": "tau_plus"}}, "the name 'weight' has a meaning of its own"),
        ({"post_traces": {"x": "tau_plus"}}, "the name 'x' is used twice"),
        ({"nearest": ("z",)}, "nearest: unknown name 'z'"),
        ({"nearest": "x"}, "nearest = 'x': must be a tuple of names"),
        ({"limits": ()}, "limits = (): must be the names of two parameters"),
        ({"limits": ("w_min", "wmax")}, "limits: unknown name 'wmax' (did you mean 'w_max'?)"),
        ({"on_pre": "c -= y"}, "nothing changes the weight: must be left out"),
        ({"state": {"c": None}}, "state: c = None: must be a finite number"),
        ({"state": ["c"]}, "state = ['c']: must be a dict by name"),
        ({"state": {f"c{k}": 0.0 for k in range(9)}}, "9 state variables: must be at most 8"),
        (
            {"parameters": {**PAIR, **LIMITS, "A": (1.0, "mVV")}},
            "A = (1.0, 'mVV'): must be a finit",
        ),
        ({"most": 0}, "most = 0: must be a number above 0"),
    ],
)
def test_what_is_no_rule_is_refused(changed: Any, message: str) -> None:
    with pytest.raises(ModelError, match=re.escape(message)):
        sim.native_synapse_type("Rule", **(GOOD | changed))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"A_pluss": 1.0}, "A_pluss"),
        ({"A_plus": "big"}, "A_plus = 'big': must be"),
        ({"A_plus": np.nan}, "A_plus = nan: must be a finite number"),
        ({"tau_plus": 0.0}, "tau_plus = 0: must be greater than 0"),
        ({"w_max": 0.01}, "w_min = 0.05, w_max = 0.01: must be 0 <= w_min < w_max"),
        ({"tau_plus": np.array([[10.0, 20.0]])}, "tau_plus = 10 .. 20: must be one number for all"),
        ({"dendritic_delay_fraction": 1.5}, "dendritic_delay_fraction = 1.5: must be from 0 to 1"),
        ({"modulator": 1}, "modulator = 1: must be left out, since no formula of this type asks"),
    ],
)
@pytest.mark.usefixtures("fresh")
def test_what_is_no_value_is_refused_before_anything_is_built(given: Any, message: str) -> None:
    cells = sim.Population(1, sim.IF_curr_exp()), sim.Population(2, sim.IF_curr_exp())
    before = len(sim.state.network.tables)
    with pytest.raises(Exception, match=re.escape(message)):
        sim.Projection(*cells, sim.AllToAllConnector(), pair()(weight=0.5, delay=1.0, **given))
    assert len(sim.state.network.tables) == before


@pytest.mark.usefixtures("fresh")
def test_weights_outside_their_limits_are_told() -> None:
    cells = sim.Population(1, sim.IF_curr_exp()), sim.Population(2, sim.IF_curr_exp())
    with pytest.warns(UserWarning, match="2 of 2 weights lie outside w_min = 0.05 to w_max = 1 of"):
        sim.Projection(*cells, sim.AllToAllConnector(), pair()(weight=2.0))


def network(**options: Any) -> Any:
    """Sources that excite neurons by synapses that learn, and neurons that excite each other."""
    sim.setup(timestep=0.1, max_delay=20.0, **options)
    rng = np.random.default_rng(2)
    times = [Sequence(np.sort(rng.uniform(1, 190, 30)).round(1)) for _ in range(20)]
    sources = sim.Population(20, sim.SpikeSourceArray(spike_times=times))
    cells = sim.Population(30, sim.IF_curr_exp(i_offset=np.linspace(0.7, 1.3, 30)))
    delay = rng.uniform(0.1, 8.0, (20, 30)).round(1)
    kind, every = eligible(), sim.AllToAllConnector()
    plastic = kind(weight=0.5, delay=delay, dendritic_delay_fraction=0.4)
    first = sim.Projection(sources, cells, every, plastic)
    inhibitory = pair()(weight=-0.1, delay=1.5, A_plus=rng.uniform(0.01, 0.05, (30, 30)))
    second = sim.Projection(cells, cells, every, inhibitory, receptor_type="inhibitory")
    cells.record("spikes")
    return first, second, cells


def found(net: Any) -> list[Any]:
    first, second, cells = net
    values = [first.get(["weight", "c", "n"], "columns"), second.get("weight", "columns")]
    trains = cells.get_data().segments[-1].spiketrains
    return [*(each for one in values for each in one.values()), *(t.magnitude for t in trains)]


def same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@pytest.fixture(scope="module")
def expected() -> list[Any]:
    """On one thread."""
    net = network(threads=1)
    sim.run(200.0)
    values = found(net)
    assert values[2].std() > 0.02
    assert values[-1].size > 3
    return values


def test_any_number_of_threads(expected: list[Any]) -> None:
    with threads(3):
        net = network()
        sim.run(80.0)
        net[0].get("weight", "columns")  # looking changes nothing
        sim.run(120.0)
        assert same(found(net), expected)


def test_the_same_on_a_gpu(expected: list[Any]) -> None:
    with gpu_from(lambda: EmulatedRuntime(backwards=True, resident=False)):
        net = network()
        sim.run(200.0)
        assert same(found(net), expected)
    sim.setup(device="cpu")


def test_reset_and_checkpoints(expected: list[Any], tmp_path: Path) -> None:
    net = network(threads=1)
    sim.run(90.0)
    sim.save_state(tmp_path / "state.npz")
    sim.reset()
    assert set(net[0].get("weight", "columns")["weight"]) == {0.5}
    assert set(net[0].get("c", "columns")["c"]) == {0.0}
    sim.run(200.0)
    assert same(found(net), expected)
    net = network(threads=2)
    sim.load_state(tmp_path / "state.npz")
    sim.run(110.0)
    assert same(found(net), expected)


@pytest.mark.usefixtures("fresh")
def test_state_is_set_and_read() -> None:
    """And decays by the time that has passed, also without a spike."""
    cells = sim.Population(2, sim.SpikeSourceArray()), sim.Population(2, sim.IF_curr_exp())
    synapse = eligible()(weight=0.5, tau_c=10.0, rate=0.02)
    projection = sim.Projection(*cells, sim.AllToAllConnector(), synapse)
    projection.initialize(c=0.3)
    sim.run(5.0)
    left = np.exp(-0.5)
    assert projection.get("c", "array") == pytest.approx(0.3 * left * np.ones((2, 2)))
    assert projection.get("weight", "array")[0, 0] == pytest.approx(0.5 + 0.2 * 0.3 * (1 - left))
    projection.initialize(c=0.1)
    sim.run(10.0)
    listed = projection.get("c", "list")
    assert [each[:2] for each in listed] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert [each[2] for each in listed] == pytest.approx([0.1 / np.e] * 4)
    with pytest.raises(Exception, match="d"):
        projection.get("d", "array")


@pytest.mark.usefixtures("fresh")
def test_many_spikes_of_a_target_wait_for_their_source() -> None:
    """More than are remembered; the weight counts them all."""
    kind = sim.native_synapse_type(
        "Counting",
        parameters={"step": 2.0**-14, "w_max": 2.0, "w_min": 0.0},
        on_post="weight += step",
        limits=("w_min", "w_max"),
    )
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    target = sim.Population(1, sim.IF_curr_exp(i_offset=40.0, tau_refrac=0.1))
    projection = sim.Projection(source, target, sim.AllToAllConnector(), kind(weight=0.0))
    target.record("spikes")
    sim.run(1500.0)
    count = len(target.get_data().segments[0].spiketrains[0])
    assert count > 2000
    assert projection.get("weight", "array")[0, 0] == pytest.approx(count * 2.0**-14, abs=2.0**-13)


@pytest.mark.usefixtures("fresh")
def test_what_is_transmitted() -> None:
    """Short-term plasticity by formulas is the built-in one."""
    kind = sim.native_synapse_type(
        "ShortTerm",
        parameters={"U": 0.3, "tau_rec": (80.0, "ms"), "tau_facil": (40.0, "ms")},
        state={"u": 0.0, "x": 1.0, "sent": 0.0},
        on_pre="""
            x = 1 - (1 - x) * exp(-interval / tau_rec)
            u *= exp(-interval / tau_facil)
            u += U * (1 - u)
            sent = u * x
            x -= sent
        """,
        transmit="weight * sent",
    )
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 5.0, 6.0, 30.0, 90.0]))
    cells = sim.Population(2, sim.IF_curr_delta(v_thresh=100.0))
    use: dict[str, Any] = {"U": 0.3, "tau_rec": 80.0, "tau_facil": 40.0, "weight": 5.0}
    every = sim.AllToAllConnector()
    sim.Projection(source, cells[:1], every, kind(delay=1.0, **use))
    sim.Projection(source, cells[1:], every, sim.TsodyksMarkramSynapse(delay=1.0, **use))
    cells.record("v")
    sim.run(100.0)
    v = cells.get_data().segments[0].analogsignals[0].magnitude
    assert v.max() > -64
    np.testing.assert_allclose(v[:, 0], v[:, 1], rtol=0, atol=1e-11)


@pytest.mark.usefixtures("fresh")
def test_variables_of_the_target() -> None:
    """As they are when the source's spike has come to the synapse."""
    kind = sim.native_synapse_type(
        "Voltage",
        parameters={"theta": (-60.0, "mV"), "step": 0.1, "w_min": 0.0, "w_max": 1.0},
        state={"seen": 0.0},
        post_variables=("v",),
        on_pre="""
            seen = v
            if v > theta:
                weight += step
            else:
                weight -= step
        """,
        limits=("w_min", "w_max"),
    )
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[Sequence([10.0]), Sequence([20])]))
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=[0.0, 0.8], tau_refrac=2.0))
    synapse = kind(weight=0.5, delay=3.0, dendritic_delay_fraction=0.5)
    projection = sim.Projection(source, cells, sim.AllToAllConnector(), synapse)
    cells.record("v")
    sim.run_until(40.0)
    seen = projection.get("seen", "array")
    signal = cells.get_data().segments[0].analogsignals[0]
    for source_index, at in enumerate((115, 215)):  # steps; half of the delay is axonal
        np.testing.assert_array_equal(seen[source_index], signal.magnitude[at])
    assert projection.get("weight", "array").tolist() == [[0.4, 0.6], [0.4, 0.6]]
    other = sim.native_synapse_type("Other", parameters={}, post_variables=("V",), on_pre="")
    with pytest.raises(sim.errors.ConnectionError, match="reads the variable 'V' of its targets"):
        sim.Projection(source, cells, sim.AllToAllConnector(), other())


BROKEN: dict[str, Any] = {"parameters": {"A": 0.0, **LIMITS}, "limits": ("w_min", "w_max")}


@pytest.mark.parametrize(
    ("formulas", "weight"),
    [
        ({"on_pre": "weight = log(weight - A)"}, "nan"),
        ({"on_pre": "weight += 0", "transmit": "weight * log(1 - A)"}, "0.5"),
    ],
)
def test_what_is_no_number_ends_the_run(device: str, formulas: Any, weight: str) -> None:
    kind = sim.native_synapse_type("Broken", **BROKEN, **formulas)
    sim.setup(timestep=0.1, min_delay=0.5)
    times = [Sequence([3.0]), Sequence([5.0])]
    sources = sim.Population(2, sim.SpikeSourceArray(spike_times=times), label="sources")
    cells = sim.Population(40, sim.IF_curr_exp(), label="cells")
    bad = np.zeros((2, 40))
    bad[0, [31, 38]] = bad[1, 7] = 2.0
    every = sim.AllToAllConnector()
    made = sim.Projection(sources, cells, every, kind(weight=0.5, A=bad), label="plastic")
    told = (
        "plastic: a formula of Broken gave no finite number for the synapse from sources[0] to "
        f"cells[31], whose weight is {weight}, at 3 ms; the run cannot go on"
    )
    for _ in range(2):  # it stays so
        with pytest.raises(SynapseFormulaError, match=re.escape(told)):
            sim.run(20.0)
    shown = made.get("weight", "array")
    assert np.isnan(shown[:, [31, 38]]).any() == (weight == "nan")
    assert np.isfinite(shown[:, :7]).all()
    made.set(A=-1.0)
    sim.reset()
    sim.run(20.0)
    assert np.isfinite(made.get("weight", "array")).all()
