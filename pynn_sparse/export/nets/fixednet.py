"""The network in integers: made by `quantise`, packed into tables, run by the golden model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .minifloat import Minifloat

Integers = NDArray[np.int64]

# Registers of a neuron after its currents' decays, and before its floor.
REGISTERS = ("voltage_decay", "threshold", "reset", "bias", "refractory")


@dataclass(frozen=True)
class Axons:
    """A population in the common index space: neurons first, then sources.

    Attributes:
        label: of the population.
        first: index of its first cell.
        size: number of cells.
        is_source: whether spikes come from outside.
        per_core: of a source, how many cells share a core where the target keeps sources on
            cores; 0 for all.
    """

    label: str
    first: int
    size: int
    is_source: bool
    per_core: int = 0

    def to_json(self) -> dict[str, Any]:
        """For the manifest; what is not used is left out."""
        return {name: value for name, value in vars(self).items() if name != "per_core" or value}


@dataclass(frozen=True)
class Formats:
    """How weights are read, int64 [n_formats] each.

    A weight w adds ``w << shift``, or its negative, to the current of `receptor`.
    """

    receptor: Integers
    shift: Integers
    negative: Integers


@dataclass(frozen=True)
class Profiles:
    """Registers that neurons share, int64 [n_profiles] each; `current_decay` [n_profiles, R].

    `floor` is None where `Semantics.floor` is false.
    """

    current_decay: Integers
    voltage_decay: Integers
    threshold: Integers
    reset: Integers
    bias: Integers
    refractory: Integers
    floor: Integers | None = None

    def registers(self) -> dict[str, Integers]:
        """Those that there are, by name."""
        return {name: each for name, each in vars(self).items() if each is not None}


def profiles_of(columns: Integers, receptors: int) -> tuple[Profiles, Integers]:
    """The profiles that occur in columns [N, registers], and that of each neuron."""
    unique, which = np.unique(columns, axis=0, return_inverse=True)
    names = (*REGISTERS, "floor")[: unique.shape[1] - receptors]
    named = {name: unique[:, receptors + i].copy() for i, name in enumerate(names)}
    return Profiles(unique[:, :receptors].copy(), **named), which.reshape(-1).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class CellParameters(Profiles):
    """Registers that are PyNN's parameters in s16.15, from which the target computes its factors.

    The decays are time constants (ms), the bias a current (nA), the refractory period is in ms.

    Attributes:
        rest: v_rest, mV.
        capacitance: cm, nF.
        time_step: ms.
    """

    rest: Integers
    capacitance: Integers
    time_step: Integers


@dataclass(frozen=True)
class Frame:
    """What tables alone do not tell."""

    semantics: Any
    axons: tuple[Axons, ...]


@dataclass(frozen=True)
class FixedNet:
    """Integers of a network.

    Attributes:
        semantics: what they mean: `Semantics`, or what the target's model has instead.
        axons: populations; neurons 0 .. N - 1 are axons 0 .. N - 1.
        profiles: registers of neurons: `Profiles`, or what the target's model has instead.
        profile: int64 [N], index of each neuron's profile.
        initial: int64 [N], voltage at the beginning.
        formats: of weights.
        start: int64 [n_axons + 1], where rows of synapses begin.
        target: int64 [n], neuron.
        weight: int64 [n].
        hop: int64 [n], steps from the one of a spike to the one whose input it is; at least 1.
        format: int64 [n].
        minifloat: how tables hold weights, which are numbers of it; None for integers.
    """

    semantics: Any
    axons: tuple[Axons, ...]
    profiles: Any
    profile: Integers
    initial: Integers
    formats: Formats
    start: Integers
    target: Integers
    weight: Integers
    hop: Integers
    format: Integers
    minifloat: Minifloat | None = None

    @property
    def frame(self) -> Frame:
        """Semantics and populations."""
        return Frame(self.semantics, self.axons)

    @property
    def n_neurons(self) -> int:
        """Neurons, without sources."""
        return len(self.profile)

    @property
    def n_axons(self) -> int:
        """Neurons and sources."""
        return len(self.start) - 1

    @property
    def n_synapses(self) -> int:
        """Synapses."""
        return len(self.target)

    @property
    def source(self) -> Integers:
        """Axon of each synapse."""
        return np.repeat(np.arange(self.n_axons), np.diff(self.start))

    def charge(self) -> Integers:
        """What each synapse adds to a current, with its sign, in integer units."""
        value = self.weight << self.formats.shift[self.format]
        return np.where(self.formats.negative[self.format] == 1, -value, value)

    def largest_input(self) -> int:
        """The greatest sum, by magnitude, that one spike of every axon brings to one current."""
        if not self.n_synapses:
            return 0
        receptors = self.semantics.n_receptors
        key = self.target * receptors + self.formats.receptor[self.format]
        totals = np.zeros(self.n_neurons * receptors, np.int64)
        np.add.at(totals, key, np.abs(self.charge()))
        return int(totals.max())


def same(one: FixedNet, other: FixedNet) -> list[str]:
    """Names of what differs between two networks; empty if they are equal."""
    differing = [
        name
        for name in ("semantics", "axons", "minifloat")
        if getattr(one, name) != getattr(other, name)
    ]
    for part in ("profiles", "formats"):
        a, b = getattr(one, part), getattr(other, part)
        differing += [
            f"{part}.{field.name}"
            for field in fields(a)
            if not np.array_equal(getattr(a, field.name), getattr(b, field.name))
        ]
    differing += [
        name
        for name in ("profile", "initial", "start", "target", "weight", "hop", "format")
        if not np.array_equal(getattr(one, name), getattr(other, name))
    ]
    return differing
