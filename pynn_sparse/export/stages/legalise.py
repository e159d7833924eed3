"""Whether a target can do what a network asks for: all that it cannot, in one error."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from ..errors import ExportError, LimitsError, Violation
from ..hardware import Limits
from ..models.dynamics import RECEPTORS, Dynamics, dynamics, hops, latency
from ..nets.floatnet import Cells, Connections, FloatNet
from ..target import Target

APPROXIMATIONS = {
    "tau_syn": "inhibitory currents decay with tau_syn_E, and bring the same charge",
    "plasticity": "synapses keep the weights that they have now",
    "refractory": "the refractory period is as long as the target allows",
    "delay": "synapses have the delay that the target has",
    "tau": "time constants are the nearest that the target has; spikes bring the same charge",
    "reset": "resets subtract the threshold, and neurons may fire several times in a step",
    "current": "input is added to the voltage at once, with the charge of the synaptic current",
    "leak": "the leak is constant, the best one in least squares between reset and threshold",
    "weights": "synapses of a neuron share the few weights that fit best",
    "merged": "several spikes of a source in a step are one, where the target has one bit for them",
    "events": "spikes act one after the other, and neurons may fire several times in a step",
    "rate": "spikes are counted in windows; neurons keep nothing from one to the next",
    "initial": "voltages begin at v_reset",
}


def legalise(net: FloatNet, target: Target, accept: Collection[str] = ()) -> None:
    """Raise `LimitsError` with every limit of a target that the network breaks.

    Args:
        net: the network.
        target: what it shall become tables for.
        accept: approximations, of `APPROXIMATIONS`, that are allowed.

    Raises `ExportError` for an unknown approximation.
    """
    if isinstance(accept, str):
        raise ExportError(f'accept = "{accept}": must be a list of names, ["{accept}"]')
    if not isinstance(accept, Collection):
        raise ExportError(f"accept = {accept!r}: must be a list of names; [] for none")
    for each in accept:
        if not isinstance(each, str) or each not in APPROXIMATIONS:
            raise ExportError(f"accept = {each!r}: must be of {', '.join(APPROXIMATIONS)}")
    broken = (*_violations(net, target.limits()), *target.violations(net))
    found = [each for each in broken if each.accept not in accept]
    if found:
        raise LimitsError(target.name, found)


def _violations(net: FloatNet, limits: Limits) -> Iterator[Violation]:
    yield from _sizes(net, limits)
    for cells in net.cells:
        if not cells.is_source:
            yield from _neurons(cells, net.dt, limits)
    for part in net.connections:
        yield from _synapses(part, net.cells[part.post], limits)
    yield from _fixed_delays(net, limits)
    if limits.weights_per_neuron is not None:
        yield from _different_weights(net, limits.weights_per_neuron)


def _sizes(net: FloatNet, limits: Limits) -> Iterator[Violation]:
    neurons = sum(cells.size for cells in net.cells if not cells.is_source)
    if not neurons:
        yield Violation("network", "no neurons", "at least one", "export a projection to neurons")
    for what, number, most in (
        ("neurons", neurons, limits.neurons),
        ("synapses", net.n_synapses, limits.synapses),
        ("sources", sum(c.size for c in net.cells if c.is_source), limits.sources),
    ):
        if most is not None and number > most:
            yield Violation("network", f"{number} {what}", f"{most}", "export fewer of them")


def _neurons(cells: Cells, dt: float, limits: Limits) -> Iterator[Violation]:
    if cells.model not in limits.models:
        models = ", ".join(limits.models)
        what = f"{cells.size} cells of type {cells.model}"
        yield Violation(cells.label, what, f"cell types {models}", f"use one of {models}")
        return
    step = dynamics(cells, dt)
    always = step.threshold <= np.maximum(step.reset, 0)
    if always.any():
        what = f"{int(always.sum())} cells with v_thresh at or below v_reset"
        remedy = "give cells that shall fire all the time a high i_offset"
        yield Violation(cells.label, what, "v_thresh above v_reset", remedy)
    if cells.injected:
        what = f"{cells.injected} cells with injected currents"
        yield Violation(cells.label, what, "constant currents", "set i_offset instead")
    currents = [name for name in cells.initial if name.startswith("isyn")]
    if any(np.any(cells.initial[name] != 0) for name in currents):
        what = "synaptic currents that are not 0 at the beginning"
        yield Violation(cells.label, what, "0", "initialize them with 0")
    yield from _of_target(cells, dt, limits)


def _of_target(cells: Cells, dt: float, limits: Limits) -> Iterator[Violation]:
    step = dynamics(cells, dt, reset_to_zero=limits.reset_to_zero)
    if (
        limits.receptors == 1
        and not limits.jumps
        and (step.current_factor[:, 0] != step.current_factor[:, 1]).any()
    ):
        count = int((step.current_factor[:, 0] != step.current_factor[:, 1]).sum())
        yield Violation(
            cells.label,
            f"{count} cells whose tau_syn_E and tau_syn_I differ",
            "one synaptic current",
            "give both the same value",
            "tau_syn",
        )
    long = step.refractory > limits.refractory
    if long.any():
        yield Violation(
            cells.label,
            f"{int(long.sum())} cells with refractory periods up to {step.refractory.max()} steps",
            f"{limits.refractory} steps ({limits.refractory * dt:g} ms)",
            "shorten tau_refrac, or take a longer time step",
            "refractory",
        )

    if limits.starts_at_zero and step.initial.any():
        what = f"{int((step.initial != 0).sum())} cells that do not begin at v_reset"
        yield Violation(cells.label, what, "v_reset", "initialize v with v_reset", "initial")
    if limits.subtracts:
        what = f"{cells.size} cells that are reset to v_reset"
        remedy = "none: the target has no other reset"
        yield Violation(cells.label, what, "resets that subtract the threshold", remedy, "reset")
    if limits.powers_of_two and (count := _far_from_power_of_two(step)):
        what = f"{count} cells with time constants that are no power of two of the step"
        remedy = f"choose tau_m and tau_syn near 2^k * {dt:g} ms"
        yield Violation(cells.label, what, "1 - exp(-dt/tau) near 2^-k", remedy, "tau")
    yield from _of_simple_neurons(cells, step, limits)


def _of_simple_neurons(cells: Cells, step: Dynamics, limits: Limits) -> Iterator[Violation]:
    """What targets without currents, or with a constant leak, do not have."""
    if limits.jumps and step.current_factor.any():
        what = f"{cells.size} cells with synaptic currents"
        remedy = "use IF_curr_delta"
        yield Violation(cells.label, what, "input that acts at once", remedy, "current")
    if limits.leak != "share" and step.leaks.any():
        what = f"{int(step.leaks.sum())} cells that leak a share of their voltage"
        floor = ", not below v_reset" if limits.leak == "down" else ""
        limit = f"a constant leak{floor}"
        yield Violation(cells.label, what, limit, "give them a very long tau_m", "leak")
    if not limits.bias and step.bias.any():
        what = f"{int((step.bias != 0).sum())} cells with a constant input"
        remedy = "set i_offset to 0 and v_rest to v_reset, or drive them with spikes"
        yield Violation(cells.label, what, "none", remedy)
    if limits.by_event:
        what = f"{cells.size} cells whose input is summed up in a step"
        limit = "spikes that act one after the other"
        yield Violation(cells.label, what, limit, "none: the target has no other way", "events")


def _different_weights(net: FloatNet, most: int) -> Iterator[Violation]:
    """Cells with more weights than that; those that differ by rounding errors are one."""
    for index, cells in enumerate(net.cells):
        into = [part for part in net.connections if part.post == index and len(part)]
        if not into:
            continue
        weight = np.concatenate([part.weight for part in into])
        receptor = [RECEPTORS.index(part.receptor) for part in into if part.receptor in RECEPTORS]
        if len(receptor) < len(into):
            continue
        kind = np.column_stack(
            [
                np.concatenate([part.target for part in into]),
                np.repeat(receptor, [len(part) for part in into]),
                np.rint(weight / np.abs(weight).max(initial=1e-300) * 1e9),
            ]
        )
        count = np.bincount(np.unique(kind, axis=0)[:, 0].astype(np.int64))
        if count.max() > most:
            what = f"{int((count > most).sum())} cells with up to {count.max()} different weights"
            remedy = "give their synapses fewer weights"
            yield Violation(cells.label, what, f"{most} weights", remedy, "weights")


def _far_from_power_of_two(step: Dynamics) -> int:
    """Cells for which the nearest 2^-k is more than a twentieth off."""
    amounts = 1 - np.column_stack([step.current_factor, step.voltage_factor])
    nearest = np.exp2(-np.clip(np.rint(-np.log2(amounts)), 1, 15))
    return int((np.abs(nearest / amounts - 1) > 0.05).any(axis=1).sum())


def _fixed_delays(net: FloatNet, limits: Limits) -> Iterator[Violation]:
    if limits.recurrent_hop is None:
        return
    exact, possible = hops(net), hops(net, limits.recurrent_hop)
    for part, wanted, has in zip(net.connections, exact, possible, strict=True):
        other = wanted != has
        if other.any():
            what = f"{int(other.sum())} synapses with other delays than the target's"
            limit = "one delay for all sources, none between neurons"
            yield Violation(part.label, what, limit, "give all sources one delay", "delay")


def _synapses(part: Connections, post: Cells, limits: Limits) -> Iterator[Violation]:
    if part.receptor not in RECEPTORS:
        what, limit = f"receptor {part.receptor!r}", f"receptors {', '.join(RECEPTORS)}"
        yield Violation(part.label, what, limit, f"use one of {', '.join(limits.models)}")
    wrong = ~np.isfinite(part.weight)
    if wrong.any():
        what = f"{int(wrong.sum())} synapses whose weights are no finite numbers"
        yield Violation(part.label, what, "finite weights", "set their weights")
    if part.plastic:
        what = f"{len(part)} synapses with {part.plastic}"
        remedy = "export with the weights of now"
        yield Violation(part.label, what, "static synapses", remedy, "plasticity")
    if limits.hop is None:
        return
    most = limits.hop - (latency(post) if limits.latency is None else limits.latency)
    late = part.delay > most
    if late.any():
        what = f"{int(late.sum())} synapses with delays up to {part.delay.max()} steps"
        yield Violation(part.label, what, f"{most} steps", "shorten delays, or lengthen the step")
