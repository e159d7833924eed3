"""What verification states."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A statement about the tables, whether it holds, and the figures."""

    statement: str
    holds: bool
    figures: str
