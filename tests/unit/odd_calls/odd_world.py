"""A small network for odd calls of synapses and connectors, and odd values of their parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
from odd_frame import Case, odd_numbers
from pyNN.random import NumpyRNG, RandomDistribution

N_PRE, N_POST = 3, 4


class World:
    """A small network, and the pieces that odd calls are made of."""

    def __init__(self) -> None:
        sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0)
        self.old = sim.Population(2, sim.IF_curr_exp(), label="old")
        sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0)
        self.pre = sim.Population(N_PRE, sim.IF_curr_exp(), label="pre")
        self.post = sim.Population(N_POST, sim.IF_curr_exp(), label="post")
        self.conductances = sim.Population(2, sim.IF_cond_exp(), label="conductances")
        self.sources = sim.Population(2, sim.SpikeSourcePoisson(), label="sources")
        self.rng = NumpyRNG(seed=1)
        self.static = self.project(sim.StaticSynapse(weight=0.5, delay=1.0))
        self.facilitating = self.project(sim.TsodyksMarkramSynapse(weight=0.5))
        self.quantal = self.project(sim.MultiQuantalSynapse(weight=0.5, n=4))
        self.plastic = self.project(stdp())

    def project(self, synapse: Any, **arguments: Any) -> Any:
        arguments = {
            "presynaptic_neurons": self.pre,
            "postsynaptic_neurons": self.post,
            "connector": sim.AllToAllConnector(),
            "synapse_type": synapse,
            "receptor_type": "excitatory",
        } | arguments
        if getattr(synapse, "electrical", False):
            arguments["receptor_type"] = None
        return sim.Projection(**arguments)

    def case(self, name: str, parameter: str, call: Callable[[], Any]) -> Case:
        return Case(name, parameter, call, (self.rng,))


def stdp(timing: Any = None, dependence: Any = None, **more: Any) -> Any:
    return sim.STDPMechanism(
        timing or sim.SpikePairRule(),
        dependence or sim.AdditiveWeightDependence(),
        **{"weight": 0.5, "delay": 1.0} | more,
    )


def out_of_range(name: str) -> dict[str, Any]:
    """Numbers that this parameter cannot have."""
    negative = {"negative": -0.5, "negative in a matrix": np.full((N_PRE, N_POST), -0.5)}
    law = {"negative law": RandomDistribution("uniform", (-2.0, -1.0))}
    match name:
        case "weight":
            return negative | law | {"huge": 1e300, "2**1000": 2**1000}
        case "delay":
            return negative | law | {"zero": 0.0, "long": 10.06, "huge": 1e300, "2**63": 2**63}
        case "U" | "p":
            return negative | law | {"greater": 1.5, "2**63": 2**63}
        case "n":
            return negative | law | {"zero": 0, "half": 1.5, "2**63": 2**63}
        case "tau_rec" | "tau_plus" | "tau_minus" | "tau":
            return negative | law | {"zero": 0.0}
        case "tau_facil" | "rho" | "mu_plus" | "mu_minus" | "w_min" | "w_max":
            return negative | law
    return {}


def odd_values(name: str) -> dict[str, Any]:
    values = odd_numbers() | out_of_range(name)
    if name == "delay":
        del values["None"]  # the least delay
    return values
