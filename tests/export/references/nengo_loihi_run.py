"""Runs nengo-loihi's emulator with the tables of folders; for a Python that has nengo-loihi.

    python nengo_loihi_run.py STEPS FOLDER...

reads `loihi.npz` and `events.npy` (step, axon) and writes `reference.npz` with `current`, `voltage`
and `spikes` after each step. The emulator has no delays: a spike is input of the next step.
"""

import sys
from pathlib import Path

import numpy as np
from nengo_loihi.block import Axon, LoihiBlock, Synapse
from nengo_loihi.builder.builder import Model
from nengo_loihi.emulator.interface import EmulatorInterface
from nengo_loihi.inputs import SpikeInput


def dense(tables, rows):
    """Weights (source, target) as they are added up."""
    weight = np.zeros((len(rows), len(tables["du"])), np.int32)
    for place, row in enumerate(rows):
        k = slice(tables["indptr"][row], tables["indptr"][row + 1])
        values = tables["weight"][k] << (6 + tables["weight_exp"][k])
        np.add.at(weight[place], tables["indices"][k], values.astype(np.int32))
    return weight


def synapse(weight):
    made = Synapse(len(weight))
    made.set_weights(weight.astype(np.float32))
    made.weights = [row[None, :] for row in weight]
    made.format(weight_exp=0)
    return made


def connected(size, target):
    axon = Axon(size)
    axon.target = target
    axon.set_compartment_axon_map(np.arange(size))
    return axon


def compartments(tables):
    n = len(tables["du"])
    block = LoihiBlock(n)
    block.compartment.configure_lif()
    for name, values in (
        ("decay_u", tables["du"]),
        ("decay_v", tables["dv"]),
        ("vth", tables["vth_mant"] << 6),
        ("bias", tables["bias_mant"] << tables["bias_exp"]),
        ("refract_delay", tables["refract"]),
    ):
        setattr(block.compartment, name, values.astype(np.int32))
    block.compartment.vmin, block.compartment.vmax = -(2**23) + 1, 2**23 - 1
    block.compartment.scale_u = block.compartment.scale_v = False
    return block


def run(folder, steps):
    tables, events = np.load(folder / "loihi.npz"), np.load(folder / "events.npy")
    n, axons = len(tables["du"]), len(tables["indptr"]) - 1
    assert not tables["delay"].any(), "the emulator has no delays"
    assert not tables["v_init"].any(), "and begins at 0"
    model, block = Model(), compartments(tables)
    recurrent, inputs = (synapse(dense(tables, rows)) for rows in (range(n), range(n, axons)))
    block.add_synapse(recurrent)
    block.add_axon(connected(n, recurrent))
    block.add_synapse(inputs)
    model.add_block(block)
    source = SpikeInput(axons - n)
    source.add_axon(connected(axons - n, inputs))
    for step in np.unique(events[:, 0]):
        source.add_spikes(int(step), (events[events[:, 0] == step, 1] - n).tolist())
    model.add_input(source)
    emulator = EmulatorInterface(model, seed=0)
    state = {"current": [], "voltage": [], "spikes": []}
    for _ in range(steps):
        emulator.step()
        found = emulator.compartment
        for name, array in zip(state, (found.current, found.voltage, found.spiked), strict=True):
            state[name].append(array.copy())
    np.savez(folder / "reference.npz", **{name: np.array(each) for name, each in state.items()})


if __name__ == "__main__":
    for each in sys.argv[2:]:
        run(Path(each), int(sys.argv[1]))
