"""Norse 1.1.0: `LIFBoxCell`, `LIFCell`, `IAFCell` and `LIBoxCell`, by Euler's method.

Its writer divides dt by the inverse time constants, so that every tau is dt times too small, unless
it was called with dt=1. What arrives is added to the current of `LIFCell` as it is, for which its
files say w_in = 1.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from ...layers import Graph, Neurons, Rule
from ..framework import Framework

TIMES = ("tau", "tau_mem", "tau_syn")


def _of_cell(rule: Rule, said: Collection[str], neurons: Neurons, recurrent: bool) -> Rule:
    if neurons.kind in ("IF", "I") and "gain" not in said:
        return replace(rule, gain="one")  # IAFCell does not use its dt
    whole = neurons.kind in ("CubaLIF", "CubaLI") and (neurons.values["w_in"] == 1).all()
    return replace(rule, jump="one") if whole and "jump" not in said else rule


def _times(graph: Graph, dt: float, notes: list[str]) -> Graph:
    """Time constants as they were before the writer took them times dt."""
    found = [
        name
        for name in graph.named(Neurons)
        if any(np.any(_values(graph, name).get(each, np.inf) < dt) for each in TIMES)
    ]
    if not found:
        return graph
    nodes = dict(graph.nodes)
    for name in graph.named(Neurons):
        values = _values(graph, name)
        scaled = {each: values[each] / dt for each in TIMES if each in values}
        nodes[name] = Neurons(graph.neurons(name).kind, values | scaled)
    notes.append(
        f"node {found[0]!r}: its time constant is shorter than dt = {dt:g} s: Norse writes "
        "dt/tau_inv for 1/tau_inv; all time constants were divided by dt"
    )
    return Graph(nodes, graph.edges)


def _values(graph: Graph, name: str) -> dict[str, Any]:
    return {each: np.asarray(value) for each, value in graph.neurons(name).values.items()}


NORSE = Framework(
    name="norse",
    title="Norse 1.1",
    rule=Rule(
        decay="euler",
        gain="file",
        jump="file",
        current="decay_first",
        fires=">",
        reset="value",
        spikes="one",
        leak="file",
        v_start="v_leak",
        least_v="none",
        output_delay=0,
    ),
    source="norse/torch/functional/{lif,lif_box,iaf}.py, norse/torch/utils/export_nir.py",
    special=_of_cell,
    repair=_times,
)
