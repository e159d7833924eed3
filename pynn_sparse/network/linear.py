"""Equations that are linear, with coefficients that do not change: their exact solution.

Over a time step h the solution of dx/dt = A x + b is x(h) = P x(0) + q, with P and q parts of the
exponential of a matrix (Rotter and Diesmann, 1999, doi:10.1007/s004220050570; Van Loan, 1978,
doi:10.1109/TAC.1978.1101743). It stays accurate where time constants are equal.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .evaluation import evaluate

CONSTANT = "1"  # stands for what does not depend on the variables; no name
Form = dict[str, str]  # variable, or CONSTANT -> formula of its coefficient
# (row, column) -> entry, a float or one for each neuron; the others are 0.
Matrix = dict[tuple[str, str], Any]
NORM, N_TERM = 0.5, 14  # of a scaled matrix, and terms of the series: 0.5^15 / 15! < 1e-16


def linear_form(
    formula: str, variables: Collection[str], intermediates: Mapping[str, str]
) -> Form | None:
    """Coefficients of the variables in a formula; None if it is not linear in them.

    `intermediates` are formulas for names in it.
    """
    return _form(ast.parse(formula.strip(), mode="eval").body, variables, intermediates)


def uses(formula: str, intermediates: Mapping[str, str]) -> set[str]:
    """All names in a formula, and in the intermediates that it refers to."""
    names = {each.id for each in ast.walk(ast.parse(formula.strip())) if isinstance(each, ast.Name)}
    deeper = [uses(intermediates[name], intermediates) for name in names if name in intermediates]
    return names.union(*deeper)


def _form(
    node: ast.expr, variables: Collection[str], intermediates: Mapping[str, str]
) -> Form | None:
    text = ast.unparse(node)
    if not uses(text, intermediates) & set(variables):
        return {CONSTANT: text}
    parts: list[Form | None] = []
    match node:
        case ast.Name(id=name) if name in variables:
            return {name: "1"}
        case ast.Name(id=name):
            return linear_form(intermediates[name], variables, intermediates)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
            parts = [_form(operand, variables, intermediates)]
            if parts[0] is None:
                return None
            return _scaled(parts[0], "-{}" if isinstance(op, ast.USub) else "{}")
        case ast.BinOp(left=left, op=op, right=right):
            parts = [_form(each, variables, intermediates) for each in (left, right)]
    if not parts or parts[0] is None or parts[1] is None:
        return None
    a, b = parts[0], parts[1]
    if isinstance(op, ast.Add):
        return _sum(a, b)
    if isinstance(op, ast.Sub):
        return _sum(a, _scaled(b, "-{}"))
    if isinstance(op, ast.Mult) and a.keys() == {CONSTANT}:
        return _scaled(b, f"({a[CONSTANT]}) * {{}}")
    if isinstance(op, ast.Mult) and b.keys() == {CONSTANT}:
        return _scaled(a, f"{{}} * ({b[CONSTANT]})")
    if isinstance(op, ast.Div) and b.keys() == {CONSTANT}:
        return _scaled(a, f"{{}} / ({b[CONSTANT]})")
    return None


def _scaled(form: Form, pattern: str) -> Form:
    return {name: pattern.format(f"({each})") for name, each in form.items()}


def _sum(a: Form, b: Form) -> Form:
    return {
        name: f"{a[name]} + ({b[name]})"
        if name in a and name in b
        else a.get(name, b.get(name, ""))
        for name in (*a, *(name for name in b if name not in a))
    }


@dataclass(frozen=True)
class LinearSystem:
    """Linear equations, solved exactly over a time step.

    Attributes:
        rows: variable -> its form, in the variables of `rows` and in others, that are constant
            over a time step. Coefficients are formulas of what `propagators` is given.
    """

    rows: Mapping[str, Form]

    def reached(self, variable: str, active: Collection[str]) -> tuple[str, ...]:
        """What the variable's value after a step depends on besides itself.

        Only `active` ones change. CONSTANT is among the result where there is one.
        """
        found: list[str] = []
        todo = [variable]
        while todo:
            for name in self.rows[todo.pop(0)]:
                if name not in found:
                    found.append(name)
                    if name in active:
                        todo.append(name)
        return tuple(found)

    def is_timer(self, variable: str, active: Collection[str]) -> bool:
        """Whether it changes at a constant rate."""
        return self.reached(variable, active) == (CONSTANT,)

    def propagators(
        self, variable: str, active: Sequence[str], values: Mapping[str, Any], h: float
    ) -> dict[str, Any]:
        """Factors of what a variable's value after a step is the sum of.

        A variable that `reached` lacks has the factor 1. `active` are the variables that change in
        this step. Arrays have one value for each neuron.
        """
        reached = self.reached(variable, active)
        names = list(dict.fromkeys([variable, *reached]))
        matrix = {
            (row, column): evaluate(formula, values) * h
            for row in names
            if row in active
            for column, formula in self.rows[row].items()
        }
        if self.is_timer(variable, active):
            return {CONSTANT: matrix[variable, CONSTANT]}
        exponential = _exponential(matrix, names)
        return {name: exponential.get((variable, name), 0.0) for name in reached}


def _exponential(matrix: Matrix, names: Sequence[str]) -> Matrix:
    """The exponential, by scaling, Taylor's series and squaring, of many matrices at once.

    (Moler and Van Loan, 2003, doi:10.1137/S00361445024180.)
    """
    rows = {row for row, _ in matrix}  # other columns are inputs, in which all is linear
    square = [np.asarray(each) for (_, column), each in matrix.items() if column in rows]
    sizes = [float(np.abs(each[np.isfinite(each)]).max(initial=0.0)) for each in square]
    norm = len(rows) * max(sizes, default=0.0)
    n_squaring = max(0, int(np.ceil(np.log2(norm / NORM)))) if norm > 0 else 0
    scaled = {place: value / 2.0**n_squaring for place, value in matrix.items()}
    result: Matrix = {(name, name): 1.0 for name in names}
    term = result
    for k in range(1, N_TERM + 1):
        term = {place: value / k for place, value in _product(term, scaled).items()}
        result = {place: result.get(place, 0.0) + term.get(place, 0.0) for place in result | term}
    for _ in range(n_squaring):
        result = _product(result, result)
    return result


def _product(a: Matrix, b: Matrix) -> Matrix:
    result: Matrix = {}
    for (row, inner), x in a.items():
        for (same, column), y in b.items():
            if inner == same:
                result[row, column] = result.get((row, column), 0.0) + x * y
    return result
