"""Who imports whom: as the table of CONTRIBUTING.md says, without circles, each module alone.

All imports count: those inside functions, and those for type checkers only, since a name that is
needed to say what a function takes is known to whoever reads it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = "pynn_sparse"
PACKAGE = ROOT / NAME
TABLE = (ROOT / "CONTRIBUTING.md").read_text()
ROW = re.compile(r"^\| `pynn_sparse/(\w+)/` \|[^|]*\|([^|]*)\|$", re.MULTILINE)
# Folder -> folders of this package that it may import.
ALLOWED = {folder: {word.strip() for word in may.split(",")} for folder, may in ROW.findall(TABLE)}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


FILES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str) -> set[str]:
    """Modules of this package that a module imports."""
    path, found = FILES[module], set()
    package = module.split(".")[: None if path.name == "__init__.py" else -1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            parts = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            names = [f"{base}.{each.name}" for each in node.names]
            found |= {name if name in FILES else base for name in names}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    found = {each for each in found if each in FILES and each != module}
    return found | {package for each in found for package in entered(each, module)}


def entered(other: str, module: str) -> set[str]:
    """Packages whose `__init__` runs before a module is imported by another one outside them."""
    parts = other.split(".")
    packages = {".".join(parts[:n]) for n in range(1, len(parts))}
    return {package for package in packages if not f"{module}.".startswith(f"{package}.")}


IMPORTS = {module: imports(module) for module in FILES}


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
