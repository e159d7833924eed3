"""Backends with an error each, for comparisons to find: modules `wrong_<kind>` of one class each.

Those called `hidden_<kind>` report what a correct backend reports.
"""

from __future__ import annotations

from pathlib import Path

HEAD = """
from pyNN.sparse import *
import numpy as np
import pyNN.sparse as right
"""

WEIGHT = """
class Projection(right.Projection):
    wrong = False

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        weight = super().get("weight", format="list", with_address=False)[0]
        self.set(weight=1.05 * weight)
        self.wrong = HIDDEN

    def get(self, *args, **options):
        rows = super().get(*args, **options)
        return [(i, j, w / 1.05, d) for i, j, w, d in rows] if self.wrong else rows
"""

DELAY = """
class Projection(right.Projection):
    wrong = False

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        matrix = super().get("delay", format="array")
        self.set(delay=matrix + 0.1)
        self.wrong = HIDDEN

    def get(self, *args, **options):
        rows = super().get(*args, **options)
        return [(i, j, w, d - 0.1) for i, j, w, d in rows] if self.wrong else rows
"""

REFRACTORY = """
class Population(right.Population):
    wrong = False

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        if self.celltype.has_parameter("tau_refrac"):
            self.set(tau_refrac=super().get("tau_refrac") + 0.5)
            self.wrong = HIDDEN

    def get(self, names, *args, **options):
        found = super().get(names, *args, **options)
        return found - 0.5 if self.wrong and names == "tau_refrac" else found
"""

FAILING = """
def run(*args, **options):
    raise RuntimeError("this backend cannot run")

run_for = run_until = run
"""

KINDS = {"weight": WEIGHT, "delay": DELAY, "refractory": REFRACTORY}


def write(folder: Path) -> None:
    """Write the modules: `wrong_<kind>`, `hidden_<kind>` and `failing`."""
    for kind, body in KINDS.items():
        for name, hidden in (("wrong", False), ("hidden", True)):
            text = HEAD + body.replace("HIDDEN", str(hidden))
            (folder / f"{name}_{kind}.py").write_text(text)
    (folder / "failing.py").write_text(HEAD + FAILING)
