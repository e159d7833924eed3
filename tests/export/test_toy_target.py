"""The target that CONTRIBUTING.md shows is one file, and passes what every target has to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import random_float

from pynn_sparse import export
from pynn_sparse.export import registry

CONTRIBUTING = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"


@pytest.fixture
def toy() -> Iterator[Any]:
    """The class in CONTRIBUTING.md, entered as it says."""
    text = CONTRIBUTING.read_text()
    section = text[text.index("## Add a target") :]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    namespace: dict[str, Any] = {"__name__": "pynn_sparse.export.targets.toy"}
    exec(compile(code, "CONTRIBUTING.md", "exec"), namespace)
    toy = namespace["Toy"]
    export.register(toy)
    yield toy
    registry.TARGETS.remove(toy.name)


def test_toy_target_lowers_saves_loads_and_verifies(toy: Any, tmp_path: Path) -> None:
    net = random_float(1, delays=4)
    rule = export.Quantise(weight_bits=4)
    export.lower(net, "toy", quantise=rule).save(tmp_path)
    tables = export.load(tmp_path)
    assert export.verify(tables, duration=100.0).passed
    assert len(tables.trace(100.0).spikes) > 20
    assert np.abs(tables.fixed.weight).max() == 7


def test_toy_target_has_limits(toy: Any) -> None:
    with pytest.raises(export.LimitsError, match="toy"):
        export.lower(random_float(1, delays=40), "toy", quantise=export.Quantise(weight_bits=4))
    with pytest.raises(export.ExportError, match="weight_bits = 8"):
        export.lower(random_float(1), "toy")
