"""Comparison of backends: the same PyNN script on each, and what differs.

`compare_blocks` compares recorded data; `compare_script`, and the command `pynn-sparse compare`,
run a script on several backends and compare everything that it recorded and connected.
"""

from __future__ import annotations

from .blocks import compare_blocks
from .comparison import Comparison, compare_script
from .findings import Finding, Tolerances
from .results import PairComparison
from .runs import Target

__all__ = [
    "Comparison",
    "Finding",
    "PairComparison",
    "Target",
    "Tolerances",
    "compare_blocks",
    "compare_script",
]
