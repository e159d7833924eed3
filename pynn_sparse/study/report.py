"""The table, the picture and the page of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..export.nets.layout import bits_for
from ..export.reporting.text import table
from .runs import Trial

ACCUMULATOR = 16  # bits of a sum of input, and of a voltage
EXIT = "early exit"
NETWORK = """A perceptron of one hidden layer, whose hidden cells are integrate-and-fire neurons
that are reset by subtraction. Accuracy is that of the spiking network on pyNN.sparse, on test
images that took no part in training, in choosing weights to remove, or in choosing the margin of
early exits.""".replace("\n", " ")
COUNTED = """Synaptic operations: pixels above 0 times their synapses, once for an image, since
their sums are constant currents; and spikes of hidden cells times their synapses. With early exit
an image ends when the best output leads by a margin that is chosen on training images. Energy: bits
that memories read and write, {pj:g} pJ each, which is an assumption: for each operation the word of
a synapse (bits of its weight, and of its target's number where the network is pruned) and twice a
sum of {sum} bits, and {cell} bits for a hidden cell and step. Logic, wires, input and what a
circuit takes at rest are not counted.""".replace("\n", " ")


@dataclass(frozen=True)
class Row:
    """A kind of network at a latency, over all seeds.

    Attributes:
        way, sparsity, bits: of the network.
        when: steps that an image is shown, or `EXIT`.
        steps: of a mean image.
        accuracy: mean over seeds.
        spread: standard deviation over seeds (n - 1); 0 for one seed.
        operations: of a mean image, those of the pixels included.
        synapses: that are left.
        memory: bits of weights and of the numbers of their targets.
        energy: nJ for a mean image, see `energy_of`.
    """

    way: str
    sparsity: float
    bits: int
    when: int | str
    steps: float
    accuracy: float
    spread: float
    operations: float
    synapses: float
    memory: float
    energy: float


def rows_of(trials: Sequence[Trial], results: Sequence[Mapping[str, Any]], pj: float) -> list[Row]:
    """A row for each kind of network and latency: powers of two, the last step, and early exit."""
    kinds: dict[tuple[str, float, int], list[int]] = {}
    for number, trial in enumerate(trials):
        kinds.setdefault((trial.way, trial.sparsity, trial.bits), []).append(number)
    rows = []
    for (way, sparsity, bits), numbers in kinds.items():
        trial, found = trials[numbers[0]], [results[k] for k in numbers]
        synapses = float(np.mean([each["synapses"] for each in found]))
        word = bits + (bits_for(trial.hidden - 1) if sparsity else 0)
        moments: list[int | str] = [*latencies(trial.steps), EXIT]
        for when in moments:
            at = [_at(each, when) for each in found]
            accuracy = [each[0] for each in at]
            operations, steps = (float(np.mean([each[k] for each in at])) for k in (1, 2))
            spread = float(np.std(accuracy, ddof=1)) if len(accuracy) > 1 else 0.0
            energy = energy_of(operations, word, trial.hidden * steps, pj)
            mean = float(np.mean(accuracy))
            kind = way, sparsity, bits, when, steps
            rows.append(Row(*kind, mean, spread, operations, synapses, synapses * word, energy))
    return rows


def latencies(steps: int) -> list[int]:
    """Powers of two up to `steps`, and `steps`."""
    return sorted({*(2**k for k in range(steps.bit_length())), steps})


def _at(result: Mapping[str, Any], when: int | str) -> tuple[float, float, float]:
    """Accuracy, operations and steps."""
    if isinstance(when, str):
        found = result["exit"]
        return found["accuracy"], found["operations"], found["steps"]
    return result["accuracy"][when - 1], result["operations"][when - 1], float(when)


def energy_of(operations: float, word: int, updates: float, pj: float) -> float:
    """nJ of the bits that memories read and write.

    A synaptic operation reads the word of its synapse, and reads and writes a sum of `ACCUMULATOR`
    bits; a hidden cell reads and writes sum and voltage in each step. Each bit takes `pj` pJ, which
    is an assumption. Logic, wires, input and what a circuit takes at rest are not counted.
    """
    bits = operations * (word + 2 * ACCUMULATOR) + updates * 4 * ACCUMULATOR
    return bits * pj / 1000


def front(rows: Iterable[Row]) -> list[Row]:
    """Those to which no other is better in accuracy at no more operations, by operations."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda row: (row.operations, -row.accuracy)):
        if not best or row.accuracy > best[-1].accuracy:
            best.append(row)
    return best


def reference(rows: Iterable[Row]) -> Row:
    """The network with all weights and most bits, at the last step."""
    dense = [row for row in rows if row.sparsity == 0 and not isinstance(row.when, str)]
    return max(dense, key=lambda row: (row.bits, row.steps))


def markdown(title: str, rows: Sequence[Row], pj: float, made: Mapping[str, str]) -> str:
    """The report as text."""
    base = reference(rows)
    head = (
        *("pruning", "removed", "bits", "T", "accuracy", "± over seeds", "synaptic operations"),
        *("of the dense network's", "synapses", "kbit", "nJ"),
    )
    parts = [
        "# Pruning in space and time",
        f"{title}. {NETWORK} The dense network, with {base.bits} bits and {base.when} steps, is "
        f"right in {base.accuracy:.2%} and takes {base.operations:,.0f} operations.",
        "## How this was made",
        table(("", ""), made.items()),
        "## Nothing better for as few operations",
        table(head, [_cells(row, base) for row in front(rows)]),
        "## All",
        table(head, [_cells(row, base) for row in rows]),
        "## What is counted",
        COUNTED.format(pj=pj, sum=ACCUMULATOR, cell=4 * ACCUMULATOR),
    ]
    return "\n\n".join(parts) + "\n"


def _cells(row: Row, base: Row) -> tuple[object, ...]:
    when = f"{row.steps:.2f}, {EXIT}" if isinstance(row.when, str) else row.when
    return (
        *(row.way if row.sparsity else "none", f"{row.sparsity:.0%}", row.bits, when),
        *(f"{row.accuracy:.2%}", f"{row.spread:.2%}", f"{row.operations:,.0f}"),
        *(f"1/{base.operations / row.operations:.1f}", f"{row.synapses:,.0f}"),
        *(f"{row.memory / 1000:,.1f}", f"{row.energy:,.1f}"),
    )


def picture(rows: Sequence[Row]) -> bytes:
    """Accuracy against operations and against steps, with the front; needs matplotlib."""
    from ..export.reporting.pictures import panels_of, png

    figure, (left, right) = panels_of(2)
    for way in dict.fromkeys(row.way if row.sparsity else "none" for row in rows):
        mine = [row for row in rows if (row.way if row.sparsity else "none") == way]
        share = [100 * row.accuracy for row in mine]
        left.plot([row.operations for row in mine], share, ".", label=way)
        right.plot([row.steps for row in mine], share, ".")
    best = front(rows)
    left.plot([r.operations for r in best], [100 * r.accuracy for r in best], "k-", lw=0.8)
    top = max(100 * row.accuracy for row in rows)
    lower = sorted(100 * row.accuracy for row in rows)[len(rows) // 4]
    left.set(xlabel="synaptic operations for an image", ylabel="accuracy (%)", xscale="log")
    right.set(xlabel="steps for an image", xscale="log")
    for axes in (left, right):
        axes.set_ylim(lower - 0.3 * (top - lower) - 1e-3, top + 0.1 * (top - lower) + 1e-3)
    left.legend(frameon=False, fontsize=7)
    return png(figure)
