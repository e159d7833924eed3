"""What this package writes beside a graph of NIR: the rule by which its neurons are stepped."""

from __future__ import annotations

import json
from dataclasses import asdict

from ..layers import Rule

SIDECAR = "pynn_sparse"  # name in the metadata of graphs


def sidecar_of(rule: Rule) -> str:
    """What `rules.reading_of` finds in the metadata."""
    return json.dumps({"version": 1, "rule": asdict(rule)})
