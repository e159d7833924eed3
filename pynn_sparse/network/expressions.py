"""Formulas of users' models: checked, and written as C++.

The language is Python's expressions over numbers: `+ - * / **`, comparisons, `and`, `or`, `not`,
`a if c else b`, and the functions of `FUNCTIONS`. Powers and functions are the kernels' own, which
give the same bits on every device.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

from ..errors import ModelError

# Function -> its arguments, and what it is in C++.
FUNCTIONS: dict[str, tuple[int, str]] = {
    "exp": (1, "exp_of"),
    "expm1": (1, "expm1_of"),
    "log": (1, "logarithm"),
    "sqrt": (1, "sqrt"),
    "abs": (1, "absolute"),
    "floor": (1, "floor"),
    "min": (2, "least_of"),
    "max": (2, "greatest_of"),
    "linoid": (1, "linoid"),
}
CONSTANTS = {"e": "2.718281828459045", "pi": "3.141592653589793"}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
MAX_POWER = 8  # whole powers up to this are products


def variable(name: str) -> str:
    """The name that a user's name has in C++, where it can clash with no other."""
    return f"u_{name}"


@dataclass(frozen=True)
class Scope:
    """Names that a formula may use, and what to call the formula in messages."""

    names: Collection[str]
    where: str

    def cpp(self, formula: str) -> str:
        """A formula in C++.

        Raises `ModelError` that says where, for anything that the language does not have.
        """
        try:
            tree = ast.parse(formula.strip(), mode="eval")
        except SyntaxError as error:
            raise ModelError(f"{self.where}: {formula!r} is not a formula: {error.msg}") from error
        return self._write(tree.body, formula)

    def statements(self, text: str, targets: Collection[str]) -> list[str]:
        """Assignments, one a line or separated by `;`, in C++.

        Only `targets` may be assigned, by `=`, `+=`, `-=`, `*=` or `/=`.
        """
        try:
            tree = ast.parse("\n".join(each.strip() for each in re.split("[;\n]", text)))
        except SyntaxError as error:
            raise ModelError(f"{self.where}: {text!r}: {error.msg}") from error
        return [self._assignment(each, text, targets) for each in tree.body]

    def _assignment(self, node: ast.stmt, text: str, targets: Collection[str]) -> str:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, operator = node.targets[0], "="
        elif isinstance(node, ast.AugAssign) and type(node.op) in _BINARY:
            target, operator = node.target, _BINARY[type(node.op)] + "="
        else:
            raise ModelError(f"{self.where}: {text!r}: only assignments such as v = v_reset")
        name = target.id if isinstance(target, ast.Name) else ast.unparse(target)
        if name not in targets:
            raise ModelError(
                f"{self.where}: {name!r} cannot be assigned{_hint(name, targets)}; what can be: "
                f"{', '.join(targets)}"
            )
        return f"{variable(name)} {operator} {self._write(node.value, text)};"

    def _write(self, node: ast.expr, formula: str) -> str:
        match node:
            case ast.Constant(value=bool(value)):
                return "true" if value else "false"
            case ast.Constant(value=int() | float() as value):
                return repr(float(value))
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"(-{self._write(operand, formula)})"
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._write(operand, formula)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"(!{self._write(operand, formula)})"
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(left, right, formula)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                a, b = self._write(left, formula), self._write(right, formula)
                return f"({a} {_BINARY[type(op)]} {b})"
            case ast.BoolOp(op=op, values=values):
                sign = " && " if isinstance(op, ast.And) else " || "
                return f"({sign.join(self._write(each, formula) for each in values)})"
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                a, b = self._write(left, formula), self._write(right, formula)
                return f"({a} {_COMPARE[type(op)]} {b})"
            case ast.IfExp(test=test, body=body, orelse=other):
                parts = (self._write(each, formula) for each in (test, body, other))
                return "({} ? {} : {})".format(*parts)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments, formula)
        raise ModelError(f"{self.where}: {ast.unparse(node)!r} in {formula!r} is not supported")

    def _name(self, name: str) -> str:
        if name in self.names:
            return variable(name)
        if name in CONSTANTS:
            return CONSTANTS[name]
        known = sorted({*self.names, *CONSTANTS})
        raise ModelError(
            f"{self.where}: unknown name {name!r}{_hint(name, [*known, *FUNCTIONS])}; known are: "
            f"{', '.join(known)}"
        )

    def _call(self, name: str, arguments: list[ast.expr], formula: str) -> str:
        if name not in FUNCTIONS:
            raise ModelError(
                f"{self.where}: unknown function {name!r}{_hint(name, FUNCTIONS)}; known are: "
                f"{', '.join(FUNCTIONS)}"
            )
        number, function = FUNCTIONS[name]
        if len(arguments) != number:
            raise ModelError(f"{self.where}: {name}() takes {number} arguments, in {formula!r}")
        return f"{function}({', '.join(self._write(each, formula) for each in arguments)})"

    def _power(self, base: ast.expr, exponent: ast.expr, formula: str) -> str:
        written = self._write(base, formula)
        whole = exponent.value if isinstance(exponent, ast.Constant) else None
        if isinstance(whole, int) and 1 <= whole <= MAX_POWER:
            return f"({' * '.join([written] * whole)})"
        return f"general_power({written}, {self._write(exponent, formula)})"


def _hint(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {close[0]!r}?)" if close else ""
