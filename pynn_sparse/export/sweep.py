"""Sparsity against bits: how far tables are from the simulation, or how well they do a task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..door import is_number
from .arguments import door
from .errors import ExportError
from .lower import lower
from .nets.number_formats import Quantise
from .registry import find
from .spikes import BlockOrBlocks, check_duration, spikes_of
from .stages.prune import Prune, check_prune
from .stages.rules import check_rule, rule_for
from .tables import Tables
from .target import Target
from .verification.compare import compare_runs

SHARE = "a number from 0 to 1"


@dataclass(frozen=True)
class Sweep:
    """A figure for each sparsity and number of bits.

    Attributes:
        fractions: of synapses removed.
        bits: of weights, or names of formats such as "e4m3".
        values: float64 [fractions, bits].
        name: of the figure.
    """

    fractions: tuple[float, ...]
    bits: tuple[int | str, ...]
    values: NDArray[np.float64]
    name: str

    def markdown(self) -> str:
        """The sweep as a table in Markdown."""
        head = f"| {self.name} | " + " | ".join(map(_heading, self.bits)) + " |"
        lines = [head, "|---" * (len(self.bits) + 1) + "|"]
        for fraction, row in zip(self.fractions, self.values, strict=True):
            cells = " | ".join(f"{value:.3f}" for value in row)
            lines.append(f"| {fraction:.0%} removed | {cells} |")
        return "\n".join(lines)

    def picture(self) -> bytes:
        """The sweep as lines over sparsity, a PNG; needs matplotlib."""
        from .reporting.pictures import panels_of, png

        figure, (axes,) = panels_of(1)
        for column, bits in enumerate(self.bits):
            axes.plot(self.fractions, self.values[:, column], ".-", label=_heading(bits))
        axes.set(xlabel="fraction of synapses removed", ylabel=self.name)
        axes.legend(frameon=False, fontsize=7)
        return png(figure)


def _heading(bits: int | str) -> str:
    return bits if isinstance(bits, str) else f"{bits} bits"


def sweep(
    source: Any,
    target: str | Target,
    fractions: Sequence[float],
    bits: Sequence[int | str],
    figure: Callable[[Tables], float],
    name: str = "figure",
    prune: Prune | None = None,
    quantise: Quantise | None = None,
    accept: Sequence[str] = (),
) -> Sweep:
    """Lower a network with each fraction and number of bits, and measure.

    Args:
        source: see `lower`.
        target: see `lower`.
        fractions: of synapses to remove.
        bits: of weights, or names of formats such as "e4m3", see `Minifloat`.
        figure: what is measured of tables, see `distance_from`.
        name: of the figure.
        prune: other options of pruning.
        quantise: other options of quantisation; None for those of the target.
        accept: see `lower`.

    Raises `ExportError` where there are no fractions or bits, and what `lower` raises.
    """
    hardware = find(target)
    check_prune("prune", prune)
    check_rule("quantise", quantise)
    door.function("figure", figure, "a function of tables that gives a number")
    door.instance("name", name, str, "a string")
    pruning = Prune() if prune is None else prune
    rule = rule_for(hardware) if quantise is None else quantise
    shares = [
        replace(pruning, fraction=door.number("fraction", each, SHARE, lambda x: 0 <= x <= 1))
        for each in door.items("fractions", fractions, "numbers from 0 to 1")
    ]
    rules = [
        rule.with_bits(each)
        for each in door.items("bits", bits, "numbers of bits, or of formats such as e4m3")
    ]

    def value(share: Prune, rule: Quantise) -> float:
        found: Any = figure(lower(source, hardware, share, rule, accept))
        if not isinstance(found, (float, np.floating)) and not is_number(found):
            raise door.refused("what figure gives", found, "a number")
        return float(found)

    values = [[value(share, each) for each in rules] for share in shares]
    return Sweep(tuple(fractions), tuple(bits), np.array(values, float), name)


def distance_from(
    against: BlockOrBlocks, duration: float, spikes: BlockOrBlocks | None = None
) -> Callable[[Tables], float]:
    """A figure for `sweep`: the greatest van Rossum distance of a population's spikes.

    It is infinite where a population fires in the simulation and not at all in the tables: a
    distance would be 1 then, which is less than that of spikes at other times.

    Args:
        against: what the simulation recorded.
        duration: ms; later spikes are left out.
        spikes: of the sources, see `Tables.run`.

    Raises `ExportError`, when it is called, where `against` has no population of the tables, or no
    spikes of any.
    """
    recorded = spikes_of(against, "against")
    check_duration(duration)

    def measure(tables: Tables) -> float:
        trace = tables.trace(duration, spikes)
        comparisons = compare_runs(tables, trace, recorded, duration)
        if not any(each.expected for each in comparisons):
            known = f"{', '.join(recorded)}: no population of these"
            found = "no spikes until then" if comparisons else f"spikes of {known}"
            raise ExportError(f"against has {found}; duration = {duration} ms")
        return max(np.inf if each.is_dead else each.distance for each in comparisons)

    return measure
