"""Python in README and documentation runs as it stands, and pages agree with the code."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pyNN.sparse as sim
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "export").glob("*.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The blocks of a page follow each other in one namespace; comments tell what is printed."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in BLOCK.findall(page.read_text()):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(block, page.name, "exec"), namespace)
        printed = capsys.readouterr().out
        for promised in re.findall(r"print\(.*\)  # (.*)", block):
            assert promised.split("(...)")[0] in printed


def test_features_page_names_every_model() -> None:
    """Supported ones on one side, the others on the other."""
    text = (ROOT / "docs" / "features.md").read_text()
    rows = [
        line.split("|") for line in text.splitlines() if line.startswith(("| neurons", "| spike"))
    ]
    supported = {name for row in rows for name in re.findall(r"`(\w+)`", row[2])}
    missing = {name for row in rows for name in re.findall(r"`(\w+)`", row[3])}
    assert supported == set(sim.list_standard_models())
    for name in missing:
        with pytest.raises(NotImplementedError, match=name):
            getattr(sim, name)()


def test_readme_has_the_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert "&& .venv/bin/python examples/microcircuit.py sparse" in text
    assert "&& .venv/bin/python -m pytest" in text
