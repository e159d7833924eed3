"""What values of parameters are known to be valid, so that those of one neuron need no proof."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import ParameterError

MOST_VARYING = 8  # parameters, whose combinations of extremes are 2^8

Check = Callable[[Mapping[str, Any]], Any]
Ranges = dict[str, tuple[float, float]]


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
        self._range: Ranges = {}  # nothing is known
        ranges = _extremes(parameters)
        if all(least == most for least, most in ranges.values()) or self._prove(ranges):
            self._range = ranges

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether values of some of the parameters are known to be valid, or can be proven to be.

        They are numbers, or arrays of them. False says nothing about them.
        """
        if not self._range:
            return False
        wanted = _extremes(values)
        if _within(self._range, wanted):
            return True
        for further in (1.0, 0.0):
            ranges = dict(self._range)
            for name, each in wanted.items():
                ranges[name] = _widened(ranges[name], each, further)
            if _within(ranges, wanted) and self._prove(ranges):
                self._range = ranges
                return True
        return False

    def _prove(self, ranges: Ranges) -> bool:
        """Whether all combinations of extremes are valid."""
        varying = [name for name, (least, most) in ranges.items() if least != most]
        if len(varying) > MOST_VARYING:
            return False
        corners = np.array(list(itertools.product(*(ranges[name] for name in varying))), float)
        shared: dict[str, Any] = {name: least for name, (least, _) in ranges.items()}
        try:
            self._check(shared | dict(zip(varying, corners.T, strict=True)))
        except ParameterError:
            return False
        return True


def _extremes(values: Mapping[str, Any]) -> Ranges:
    return {
        name: (float(value.min()), float(value.max()))
        if isinstance(value, np.ndarray)
        else (value, value)
        for name, value in values.items()
    }


def _within(ranges: Ranges, wanted: Ranges) -> bool:
    for name, (first, last) in wanted.items():
        least, most = ranges[name]
        if not (least <= first and last <= most):  # true for NaN
            return False
    return True


def _widened(range_: tuple[float, float], wanted: tuple[float, float], further: float) -> Any:
    """A range that includes another, and goes `further` times as far beyond it."""
    (least, most), (first, last) = range_, wanted
    return (
        first - further * (most - first) if first < least else least,
        last + further * (last - least) if last > most else most,
    )
