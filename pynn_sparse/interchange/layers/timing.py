"""When each layer does its steps, where a spike takes at least one step from layer to layer.

Programs that train networks pass all layers in one step: what an input does in step t, the last
layer shows in step t. Here a spike arrives a step later at the earliest, so that a layer does its
step t as many steps later as the longest path to it has hops (its skew), with delays that make up
for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import GraphError

Hop = tuple[str, str, int]  # from, to, and the least number of steps that programs take for it


def skews(sources: Sequence[str], layers: Sequence[str], hops: Sequence[Hop]) -> dict[str, int]:
    """Steps by which sources (-1) and layers are late, so that every hop lasts a step at least.

    Raises GraphError for a cycle that is passed in fewer steps than it has layers.
    """
    skew = dict.fromkeys(layers, 0) | dict.fromkeys(sources, -1)
    before: dict[str, str] = {}
    for _ in range(len(layers) + 1):
        late = [
            (a, b, skew[a] + 1 - steps) for a, b, steps in hops if skew[b] < skew[a] + 1 - steps
        ]
        if not late:
            return skew
        for a, b, least in late:
            if skew[b] < least:
                skew[b], before[b] = least, a
    cycle = _cycle(before, late[0][1])
    n = len(cycle) - 1
    raise GraphError(
        f"the cycle {' -> '.join(cycle)} passes {n} layers of neurons within one step, where a "
        f"spike takes a step for each: it needs Delay nodes of {n} steps together"
    )


def _cycle(before: Mapping[str, str], start: str) -> list[str]:
    """A cycle among predecessors; following them from `start` leads into it."""
    seen: list[str] = []
    node = start
    while node not in seen:
        seen.append(node)
        node = before[node]
    cycle = seen[seen.index(node) :]
    return [node, *reversed(cycle)]
