"""The two halves of a model agree: the kernel's structures and the Python entry."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from support.networks import PARAMETERS

from pynn_sparse.engine import kernels, structures
from pynn_sparse.engine.toolchain import libraries
from pynn_sparse.errors import EngineError
from pynn_sparse.network import Model, TimeGrid, propagators
from pynn_sparse.network.cells import BUILT_IN

EVERY_MODEL = pytest.mark.parametrize("model", BUILT_IN, ids=lambda model: model.name)
SOURCES = {
    "SpikeSourcePoisson": {"rate": 10.0, "start": 0.0, "duration": 1e10},
    "SpikeSourceArray": {},
    "SpikeSourcePoissonRefractory": {"rate": 9.0, "tau_refrac": 5.0, "start": 0.0, "duration": 1e9},
    "SpikeSourceGamma": {"alpha": 2.0, "beta": 9.0, "start": 0.0, "duration": 1e9},
    "SpikeSourceInhGamma": {
        **{name: [np.array([1.0])] for name in ("a", "b", "tbins")},
        "start": 0.0,
        "duration": 1e9,
    },
}


@EVERY_MODEL
@pytest.mark.parametrize("precision", kernels.PRECISIONS)
def test_same_numbers_of_fields(model: Model, precision: str) -> None:
    """`cpu_step` refuses a kernel that has others than the entry."""
    assert libraries.cpu_step(model, precision).value
    wrong = replace(model, derived=(*model.derived, "more"))
    with pytest.raises(EngineError, match=model.name):
        libraries.cpu_step(wrong, precision)


def header(model: Model) -> str:
    return (kernels.source_folder() / "cells" / f"{model.name}.h").read_text()


def fields(model: Model, structure: str) -> list[str] | None:
    """The fields that the model's own header lists; None where it has them from elsewhere."""
    body = re.search(rf"struct {structure} {{(.*?)}};", header(model), re.DOTALL)
    if not body:
        return None
    code = re.sub(r"//.*", "", body[1])
    names = re.findall(r"(?:real|double)\s+([^;]*);", code)
    return [name.strip() for group in names for name in group.split(",")]


@EVERY_MODEL
def test_state_fields(model: Model) -> None:
    assert fields(model, "State") in (list(model.state), None)


@EVERY_MODEL
def test_parameter_fields(model: Model) -> None:
    assert fields(model, "Params") in (list(model.derived), None)


@EVERY_MODEL
def test_double_where_it_must_be(model: Model) -> None:
    if fields(model, "State"):
        assert ("using scalar = double;" in header(model)) == model.double_only


@EVERY_MODEL
def test_derives_what_it_names(model: Model) -> None:
    parameters = PARAMETERS.get(model.name, SOURCES.get(model.name))
    assert parameters is not None
    derived = model.derive(parameters, TimeGrid(0.1))
    assert sorted(derived) == sorted(model.derived)
    assert np.isfinite([float(value) for value in derived.values()]).all()


@EVERY_MODEL
def test_recordables_are_state(model: Model) -> None:
    assert set(model.recordable) <= set(model.state)


def test_every_header_has_an_entry() -> None:
    headers = {path.stem for path in (kernels.source_folder() / "cells").glob("*.h")}
    assert headers == {model.name for model in BUILT_IN}


def test_plan_has_the_same_layout_on_both_sides() -> None:
    """`cpu_library` refuses a library that disagrees."""
    assert libraries.cpu_library()
    assert all(structure.isalignedstruct for structure in structures.ALL)


@pytest.mark.parametrize("difference", [0.0, 1e-12, 1e-6, 1e-3, 0.1, 1.0, -0.5])
def test_propagators_for_close_time_constants(difference: float) -> None:
    """Against integration with small steps: what a decaying current adds to v in a step."""
    tau_m = 10.0
    tau_syn = tau_m + difference
    p = {"tau_m": tau_m, "cm": 0.25}
    h, n = 0.1, 20000
    t = (np.arange(n) + 0.5) * h / n
    kernel = np.exp(-(h - t) / tau_m) / p["cm"]
    exponential = np.sum(np.exp(-t / tau_syn) * kernel) * h / n
    alpha = np.sum(t * np.exp(-t / tau_syn) * kernel) * h / n
    assert propagators.gain(p, tau_syn, TimeGrid(h)) == pytest.approx(exponential, rel=1e-9)
    assert propagators.rise_gain(p, tau_syn, TimeGrid(h)) == pytest.approx(alpha, rel=1e-9)
