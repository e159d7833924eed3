"""Imports inside the export go downwards, as the table in docs/architecture.md says."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter

from support.imports import FILES, ROOT, all_imports

EXPORT = "pynn_sparse.export."
ARCHITECTURE = ROOT / "docs" / "architecture.md"
# Inside the export: module -> modules that it imports.
GRAPH = {
    name.removeprefix(EXPORT): {
        other.removeprefix(EXPORT) for other in others if other.startswith(EXPORT)
    }
    for name, others in all_imports().items()
    if name.startswith(EXPORT)
}


def test_there_are_no_circles() -> None:
    order = list(TopologicalSorter(GRAPH).static_order())  # raises CycleError
    assert len(order) > 90


def test_imports_go_downwards() -> None:
    text = ARCHITECTURE.read_text()
    table = re.search(r"^\| part of `export/`.*\n\|.*\n((?:\|.*\n)*)", text, re.MULTILINE)
    assert table is not None
    rows = [re.findall(r"`(\w+)[^`]*`", row.split("|")[1]) for row in table[1].splitlines()]
    rank = {part: number for number, row in enumerate(rows) for part in row}
    assert {name.split(".")[0] for name in GRAPH} == set(rank)
    upwards = [
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if rank[name.split(".")[0]] < rank[other.split(".")[0]]
        and (name, other) != ("registry", "targets")  # the folders' names alone
    ]
    assert upwards == []


def test_no_target_imports_another() -> None:
    for name, others in GRAPH.items():
        parts = name.split(".")
        if parts[0] == "targets" and len(parts) > 1:
            assert {other.split(".")[1] for other in others if other.startswith("targets.")} <= {
                parts[1]
            }


def test_nothing_but_the_command_knows_a_target() -> None:
    """A new target changes no file outside its folder."""
    knowing = {
        name
        for name, others in GRAPH.items()
        if not name.startswith("targets.") and any(each.startswith("targets.") for each in others)
    }
    assert knowing == {"command"}  # it runs the core of `asic` in simulators of Verilog


def test_files_can_be_read_in_a_sitting() -> None:
    lengths = {
        name: len(file.read_text().splitlines())
        for name, file in FILES.items()
        if f"{name}.".startswith(EXPORT)
    }
    assert {name: n for name, n in lengths.items() if n >= 450} == {}
