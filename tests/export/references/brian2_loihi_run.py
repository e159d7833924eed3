"""Runs brian2-loihi with the tables of folders; for a Python that has brian2-loihi.

    python brian2_loihi_run.py STEPS FOLDER...

reads `loihi.npz` and `events.npy` (step, axon) and writes `reference.npz` with `current`, `voltage`
and `spikes` (step, neuron). Registers are those of the first neuron: a group shares them.
"""

import sys
from pathlib import Path

import numpy as np
from brian2 import prefs, start_scope
from brian2_loihi import (
    LoihiNetwork,
    LoihiNeuronGroup,
    LoihiSpikeGeneratorGroup,
    LoihiSpikeMonitor,
    LoihiStateMonitor,
    LoihiSynapses,
)

prefs.codegen.target = "numpy"


def synapses(tables, sources, targets, first):
    """One group for each delay and exponent, since that is what brian2-loihi has."""
    row = np.repeat(np.arange(len(tables["indptr"]) - 1), np.diff(tables["indptr"]))
    mine = (row >= first) & (row < first + sources.N)
    kinds = np.stack([tables["delay"], tables["weight_exp"]], axis=1)
    made = []
    for delay, exponent in np.unique(kinds[mine], axis=0):
        k = np.flatnonzero(mine & (kinds == [delay, exponent]).all(axis=1))
        group = LoihiSynapses(
            sources,
            targets,
            delay=int(delay),
            w_exp=int(exponent),
            sign_mode=1,
            num_weight_bits=int(tables["weight_bits"]),
        )
        group.connect(i=row[k] - first, j=tables["indices"][k])
        group.w = tables["weight"][k]
        made.append(group)
    return made


def run(folder, steps):
    start_scope()
    tables, events = np.load(folder / "loihi.npz"), np.load(folder / "events.npy")
    n, axons = len(tables["du"]), len(tables["indptr"]) - 1
    assert not tables["bias_mant"].any(), "brian2-loihi has no bias"
    neurons = LoihiNeuronGroup(
        n,
        refractory=int(tables["refract"][0]),
        threshold_v_mant=int(tables["vth_mant"][0]),
        decay_v=int(tables["dv"][0]),
        decay_I=int(tables["du"][0]) + 1,
    )
    sources = LoihiSpikeGeneratorGroup(axons - n, events[:, 1] - n, events[:, 0])
    parts = [*synapses(tables, neurons, neurons, 0), *synapses(tables, sources, neurons, n)]
    states = {name: LoihiStateMonitor(neurons, name) for name in ("I", "v")}
    spikes = LoihiSpikeMonitor(neurons)
    LoihiNetwork(neurons, sources, *parts, *states.values(), spikes).run(steps)
    step = np.rint(np.asarray(spikes.t)).astype(int)
    np.savez(
        folder / "reference.npz",
        current=np.asarray(states["I"].I).T,
        voltage=np.asarray(states["v"].v).T,
        spikes=np.stack([step, np.asarray(spikes.i)], axis=1),
    )


if __name__ == "__main__":
    for each in sys.argv[2:]:
        run(Path(each), int(sys.argv[1]))
