"""Bars of progress are for those who ask for them."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_backend_makes_no_bar_ready() -> None:
    """In a notebook without ipywidgets that would give a warning."""
    code = "import sys, pyNN.sparse; sys.exit('tqdm.auto' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
