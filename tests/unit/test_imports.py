"""Who imports whom: as the table of CONTRIBUTING.md says, without circles, each module alone."""

from __future__ import annotations

import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest
from support.imports import FILES, IMPORTS, NAME, PACKAGE, ROOT

TABLE = (ROOT / "CONTRIBUTING.md").read_text()
ROW = re.compile(r"^\| `pynn_sparse/(\w+)/` \|[^|]*\|([^|]*)\|$", re.MULTILINE)
# Folder -> folders of this package that it may import.
ALLOWED = {folder: {word.strip() for word in may.split(",")} for folder, may in ROW.findall(TABLE)}


def folder_of(module: str) -> str:
    """The folder of the package that a module lies in; "" for modules beside the folders."""
    return next(iter(FILES[module].relative_to(PACKAGE).parts[:-1]), "")


def test_there_are_no_circles() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(" ← ".join(error.args[1]))


def test_imports_are_those_of_the_table() -> None:
    """Modules beside the folders, such as `errors`, are for all."""
    assert {folder_of(module) for module in FILES} == {*ALLOWED, ""}
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in others
        if (mine := folder_of(module)) and folder_of(other) not in {mine, "", *ALLOWED[mine]}
    ]
    assert not wrong


@pytest.mark.slow
def test_every_module_can_be_imported_alone() -> None:
    """As follows from there being no circles; the backend is PyNN's to load."""
    code = f"""
import importlib, sys
for name in sys.argv[1:]:
    for known in [each for each in sys.modules if each.split(".")[0] == "{NAME}"]:
        del sys.modules[known]
    importlib.import_module(name)
"""
    alone = [module for module in FILES if folder_of(module) != "backend"]
    run = subprocess.run([sys.executable, "-c", code, *alone], capture_output=True, text=True)
    assert not run.returncode, run.stderr
