"""Trained networks as files of NIR."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.door import Door, shown
from pynn_sparse.interchange.layers import Population, Rule, Wires
from pynn_sparse.interchange.layers.rule import NUMBERS, UNLIKE_NIR
from pynn_sparse.interchange.nir import sidecar_of, writing
from pynn_sparse.notices import warn
from pynn_sparse.replacing import replaced_file

from .network import TrainedNetwork

MOST_ENTRIES = 50_000_000  # of all matrices together


def to_nir(net: TrainedNetwork, path: str | os.PathLike[str]) -> Path:
    """Write a trained network as a NIR file, with the weights and parameters that it has now.

    Layers between populations become one matrix for each projection, and a `Delay` for each delay;
    convolutions are expanded, and shapes are flat. What NIR cannot say, how neurons are stepped, is
    written beside it as metadata, from which `nir_network(path)` makes the same network, bit for
    bit, without a rule; a warning says what other programs will not know.

    Raises TypeError for what `nir_network` has not made, ValueError for parameters that no equation
    of NIR has, and for matrices of more than 50 million weights; nothing is written then.
    ImportError without h5py.
    """
    if not isinstance(net, TrainedNetwork):
        raise TypeError(
            f"net = {shown(net)}: must be what nir_network returns; `export` writes NIR of other "
            "networks, beside tables"
        )
    file_name = Door(TypeError).path("path", path)
    entries = sum(net[wires.pre].size * net[wires.post].size for wires in net.plan.wires)
    if entries > MOST_ENTRIES:
        raise ValueError(f"matrices of {entries:,} weights; up to {MOST_ENTRIES:,} are written")
    nodes: dict[str, Any] = {
        each.name: writing.node("Input", {"shape": np.array([each.size])})
        for each in net.plan.inputs
    }
    chains: list[tuple[str, ...]] = []
    leaves: dict[str, str] = {}  # population -> node that its spikes leave
    bias = {}
    for part in net.plan.populations:
        leaves[part.name] = _add_neurons(net, part, nodes, chains)
        bias[part.name] = _values(net, part, "bias")
    for wires in net.plan.wires:
        _add_wires(net, wires, nodes, chains, leaves, bias)
    for name, values in bias.items():
        if values.any():
            raise ValueError(f"{name!r}: has a bias, but no projection without a delay leads to it")
    for readout in net.readouts:
        size = net.populations[readout.population].size
        nodes[readout.name] = writing.node("Output", {"shape": np.array([size])})
        chains.append((leaves[readout.population], readout.name))
    tree = writing.graph(nodes, chains, {"pynn_sparse": sidecar_of(Rule(dt=net.dt))})
    contents = writing.contents(_with_plain_names(tree))
    _warn_of_losses(net)
    with replaced_file(file_name) as file:
        file.write(contents)
    return file_name


def _values(net: TrainedNetwork, part: Population, name: str) -> NDArray[np.float64]:
    """A parameter of each neuron, as it is now."""
    given = net.populations[part.name].get(name, simplify=False)
    return np.broadcast_to(np.asarray(given, np.float64), (part.size,)).copy()


def _rule_of(net: TrainedNetwork, part: Population) -> Rule:
    """How neurons are stepped, in words that go with the values that are written."""
    structure = part.structure
    assert structure is not None
    rule = replace(net.rule, dt=net.dt, decay="euler", gain="file", jump="file", leak="file")
    rule = replace(rule, v_start=0.0, least_v="none", output_delay=net.rule.output_delay or 0)
    if structure.synapse:
        rule = replace(rule, current=structure.synapse)
    if structure.spiking:
        rule = replace(rule, fires=structure.fires, spikes=structure.spikes)
    if structure.reset != "none":
        rule = replace(rule, reset=structure.reset)
    return rule


def _add_neurons(
    net: TrainedNetwork, part: Population, nodes: dict[str, Any], chains: list[tuple[str, ...]]
) -> str:
    """Nodes of a population; the name of the one that spikes leave."""
    structure = part.structure
    assert structure is not None
    known = net.populations[part.name].celltype.default_parameters
    exact = {name: _values(net, part, name) for name in NUMBERS if name in known}
    decay, dt = exact["decay"], net.dt
    whole = decay == 1
    if whole.any() and not whole.all():
        raise ValueError(f"{part.name!r}: some neurons leak and some do not; NIR has no such layer")
    leaks = not whole.all()
    tau = dt / (1 - decay) if leaks else None
    fields = {"r": exact["gain"] / dt if tau is None else exact["gain"] * tau / dt}
    if tau is not None:
        fields["tau_mem" if structure.synapse else "tau"] = tau
        fields["v_leak"] = exact["constant"] / (1 - decay)
    elif structure.synapse or exact["constant"].any():
        raise ValueError(f"{part.name!r}: NIR has no neurons without a leak but with that current")
    if structure.synapse:
        fields["tau_syn"] = dt / (1 - exact["decay_syn"])
        fields["w_in"] = exact["jump"] * fields["tau_syn"] / dt
    resets = structure.spiking and structure.reset != "none"
    if resets:
        fields |= {"v_threshold": exact["threshold"], "v_reset": exact["v_reset"]}
    kind = ("Cuba" if structure.synapse else "") + ("LI" if leaks else "I") + "F" * resets
    about: dict[str, Any] = {f"pynn_sparse_{name}": value for name, value in exact.items()}
    about["pynn_sparse_rule"] = sidecar_of(_rule_of(net, part))
    if not structure.spiking or resets:
        nodes[part.name] = writing.node(kind, fields, about)
        return part.name
    nodes[f"{part.name} v"] = writing.node(kind, fields, about)
    threshold = {"threshold": exact["threshold"]}
    rule = {"pynn_sparse_rule": about["pynn_sparse_rule"]}
    nodes[part.name] = writing.node("Threshold", threshold, rule)
    chains.append((f"{part.name} v", part.name))
    return part.name


def _add_wires(
    net: TrainedNetwork,
    wires: Wires,
    nodes: dict[str, Any],
    chains: list[tuple[str, ...]],
    leaves: dict[str, str],
    bias: dict[str, NDArray[np.float64]],
) -> None:
    """Matrices of a projection, one for each delay."""
    late = 0 if wires.pre in net.inputs else net.rule.output_delay or 0
    loop = wires.pre == wires.post
    none = {late: np.zeros((net[wires.pre].size, net[wires.post].size))}
    post = f"{wires.post} v" if f"{wires.post} v" in nodes else wires.post
    for steps, weights in (net.matrices(wires) or none).items():
        delay, matrix = 0 if loop and steps == 1 else steps - late, weights.T
        name = wires.name if not delay else f"{wires.name} after {delay} steps"
        if not delay and bias[wires.post].any():
            nodes[name] = writing.node("Affine", {"weight": matrix, "bias": bias[wires.post]})
            bias[wires.post] = np.zeros(1)
        else:
            nodes[name] = writing.node("Linear", {"weight": matrix})
        chain = [leaves.get(wires.pre, wires.pre), name]
        if delay:
            nodes[f"{name} delay"] = writing.node(
                "Delay", {"delay": np.full(len(matrix), delay * net.dt)}
            )
            chain.append(f"{name} delay")
        chains.append((*chain, post))


def _with_plain_names(tree: dict[str, Any]) -> dict[str, Any]:
    nodes = {writing.plain_name(name): node for name, node in tree["nodes"].items()}
    edges = [tuple(writing.plain_name(end) for end in edge) for edge in tree["edges"]]
    return {**tree, "nodes": nodes, "edges": edges}


def _warn_of_losses(net: TrainedNetwork) -> None:
    lost = set()
    for part in net.plan.populations:
        rule = asdict(_rule_of(net, part))
        spiking = part.structure is not None and part.structure.spiking
        lost |= {
            f"{name}={rule[name]!r}"
            for name, usual in UNLIKE_NIR.items()
            if spiking and rule[name] not in (None, usual)
        }
    told = [f"dt={net.dt:g}", *sorted(lost)]
    warn(
        f"NIR does not say {', '.join(told)}: written as metadata, which other programs do not read"
    )
