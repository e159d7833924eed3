"""What all comparisons with NEST need."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """NEST and its PyNN backend warn of their own deprecated calls; that is not ours to judge."""
    for item in items:
        if HERE in item.path.parents:
            for category in ("DeprecationWarning", "UserWarning"):
                for module in ("pyNN", "nest"):
                    item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}:{module}"))
