"""Leaky integrate-and-fire populations as the linear step that hardware makes.

With u = v - origin and a current j of each receptor, in mV per time step::

    j <- current_factor * j + gain * (sum of weights that arrive)
    u <- voltage_factor * u + sum of j + bias

The origin is v_rest; or v_reset, where the target can only reset to 0, or v_thresh is not above
v_rest. Then the bias has a share that draws u towards v_rest.

An arrival acts one step later in `IF_curr_exp` than in `IF_curr_delta`, see `docs/semantics.md`.
The factors are the exact propagators that the simulation uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...network import TimeGrid, propagators
from ...network.cells import leaky
from ..nets.floatnet import Cells, FloatNet

Floats = NDArray[np.float64]
NO_LEAK = 1e-5  # a share of the voltage that leaks in a step, and is as good as none


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
        leak: mV per step by which a target with a constant leak draws the voltage to the origin.
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
    leak: Floats

    @property
    def leaks(self) -> NDArray[np.bool_]:
        """Neurons whose leak counts."""
        return 1 - self.voltage_factor > NO_LEAK

    def with_jumps(self) -> Dynamics:
        """Without currents: a spike's charge arrives at once.

        A current j brings j + f j + f^2 j + ... = j / (1 - f), with the factor f of a step.
        """
        return replace(
            self,
            current_factor=np.zeros_like(self.current_factor),
            gain=self.gain / (1 - self.current_factor),
        )

    def with_constant_leak(self, towards_origin: bool) -> Dynamics:
        """With a leak of always the same size in place of a share of the voltage.

        The share a loses a v per step. The constant with the least mean square difference from
        that, over voltages from the origin to the threshold, is their mean, a threshold / 2.

        Args:
            towards_origin: whether the leak draws from both sides to the origin; else it is always
                subtracted, as a share of the bias.
        """
        leak = np.where(self.leaks, (1 - self.voltage_factor) * self.threshold / 2, 0.0)
        bias = self.bias if towards_origin else self.bias - leak
        return replace(self, voltage_factor=np.ones_like(leak), bias=bias, leak=leak)


def dynamics(cells: Cells, dt: float, reset_to_zero: bool = False) -> Dynamics:
    """The step of a population of one of `MODELS`.

    Args:
        cells: the population.
        dt: time step, ms.
        reset_to_zero: whether the origin has to be v_reset.
    """
    p, grid, n = cells.parameters, TimeGrid(dt), cells.size
    membrane, spiking = leaky.membrane(p, grid), leaky.spiking(p, grid)
    if cells.model == "IF_curr_delta":
        factor, gain = np.zeros((n, 2)), np.ones((n, 2))
    else:
        taus = np.stack([p["tau_syn_E"], p["tau_syn_I"]], axis=1)
        factor, gain = propagators.decay(taus, grid), _gains(p, taus, grid)
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
        latency(cells),
        np.zeros(n),
    )


def with_one_current(step: Dynamics, cells: Cells, dt: float) -> Dynamics:
    """Both receptors decay with `tau_syn_E`.

    Weights of the inhibitory one are scaled so that a spike brings the same charge.
    """
    if cells.model == "IF_curr_delta":
        return step
    p, grid = cells.parameters, TimeGrid(dt)
    taus = np.stack([p["tau_syn_E"], p["tau_syn_I"]], axis=1)
    used = taus[:, [0, 0]]
    gain = _gains(p, used, grid) * (taus / used)
    return replace(step, current_factor=propagators.decay(used, grid), gain=gain)


def _gains(parameters: Mapping[str, Floats], taus: Floats, grid: TimeGrid) -> Floats:
    """Gains of both receptors, [size, 2], for time constants [size, 2] of their currents."""
    of_receptor = [propagators.gain(parameters, taus[:, receptor], grid) for receptor in range(2)]
    return np.stack(of_receptor, axis=1)


def latency(cells: Cells) -> int:
    """Steps from the arrival of a spike at a population to the one whose input it is."""
    return 0 if cells.model == "IF_curr_delta" else 1


def exact_hops(net: FloatNet) -> list[NDArray[np.int64]]:
    """Steps from a spike to the one whose input it is, for each synapse of each projection."""
    return [part.delay + latency(net.cells[part.post]) for part in net.connections]
