"""Formulas of users' models computed on the host, with NumPy, for all neurons at once.

The language is that of `expressions`. Values are floats where all neurons share them, or arrays
with one value for each neuron.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError, ParameterError


def _linoid(x: Any) -> Any:
    small = np.abs(x) < 1e-6
    safe = np.where(small, 1.0, x)
    return np.where(small, 1 - np.asarray(x) / 2, safe / np.expm1(safe))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in "exp expm1 log sqrt abs floor log10".split()},
    **{name: getattr(np, name) for name in "sinh cosh tanh ceil trunc clip".split()},
    "min": np.minimum,
    "max": np.maximum,
    "linoid": _linoid,
}
_CONSTANTS = {"e": np.e, "pi": np.pi, "inf": np.inf}
_CHOOSE, _AND, _OR, _NOT = "_choose", "_and", "_or", "_not"  # not among users' names: see below
_HELPERS = {
    _CHOOSE: lambda test, yes, no: np.where(test, yes, no),
    _AND: np.logical_and,
    _OR: np.logical_or,
    _NOT: np.logical_not,
}


class _ForArrays(ast.NodeTransformer):
    """Makes what Python decides for one value a function of arrays."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return self._call(_CHOOSE, node.test, node.body, node.orelse)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        name = _AND if isinstance(node.op, ast.And) else _OR
        result = self.visit(node.values[0])
        for value in node.values[1:]:
            result = self._call(name, result, value)
        return result  # type: ignore[no-any-return]

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        operand: ast.expr = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return self._call(_NOT, operand)
        return ast.UnaryOp(node.op, operand)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(float(node.value) if isinstance(node.value, int) else node.value)

    def _call(self, name: str, *arguments: ast.expr) -> ast.expr:
        visited: list[ast.expr] = [self.visit(each) for each in arguments]
        return ast.Call(ast.Name(name, ast.Load()), visited, [])


@dataclass(frozen=True)
class Function:
    """A user's function: names of its arguments, and statements that return a value."""

    arguments: tuple[str, ...]
    body: str


def callable_of(
    name: str, function: Function, others: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """The function of floats or arrays; `others` are those that it may call.

    Its statements are those of Python, so it is called for one neuron after the other.
    """
    tree = ast.parse(f"def {name}({', '.join(function.arguments)}): pass")
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.body = ast.parse(function.body).body
    names: dict[str, Any] = {**FUNCTIONS, **_CONSTANTS, **others}
    exec(compile(tree, f"function {name}", "exec"), names)  # checked before: see `Scope`
    if not function.arguments:
        return names[name]  # type: ignore[no-any-return]
    return np.vectorize(names[name], otypes=[float])


def evaluate(formula: str, values: Mapping[str, Any]) -> Any:
    """Value of a formula that `Scope.cpp` has accepted; `values` may have functions, too.

    Raises `ParameterError` where it would divide by zero.
    """
    tree = ast.parse(formula.strip(), mode="eval")
    tree = ast.fix_missing_locations(_ForArrays().visit(tree))
    numbers = {name: each if callable(each) else np.float64(each) for name, each in values.items()}
    names: dict[str, Any] = {**FUNCTIONS, **_CONSTANTS, **_HELPERS, **numbers, "__builtins__": {}}
    try:
        result = eval(compile(tree, formula, "eval"), names)
    except ZeroDivisionError as error:
        raise ParameterError(f"{formula} divides by zero") from error
    except (NameError, TypeError) as error:
        raise ModelError(f"{formula!r} cannot be computed: {error}") from error
    array = np.asarray(result, float)
    return array if array.ndim else float(array)
