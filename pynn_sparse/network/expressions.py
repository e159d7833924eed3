"""Formulas and statements of users' models: checked, and written as C++.

The language is Python's expressions over numbers: `+ - * / **`, comparisons, `and`, `or`, `not`,
`a if c else b`, and the functions of `FUNCTIONS`. Powers and functions are the kernels' own, which
give the same bits on every device. Statements are assignments, `if`, `elif` and `else`, and new
variables, `x: float = ...`, which last to the end of their block.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import keyword
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
    "log10": (1, "decimal_logarithm"),
    "sinh": (1, "hyperbolic_sine"),
    "cosh": (1, "hyperbolic_cosine"),
    "tanh": (1, "hyperbolic_tangent"),
    "ceil": (1, "ceiling"),
    "trunc": (1, "truncated"),
    "clip": (3, "clipped"),
}
CONSTANTS = {
    "e": "2.718281828459045",
    "pi": "3.141592653589793",
    "inf": "with_bits(kBitsOfInfinity)",
}
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


def user_function(name: str) -> str:
    """The name that a user's function has in C++."""
    return f"f_{name}"


Action = Callable[[Sequence[str]], list[str]]  # names in a call -> lines of C++


@dataclass(frozen=True)
class Scope:
    """Names that a formula may use, and what to call the formula in messages.

    `functions` are the user's, name -> number of arguments. `actions` are what statements may
    call, with names as arguments.
    """

    names: Collection[str]
    where: str
    functions: Mapping[str, int] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)

    def cpp(self, formula: str) -> str:
        """A formula in C++.

        Raises `ModelError` that says where, for anything that the language does not have.
        """
        try:
            tree = ast.parse(formula.strip(), mode="eval")
        except SyntaxError as error:
            raise ModelError(f"{self.where}: {formula!r} is not a formula: {error.msg}") from error
        return self._write(tree.body)

    def statements(self, text: str, targets: Collection[str], returns: bool = False) -> list[str]:
        """Statements, one a line or separated by `;`, in C++.

        Only `targets` and new variables may be assigned, by `=`, `+=`, `-=`, `*=` or `/=`; with
        `returns`, `return x` is a statement too.
        """
        try:
            tree = ast.parse(inspect.cleandoc(text))
        except SyntaxError as error:
            raise ModelError(f"{self.where}: {text!r}: {error.msg}") from error
        return self._block(tree.body, list(targets), returns)

    def _block(self, nodes: list[ast.stmt], targets: list[str], returns: bool) -> list[str]:
        lines, scope, targets = [], self, list(targets)
        for node in nodes:
            match node:
                case ast.If(test=test, body=body, orelse=other):
                    lines += [
                        f"if ({scope._write(test)}) {{",
                        *scope._block(body, targets, returns),
                    ]
                    if other:
                        lines += ["} else {", *scope._block(other, targets, returns)]
                    lines.append("}")
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    lines.append(
                        f"[[maybe_unused]] double {variable(name)} = {scope._write(value)};"
                    )
                    scope = replace(scope, names={*scope.names, name})
                    targets.append(name)
                case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=arguments, keywords=[])):
                    lines += scope._act(name, arguments)
                case ast.Return(value=ast.expr() as value) if returns:
                    lines.append(f"return {scope._write(value)};")
                case ast.Pass():
                    pass
                case _:
                    lines.append(scope._assignment(node, targets))
        return lines

    def _act(self, name: str, arguments: list[ast.expr]) -> list[str]:
        if name not in self.actions:
            can = f"; what can be: {', '.join(self.actions)}" if self.actions else ""
            raise ModelError(f"{self.where}: {name}() cannot be called as a statement{can}")
        return self.actions[name]([ast.unparse(each) for each in arguments])

    def _assignment(self, node: ast.stmt, targets: Collection[str]) -> str:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, operator = node.targets[0], "="
        elif isinstance(node, ast.AugAssign) and type(node.op) in _BINARY:
            target, operator = node.target, _BINARY[type(node.op)] + "="
        else:
            raise ModelError(
                f"{self.where}: {ast.unparse(node)!r}: only assignments such as v = v_reset, and if"
            )
        name = target.id if isinstance(target, ast.Name) else ast.unparse(target)
        if name not in targets:
            raise ModelError(
                f"{self.where}: {name!r} cannot be assigned{_hint(name, targets)}; what can be: "
                f"{', '.join(targets)}"
            )
        return f"{variable(name)} {operator} {self._write(node.value)};"

    def _write(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=bool(value)):
                return "true" if value else "false"
            case ast.Constant(value=int() | float() as value):
                return repr(float(value))
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"(-{self._write(operand)})"
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._write(operand)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"(!{self._write(operand)})"
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(left, right)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                a, b = self._write(left), self._write(right)
                return f"({a} {_BINARY[type(op)]} {b})"
            case ast.BoolOp(op=op, values=values):
                sign = " && " if isinstance(op, ast.And) else " || "
                return f"({sign.join(self._write(each) for each in values)})"
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                a, b = self._write(left), self._write(right)
                return f"({a} {_COMPARE[type(op)]} {b})"
            case ast.IfExp(test=test, body=body, orelse=other):
                parts = (self._write(each) for each in (test, body, other))
                if _is_cheap(body) and _is_cheap(other):
                    return "chosen({}, {}, {})".format(*parts)  # no branch, in loops over neurons
                return "({} ? {} : {})".format(*parts)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        raise ModelError(f"{self.where}: {ast.unparse(node)!r} is not supported")

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

    def _call(self, name: str, arguments: list[ast.expr]) -> str:
        if name in self.functions:
            number, function = self.functions[name], user_function(name)
        elif name in FUNCTIONS:
            number, function = FUNCTIONS[name]
        else:
            known = [*self.functions, *FUNCTIONS]
            raise ModelError(
                f"{self.where}: unknown function {name!r}{_hint(name, known)}; known are: "
                f"{', '.join(known)}"
            )
        if len(arguments) != number:
            raise ModelError(f"{self.where}: {name}() takes {number} arguments")
        return f"{function}({', '.join(self._write(each) for each in arguments)})"

    def _power(self, base: ast.expr, exponent: ast.expr) -> str:
        written = self._write(base)
        whole = exponent.value if isinstance(exponent, ast.Constant) else None
        if isinstance(whole, int) and 1 <= whole <= MAX_POWER:
            if isinstance(base, ast.Name):
                return f"({' * '.join([written] * whole)})"
            return f"whole_power<{whole}>({written})"
        return f"general_power({written}, {self._write(exponent)})"


def _is_cheap(node: ast.expr) -> bool:
    """Whether a number may as well be computed where it is not wanted."""
    match node:
        case ast.Constant(value=bool()):
            return False
        case ast.Name() | ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _is_cheap(operand)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
            return _is_cheap(left) and _is_cheap(right)
    return False


def check_model_name(name: str) -> None:
    """Raise `ModelError` for the name of a model that is no identifier."""
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        raise ModelError(f"name = {name!r}: must be an identifier")


def check_identifiers(model: str, names: Iterable[str], reserved: Collection[str]) -> None:
    """Raise `ModelError` for a name in a model that is none, is reserved, or is there twice."""
    seen: set[str] = set()
    for name in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or keyword.iskeyword(name):
            raise ModelError(f"{model}: {name!r} is not a name: must be an identifier")
        if name in reserved:
            raise ModelError(f"{model}: the name {name!r} has a meaning of its own")
        if name in seen:
            raise ModelError(f"{model}: the name {name!r} is used twice")
        seen.add(name)


def _hint(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {close[0]!r}?)" if close else ""
