"""Layers of trained networks as leaky integrate-and-fire neurons that do the same in every step.

A layer's step is v <- decay v + gain (input + bias) + constant, a spike at the threshold, and the
reset. That is `IF_curr_delta` where the reset is a value and there is no synaptic current. On
hardware all layers begin with step 0, where the simulation of a trained network has later layers
begin later: `TrainedNetwork.play` does as hardware does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...interchange.layers.programs import LAYER_PARAMETERS
from ..errors import ExportError
from ..nets.floatnet import Cells, Connections, FloatNet, Floats

EXACT = "SpikingValue"  # the model whose step is that of IF_curr_delta
NO_LEAK = 1e12  # ms, of neurons that do not leak
REMEDIES = {
    "Integrating": "it has no threshold, so that nothing leaves it: convert with readout='spikes'",
    "SpikingSubtract": "a spike takes the threshold from v: convert, or read, with reset='value'",
}


def as_leaky(net: FloatNet) -> FloatNet:
    """The network with `IF_curr_delta` for layers of trained networks, the same in every step.

    Synapses that have both signs in one projection are divided by sign. Other neurons stay as they
    are. Raises ExportError for layers that no leaky neuron is like.
    """
    layers = [set(each.parameters) >= LAYER_PARAMETERS for each in net.cells]
    if not any(layers):
        return net
    cells = [
        _leaky(each, net.dt) if is_layer else each
        for each, is_layer in zip(net.cells, layers, strict=True)
    ]
    parts: list[Connections] = []
    for part in net.connections:
        if not layers[part.post]:
            parts.append(part)
            continue
        gain = net.cells[part.post].parameters["gain"]
        parts += _by_sign(part, gain[part.target])
    return FloatNet(net.dt, tuple(cells), tuple(parts))


def _leaky(cells: Cells, dt: float) -> Cells:
    model = cells.model.partition("_")[0]  # what follows tells user-defined models apart
    if model != EXACT:
        why = REMEDIES.get(
            model,
            "only layers without synaptic currents, one spike a step "
            "and a reset to a value have an equal on hardware",
        )
        raise ExportError(f"{cells.label}: {model}: {why}")
    p = cells.parameters
    decay = p["decay"]
    if ((decay <= 0) | (decay > 1)).any():
        raise ExportError(f"{cells.label}: decays of v must be above 0 and up to 1 for hardware")
    with np.errstate(divide="ignore"):
        tau = np.where(decay < 1, -dt / np.log(decay), NO_LEAK)
    step = p["gain"] * p["bias"] + p["constant"]
    one = np.ones(cells.size)
    parameters = {
        "v_rest": 0 * one,
        "cm": one,
        "tau_m": tau,
        "tau_refrac": 0 * one,
        "i_offset": step / (-tau * np.expm1(-dt / tau)),
        "v_thresh": p["threshold"],
        "v_reset": p["v_reset"],
    }
    return Cells(
        cells.label,
        "IF_curr_delta",
        cells.size,
        parameters,
        {"v": p["v_start"]},
        False,
        None,
        cells.injected,
    )


def _by_sign(part: Connections, gain: Floats) -> list[Connections]:
    weight = part.weight * gain
    found = []
    for receptor, mine in (("excitatory", weight >= 0), ("inhibitory", weight < 0)):
        if mine.any():
            scaled = replace(part, weight=weight)
            label = part.label if mine.all() else f"{part.label} {receptor}"
            found.append(replace(scaled.kept(mine), receptor=receptor, label=label))
    return found
