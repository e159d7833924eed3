"""Ordinary networks, trained without spikes, as spiking ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.door import as_numbers, shown
from pynn_sparse.errors import GraphError
from pynn_sparse.interchange import onnx, scikit, torch
from pynn_sparse.interchange.layers import Graph, Input, Recipe, converted, plan, without_traces

from .. import simulator
from .network import TrainedNetwork


def convert(
    model: Any,
    data: Any,
    *,
    percentile: float = 99.0,
    reset: str = "subtract",
    v_start: float = 0.5,
    spikes: str = "one",
    thresholds: Mapping[str, float] | None = None,
    readout: str = "v",
) -> TrainedNetwork:
    """An ordinary network of ReLUs as a spiking one, without training it again.

    Each ReLU becomes a layer of integrate-and-fire neurons, whose threshold is a high percentile of
    what the ReLU gives for `data`; a spike counts as much as the threshold for the layers after it.
    Layers in between become synapses, biases constant currents. An image is shown for T steps, as
    in `present(net, images, steps=T)`; outputs are then sums over steps, and the greatest is the
    answer. Weights that single precision would lose beside the others, below 2^-24 of a target's
    sum, are left out.

    Args:
        model: path of an ONNX file, or an `onnx.ModelProto`; a `torch.nn.Module` that torch.fx can
            trace; or a fitted `MLPClassifier` or `MLPRegressor` of scikit-learn. Of a file nothing
            is executed. A ReLU with a ceiling (ReLU6, `Clip` from 0, or QCFS with its learnt
            threshold) has it for its threshold.
        data: some samples that it was trained with, `[samples, *shape]`; a dictionary by name where
            there are several inputs.
        percentile: of all values of a ReLU for the data, above 0 and up to 100, the maximum.
        reset: "subtract", a spike takes the threshold from v, or "value", v becomes 0.
        v_start: v before the first step, as a share of the threshold; below 1.
        spikes: "one" spike in a step at most; or "many", as often as the threshold goes into v.
        thresholds: name of a ReLU -> its threshold, in place of the percentile.
        readout: "v", outputs add up what arrives; or "spikes", they fire as the other layers do,
            with a percentile of what the outputs are for the data, as chips need it.

    Returns a `TrainedNetwork`; nothing is made where an error is raised.

    Raises `pynn_sparse.errors.GraphError`, a ValueError, with the node's name, for operators that
    cannot be converted, shapes that are not fixed or do not fit the data, and numbers that are not
    finite; TypeError for other models; RuntimeError before `setup`; FileNotFoundError; ImportError
    without onnx.

    Sources: Rueckauer et al. 2017, doi:10.3389/fnins.2017.00682 (percentiles); Han et al. 2020,
    arXiv:2003.01811 (reset by subtraction); Bu et al. 2022, arXiv:2303.04347 (QCFS, v_start).
    """
    simulator.state.require_open("convert")
    given = {} if thresholds is None else thresholds
    recipe = Recipe(percentile, reset, v_start, spikes, given, readout)
    name = os.fspath(model) if isinstance(model, (str, os.PathLike)) else type(model).__name__
    try:
        graph = _read(model, data)
        spiking = converted(graph, _samples(graph, data), recipe)
        planned = without_traces(plan(spiking, 1.0, lambda layer: recipe.rule))
    except (GraphError, NotImplementedError) as error:
        raise type(error)(f"{name}: {error}") from None
    return TrainedNetwork(planned, recipe.rule)


def _read(model: Any, data: Any) -> Graph:
    if isinstance(model, (str, os.PathLike)) or onnx.is_model(model):
        return onnx.read(model)
    if torch.is_model(model):
        return torch.read(model, np.shape(data)[1:])
    if scikit.is_model(model):
        return scikit.read(model)
    raise TypeError(
        f"model = {shown(model)}: must be the path of an ONNX file, an onnx.ModelProto, a "
        "torch.nn.Module, or a multilayer perceptron of scikit-learn"
    )


def _samples(graph: Graph, data: Any) -> dict[str, NDArray[np.float64]]:
    """What each input gives, `[samples, *shape]`."""
    inputs = graph.named(Input)
    given = data if isinstance(data, Mapping) else {inputs[0]: data}
    if set(given) != set(inputs):
        raise GraphError(f"data = {shown(data)}: must be an array for each of the inputs {inputs}")
    found = {}
    for name in inputs:
        shape = graph.shapes[name]
        what = f"data for {name!r} = {shown(given[name])}"
        array = as_numbers(given[name], "iufb")
        if array is None:
            raise GraphError(f"{what}: must be an array of numbers, without a unit or a mask")
        if array.shape[1:] not in (shape, (int(np.prod(shape)),)) or not len(array):
            raise GraphError(
                f"{what}: its shape is {array.shape}, but must be [samples, *shape] with the shape "
                f"{shape}"
            )
        if not np.isfinite(array).all():
            raise GraphError(f"{what}: has values that are not finite; must be finite numbers")
        found[name] = array.reshape(len(array), *shape)
    if len({len(each) for each in found.values()}) > 1:
        raise GraphError("data has different numbers of samples for its inputs")
    return found
