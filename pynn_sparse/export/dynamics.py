"""Leaky integrate-and-fire populations as the linear step that hardware makes.

With u = v - origin and a current j of each receptor, in mV per time step::

    j <- current_factor * j + gain * (sum of weights that arrive)
    u <- voltage_factor * u + sum of j + bias

The origin is v_rest; or v_reset, where the target can only reset to 0, or v_thresh is not above
v_rest. Then the bias has a share that draws u towards v_rest.

where an arrival acts one step later in `IF_curr_exp` than in `IF_curr_delta`, see
`docs/semantics.md`. The factors are the exact propagators that the simulation uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..network import TimeGrid
from ..network.cells import leaky
from .floatnet import Cells, FloatNet

Floats = NDArray[np.float64]
RECEPTORS = ("excitatory", "inhibitory")
MODELS = ("IF_curr_exp", "IF_curr_delta")


@dataclass(frozen=True)
class Dynamics:
    """The step of a population; arrays are [size], or [size, 2] for both receptors.

    Attributes:
        current_factor: of the currents over a step.
        voltage_factor: of the voltage over a step.
        gain: mV per step that a weight of 1 begins to add.
        threshold, reset, initial: mV above the origin.
        bias: mV per step.
        refractory: steps during which the voltage is held after a spike.
        latency: steps from the arrival of a spike to the one whose input it is.
    """

    current_factor: Floats
    voltage_factor: Floats
    gain: Floats
    threshold: Floats
    reset: Floats
    initial: Floats
    bias: Floats
    refractory: NDArray[np.int64]
    latency: int


def dynamics(
    cells: Cells, dt: float, one_current: bool = False, reset_to_zero: bool = False
) -> Dynamics:
    """The step of a population of one of `MODELS`.

    Args:
        cells: the population.
        dt: time step, ms.
        one_current: decay both receptors with `tau_syn_E`, weights of the inhibitory one scaled
            so that a spike brings the same charge.
        reset_to_zero: whether the origin has to be v_reset.
    """
    p, grid, n = cells.parameters, TimeGrid(dt), cells.size
    membrane, spiking = leaky.membrane(p, grid), leaky.spiking(p, grid)
    if cells.model == "IF_curr_delta":
        factor, gain, latency = np.zeros((n, 2)), np.ones((n, 2)), 0
    else:
        taus = np.stack([p["tau_syn_E"], p["tau_syn_I"]], axis=1)
        used = taus[:, [0, 0]] if one_current else taus
        factor = leaky.decay(used, grid)
        each = [leaky.gain(p, used[:, receptor], grid) for receptor in range(2)]
        gain, latency = np.stack(each, axis=1) * (taus / used), 1
    rest, reset = p["v_rest"], p["v_reset"]
    origin = np.where(reset_to_zero | (p["v_thresh"] <= rest), reset, rest)
    return Dynamics(
        factor,
        membrane["leak"],
        gain,
        p["v_thresh"] - origin,
        reset - origin,
        cells.initial["v"] - origin,
        p["i_offset"] * membrane["gain"] + (1 - membrane["leak"]) * (rest - origin),
        spiking["n_refractory"].astype(np.int64),
        latency,
    )


def hops(
    net: FloatNet, recurrent: int | None = None, timeless: bool = False
) -> list[NDArray[np.int64]]:
    """Steps from a spike to the one whose input it is, for each synapse of each projection.

    With `recurrent`, those of a target without delays: this number between neurons, and the least
    of all sources from each of them. With `timeless`, all are 1: spikes are only counted.
    """
    if timeless:
        return [np.ones_like(part.delay) for part in net.connections]
    exact = [part.delay + latency(net.cells[part.post]) for part in net.connections]
    if recurrent is None:
        return exact
    of_source = [net.cells[part.pre].is_source for part in net.connections]
    found = [each.min() for each, yes in zip(exact, of_source, strict=True) if yes and len(each)]
    common = min(found, default=1)
    return [
        np.full_like(each, common if yes else recurrent)
        for each, yes in zip(exact, of_source, strict=True)
    ]


def latency(cells: Cells) -> int:
    """That of a population's `dynamics`."""
    return 0 if cells.model == "IF_curr_delta" else 1
