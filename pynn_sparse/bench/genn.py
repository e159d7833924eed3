"""Networks in GeNN, through pygenn: code generated and compiled for one thread of the CPU.

Units are PyNN's (mV, ms, nF, nA, uS). Floating-point numbers are of single precision, as is usual
with GeNN; equal models of receptors are fused, and indices are as narrow as they can be.
"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from . import microcircuit
from .networks import NETWORKS as ALL
from .networks import SHARED, TIMESTEP, VOGELS_ABBOTT, Built

NETWORKS = tuple(name for name in ALL if name not in ("hh1000", "adex1000", "silent", "wide"))

# All pairs count, as in PyNN: a trace is the sum over a neuron's spikes so far, at the last one.
# GeNN's own rule takes the nearest neighbours only.
TRACE = "{0}_trace = {0}_trace * exp(-(t - st_{0}) / tau_{1}) + 1;"
CHANGE = "g = fmin(w_max, fmax(w_min, g {0} a_{1} * {2}_trace * exp(-(t - st_{2}) / tau_{1})));"


class Recorded:
    """Neurons of which spikes are recorded."""

    def __init__(self, population: Any) -> None:
        self._population = population
        self.size = population.num_neurons

    def trains(self) -> list[Any]:
        """Spike times (ms) of each neuron that has fired."""
        ((times, neurons),) = self._population.spike_recording_data
        order = np.lexsort((times, neurons))
        times, neurons = times[order], neurons[order]
        # GeNN stamps a step's spikes with its beginning.
        return np.split(times + TIMESTEP, np.flatnonzero(np.diff(neurons)) + 1)


class Simulation:
    """A model in the making, then its compiled form; room for the spikes of `steps` time steps."""

    def __init__(self, steps: int) -> None:
        import pygenn

        self.genn = pygenn
        self.model = pygenn.GeNNModel("float", "bench", backend="single_threaded_cpu")
        self.model.dt = TIMESTEP
        self.model.seed = 1
        self.model.fuse_postsynaptic_models = True
        self.model.default_narrow_sparse_ind_enabled = True
        self._steps = steps
        self._folder = tempfile.TemporaryDirectory(prefix="genn")

    def neurons(self, size: int, p: dict[str, float], v: Any, current: float = 0.0) -> Any:
        """Integrate-and-fire neurons with PyNN's parameters `p`, whose spikes are recorded."""
        parameters = {
            "C": p["cm"],
            "TauM": p["tau_m"],
            "Vrest": p["v_rest"],
            "Vreset": p["v_reset"],
            "Vthresh": p["v_thresh"],
            "Ioffset": current,
            # Half a step less, so that rounding errors do not add a step.
            "TauRefrac": p["tau_refrac"] - TIMESTEP / 2,
        }
        made = self._add(int(size), "LIF", parameters, {"V": v, "RefracTime": 0.0})
        made.spike_recording_enabled = True
        return made

    def sources(self, size: int, rate: float) -> Any:
        """Poisson neurons, Hz."""
        return self._add(size, "Poisson", {"rate": rate}, {"timeStepToSpike": 0.0})

    def _add(self, size: int, cell: Any, parameters: Any, variables: Any) -> Any:
        name = f"population{len(self.model.neuron_populations)}"
        return self.model.add_neuron_population(name, size, cell, parameters, variables)

    def kick(self, size: int, rate: float, duration: float) -> Any:
        """Poisson neurons that stop after `duration` (ms)."""
        cell = self.genn.create_neuron_model(
            "kick",
            params=["probability", "end"],
            threshold_condition_code="t < end && gennrand_uniform() < probability",
        )
        return self._add(size, cell, {"probability": rate * TIMESTEP / 1000, "end": duration}, {})

    def background(self, population: Any, rate: float, weight: float, tau: float) -> None:
        """Each neuron's own Poisson input, Hz, of exponential currents: nA, ms."""
        parameters = {"weight": weight, "tauSyn": tau, "rate": rate}
        name = f"background_{population.name}"
        self.model.add_current_source(name, "PoissonExp", population, parameters, {"current": 0.0})

    def synapses(self, pre: Any, post: Any, synapse: Any, receptor: Any, connector: Any) -> Any:
        """A projection; `connector` is the name of GeNN's rule and its parameters."""
        return self.model.add_synapse_population(
            f"projection{len(self.model.synapse_populations)}",
            "SPARSE",
            pre,
            post,
            synapse,
            receptor,
            self.genn.init_sparse_connectivity(*connector),
        )

    def constant(self, pre: Any, post: Any, weight: float, delay: float, *rest: Any) -> Any:
        """A projection of one weight and one delay (ms)."""
        synapse = self.genn.init_weight_update("StaticPulseConstantWeight", {"g": weight})
        made = self.synapses(pre, post, synapse, *rest)
        made.axonal_delay_steps = extra_steps(delay)
        return made

    def ready(self) -> None:
        """Compile the model, and make the network."""
        self.model.build(self._folder.name)
        self.model.load(num_recording_timesteps=self._steps)

    def run(self, time: float) -> None:
        """Advance by `time` (ms)."""
        for _ in range(round(time / TIMESTEP)):
            self.model.step_time()


def extra_steps(delay: float) -> int:
    """Steps of a delay (ms) beyond the one that each spike takes in GeNN."""
    return round(delay / TIMESTEP) - 1


def build(sim: Simulation, name: str) -> Built:
    """Make one of `NETWORKS`."""
    if name == "brunel":
        built = _brunel(sim)
    elif name == "stdp":
        built = _stdp(sim)
    elif name.startswith("microcircuit"):
        scale, background = name.removeprefix("microcircuit").split("-")
        built = _microcircuit(sim, float(scale), background)
    else:
        built = _vogels_abbott(sim, name[:4], int(name[4:]))
    sim.ready()
    return built


def trains(sim: Simulation, built: Built) -> list[Any]:
    """Spike times (ms) of all neurons that have fired, after as many steps as there is room for."""
    sim.model.pull_recording_buffers_from_device()
    return [train for recorded in built.recorded for train in recorded.trains()]


def _built(populations: list[Any], synapses: float, **more: float) -> Built:
    size = sum(population.num_neurons for population in populations)
    recorded = [Recorded(population) for population in populations]
    return Built(recorded, size, round(synapses), synapses / size, **more)


def _vogels_abbott(sim: Simulation, kind: str, size: int) -> Built:
    _, parameters, excitation, inhibition = VOGELS_ABBOTT[kind]
    p = SHARED | parameters
    v = sim.genn.init_var("Uniform", {"min": -60.0, "max": -50.0})
    n_exc = int(0.8 * size)
    populations = [sim.neurons(each, p, v) for each in (n_exc, size - n_exc)]
    receptors = [
        sim.genn.init_postsynaptic("ExpCurr", {"tau": p[f"tau_syn_{sign}"]})
        if kind == "cuba"
        else _conductance(sim, p[f"tau_syn_{sign}"], p[f"e_rev_{sign}"])
        for sign in "EI"
    ]
    kick = sim.kick(20, 100.0, 50.0)
    for post in populations:
        for pre, weight, receptor in zip(
            populations, (excitation, inhibition), receptors, strict=True
        ):
            rule = ("FixedProbability", {"prob": 80 / size})
            sim.constant(pre, post, weight, 0.2, receptor, rule)
        few = ("FixedProbability", {"prob": 0.02})
        sim.constant(kick, post, 6 * excitation, 0.2, receptors[0], few)
    # The expected number, which the drawn one is within a per cent of: reading that takes memory.
    return _built(populations, 80.0 * size)


def _conductance(sim: Simulation, tau: float, reversal: float) -> Any:
    v = {"V": "V"}
    return sim.genn.init_postsynaptic("ExpCond", {"tau": tau, "E": reversal}, var_refs=v)


def _brunel(sim: Simulation, size: int = 12_500) -> Built:
    p = {"v_rest": 0.0, "v_reset": 0.0, "v_thresh": 20.0, "tau_refrac": 2.0, "cm": 0.25}
    tau, weight, n_exc = 0.5, 0.05, int(0.8 * size)
    populations = [sim.neurons(each, p | {"tau_m": 20.0}, 0.0) for each in (n_exc, size - n_exc)]
    receptor = sim.genn.init_postsynaptic("ExpCurr", {"tau": tau})
    for post in populations:
        for pre, strength in zip(populations, (weight, -5 * weight), strict=True):
            sim.constant(pre, post, strength, 1.5, receptor, ("FixedProbability", {"prob": 0.1}))
        sim.background(post, 20_000.0, weight, tau)
    return _built(populations, 0.1 * size**2)


def _stdp(sim: Simulation) -> Built:
    p = {"tau_m": 20.0, "cm": 0.2, "v_rest": -60.0, "v_reset": -60.0, "v_thresh": -50.0}
    neurons = sim.neurons(1000, p | {"tau_refrac": 2.0}, -60.0)
    sources = sim.sources(12_000, 14.0)
    delay, w_max = extra_steps(1.0), 0.006
    rule = sim.genn.create_weight_update_model(
        "additive",
        params=["tau_plus", "tau_minus", "a_plus", "a_minus", "w_min", "w_max"],
        vars=[("g", "scalar")],
        pre_vars=[("pre_trace", "scalar")],
        post_vars=[("post_trace", "scalar")],
        pre_spike_code=TRACE.format("pre", "plus"),
        post_spike_code=TRACE.format("post", "minus"),
        pre_spike_syn_code=f"addToPostDelay(g, {delay});" + CHANGE.format("-", "minus", "post"),
        post_spike_syn_code=CHANGE.format("+", "plus", "pre"),
    )
    parameters = {"tau_plus": 20.0, "tau_minus": 20.0, "w_min": 0.0, "w_max": w_max}
    # PyNN's are relative to the greatest weight.
    parameters |= {"a_plus": 0.001 * w_max, "a_minus": 0.00105 * w_max}
    weight = sim.genn.init_var("Uniform", {"min": 0.0, "max": w_max})
    synapse = sim.genn.init_weight_update(
        rule, parameters, {"g": weight}, {"pre_trace": 0.0}, {"post_trace": 0.0}
    )
    receptor = sim.genn.init_postsynaptic("ExpCurr", {"tau": 5.0})
    connector = ("FixedProbability", {"prob": 0.1})
    made = sim.synapses(sources, neurons, synapse, receptor, connector)
    # The whole delay is dendritic: a neuron's own spikes take as long to its synapses.
    made.max_dendritic_delay_timesteps = delay + 1
    made.back_prop_delay_steps = delay
    return _built([neurons], 1_200_000.0)


def _microcircuit(sim: Simulation, scale: float, background: str) -> Built:
    n = microcircuit.numbers(scale, background)
    v = sim.genn.init_var("Normal", {"mean": -58.0, "sd": 10.0})
    populations = [
        sim.neurons(size, microcircuit.NEURON, v, float(current))
        for size, current in zip(n.size, n.current, strict=True)
    ]
    receptor = sim.genn.init_postsynaptic("ExpCurr", {"tau": microcircuit.TAU_SYN})
    for target, source in zip(*np.nonzero(n.synapses), strict=True):
        synapse = _drawn(sim, float(n.weight[target, source]))
        number = int(n.synapses[target, source])
        rule = ("FixedNumberTotalWithReplacement", {"num": number})
        made = sim.synapses(populations[source], populations[target], synapse, receptor, rule)
        made.max_dendritic_delay_timesteps = extra_steps(_longest(microcircuit.DELAY_E)) + 1
    if background == "poisson":
        for population, rate in zip(populations, n.rate, strict=True):
            sim.background(population, float(rate), n.external, microcircuit.TAU_SYN)
    return _built(populations, float(n.synapses.sum()))


def _drawn(sim: Simulation, weight: float) -> Any:
    """Synapses with weights (nA) and delays of normal distributions."""
    most = float(np.finfo(np.float32).max)
    limits = {"min": 0.0, "max": most} if weight > 0 else {"min": -most, "max": 0.0}
    law = microcircuit.DELAY_E if weight > 0 else microcircuit.DELAY_I
    g = {"mean": weight, "sd": 0.1 * abs(weight), **limits}
    # Less the step that each spike takes.
    d = {"mean": law[0] - TIMESTEP, "sd": law[1], "min": 0.0, "max": _longest(law) - TIMESTEP}
    drawn = {
        "g": sim.genn.init_var("NormalClipped", g),
        "d": sim.genn.init_var("NormalClippedDelay", d),
    }
    return sim.genn.init_weight_update("StaticPulseDendriticDelay", {}, drawn)


def _longest(law: tuple[float, float]) -> float:
    """A delay (ms) that one synapse in a billion would exceed."""
    mean, deviation = law
    return mean + 6 * deviation
