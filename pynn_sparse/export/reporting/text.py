"""The report of an export, as Markdown and as a page with pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping

import numpy as np

from ..likeness import TAU
from ..nets.floatnet import unit_of
from ..stages.rules import numbers_for
from ..tables import Tables
from ..verification.verify import Report
from .sizes import sizes


def markdown(
    tables: Tables,
    report: Report,
    remarks: Iterable[str] = (),
    made: Mapping[str, str] | None = None,
) -> str:
    """All figures of an export.

    Args:
        tables: the tables.
        report: of their verification.
        remarks: sentences that stand at the beginning.
        made: how they were made: what of it -> what it was.
    """
    parts = [
        f"# Export to {tables.target.title}",
        f"Verification **{'passed' if report.passed else 'failed'}**. "
        f"Time step {tables.dt:g} ms; pruned: {tables.pruning}; weights of "
        f"{tables.rule.weight_bits} bits{_floating(tables)}, {tables.rule.rounding} rounding"
        f"{_exponents(tables)}; accepted: {', '.join(tables.accept) or 'nothing'}.",
        *remarks,
        *(["## How this was made", table(("", ""), made.items())] if made else []),
        "## Checks",
        table(
            ("", "statement", "figures"),
            [
                ("ok" if check.holds else "**failed**", check.statement, check.figures)
                for check in report.checks
            ],
        ),
        *_spikes(report),
        "## Projections",
        _projections(tables),
        "## Registers",
        "Greatest relative errors by rounding.",
        _registers(tables),
        "## Resources",
        table(
            ("resource", "used", "available"),
            [
                (each.name, f"{each.used:,}", f"{each.available:,}" if each.available else "")
                for each in tables.placement.resources
            ],
        ),
        "## Synapses in other forms",
        "Bits for sources, targets and weights alone, without delays.",
        table(
            ("form", "bits"),
            [(name, f"{n:,}") for name, n in sizes(tables.fixed, tables.rule.weight_bits).items()],
        ),
        *_activity(tables, report),
        *tables.target.notes(tables),
        "## Words",
        *(memory.layout.markdown() for memory in tables.memories.values()),
    ]
    return "\n\n".join(parts) + "\n"


def _floating(tables: Tables) -> str:
    kind = tables.rule.minifloat
    return f" ({kind}{' and a sign' if tables.rule.signed else ''})" if kind else ""


def _exponents(tables: Tables) -> str:
    """What has one, where the target has several to choose from."""
    numbers = numbers_for(tables.rule, tables.target)
    least, most = numbers.shifts
    if least == most:
        return ""
    for capability in tables.target.capabilities():
        if capability.exponents:
            return f", {capability.exponents}"
    return f", exponent per {tables.rule.per}"


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _spikes(report: Report) -> list[str]:
    if not report.comparisons:
        return []
    rows = [
        (
            *(c.label, c.cells, c.expected, c.found, c.differing, c.silent),
            *(f"{c.coincident:.1%}", f"{c.distance:.3f}"),
        )
        for c in report.comparisons
    ]
    head = (
        *("population", "cells", "simulation", "integer model", "differences of cells"),
        *("cells that fell silent", "coincident", "distance"),
    )
    text = (
        f"Spikes are coincident if each has a partner of its own, of the same cell, within "
        f"{report.comparisons[0].window:g} ms, or a fifth of the cell's mean interval where "
        f"that is shorter. The distance is van Rossum's, of {TAU:g} ms, relative to the norm of "
        "the simulation's spikes. What is asked of each stands among the checks."
    )
    return ["## Spikes", text, table(head, rows)]


def _projections(tables: Tables) -> str:
    rows = []
    parts = zip(tables.pruned, tables.losses, tables.net.connections, strict=True)
    for pruning, loss, part in parts:
        unit = unit_of(tables.net.cells[part.post])
        quality = f"{loss.sqnr:.1f} dB" if np.isfinite(loss.sqnr) else "exact"
        if loss.zeroed == loss.synapses:
            quality = "nothing is left"
        row = pruning.label, pruning.before, pruning.after, f"{pruning.sparsity:.1%}", loss.zeroed
        rows.append(
            (
                *row,
                loss.clipped,
                f"{loss.step:.4g} {unit}",
                f"{loss.largest_error:.3g} {unit}",
                quality,
                pruning.dead + loss.dead,
            )
        )
    head = (
        *("projection", "synapses", "after pruning", "sparsity", "quantised to 0"),
        "clipped",
        *("step", "largest error", "signal to noise", "targets left without input"),
    )
    return table(head, rows)


def _registers(tables: Tables) -> str:
    rows = [
        (each.label, *(f"{x:.2e}" for x in (each.tau_m, each.tau_syn, each.threshold, each.bias)))
        for each in tables.registers
    ]
    return table(("population", "decay of v", "decay of i", "threshold", "bias"), rows)


def _activity(tables: Tables, report: Report) -> list[str]:
    trace = report.trace
    if trace is None:
        return []
    rows = [
        ("spikes of neurons", f"{len(trace.spikes):,}"),
        ("synaptic operations", f"{trace.synaptic_events:,}"),
        (
            "bit budget: synaptic operations x weight bits",
            f"{trace.synaptic_events * tables.rule.weight_bits:,}",
        ),
    ]
    return ["## Activity", table(("", "number"), rows)]


def page(text: str, pictures: Mapping[str, bytes], title: str = "Export") -> str:
    """A page of HTML, with everything in it, of Markdown such as `markdown` makes."""
    body = "\n".join(_block(block) for block in text.strip().split("\n\n"))
    images = "\n".join(
        f'<h2>{html.escape(title)}</h2><img alt="{html.escape(title)}" '
        f'src="data:image/png;base64,{base64.b64encode(data).decode()}">'
        for title, data in pictures.items()
    )
    style = (
        "body{font:15px sans-serif;max-width:1000px;margin:2em auto;padding:0 1em}"
        "td,th{padding:2px 10px;text-align:left;border-bottom:1px solid #ddd}img{max-width:100%}"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Export</title>'
        f"<style>{style}</style></head>\n<body>\n{body}\n{images}\n</body></html>\n"
    )


def _block(block: str) -> str:
    if block.startswith("#"):
        level = len(block) - len(block.lstrip("#"))
        return f"<h{level}>{html.escape(block.lstrip('# '))}</h{level}>"
    if not block.startswith("|"):
        return f"<p>{_inline(block)}</p>"
    head, _, *rows = [
        [cell.strip() for cell in line.strip()[1:-1].split("|")] for line in block.splitlines()
    ]
    lines = [f"<tr>{''.join(f'<th>{_inline(cell)}</th>' for cell in head)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{_inline(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _inline(text: str) -> str:
    for mark, tag in (("**", "b"), ("`", "code")):
        parts = text.split(mark) if tag == "b" else html.escape(text).split(mark)
        text = "".join(
            f"\0{tag}\1{part}\0/{tag}\1" if i % 2 else part for i, part in enumerate(parts)
        )
    return text.replace("\0", "<").replace("\1", ">")
