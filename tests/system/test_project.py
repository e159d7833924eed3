"""What belongs to a project besides its code agrees with the code."""

import re
import sys
from pathlib import Path

import pytest
import yaml

import pynn_sparse

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text())


def test_versions_agree():
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert read("CITATION.cff")["version"] == pynn_sparse.__version__
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == pynn_sparse.__version__


def test_licences_agree():
    assert PROJECT["license"] == read("CITATION.cff")["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert not [c for c in PROJECT["classifiers"] if c.startswith("License")]  # PEP 639


def test_hooks_before_a_commit_have_the_versions_of_the_checks():
    """Other versions would format, and find, differently."""
    wanted = {r for r in PROJECT["optional-dependencies"]["test"] if re.match(r"[\w-]+==", r)}
    pinned = {
        requirement
        for hook in read(".pre-commit-config.yaml")["repos"][0]["hooks"]
        for requirement in hook["additional_dependencies"]
        if "==" in requirement
    }
    assert pinned == wanted


def test_workflows_call_what_is_there():
    steps = [
        step.get("run", "")
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
        for job in yaml.safe_load(path.read_text())["jobs"].values()
        for step in job["steps"]
    ]
    called = {name for run in steps for name in re.findall(r"\.ci/\w[\w.]*", run)}
    assert called == {".ci/run"}
    assert all((ROOT / name).is_file() for name in called)


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda p: p.name)
def test_yaml_is_valid(path):
    assert yaml.safe_load(path.read_text())
