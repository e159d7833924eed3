"""Processes that tests start import PyNN without the package csa, as where it is not installed.

PyNN imports csa if it is there, and with it pyplot: nearly half of the time of `import pyNN`, some
hundred times.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = str(Path(__file__).parent / "without_csa")


def leave_out_csa(patch: pytest.MonkeyPatch) -> None:
    """In all processes that inherit the environment."""
    patch.setenv("PYTHONPATH", FOLDER, prepend=os.pathsep)


def with_csa(patch: pytest.MonkeyPatch) -> None:
    """As it was before `leave_out_csa`."""
    rest = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each != FOLDER]
    patch.setenv("PYTHONPATH", os.pathsep.join(rest))
