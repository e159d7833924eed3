"""Comparison of recorded data that a user has, as Neo blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .activity import activity_of
from .capture import Captured
from .findings import Tolerances, door
from .results import PairComparison, Recorded, compare_recorded
from .verdict import judge

Blocks = Any  # a neo.Block, a mapping of names to blocks, or a sequence of either


def compare_blocks(
    reference: Blocks,
    other: Blocks,
    *,
    names: tuple[str, str] = ("reference", "other"),
    timestep: float | None = None,
    random: bool = False,
    on_grid: bool = True,
    tolerances: Tolerances | None = None,
) -> PairComparison:
    """Compare recorded data of two simulations of the same network.

    Options:

    - `reference`, `other`: a `neo.Block`; a mapping of a population's name to its block; or a
      list of either, an entry for each seed, in the same order on both sides.
    - `names`: of the two in what is said.
    - `timestep`: of the simulation, in ms; by default what PyNN has noted in the blocks.
    - `random`: whether the network has random input, such as `SpikeSourcePoisson`, whose spikes no
      two simulators draw alike. Then spikes are compared as distributions only.
    - `on_grid`: whether the spike times of `other` are multiples of the time step.
    - `tolerances`: what may differ.

    Returns figures, findings and a verdict. Raises ValueError if the two have no population in
    common, differ in the number of seeds, or the time step is not known; ImportError if the
    packages of `pynn-sparse[compare]` are missing.
    """
    _check_names(names)
    if timestep is not None:
        must = "a number of milliseconds greater than 0"
        door.number("timestep", timestep, must, lambda number: number > 0)
    random, on_grid = door.flag("random", random), door.flag("on_grid", on_grid)
    if tolerances is not None:
        door.instance("tolerances", tolerances, Tolerances, "Tolerances(...), or None")
    seeds = [_seeds("reference", reference), _seeds("other", other)]
    if len(seeds[0]) != len(seeds[1]) or not seeds[0]:
        raise ValueError(
            f"{len(seeds[0])} seeds of {names[0]}, {len(seeds[1])} of {names[1]}: "
            "must be as many, and at least one"
        )
    common = set.intersection(*(set(each) for side in seeds for each in side))
    if not common:
        raise ValueError(f"{names[0]} and {names[1]} have no population in common")
    step = _timestep(seeds[0][0].values()) if timestep is None else timestep
    one, two = (
        Recorded(name, [_captured(each, step, random) for each in side], grid)
        for name, side, grid in zip(names, seeds, (True, on_grid), strict=True)
    )
    return judge(compare_recorded(one, two, tolerances or Tolerances()), one, two)


def _check_names(names: Any) -> None:
    two = isinstance(names, (tuple, list)) and len(names) == 2
    if not two or not all(isinstance(each, str) for each in names):
        raise door.refused("names", names, "two strings")


def _seeds(name: str, blocks: Blocks) -> list[dict[str, Any]]:
    """What was recorded with each seed: blocks of populations, by name."""
    seeds = [
        dict(each) if isinstance(each, Mapping) else {_label(each): each}
        for each in (blocks if isinstance(blocks, (list, tuple)) else [blocks])
    ]
    if not all(hasattr(block, "segments") for seed in seeds for block in seed.values()):
        must = "a neo.Block, a mapping of names to them, or a list of either"
        raise door.refused(name, blocks, must)
    return seeds


def _label(block: Any) -> str:
    return getattr(block, "name", None) or "population"


def _captured(blocks: dict[str, Any], timestep: float, random: bool) -> Captured:
    found = Captured(timestep, random=["random input"] if random else [])
    for name, block in blocks.items():
        found.activities[name] = [activity_of(segment) for segment in block.segments]
    return found


def _timestep(blocks: Any) -> float:
    for block in blocks:
        if "dt" in block.annotations:
            return float(block.annotations["dt"])
    raise ValueError("timestep: must be given, since the blocks are not annotated with it")
