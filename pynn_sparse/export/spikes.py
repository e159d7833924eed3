"""Spikes between Neo's blocks and integer steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..door import as_numbers
from ..network import TimeGrid
from .arguments import door
from .errors import ExportError
from .nets.fixednet import Axons
from .nets.floatnet import FloatNet

Integers = NDArray[np.int64]
BlockOrBlocks = Any  # a neo Block, a list of them, or label -> spike times (ms) of each cell
BLOCKS = "Neo blocks with a segment, as PyNN records them, or label -> times (ms) of each cell"


def spikes_of(
    blocks: BlockOrBlocks, name: str = "spikes"
) -> dict[str, tuple[Integers, NDArray[np.float64]]]:
    """Label -> (cell, time in ms) of recorded spikes, from the first segment of each block.

    Raises `ExportError` for anything else, and for spike trains that do not name their population
    and cell, as those of PyNN do.
    """
    if isinstance(blocks, Mapping):
        return {label: _given(label, trains) for label, trains in blocks.items()}
    found: dict[str, list[tuple[int, NDArray[np.float64]]]] = {}
    for block in _blocks(blocks, name):
        for train in block.segments[0].spiketrains:
            notes = train.annotations
            if "source_population" not in notes or "source_index" not in notes:
                raise ExportError("spike trains must have source_population and source_index")
            times = np.asarray(train.rescale("ms").magnitude, float)
            found.setdefault(str(notes["source_population"]), []).append(
                (int(notes["source_index"]), times)
            )
    return {
        label: (
            np.repeat([cell for cell, _ in trains], [len(times) for _, times in trains]),
            np.concatenate([times for _, times in trains]),
        )
        for label, trains in found.items()
    }


def _blocks(blocks: BlockOrBlocks, name: str) -> list[Any]:
    each = list(blocks) if isinstance(blocks, (list, tuple)) else [blocks]
    if not each or not all(_is_block(one) for one in each):
        raise door.refused(name, blocks, BLOCKS)
    return each


def _is_block(value: Any) -> bool:
    """Whether it has segments, as a Neo block does, in a list of Neo's."""
    segments: Any = getattr(value, "segments", None)
    return hasattr(segments, "__len__") and len(segments) > 0


def _given(label: Any, trains: Any) -> tuple[Integers, NDArray[np.float64]]:
    """Times of each cell, as cells and times."""
    must = "finite times (ms) of each cell, a list of lists"
    several = isinstance(trains, (list, tuple)) or getattr(trains, "ndim", 0) > 0
    times = [_in_ms(each) for each in trains] if several else [None]
    plain = [each for each in times if each is not None and each.ndim == 1]
    if len(plain) < len(times) or not all(np.isfinite(each).all() for each in plain):
        raise door.refused(f"spikes of {label}", trains, must)
    cell = np.repeat(np.arange(len(plain)), [len(each) for each in plain])
    return cell, np.concatenate([np.zeros(0), *plain])


def _in_ms(times: Any) -> NDArray[np.float64] | None:
    """Times of a cell, as Neo's or as numbers; None for anything else."""
    return as_numbers(times.rescale("ms").magnitude if hasattr(times, "rescale") else times)


def check_duration(duration: float) -> float:
    """How long to run, ms. Raises `ExportError` unless it is a number, 0 or greater."""
    return door.number("duration", duration, "a number of ms, 0 or greater", lambda ms: ms >= 0)


def duration_of(blocks: BlockOrBlocks) -> float:
    """How long was recorded, ms. Raises `ExportError` for spikes that are no Neo blocks."""
    if isinstance(blocks, Mapping):
        raise ExportError("duration: must be given with spikes that are no Neo blocks")
    ends = [
        float(train.t_stop.rescale("ms").magnitude)
        for block in _blocks(blocks, "against")
        for train in block.segments[0].spiketrains[:1]
    ]
    if not ends:
        raise ExportError("duration: must be given, since nothing was recorded in the blocks")
    return max(ends)


def stimulus_of(
    axons: tuple[Axons, ...], against: BlockOrBlocks | None, spikes: BlockOrBlocks | None
) -> BlockOrBlocks | None:
    """Spikes of sources: those given, or those among what was recorded."""
    if spikes is not None or against is None:
        return spikes
    sources = {each.label: each.size for each in axons if each.is_source}
    return {
        label: [time[cell == index] for index in range(sources[label])]
        for label, (cell, time) in spikes_of(against).items()
        if label in sources
    } or None


def stimulus(
    net: FloatNet, axons: tuple[Axons, ...], dt: float, spikes: BlockOrBlocks | None
) -> Integers:
    """Events int64 [n, 2], (step, axon), of all sources.

    Args:
        net: what was captured, with the given spikes of `SpikeSourceArray`.
        axons: populations of the tables.
        dt: time step of the tables, ms.
        spikes: recorded ones, which replace those that are given; all sources in them, or whose
            spikes are not known beforehand, must be there.

    Raises `ExportError` for sources without spikes, spikes of cells that are not there, or of no
    source at all.
    """
    recorded = spikes_of(spikes) if spikes is not None else {}
    sources = [each.label for each in axons if each.is_source]
    if spikes is not None and sources and not set(sources) & set(recorded):
        raise ExportError(f"spikes of {', '.join(recorded)}: none is a source, of {sources}")
    cells = {each.label: each for each in net.cells}
    parts = [np.zeros((0, 2), np.int64)]
    for population in axons:
        if not population.is_source:
            continue
        label, given = population.label, cells[population.label].spikes
        if label in recorded:
            cell, time = recorded[label]
            if len(cell) and cell.max() >= population.size:
                raise ExportError(f"{label} has {population.size} cells; spikes name {cell.max()}")
            if isinstance(spikes, Mapping) and len(spikes[label]) != population.size:
                raise ExportError(
                    f"{label} has {population.size} cells; spikes are given of {len(spikes[label])}"
                )
            step = TimeGrid(dt).nearest(time)
        elif given is not None:
            cell, step = given.T
        else:
            raise ExportError(
                f"the spikes of {label} ({cells[label].model}) are not known beforehand: record "
                'them, record("spikes"), and give the block'
            )
        parts.append(np.stack([step, cell + population.first], axis=1))
    return np.concatenate(parts)


def block_of(spikes: Integers, axons: tuple[Axons, ...], dt: float, steps: int) -> Any:
    """A Neo Block with spike trains as PyNN makes them, of the neurons' spikes (step, axon)."""
    import neo

    segment = neo.Segment(t_start=None)
    order = np.lexsort((spikes[:, 0], spikes[:, 1]))
    step, axon = spikes[order].T
    stop = float(TimeGrid(dt).time(steps))
    for population in axons:
        if population.is_source:
            continue
        cells = np.arange(population.first, population.first + population.size + 1)
        ends = np.searchsorted(axon, cells)
        for cell in range(population.size):
            times = TimeGrid(dt).time(step[ends[cell] : ends[cell + 1]])
            segment.spiketrains.append(
                neo.SpikeTrain(
                    times,
                    units="ms",
                    t_start=0.0,
                    t_stop=stop,
                    source_population=population.label,
                    source_index=cell,
                )
            )
    block = neo.Block(name="golden")
    block.segments.append(segment)
    return block
