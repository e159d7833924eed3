"""What odd calls are made on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from odd_frame import end
from odd_world import World


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    yield World()
    end()
