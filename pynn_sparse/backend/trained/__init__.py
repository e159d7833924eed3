"""Networks that were trained elsewhere: built of layers, and presented with samples."""

from __future__ import annotations

from typing import Any

from ..doors.parameters import shown
from .converting import convert
from .egru import EGRU, EGRUNetwork, egru_network
from .latency import LatencyCurve, latency_curve
from .network import TrainedNetwork
from .nir import nir_network
from .writing import to_nir


def present(net: TrainedNetwork, inputs: Any, steps: int | None = None) -> Any:
    """What the outputs of a network show for each sample of a batch.

    The simulation is reset, and all samples are run one after the other; every layer begins each of
    them as it begins the first. Weights are those that the projections have now. What is recorded
    is a segment of the data as that of any run. `setup(progress=True)` shows a bar.

    Args:
        net: of `nir_network` or `convert`.
        inputs: sequences `[samples, steps, *shape]`, or with `steps` images `[samples, *shape]`,
            which are shown in every step; `shape` is that of the input, or flat. Whole numbers from
            0 to 255 are numbers of spikes, other values are multiplied by the weights of the first
            layers, and injected. A dictionary by name where there are several inputs.
        steps: how long an image is shown.

    Returns for each output the number of spikes in each step, uint8, or v after it, float64:
    `[samples, steps, *shape]`; the array if there is one output, else a dictionary by name. Step t
    is that of the program that trained the network: the layers' skew is taken out.

    Raises ValueError for shapes that do not fit and values that are not finite, before anything is
    changed; OverflowError where a neuron would have fired more than 32 spikes in a step.
    """
    if not isinstance(net, TrainedNetwork):
        raise TypeError(f"net = {shown(net)}: must be what nir_network or convert returns")
    return net.present(inputs, steps)


__all__ = [
    "EGRU",
    "EGRUNetwork",
    "LatencyCurve",
    "TrainedNetwork",
    "convert",
    "egru_network",
    "latency_curve",
    "nir_network",
    "present",
    "to_nir",
]
