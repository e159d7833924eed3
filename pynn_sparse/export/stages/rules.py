"""What is chosen of number formats, and what a target makes of the choice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..arguments import door
from ..errors import ExportError
from ..hardware import Numbers
from ..nets.number_formats import Quantise
from ..target import Target, returned


def rule_for(target: Target, **given: Any) -> Quantise:
    """The rule of a target's defaults, and of what is given and not None."""
    chosen = {name: value for name, value in given.items() if value is not None}
    return Quantise(**{**target.defaults, **chosen})


def check_rule(name: str, rule: Any) -> None:
    """Raise `ExportError` for what is neither a rule of rounding nor None."""
    if rule is not None:
        door.instance(name, rule, Quantise, "a Quantise, such as Quantise(weight_bits=8)")


def numbers_for(rule: Quantise, target: Target) -> Numbers:
    """Number formats of a target. Raises `ExportError` for weights that it does not hold."""
    if rule.minifloat is not None and not target.minifloats:
        raise ExportError(
            f"exponent_bits = {rule.exponent_bits}: {target.name} has integer weights; must be 0"
        )
    numbers = returned(target, "numbers", target.numbers(rule.weight_bits, rule.signed), Numbers)
    if rule.minifloat is None:
        return numbers
    return replace(numbers, greatest_weight=rule.minifloat.greatest)
