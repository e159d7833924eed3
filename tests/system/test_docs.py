"""Python in README and documentation runs as it stands, and pages agree with the code."""

from __future__ import annotations

import re
import runpy
import shutil
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyNN.sparse as sim
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "export").glob("*.md")),
    *sorted((ROOT / "docs" / "nir").glob("*.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def no_figures_left() -> Iterator[None]:
    """Closes what pages have drawn: later tests number their figures from 1."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.mark.usefixtures("no_figures_left")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The blocks of a page follow each other in one namespace; comments tell what is printed."""
    monkeypatch.chdir(tmp_path)
    for kind in ("*.nir", "*.npz", "*.onnx"):
        for file in page.parent.glob(kind):
            shutil.copy(file, tmp_path)
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in BLOCK.findall(page.read_text()):
        needs = {"nestml": "pynestml", ".onnx": "onnx", "import sweep": "loky"}
        for word in needs:
            if word in block and find_spec(needs[word]) is None:
                pytest.skip(f"the rest of the page needs {needs[word]}")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(block, page.name, "exec"), namespace)
        printed = capsys.readouterr().out
        for promised in re.findall(r"print\(.*\)  # (.*)", block):
            assert promised.split("(...)")[0] in printed


def test_features_page_names_every_model() -> None:
    text = (ROOT / "docs" / "features.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| neurons", "| spike sources"))]
    supported = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert supported == set(sim.list_standard_models())


def test_support_table_is_what_the_code_says() -> None:
    path = ROOT / "docs" / "support_table.py"
    made = runpy.run_path(str(path))["page"]()
    assert made == path.with_name("support.md").read_text(), f"run python {path}"


def test_tables_of_performance_are_those_of_the_files() -> None:
    path = ROOT / "docs" / "performance_tables.py"
    tables = runpy.run_path(str(path))
    pages = [page.read_text() for page in tables["PAGES"]]
    assert [tables["page"](page) for page in tables["PAGES"]] == pages, f"run python {path}"
    files = {file.stem for file in path.with_name("benchmarks").glob("*.json")}
    assert files == set(re.findall(r"<!-- table: (\w+) -->", "".join(pages)))


def test_traces_page_shows_every_neuron() -> None:
    text = (ROOT / "docs" / "traces.md").read_text()
    shown = set(re.findall(r"^## (\w+)$", text, re.MULTILINE))
    neurons = {name for name in sim.list_standard_models() if not name.startswith("SpikeSource")}
    assert neurons - {"PointNeuron"} <= shown
    for name in shown:
        assert (ROOT / "docs" / "traces" / f"{name}.png").is_file()


def test_readme_has_the_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert "&& .venv/bin/python examples/microcircuit.py sparse" in text
    assert "&& .venv/bin/python -m pytest" in text
