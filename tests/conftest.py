"""What all tests have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from pynn_sparse.engine import processors


@pytest.fixture(autouse=True, scope="session")
def _four_processors() -> Iterator[None]:
    """As many threads as tests ask for, also where there are fewer processors: results agree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processors, "_affinity", lambda: 4)
        patch.setattr(processors, "quota", lambda: math.inf)
        yield
