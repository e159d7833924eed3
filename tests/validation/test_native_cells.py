"""Models that users define by formulas: against the built-in ones, closed forms, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray

from pynn_sparse.errors import ModelError

ADEX: dict[str, Any] = {
    "parameters": {
        "cm": (0.281, "nF"),
        "tau_m": (9.3667, "ms"),
        "v_rest": (-70.6, "mV"),
        "delta_T": (2.0, "mV"),
        "v_thresh": (-50.4, "mV"),
        "v_spike": (-40.0, "mV"),
        "v_reset": (-70.6, "mV"),
        "a": (0.004, "uS"),
        "b": (0.0805, "nA"),
        "tau_w": (144.0, "ms"),
        "tau_refrac": (0.1, "ms"),
        "tau_syn_E": (5.0, "ms"),
        "e_rev_E": (0.0, "mV"),
        "i_offset": (0.0, "nA"),
    },
    "state": {"v": (-70.6, "mV"), "w": (0.0, "nA"), "gsyn": (0.0, "uS")},
    "equations": """
        g_leak = cm / tau_m
        spike = g_leak * delta_T * exp((min(v, v_spike) - v_thresh) / delta_T)
        dv/dt = (g_leak * (v_rest - v) + spike - w + gsyn * (e_rev_E - v) + i_offset + current) / cm
        dw/dt = (a * (v - v_rest) - w) / tau_w   # adaptation
        dgsyn/dt = -gsyn / tau_syn_E
    """,
    "threshold": "v >= v_spike",
    "reset": "v = v_reset; w += b",
    "receptors": {"excitatory": "gsyn += weight"},
    "refractory": "tau_refrac",
    "held": ("v",),
}


def record(cell: Any, threads: int = 1, duration: float = 300.0) -> tuple[Any, NDArray[np.float64]]:
    """Spikes and v of three neurons under irregular input and a current."""
    sim.setup(timestep=0.1, threads=threads)
    neurons = sim.Population(3, cell)
    source = sim.Population(5, sim.SpikeSourcePoisson(rate=50.0))
    synapse = sim.StaticSynapse(weight=0.003, delay=1.0)
    sim.Projection(source, neurons, sim.AllToAllConnector(), synapse)
    neurons.inject(sim.DCSource(amplitude=0.1, start=50.0, stop=100.0))
    neurons.record(["spikes", "v"])
    sim.run(duration)
    segment = neurons.get_data().segments[0]
    return [train.magnitude for train in segment.spiketrains], segment.analogsignals[0].magnitude


def test_as_the_built_in_model() -> None:
    """The built-in one lets a spike act within the time step; this one at its end."""
    currents = [0.5, 0.8, 1.0]
    mine, v = record(sim.native_cell_type("AdEx", **ADEX)(i_offset=currents))
    built_in, expected = record(sim.EIF_cond_exp_isfa_ista(i_offset=currents, tau_refrac=0.1))
    assert np.abs(v - expected)[:100].max() < 1e-6  # before the first spike
    assert [len(each) for each in mine] == [len(each) for each in built_in]
    for one, other in zip(mine, built_in, strict=True):
        assert one[:4] == pytest.approx(other[:4], abs=0.3)


def test_threads_do_not_change_a_bit() -> None:
    first, second = (record(sim.native_cell_type("AdEx", **ADEX)(i_offset=0.8), n) for n in (1, 2))
    assert all(map(np.array_equal, first[0], second[0]))
    assert np.array_equal(first[1], second[1])


def test_units_parameters_and_states_are_those_of_any_cell_type() -> None:
    sim.setup()
    cell = sim.native_cell_type("AdEx", **ADEX)
    neurons = sim.Population(4, cell(tau_m=[5.0, 6.0, 7.0, 8.0]), initial_values={"w": 0.1})
    neurons.set(b=0.2)
    assert neurons.get("tau_m").tolist() == [5.0, 6.0, 7.0, 8.0]
    assert neurons[1].b == 0.2
    neurons.record(["w", "gsyn"])
    sim.run(1.0)
    signals = {each.name: each for each in neurons.get_data().segments[0].analogsignals}
    assert str(signals["w"].units.dimensionality) == "nA"
    assert signals["w"][0, 0].magnitude == 0.1
    assert "AdEx" in neurons.describe()


def test_closed_form_and_functions() -> None:
    """Each function of the language, through an equation whose solution is known."""
    formulas = {
        "exp": ("exp(-t)", lambda t: 1 - np.exp(-t)),
        "expm1": ("expm1(t)", lambda t: np.expm1(t) - t),
        "log": ("log(1 + t)", lambda t: (1 + t) * np.log(1 + t) - t),
        "sqrt": ("sqrt(t)", lambda t: 2 / 3 * t**1.5),
        "power": ("t ** 3", lambda t: t**4 / 4),
        "general_power": ("(1 + t) ** 0.5", lambda t: ((1 + t) ** 1.5 - 1) / 1.5),
        "minimum": ("min(t, 2) + max(t, 2) - 2", lambda t: t**2 / 2),
        "branch": ("1 if t < 100 and not t < 0 else 5", lambda t: t),
        "absolute": ("abs(-2) + floor(1.5)", lambda t: 3 * t),
        "pi_and_e": ("pi + e", lambda t: (np.pi + np.e) * t),
        "linoid": ("linoid(0.0) + 0 * t", lambda t: t),
    }
    state = {"t": 0.0, **dict.fromkeys((f"x_{name}" for name in formulas), 0.0)}
    lines = ["dt/dt = 1", *(f"dx_{name}/dt = {f}" for name, (f, _) in formulas.items())]
    cell = sim.native_cell_type("Clock", parameters={}, state=state, equations="\n".join(lines))
    sim.setup(timestep=0.1)
    neurons = sim.Population(1, cell())
    neurons.record(list(state))
    sim.run(4.0)
    signals = {each.name: each for each in neurons.get_data().segments[0].analogsignals}
    t = np.arange(41) * 0.1
    for name, (_, solution) in formulas.items():
        found = signals[f"x_{name}"].magnitude[:, 0]
        # The square root has no derivative at 0.
        assert found == pytest.approx(solution(t), abs=3e-4 if name == "sqrt" else 1e-5), name


def test_update_by_steps() -> None:
    """A model in discrete time: a counter that fires."""
    cell = sim.native_cell_type(
        "Counter",
        parameters={"limit": 7.0},
        state={"n": 0.0},
        update="n += 1",
        threshold="n >= limit",
        reset="n = 0",
    )
    sim.setup(timestep=0.1)
    neurons = sim.Population(2, cell(limit=[7.0, 3.0]))
    neurons.record("spikes")
    sim.run(2.1)
    assert neurons.get_spike_counts() == {neurons[0]: 3, neurons[1]: 7}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threshold": "v >= v_spke"}, ("threshold", "v_spke", "did you mean 'v_spike'")),
        ({"reset": "u = 1"}, ("reset", "'u' cannot be assigned", "v, w, gsyn")),
        ({"reset": "while v > 1: v -= 2"}, ("reset", "only assignments")),
        ({"reset": "fire()"}, ("reset", "fire() cannot be called")),
        ({"equations": "dv/dt = v +"}, ("dv/dt", "not a formula")),
        ({"equations": "dq/dt = 1"}, ("equations", "'q' is not a state variable")),
        ({"equations": "v' = 1"}, ("must be dv/dt = ...",)),
        ({"equations": "dv/dt = 1\ndv/dt = 2"}, ("given twice",)),
        ({"equations": "dv/dt = sin(v)"}, ("unknown function 'sin'", "exp")),
        ({"equations": "dv/dt = exp(v, v)"}, ("takes 1 arguments",)),
        ({"equations": "dv/dt = v[0]"}, ("not supported",)),
        ({"equations": "a = b\nb2 = x\ndv/dt = 1"}, ("the name 'a' is used twice",)),
        ({"receptors": {"ampa": "g += weight"}}, ("receptor ampa", "'g' cannot be assigned")),
        ({"refractory": "tau"}, ("refractory = 'tau'",)),
        ({"held": ("z",)}, ("held", "'z'")),
        ({"state": {}}, ("no state variables",)),
        ({"parameters": {"exp": 1.0}}, ("'exp' has a meaning",)),
        ({"parameters": {"class": 1.0}}, ("'class' is not a name",)),
        ({"parameters": {"cm": "big"}}, ("cm = 'big'", "must be a finite number")),
        ({"tolerance": 0.0}, ("tolerance = 0.0",)),
    ],
)
def test_what_is_not_a_model(change: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ModelError) as caught:
        sim.native_cell_type("AdEx", **{**ADEX, **change})
    for word in words:
        assert word in str(caught.value)


def test_values_are_checked() -> None:
    sim.setup()
    cell = sim.native_cell_type("AdEx", **ADEX)
    from pyNN import errors

    with pytest.raises(errors.InvalidParameterValueError, match="tau_m"):
        sim.Population(2, cell(tau_m=np.nan))
    with pytest.raises(errors.NonExistentParameterError, match="tau_x"):
        cell(tau_x=1.0)
