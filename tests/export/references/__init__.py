"""Runs other programs, which may be installed for another Python, with tables of this one."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def python_with(module: str, variable: str) -> str:
    """A Python that has a module: this one, or the one that a variable of the environment names."""
    if importlib.util.find_spec(module):
        return sys.executable
    if variable not in os.environ:
        pytest.skip(f"{module} is not installed; {variable} may name a Python that has it")
    return os.environ[variable]


def run_reference(python: str, script: str, steps: int, folders: list[Path]) -> None:
    """Let a script beside this file read tables of folders, and write what it computes there."""
    command = [python, "-W", "ignore", str(HERE / script), str(steps), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
