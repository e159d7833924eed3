"""A target is a folder: the one that CONTRIBUTING.md shows passes what every target has to."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import random_float
from toy_target.target import Toy

from pynn_sparse import export
from pynn_sparse.export import registry
from pynn_sparse.export.target import HOOKS, Target

HERE = Path(__file__).parent
CONTRIBUTING = HERE.parents[1] / "CONTRIBUTING.md"
RULE = export.Quantise(weight_bits=4)


@pytest.fixture
def toy() -> Iterator[None]:
    export.register(Toy)
    yield
    registry.TARGETS.remove("toy")


def test_contributing_shows_the_folder_as_it_is() -> None:
    text = CONTRIBUTING.read_text()
    section = text[text.index("## Add a target") :]
    shown = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    folder = HERE / "toy_target"
    assert shown == [(folder / name).read_text() for name in ("capabilities.py", "target.py")]


@pytest.mark.usefixtures("toy")
def test_toy_target_lowers_saves_loads_and_verifies(tmp_path: Path) -> None:
    net = random_float(1, delays=4)
    export.lower(net, "toy", quantise=RULE, accept=["coarse"]).save(tmp_path)
    tables = export.load(tmp_path)
    assert export.verify(tables, duration=100.0).passed
    assert len(tables.trace(100.0).spikes) > 20
    assert np.abs(tables.fixed.weight).max() == 7


@pytest.mark.usefixtures("toy")
def test_toy_target_has_limits() -> None:
    with pytest.raises(export.LimitsError, match="toy"):
        export.lower(random_float(1, delays=40), "toy", quantise=RULE, accept=["coarse"])
    with pytest.raises(export.ExportError, match="weight_bits = 8"):
        export.lower(random_float(1), "toy", accept=["coarse"])


@pytest.mark.usefixtures("toy")
def test_a_capability_of_its_own_refuses_changes_and_is_proved() -> None:
    net = random_float(1, delays=4)
    with pytest.raises(export.LimitsError, match=r'multiples of 2 steps.*or accept=\["coarse"\]'):
        export.lower(net, "toy", quantise=RULE)
    with pytest.raises(export.ExportError, match=r"accept = 'coarse': must be of tau_syn, "):
        export.lower(net, "asic", accept=["coarse"])
    tables = export.lower(net, "toy", quantise=RULE, accept=["coarse"])
    assert set(tables.fixed.hop.tolist()) == {2, 4, 6}
    delay = np.concatenate([part.delay for part in net.connections])[tables.origin]
    np.testing.assert_array_equal(tables.fixed.hop, 2 * np.ceil((delay + 1) / 2))
    late = replace(tables, origin=tables.origin[::-1])
    failed = [check.statement for check in export.verify(late).checks if not check.holds]
    assert "each synapse has its delay" in failed


def test_a_package_brings_it_by_an_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "toy_target-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-target\nVersion: 1.0\n")
    entry = "[pynn_sparse.targets]\n{} = toy_target.target:Toy\n"
    (about / "entry_points.txt").write_text(entry.format("toy"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "TARGETS", registry.Registry())
    registry._entries.cache_clear()
    try:
        assert "toy" in registry.TARGETS
        assert type(registry.find("toy")) is Toy
        with pytest.raises(export.ExportError, match="name = 'toy': there is a target of that"):
            export.register(Toy)
        (about / "entry_points.txt").write_text(entry.format("other"))
        registry._entries.cache_clear()
        with pytest.raises(export.ExportError, match="name = 'toy': must be 'other'"):
            registry.find("other")
    finally:
        registry._entries.cache_clear()


def test_targets_are_loaded_on_demand() -> None:
    """Nothing of a target but its name is imported before it is asked for."""
    code = (
        "import sys; from pynn_sparse import export; export.find('xylo'); "
        "print(*(m for m in sys.modules if m.endswith('.target') and '.targets.' in m))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert found == ["pynn_sparse.export.targets.xylo.target"]


# --- what is refused ---------------------------------------------------------------------------


def defined(**changes: Any) -> type[Any]:
    """The toy with attributes changed; those that are None are left out."""
    body = {name: value for name, value in vars(Toy).items() if not name.startswith("__")}
    body |= changes
    return type("Toy", (Target,), {name: each for name, each in body.items() if each is not None})


REQUIRED = [name for name in HOOKS if getattr(Target, name).__dict__.get("__isabstractmethod__")]


@pytest.mark.parametrize("hook", REQUIRED)
def test_a_class_without_a_hook_is_refused_when_it_is_defined(hook: str) -> None:
    with pytest.raises(export.ExportError, match=rf"it lacks {hook}\(self.*has to return \w+"):
        defined(**{hook: None})


def test_required_hooks_are_those_without_a_default() -> None:
    assert [
        *("options", "limits", "numbers", "semantics"),
        *("place", "pack", "unpack", "greatest_input"),
    ] == REQUIRED


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_of_another_signature_is_refused_when_it_is_defined(hook: str) -> None:
    with pytest.raises(export.ExportError, match=rf"{hook}\(self, \*, other\): must be {hook}\("):
        defined(**{hook: lambda self, *, other: None})
    with pytest.raises(export.ExportError, match=rf"{hook} = 3: must be {hook}\(self"):
        defined(**{hook: 3})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("title", None, "title is missing: must be of type str"),
        ("version", None, "version is missing: must be of type int"),
        ("name", 3, "name = 3: must be of type str"),
        ("version", "1", "version = '1': must be of type int"),
        ("version", True, "version = True: must be of type int"),
        ("defaults", [], r"defaults = \[\]: must be of type Mapping"),
        ("model", "leaky", "model = 'leaky': must be of type Model"),
    ],
)
def test_attributes_of_another_type_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(export.ExportError, match=message):
        defined(**{name: value})


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        ("options", "Toy.options returned None: must be of type dict"),
        ("limits", "Toy.limits returned None: must be of type Limits"),
        ("capabilities", "Toy.capabilities returned None: must be of type tuple"),
        ("semantics", "Toy.semantics returned None: must be of type Semantics"),
    ],
)
def test_a_forgotten_return_is_refused_when_it_is_registered(hook: str, message: str) -> None:
    arguments = getattr(Target, hook).__code__.co_argcount
    forgotten = {1: lambda self: None, 2: lambda self, receptors: None}[arguments]
    with pytest.raises(export.ExportError, match=message):
        export.register(defined(**{hook: forgotten}))


@pytest.mark.parametrize(
    ("hook", "kind"), [("numbers", "Numbers"), ("place", "Placement"), ("pack", "dict")]
)
def test_a_forgotten_return_is_told_when_it_is_used(hook: str, kind: str) -> None:
    forgotten = {
        3: lambda self, weight_bits, signed: None,
        4: lambda self, fixed, weight_bits, signed: None,
    }
    target = defined(**{hook: forgotten[getattr(Target, hook).__code__.co_argcount]})()
    with pytest.raises(
        export.ExportError, match=f"Toy.{hook} returned None: must be of type {kind}"
    ):
        export.lower(random_float(1), target, quantise=RULE, accept=["coarse"])


def test_what_is_no_target_is_not_registered() -> None:
    for other in (3, object, Toy()):
        with pytest.raises(export.ExportError, match="must be a class derived from Target"):
            export.register(other)  # type: ignore[arg-type]
    with pytest.raises(export.ExportError, match="Toy has no name"):
        export.register(defined(name=None))
    with pytest.raises(export.ExportError, match="name = 'asic': there is a target of that name"):
        export.register(defined(name="asic"))
    with pytest.raises(export.ExportError, match="options need values by default"):
        export.register(defined(__init__=lambda self, cores: None))
    assert "toy" not in export.TARGETS
