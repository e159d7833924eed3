"""Strong conductances on neurons whose steps adapt: v is right, or the user is told; runs end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN import errors
from scipy.integrate import solve_ivp
from support.strong import simulate

DT, TIME = 0.1, 0.3  # ms; of the spike
MODELS = ["EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "HH_cond_exp"]
START = -65.0


def adaptive_exponential(p: dict[str, Any]) -> Any:
    """dy/dt of v and w, and their start; `g` is the inhibitory conductance."""
    leak = p["cm"] / p["tau_m"]

    def slope(y: Any, g: float) -> list[float]:
        v, w = y
        spike = leak * p["delta_T"] * np.exp((v - p["v_thresh"]) / p["delta_T"])
        current = spike - leak * (v - p["v_rest"]) - w + g * (p["e_rev_I"] - v)
        return [current / p["cm"], (p["a"] / 1000 * (v - p["v_rest"]) - w) / p["tau_w"]]

    return slope, [START, 0.0]


def hodgkin_huxley(p: dict[str, Any]) -> Any:
    """The same of v, m, h and n."""

    def linoid(x: float) -> float:
        return x / np.expm1(x)

    def slope(y: Any, g: float) -> list[float]:
        v, m, h, n = y
        u = v - p["v_offset"]
        current = (
            p["gbar_Na"] * m**3 * h * (p["e_rev_Na"] - v)
            + p["gbar_K"] * n**4 * (p["e_rev_K"] - v)
            + p["g_leak"] * (p["e_rev_leak"] - v)
            + g * (p["e_rev_I"] - v)
        )
        alpha_m, beta_m = 1.28 * linoid((13 - u) / 4), 1.4 * linoid((u - 40) / 5)
        alpha_h, beta_h = 0.128 * np.exp((17 - u) / 18), 4 / (1 + np.exp((40 - u) / 5))
        alpha_n, beta_n = 0.16 * linoid((15 - u) / 5), 0.5 * np.exp((10 - u) / 40)
        return [
            current / p["cm"],
            alpha_m * (1 - m) - beta_m * m,
            alpha_h * (1 - h) - beta_h * h,
            alpha_n * (1 - n) - beta_n * n,
        ]

    return slope, [START, 0.0, 1.0, 0.0]


@pytest.mark.parametrize("strength", [0.1, 10.0, 1e4])  # of weight x timestep / cm
@pytest.mark.parametrize(
    ("model", "equations", "bound"),
    [
        ("EIF_cond_exp_isfa_ista", adaptive_exponential, 1e-4),
        ("HH_cond_exp", hodgkin_huxley, 1e-2),
    ],
)
def test_inhibition_as_by_scipy(model: str, equations: Any, bound: float, strength: float) -> None:
    cell = getattr(sim, model)()
    p = dict(type(cell).default_parameters)
    weight = strength * p["cm"] / DT
    found, _ = simulate(lambda _: cell, 2.0, {"inhibitory": [(TIME, weight)]}, START)
    slope, y = equations(p)
    t, expected = np.arange(21) * DT, [START]
    for part, arrived in ((t[:4], 0.0), (t[3:], weight)):

        def course(x: float, y: Any, g: float = arrived, since: float = part[0]) -> list[float]:
            return slope(y, g * np.exp(-(x - since) / p["tau_syn_I"]))

        solved = solve_ivp(*(course, (part[0], part[-1]), y, "Radau", part), rtol=1e-9, atol=1e-9)
        y = solved.y[:, -1]
        expected += list(solved.y[0, 1:])
    assert np.abs(found[:, 0] - expected).max() < bound
    if strength >= 10:
        assert found[5, 0] == pytest.approx(p["e_rev_I"], abs=0.5)


@pytest.mark.parametrize("receptor", ["excitatory", "inhibitory"])
@pytest.mark.parametrize("model", MODELS)
def test_a_run_ends_whatever_the_conductance_is(model: str, receptor: str) -> None:
    """Where a step would take too many parts, v is not a number, and the user is told of it."""
    sim.setup(timestep=DT)
    neurons = sim.Population(2, getattr(sim, model)(), initial_values={"v": START})
    neurons.record("v")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[TIME]))
    synapse = sim.StaticSynapse(weight=1e9, delay=DT)
    sim.Projection(source, neurons[:1], sim.AllToAllConnector(), synapse, receptor_type=receptor)
    if model.startswith("EIF") and receptor == "excitatory":  # each part ends with a spike
        sim.run(1.0)
        assert len(neurons.get_data().segments[0].analogsignals[0]) == 11
        return
    words = rf"v of 1 neurons of a population of {model}, .* index 0, .* \(gsyn_exc, gsyn_inh\)"
    with pytest.warns(RuntimeWarning, match=words):
        sim.run(1.0)
    v = np.asarray(neurons.get_data().segments[0].analogsignals[0].magnitude)
    assert np.isnan(v[-1, 0])
    assert np.isfinite(v[:, 1]).all()


CONDUCTANCE_BASED = {
    **dict.fromkeys((*MODELS, "IF_cond_exp", "IF_cond_alpha", "GIF_cond_exp"), "gsyn_exc"),
    "IF_facets_hardware1": "gsyn_inh",
    "IF_cond_exp_gsfa_grr": "g_s",
    "PointNeuron": "AMPA.gsyn",
}


@pytest.mark.parametrize("model", CONDUCTANCE_BASED)
def test_negative_conductances_are_refused(model: str) -> None:
    """As weights, as by PyNN; and as initial values, which NEST takes for some models."""
    sim.setup(timestep=DT)
    kind: Any = getattr(sim, model)
    cell = kind(sim.LIF(), AMPA=sim.ExpPSR()) if model == "PointNeuron" else kind()
    receptor = "AMPA" if model == "PointNeuron" else "inhibitory"
    neurons, source = sim.Population(2, cell), sim.Population(1, sim.SpikeSourceArray())
    ends = source, neurons, sim.AllToAllConnector(), sim.StaticSynapse(weight=-0.01)
    with pytest.raises(errors.ConnectionError, match=r"-0\.01 .*must be positive"):
        sim.Projection(*ends, receptor_type=receptor)
    variable = CONDUCTANCE_BASED[model]
    words = rf"initial value of {variable} = -0.01.* must be 0 or greater"
    for change in (
        lambda: neurons.initialize(**{variable: [0.0, -0.01]}),
        lambda: sim.Population(1, cell, initial_values={variable: -0.01}),
    ):
        with pytest.raises(errors.InvalidParameterValueError, match=words):
            change()
