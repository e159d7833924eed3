"""From floating-point to integers: scales, weights, registers, and how much that lost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arguments import door
from ..models.registers import RegisterError
from ..nets.draft import Draft
from ..nets.fixednet import FixedNet
from ..nets.floatnet import FloatNet, check_net
from ..nets.losses import Loss, loss_of
from ..nets.number_formats import Quantise
from ..target import Target
from .assemble import assembled, axons_of, ends_of, order_of
from .legalise import check_accept
from .rules import numbers_for
from .scales import scales_of
from .steps import steps_of
from .weights import limited, weights_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Quantised:
    """Integers with what they stand for.

    Attributes:
        fixed: the integers.
        scale: integer units of a mV, float64 [N].
        origin: for each synapse of `fixed`, its number in the concatenated projections.
        losses: of each projection.
        registers: of each population of neurons.
    """

    fixed: FixedNet
    scale: Floats
    origin: Integers
    losses: tuple[Loss, ...]
    registers: tuple[RegisterError, ...]


def quantise(
    net: FloatNet, rule: Quantise, target: Target, accept: Collection[str] = ()
) -> Quantised:
    """Integers of a network that `legalise` has let pass.

    Raises `ExportError` for numbers of bits that the target does not have, and `LimitsError` where
    rounding makes more different weights than a neuron can have, and sharing was not accepted.
    """
    check_net(net)
    door.instance("rule", rule, Quantise, "a Quantise, such as Quantise(weight_bits=8)")
    check_accept(accept, target)
    own: Quantised | None = target.quantise(net, rule)
    if own is not None:
        return own
    numbers, capabilities, model = numbers_for(rule, target), target.capabilities(), target.model
    given, net = net, limited(net, rule)
    steps = steps_of(net, target)
    semantics = target.semantics(steps.receptors)
    scales = scales_of(net, steps, rule, numbers, capabilities)
    columns = [
        model.columns(step, scales[index], numbers, semantics) for index, step in steps.of.items()
    ]
    profiles, profile = model.profiles(np.concatenate(columns), semantics)
    weights = weights_of(net, steps, scales, rule, numbers, capabilities)
    draft = Draft(target.name, rule.rounding, net, axons_of(net), weights, profiles, profile)
    for capability in capabilities:
        draft = capability.fitted(draft, accept)
    by_weight = any(capability.orders_by_weight for capability in capabilities)
    ends = ends_of(net, draft.axons)
    order = order_of(net, ends, draft.weights, by_weight=by_weight)
    initial = [np.rint(step.initial * scales[index]) for index, step in steps.of.items()]
    fixed = assembled(
        draft, ends, semantics, np.concatenate(initial).astype(np.int64), steps.hops, order, rule
    )
    parts = zip(given.connections, draft.weights, net.connections, strict=True)
    return Quantised(
        fixed,
        np.concatenate([scales[index] for index in steps.of]),
        order,
        tuple(loss_of(part, rounded, limit) for part, rounded, limit in parts),
        tuple(
            model.error(net.cells[index].label, step, scales[index], numbers, semantics)
            for index, step in steps.of.items()
        ),
    )
