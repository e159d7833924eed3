"""Runs lava's bit-accurate LIF and DelayDense with the tables of folders; needs lava-nc.

    python lava_run.py STEPS FOLDER...

reads `loihi.npz` and `events.npy` (step, axon) and writes `reference.npz` with `current`, `voltage`
and `spikes` after each step. Decays and thresholds are those of the first neuron: a LIF shares
them. There are no refractory periods.
"""

import sys
from pathlib import Path

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi1SimCfg
from lava.proc.dense.process import DelayDense
from lava.proc.io.source import RingBuffer
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor
from lava.utils.weightutils import SignMode


def connections(tables, first, size):
    """One process for each exponent, and place among the synapses between two cells."""
    n = len(tables["du"])
    row = np.repeat(np.arange(len(tables["indptr"]) - 1), np.diff(tables["indptr"]))
    mine = np.flatnonzero((row >= first) & (row < first + size))
    seen, parts = {}, {}
    for k in mine:
        pair = int(tables["weight_exp"][k]), int(row[k]), int(tables["indices"][k])
        seen[pair] = seen.get(pair, -1) + 1
        parts.setdefault((pair[0], seen[pair]), []).append(k)
    made = []
    for (exponent, _), k in sorted(parts.items()):
        weight, delay = np.zeros((n, size), int), np.zeros((n, size), int)
        weight[tables["indices"][k], row[k] - first] = tables["weight"][k]
        delay[tables["indices"][k], row[k] - first] = tables["delay"][k]
        options = {"num_weight_bits": int(tables["weight_bits"]), "weight_exp": exponent}
        made.append(DelayDense(weights=weight, delays=delay, sign_mode=SignMode.MIXED, **options))
    return made


def run(folder, steps):
    tables, events = np.load(folder / "loihi.npz"), np.load(folder / "events.npy")
    n, axons = len(tables["du"]), len(tables["indptr"]) - 1
    assert (tables["refract"] == 1).all(), "the bit-accurate LIF has no refractory period"
    raster = np.zeros((axons - n, steps), int)
    inside = events[events[:, 0] <= steps]
    raster[inside[:, 1] - n, inside[:, 0] - 1] = 1
    neurons = LIF(
        shape=(n,),
        du=int(tables["du"][0]),
        dv=int(tables["dv"][0]),
        vth=int(tables["vth_mant"][0]),
        bias_mant=tables["bias_mant"],
        bias_exp=tables["bias_exp"],
    )
    sources = RingBuffer(data=raster)
    for first, size, output in ((0, n, neurons.s_out), (n, axons - n, sources.s_out)):
        for dense in connections(tables, first, size):
            output.connect(dense.s_in)
            dense.a_out.connect(neurons.a_in)
    monitors = {"current": Monitor(), "voltage": Monitor(), "spikes": Monitor()}
    for name, variable in (("current", "u"), ("voltage", "v"), ("spikes", "s_out")):
        monitors[name].probe(getattr(neurons, variable), steps)
    neurons.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi1SimCfg(select_tag="fixed_pt"))
    found = {}
    for name, monitor in monitors.items():
        (data,) = next(iter(monitor.get_data().values())).values()
        found[name] = data
    neurons.stop()
    np.savez(folder / "reference.npz", **found)


if __name__ == "__main__":
    for each in sys.argv[2:]:
        run(Path(each), int(sys.argv[1]))
