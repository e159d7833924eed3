"""What tests of the export have in common."""

from __future__ import annotations

from pathlib import Path

import pytest
from export_networks import random_float

from pynn_sparse import export


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables of a small network, to be damaged."""
    export.lower(random_float(1), "asic").save(tmp_path / "out")
    return tmp_path / "out"
