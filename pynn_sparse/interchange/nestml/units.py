"""Units of NESTML: all values are kept in ms, mV, pA, nS, pF and GOhm, as NEST keeps them."""

from __future__ import annotations

from functools import cache
from typing import Any

BASE = ("ms", "mV", "pA", "nS", "pF", "GOhm")
CURRENT = "pA"
DIMENSIONLESS = "dimensionless"
KNOWN_AS = {"GOhm": "Gohm"}  # by quantities


def factor(type_symbol: Any) -> float:
    """Value, in units of `BASE`, of 1 in the unit of a type; other kinds stay as they are."""
    unit = _unit(type_symbol)
    return 1.0 if unit is None else _factor(unit)


def unit_name(type_symbol: Any) -> str:
    """The unit in which values of a type are kept, as `quantities` knows it."""
    unit = _unit(type_symbol)
    parts = [] if unit is None else _parts(unit)
    shown = [KNOWN_AS.get(name, name) + (f"**{p:g}" if p != 1 else "") for name, p, _ in parts]
    return "*".join(shown) or DIMENSIONLESS


def is_current(type_symbol: Any) -> bool:
    """Whether a type is that of currents."""
    unit = _unit(type_symbol)
    return unit is not None and bool(unit.is_equivalent(CURRENT))


def _unit(type_symbol: Any) -> Any:
    """astropy's unit of a type; None for numbers without one."""
    from pynestml.symbols.unit_type_symbol import UnitTypeSymbol

    return type_symbol.unit.unit if isinstance(type_symbol, UnitTypeSymbol) else None


def _parts(unit: Any) -> list[tuple[str, float, float]]:
    """The units that a unit is the product of: name in which it is kept, power, and factor."""
    parts = []
    for each, power in zip(unit.bases, unit.powers, strict=True):
        name = next((base for base in BASE if each.is_equivalent(base)), None)
        if name is not None:
            parts.append((name, float(power), float(each.to(name)) ** float(power)))
        elif each.is_equivalent("Hz"):
            parts.append(("ms", -float(power), float(each.to("1/ms")) ** float(power)))
        else:
            parts.append((str(each), float(power), 1.0))
    return parts


@cache
def _factor(unit: Any) -> float:
    result = float(unit.scale)
    for *_, each in _parts(unit):
        result *= each
    return float(f"{result:.12g}")  # powers of ten that astropy has as 999.9999999999999, say
