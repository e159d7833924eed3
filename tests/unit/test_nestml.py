"""Models in NESTML: each part of the language against what it means."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray
from pyNN import errors
from support.nestml import LEAKY, STATEMENTS, model

pytest.importorskip("pynestml")


def run(
    cell: Any, duration: float, spikes: Any = (), weight: float = 0.001, **kwargs: Any
) -> tuple[dict[str, NDArray[np.float64]], list[float]]:
    """Recorded variables [samples] and spikes of a neuron at which spikes arrive at some times."""
    sim.setup(timestep=0.1, min_delay=0.1)
    neuron = sim.Population(1, cell, **kwargs)
    if len(spikes):
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=np.array(spikes) - 0.1))
        synapse = sim.StaticSynapse(weight=weight, delay=0.1)
        receptor = neuron.celltype.receptor_types[0]
        sim.Projection(source, neuron, sim.OneToOneConnector(), synapse, receptor_type=receptor)
    neuron.record(neuron.celltype.recordable)
    sim.run(duration)
    segment = neuron.get_data().segments[0]
    signals = {str(each.name): each.magnitude[:, 0] for each in segment.analogsignals}
    return signals, segment.spiketrains[0].magnitude.tolist()


def test_equation_of_second_order() -> None:
    """A damped oscillator, x(t) = e^(-t) (cos(2 t) + sin(2 t)/2), exact and with its derivative."""
    text = model(
        state="x real = 1; x' 1/ms = 0 / (1 ms)",
        equations="x'' = -2 * x' / (1 ms) - 5 * x / (1 ms**2)",
        update="integrate_odes(x)",
    )
    signals, _ = run(sim.nestml_cell_type(text)(), 5.0)
    t = np.arange(51) * 0.1
    assert signals["x"] == pytest.approx(
        np.exp(-t) * (np.cos(2 * t) + np.sin(2 * t) / 2), abs=1e-13
    )
    assert signals["x__d"] == pytest.approx(-2.5 * np.exp(-t) * np.sin(2 * t), abs=1e-13)


def test_kernels() -> None:
    """Functions of time and differential equations, with equal time constants, too."""
    text = model(
        state="y real = 0; a real = 0; b real = 1; b$ real = 0",
        equations="kernel k1 = 2 * exp(-t / tau); "
        "kernel k2 = (e / tau) * t * exp(-t / tau); "
        "kernel k3 = exp(-t / tau) - exp(-t / theta); "
        "kernel k4 = (1 + t / tau)**2 * exp(1 - t / theta) / 3; "
        "kernel a' = -a / tau; "
        "kernel b' = b$ - b / tau,\n            b$' = -b$ / theta; "
        "y' = (convolve(k1, spikes) + convolve(k2, spikes) + convolve(k3, spikes) + "
        "convolve(k4, spikes) + convolve(a, spikes) + convolve(b, spikes)) / (1 ms)",
        parameters="tau ms = 3 ms; theta ms = 5 ms",
        update="integrate_odes()",
    ).replace("a real = 0", "a real = 0.5")
    cell = sim.nestml_cell_type(text)
    for tau, theta in ((3.0, 5.0), (4.0, 4.0)):
        signals, _ = run(cell(tau=tau, theta=theta), 12.0, spikes=[1.0, 4.0], weight=0.0005)
        t = np.arange(121) * 0.1
        kernels = {
            "k1": lambda s, tau=tau: 2 * np.exp(-s / tau),
            "k2": lambda s, tau=tau: np.e / tau * s * np.exp(-s / tau),
            "k3": lambda s, tau=tau, theta=theta: np.exp(-s / tau) - np.exp(-s / theta),
            "k4": lambda s, tau=tau, theta=theta: (1 + s / tau) ** 2 * np.exp(1 - s / theta) / 3,
            "a": lambda s, tau=tau: 0.5 * np.exp(-s / tau),
            "b": lambda s, tau=tau: np.exp(-s / tau),
        }
        for name, kernel in kernels.items():
            expected = sum(0.5 * (t >= at - 1e-9) * kernel(t - at) for at in (1.0, 4.0))
            assert signals[f"{name}__X__spikes"] == pytest.approx(expected, abs=1e-12), name


def test_order_of_events() -> None:
    """update, onReceive, convolutions, onCondition; the first two see convolutions as they were."""
    text = model(
        state="g real = 0; seen real = 0; received real = 0; last real = 0",
        equations="kernel k = exp(-t / (2 ms)); "
        "inline c real = convolve(k, spikes); g' = c / (1 ms)",
        update="integrate_odes(); seen = c",
    ) + (
        "    onReceive(spikes):\n        received = c + g + spikes * 1 s\n"
        "    onCondition(c > 1):\n        last = c + g\n"
    )
    signals, _ = run(sim.nestml_cell_type(text)(), 1.0, spikes=[0.3, 0.5], weight=0.002)
    c, g = signals["k__X__spikes"], signals["g"]
    decay = math.exp(-0.05)
    assert c[3:7] == pytest.approx([2, 2 * decay, 2 * decay**2 + 2, (2 * decay**2 + 2) * decay])
    assert signals["seen"][3:6].tolist() == c[2:5].tolist()
    assert signals["received"][[3, 5]] == pytest.approx([c[2] + g[3] + 2, c[4] + g[5] + 2])
    assert signals["received"][6] == signals["received"][5]
    assert signals["last"][3:7] == pytest.approx(c[3:7] + g[3:7])
    assert g[4] == pytest.approx(2 * 2 * (1 - decay))


def test_statements_and_functions() -> None:
    """Against the same in Python."""
    signals, _ = run(sim.nestml_cell_type(STATEMENTS)(), 1.0)
    n, x, b = 0, 0.0, False
    for step in range(1, 11):
        n += 1
        x = -1 if n % 3 == 0 else 10 if n // 3 == 1 and not b else min(max(n, 2), 4)
        b = n > 3
        expected = {"x": x, "y": n**2 if n > 5 else -3, "b": b, "z": min(n, 3) + 1 - n**2 / 2}
        n = int(n * 2.5)
        n = int(n / 2)
        assert {name: signals[name][step] for name in expected} == expected
        assert signals["n"][step] == n


def test_a_timer_lasts_whole_steps() -> None:
    """As many steps as NEST's refractory periods; rounding errors would make it one more."""
    cell = sim.nestml_cell_type(LEAKY)
    for period in (0.5, 1.0, 2.0, 2.5, 5.0, 10.0):
        _, spikes = run(cell(refr_T=period, I_e=1e6, tau_syn=2.0), 30.0)
        assert np.diff(spikes) == pytest.approx(period + 0.1), period


def test_internals_and_initial_values_follow_parameters() -> None:
    text = model(
        state="x real = start + 1; n integer = count",
        equations="x' = -rate * x",
        parameters="tau ms = 4 ms; start real = 2; refr_T ms = 1.05 ms [[refr_T >= 0 ms]]",
        internals="rate 1/ms = 1 / tau; count integer = steps(refr_T); h ms = resolution()",
        update="integrate_odes(); n = count",
    )
    cell = sim.nestml_cell_type(text)
    assert cell.default_initial_values == {"x": 3.0, "n": 11.0}
    sim.setup(timestep=0.1)
    neurons = sim.Population(3, cell(tau=[2.0, 4.0, 8.0], start=[1.0, 2.0, 3.0]))
    given_ = sim.Population(1, cell(start=7.0), initial_values={"x": 1.0})
    neurons.record("x")
    neurons.record("n")
    given_.record("x")
    sim.run(1.0)
    neurons.set(tau=1.0, refr_T=0.2)
    sim.run(1.0)
    signals = {each.name: each for each in neurons.get_data().segments[0].analogsignals}
    x = signals["x"].magnitude
    assert x[0].tolist() == [2.0, 3.0, 4.0]
    assert x[10] == pytest.approx(x[0] * np.exp([-1 / 2, -1 / 4, -1 / 8]), rel=1e-13)
    assert x[20] == pytest.approx(x[10] * math.exp(-1), rel=1e-13)
    assert (signals["n"].magnitude[[0, 10, 20], 0]).tolist() == [11.0, 11.0, 2.0]
    assert given_.get_data().segments[0].analogsignals[0].magnitude[0, 0] == 1.0
    with pytest.raises(errors.InvalidParameterValueError, match="refr_T >= 0"):
        neurons.set(refr_T=-1.0)
    assert neurons.get("refr_T") == 0.2


def test_units() -> None:
    """All is kept in ms, mV, pA, nS, pF; quantities of several units are converted."""
    text = model(
        state="x mV = 0.01 V; y real = 0; last ms = 0 ms",
        parameters="V0 V = -0.07 V; rate Hz = 100 Hz; C nF = 0.25 nF",
        update="x = V0 + 2 mV; y = rate * 1 s + V0 / 1 mV; last = t",
    )
    cell = sim.nestml_cell_type(text)
    assert cell.default_parameters == {"V0": -70.0, "rate": 0.1, "C": 250.0}
    assert [cell.units[name] for name in ("V0", "rate", "C", "x")] == ["mV", "ms**-1", "pF", "mV"]
    signals, _ = run(cell(), 1.0)
    assert signals["x"].tolist() == [10.0] + [-68.0] * 10
    assert signals["y"][1:] == pytest.approx(30.0)
    assert signals["last"][1:] == pytest.approx(np.arange(1, 11) * 0.1)


def test_injected_current_and_recordable_inlines() -> None:
    text = model(
        state="V_m mV = E_L",
        equations="recordable inline I pA = G * (V_m - E_L); V_m' = (I_stim - I) / C_m",
        parameters="E_L mV = -70 mV; G nS = 10 nS; C_m pF = 100 pF",
        update="integrate_odes()",
    )
    sim.setup(timestep=0.1)
    neuron = sim.Population(1, sim.nestml_cell_type(text)(), initial_values={"V_m": -60.0})
    neuron.inject(sim.DCSource(amplitude=0.2))
    neuron.record(["V_m", "I"])
    sim.run(20.0)
    signals = {each.name: each for each in neuron.get_data().segments[0].analogsignals}
    t, v = np.arange(201) * 0.1, signals["V_m"].magnitude[:, 0]
    assert v == pytest.approx(-50 - 10 * np.exp(-t / 10), abs=1e-12)
    assert signals["I"].magnitude[:, 0] == pytest.approx(10 * (v + 70), abs=1e-12)
    assert str(signals["I"].units.dimensionality) == "pA"
    with pytest.raises(errors.NonExistentParameterError):
        neuron.initialize(I=0.0)


PORTS = [
    ("p <- spike", ("excitatory", "inhibitory"), {"excitatory": 1.0, "inhibitory": -1.0}),
    ("p <- excitatory spike; q <- inhibitory spike", ("excitatory", "inhibitory"), {}),
    ("p <- inhibitory spike", ("inhibitory",), {}),
    ("p <- spike; q <- spike", ("p", "q"), {}),
    ("p <- excitatory spike; q <- excitatory spike", ("p", "q"), {}),
]


@pytest.mark.parametrize(("ports", "receptors", "factors"), PORTS)
@pytest.mark.parametrize("conductances", [False, True])
def test_ports(
    ports: str, receptors: tuple[str, ...], factors: dict[str, float], conductances: bool
) -> None:
    """Each port gets the size of weights; one for all kinds of spikes gets their sign, too."""
    names = [each.split()[0] for each in ports.split("; ")]
    text = model(
        state="; ".join(f"x_{name} real = 0" for name in names),
        input=ports,
        update="; ".join(f"x_{name} = {name} * 1 s" for name in names),
    )
    cell = sim.nestml_cell_type(text, conductance_based=conductances)
    assert cell.receptor_types == receptors
    assert not cell.injectable
    sim.setup(timestep=0.1)
    neuron = sim.Population(1, cell())
    for k, receptor in enumerate(receptors):
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0 + k]))
        weight = -0.002 if receptor == "inhibitory" and not conductances else 0.002
        synapse = sim.StaticSynapse(weight=weight, delay=0.1)
        sim.Projection(source, neuron, sim.OneToOneConnector(), synapse, receptor_type=receptor)
    neuron.record([f"x_{name}" for name in names])
    sim.run(5.0)
    signals = {each.name: each for each in neuron.get_data().segments[0].analogsignals}
    for k, receptor in enumerate(receptors):
        name = names[min(k, len(names) - 1)]
        found = signals[f"x_{name}"].magnitude[11 + 10 * k, 0]
        assert found == pytest.approx(2.0 * factors.get(receptor, 1.0), abs=1e-9)


def test_conductances_are_found_as_pynn_finds_them_on_nest() -> None:
    text = model(state="g_syn nS = 0 nS", update="g_syn += spikes * 1 nS * 1 s")
    assert sim.nestml_cell_type(text).conductance_based
    assert not sim.nestml_cell_type(text, conductance_based=False).conductance_based
    assert not sim.nestml_cell_type(LEAKY).conductance_based
