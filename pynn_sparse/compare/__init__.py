"""Comparison of backends: the same PyNN script on each, and what differs.

`compare_blocks` compares recorded data; the command `pynn-sparse compare` runs a script on several
backends and compares everything that it recorded and connected.
"""

from __future__ import annotations

from .blocks import compare_blocks
from .findings import Finding, Tolerances
from .results import PairComparison

__all__ = ["Finding", "PairComparison", "Tolerances", "compare_blocks"]
