"""What scripts for one of PyNN's other backends say that is in no other's vocabulary.

What changes nothing but how a machine is used is accepted, with one warning. Everything else is an
error that says whose it is, and what comes nearest to it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn_sparse.notices import warn

from . import simulator
from .doors.checks import did_you_mean
from .options import seed_number

SPINNAKER, NEST, NEURON = "sPyNNaker", "pyNN.nest", "pyNN.neuron"

SET_TIMES = "sim.SpikeSourceArray, whose spike_times can be set between runs"
SET_RATE = "sim.SpikeSourcePoisson, whose rate can be set between runs"
OWN_MODELS = "sim.native_cell_type and sim.nestml_cell_type make neuron models"
STDP = "sim.STDPMechanism has the rules of PyNN, sim.native_synapse_type makes others"
COMPARTMENTS = "cells of one compartment only are simulated here"
MATRIX = "sim.ArrayConnector or sim.FromListConnector take any connections"

# Names of other backends' modules: whose they are, and what comes nearest.
FOREIGN: dict[str, tuple[str, str]] = {
    "external_devices": (SPINNAKER, SET_TIMES),
    "get_machine": (SPINNAKER, "sim.describe_network() says what a network needs"),
    "get_projections_data": (SPINNAKER, "Projection.get gives weights and delays"),
    "add_socket_address": (SPINNAKER, SET_TIMES),
    "run_forever": (SPINNAKER, "sim.run with callbacks"),
    "stop_run": (SPINNAKER, "sim.run with callbacks"),
    "continue_simulation": (SPINNAKER, "sim.run with callbacks"),
    "KernelConnector": (SPINNAKER, MATRIX),
    "OneToOneOffsetConnector": (SPINNAKER, MATRIX),
    "FromFileOffsetConnector": (SPINNAKER, MATRIX),
    "NeighbourConnector": (SPINNAKER, MATRIX),
    "AllButMeConnector": (SPINNAKER, "sim.AllToAllConnector(allow_self_connections=False)"),
    "MultapseConnector": (SPINNAKER, "sim.FixedTotalNumberConnector"),
    "SpikeSourcePoissonVariable": (SPINNAKER, SET_RATE),
    "SpikeSourceFromFile": (SPINNAKER, "sim.SpikeSourceArray"),
    "SpikeInjector": (SPINNAKER, SET_TIMES),
    "IZK_curr_exp": (SPINNAKER, "sim.Izhikevich"),
    "IZK_cond_exp": (SPINNAKER, OWN_MODELS),
    "IF_curr_dual_exp": (SPINNAKER, "sim.PointNeuron(sim.LIF(...), ...) with several receptors"),
    "NativeSynapseType": (NEST, STDP),
    "NESTSynapseMixin": (NEST, STDP),
    "native_electrode_type": (NEST, "sim.StepCurrentSource takes any current"),
    "NativeElectrodeType": (NEST, "sim.StepCurrentSource takes any current"),
    "NestCurrentSource": (NEST, "sim.StepCurrentSource takes any current"),
    "NativeCellType": (f"{NEST} and {NEURON}", OWN_MODELS),
    "nest": (NEST, "NEST itself is not part of this backend"),
    "IntFire1": (NEURON, OWN_MODELS),
    "IntFire2": (NEURON, OWN_MODELS),
    "IntFire4": (NEURON, OWN_MODELS),
    "MultiCompartmentNeuron": (NEURON, COMPARTMENTS),
    "morphology": (NEURON, COMPARTMENTS),
    "NaChannel": (NEURON, COMPARTMENTS),
    "KdrChannel": (NEURON, COMPARTMENTS),
    "PassiveLeak": (NEURON, COMPARTMENTS),
    "PassiveLeakHomogeneous": (NEURON, COMPARTMENTS),
}  # fmt: skip

# What sPyNNaker's Population takes beside PyNN's arguments, and uses for the machine alone.
OF_THE_MACHINE = frozenset(
    "neurons_per_core splitter spikes_per_second ring_buffer_sigma incoming_spike_buffer_size "
    "drop_late_spikes max_rate max_expected_summed_weight n_colour_bits constraints".split()
)


def name() -> str:
    """The name of this simulator, as sPyNNaker has it for titles of figures."""
    return simulator.name


def set_number_of_neurons_per_core(neuron_type: Any, max_permitted: Any) -> None:
    """Accepted for scripts of sPyNNaker; neurons are divided among threads by themselves."""
    why = "has no effect here: neurons are divided among threads by themselves"
    warn_once("set_number_of_neurons_per_core", why)


def set_number_of_synapse_cores(neuron_type: Any, n_synapse_cores: Any) -> None:
    """Accepted for scripts of sPyNNaker; synapses are divided among threads by themselves."""
    why = "has no effect here: synapses are divided among threads by themselves"
    warn_once("set_number_of_synapse_cores", why)


def set_allow_delay_extensions(neuron_type: Any, new_value: Any = True) -> None:
    """Accepted for scripts of sPyNNaker; delays are limited by `setup(max_delay=...)` alone."""
    why = "has no effect here: delays are limited by max_delay of setup alone"
    warn_once("set_allow_delay_extensions", why)


def seed_of_population(arguments: Mapping[str, Any]) -> int | None:
    """What sPyNNaker's additional arguments of a population come to: a seed, or None.

    Raises TypeError for an argument that sPyNNaker does not have, either.
    """
    valid = {"seed", *OF_THE_MACHINE}
    for argument in arguments:
        if argument not in valid:
            raise TypeError(
                f"Population() has no argument {argument!r}{did_you_mean(argument, ARGUMENTS)}"
            )
    idle = [argument for argument in arguments if argument in OF_THE_MACHINE]
    if idle:
        why = "has no effect here: there is no such machine"
        warn_once(f"of a Population, {', '.join(idle)}", why)
    seed = arguments.get("seed")
    return None if seed is None else seed_number("seed", seed)


ARGUMENTS = ("size", "cellclass", "cellparams", "structure", "initial_values", "label")


def foreign(module: str, attribute: str) -> AttributeError:
    """The error for a name that this backend does not have."""
    text = f"module {module!r} has no attribute {attribute!r}"
    if attribute in FOREIGN:
        owner, nearest = FOREIGN[attribute]
        text += f": it is {owner}'s own. Nearest to it here: {nearest}"
    return AttributeError(text)


def warn_once(what: str, why: str) -> None:
    """Say, once after each `setup`, what becomes of something that is sPyNNaker's."""
    if what not in simulator.state.said:
        simulator.state.said.add(what)
        warn(f"{what} (sPyNNaker's) {why}")
