"""Runs BrainChip's akida with the tables of folders; needs akida.

    python akida_run.py WINDOWS FOLDER...

reads `akida.npz` and `counts.npy` [windows, inputs] and writes `reference.npz` with the outputs of
the model, `activation` [windows, units], with those of its last layer without activation,
`potential`, and with `mapped`, the number of layers that the virtual AKD1000 takes over.
"""

import sys
from pathlib import Path

import akida
import numpy as np


def model_of(arrays, last_activation):
    layers = sum(name.startswith("threshold_") for name in arrays)
    model = akida.Model()
    shape = (1, 1, arrays["weights_1"].shape[0])
    model.add(akida.InputData(input_shape=shape, input_bits=int(arrays["input_bits"])))
    for n in range(1, layers + 1):
        inputs, units = arrays[f"weights_{n}"].shape
        active = n < layers or last_activation
        layer = akida.FullyConnected(
            units,
            weights_bits=int(arrays["weights_bits"]),
            activation=active,
            act_bits=int(arrays["act_bits"]),
        )
        model.add(layer)
        layer.variables["weights"] = arrays[f"weights_{n}"].reshape(1, 1, inputs, units)
        if active:
            layer.variables["threshold"] = arrays[f"threshold_{n}"]
            layer.variables["act_step"] = arrays[f"act_step_{n}"]
    return model


def run(folder, windows):
    arrays = dict(np.load(folder / "akida.npz"))
    counts = np.load(folder / "counts.npy").astype(np.uint8).reshape(windows, 1, 1, -1)
    found = {}
    for name, active in (("activation", True), ("potential", False)):
        model = model_of(arrays, active)
        found[name] = model.forward(counts).reshape(windows, -1).astype(np.int64)
    model = model_of(arrays, True)
    model.map(akida.AKD1000(), hw_only=True)
    np.savez(folder / "reference.npz", mapped=len(model.layers) - 1, **found)


if __name__ == "__main__":
    for each in sys.argv[2:]:
        run(Path(each), int(sys.argv[1]))
