"""Checks of the structures and spaces of `pyNN.space`, which takes any arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import errors
from ...space import BaseStructure, Cuboid, RandomStructure, Space, Sphere
from ..doors.checks import as_number
from ..doors.parameters import shown
from ..doors.plain import NotNumbersError, has_items, items_of, number_of

FINITE = "a finite number"
WITHOUT_NUMBERS = ("fill_order", "boundary", "rng")


def check_structure(structure: Any) -> None:
    """Raise TypeError for what is not a structure of numbers, or an error for their values.

    Whether a number of cells fills a grid is seen when positions are asked for, as with PyNN.
    """
    if not isinstance(structure, BaseStructure):
        raise TypeError(
            f"structure = {shown(structure)}: must be a structure of pyNN.space, such as Grid2D()"
        )
    name = f"structure = {shown(structure)}"
    for each, value in _numbers_of(structure):
        positive = each not in ("origin", "x0", "y0", "z0", "x", "y", "z", "dx", "dy", "dz")
        must = "a finite number greater than 0" if positive else FINITE
        as_number(f"{name}: {each}", value, must, _above_0 if positive else math.isfinite, "um")


def _above_0(number: float) -> bool:
    return 0 < number < math.inf


def _numbers_of(structure: BaseStructure) -> list[tuple[str, Any]]:
    """What has to be a number, by name, of PyNN's structures; users have others of their own."""
    if type(structure).__module__ != BaseStructure.__module__:
        return []
    found = dict(structure.get_parameters())
    if isinstance(structure, RandomStructure):
        shape = structure.boundary
        sizes = {Sphere: ("radius",), Cuboid: ("height", "width", "depth")}.get(type(shape), ())
        found |= {each: getattr(shape, each) for each in sizes}
    numbers: list[tuple[str, Any]] = []
    for each, value in found.items():
        if each in WITHOUT_NUMBERS:
            continue
        several = each in ("origin", "aspect_ratios")
        numbers += [(each, one) for one in value] if several else [(each, value)]
    return numbers


def generated_positions(structure: Any, size: int) -> NDArray[np.float64]:
    """Positions (um), [3, size]. Raises InvalidParameterValueError for anything else."""
    name = f"structure = {shown(structure)}"
    must = f"one whose generate_positions({size}) gives 3 x {size} finite numbers"
    try:
        positions: NDArray[np.float64] = np.array(structure.generate_positions(size), np.float64)
    except Exception as error:  # of a user's class
        about = f"{type(error).__name__}: {error}"
        raise errors.InvalidParameterValueError(f"{name}: must be {must}; {about}") from error
    if positions.shape != (3, size) or not np.isfinite(positions).all():
        raise errors.InvalidParameterValueError(f"{name}: must be {must}")
    return positions


def check_space(owner: str, space: Any) -> None:
    """Raise TypeError or InvalidParameterValueError for what distances cannot be computed in."""
    if not isinstance(space, Space):
        raise TypeError(f"{owner}: space = {shown(space)}: must be a pyNN.space.Space")
    as_number(f"{owner}: space: scale_factor", space.scale_factor, FINITE)
    _check_offset(f"{owner}: space: offset", space.offset)
    if space.periodic_boundaries is not None:
        _check_boundaries(f"{owner}: space: periodic_boundaries", space.periodic_boundaries)


def _check_offset(name: str, offset: Any) -> None:
    each = items_of(offset) if has_items(offset) else [offset]
    must = "a finite number, or three of them"
    if has_items(offset) and len(each) != 3:
        raise errors.InvalidParameterValueError(f"{name} = {shown(offset)}: must be {must}")
    for one in each:
        as_number(name, one, must)


def _check_boundaries(name: str, boundaries: Any) -> None:
    must = "three pairs of finite numbers (least, greatest), or None where there is no boundary"
    try:
        axes = items_of(boundaries) if has_items(boundaries) else []
        pairs = [items_of(each) for each in axes if each is not None]
        ends = [tuple(map(number_of, each)) for each in pairs]
    except NotNumbersError:
        ends, axes = [], []
    if len(axes) != 3 or not all(len(e) == 2 and -math.inf < e[0] < e[1] < math.inf for e in ends):
        raise errors.InvalidParameterValueError(f"{name} = {shown(boundaries)}: must be {must}")
