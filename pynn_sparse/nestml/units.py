"""Units of NESTML: all values are kept in ms, mV, pA, nS, pF and GOhm, as NEST keeps them."""

from __future__ import annotations

from functools import cache
from typing import Any

BASE = {
    "time": "ms",
    "electrical potential": "mV",
    "electrical current": "pA",
    "electrical conductance": "nS",
    "electrical capacitance": "pF",
    "electrical resistance": "Gohm",
}
DIMENSIONLESS = "dimensionless"


def factor(type_symbol: Any) -> float:
    """Value in units of `BASE` of 1 in the unit of a type."""
    unit = astropy_unit(type_symbol)
    return 1.0 if unit is None else _factor(unit)


def unit_name(type_symbol: Any) -> str:
    """The unit in which values of a type are kept, as `quantities` knows it."""
    unit = astropy_unit(type_symbol)
    if unit is None:
        return DIMENSIONLESS
    parts = [
        BASE.get(kind, name) + (f"**{power}" if power != 1 else "")
        for kind, name, power, _ in _parts(unit)
    ]
    return "*".join(parts) or DIMENSIONLESS


def quantity(type_symbol: Any) -> str:
    """What a type measures: a key of `BASE`, or something else."""
    unit = astropy_unit(type_symbol)
    return "" if unit is None else str(unit.physical_type)


def astropy_unit(type_symbol: Any) -> Any:
    """The unit of a type; None for numbers without one."""
    from pynestml.symbols.unit_type_symbol import UnitTypeSymbol

    return type_symbol.unit.unit if isinstance(type_symbol, UnitTypeSymbol) else None


def _parts(unit: Any) -> list[tuple[str, str, float, float]]:
    """Kind, name and power of the units that a unit is the product of, and each one's factor."""
    from astropy import units

    parts = []
    for each, power in zip(unit.bases, unit.powers, strict=True):
        kind = str(each.physical_type)
        if kind == "frequency":
            parts.append(("time", "ms", -power, float(each.to(units.Unit("1/ms"))) ** power))
        elif kind in BASE:
            target = units.Unit(BASE[kind].replace("Gohm", "GOhm"))
            parts.append((kind, str(each), power, float(each.to(target)) ** power))
        else:
            parts.append((kind, str(each), power, 1.0))
    return parts


@cache
def _factor(unit: Any) -> float:
    result = float(unit.scale)
    for *_, each in _parts(unit):
        result *= each
    return result
