"""Spyx 1.0.0: `IF`, `LIF`, `CuBaLIF` and their recurrent forms, with a soft reset.

A spike is read from the voltage of the step before, so that layers and outputs see it one step
later. r is beta in its files, and the input counts once whatever it is. dt is an argument of its
writer, 1 if not given. In recurrent layers, its edges lead from the input to the recurrent weights,
where it adds the input to what comes out of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ...layers import Dense, Graph, Neurons, Rule
from ..framework import Framework


def _of_class(rule: Rule, said: Collection[str], neurons: Neurons, recurrent: bool) -> Rule:
    """`CuBaLIF` subtracts before v decays, which is at once."""
    if neurons.kind == "CubaLIF" and "reset" not in said:
        return replace(rule, reset="subtract")
    return rule


def _past_recurrent_weights(graph: Graph, dt: float, notes: list[str]) -> Graph:
    edges = list(graph.edges)
    for name in graph.named(Dense):
        after = graph.out_of(name)
        loop = len(after) == 1 and isinstance(graph.nodes[after[0]], Neurons)
        if not (loop and after[0] in graph.into(name)):
            continue
        others = [each for each in graph.into(name) if each != after[0]]
        if others and graph.into(after[0]) == [name]:
            edges = [(a, after[0] if (b == name and a in others) else b) for a, b in edges]
            notes.append(
                f"node {name!r}: input leads to these recurrent weights, as Spyx writes it, but "
                f"means {after[0]!r}; read so"
            )
    return Graph(graph.nodes, tuple(edges)) if edges != list(graph.edges) else graph


SPYX = Framework(
    name="spyx",
    title="Spyx 1.0",
    rule=Rule(
        dt=1.0,
        decay="euler",
        gain="one",
        jump="one",
        current="decay_first",
        fires=">",
        reset="subtract_next",
        spikes="one",
        leak="none",
        v_start=0.0,
        least_v="none",
        output_delay=1,
    ),
    source="spyx/nn.py, spyx/nir.py",
    special=_of_class,
    repair=_past_recurrent_weights,
)
