"""NESTML's published models against NEST's built-in ones, and against SciPy.

The models are data files of the package `nestml`. Weights and currents are the same numbers on
both sides, as PyNN scales them by 1000 on NEST.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from support.comparison import Backend, Results, assert_same_spikes, compare, on_nest, on_sparse

pytest.importorskip("pynestml")


def published_files() -> dict[str, Path]:
    """Name of each of NESTML's own neuron models -> the file that it is in."""
    found = [Path(str(each.locate())).resolve() for each in files("nestml") or ()]
    neurons = [each for each in found if each.match("models/neurons/*_neuron.nestml")]
    return {each.name.removesuffix("_neuron.nestml"): each for each in neurons}


@functools.cache
def published(name: str) -> Any:
    """One of NESTML's own models, which pynestml takes seconds to read."""
    return pyNN.sparse.nestml_cell_type(str(published_files()[name]))


def nests_own(sim: Any, name: str) -> Any:
    """NEST's model, without parameters that are truth values, which PyNN 0.13.0 cannot set."""
    cell = sim.native_cell_type(name)
    defaults = cell.default_parameters.items()
    cell.default_parameters = {key: value for key, value in defaults if type(value) is float}
    return cell


def driven(
    nest_name: str,
    weights: tuple[float, float],
    i_e: float,
    renamed: dict[str, str] | None = None,
    duration: float = 500.0,
    **parameters: float,
) -> Callable[[Backend], None]:
    """Three neurons with irregular input, a constant current, and an injected one for a while.

    `renamed` are NEST's names of parameters that NESTML calls otherwise.
    """

    def network(backend: Backend) -> None:
        sim = backend.sim
        if backend.is_nest:
            names = renamed or {}
            own = {names.get(name, name): value for name, value in parameters.items()}
            cell = nests_own(sim, nest_name)
        else:
            own, cell = parameters, published(nest_name)
        cells = sim.Population(3, cell(**own, I_e=[i_e, 0.5 * i_e, 0.0]))
        rng = np.random.default_rng(1)
        for receptor, weight, n in zip(
            ("excitatory", "inhibitory"), weights, (900, 250), strict=True
        ):
            times = np.unique(np.round(rng.uniform(1.0, duration - 5.0, n), 1))
            source = sim.Population(1, sim.SpikeSourceArray(spike_times=backend.spike_times(times)))
            synapse = sim.StaticSynapse(weight=weight, delay=1.0)
            sim.Projection(source, cells, sim.AllToAllConnector(), synapse, receptor_type=receptor)
        cells.inject(sim.DCSource(amplitude=0.0003 * i_e, start=100.0, stop=300.0))
        backend.watch("cells", cells, "V_m")
        sim.run(duration)

    return network


REFRACTORY = {"refr_T": "t_ref"}


@pytest.mark.parametrize(
    ("name", "weights", "bound"),
    [
        ("iaf_psc_exp", (0.15, -0.15), 1e-11),
        ("iaf_psc_alpha", (0.08, -0.08), 1e-11),
        ("iaf_psc_delta", (0.001, -0.0008), 1e-11),
        ("iaf_cond_exp", (0.018, 0.012), 1e-4),
        ("iaf_cond_alpha", (0.02, 0.01), 1e-4),
    ],
)
@pytest.mark.parametrize("refractory", [2.0, 5.0])
def test_integrate_and_fire(
    name: str, weights: tuple[float, float], bound: float, refractory: float
) -> None:
    """Exact for linear models; else NEST integrates with absolute errors of up to 1e-3 mV."""
    network = driven(name, weights, 300.0, REFRACTORY, refr_T=refractory)
    assert compare(network, bound).n_spikes > 30


def spikes_apart(expected: Results, found: Results) -> int:
    """How many steps the spikes of the same number lie apart at most."""
    pairs = [(each, found.spikes[name]) for name, each in expected.spikes.items()]
    assert [len(a) for a, _ in pairs] == [len(b) for _, b in pairs]
    return int(max(np.abs(a - b).max() for a, b in pairs if len(a)))


def test_adaptive_exponential() -> None:
    """NEST's model resets within the time step; NESTML's at its end, so spikes may shift by one."""
    network = driven("aeif_cond_exp", (0.04, 0.01), 900.0, REFRACTORY, 300.0, refr_T=2.0)
    expected, found = on_nest(network), on_sparse(network)
    assert expected.n_spikes > 40
    assert spikes_apart(expected, found) <= 1
    first = min(int(steps[0]) for steps in expected.spikes.values())
    v, w = (each.traces["V_m of cells"][1 : first - 1] for each in (expected, found))
    assert np.abs(v - w).max() < 1e-5


def test_hodgkin_huxley() -> None:
    """Spikes in the same steps; NEST's v has errors of up to 1 mV on the flanks of spikes."""
    network = driven("hh_cond_exp_traub", (0.003, 0.003), 200.0, REFRACTORY, 300.0, refr_T=2.0)
    expected, found = on_nest(network), on_sparse(network)
    assert expected.n_spikes > 150
    assert_same_spikes(expected, found, 0.1)
    v, w = (each.traces["V_m of cells"][1:] for each in (expected, found))
    assert np.abs(v - w).max() < 1.5
    assert np.median(np.abs(v - w)) < 0.01


@pytest.mark.slow
def test_izhikevich() -> None:
    """NEST takes Euler steps, whose errors vanish with the time step."""
    network = driven("izhikevich", (0.001, -0.001), 12.0, duration=60.0)
    expected, found = on_nest(network, 0.002), on_sparse(network, 0.002)
    assert expected.n_spikes > 3
    assert spikes_apart(expected, found) <= 10  # of 2 us


class Reference:
    """A model in a few lines of Python, advanced by SciPy to 1e-11, with NESTML's order of events.

    `slopes(y, refractory)` and `fire(y, before, refractory)`, which changes y at a spike; what
    arrives is added to the components `arrivals` of y.
    """

    def __init__(
        self, slopes: Any, fire: Any, start: list[float], arrivals: tuple[int, int]
    ) -> None:
        self.slopes, self.fire, self.start, self.arrivals = slopes, fire, start, arrivals

    def run(self, arriving: Any, steps: int, period: int) -> tuple[list[int], Any]:
        """Steps of spikes, and y at the end of each step; `arriving` is [steps, 2]."""
        from scipy.integrate import solve_ivp

        y, left, spikes, trace = np.array(self.start), 0, [], []
        for step in range(steps):
            before, waiting = y.copy(), left > 0
            solution = solve_ivp(
                lambda _, at, waiting=waiting: self.slopes(at, waiting),
                (0.0, 0.1),
                y,
                method="DOP853",
                rtol=1e-11,
                atol=1e-11,
            )
            y = solution.y[:, -1].copy()
            left = max(left - 1, 0)
            y[list(self.arrivals)] += arriving[step]
            if left == 0 and self.fire(y, before):
                left = period
                spikes.append(step + 1)
            trace.append(y.copy())
        return spikes, np.array(trace)


def aeif_reference(i_e: float) -> Reference:
    def slopes(y: Any, refractory: bool) -> list[float]:
        v, w, g_e, g_i = y
        u = min(v, 0.0)
        spike = 30.0 * 2.0 * np.exp((u + 50.4) / 2.0)
        total = -30.0 * (u + 70.6) + spike - g_e * u - g_i * (u + 85.0) - w + i_e
        rate = 0.0 if refractory else total / 281.0
        return [rate, (4.0 * (u + 70.6) - w) / 144.0, -g_e / 0.2, -g_i / 2.0]

    def fire(y: Any, before: Any) -> bool:
        fires = bool(y[0] >= 0.0)
        if fires:
            y[0] = -60.0
            y[1] += 80.5
        return fires

    return Reference(slopes, fire, [-70.6, 0.0, 0.0, 0.0], (2, 3))


def hh_reference(i_e: float) -> Reference:
    def rates(u: float) -> tuple[tuple[float, float], ...]:
        m = 0.32 * (13 - u) / np.expm1((13 - u) / 4), 0.28 * (u - 40) / np.expm1((u - 40) / 5)
        h = 0.128 * np.exp((17 - u) / 18), 4 / (1 + np.exp((40 - u) / 5))
        n = 0.032 * (15 - u) / np.expm1((15 - u) / 5), 0.5 * np.exp((10 - u) / 40)
        return m, h, n

    def slopes(y: Any, _: bool) -> list[float]:
        v, m, h, n, g_e, g_i = y
        ionic = 2e4 * m**3 * h * (v - 50) + 6e3 * n**4 * (v + 90) + 10 * (v + 60)
        gates = [a - (a + b) * x for (a, b), x in zip(rates(v + 63), (m, h, n), strict=True)]
        total = i_e - ionic - g_e * v - g_i * (v + 80)
        return [total / 200, *gates, -g_e / 5, -g_i / 10]

    def fire(y: Any, before: Any) -> bool:
        return bool(y[0] > -33 and before[0] > y[0])

    gates = [a / (a + b) for a, b in rates(-60.0)]
    return Reference(slopes, fire, [-60.0, *gates, 0.0, 0.0], (4, 5))


@pytest.mark.parametrize(
    ("name", "reference", "i_e", "weights", "bound"),
    [
        ("aeif_cond_exp", aeif_reference, 1000.0, (80.0, 8.0), 1e-2),
        ("hh_cond_exp_traub", hh_reference, 300.0, (4.0, 4.0), 1e-2),
    ],
)
def test_against_scipy(name: str, reference: Any, i_e: float, weights: Any, bound: float) -> None:
    """Spikes in the same steps, and every variable, integrated with NESTML's tolerance of 1e-6."""
    steps, sim = 1500, pyNN.sparse
    arriving = np.random.default_rng(3).random((steps, 2)) < 0.1
    expected, trace = reference(i_e).run(np.array(weights) * arriving, steps, period=20)
    sim.setup(timestep=0.1)
    cells = sim.Population(1, published(name)(I_e=i_e, refr_T=2.0))
    receptors = ("excitatory", "inhibitory")
    for receptor, weight, column in zip(receptors, weights, arriving.T, strict=True):
        times = np.flatnonzero(column) * 0.1  # they arrive at the end of the step, 0.1 ms later
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=times))
        synapse = sim.StaticSynapse(weight=weight / 1000, delay=0.1)
        sim.Projection(source, cells, sim.OneToOneConnector(), synapse, receptor_type=receptor)
    cells.record(["spikes", "V_m"])
    sim.run(steps * 0.1)
    segment = cells.get_data().segments[0]
    found = np.round(segment.spiketrains[0].magnitude / 0.1).astype(int)
    assert len(expected) > 5
    assert found.tolist() == expected
    assert np.abs(segment.analogsignals[0].magnitude[1:, 0] - trace[:, 0]).max() < bound


@pytest.mark.slow
def test_all_others_are_read_but_for_one_that_draws_random_numbers() -> None:
    assert len(published_files()) >= 30
    for name in published_files():
        if name == "hh_cond_exp_destexhe":
            with pytest.raises(NotImplementedError, match=r"random_normal\(\)"):
                published(name)
        else:
            cell = published(name)
            assert set(cell.default_initial_values) <= set(cell.recordable)
            assert np.isfinite(list(cell.default_initial_values.values())).all()
