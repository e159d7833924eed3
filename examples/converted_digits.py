"""An ordinary network as a spiking one: accuracy after each time step, and what it costs.

    python examples/converted_digits.py [--images 599] [--steps 32]

Trains scikit-learn's multilayer perceptron, with rectifying neurons, on 1198 of its 1797 digits;
converts it by the textbook (threshold at the maximum, reset to zero, v from 0 on) and by what
`convert` does if nothing is said; and classifies the other 599 digits by spikes. Prints accuracy
and synaptic operations after 1, 2, 4, ... steps, and draws both into `results/`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyNN.sparse as sim
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

N_TRAIN, EPOCHS = 1198, 60
TEXTBOOK = {"percentile": 100, "reset": "value", "v_start": 0.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=599, help="how many are classified")
    parser.add_argument("--steps", type=int, default=32, help="how long each is shown")
    options = parser.parse_args()

    digits = load_digits()
    images, labels = digits.data / 16, digits.target
    train, test = slice(0, N_TRAIN), slice(N_TRAIN, N_TRAIN + options.images)
    network = MLPClassifier((100, 50), random_state=1)
    for _ in range(EPOCHS):
        network.partial_fit(images[train], labels[train], classes=np.arange(10))
    print(f"ordinary network: {network.score(images[test], labels[test]):.1%}\n")

    curves = {}
    for name, recipe in (("convert", {}), ("textbook", TEXTBOOK)):
        sim.setup(timestep=1.0)
        net = sim.convert(network, images[train], **recipe)
        curves[name] = sim.latency_curve(net, images[test], labels[test], options.steps)
        print(f"{name}\n{curves[name]}\n")
    Path("results").mkdir(exist_ok=True)
    picture = Path("results") / "converted_digits.png"
    print(curves.pop("convert").plot(picture, **curves))


if __name__ == "__main__":
    main()
