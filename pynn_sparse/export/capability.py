"""What a target can or cannot do, each as a small class that a target lists.

A capability takes part in the stages that it matters to: it says what of a network breaks it, for
`legalise`; what becomes of a population's step and of delays, for `steps_of`; of scales and
weights, for `quantise`; and what proves that, for `verify`. Those that several targets have are
here; one that a single target has is in the target's folder. A stage asks them in the order in
which a target lists them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import Violation
from .models.dynamics import Dynamics, exact_hops, with_one_current
from .nets.draft import Draft
from .nets.floatnet import Cells, FloatNet
from .proof import Check

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Hops = list[Integers]


class Capability:
    """One thing that a target can, or cannot do. A hook that is left out changes nothing.

    Attributes:
        approximations: what `lower(accept=...)` may name beside `APPROXIMATIONS`, and what that
            allows: the names in `Violation.accept` that are the capability's own.
        orders_by_weight: whether synapses of one source, target and delay are kept in the order of
            their weights, which is all that tables tell of them.
        exponents: for the report, what has an exponent, where `exponent_groups` says it.
    """

    approximations: Mapping[str, str] = {}
    orders_by_weight: bool = False
    exponents: str = ""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterable[Violation]:
        """What of a population of neurons breaks it.

        Args:
            cells: the population, of one of the target's cell types.
            step: its step, before any capability has changed it.
            dt: time step, ms.
        """
        return ()

    def of_network(self, net: FloatNet) -> Iterable[Violation]:
        """What of the whole network breaks it, after what `of_cells` has found."""
        return ()

    def step(self, step: Dynamics, cells: Cells, dt: float) -> Dynamics:
        """The step that the target makes of a population's."""
        return step

    def hops(self, net: FloatNet, hops: Hops) -> Hops:
        """Steps from a spike to the one whose input it is, for each synapse of each projection."""
        return hops

    def room(self, step: Dynamics) -> Floats | float:
        """Greatest units per mV at which the target's registers hold a population's step."""
        return np.inf

    def exponent_groups(self, net: FloatNet) -> list[object] | None:
        """Of each projection, a key that is equal where weights share an exponent.

        None leaves that to `Quantise.per`.
        """
        return None

    def fitted(self, draft: Draft, accept: Collection[str]) -> Draft:
        """Weights and registers as the target holds them, after weights were rounded.

        Raises `ExportError` for choices of `Quantise` that the target does not leave, and
        `LimitsError` where an approximation that this takes was not accepted.
        """
        return draft

    def weight_checks(self, tables: Any, exact: Floats, unit: Floats) -> Iterable[Check] | None:
        """Proof that `fitted` has chosen the right weights; None where rounding alone made them.

        Args:
            tables: the `Tables`.
            exact: weights before rounding, float64 [n], in integer units.
            unit: of each weight's mantissa, float64 [n], in integer units.
        """
        return None


@dataclass(frozen=True)
class OneCurrent(Capability):
    """A neuron has one synaptic current, with the time constant `tau_syn_E`."""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        differ = step.current_factor[:, 0] != step.current_factor[:, 1]
        if differ.any():
            yield Violation(
                cells.label,
                f"{int(differ.sum())} cells whose tau_syn_E and tau_syn_I differ",
                "one synaptic current",
                "give both the same value",
                "tau_syn",
            )

    def step(self, step: Dynamics, cells: Cells, dt: float) -> Dynamics:
        return with_one_current(step, cells, dt)


@dataclass(frozen=True)
class Refractory(Capability):
    """Neurons wait after a spike, for `most` steps at most."""

    most: int

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        long = step.refractory > self.most
        if long.any():
            yield Violation(
                cells.label,
                f"{int(long.sum())} cells with refractory periods up to "
                f"{step.refractory.max()} steps",
                f"{self.most} steps ({self.most * dt:g} ms)",
                "shorten tau_refrac, or take a longer time step",
                "refractory",
            )

    def step(self, step: Dynamics, cells: Cells, dt: float) -> Dynamics:
        return replace(step, refractory=np.minimum(step.refractory, self.most))


@dataclass(frozen=True)
class ResetBySubtraction(Capability):
    """Resets subtract the threshold, and a neuron may fire again in the same step."""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        what = f"{cells.size} cells that are reset to v_reset"
        remedy = "none: the target has no other reset"
        yield Violation(cells.label, what, "resets that subtract the threshold", remedy, "reset")


@dataclass(frozen=True)
class Jumps(Capability):
    """There are no currents: a spike adds its whole charge to the voltage at once."""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        if step.current_factor.any():
            what = f"{cells.size} cells with synaptic currents"
            remedy = "use IF_curr_delta"
            yield Violation(cells.label, what, "input that acts at once", remedy, "current")

    def step(self, step: Dynamics, cells: Cells, dt: float) -> Dynamics:
        return with_one_current(step, cells, dt).with_jumps()


@dataclass(frozen=True)
class ConstantLeak(Capability):
    """The leak is a constant, not a share of the voltage.

    Attributes:
        towards_origin: whether it draws from both sides to the voltage's origin; else it is
            subtracted, as a share of the bias.
        greatest: its register's greatest value, where it has one.
    """

    towards_origin: bool
    greatest: int | None = None

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        if step.leaks.any():
            what = f"{int(step.leaks.sum())} cells that leak a share of their voltage"
            floor = "" if self.towards_origin else ", not below v_reset"
            limit = f"a constant leak{floor}"
            yield Violation(cells.label, what, limit, "give them a very long tau_m", "leak")

    def step(self, step: Dynamics, cells: Cells, dt: float) -> Dynamics:
        return step.with_constant_leak(self.towards_origin)

    def room(self, step: Dynamics) -> Floats | float:
        if self.greatest is None:
            return np.inf
        with np.errstate(divide="ignore"):
            return np.asarray(np.where(step.leak == 0, np.inf, self.greatest / np.abs(step.leak)))


@dataclass(frozen=True)
class FixedHop(Capability):
    """There are no delays.

    Attributes:
        between_neurons: steps from a spike of a neuron to the one whose input it is. Those of
            sources have a common number, the least of all synapses from them.
    """

    between_neurons: int

    def of_network(self, net: FloatNet) -> Iterator[Violation]:
        exact = exact_hops(net)
        for part, wanted, has in zip(net.connections, exact, self.hops(net, exact), strict=True):
            other = wanted != has
            if other.any():
                what = f"{int(other.sum())} synapses with other delays than the target's"
                limit = "one delay for all sources, none between neurons"
                yield Violation(part.label, what, limit, "give all sources one delay", "delay")

    def hops(self, net: FloatNet, hops: Hops) -> Hops:
        of_source = [net.cells[part.pre].is_source for part in net.connections]
        least = [hop.min() for hop, yes in zip(hops, of_source, strict=True) if yes and len(hop)]
        common = min(least, default=1)
        return [
            np.full_like(hop, common if yes else self.between_neurons)
            for hop, yes in zip(hops, of_source, strict=True)
        ]


@dataclass(frozen=True)
class OrderByWeight(Capability):
    """Tables tell synapses of one source, target and delay apart by their weights alone."""

    orders_by_weight = True
