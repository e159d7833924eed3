"""What values of parameters are known to be valid, so that those of one neuron need no proof."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import ParameterError

MOST_VARYING = 8  # parameters, whose combinations of extremes are 2^8

Check = Callable[[Mapping[str, Any]], Any]


class Proven:
    """A range for each parameter such that all values within, in any combination, are valid.

    Deriving a model's parameters takes as long for one neuron as for a hundred, so a script that
    sets one neuron after the other should not wait for it each time. The ranges begin with the
    values that there are, and grow by more than is asked for, so that few proofs are needed.

    It is only of use for models for which what lies between two valid values is valid (`monotone`).

    Args:
        parameters: name -> number, or array with one for each neuron.
        check: raises `ParameterError` for values, numbers or arrays of one length, not all valid.
    """

    def __init__(self, parameters: Mapping[str, Any], check: Check) -> None:
        self._check = check
        self._range = {
            name: (float(np.min(value)), float(np.max(value))) for name, value in parameters.items()
        }

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether numbers for some of the parameters are known to be valid, or can be proven to be.

        False says nothing about them.
        """
        if _within(self._range, values):
            return True
        for further in (1.0, 0.0):
            ranges = dict(self._range)
            for name, value in values.items():
                ranges[name] = _widened(*self._range[name], float(value), further)
            if _within(ranges, values) and self._prove(ranges):
                self._range = ranges
                return True
        return False

    def _prove(self, ranges: Mapping[str, tuple[float, float]]) -> bool:
        """Whether all combinations of extremes are valid."""
        varying = [name for name, (least, most) in ranges.items() if least != most]
        if len(varying) > MOST_VARYING:
            return False
        corners = np.array(list(itertools.product(*(ranges[name] for name in varying))), float)
        shared = {name: least for name, (least, _) in ranges.items()}
        try:
            self._check(shared | dict(zip(varying, corners.T, strict=True)))
        except ParameterError:
            return False
        return True


def _within(ranges: Mapping[str, tuple[float, float]], values: Mapping[str, Any]) -> bool:
    for name, value in values.items():
        least, most = ranges[name]
        if not least <= value <= most:  # true for NaN
            return False
    return True


def _widened(least: float, most: float, value: float, further: float) -> tuple[float, float]:
    """A range that includes a value, and `further` times the distance to it beyond."""
    if value > most:
        return least, value + further * (value - least)
    if value < least:
        return value - further * (most - value), most
    return least, most
