"""scikit-learn: its multilayer perceptrons as graphs of layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import GraphError
from ..layers import Assembling, Dense, Graph, Rectifier

PERCEPTRONS = ("MLPClassifier", "MLPRegressor")


def is_model(source: Any) -> bool:
    """Whether it is one of scikit-learn's multilayer perceptrons."""
    return type(source).__name__ in PERCEPTRONS and type(source).__module__.startswith("sklearn.")


def read(source: Any) -> Graph:
    """The graph of a perceptron, without the function that makes probabilities of its outputs.

    Layers are `fc1`, `relu1`, `fc2` and so on. Raises GraphError for one that has not been fitted,
    and for another activation than "relu".
    """
    kind = type(source).__name__
    if not hasattr(source, "coefs_"):
        raise GraphError(f"{kind}: has not been fitted yet")
    if source.activation != "relu":
        raise GraphError(f"{kind}: activation = {source.activation!r}: must be 'relu'")
    made = Assembling()
    before = made.input("input", (len(source.coefs_[0]),))
    last = len(source.coefs_)
    layers = zip(source.coefs_, source.intercepts_, strict=True)
    for number, (weight, bias) in enumerate(layers, start=1):
        dense = Dense(np.asarray(weight).T, np.asarray(bias))
        before = made.layer(f"fc{number}", dense, before)
        if number < last:
            before = made.layer(f"relu{number}", Rectifier(), before)
    made.output("output", before)
    return made.graph()
