"""Kernels, those that are functions of time as differential equations, and their convolutions.

A kernel that is a sum of terms c t^n e^(a t) solves the linear equation whose characteristic
polynomial is the product of (D - a)^(n + 1) over its exponents a, n being the greatest power of t
beside it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from math import comb, factorial

from pynn_sparse.network.linear import CONSTANT, linear_form

from .translate import convolution_name

TIME = "t"
ZERO = "0.0"
Terms = dict[tuple[int, str], str]  # power of t, exponent's factor -> coefficient


@dataclass(frozen=True)
class KernelEquation:
    """An equation k^(n) = sum of factors[i] k^(i), and k^(i)(0) = initial[i], for i < n."""

    factors: tuple[str, ...]
    initial: tuple[str, ...]

    @property
    def order(self) -> int:
        """The order n."""
        return len(self.factors)


@dataclass
class Convolution:
    """A kernel convolved with a port: equations of its states, and what a spike adds to each."""

    port: str
    equations: dict[str, str] = field(default_factory=dict)
    jumps: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, order: int, formula: str, initial: tuple[str, ...]) -> None:
        """A variable of the kernel, with the formula of its highest derivative."""
        states = [convolution_name(name, self.port, k) for k in range(order)]
        for state, following in zip(states, [*states[1:], formula], strict=True):
            self.equations[state] = following
        for state, value in zip(states, initial, strict=True):
            self.jumps[f"{state}__jump"] = value


def kernel_equation(formula: str) -> KernelEquation | None:
    """The equation of a function of `t`; None if it is not such a sum."""
    terms = _terms(ast.parse(formula, mode="eval").body)
    if terms is None:
        return None
    powers: dict[str, int] = {}
    for power, exponent in terms:
        powers[exponent] = max(power, powers.get(exponent, 0))
    polynomial = ["1.0"]  # from the lowest power of D
    for exponent, power in powers.items():
        polynomial = _product(polynomial, _binomial(exponent, power + 1))
    order = len(polynomial) - 1
    factors = tuple(f"-({each})" for each in polynomial[:-1])
    return KernelEquation(factors, tuple(_derivative_at_0(terms, i) for i in range(order)))


def _terms(node: ast.expr) -> Terms | None:
    if TIME not in {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}:
        return {(0, ZERO): ast.unparse(node)}
    match node:
        case ast.Name():
            return {(1, ZERO): "1.0"}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _scaled(_terms(operand), "-({})")
        case ast.Call(func=ast.Name(id="exp"), args=[argument]):
            form = linear_form(ast.unparse(argument), {TIME}, {})
            if form is None:
                return None
            factor = f"exp({form[CONSTANT]})" if CONSTANT in form else "1.0"
            return {(0, ast.unparse(ast.parse(form[TIME]))): factor}
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _sum(_terms(left), _terms(right))
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _sum(_terms(left), _scaled(_terms(right), "-({})"))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _times(_terms(left), _terms(right))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            divisor = _terms(right)
            if divisor is None or divisor.keys() != {(0, ZERO)}:
                return None
            return _scaled(_terms(left), f"({{}}) / ({divisor[0, ZERO]})")
        case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=int() as n)) if n > 0:
            return _power(_terms(base), n)
    return None


def _scaled(terms: Terms | None, pattern: str) -> Terms | None:
    return terms and {key: pattern.format(each) for key, each in terms.items()}


def _sum(a: Terms | None, b: Terms | None) -> Terms | None:
    if a is None or b is None:
        return None
    total = dict(a)
    for key, each in b.items():
        total[key] = f"({total[key]}) + ({each})" if key in total else each
    return total


def _times(a: Terms | None, b: Terms | None) -> Terms | None:
    if a is None or b is None:
        return None
    total: Terms | None = {}
    for (n, x), first in a.items():
        for (m, y), second in b.items():
            exponent = y if x == ZERO else x if y == ZERO else f"{x} + {y}"
            total = _sum(total, {(n + m, exponent): f"({first}) * ({second})"})
    return total


def _power(terms: Terms | None, n: int) -> Terms | None:
    result = terms
    for _ in range(n - 1):
        result = _times(result, terms)
    return result


def _binomial(exponent: str, n: int) -> list[str]:
    """(D - exponent)^n, from the lowest power of D."""
    return [f"{comb(n, i)} * (-({exponent})) ** {n - i}" if i < n else "1.0" for i in range(n + 1)]


def _product(a: list[str], b: list[str]) -> list[str]:
    return [
        " + ".join(f"({a[i]}) * ({b[k - i]})" for i in range(len(a)) if 0 <= k - i < len(b))
        for k in range(len(a) + len(b) - 1)
    ]


def _derivative_at_0(terms: Terms, i: int) -> str:
    """The i-th derivative of c t^n e^(a t) is c i!/(i - n)! a^(i - n) at 0, for i >= n."""
    parts = [
        f"({c}) * {factorial(i) // factorial(i - n)}" + (f" * ({a}) ** {i - n}" if i > n else "")
        for (n, a), c in terms.items()
        if i >= n
    ]
    return " + ".join(parts) or ZERO
