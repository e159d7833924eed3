"""Whether a target can do what a network asks for: all that it cannot, in one error."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from .dynamics import MODELS, RECEPTORS, dynamics, latency
from .errors import ExportError, LimitsError, Violation
from .floatnet import Cells, Connections, FloatNet
from .targets.target import Limits

APPROXIMATIONS = {
    "tau_syn": "inhibitory currents decay with tau_syn_E, and bring the same charge",
    "plasticity": "synapses keep the weights that they have now",
    "refractory": "the refractory period is as long as the target allows",
}


def legalise(net: FloatNet, name: str, limits: Limits, accept: Collection[str] = ()) -> None:
    """Raise `LimitsError` with every limit of a target that the network breaks.

    Args:
        net: the network.
        name: of the target.
        limits: of the target.
        accept: approximations, of `APPROXIMATIONS`, that are allowed.

    Raises `ExportError` for an unknown approximation.
    """
    for each in accept:
        if each not in APPROXIMATIONS:
            raise ExportError(f"accept = {each!r}: must be of {', '.join(APPROXIMATIONS)}")
    found = [each for each in _violations(net, limits) if each.accept not in accept]
    if found:
        raise LimitsError(name, found)


def _violations(net: FloatNet, limits: Limits) -> Iterator[Violation]:
    yield from _sizes(net, limits)
    for cells in net.cells:
        if not cells.is_source:
            yield from _neurons(cells, net.dt, limits)
    for part in net.connections:
        yield from _synapses(part, net.cells[part.post], limits)


def _sizes(net: FloatNet, limits: Limits) -> Iterator[Violation]:
    neurons = sum(cells.size for cells in net.cells if not cells.is_source)
    if not neurons:
        yield Violation("network", "no neurons", "at least one", "export a projection to neurons")
    for what, number, most in (
        ("neurons", neurons, limits.neurons),
        ("synapses", net.n_synapses, limits.synapses),
    ):
        if most is not None and number > most:
            yield Violation("network", f"{number} {what}", f"{most}", "export fewer of them")


def _neurons(cells: Cells, dt: float, limits: Limits) -> Iterator[Violation]:
    if cells.model not in MODELS:
        remedy = f"use one of {', '.join(MODELS)}"
        what = f"{cells.size} cells of type {cells.model}"
        yield Violation(cells.label, what, f"cell types {', '.join(MODELS)}", remedy)
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
    step = dynamics(cells, dt)
    if limits.receptors == 1 and (step.current_factor[:, 0] != step.current_factor[:, 1]).any():
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


def _synapses(part: Connections, post: Cells, limits: Limits) -> Iterator[Violation]:
    if part.receptor not in RECEPTORS:
        what, limit = f"receptor {part.receptor!r}", f"receptors {', '.join(RECEPTORS)}"
        yield Violation(part.label, what, limit, f"use one of {', '.join(MODELS)}")
    if part.plastic:
        what = f"{len(part)} synapses with {part.plastic}"
        remedy = "export with the weights of now"
        yield Violation(part.label, what, "static synapses", remedy, "plasticity")
    most = limits.hop - latency(post)
    late = part.delay > most
    if late.any():
        what = f"{int(late.sum())} synapses with delays up to {part.delay.max()} steps"
        yield Violation(part.label, what, f"{most} steps", "shorten delays, or lengthen the step")
