"""Perceptrons of one hidden layer, trained in NumPy so that few spikes and few bits will do.

What a hidden unit gives has `LEVELS` steps between 0 and 1, as the spikes of an integrate-and-fire
neuron in as many time steps (QCFS, Bu et al. 2022, arXiv:2303.04347), and weights are rounded to
their bits while they are trained; slopes pass both as if they were not there (Bengio et al. 2013,
arXiv:1308.3432). There are no biases: every cell of the spiking network is driven by spikes and
pixels alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .data import Images, Labels
from .masks import WAYS, Masks, State

Floats = NDArray[np.float64]
LEVELS = 4
BATCH = 50
RATE = 0.003  # of learning, at the beginning
CANDIDATES = np.linspace(0.3, 1.0, 15)  # of the greatest weight, for the greatest that is kept
SHIFT = 2  # pixels by which images are moved at most


@dataclass(frozen=True)
class Network:
    """A trained network.

    Attributes:
        levels: of each layer, int64 [sources, targets]; 0 where a synapse was removed.
        units: of each layer, what a level stands for; thresholds of the hidden cells are 1.
        dense: how many weights there were.
    """

    levels: list[NDArray[np.int64]]
    units: list[float]
    dense: int

    @property
    def weights(self) -> list[Floats]:
        """Weights as numbers."""
        pairs = zip(self.levels, self.units, strict=True)
        return [np.asarray(level * unit, np.float64) for level, unit in pairs]

    @property
    def synapses(self) -> int:
        """How many weights are not 0."""
        return sum(int(np.count_nonzero(each)) for each in self.levels)


def trained(
    data: Images, way: str, sparsity: float, bits: int, hidden: int, epochs: int, seed: int
) -> Network:
    """A network with a share of its weights removed in some way, and weights of some bits.

    A third of the epochs come first, then another third while weights are removed, and the last
    third with what is left. Weights are rounded from the second third on. Without sparsity the
    epochs are as many.

    Args:
        data: to train with; the test images are not looked at.
        way: of `WAYS`; of no meaning with sparsity 0.
        sparsity: share of the weights to remove, 0 to below 1.
        bits: of a weight with its sign, 1 to 8; 1 is -1 or +1.
        hidden: number of hidden cells.
        epochs: how often each image is shown, 3 or more.
        seed: of first weights, order and shifts.
    """
    rng = np.random.default_rng(seed)
    pixels, classes = data.train.shape[1], data.classes
    weights = [
        rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in ((pixels, hidden), (hidden, classes))
    ]
    masks = [np.ones(each.shape, bool) for each in weights]
    optimiser = _Adam(weights)
    third = epochs // 3
    batches = max(len(data.train) // BATCH, 1)
    for epoch in range(epochs):
        units = [unit_of(w[m], bits) for w, m in zip(weights, masks, strict=True)]
        for k, batch in enumerate(np.array_split(rng.permutation(len(data.train)), batches)):
            images = _shifted(data.train[batch], data.side, rng) if data.side else data.train[batch]
            used = _used(weights, masks, units, bits, epoch >= third)
            slopes = slopes_of(images, data.train_labels[batch], used)
            progress = (epoch * batches + k) / (epochs * batches)
            rate = RATE * 0.5 * (1 + np.cos(np.pi * progress))
            optimiser.step(weights, [s * m for s, m in zip(slopes, masks, strict=True)], rate)
        if sparsity and third <= epoch < epochs - third:
            share = (epoch - third + 1) / (epochs - 2 * third)
            masks = _pruned(data, way, weights, masks, share, sparsity)
    units = [unit_of(w[m], bits) for w, m in zip(weights, masks, strict=True)]
    levels = [rounded(w, unit, bits) * m for w, m, unit in zip(weights, masks, units, strict=True)]
    return Network(levels, units, sum(each.size for each in weights))


def _pruned(
    data: Images, way: str, weights: list[Floats], masks: Masks, share: float, sparsity: float
) -> Masks:
    some = slice(0, 1000)
    used = [w * m for w, m in zip(weights, masks, strict=True)]
    slopes = slopes_of(data.train[some], data.train_labels[some], used)
    hidden = fired(data.train[some] @ used[0])
    rates = [data.train.mean(axis=0), hidden.mean(axis=0), np.ones(weights[1].shape[1])]
    return WAYS[way](State(weights, masks, slopes, rates, share, sparsity))


def fired(drive: Floats) -> Floats:
    """What hidden cells give, in steps of 1/LEVELS from 0 to 1."""
    return np.asarray(np.clip(np.floor(LEVELS * drive + 0.5), 0, LEVELS) / LEVELS)


def slopes_of(images: Floats, labels: Labels, weights: list[Floats]) -> list[Floats]:
    """Slopes of the mean cross-entropy by all weights."""
    drive = images @ weights[0]
    hidden = fired(drive)
    scores = hidden @ weights[1]
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(labels)), labels] -= 1
    error = shares / len(labels)
    back = (error @ weights[1].T) * ((drive > 0) & (drive < 1))
    return [images.T @ back, hidden.T @ error]


def most_level(bits: int) -> int:
    """The greatest level of a weight."""
    return max((1 << (bits - 1)) - 1, 1)


def unit_of(weights: Floats, bits: int) -> float:
    """What a level stands for, so that the sum of squared errors is least of some candidates."""
    size = np.abs(weights)
    greatest = float(size.max(initial=0.0)) or 1.0
    if bits == 1:
        return float(size.mean())
    units = greatest * CANDIDATES / most_level(bits)
    errors = [float(((rounded(weights, unit, bits) * unit - weights) ** 2).sum()) for unit in units]
    return float(units[int(np.argmin(errors))])


def rounded(weights: Floats, unit: float, bits: int) -> NDArray[np.int64]:
    """Levels of weights; with one bit, their sign."""
    if bits == 1:
        return np.where(weights < 0, -1, 1)
    most = most_level(bits)
    return np.clip(np.rint(weights / unit), -most, most).astype(np.int64)


def _used(
    weights: list[Floats], masks: Masks, units: list[float], bits: int, rounds: bool
) -> list[Floats]:
    """Weights as the network has them."""
    if not rounds:
        return [np.asarray(w * m) for w, m in zip(weights, masks, strict=True)]
    parts = zip(weights, masks, units, strict=True)
    return [np.asarray(rounded(w, unit, bits) * unit * m) for w, m, unit in parts]


def _shifted(images: Floats, side: int, rng: np.random.Generator) -> Floats:
    """Each image moved by up to `SHIFT` pixels, along both axes."""
    square = images.reshape(-1, side, side)
    room = np.pad(square, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    windows = np.lib.stride_tricks.sliding_window_view(room, (side, side), axis=(1, 2))
    down, right = rng.integers(0, 2 * SHIFT + 1, (2, len(images)))
    return np.asarray(windows[np.arange(len(images)), down, right].reshape(len(images), -1))


class _Adam:
    """Kingma and Ba 2015, arXiv:1412.6980."""

    def __init__(self, weights: list[Floats]) -> None:
        self._first = [np.zeros_like(each) for each in weights]
        self._second = [np.zeros_like(each) for each in weights]
        self._steps = 0

    def step(self, weights: list[Floats], slopes: list[Floats], rate: float) -> None:
        """Change weights in place."""
        self._steps += 1
        bias = 1 - 0.9**self._steps, 1 - 0.999**self._steps
        for w, s, first, second in zip(weights, slopes, self._first, self._second, strict=True):
            first += 0.1 * (s - first)
            second += 0.001 * (s**2 - second)
            w -= rate * first / bias[0] / (np.sqrt(second / bias[1]) + 1e-8)
