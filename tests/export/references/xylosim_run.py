"""Runs xylosim, through rockpool's XyloSim, with the tables of folders; needs rockpool and xylosim.

    python xylosim_run.py STEPS FOLDER...

reads `xylo.npz` and `raster.npy` [steps, inputs] and writes `reference.npz` with `current`
[steps, N, 2], `voltage` and `spikes` [steps, N].
"""

import sys
from pathlib import Path

import no_samna  # noqa: F401
import numpy as np
from rockpool.devices.xylo.syns61201.xylo_sim import XyloSim


def run(folder, steps):
    arrays = dict(np.load(folder / "xylo.npz"))
    arrays.pop("input_delay")
    shifts = {name: int(arrays.pop(name)) for name in ("weight_shift_in", "weight_shift_rec")}
    n = len(arrays["threshold"])
    lists = {
        name: [int(x) for x in arrays[name]]
        for name in ("dash_mem", "dash_syn", "dash_syn_2", "threshold", "bias")
    }
    weights = {name: arrays[name] for name in ("weights_in", "weights_rec", "weights_out")}
    sim = XyloSim.from_specification(
        **weights,
        **lists,
        **shifts,
        dash_mem_out=[1],
        dash_syn_out=[1],
        threshold_out=[30000],
        bias_out=[0],
        verify_config=False,
    )
    raster = np.load(folder / "raster.npy")
    _, _, record = sim.evolve(raster.astype(int), record=True)
    current = np.stack([record["Isyn"], record["Isyn2"]], axis=2)
    np.savez(
        folder / "reference.npz",
        current=current[:, :n],
        voltage=record["Vmem"][:, :n],
        spikes=record["Spikes"][:, :n],
    )


if __name__ == "__main__":
    for each in sys.argv[2:]:
        run(Path(each), int(sys.argv[1]))
