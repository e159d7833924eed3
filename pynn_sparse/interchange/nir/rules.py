"""By which rule a graph is to be run: named, given by its switches, or written in the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...door import shown
from ...errors import GraphError
from ...notices import warn
from ..layers import Graph, Neurons, Rule
from ..layers.rule import MEANINGS
from .file import Source, is_text
from .frameworks import FRAMEWORKS, Framework
from .sidecar import SIDECAR


@dataclass(frozen=True)
class Reading:
    """A graph, and how its neurons are stepped.

    Attributes:
        graph: with what its writer is known to do wrong put right.
        dt: of a step, in the unit of the graph's times.
        rules: name of a layer of neurons -> its complete rule.
        rule: what was asked for, with the defaults of its framework.
    """

    graph: Graph
    dt: float
    rules: Mapping[str, Rule]
    rule: Rule

    def rule_of(self, name: str) -> Rule:
        """The rule of a layer; an empty one for layers that have no neurons in the file."""
        return self.rules.get(name, Rule())


def reading_of(source: Source, rule: str | Rule | None, switches: Mapping[str, Any]) -> Reading:
    """How to run a graph: by a framework's rule, a `Rule`, or what the file itself says.

    `switches` are those of `Rule` that are said otherwise. Raises GraphError with all that is
    missing, and what each framework would mean by the file.
    """
    framework, base = _asked_for(source, rule)
    if framework is not None and base.dt is None and switches.get("dt") is None:
        found = framework.found_dt(source.graph)
        base = base.with_switches({"dt": found})
    said = {name for name, value in switches.items() if value is not None}
    base = base.with_switches(switches)
    graph, notes = source.graph, list[str]()
    if rule is not None:
        graph = _without_sidecar(graph)
    if framework is not None and base.dt is not None:
        graph = framework.repair(graph, base.dt, notes)
    rules, missing = {}, set[str]()
    for name in graph.named(Neurons):
        neurons = graph.neurons(name)
        own = base
        if neurons.rule:
            own = _of_text(source, neurons.rule).with_switches({"dt": base.dt, **switches})
        if framework is not None:
            own = framework.special(base, said, neurons, name in source.recurrent)
        missing |= set(own.missing(neurons))
        rules[name] = own
    if base.dt is None:
        missing.add("dt")
    if missing:
        raise GraphError(f"{source.name}: {_what_is_missing(missing, framework)}")
    for note in notes:
        warn(f"{source.name}: {note}")
    assert base.dt is not None
    return Reading(graph, float(base.dt), rules, base)


def _asked_for(source: Source, rule: Any) -> tuple[Framework | None, Rule]:
    if isinstance(rule, Rule):
        return None, rule
    if rule is None:
        return _of_metadata(source)
    if not isinstance(rule, str) or rule not in FRAMEWORKS:
        raise GraphError(f"rule = {shown(rule)}: must be a Rule, or one of {', '.join(FRAMEWORKS)}")
    return FRAMEWORKS[rule], FRAMEWORKS[rule].rule


def _of_metadata(source: Source) -> tuple[Framework | None, Rule]:
    """The rule that this package has written beside the graph; an empty one without it."""
    text = source.metadata.get(SIDECAR)
    if text is None:
        return None, Rule()
    text = text.decode() if isinstance(text, bytes) else text
    return None, _of_text(source, text)


def _without_sidecar(graph: Graph) -> Graph:
    """What other programs read of a graph."""
    nodes = dict(graph.nodes)
    for name in graph.named(Neurons):
        neurons = graph.neurons(name)
        if neurons.exact or neurons.rule:
            nodes[name] = Neurons(neurons.kind, neurons.values)
    return Graph(nodes, graph.edges)


def _of_text(source: Source, text: Any) -> Rule:
    """The rule that `sidecar_of` has written."""
    try:
        if not is_text(text):
            raise ValueError(f"is {type(text).__name__}, no text")
        return Rule().with_switches(json.loads(text)["rule"])
    except (ValueError, KeyError, TypeError) as error:
        raise GraphError(f"{source.name}: metadata {SIDECAR!r} is damaged: {error}") from None


def _what_is_missing(missing: set[str], framework: Framework | None) -> str:
    order = [each.name for each in fields(Rule) if each.name in missing]
    lines = ["NIR does not say how neurons are stepped. Give as arguments:"]
    if framework is not None:
        lines = [f"by the rule of {framework.title} the file does not say all. Give as arguments:"]
    lines += [f"  {name}: {MEANINGS[name]}" for name in order]
    if framework is not None:
        return "\n".join(lines)
    lines.append("or rule= the program that trained the network, which would mean:")
    for each in FRAMEWORKS.values():
        words = []
        for name in order:
            value = getattr(each.rule, name)
            words.append(f"{name}={'?' if value is None else repr(value)}")
        lines.append(f"  rule={each.name!r} ({each.title}): {', '.join(words)}")
    return "\n".join(lines)
