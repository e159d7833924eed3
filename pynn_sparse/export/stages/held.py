"""Weights of targets that choose them themselves, where rounding to integers is not enough."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..nets.fixednet import Axons
from ..nets.floatnet import FloatNet

if TYPE_CHECKING:
    from ..target import Target
    from .quantise import Quantise

Integers = NDArray[np.int64]


def held(
    net: FloatNet,
    axons: tuple[Axons, ...],
    weights: list[Any],
    profiles: Any,
    profile: Integers,
    target: Target,
    rule: Quantise,
) -> tuple[list[Any], Any]:
    """Weights of each projection, and profiles, as the target can hold them.

    Raises `ExportError` for a rounding other than to the nearest where the target chooses.
    """
    first = {each.label: each.first for each in axons}
    exact, neuron = np.zeros(0), np.zeros(0, np.int64)
    for part, each in zip(net.connections, weights, strict=True):
        exact = np.append(exact, part.weight / each.step)
        neuron = np.append(neuron, part.target + first[net.cells[part.post].label])
    found = target.held(exact, neuron, profiles, profile)
    if found is None:
        return weights, profiles
    if rule.rounding != "nearest":
        raise ExportError(f'rounding = {rule.rounding!r}: {target.name} only has "nearest"')
    ends = np.cumsum([len(part) for part in net.connections])
    mantissas = np.split(found[0], ends)[: len(weights)]
    return [
        replace(each, mantissa=mantissa, value=mantissa * each.step)
        for each, mantissa in zip(weights, mantissas, strict=True)
    ], found[1]
