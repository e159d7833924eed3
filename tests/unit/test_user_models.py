"""Formulas of users' models: computed on the host, solved exactly, and as kernels."""

from __future__ import annotations

import gc
import itertools
import weakref
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_sparse.errors import ModelError, ParameterError
from pynn_sparse.interchange.nestml.kernels import kernel_equation
from pynn_sparse.network.evaluation import Function, callable_of, evaluate
from pynn_sparse.network.linear import CONSTANT, LinearSystem, linear_form

NUMBERS = st.floats(-3, 3).map(lambda x: round(x, 3))


def expressions(names: str) -> st.SearchStrategy[str]:
    """Formulas that are defined everywhere."""
    leaves = st.one_of(st.sampled_from(names.split()), NUMBERS.map(lambda x: f"({x})"))

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner)
        choice = st.tuples(inner, inner, inner).map(lambda p: "({} if {} > 0 else {})".format(*p))
        logic = st.tuples(inner, inner).map(
            lambda p: "(1 if {} < 0 and not {} > 1 else 2)".format(*p)
        )
        call = st.tuples(st.sampled_from(["tanh", "floor", "abs", "trunc", "ceil"]), inner)
        return st.one_of(
            binary.map(lambda p: "({} {} {})".format(*p)),
            choice,
            logic,
            call.map(lambda p: "{}({})".format(*p)),
        )

    return st.recursive(leaves, larger, max_leaves=8)


@given(expressions("a b"), st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4))
def test_arrays_are_computed_as_each_of_their_elements(formula: str, values: Any) -> None:
    a, b = np.array(values).T
    functions = {name: getattr(np, name) for name in ("tanh", "floor", "trunc", "ceil")}
    expected = [
        eval(formula, {**functions, "abs": abs, "a": x, "b": y}) for x, y in zip(a, b, strict=True)
    ]
    found = np.broadcast_to(evaluate(formula, {"a": a, "b": b}), a.shape)
    assert found == pytest.approx(np.array(expected, float), rel=1e-12, abs=1e-12)


def test_functions_with_branches_take_arrays() -> None:
    body = "y: float = 2 * x\nif x > 0:\n    return y\nelif x == 0:\n    return 7\nreturn -other(y)"
    functions = {"other": lambda x: x + 1}
    sign = callable_of("sign", Function(("x",), body), functions)
    assert evaluate("sign(x) + 1", {"sign": sign, "x": np.array([-1.0, 0.0, 2.0])}).tolist() == [
        2.0,
        8.0,
        5.0,
    ]
    assert callable_of("two", Function((), "return 2.0"), {})() == 2.0


def test_what_cannot_be_computed() -> None:
    with pytest.raises(ParameterError, match="divides by zero"):
        evaluate("1 / 0", {})
    with pytest.raises(ModelError, match="'q'"):
        evaluate("q + 1", {})
    assert evaluate("1 / x", {"x": np.inf}) == 0.0


@given(st.lists(NUMBERS, min_size=4, max_size=4), NUMBERS, NUMBERS)
def test_linear_forms(values: list[float], x: float, y: float) -> None:
    a, b, c, d = values
    d = d or 1.0
    known = {"a": a, "b": b, "c": c, "d": d}
    formula = "-(a * (x - b) + half) / d + c * exp(b) - (y + x) * a"
    form = linear_form(formula, {"x", "y"}, {"half": "y * c / 2 + a"})
    assert form is not None
    assert form.keys() == {"x", "y", CONSTANT}
    total = sum(
        evaluate(each, known) * {"x": x, "y": y}.get(name, 1.0) for name, each in form.items()
    )
    values_of = {**known, "x": x, "y": y, "half": y * c / 2 + a}
    assert total == pytest.approx(evaluate(formula, values_of), abs=1e-9)


@pytest.mark.parametrize("formula", ["x * x", "a / x", "exp(x)", "x if a > 0 else 0", "x ** 2"])
def test_what_is_not_linear(formula: str) -> None:
    assert linear_form(formula, {"x"}, {}) is None
    assert linear_form("2 * u", {"x"}, {"u": formula}) is None


@settings(deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=12, max_size=12), st.floats(0.01, 1.0))
def test_propagators(values: list[float], h: float) -> None:
    """Of three equations with a constant input, against SciPy."""
    from scipy.integrate import solve_ivp

    matrix, constant = np.array(values[:9]).reshape(3, 3), np.array(values[9:])
    matrix[2] = [0.0, 0.0, matrix[2, 2]]  # so that not everything depends on everything
    names = "xyz"
    rows = {
        name: {
            **{other: str(v) for other, v in zip(names, row, strict=True) if v},
            CONSTANT: "k",
            "input": "1",
        }
        for name, row in zip(names, matrix, strict=True)
    }
    system = LinearSystem(rows)
    start, k, drive = np.array([1.0, -2.0, 0.5]), constant[0], 3.0
    solution = solve_ivp(
        lambda _, at: matrix @ at + k + drive,
        (0, h),
        start,
        method="DOP853",
        rtol=1e-12,
        atol=1e-12,
    )
    state = dict(zip((*names, CONSTANT, "input"), (*start, 1.0, drive), strict=True))
    for name, expected in zip(names, solution.y[:, -1], strict=True):
        factors = system.propagators(name, names, {"k": k}, h)
        assert tuple(factors) == system.reached(name, names)
        own = 0.0 if name in factors else state[name]
        found = own + sum(factor * state[each] for each, factor in factors.items())
        assert found == pytest.approx(expected, abs=1e-9)
    both = system.propagators("x", names, {"k": np.array([k, 1.0])}, h)
    assert both[CONSTANT][0] == pytest.approx(system.propagators("x", names, {"k": k}, h)[CONSTANT])


def test_variables_that_do_not_change() -> None:
    """Only active ones are integrated; the others are inputs."""
    system = LinearSystem({"x": {"x": "-1", "y": "1"}, "y": {"y": "-2"}, "t": {CONSTANT: "-3"}})
    assert system.reached("x", ("x", "y")) == ("x", "y")
    factor = system.propagators("x", ("x",), {}, 0.5)["y"]
    assert factor == pytest.approx(1 - np.exp(-0.5), rel=1e-13)
    assert system.is_timer("t", ("t",))
    assert system.propagators("t", ("t",), {}, 0.5) == {CONSTANT: -1.5}


KERNELS = [
    "exp(-t / a)",
    "(e / a) * t * exp(-t / a)",
    "exp(-t / a) - exp(-t / b)",
    "b * (t ** 2 + 3) * exp(1 - t / a) * exp(-t * b) + 2",
    "-t * (exp(-t / a) + t * exp(-t / b)) / (a + b)",
]


@pytest.mark.parametrize("formula", KERNELS)
@given(a=st.floats(0.5, 3.0), b=st.floats(0.5, 3.0), same=st.booleans())
@settings(max_examples=20, deadline=None)
def test_kernels_solve_their_equations(formula: str, a: float, b: float, same: bool) -> None:
    """By the exact solution over two steps, against the function."""
    values = {"a": a, "b": a if same else b}
    equation = kernel_equation(formula)
    assert equation is not None
    names = [f"k{i}" for i in range(equation.order)]
    rows = {name: {following: "1"} for name, following in itertools.pairwise(names)}
    rows[names[-1]] = dict(zip(names, equation.factors, strict=True))
    system = LinearSystem(rows)
    state = {n: evaluate(each, values) for n, each in zip(names, equation.initial, strict=True)}
    for step in range(3):
        expected = evaluate(formula, {**values, "t": 0.3 * step})
        assert state["k0"] == pytest.approx(expected, rel=1e-7, abs=1e-7)
        state = {
            name: (0.0 if name in factors else state[name])
            + sum(factor * state[each] for each, factor in factors.items())
            for name in names
            for factors in [system.propagators(name, names, values, 0.3)]
        }


@pytest.mark.parametrize(
    "formula", ["1 / (1 + t)", "exp(-t * t)", "sqrt(t)", "t ** a", "exp(t) ** -1"]
)
def test_what_is_no_kernel(formula: str) -> None:
    assert kernel_equation(formula) is None


def test_functions_of_the_kernels() -> None:
    """Functions that formulas may call, on the device, against NumPy."""
    points = np.array([-30.0, -2.5, -1.0, -1e-9, 0.0, 1e-9, 0.3, 2.5, 7.0, 30.0])
    formulas = ["sinh(x)", "cosh(x)", "tanh(x)", "ceil(x)", "trunc(x)", "clip(x, -1, 2)"]
    formulas += ["log10(abs(x) + 1)", "exp(x) ** 3"]
    state = {f"y{k}": 0.0 for k in range(len(formulas))}
    update = "\n".join(f"y{k} = {formula}" for k, formula in enumerate(formulas))
    cell = sim.native_cell_type("Functions", parameters={"x": 0.0}, state=state, update=update)
    sim.setup(timestep=0.1)
    cells = sim.Population(len(points), cell(x=points))
    cells.record(list(state))
    sim.run(0.1)
    signals = {each.name: each.magnitude[1] for each in cells.get_data().segments[0].analogsignals}
    for k, formula in enumerate(formulas):
        expected = evaluate(formula, {"x": points})
        assert signals[f"y{k}"] == pytest.approx(expected, rel=1e-14, abs=1e-300), formula


def test_branches_and_new_variables_in_statements() -> None:
    cell = sim.native_cell_type(
        "Branches",
        parameters={"limit": 3.0},
        state={"n": 0.0, "m": 0.0},
        update="""
            n += 1
            if n < limit:
                twice: float = 2 * n
                m = twice
            elif n == limit: m = -1
            else:
                if m < 0: m = 0
                else: pass
        """,
    )
    sim.setup(timestep=0.1)
    cells = sim.Population(1, cell())
    cells.record("m")
    sim.run(0.5)
    assert cells.get_data().segments[0].analogsignals[0].magnitude[:, 0].tolist() == [
        *(0.0, 2.0, 4.0, -1.0, 0.0, 0.0)
    ]


@pytest.mark.parametrize(
    "update", ["if n > 1:\n    x: float = 1\nn = x", "x: float = y", "for i in n: pass", "return n"]
)
def test_statements_that_are_none(update: str) -> None:
    with pytest.raises(ModelError, match="update"):
        sim.native_cell_type("Wrong", parameters={}, state={"n": 0.0}, update=update)


def test_a_type_that_is_no_longer_used_is_freed() -> None:
    kind = sim.native_cell_type(
        "Passing", parameters={"a": 1.0}, state={"v": 0.0}, equations="dv/dt = -a*v"
    )
    kind(a=2.0)
    gone = weakref.ref(kind)
    del kind
    gc.collect()
    assert gone() is None
