"""What is known of a program that writes NIR."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..layers import Graph, Neurons, Rule

# (rule, which switches the user has said, neurons, whether they are recurrent) -> their rule
Special = Callable[[Rule, Collection[str], Neurons, bool], Rule]
# (graph, dt, what was wrong) -> the graph that was meant
Repair = Callable[[Graph, float, list[str]], Graph]
FoundDt = Callable[[Graph], float | None]


@dataclass(frozen=True)
class Framework:
    """A program, and how its neurons are stepped.

    Attributes:
        name: by which it is asked for.
        title: name and version of the program whose own neurons are reproduced.
        rule: its defaults; None for what its files leave open and has no default.
        special: what is different for some kinds of neurons.
        repair: what its files do not say as NIR means it.
        found_dt: dt, where it can be told from a file's numbers.
        source: where the rule is from.
    """

    name: str
    title: str
    rule: Rule
    source: str
    special: Special = lambda rule, said, neurons, recurrent: rule
    repair: Repair = lambda graph, dt, notes: graph
    found_dt: FoundDt = lambda graph: None
