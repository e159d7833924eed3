"""Functions of the kernels, to the last bits and on any processor."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pynn_sparse.engine import kernels
from pynn_sparse.engine.building import laws

special = pytest.importorskip("scipy.special")


FUNCTIONS = ("log_of", "log_of_complement", "exp_of", "normal_quantile")


@pytest.fixture(scope="module")
def arithmetic(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The functions of draws.h for the plainest processor, one number at a time."""
    folder = tmp_path_factory.mktemp("draws")
    body = "for (int64 i = 0; i < n; ++i) y[i] = {};"
    exported = "EXPORT void {}s(const double* x, double* y, int64 n) {{ {} }}\n"
    normals = body.format("normal_quantile(open_uniform(philox(7, Purpose::kDraw, 0, i / 2), i))")
    (folder / "unit.cpp").write_text(
        '#include "core/draws.h"\n'
        + "".join(exported.format(name, body.format(f"{name}(x[i])")) for name in FUNCTIONS)
        + f"EXPORT void normals(double* y, int64 n) {{ {normals} }}\n"
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
