"""The benchmark networks, written once for all PyNN backends.

- cuba*, coba*: Vogels and Abbott (2005), doi:10.1523/JNEUROSCI.3508-05.2005, as PyNN's example
  `VAbenchmarks.py` defines them: 80 synapses for each neuron at any size, started by a Poisson
  input in the first 50 ms, then active by themselves.
- hh1000: the same with neurons of Traub and Miles: benchmark 3 of Brette et al. (2007),
  doi:10.1007/s10827-007-0038-6.
- adex1000, izhikevich1000: the same with adaptive exponential neurons, and with Izhikevich's, of
  which synapses step the potential. A constant current drives both.
- brunel: a balanced random network as of Brunel (2000), doi:10.1023/A:1008925309027, with 12,500
  neurons, 15.6 million synapses of one delay, and a Poisson source of 20 kHz for each neuron.
- calls-*: a few neurons; a call of `run` for each time step, a callback at each, data in between.
- microcircuit*: see `microcircuit.py`.
- populations300, projections2000: many small ones.
- stdp: 1.2 million plastic synapses from 12,000 Poisson sources onto 1000 neurons.
- silent: a million neurons, most of which do nothing.
- wide: ten million synapses that differ, for memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import microcircuit

TIMESTEP = 0.1  # ms


@dataclass(frozen=True)
class Built:
    """A network that was built: what to record from, and what there is to compute.

    Attributes:
        recorded: populations whose spikes are recorded, all of the network's neurons or a sample.
        neurons: number of neurons, without sources.
        synapses: number of recurrent and other synapses of which there are many for each source.
        fan_out: mean number of these that a spike of the recorded neurons reaches.
        source_events: synaptic events per biological second from sources that reach many neurons.
    """

    recorded: list[Any]
    neurons: int
    synapses: int
    fan_out: float
    source_events: float = 0.0


Advance = Callable[[Any, Built, float], Any]  # of the backend, a network and milliseconds


def at_once(sim: Any, built: Built, duration: float) -> None:
    """One call of `run`."""
    sim.run(duration)


def by_steps(sim: Any, built: Built, duration: float) -> None:
    """A call for each time step."""
    for _ in range(round(duration / TIMESTEP)):
        sim.run(TIMESTEP)


def by_callbacks(sim: Any, built: Built, duration: float) -> None:
    """One call, with a callback at each time step."""
    sim.run(duration, callbacks=[lambda time: time + TIMESTEP])


def with_data(sim: Any, built: Built, duration: float) -> None:
    """A call for each time step, and after each hundredth the data until then."""
    for step in range(round(duration / TIMESTEP)):
        sim.run(TIMESTEP)
        if step % 100 == 99:
            for population in built.recorded:
                population.get_data()


@dataclass(frozen=True)
class Network:
    """A benchmark: how it is built, on how many biological milliseconds it is measured, and how
    the simulation is advanced by these.

    `large` ones are run on this backend alone unless peers are asked for by name.
    """

    build: Callable[[Any, Any], Built]
    duration: float = 1000.0
    large: bool = False
    description: str = ""
    advance: Advance = at_once


def _uniform(rng: Any, low: float, high: float) -> Any:
    from pyNN.random import RandomDistribution

    return RandomDistribution("uniform", (low, high), rng=rng)


# Cell type, further parameters, weights (nA, uS or mV) of excitatory and inhibitory synapses.
Neurons = tuple[str, dict[str, float], float, float]
VOGELS_ABBOTT: dict[str, Neurons] = {
    "cuba": ("IF_curr_exp", {"v_rest": -49.0}, 0.0162, -0.0918),
    "coba": ("IF_cond_exp", {"v_rest": -60.0, "e_rev_E": 0.0, "e_rev_I": -80.0}, 0.004, 0.051),
}
SYNAPTIC = {"cm": 0.2, "tau_syn_E": 5.0, "tau_syn_I": 10.0}
SHARED = {"tau_m": 20.0, "v_reset": -60.0, "v_thresh": -50.0, "tau_refrac": 5.0, **SYNAPTIC}
# The same of other neurons.
REVERSAL = {"e_rev_E": 0.0, "e_rev_I": -80.0}
DRIVEN = {"i_offset": 0.2, "tau_m": 20.0, "v_rest": -60.0, "v_reset": -60.0, "tau_refrac": 5.0}
ADAPTIVE = {"a": 1.0, "b": 0.005, "tau_w": 600.0, "delta_T": 2.5, "v_spike": -40.0}
EXPONENTIAL = SYNAPTIC | REVERSAL | DRIVEN | ADAPTIVE | {"v_thresh": -50.0}
OTHERS: dict[str, Neurons] = {
    "hh": (
        "HH_cond_exp",
        SYNAPTIC
        | REVERSAL
        | {"gbar_Na": 20.0, "gbar_K": 6.0, "g_leak": 0.01, "v_offset": -63.0}
        | {"e_rev_Na": 50.0, "e_rev_K": -90.0, "e_rev_leak": -60.0},
        *(0.006, 0.067),
    ),
    "adex": ("EIF_cond_exp_isfa_ista", EXPONENTIAL, 0.006, 0.067),
    "izhikevich": ("Izhikevich", {"d": 8.0, "i_offset": 0.008}, 0.3, -1.2),
}


def _vogels_abbott(kind: str, size: int) -> Callable[[Any, Any], Built]:
    def build(sim: Any, rng: Any) -> Built:
        model, own, excitation, inhibition = (VOGELS_ABBOTT | OTHERS)[kind]
        parameters = SHARED | own if kind in VOGELS_ABBOTT else own
        neurons = sim.Population(size, getattr(sim, model)(**parameters))
        neurons.initialize(v=_uniform(rng, -60.0, -50.0))
        n_exc = int(0.8 * size)
        connector = sim.FixedProbabilityConnector(80 / size, rng=rng)
        synapses = 0
        for pre, weight, receptor in (
            (neurons[:n_exc], excitation, "excitatory"),
            (neurons[n_exc:], inhibition, "inhibitory"),
        ):
            synapse = sim.StaticSynapse(weight=weight, delay=0.2)
            made = sim.Projection(pre, neurons, connector, synapse, receptor_type=receptor)
            synapses += made.size(gather=True)
        kick = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0, duration=50.0))
        strong = sim.StaticSynapse(weight=6 * excitation, delay=0.2)
        few = sim.FixedProbabilityConnector(0.02, rng=rng)
        sim.Projection(kick, neurons, few, strong, receptor_type="excitatory")
        return Built([neurons], size, synapses, synapses / size)

    return build


def _brunel(sim: Any, rng: Any, size: int = 12_500) -> Built:
    cell = sim.IF_curr_exp(
        tau_m=20.0,
        cm=0.25,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=20.0,
        tau_refrac=2.0,
        tau_syn_E=0.5,
        tau_syn_I=0.5,
    )
    neurons = sim.Population(size, cell, initial_values={"v": 0.0})
    n_exc, weight, synapses = int(0.8 * size), 0.05, 0
    connector = sim.FixedProbabilityConnector(0.1, rng=rng)
    for pre, strength, receptor in (
        (neurons[:n_exc], weight, "excitatory"),
        (neurons[n_exc:], -5 * weight, "inhibitory"),
    ):
        synapse = sim.StaticSynapse(weight=strength, delay=1.5)
        made = sim.Projection(pre, neurons, connector, synapse, receptor_type=receptor)
        synapses += made.size(gather=True)
    drive = sim.Population(size, sim.SpikeSourcePoisson(rate=20_000.0))
    synapse = sim.StaticSynapse(weight=weight, delay=1.5)
    sim.Projection(drive, neurons, sim.OneToOneConnector(), synapse, receptor_type="excitatory")
    return Built([neurons], size, synapses, synapses / size)


def _stdp(sim: Any, rng: Any) -> Built:
    neurons = sim.Population(
        1000,
        sim.IF_curr_exp(
            tau_m=20.0, cm=0.2, v_rest=-60.0, v_reset=-60.0, tau_refrac=2.0, tau_syn_E=5.0
        ),
        initial_values={"v": -60.0},
    )
    sources = sim.Population(12_000, sim.SpikeSourcePoisson(rate=14.0))
    plastic = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_plus=20.0, tau_minus=20.0, A_plus=0.001, A_minus=0.00105
        ),
        weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=0.006),
        weight=_uniform(rng, 0.0, 0.006),
        delay=1.0,
    )
    connector = sim.FixedProbabilityConnector(0.1, rng=rng)
    made = sim.Projection(sources, neurons, connector, plastic, receptor_type="excitatory")
    synapses = made.size(gather=True)
    return Built([neurons], 1000, synapses, 0.0, 14.0 * synapses)


def _silent(sim: Any, rng: Any) -> Built:
    """Each of 1000 sources fires 100 of a million neurons, once a second."""
    neurons = sim.Population(1_000_000, sim.IF_curr_exp(tau_refrac=2.0))
    sources = sim.Population(1000, sim.SpikeSourcePoisson(rate=1.0))
    connector = sim.FixedNumberPostConnector(100, rng=rng)
    strong = sim.StaticSynapse(weight=10.0, delay=1.0)
    made = sim.Projection(sources, neurons, connector, strong, receptor_type="excitatory")
    sample = neurons[:10_000]  # a train of spikes for each of a million takes minutes to make
    synapses = made.size(gather=True)
    return Built([sample], 1_000_000, synapses, 0.0, 1.0 * synapses)


def _wide(sim: Any, rng: Any) -> Built:
    neurons = sim.Population(20_000, sim.IF_curr_exp())
    connector = sim.FixedNumberPostConnector(500, rng=rng)
    synapse = sim.StaticSynapse(weight=_uniform(rng, 0.0, 0.01), delay=_uniform(rng, 0.5, 5.0))
    made = sim.Projection(neurons, neurons, connector, synapse, receptor_type="excitatory")
    return Built([neurons], 20_000, made.size(gather=True), 500.0)


def _few(sim: Any, rng: Any) -> Built:
    """A network whose time steps take next to nothing, so that what counts is the call."""
    cells = sim.Population(10, sim.IF_curr_exp(i_offset=0.8))
    connector = sim.FixedProbabilityConnector(0.5, rng=rng)
    made = sim.Projection(cells, cells, connector, sim.StaticSynapse(weight=0.01, delay=1.0))
    synapses = made.size(gather=True)
    return Built([cells], 10, synapses, synapses / 10)


def _small_projections(n: int) -> Callable[[Any, Any], Built]:
    """n projections between populations of 10, each with some 30 synapses."""

    def build(sim: Any, rng: Any) -> Built:
        sizes = [10] * 40
        populations = [sim.Population(size, sim.IF_curr_exp(i_offset=0.8)) for size in sizes]
        made = [
            sim.Projection(
                populations[k % 40],
                populations[(k // 40 + 7 * k) % 40],
                sim.FixedProbabilityConnector(0.3, rng=rng),
                sim.StaticSynapse(weight=0.001, delay=1.0),
            )
            for k in range(n)
        ]
        synapses = sum(each.size(gather=True) for each in made)
        return Built(populations, sum(sizes), synapses, synapses / sum(sizes))

    return build


def _populations(n: int) -> Callable[[Any, Any], Built]:
    """n populations of 10 neurons, each of which projects to the next three."""

    def build(sim: Any, rng: Any) -> Built:
        populations = [sim.Population(10, sim.IF_curr_exp(i_offset=0.8)) for _ in range(n)]
        synapse = sim.StaticSynapse(weight=0.001, delay=1.0)
        connector = sim.FixedProbabilityConnector(0.3, rng=rng)
        made = [
            sim.Projection(populations[k], populations[(k + more) % n], connector, synapse)
            for more in (1, 2, 3)
            for k in range(n)
        ]
        synapses = sum(each.size(gather=True) for each in made)
        return Built(populations, 10 * n, synapses, synapses / (10 * n))

    return build


def _microcircuit(scale: float, background: str) -> Callable[[Any, Any], Built]:
    def build(sim: Any, rng: Any) -> Built:
        populations, synapses = microcircuit.build(sim, rng, scale, background)
        neurons = sum(population.size for population in populations)
        return Built(populations, neurons, synapses, synapses / neurons)

    return build


NETWORKS: dict[str, Network] = {
    "cuba4000": Network(_vogels_abbott("cuba", 4000)),
    "cuba20000": Network(_vogels_abbott("cuba", 20_000)),
    "coba4000": Network(_vogels_abbott("coba", 4000)),
    "coba20000": Network(_vogels_abbott("coba", 20_000)),
    "hh1000": Network(_vogels_abbott("hh", 1000), 500.0),
    "adex1000": Network(_vogels_abbott("adex", 1000), 500.0),
    "izhikevich1000": Network(_vogels_abbott("izhikevich", 1000), 500.0),
    "brunel": Network(_brunel, 500.0),
    "microcircuit0.1-poisson": Network(_microcircuit(0.1, "poisson")),
    "microcircuit0.1-dc": Network(_microcircuit(0.1, "dc")),
    "microcircuit0.2-poisson": Network(_microcircuit(0.2, "poisson"), 500.0),
    "microcircuit0.2-dc": Network(_microcircuit(0.2, "dc"), 500.0),
    "microcircuit1.0-poisson": Network(_microcircuit(1.0, "poisson"), 500.0, large=True),
    "microcircuit1.0-dc": Network(_microcircuit(1.0, "dc"), 500.0, large=True),
    "stdp": Network(_stdp),
    "projections2000": Network(_small_projections(2000), 100.0),
    "populations300": Network(_populations(300), 100.0),
    "calls-run": Network(_few, advance=by_steps),
    "calls-callbacks": Network(_few, advance=by_callbacks),
    "calls-data": Network(_few, advance=with_data),
    "silent": Network(_silent, 100.0, large=True),
    "wide": Network(_wide, 100.0, large=True),
}
