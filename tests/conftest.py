"""What all tests have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from pynn_sparse.engine import processors
from pynn_sparse.engine.devices import choice

# No test depends on how fast the machine is, or how busy.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


@pytest.fixture(autouse=True, scope="session")
def _eight_processors() -> Iterator[None]:
    """As many threads as tests ask for, also where there are fewer processors: results agree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processors, "_affinity", lambda: 8)
        patch.setattr(processors, "quota", lambda: math.inf)
        patch.setattr(choice, "WORK_OF_OWNER", 1)
        yield
