"""Proof that words hold the network: synapses, registers, and what is packed anew."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from ..errors import ExportError
from ..nets.fixednet import FixedNet
from ..nets.layout import LayoutError
from ..proof import Check
from ..stages.rules import numbers_for
from ..tables import Tables
from .weights import as_rounded, limited, only_zeros_are_missing

Floats = NDArray[np.float64]


def word_checks(tables: Tables, fixed: FixedNet) -> Iterator[Check]:
    """All statements about the words of tables, of which `fixed` was decoded."""
    target, numbers = tables.target, numbers_for(tables.rule, tables.target)
    expected = target.semantics(fixed.semantics.n_receptors)
    yield Check("the update rule is the target's", fixed.semantics == expected, "see the manifest")
    exact = yield from _ends(tables, fixed)
    yield from _weights(tables, fixed, exact)
    steps = list(tables.dynamics.of.values())
    yield from target.model.checks(fixed, tables.net, steps, tables.scale, numbers)
    yield _same_words(tables, fixed)


def _ends(tables: Tables, fixed: FixedNet) -> Generator[Check, None, Floats]:
    """Sources, targets, delays exactly; returns weights before rounding, in integer units."""
    net, first = tables.net, {each.label: each.first for each in tables.frame.axons}
    source, target, jump = (np.zeros(0) for _ in range(3))
    hop = np.concatenate([np.zeros(0), *tables.dynamics.hops])
    for part, gain in zip(net.connections, tables.dynamics.gains, strict=True):
        pre, post = (first[net.cells[index].label] for index in (part.pre, part.post))
        source = np.append(source, part.source + pre)
        target = np.append(target, part.target + post)
        jump = np.append(jump, limited(part.weight, tables.rule.clip) * gain)
    origin = tables.origin
    for name, found, wanted in (
        ("source", fixed.source, source),
        ("target", fixed.target, target),
        ("delay", fixed.hop, hop),
    ):
        wrong = int((found != wanted[origin]).sum())
        yield Check(f"each synapse has its {name}", not wrong, f"{wrong} of {len(origin)} differ")
    exact = jump * tables.scale[target.astype(np.int64)]
    return np.asarray(exact[origin])


def _weights(tables: Tables, fixed: FixedNet, exact: Floats) -> Iterator[Check]:
    """Weights to the error that their rounding makes, or as a capability chose them."""
    unit = np.exp2(fixed.formats.shift[fixed.format])
    for capability in tables.target.capabilities():
        own = capability.weight_checks(tables, exact, unit)
        if own is not None:
            yield from own
            return
    yield only_zeros_are_missing(tables)
    yield as_rounded(tables, fixed, exact / unit, unit)


def _same_words(tables: Tables, fixed: FixedNet) -> Check:
    statement = "words encode what they decode to"
    try:
        again = tables.target.pack(fixed, tables.rule.weight_bits, tables.rule.signed)
    except (ExportError, LayoutError) as error:
        return Check(statement, False, str(error))
    differing = [
        name
        for name, memory in tables.memories.items()
        if not np.array_equal(again[name].words, memory.words)
    ]
    text = f"{', '.join(differing) or 'nothing'} differs in {len(again)} memories"
    return Check(statement, not differing, text)
