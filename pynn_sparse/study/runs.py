"""One run of a study: a network is trained and pruned, and classifies the test images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import Images, images
from .training import Network, trained

Floats = NDArray[np.float64]
SAMPLES = 500  # of the training images, by which the margin of an early exit is chosen
AGREEMENT = 0.99  # of them have at their exit the answer of the last step
HIDDEN = "relu1"


@dataclass(frozen=True)
class Trial:
    """What distinguishes a run; arguments are those of `training.trained`.

    Attributes:
        data: name of the images.
        way, sparsity: of pruning.
        bits: of weights.
        hidden: number of hidden cells.
        epochs: of training.
        steps: time steps that an image is shown at most.
        seed: of the training.
    """

    data: str
    way: str
    sparsity: float
    bits: int
    hidden: int
    epochs: int
    steps: int
    seed: int


def run_trial(sim: Any, trial: Trial) -> dict[str, Any]:
    """What a run found; to be called in a simulation with a time step of 1 ms.

    Returns a dictionary:

    ============================ ==================================================================
    ``accuracy``                 share of test images that are right, after 1, 2, ... steps
    ``input_operations``         pixels above 0 times their synapses, of a mean image; their sums
                                 are constant currents, which are computed once
    ``operations``               these, and spikes of hidden cells times their synapses until then
    ``spikes``                   of hidden cells until then, of a mean image
    ``exit``                     the same for images that end when the best output leads by a
                                 ``margin``, in levels; with the mean of ``steps``
    ``synapses``, ``dense``      weights that are not 0, and all
    ``levels``, ``units``        the weights: int8 [sources, targets] times their unit
    ============================ ==================================================================
    """
    data = _images(trial.data)
    net = trained(
        data, trial.way, trial.sparsity, trial.bits, trial.hidden, trial.epochs, trial.seed
    )
    spiking = sim.convert(
        _perceptron(net), data.train[:1], thresholds={HIDDEN: 1.0}, v_start=0.5, reset="subtract"
    )
    known, _ = _present(spiking, data.train[:SAMPLES], trial.steps)
    margin = _margin(np.rint(known / net.units[1]))
    scores, spikes = _present(spiking, data.test, trial.steps)
    scores = np.rint(scores / net.units[1])  # of equal ones the first is the answer
    fan_out = (net.levels[1] != 0).sum(axis=1)
    once = (data.test > 0) @ (net.levels[0] != 0).sum(axis=1)
    until = np.cumsum(spikes @ fan_out, axis=1) + once[:, None]  # [images, steps]
    right = scores.argmax(axis=2) == data.test_labels[:, None]
    end = exits(scores, margin)
    each = np.arange(len(end))
    return {
        "accuracy": right.mean(axis=0).tolist(),
        "input_operations": float(once.mean()),
        "operations": until.mean(axis=0).tolist(),
        "spikes": np.cumsum(spikes.sum(axis=2), axis=1).mean(axis=0).tolist(),
        "exit": {
            "margin": margin,
            "steps": float(end.mean()) + 1,
            "accuracy": float(right[each, end].mean()),
            "operations": float(until[each, end].mean()),
        },
        "synapses": net.synapses,
        "dense": net.dense,
        "levels": [level.astype(np.int8) for level in net.levels],
        "units": net.units,
    }


@lru_cache(maxsize=1)
def _images(name: str) -> Images:
    return images(name)


def _perceptron(net: Network) -> Any:
    """The network as `convert` takes it."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier()
    model.coefs_ = net.weights
    model.intercepts_ = [np.zeros(each.shape[1]) for each in net.weights]
    return model


def _present(net: Any, inputs: Floats, steps: int) -> tuple[Floats, NDArray[np.int64]]:
    """Sums of what reached the outputs, [images, steps, classes], and spikes of hidden cells."""
    from pyNN.sparse.trained.presenting import Samples, presented

    done = presented(net, Samples(net, inputs, steps), [HIDDEN])
    (readout,) = net.readouts
    return done.shown(readout).reshape(len(inputs), steps, -1), done.counts(HIDDEN)


def exits(scores: Floats, margin: float) -> NDArray[np.int64]:
    """The step, from 0 on, at which the best output leads by `margin`; else the last one."""
    leads = _leads(scores) >= margin
    leads[:, -1] = True
    return np.asarray(leads.argmax(axis=1))


def _leads(scores: Floats) -> Floats:
    best = np.sort(scores, axis=2)
    return np.asarray(best[:, :, -1] - best[:, :, -2])


def _margin(scores: Floats) -> float:
    """The least one, of 20, with which `AGREEMENT` of the images have the last step's answer."""
    answers = scores.argmax(axis=2)
    leads = _leads(scores)
    for margin in np.quantile(leads, np.linspace(0, 1, 21)):
        end = exits(scores, float(margin))
        if (answers[np.arange(len(end)), end] == answers[:, -1]).mean() >= AGREEMENT:
            break
    return float(margin)
