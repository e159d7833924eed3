"""What DYNAP-SE2 alone has: dendrites with a sign, and masks of base currents for weights."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...capability import Capability
from ...errors import ExportError, Violation
from ...models.dynamics import Dynamics
from ...nets.draft import Draft
from ...nets.floatnet import Cells, FloatNet
from ...proof import Check
from .cores import CoreProfiles
from .subsets import BASES, best_bases, nearest, sums

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_BASE = 255  # fine value of a base current
# What a mask selects of 255, 127, 64 and 32: levels at about equal distances.
GREATEST = 478
SHIFT = 8  # of weights in the model


@dataclass(frozen=True)
class StartsAtReset(Capability):
    """Voltages cannot be set, and begin at v_reset."""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        if step.initial.any():
            what = f"{int((step.initial != 0).sum())} cells that do not begin at v_reset"
            yield Violation(cells.label, what, "v_reset", "initialize v with v_reset", "initial")

    def step(self, step: Dynamics, cells: Cells, dt: float) -> Dynamics:
        return replace(step, initial=np.zeros_like(step.initial))


@dataclass(frozen=True)
class Dendrites(Capability):
    """Input is always a current that decays."""

    def of_cells(self, cells: Cells, step: Dynamics, dt: float) -> Iterator[Violation]:
        at_once = (step.current_factor == 0).any(axis=1)
        if at_once.any():
            what = f"{int(at_once.sum())} cells on whose voltage spikes act at once"
            remedy = "use IF_curr_exp"
            yield Violation(cells.label, what, "synaptic currents that decay", remedy, "pulse")


@dataclass(frozen=True)
class SignedReceptors(Capability):
    """The sign of a weight is that of its receptor."""

    def of_network(self, net: FloatNet) -> Iterator[Violation]:
        for part in net.connections:
            sign = -1 if part.receptor == "inhibitory" else 1
            wrong = int((part.weight * sign < 0).sum())
            if wrong:
                what = f"{wrong} synapses whose sign is not that of their receptor"
                remedy = "give inhibitory synapses negative weights, excitatory ones positive"
                yield Violation(part.label, what, "dendrites excite, or inhibit", remedy)


@dataclass(frozen=True)
class Masks(Capability):
    """A weight is the sum of those of the core's base currents that its mask selects."""

    def fitted(self, draft: Draft, accept: Collection[str]) -> Draft:
        """Base weights of each core, and the sums of them that are nearest to its weights."""
        if draft.rounding != "nearest":
            raise ExportError(f'rounding = {draft.rounding!r}: {draft.target} only has "nearest"')
        parts = zip(draft.net.connections, draft.weights, strict=True)
        exact = np.concatenate([np.zeros(0), *(part.weight / each.step for part, each in parts)])
        core, size = draft.profile[draft.neuron], np.abs(exact)
        base = _bases(size, core, len(draft.profiles.base))
        mantissa = np.zeros(len(exact), np.int64)
        for number in range(len(base)):
            here = np.flatnonzero((core == number) & (size > 0))
            mask = nearest(base[number], size[here])
            mantissa[here] = np.sign(exact[here]) * sums(base[number])[mask - 1]
        ends = np.cumsum([len(part) for part in draft.net.connections])[:-1]
        weights = tuple(
            replace(each, mantissa=mine, value=mine * each.step)
            for each, mine in zip(draft.weights, np.split(mantissa, ends), strict=True)
        )
        profiles = CoreProfiles(**vars(draft.profiles) | {"base": base})
        return replace(draft, weights=weights, profiles=profiles)

    def weight_checks(self, tables: Any, exact: Floats, unit: Floats) -> Iterator[Check]:
        fixed, exact = tables.fixed, exact / unit
        parts = [part.weight for part in tables.net.connections]
        there = int((np.concatenate([np.zeros(0), *parts]) != 0).sum())
        yield Check(
            "the synapses that CAM and SRAM make are those of the pruned network",
            fixed.n_synapses == there,
            f"{fixed.n_synapses} of {there} with weights that are not 0",
        )
        masks = [mask for mask in product((0, 1), repeat=BASES) if any(mask)]
        codes = fixed.profiles.base @ np.array(masks).T  # [cores, 15]
        found = np.abs((fixed.charge() >> SHIFT) - exact)
        best = np.full(len(exact), np.inf)
        for code in codes.T:
            best = np.minimum(best, np.abs(code[fixed.profile[fixed.target]] - np.abs(exact)))
        bases = _bases(np.abs(exact), fixed.profile[fixed.target], len(fixed.profiles.base))
        wrong = int((bases != fixed.profiles.base).any(axis=1).sum())
        yield Check(
            "each core has the base currents that its weights ask for",
            not wrong,
            f"{wrong} of {len(bases)} cores have others",
        )
        worse = int((found > best + 1e-6).sum())
        rms = float(np.sqrt(np.mean(found**2))) if len(found) else 0.0
        yield Check(
            "each mask is the one of 15 whose base currents are nearest to the weight",
            not worse,
            f"{worse} of {len(exact)} are not; RMS error {rms:.3f}, largest "
            f"{found.max(initial=0):.3f} of {GREATEST} units",
        )


def _bases(size: Floats, core: Integers, cores: int) -> Integers:
    """Base weights [cores, 4] for weights of these sizes on these cores."""
    rows = [best_bases(size[(core == k) & (size > 0)], MOST_BASE) for k in range(cores)]
    return np.array(rows)
