"""Runs xylosim, through rockpool's XyloSim, with the tables of folders; needs rockpool and xylosim.

    python xylosim_run.py STEPS FOLDER...

reads `xylo.npz` and `raster.npy` [steps, inputs] and writes `reference.npz` with `current`
[steps, N, 2], `voltage` and `spikes` [steps, N]. Without samna, which fetches itself from the
network when it is imported, empty modules take its place.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from pathlib import Path

import numpy as np


class AnyAttribute(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything


class Anything(metaclass=AnyAttribute):
    pass


class NoSamna(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] != "samna":
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = self.attribute
        return module

    @staticmethod
    def attribute(name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything

    def exec_module(self, module):
        module.__path__ = []


sys.meta_path.insert(0, NoSamna())
from rockpool.devices.xylo.syns61201.xylo_sim import XyloSim  # noqa: E402


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
