"""One run of a benchmark network on a PyNN backend, in a process of its own; prints JSON.

    python tests/benchmarks/networks.py cuba sparse --neurons 4000 --threads 2

The networks are those of Vogels and Abbott (2005), doi:10.1523/JNEUROSCI.3508-05.2005, as PyNN's
example `VAbenchmarks.py` defines them: 80 synapses for each neuron at any size, started by a
Poisson input in the first 50 ms, then active by themselves.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import time
from typing import Any

from pyNN.random import NumpyRNG, RandomDistribution

TIMESTEP = 0.1
NEURON = {"tau_m": 20.0, "v_reset": -60.0, "v_thresh": -50.0, "cm": 0.2, "tau_refrac": 5.0}
SYNAPSES = {"tau_syn_E": 5.0, "tau_syn_I": 10.0}
# Cell type, further parameters, weights (nA or uS) of excitatory and inhibitory synapses.
KINDS: dict[str, tuple[str, dict[str, float], float, float]] = {
    "cuba": ("IF_curr_exp", {"v_rest": -49.0}, 0.0162, -0.0918),
    "coba": ("IF_cond_exp", {"v_rest": -60.0, "e_rev_E": 0.0, "e_rev_I": -80.0}, 0.004, 0.051),
}


def build(sim: Any, kind: str, size: int) -> Any:
    """Make the network; return the neurons."""
    rng = NumpyRNG(seed=98765)
    model, parameters, excitation, inhibition = KINDS[kind]
    cell = getattr(sim, model)(**NEURON, **SYNAPSES, **parameters)
    neurons = sim.Population(size, cell)
    neurons.initialize(v=RandomDistribution("uniform", (-60.0, -50.0), rng=rng))
    n_exc = int(0.8 * size)
    connector = sim.FixedProbabilityConnector(80 / size, rng=rng)
    for pre, weight, receptor in (
        (neurons[:n_exc], excitation, "excitatory"),
        (neurons[n_exc:], inhibition, "inhibitory"),
    ):
        synapse = sim.StaticSynapse(weight=weight, delay=0.2)
        sim.Projection(pre, neurons, connector, synapse, receptor_type=receptor)
    kick = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0, duration=50.0))
    strong = sim.StaticSynapse(weight=6 * excitation, delay=0.2)
    few = sim.FixedProbabilityConnector(0.02, rng=rng)
    sim.Projection(kick, neurons, few, strong, receptor_type="excitatory")
    neurons.record("spikes")
    return neurons


def measure(kind: str, backend: str, size: int, threads: int, duration: float) -> dict[str, Any]:
    """Seconds to build, for the first time step, and for a biological second; and the rate."""
    sim = importlib.import_module(f"pyNN.{backend}")
    extra = {"spike_precision": "on_grid"} if backend == "nest" else {}
    start = time.perf_counter()
    sim.setup(timestep=TIMESTEP, min_delay=TIMESTEP, max_delay=1.0, threads=threads, **extra)
    neurons = build(sim, kind, size)
    built = time.perf_counter()
    sim.run(TIMESTEP)
    first = time.perf_counter()
    sim.run(duration)
    end = time.perf_counter()
    return {
        "build": built - start,
        "first step": first - built,
        "run per second": (end - first) / duration * 1000,
        "rate": neurons.mean_spike_count() / duration * 1000,
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("backend")
    parser.add_argument("--neurons", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--duration", type=float, default=1000.0, help="biological time, in ms")
    options = parser.parse_args()
    arguments = (options.kind, options.backend, options.neurons, options.threads, options.duration)
    print(json.dumps(measure(*arguments)))


if __name__ == "__main__":
    main()
