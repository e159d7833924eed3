"""Neurons with any conductance, and what is true of them: scipy's solution of the same equation.

As in NEST, dv/dt sees a potential above the threshold as the threshold.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

CM, TAU_M, V_REST, V_THRESH, E_EXC, E_INH = 0.25, 15.0, -65.0, -50.0, 0.0, -75.0
NEVER = 1e6  # mV, a threshold
BOUND = 2e-4  # mV, of the error, which docs/models.md promises
CELL = {"cm": CM, "tau_m": TAU_M, "v_rest": V_REST, "e_rev_E": E_EXC, "e_rev_I": E_INH}

# Conductance of a spike that arrived t ms ago, for a weight of 1.
Shape = Callable[[Any, float], Any]
SHAPES: dict[str, Shape] = {
    "exp": lambda t, tau: np.exp(-t / tau),
    "alpha": lambda t, tau: t / tau * np.exp(1 - t / tau),
}


def exact(
    shape: str,
    t: NDArray[np.float64],
    spikes: list[tuple[float, float, float, float]],
    v: float,
    *,
    v_thresh: float = NEVER,
    current: float = 0.0,
    tau_m: float = TAU_M,
    cm: float = CM,
) -> NDArray[np.float64]:
    """v at times `t` (ms, from 0) after `spikes`: (time, weight, tau_syn, e_rev) of each."""
    leak = cm / tau_m

    def course(x: float) -> tuple[float, float]:
        pull, rate = leak * V_REST + current, leak
        for time, weight, tau, e_rev in spikes:
            if x >= time:
                g = weight * SHAPES[shape](x - time, tau)
                pull, rate = pull + g * e_rev, rate + g
        return pull / cm, rate / cm

    def slope(x: float, y: Any) -> list[float]:
        pull, rate = course(x)
        return [pull - rate * min(y[0], v_thresh)]

    def jacobian(x: float, y: Any) -> list[list[float]]:
        return [[-course(x)[1] if y[0] < v_thresh else 0.0]]

    values = [v]
    for begin, end in itertools.pairwise(t):
        x = begin + 1e-12  # what arrives at the beginning of a step acts within it
        found = solve_ivp(slope, (x, end - 1e-12), [v], "Radau", jac=jacobian, rtol=1e-9, atol=1e-9)
        v = float(found.y[0, -1])
        values.append(v)
    return np.array(values)


def simulate(
    cell: Callable[[Any], Any],
    duration: float,
    spikes: dict[str, list[tuple[float, Any]]],
    v: Any,
    *,
    sim: Any = pyNN.sparse,
    dt: float = 0.1,
    n: int = 1,
    **options: Any,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """v [samples, neurons] and numbers of spikes; `spikes` are (time, weights) by receptor."""
    shift = 0.0 if sim is pyNN.sparse else 1e-7
    sim.setup(timestep=dt, min_delay=dt, **options)
    neurons = sim.Population(n, cell(sim), initial_values={"v": v})
    neurons.record(["v", "spikes"])
    for receptor, trains in spikes.items():
        for time, weight in trains:
            source = sim.Population(1, sim.SpikeSourceArray(spike_times=[time - dt - shift]))
            pairs = [(0, k, w) for k, w in enumerate(np.broadcast_to(weight, (n,)))]
            connector = sim.FromListConnector(pairs, column_names=["weight"])
            synapse = sim.StaticSynapse(delay=dt)
            sim.Projection(source, neurons, connector, synapse, receptor_type=receptor)
    sim.run(duration)
    segment = neurons.get_data().segments[0]
    counts = np.array([len(train) for train in segment.spiketrains])
    return np.asarray(segment.analogsignals[0].magnitude), counts
