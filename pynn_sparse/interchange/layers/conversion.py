"""Ordinary networks of rectifiers as spiking ones.

A rectifier becomes integrate-and-fire neurons with threshold theta, whose spikes count theta: their
rate times theta is what the rectifier gives, as far as that is below theta. Where theta is a high
percentile of what the rectifier gives for some data, few are cut off, and rates are high enough to
be told apart after few steps (Rueckauer et al. 2017, doi:10.3389/fnins.2017.00682). What exceeds
the threshold is kept after a spike (reset by subtraction; Han et al. 2020, arXiv:2003.01811). From
theta / 2 on, counts are rounded to the nearest, not down (Bu et al. 2022, arXiv:2303.04347).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...door import Door, shown
from ...errors import GraphError
from .forward import forward
from .graph import Graph, Neurons, Output, Rectifier
from .kernel import Kernel
from .plan import Plan
from .rule import Rule

Array = NDArray[np.float64]
NEGLIGIBLE = 2.0**-24
WORDS = {"reset": ("subtract", "value"), "readout": ("v", "spikes"), "spikes": ("one", "many")}
door = Door(GraphError)


@dataclass(frozen=True)
class Recipe:
    """How thresholds are found, and what neurons do.

    Attributes:
        percentile: of all values that a rectifier gives for the data, which becomes the threshold;
            100 is their maximum. Learnt ceilings are taken as they are.
        reset: "subtract", a spike takes the threshold from v, or "value", v becomes 0.
        v_start: v before the first step, as a share of the threshold.
        spikes: "one" spike in a step at most; or "many", as often as the threshold goes into v.
        thresholds: name of a rectifier, or output -> its threshold, in place of the percentile.
        readout: "v", outputs add up what arrives; or "spikes", they fire as the other layers do.
    """

    percentile: float = 99.0
    reset: str = "subtract"
    v_start: float = 0.5
    spikes: str = "one"
    thresholds: Mapping[str, float] = field(default_factory=dict)
    readout: str = "v"

    def __post_init__(self) -> None:
        door.number("percentile", self.percentile, "above 0, up to 100", lambda p: 0 < p <= 100)
        for name, words in WORDS.items():
            door.one_of(name, getattr(self, name), words)
        if self.spikes == "many" and self.reset == "value":
            raise GraphError("spikes = 'many': only reset='subtract' can have several in a step")
        must = "a share of the threshold, -1000 or greater and below 1"
        door.number("v_start", self.v_start, must, lambda share: -1000 <= share < 1)
        named = "a dict of names of ReLUs, or outputs, and their thresholds"
        for name, value in door.mapping("thresholds", self.thresholds, named).items():
            door.positive(f"thresholds: {shown(name)}", value)

    @property
    def rule(self) -> Rule:
        """By which the neurons are stepped; each layer has a `v_start` of its own."""
        return Rule(
            dt=1.0,
            gain="one",
            fires=">=",
            reset=self.reset,
            spikes=self.spikes,
            v_start=0.0,
            least_v="none",
            output_delay=0,
        )


def converted(graph: Graph, data: Mapping[str, Array], recipe: Recipe) -> Graph:
    """The graph with neurons for its rectifiers, and outputs that add up what arrives.

    Args:
        graph: of an ordinary network.
        data: input -> what it gives, `[samples, *shape]`, to find thresholds by.
        recipe: how.

    Raises GraphError, with the node, for a rectifier whose percentile is 0, a threshold of one that
    is not there, a graph without rectifiers, and one with cycles.
    """
    rectifiers = graph.named(Rectifier)
    if not rectifiers:
        raise GraphError("there is no ReLU in it, so that nothing would spike")
    summed = [n for n in graph.named(Output) if not graph.shown_as_it_is(n, Rectifier)]
    firing = [*rectifiers, *(summed if recipe.readout == "spikes" else [])]
    for name in recipe.thresholds:
        if name not in firing:
            raise GraphError(f"thresholds: {name!r} does not fire; there are {', '.join(firing)}")
    nodes, edges = dict(graph.nodes), list(graph.edges)
    for name, value in forward(graph, data):
        node = graph.nodes[name]
        if isinstance(node, Rectifier):
            nodes[name] = _neurons(_threshold(name, node.ceiling, value, recipe), recipe)
        elif name in summed:
            layer, neurons = f"{name} sum", Neurons("I", {"r": np.ones(1)})
            if name in firing:
                layer = f"{name} spikes"
                neurons = _neurons(_threshold(name, None, value, recipe), recipe)
            nodes[layer] = neurons
            edges = [(a, layer if b == name else b) for a, b in edges] + [(layer, name)]
    return Graph(nodes, tuple(edges))


def without_traces(planned: Plan) -> Plan:
    """The plan without weights that the rounding of sums in single precision would hide.

    Decay of weights leaves such, for instance those of pixels that are always 0. They are below
    2^-24 of the greatest sum of the sizes of a target's weights.
    """
    kept = []
    for wires in planned.wires:
        synapses, delay = wires.synapses, wires.delay
        enough = np.abs(synapses.weight) >= NEGLIGIBLE * synapses.greatest_sum()
        if isinstance(synapses, Kernel):
            cleaned = replace(synapses, weight=np.where(enough, synapses.weight, 0.0))
            kept.append(replace(wires, synapses=cleaned))
        else:
            kept.append(replace(wires, synapses=synapses.chosen(enough), delay=delay[enough]))
    return replace(planned, wires=tuple(kept))


def _threshold(name: str, ceiling: float | None, values: Array, recipe: Recipe) -> float:
    if name in recipe.thresholds:
        return float(recipe.thresholds[name])
    if ceiling is not None:
        return ceiling
    found = float(np.percentile(values, recipe.percentile))
    if not found > 0:
        raise GraphError(
            f"node {name!r}: percentile {recipe.percentile:g} of what it gives for the data is 0, "
            "from which no threshold follows: give a higher one, other data, or thresholds="
        )
    return found


def _neurons(threshold: float, recipe: Recipe) -> Neurons:
    one = np.ones(1)
    values = {"r": one, "v_threshold": threshold * one, "v_reset": 0.0 * one}
    exact = {"v_start": recipe.v_start * threshold * one}
    return Neurons("IF", values, exact, height=threshold)
