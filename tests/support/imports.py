"""Which module of the package imports which.

All imports count: those inside functions, and those for type checkers only, since a name that is
needed to say what a function takes is known to whoever reads it.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "pynn_sparse"
PACKAGE = ROOT / NAME


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


FILES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@functools.cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text())


def imports(module: str, nodes: Iterable[ast.AST]) -> set[str]:
    """Modules of this package that a module imports in some parts of its text."""
    path, found = FILES[module], set()
    package = module.split(".")[: None if path.name == "__init__.py" else -1]
    for node in nodes:
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


@functools.cache
def all_imports() -> dict[str, set[str]]:
    """Module -> those that it imports."""
    return {module: imports(module, ast.walk(tree_of(module))) for module in FILES}


def executed_before(module: str) -> set[str]:
    """Packages that a module is in, and what it imports from elsewhere when it is imported."""
    elsewhere = imports(module, tree_of(module).body) - {
        each for each in FILES if each.startswith(f"{module}.")
    }
    return elsewhere | entered(module, "")


@functools.cache
def loaded_by(module: str) -> frozenset[str]:
    """The modules of this package that are loaded where it is imported alone."""
    return frozenset([module]).union(*map(loaded_by, executed_before(module)))
