"""Functions of the kernels, to the last bits and on any processor."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pynn_sparse.engine import kernels
from pynn_sparse.engine.building import laws
from pynn_sparse.network import expressions

special = pytest.importorskip("scipy.special")


FUNCTIONS = ("log_of", "log_of_complement", "exp_of", "normal_quantile")
# Function that formulas may use -> what it is in C++, of x and y, and in NumPy.
OF_FORMULAS: dict[str, tuple[str, Callable[..., Any]]] = {
    **{
        name: (f"{expressions.FUNCTIONS[name][1]}(x[i])", getattr(np, name))
        for name in "exp expm1 log log10 sqrt abs floor ceil trunc sinh cosh tanh".split()
    },
    "min": ("least_of(x[i], y[i])", np.minimum),
    "max": ("greatest_of(x[i], y[i])", np.maximum),
    "clip": ("clipped(x[i], -1.0, y[i])", lambda x, y: np.minimum(np.maximum(x, -1.0), y)),
    "power": ("general_power(x[i], y[i])", np.power),
}
SPECIAL = [0.0, 5e-324, 3e-310, 2.0**-1022, 0.3, 1.0, 1.5, 2.0, 3.0, 1e300, np.inf]


@pytest.fixture(scope="module")
def arithmetic(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The functions of draws.h for the plainest processor, one number at a time."""
    folder = tmp_path_factory.mktemp("draws")
    body = "for (int64 i = 0; i < n; ++i) y[i] = {};"
    exported = "EXPORT void {}s(const double* x, double* y, int64 n) {{ {} }}\n"
    normals = body.format("normal_quantile(open_uniform(philox(7, Purpose::kDraw, 0, i / 2), i))")
    (folder / "unit.cpp").write_text(
        '#include "core/draws.h"\n#include "core/functions.h"\n'
        + "".join(exported.format(name, body.format(f"{name}(x[i])")) for name in FUNCTIONS)
        + f"EXPORT void normals(double* y, int64 n) {{ {normals} }}\n"
        + "".join(
            f"EXPORT void f_{name}(const double* x, const double* y, double* z, int64 n) "
            f"{{ for (int64 i = 0; i < n; ++i) z[i] = {text}; }}\n"
            for name, (text, _) in OF_FORMULAS.items()
        )
    )
    compiler = os.environ.get("CXX") or shutil.which("g++") or "c++"
    flags = "-std=c++17 -O1 -ffp-contract=off -fPIC -shared".split()
    command = [compiler, *flags, f"-I{kernels.source_folder()}", "unit.cpp", "-o", "unit.so"]
    subprocess.run(command, check=True, cwd=folder)
    return ctypes.CDLL(str(Path(folder) / "unit.so"))


def applied(library: ctypes.CDLL, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    y = np.empty_like(x)
    address = [ctypes.c_void_p(array.ctypes.data) for array in (x, y)]
    getattr(library, name + "s")(*address, ctypes.c_int64(len(x)))
    return y


def error(found: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    return float(np.max(np.abs(found - expected) / np.abs(expected)))


def test_logarithm(arithmetic: ctypes.CDLL) -> None:
    random = np.random.RandomState(1)
    small = 2.0 ** random.uniform(-53, 0, 100_000)
    x = np.concatenate([small, 1 - small / 2, 1 / small, [2.0**-53, 1 - 2.0**-53, 2.0**-1022]])
    assert error(applied(arithmetic, "log_of", x), np.log(x)) < 1e-15
    assert applied(arithmetic, "log_of", np.ones(1))[0] == 0
    p = np.concatenate([small / 2, 1 - small / 2, 10.0 ** random.uniform(-300, 0, 1000)])
    assert error(applied(arithmetic, "log_of_complement", p), np.log1p(-p)) < 1e-15


def test_exponential_function(arithmetic: ctypes.CDLL) -> None:
    x = np.concatenate([np.random.RandomState(1).uniform(-708, 709, 100_000), [1e-9, -1e-300]])
    assert error(applied(arithmetic, "exp_of", x), np.exp(x)) < 1e-15
    special_values = np.array([0, -745.2, -1e9, 710, 1e9, -np.inf, np.inf])
    expected = [1, 0, 0, np.inf, np.inf, 0, np.inf]
    assert applied(arithmetic, "exp_of", special_values).tolist() == expected
    assert applied(arithmetic, "exp_of", np.array([-740.0]))[0] == pytest.approx(np.exp(-740.0))


def test_normal_quantile(arithmetic: ctypes.CDLL) -> None:
    u = np.random.RandomState(1).uniform(0, 1, 100_000)
    u = np.concatenate([u, 2.0 ** -np.arange(2, 54.0), [0.075, 0.925, np.exp(-25), 1 - 2.0**-53]])
    found = applied(arithmetic, "normal_quantile", u)
    assert np.allclose(found, special.ndtri(u), rtol=4e-15, atol=1e-16)
    assert applied(arithmetic, "normal_quantile", np.array([0.5]))[0] == 0


def test_values_are_those_of_a_plain_processor(arithmetic: ctypes.CDLL) -> None:
    plain = np.empty(100_000)
    arithmetic.normals(ctypes.c_void_p(plain.ctypes.data), ctypes.c_int64(len(plain)))
    values = laws.draw("normal", {"mu": 0.0, "sigma": 1.0}, len(plain), 7, 1)
    assert np.array_equal(plain, values)


@pytest.mark.parametrize("name", OF_FORMULAS)
def test_functions_of_formulas_are_those_of_numpy_for_any_number(
    arithmetic: ctypes.CDLL, name: str
) -> None:
    values = np.array([*SPECIAL, *(-each for each in SPECIAL), np.nan])
    x, y = (each.ravel().copy() for each in np.meshgrid(values, values))
    if name == "power":  # of which C has agreed on more than is a limit
        agreed = (np.abs(x) == 1) & ~np.isfinite(y) | (x == -np.inf) & (np.floor(y) != y)
        agreed |= np.signbit(x) & (x == 0)
        x, y = x[~agreed], y[~agreed]
    found = np.empty_like(x)
    addresses = [ctypes.c_void_p(each.ctypes.data) for each in (x, y, found)]
    getattr(arithmetic, f"f_{name}")(*addresses, ctypes.c_int64(len(x)))
    function = OF_FORMULAS[name][1]
    with np.errstate(all="ignore"):
        expected = function(x, y) if name in ("min", "max", "clip", "power") else function(x)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-320)
