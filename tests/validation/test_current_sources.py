"""Current sources against NEST and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from support.comparison import Backend, Network, compare
from support.parameters import BOUNDS, MODELS, PARAMETERS

SOURCES: list[tuple[str, dict[str, Any]]] = [
    ("DCSource", {"amplitude": 0.3, "start": 10.0, "stop": 60.0}),
    ("DCSource", {"amplitude": 0.3, "start": 0.2, "stop": 1e9}),
    ("StepCurrentSource", {"times": [5.0, 20.0, 40.0], "amplitudes": [0.3, -0.2, 0.4]}),
    ("StepCurrentSource", {"times": [5.04, 5.06, 40.01], "amplitudes": [0.3, -0.2, 0.4]}),
    (
        "ACSource",
        {
            "amplitude": 0.4,
            "offset": 0.1,
            "frequency": 31.0,
            "phase": 50.0,
            "start": 5.0,
            "stop": 80.0,
        },
    ),
    (
        "ACSource",
        {
            "amplitude": 0.4,
            "offset": 0.0,
            "frequency": 200.0,
            "phase": 0.0,
            "start": 0.5,
            "stop": 1e9,
        },
    ),
]


def injected(model: str, kind: str, parameters: dict[str, Any]) -> Network:
    """Two of four neurons get the current."""

    def network(backend: Backend) -> None:
        values = dict(parameters)
        if model == "Izhikevich":  # which takes a thousandth of what others take
            for name in {"amplitude", "amplitudes", "offset"} & set(values):
                values[name] = (
                    list(np.array(values[name]) / 40) if name == "amplitudes" else values[name] / 40
                )
        neurons = backend.sim.Population(4, getattr(backend.sim, model)(**PARAMETERS[model]))
        getattr(backend.sim, kind)(**values).inject_into(neurons[1:3])
        backend.watch("neurons", neurons, "v")
        backend.sim.run(120.0)

    return network


@pytest.mark.parametrize(("kind", "parameters"), SOURCES)
@pytest.mark.parametrize("model", MODELS)
def test_like_nest(model: str, kind: str, parameters: dict[str, Any]) -> None:
    # NEST's oscillator advances by a rotation in each step, which accumulates rounding errors.
    bound = max(BOUNDS[model], 1e-9 if kind == "ACSource" else 0.0)
    compare(injected(model, kind, parameters), bound)


def potential(source: Any, duration: float) -> Any:
    """v - v_rest of a neuron with tau_m = 10 ms and 20 megaohm that never fires."""
    cell = sim.IF_curr_exp(cm=0.5, tau_m=10.0, v_rest=0.0, v_reset=0.0, v_thresh=1e9)
    population = sim.Population(1, cell, initial_values={"v": 0.0})
    population.inject(source)
    population.record("v")
    sim.run(duration)
    return population.get_data().segments[0].analogsignals[0].magnitude[:, 0]


def test_direct_current_acts_from_start_to_stop() -> None:
    """v first differs one time step after the start; closed form between and after."""
    sim.setup(timestep=0.1)
    v = potential(sim.DCSource(amplitude=0.5, start=4.0, stop=9.0), 20.0)
    t = np.arange(201) * 0.1
    during = 10.0 * (1 - np.exp(-(np.clip(t, 4.0, 9.0) - 4.0) / 10.0))
    assert np.abs(v - during * np.exp(-np.clip(t - 9.0, 0.0, None) / 10.0)).max() < 1e-11
    assert np.argmax(v > 0) == 41


def test_sine_current_has_its_phase_at_the_start() -> None:
    """Against the response to a current that is constant within each time step."""
    sim.setup(timestep=0.1)
    values = {"amplitude": 0.5, "offset": 0.2, "frequency": 40.0, "phase": 30.0}
    v = potential(sim.ACSource(**values, start=2.0, stop=15.0), 20.0)
    expected, now = [0.0], 0.0
    for t in np.arange(200) * 0.1:
        wave = 0.2 + 0.5 * np.sin(2 * np.pi * 0.04 * (t - 2.0) + np.pi / 6)
        current = wave if 2.0 - 1e-9 <= t < 15.0 - 1e-9 else 0.0
        now = now * np.exp(-0.01) + current * 20.0 * -np.expm1(-0.01)
        expected.append(now)
    assert np.abs(v - expected).max() < 1e-11


def test_noise_has_the_variance_of_filtered_noise() -> None:
    """v is an autoregressive process: its variance has a closed form."""
    sim.setup(timestep=0.1, rng_seed=3)
    v = potential(sim.NoisyCurrentSource(mean=0.4, stdev=0.3, dt=0.1), 20000.0)[2000:]
    decay, gain = np.exp(-0.01), 20.0 * -np.expm1(-0.01)
    deviation = 0.3 * gain / np.sqrt(1 - decay**2)
    independent = len(v) * (1 - decay) / (1 + decay)  # samples worth, given the correlation
    assert abs(v.mean() - 8.0) < 4 * deviation / np.sqrt(independent)
    assert v.std() == pytest.approx(deviation, rel=4 / np.sqrt(independent))
