"""Values that are expressions of the distance between cells, or of their displacement.

An expression is evaluated by Python, so that it may hold what PyNN's may: the names in `KNOWN`,
NumPy's functions of numbers, such as np.exp, numbers and operators; nothing that is random, reads
or writes. It is looked at when it is given, so that errors come then and name it.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import errors
from .checks import did_you_mean
from .parameters import shown

FUNCTIONS = (
    *("arccos", "arcsin", "arctan", "arctan2", "ceil", "cos", "cosh", "exp", "fabs", "floor"),
    *("fmod", "hypot", "ldexp", "log", "log10", "modf", "power", "sin", "sinh", "sqrt", "tan"),
    *("tanh", "maximum", "minimum", "where", "e", "pi"),
)
PYTHON = {each.__name__: each for each in (abs, bool, float, int, max, min, pow, round, sum)}
MODULE = ("np", "numpy")
OF_NUMPY = ("clip", "round", "sum", "prod", "min", "max", "inf", "nan")
KNOWN = {
    **PYTHON,
    **{name: getattr(np, name) for name in FUNCTIONS},
    **dict.fromkeys(MODULE, np),
}
NODES = (
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword),
    *(ast.Attribute, ast.Name, ast.Constant, ast.Subscript, ast.Slice, ast.List, ast.Tuple),
    *(ast.Load, ast.unaryop, ast.boolop, ast.cmpop, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod),
    *(ast.FloorDiv, ast.Pow, ast.BitAnd, ast.BitOr, ast.BitXor),
)
LENGTH = 10_000  # of an expression; Python's compiler fails for deeply nested ones
Function = Callable[[Any], Any]


def distance_function(name: str, text: str) -> Function:
    """The function of d that an expression is.

    Raises InvalidParameterValueError for an expression that is not Python's or has other names.
    """
    tree = _parsed(name, text)
    nodes = list(ast.walk(tree))
    looked_into = [each.value for each in nodes if isinstance(each, ast.Attribute)]
    for node in nodes:
        _check(name, text, node, looked_into)
    code = compile(ast.Expression(ast.fix_missing_locations(tree)), "<expression of d>", "eval")

    def function(d: Any) -> Any:
        with np.errstate(all="ignore"):  # what comes out is checked
            return eval(code, {"__builtins__": {}, **KNOWN, "d": d})

    return function


def _check(name: str, text: str, node: ast.AST, looked_into: list[ast.expr]) -> None:
    """Raise InvalidParameterValueError for what no expression of d needs."""
    if not isinstance(node, NODES):
        raise _refused(name, text, f"it contains {type(node).__name__}")
    if isinstance(node, ast.Name) and node.id not in (*KNOWN, "d"):
        hint = did_you_mean(node.id, [*KNOWN, "d"])
        raise _refused(name, text, f"{node.id!r} is not known{hint}")
    if isinstance(node, ast.Name) and node.id in MODULE and node not in looked_into:
        raise _refused(name, text, f"{node.id!r} is a module")
    if isinstance(node, ast.Attribute) and not _is_of_numpy(node):
        raise _refused(name, text, f"{ast.unparse(node)!r} is not a function of mathematics")
    if isinstance(node, ast.keyword) and node.arg == "out":
        raise _refused(name, text, "'out' would change an array")
    if isinstance(node, ast.Constant) and not isinstance(node.value, (int, float, type(None))):
        raise _refused(name, text, f"{node.value!r} is not a number")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        _make_float(node.left)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for side in (node.left, node.right):
            if isinstance(side, (ast.List, ast.Tuple)):
                raise _refused(name, text, "it repeats a list")


def _is_of_numpy(node: ast.Attribute) -> bool:
    """Whether it is a function of NumPy that gives the same for the same numbers, or a constant."""
    if not isinstance(node.value, ast.Name) or node.value.id not in MODULE:
        return False
    plain = isinstance(getattr(np, node.attr, None), np.ufunc)
    return plain or node.attr in (*FUNCTIONS, *OF_NUMPY)


def _make_float(base: ast.AST) -> None:
    """A power of an integer has any number of digits; that of a float overflows."""
    for node in ast.walk(base):
        if isinstance(node, ast.Subscript):
            return
        if isinstance(node, ast.Constant) and type(node.value) is int:
            with contextlib.suppress(OverflowError):  # too large a number for a float
                node.value = float(node.value)


def _parsed(name: str, text: str) -> Any:
    if len(text) > LENGTH:
        raise _refused(name, text, f"it has more than {LENGTH} characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        problem = getattr(error, "msg", None) or str(error) or type(error).__name__
        raise _refused(name, text, f"it is not a Python expression ({problem})") from error


def _refused(name: str, text: str, why: str) -> Exception:
    return errors.InvalidParameterValueError(
        f"{name} = {shown(text)}: must be an expression of d, such as 'exp(-d/100)'; {why}"
    )


def probabilities(name: str, given: Any, compute: Callable[[], Any], n: int) -> NDArray[np.float64]:
    """Probabilities of connections for n pairs of cells, [n] or one for all, that `compute` gives.

    True and False are 1 and 0; what is greater than 1 stays. Raises InvalidParameterValueError for
    anything that is not a probability, calling what the user gave by its name.
    """
    must = "an expression or function that gives a probability for each pair of cells"
    try:
        found = np.asarray(compute())
        if found.dtype.kind not in "biuf":
            raise TypeError(f"it gives values of type {found.dtype}")
        if found.shape not in ((), (1,), (n,)):
            raise TypeError(f"it gives an array of shape {found.shape} for {n} pairs")
    except Exception as error:  # somebody else's function can raise anything
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(given)}: must be {must}; {type(error).__name__}: {error}"
        ) from error
    numbers = found.astype(np.float64)
    bad = numbers[~(numbers >= 0)]  # true for NaN
    if bad.size:
        raise errors.InvalidParameterValueError(
            f"{name} = {shown(given)}: must be {must}; it gives {bad.flat[0]:g}"
        )
    return numbers
