#!/usr/bin/env bash
# In NEST 3.10.0, two of the three nearest-neighbour STDP synapses take the beginning of the simulation for a spike of
# the source: a target that fires before its source's first spike strengthens stdp_nn_symm_synapse and
# stdp_nn_restr_synapse, by what a spike of the source at time 0 would bring. stdp_synapse, of all pairs of spikes, and
# stdp_nn_pre_centered_synapse keep their weights, since their trace of the source is still 0.
# So weights depend on when a simulation began: the same spikes half a second later bring no change.
# Depression is switched off here (alpha = 0), so that nothing else changes the weight of 0.5: the target fires 10 ms
# after the beginning, the source for the first time at 30 ms. The script prints the weights, and fails once they change.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nest-simulator==3.10.0
"$folder/venv/bin/python" - <<'PYTHON'
import os
from importlib.metadata import version
from math import exp

stdout = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # NEST greets
import nest

os.dup2(stdout, 1)
nest.set_verbosity("M_ERROR")
RULE = {"weight": 0.5, "delay": 1.0, "receptor_type": 1, "lambda": 0.1, "alpha": 0.0}
RULE |= {"mu_plus": 0.0, "Wmax": 1.0, "tau_plus": 20.0}


def weight(model, later):
    nest.ResetKernel()
    source, target = nest.Create("parrot_neuron"), nest.Create("parrot_neuron")
    for parrot, time in ((target, 10.0), (source, 30.0)):
        spike = nest.Create("spike_generator", params={"spike_times": [time + later]})
        nest.Connect(spike, parrot, syn_spec={"delay": 1.0})
    nest.Connect(source, target, syn_spec={"synapse_model": model, **RULE})
    nest.Simulate(600.0)
    return nest.GetConnections(source, target).weight


# The target's spike comes to the synapse at 12 ms.
potentiated = 0.5 + 0.1 * exp(-12.0 / 20.0)
expected = {
    "stdp_synapse": 0.5,
    "stdp_nn_pre_centered_synapse": 0.5,
    "stdp_nn_symm_synapse": potentiated,
    "stdp_nn_restr_synapse": potentiated,
}
for model, at_once in expected.items():
    found = weight(model, 0.0), weight(model, 500.0)
    print(f"NEST {version('nest-simulator')}, {model}: 0.5 becomes {found[0]:.4f}, and half a second "
          f"later {found[1]:.4f}")
    assert abs(found[0] - at_once) < 1e-12, found
    assert abs(found[1] - 0.5) < 1e-9, found
PYTHON
