"""Who imports whom: as the table of CONTRIBUTING.md says, without circles, each module alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest
from support.imports import FILES, PACKAGE, ROOT, all_imports, executed_before, loaded_by

EACH = ROOT / "tests" / "support" / "import_each.py"
TABLE = (ROOT / "CONTRIBUTING.md").read_text()
ROW = re.compile(r"^\| `pynn_sparse/(\w+)/` \|[^|]*\|([^|]*)\|$", re.MULTILINE)
# Folder -> folders of this package that it may import.
ALLOWED = {folder: {word.strip() for word in may.split(",")} for folder, may in ROW.findall(TABLE)}


def folder_of(module: str) -> str:
    """The folder of the package that a module lies in; "" for modules beside the folders."""
    return next(iter(FILES[module].relative_to(PACKAGE).parts[:-1]), "")


def test_there_are_no_circles() -> None:
    try:
        TopologicalSorter(all_imports()).prepare()
    except CycleError as error:
        pytest.fail(" ← ".join(error.args[1]))


def test_imports_are_those_of_the_table() -> None:
    """Modules beside the folders, such as `errors`, are for all."""
    assert {folder_of(module) for module in FILES} == {*ALLOWED, ""}
    wrong = [
        f"{module} imports {other}"
        for module, others in all_imports().items()
        for other in others
        if (mine := folder_of(module)) and folder_of(other) not in {mine, "", *ALLOWED[mine]}
    ]
    assert not wrong


def test_every_module_can_be_imported_alone() -> None:
    """As follows from there being no circles; the backend is PyNN's to load."""
    alone = [module for module in FILES if folder_of(module) != "backend"]
    # Next to each, what leaves least to be loaded of what it needs.
    tree = {
        each: max(executed_before(each), key=lambda name: len(loaded_by(name)), default="")
        for each in alone
    }
    run = subprocess.run(
        [sys.executable, str(EACH), json.dumps(tree)], capture_output=True, text=True, check=False
    )
    assert not run.returncode, run.stderr
