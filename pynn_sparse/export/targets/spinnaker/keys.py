"""Slices of populations on SpiNNaker's cores, and the routing keys of spikes.

A key is, from its most significant bit: number of the population, core, cell, and colour bits,
which senders count up in each step. All populations that send have the same number of bits below
theirs; they are numbered as their first projections were made. After the allocator in PACMAN
1!7.4.1 that sPyNNaker takes by default, with one partition of spikes for each population.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...nets.fixednet import Axons

Integers = NDArray[np.int64]

COLOUR_BITS = 4
KEY_BITS = 32


def _bits(n: int) -> int:
    """Bits of an index below n, none for a single one."""
    return (n - 1).bit_length()


@dataclass(frozen=True)
class Slices:
    """The cores of a population; all but the last have `per_core` cells."""

    axons: Axons
    per_core: int

    @property
    def cores(self) -> int:
        """Their number."""
        return -(-self.axons.size // self.per_core)

    @property
    def first(self) -> Integers:
        """First cell of each core."""
        return np.arange(self.cores) * self.per_core

    @property
    def sizes(self) -> Integers:
        """Cells of each core."""
        return np.minimum(self.axons.size - self.first, self.per_core)

    @property
    def cell_bits(self) -> int:
        """Bits of a key for the cell of a core, with its colour.

        A SpikeSourceArray, which is never divided, has keys for two cells at least.
        """
        undivided = self.axons.is_source and not self.axons.per_core
        return _bits(max(self.per_core, 1 + undivided) << COLOUR_BITS)

    @property
    def core_mask(self) -> int:
        """1 in all bits that tell cores apart."""
        return (1 << _bits(self.cores)) - 1

    @property
    def key_bits(self) -> int:
        """Bits of a key below the population."""
        return _bits(self.cores) + self.cell_bits


def slices_of(axons: Iterable[Axons], neurons_per_core: int) -> list[Slices]:
    """How each population is divided."""
    return [
        Slices(
            each,
            min(each.size, (each.per_core or each.size) if each.is_source else neurons_per_core),
        )
        for each in axons
    ]


@dataclass(frozen=True)
class Keys:
    """Keys of the populations that send.

    Attributes:
        number: population -> its number in keys.
        bits: below that number.
    """

    number: dict[int, int]
    bits: int

    @property
    def width(self) -> int:
        """Bits of the longest key."""
        return _bits(len(self.number)) + self.bits

    @property
    def mask(self) -> int:
        """1 in all bits of a population's number."""
        return (1 << KEY_BITS) - (1 << self.bits)

    def key_of(self, population: int) -> int:
        """The key of a population's first cell."""
        return self.number[population] << self.bits

    def table(self, slices: list[Slices]) -> dict[str, Integers]:
        """A row for each core that sends, in the order of keys."""
        rows: list[Integers] = [np.zeros((0, 5), np.int64)]
        for population in self.number:
            part = slices[population]
            key = self.key_of(population) + (np.arange(part.cores) << part.cell_bits)
            mask = np.full(part.cores, (1 << KEY_BITS) - (1 << part.cell_bits))
            numbers = np.full(part.cores, population)
            rows.append(np.stack([numbers, part.first, part.sizes, key, mask], axis=1))
        names = ("population", "first", "cells", "key", "mask")
        return dict(zip(names, np.concatenate(rows).T, strict=True))


def keys_of(slices: list[Slices], senders: Iterable[int]) -> Keys:
    """The keys of populations, given the sender of each projection in their order."""
    number = {each: i for i, each in enumerate(dict.fromkeys(senders))}
    return Keys(number, max((slices[each].key_bits for each in number), default=0))
