"""Whether a target can do what a network asks for: all that it cannot, in one error."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from ..arguments import door
from ..capability import Capability
from ..errors import LimitsError, Violation
from ..hardware import Limits
from ..models.dynamics import dynamics, latency
from ..nets.floatnet import RECEPTORS, Cells, Connections, FloatNet, check_net
from ..target import Target

APPROXIMATIONS = {
    "tau_syn": "inhibitory currents decay with tau_syn_E, and bring the same charge",
    "plasticity": "synapses keep the weights that they have: of a script, those after its run",
    "refractory": "the refractory period is as long as the target allows",
    "delay": "synapses have the delay that the target has",
    "tau": "time constants are the nearest that the target has; spikes bring the same charge",
    "reset": "resets subtract the threshold, and neurons may fire several times in a step",
    "pulse": "input that acts at once becomes a synaptic current, as short as the target has",
    "current": "input is added to the voltage at once, with the charge of the synaptic current",
    "leak": "the leak is constant, the best one in least squares between reset and threshold",
    "weights": "synapses of a neuron share the few weights that fit best",
    "merged": "several spikes of a source in a step are one, where the target has one bit for them",
    "saturation": "values beyond their range saturate, where the hardware does the same to the bit",
    "events": "spikes act one after the other, and neurons may fire several times in a step",
    "rate": "spikes are counted in windows; neurons keep nothing from one to the next",
    "initial": "voltages begin at v_reset",
}


def approximations(target: Target) -> dict[str, str]:
    """What `accept` may name for a target, and what that allows."""
    own = [capability.approximations for capability in target.capabilities()]
    return APPROXIMATIONS | {name: text for each in own for name, text in each.items()}


def check_accept(accept: Collection[str], target: Target) -> None:
    """Raise `ExportError` for what is no list of names of `approximations`."""
    door.instance("target", target, Target, "what export.find() returns")
    door.names("accept", accept, approximations(target))


def legalise(net: FloatNet, target: Target, accept: Collection[str] = ()) -> None:
    """Raise `LimitsError` with every limit of a target that the network breaks.

    Args:
        net: the network.
        target: what it shall become tables for.
        accept: names of `approximations` that are allowed.

    Raises `ExportError` for an unknown approximation.
    """
    check_net(net)
    check_accept(accept, target)
    found = [each for each in _violations(net, target) if each.accept not in accept]
    if found:
        raise LimitsError(target.name, found)


def _violations(net: FloatNet, target: Target) -> Iterator[Violation]:
    limits, capabilities = target.limits(), target.capabilities()
    yield from _sizes(net, limits)
    for cells in net.cells:
        if not cells.is_source:
            yield from _neurons(cells, net.dt, limits, capabilities)
    for part in net.connections:
        yield from _synapses(part, net.cells[part.post], limits)
    for capability in capabilities:
        yield from capability.of_network(net)


def _sizes(net: FloatNet, limits: Limits) -> Iterator[Violation]:
    neurons = sum(cells.size for cells in net.cells if not cells.is_source)
    if not neurons:
        remedy = "export a projection to neurons"
        yield Violation("network", "no neurons", "at least one", remedy, stops=True)
    for what, number, most in (
        ("neurons", neurons, limits.neurons),
        ("synapses", net.n_synapses, limits.synapses),
        ("sources", sum(c.size for c in net.cells if c.is_source), limits.sources),
    ):
        if most is not None and number > most:
            yield Violation("network", f"{number} {what}", f"{most}", "export fewer of them")


def _neurons(
    cells: Cells, dt: float, limits: Limits, capabilities: Sequence[Capability]
) -> Iterator[Violation]:
    if cells.model not in limits.models:
        models = ", ".join(limits.models)
        what = f"{cells.size} cells of type {cells.model}"
        remedy = f"use one of {models}"
        yield Violation(cells.label, what, f"cell types {models}", remedy, stops=True)
        return
    step = dynamics(cells, dt)
    always = step.threshold <= np.maximum(step.reset, 0)
    if always.any():
        what = f"{int(always.sum())} cells with v_thresh at or below v_reset"
        remedy = "give cells that shall fire all the time a high i_offset"
        yield Violation(cells.label, what, "v_thresh above v_reset", remedy, stops=True)
    if cells.injected:
        what = f"{cells.injected} cells with injected currents"
        yield Violation(cells.label, what, "constant currents", "set i_offset instead")
    currents = [name for name in cells.initial if name.startswith("isyn")]
    if any(np.any(cells.initial[name] != 0) for name in currents):
        what = "synaptic currents that are not 0 at the beginning"
        yield Violation(cells.label, what, "0", "initialize them with 0")
    step = dynamics(cells, dt, limits.reset_to_zero)
    for capability in capabilities:
        yield from capability.of_cells(cells, step, dt)


def _synapses(part: Connections, post: Cells, limits: Limits) -> Iterator[Violation]:
    if part.receptor not in RECEPTORS:
        what, limit = f"receptor {part.receptor!r}", f"receptors {', '.join(RECEPTORS)}"
        remedy = f"use one of {', '.join(limits.models)}"
        yield Violation(part.label, what, limit, remedy, stops=True)
    wrong = ~np.isfinite(part.weight)
    if wrong.any():
        what = f"{int(wrong.sum())} synapses whose weights are no finite numbers"
        yield Violation(part.label, what, "finite weights", "set their weights", stops=True)
    if part.plastic:
        what = f"{len(part)} synapses with {part.plastic}"
        remedy = "export with the weights that training has left"
        yield Violation(part.label, what, "static synapses", remedy, "plasticity")
    if limits.hop is None:
        return
    most = limits.hop - latency(post)
    late = part.delay > most
    if late.any():
        what = f"{int(late.sum())} synapses with delays up to {part.delay.max()} steps"
        yield Violation(part.label, what, f"{most} steps", "shorten delays, or lengthen the step")
