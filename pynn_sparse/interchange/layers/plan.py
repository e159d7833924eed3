"""Populations and projections that compute what a graph of layers does, by a rule."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import GraphError
from .graph import Graph, Input, Neurons, Output, about
from .kernel import Kernel
from .linear import Delay, Linear, Shape, per_element
from .programs import Structure
from .rule import Rule, step_of
from .synapses import Synapses
from .timing import skews

RuleOf = Callable[[str], Rule]  # name of a layer of neurons -> its rule


@dataclass(frozen=True)
class Population:
    """A layer of neurons, or of inputs.

    Attributes:
        name: of the node.
        shape: of one sample.
        structure: of its step; None for inputs.
        values: parameter of the step -> value for each neuron, flat, or one for all.
        skew: how many steps late it does its steps; -1 for inputs, whose spikes are given times.
    """

    name: str
    shape: Shape
    structure: Structure | None
    values: Mapping[str, NDArray[np.float64]]
    skew: int

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Wires:
    """Synapses of a projection; `delay` is in steps, [n], or [1] of a kernel, and at least 1.

    `lag` is what the delays are more than in the graph, where what enters a layer may have an
    effect in the same step.
    """

    name: str
    pre: str
    post: str
    synapses: Synapses | Kernel
    delay: NDArray[np.int64]
    lag: int


@dataclass(frozen=True)
class Readout:
    """What an output shows: spikes of a population, or its v; `lag` steps late."""

    name: str
    population: str
    spikes: bool
    shape: Shape
    lag: int


@dataclass(frozen=True)
class Plan:
    """All of a network; populations are in the order of their skew."""

    dt: float
    inputs: tuple[Population, ...]
    populations: tuple[Population, ...]
    wires: tuple[Wires, ...]
    outputs: tuple[Readout, ...]
    longest: int  # delay of a spike within the graph, in steps


@dataclass(frozen=True)
class Path:
    """What leads from one population to another, through layers without a state."""

    pre: str
    post: str
    through: tuple[str, ...]
    synapses: Synapses | Kernel


def plan(graph: Graph, dt: float, rule_of: RuleOf) -> Plan:
    """What computes the same as the graph, in steps of `dt`.

    Raises GraphError for delays that are no whole number of steps, cycles that a spike would pass
    in less than a step for each layer, and values that no step can be made of; NotImplementedError
    where values that are no spikes would be sent from layer to layer. Both name the node.
    """
    graph = _with_readouts(_fold_thresholds(graph))
    _check_cycles(graph)
    neurons = {name: graph.nodes[name] for name in graph.named(Neurons)}
    rules = {name: rule_of(name) for name in neurons}
    paths = [path for name in (*graph.named(Input), *neurons) for path in _paths(graph, name)]
    bias = _biases(graph)
    steps = [_steps(path, dt) for path in paths]
    hops = []
    for path, delay in zip(paths, steps, strict=True):
        of_pre = rules[path.pre].output_delay if path.pre in rules else 0
        delay += of_pre or 0
        if path.pre == path.post:
            np.maximum(delay, 1, out=delay)  # a loop takes a step, as in all programs
        elif len(delay):
            hops.append((path.pre, path.post, int(delay.min())))
    skew = skews(graph.named(Input), list(neurons), hops)
    wires = []
    named = _names(paths)
    for path, delay, name in zip(paths, steps, named, strict=True):
        lag = skew[path.post] - skew[path.pre]
        wires.append(Wires(name, path.pre, path.post, path.synapses, delay + lag, lag))
    populations = [
        _population(name, node, rules[name], graph.shapes[name], bias[name], skew[name])
        for name, node in neurons.items()
    ]
    return Plan(
        dt,
        tuple(Population(n, graph.shapes[n], None, {}, -1) for n in graph.named(Input)),
        tuple(sorted(populations, key=lambda each: each.skew)),
        tuple(sorted(wires, key=lambda each: each.name)),
        tuple(_readout(graph, name, rules, skew) for name in graph.named(Output)),
        max((int(each.max(initial=0)) for each in steps), default=0),
    )


def _fold_thresholds(graph: Graph) -> Graph:
    """LI and then Threshold are neurons that fire and keep their v."""
    nodes, edges = dict(graph.nodes), list(graph.edges)
    for name in graph.named(Neurons):
        node = graph.nodes[name]
        before = graph.into(name)
        if not (isinstance(node, Neurons) and node.kind == "Threshold" and len(before) == 1):
            continue
        leaky = graph.nodes[before[0]]
        if not (isinstance(leaky, Neurons) and not leaky.spiking):
            continue
        if graph.out_of(before[0]) != [name]:
            continue  # an error of `_check_spikes` says why it cannot be done
        size = math.prod(graph.shapes[name])
        values = {k: per_element(v, (size,)) for k, v in leaky.values.items()}
        threshold = per_element(node.values["threshold"], (size,))
        values["v_threshold"] = threshold
        nodes[name] = Neurons(leaky.kind + FIRING, values, leaky.exact)
        del nodes[before[0]]
        edges = [
            (a, name if b == before[0] else b) for a, b in edges if (a, b) != (before[0], name)
        ]
    return Graph(nodes, tuple(edges))


FIRING = "+Threshold"


def _with_readouts(graph: Graph) -> Graph:
    """A layer that sums up before each output that shows no layer of neurons as it is."""
    nodes, edges = dict(graph.nodes), list(graph.edges)
    for name in graph.named(Output):
        if not graph.into(name):
            raise GraphError(f"node {name!r}: nothing leads to it")
        nodes[name] = Output(graph.shapes[name])
        shown = graph.shown_as_it_is(name, Neurons)
        if shown:
            edges = [(a, b) for a, b in edges if b != name] + [(shown, name)]
            continue
        summed = f"{name} sum"
        nodes[summed] = Neurons(SUM, {"zero": np.zeros(1)})
        edges = [(a, summed if b == name else b) for a, b in edges] + [(summed, name)]
    return Graph(nodes, tuple(edges))


SUM = "Sum"


def _check_cycles(graph: Graph) -> None:
    """Raise GraphError for a cycle of layers without a state."""
    state: dict[str, int] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if state.get(name) == 2 or not isinstance(graph.nodes[name], Linear):
            return
        if name in trail:
            raise GraphError(f"the cycle {' -> '.join((*trail, name))} has no neurons in it")
        for after in graph.out_of(name):
            visit(after, (*trail, name))
        state[name] = 2

    for name in graph.nodes:
        visit(name, ())


def _paths(graph: Graph, name: str) -> Iterator[Path]:
    """All paths from a population to others."""
    node = graph.nodes[name]

    def walk(at: str, through: tuple[str, ...]) -> Iterator[Path]:
        for after in graph.out_of(at):
            following = graph.nodes[after]
            if isinstance(following, Output):
                continue
            if isinstance(node, Neurons) and not _spikes(node):
                raise NotImplementedError(
                    f"node {name!r}: {node.kind} sends values that are no spikes to {after!r}; "
                    "events with values are not supported, only an output can show them"
                )
            if isinstance(following, Neurons):
                yield Path(name, after, through, _joined(graph, name, through))
                continue
            yield from walk(after, (*through, after))

    return walk(name, ())


def _joined(graph: Graph, name: str, through: tuple[str, ...]) -> Synapses | Kernel:
    """What layers without a state do one after the other, from a population on."""
    nodes = (name, *through)
    kernel: Kernel | None = None
    for at, after in itertools.pairwise(nodes):
        layer = graph.nodes[after]
        assert isinstance(layer, Linear)
        with about(after):
            following = layer.as_kernel(graph.shapes[at])
        if kernel is None and following is not None:
            kernel = replace(following, weight=_height(graph, name) * following.weight)
        else:
            kernel = kernel and following and kernel.then(following)
        if kernel is None:
            break
    return kernel if kernel and kernel.worthwhile else _listed(graph, nodes)


def _listed(graph: Graph, nodes: tuple[str, ...]) -> Synapses:
    """The same as a list, with sums of weights where several ways lead from cell to cell."""
    n, height = math.prod(graph.shapes[nodes[0]]), _height(graph, nodes[0])
    start = joined = Synapses.each(np.full(n, height), np.zeros(n))
    for at, after in itertools.pairwise(nodes):
        layer = graph.nodes[after]
        assert isinstance(layer, Linear)
        with about(after):
            following = layer.synapses(graph.shapes[at])
        joined = following.merged() if joined is start and height == 1 else joined.then(following)
    return joined


def _height(graph: Graph, name: str) -> float:
    """What a spike of a population counts."""
    node = graph.nodes[name]
    return node.height if isinstance(node, Neurons) else 1.0


def _spikes(node: Neurons) -> bool:
    return node.spiking or node.kind.endswith(FIRING)


def _names(paths: list[Path]) -> list[str]:
    """That of the layers on a path; with both ends where several paths would have the same."""
    short = [" > ".join(path.through) for path in paths]
    long = [" > ".join((path.pre, *path.through, path.post)) for path in paths]
    return [b if not a or short.count(a) > 1 else a for a, b in zip(short, long, strict=True)]


def _steps(path: Path, dt: float) -> NDArray[np.int64]:
    """Delays of a path's synapses in steps."""
    steps = path.synapses.delay / dt
    whole = np.rint(steps)
    wrong = (np.abs(whole - steps) > 1e-3 * np.maximum(whole, 1)) | (steps < 0)
    if wrong.any():
        through = ", ".join(map(repr, path.through))
        raise GraphError(
            f"node {through}: delay = {path.synapses.delay[wrong][0]:g}: must be 0 or more, and a "
            f"whole number of steps of dt = {dt:g}"
        )
    return whole.astype(np.int64)


def _biases(graph: Graph) -> dict[str, NDArray[np.float64]]:
    """What layers without a state add to the input of each node in every step."""
    found: dict[str, NDArray[np.float64]] = {}

    def into(name: str) -> NDArray[np.float64]:
        total = np.zeros(math.prod(graph.shape_into(name)))
        for before in graph.into(name):
            node = graph.nodes[before]
            if not isinstance(node, Linear):
                continue
            if before not in found:
                entering, shape = into(before), graph.shape_into(before)
                if isinstance(node, Delay) and entering.any():
                    raise GraphError(
                        f"node {before!r}: a constant arrives at this Delay, from a bias; put the "
                        "Delay before the layer with the bias"
                    )
                found[before] = node.constant(shape)
                if entering.any():
                    found[before] = found[before] + node.synapses(shape).product(entering)
            total = total + found[before]
        return total

    return {name: into(name) for name in graph.named(Neurons) if graph.into(name)}


def _population(
    name: str, node: Any, rule: Rule, shape: Shape, bias: NDArray[np.float64], skew: int
) -> Population:
    with about(name):
        if node.kind == SUM:
            numbers = {"v_start": np.zeros(())}
            structure = Structure(spiking=False)
        else:
            firing = node.kind.endswith(FIRING)
            kind = node.kind.removesuffix(FIRING)
            inner = replace(node, kind=kind)
            numbers = step_of(rule, inner)
            structure = Structure.of(
                rule, _spikes(node), "decay_syn" in numbers, not firing and kind != "Threshold"
            )
            if firing:
                numbers |= {"threshold": node.values["v_threshold"]}
                numbers |= {"v_reset": np.zeros(()), "least_v": np.full((), -np.inf)}
        if structure.spikes == "many" and not (numbers["threshold"] > 0).all():
            raise GraphError("v_threshold must be above 0 where neurons fire several spikes a step")
        if structure.reset == "subtract" or structure.reset == "subtract_next":
            _check_no_reset_value(numbers)
        values = {k: _common(per_element(v, shape)) for k, v in numbers.items()}
    return Population(name, shape, structure, values | {"bias": _common(bias)}, skew)


def _check_no_reset_value(numbers: Mapping[str, NDArray[np.float64]]) -> None:
    if numbers["v_reset"].any():
        other = numbers["v_reset"][numbers["v_reset"] != 0]
        raise GraphError(
            f"v_reset = {other.flat[0]:g}, but by the rule a spike takes the threshold away: with "
            "reset='value', v becomes v_reset"
        )


def _common(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """One number where all are equal."""
    values = np.asarray(values, np.float64)
    return values[:1].reshape(()) if (values == values[0]).all() else values


def _readout(
    graph: Graph, name: str, rules: Mapping[str, Rule], skew: Mapping[str, int]
) -> Readout:
    before = graph.into(name)[0]
    node = graph.nodes[before]
    assert isinstance(node, Neurons)
    output = graph.nodes[name]
    assert isinstance(output, Output)
    spikes = _spikes(node)
    late = (rules[before].output_delay or 0) if spikes else 0
    return Readout(name, before, spikes, output.shape or graph.shapes[before], skew[before] + late)
