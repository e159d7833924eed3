"""Texts in NESTML that are found, read, or refused with the line and the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyNN.sparse as sim
import pytest
from support.nestml import LEAKY, model

from pynn_sparse.errors import ModelError
from pynn_sparse.interchange.nestml import session

pytest.importorskip("pynestml")


def test_file_and_name(tmp_path: Path) -> None:
    file = tmp_path / "two.nestml"
    file.write_text(LEAKY + LEAKY.replace("leaky", "other").replace("-55", "-50"))
    assert sim.nestml_cell_type("other", file).default_parameters["V_th"] == -50.0
    assert sim.nestml.nestml_cell_type("leaky", str(file)).__name__ == "leaky"
    with pytest.raises(ModelError, match=r"several models.*leaky, other"):
        sim.nestml_cell_type(file)
    with pytest.raises(ModelError, match="no model 'third'; there are: leaky, other"):
        sim.nestml_cell_type("third", file)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.nestml"):
        sim.nestml_cell_type("nowhere.nestml")
    with pytest.raises(ModelError, match="no model"):
        sim.nestml_cell_type("# nothing\n\n")


def test_pynestml_is_quiet_and_left_as_it_was(capfd: Any) -> None:
    from pynestml.frontend.frontend_configuration import FrontendConfiguration
    from pynestml.utils.logger import Logger, LoggingLevel

    Logger.init_logger(LoggingLevel.WARNING)
    before = Logger.log, Logger.no_print, FrontendConfiguration.target_platform
    sim.nestml_cell_type(LEAKY)
    with pytest.raises(ModelError):
        sim.nestml_cell_type(LEAKY.replace("I_e +", "I_ee +"))
    assert (Logger.log, Logger.no_print, FrontendConfiguration.target_platform) == before
    assert Logger.logging_level == LoggingLevel.WARNING
    assert capfd.readouterr() == ("", "")


def test_without_pynestml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"pip install 'pynn-sparse\[nestml\]'"):
        sim.nestml_cell_type(LEAKY)


def test_values_that_refer_to_each_other() -> None:
    text = model(state="x real = a", internals="a real = x", update="x = a")
    with pytest.raises(ModelError, match=r"NESTML text: initial values: a: .*'a' is not defined"):
        sim.nestml_cell_type(text)
    text = model(state="x real = y; y real = x", internals="a real = x", update="x = a")
    with pytest.raises(ModelError, match=r"refer to each other|not defined"):
        sim.nestml_cell_type(text)


def test_tolerance() -> None:
    with pytest.raises(ModelError, match="tolerance = 0"):
        sim.nestml_cell_type(LEAKY, tolerance=0.0)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("(V_m)", "(V_m, q)"), 26, ()),
        (("-55 mV", "-55 pA"), 11, ("mV", "pA")),
        (("I_e +", "I_ee +"), 7, ("I_ee",)),
        (("state:", "stat:"), None, ("parsing",)),
        (("V_m = E_L", "V_m = V_n"), 29, ("V_n",)),
        (("refr_T ms = 2 ms", "refr_T ms = 2 ms / 0 * 0"), None, ("refr_T", "zero")),
        (("tau_syn ms", "e ms"), None, ()),
    ],
)
def test_what_is_not_a_model(change: tuple[str, str], line: int | None, words: Any) -> None:
    with pytest.raises(ModelError) as caught:
        sim.nestml_cell_type(LEAKY.replace(*change))
    if line is not None:
        assert f"NESTML text:{line}: " in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("blocks", "construct"),
    [
        ({"update": "x = random_normal(0, 1)"}, r"10: random_normal\(\)"),
        ({"update": "x = sin(x)"}, r"10: sin\(\)"),
        ({"update": "x = steps(1 ms)"}, r"10: steps\(\) outside"),
        ({"update": 'println("x")'}, r"10: println\(\)"),
        ({"update": "while x < 3:\n            x += 1"}, "10: a loop"),
        ({"update": "x = 3 & 5"}, "10: an operator on bits"),
        ({"state": "x real = 1; v[3] real = 0", "update": "x = 1"}, "4: a vector"),
        (
            {"equations": "x' = t * x / (1 ms**2)", "update": "integrate_odes()"},
            "time in this place",
        ),
        (
            {
                "equations": "kernel k = 1 / (1 + t / (1 ms)); x' = convolve(k, spikes) / (1 ms)",
                "update": "integrate_odes()",
            },
            "a kernel that is no sum",
        ),
        (
            {"equations": "x' = exp(spikes * 1 ms) / (1 ms)", "update": "integrate_odes()"},
            "not linear in the spikes",
        ),
        ({"input": "a real <- continuous"}, "not a current"),
        ({"parameters": "p ms = resolution()"}, "depends on the time step"),
    ],
)
def test_what_is_not_supported(blocks: dict[str, str], construct: str) -> None:
    with pytest.raises(NotImplementedError, match=f"NESTML text:.*{construct}.* not supported"):
        sim.nestml_cell_type(model(**{"state": "x real = 1", **blocks}))


def test_synapse_models_are_not_supported() -> None:
    text = "model s:\n    parameters:\n        w real = 1\n    input:\n        pre <- spike\n"
    text += "    output:\n        spike\n    onReceive(pre):\n        emit_spike(w)\n"
    with pytest.raises(NotImplementedError, match="text:9: a synapse model"):
        sim.nestml_cell_type(text)
