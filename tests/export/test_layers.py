"""Imports inside the export go downwards, as the table in docs/architecture.md says."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pynn_sparse.export

FOLDER = Path(pynn_sparse.export.__file__).parent
PACKAGE = "pynn_sparse.export"
ARCHITECTURE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"


def modules() -> dict[str, Path]:
    """Name inside the export -> file; packages by their `__init__.py`."""
    files = {".".join(f.relative_to(FOLDER).with_suffix("").parts): f for f in FOLDER.rglob("*.py")}
    return {name.removesuffix("__init__").rstrip("."): file for name, file in files.items()}


def imported(name: str, file: Path, known: dict[str, Path]) -> set[str]:
    """Modules that one imports, wherever in the file it does, and for whatever purpose."""
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            if node.level - 1 > len(package):
                continue  # beyond the export
            base = package[: len(package) - node.level + 1]
            parts = [*base, *(node.module.split(".") if node.module else [])]
        elif node.module and node.module.startswith(PACKAGE):
            parts = node.module.removeprefix(PACKAGE).strip(".").split(".")
        else:
            continue
        for each in node.names:
            whole = ".".join([*parts, each.name]).strip(".")
            found.add(whole if whole in known else ".".join(parts))
    return found - {name}


@cache
def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: imported(name, file, known) for name, file in known.items() if name}


def test_there_are_no_circles() -> None:
    order = list(TopologicalSorter(graph()).static_order())  # raises CycleError
    assert len(order) > 90


def test_imports_go_downwards() -> None:
    text = ARCHITECTURE.read_text()
    table = re.search(r"^\| part of `export/`.*\n\|.*\n((?:\|.*\n)*)", text, re.MULTILINE)
    assert table is not None
    rows = [re.findall(r"`(\w+)[^`]*`", row.split("|")[1]) for row in table[1].splitlines()]
    rank = {part: number for number, row in enumerate(rows) for part in row}
    assert {name.split(".")[0] for name in graph()} == set(rank)
    upwards = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in others
        if rank[name.split(".")[0]] < rank[other.split(".")[0]]
        and (name, other) != ("registry", "targets")  # the folders' names alone
    ]
    assert upwards == []


def test_no_target_imports_another() -> None:
    for name, others in graph().items():
        parts = name.split(".")
        if parts[0] == "targets" and len(parts) > 1:
            assert {other.split(".")[1] for other in others if other.startswith("targets.")} <= {
                parts[1]
            }


def test_nothing_but_the_command_knows_a_target() -> None:
    """A new target changes no file outside its folder."""
    knowing = {
        name
        for name, others in graph().items()
        if not name.startswith("targets.") and any(each.startswith("targets.") for each in others)
    }
    assert knowing == {"command"}  # it runs the core of `asic` in simulators of Verilog


def test_files_can_be_read_in_a_sitting() -> None:
    lengths = {name: len(file.read_text().splitlines()) for name, file in modules().items()}
    assert {name: n for name, n in lengths.items() if n >= 450} == {}
