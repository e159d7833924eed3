"""Words of hardware tables: one description to encode, to decode, and to document them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Limbs = NDArray[np.uint64]  # [n, limbs], least significant limb first
LIMB = 64


class LayoutError(ValueError):
    """A value does not fit its field, or words do not fit their layout."""


@dataclass(frozen=True)
class Field:
    """Bits of a word. Signed fields are in two's complement.

    Attributes:
        name: of the quantity.
        width: bits, 1 to 63.
        signed: whether negative values can be held.
        meaning: unit and meaning, for the documentation.
    """

    name: str
    width: int
    signed: bool = False
    meaning: str = ""

    @property
    def range(self) -> tuple[int, int]:
        """Least and greatest value."""
        if self.signed:
            return -(1 << (self.width - 1)), (1 << (self.width - 1)) - 1
        return 0, (1 << self.width) - 1


@dataclass(frozen=True)
class Layout:
    """Fields of a word, the first one in the least significant bits."""

    name: str
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        if len(set(names)) < len(names):
            raise LayoutError(f"{self.name}: a field occurs twice in {', '.join(names)}")
        for field in self.fields:
            if not 1 <= field.width < LIMB:
                raise LayoutError(
                    f"{self.name}.{field.name}: width = {field.width}: must be 1 to {LIMB - 1} bits"
                )

    @property
    def width(self) -> int:
        """Bits of a word."""
        return sum(field.width for field in self.fields)

    def lsb(self, name: str) -> int:
        """The least significant bit of a field."""
        position = 0
        for field in self.fields:
            if field.name == name:
                return position
            position += field.width
        raise LayoutError(f"{self.name} has no field {name!r}")

    def encode(self, values: Mapping[str, Any]) -> Limbs:
        """Words of columns [n], one for each field.

        Raises `LayoutError` naming field, place and value where one does not fit, or where columns
        are missing or unknown.
        """
        if set(values) != {field.name for field in self.fields}:
            given, known = sorted(values), [field.name for field in self.fields]
            raise LayoutError(f"{self.name}: fields are {known}, got {given}")
        columns = {name: np.asarray(value, np.int64) for name, value in values.items()}
        n = len(next(iter(columns.values())))
        limbs = np.zeros((n, -(-self.width // LIMB)), np.uint64)
        position = 0
        for field in self.fields:
            column = columns[field.name]
            self._check(field, column, n)
            _insert(limbs, position, column.astype(np.uint64) & _mask(field.width), field.width)
            position += field.width
        return limbs

    def decode(self, limbs: Limbs) -> dict[str, NDArray[np.int64]]:
        """Columns [n] of words."""
        if limbs.ndim != 2 or limbs.shape[1] != -(-self.width // LIMB):
            raise LayoutError(f"{self.name}: words of {self.width} bits, got limbs {limbs.shape}")
        columns, position = {}, 0
        for field in self.fields:
            value = _extract(limbs, position, field.width).astype(np.int64)
            if field.signed:
                value -= (value >> (field.width - 1)) << field.width
            columns[field.name] = value
            position += field.width
        return columns

    def _check(self, field: Field, column: NDArray[np.int64], n: int) -> None:
        if column.shape != (n,):
            raise LayoutError(f"{self.name}.{field.name}: shape {column.shape}, must be ({n},)")
        least, most = field.range
        bad = (column < least) | (column > most)
        if bad.any():
            where = int(np.argmax(bad))
            raise LayoutError(
                f"{self.name}.{field.name} = {column[where]} in word {where}: must be "
                f"{least} to {most} ({field.width} bits)"
            )

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Bits, name, type and meaning of each field, from the most significant."""
        rows = []
        for field in reversed(self.fields):
            low = self.lsb(field.name)
            high = low + field.width - 1
            bits = f"{high}:{low}" if field.width > 1 else f"{low}"
            kind = "signed" if field.signed else "unsigned"
            rows.append((bits, field.name, kind, field.meaning))
        return rows

    def markdown(self) -> str:
        """A table of the fields."""
        head = (
            f"`{self.name}`, {self.width} bits\n\n| bits | field | | meaning |\n|---|---|---|---|\n"
        )
        return head + "\n".join(
            f"| {bits} | `{name}` | {kind} | {meaning} |"
            for bits, name, kind, meaning in self.rows()
        )

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        fields = [[f.name, f.width, f.signed, f.meaning] for f in self.fields]
        return {"name": self.name, "fields": fields}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layout:
        """The layout that `to_json` described."""
        return cls(data["name"], tuple(Field(*field) for field in data["fields"]))


def bits_for(greatest: int) -> int:
    """Bits of an unsigned field that holds 0 to `greatest`; at least one."""
    return max(1, int(greatest).bit_length())


def signed_bits_for(values: Any) -> int:
    """Bits of a signed field that holds all values; at least two."""
    array = np.asarray(values, np.int64)
    if not array.size:
        return 2
    least, most = int(array.min()), int(array.max())
    return max(2, 1 + max(most, -least - 1, 0).bit_length())


def _mask(width: int) -> np.uint64:
    mask: np.uint64 = np.uint64((1 << width) - 1)
    return mask


def _insert(limbs: Limbs, position: int, value: NDArray[np.uint64], width: int) -> None:
    limb, shift = divmod(position, LIMB)
    limbs[:, limb] |= value << np.uint64(shift)
    if shift + width > LIMB:
        limbs[:, limb + 1] |= value >> np.uint64(LIMB - shift)


def _extract(limbs: Limbs, position: int, width: int) -> NDArray[np.uint64]:
    limb, shift = divmod(position, LIMB)
    value: NDArray[np.uint64] = limbs[:, limb] >> np.uint64(shift)
    if shift + width > LIMB:
        value = value | (limbs[:, limb + 1] << np.uint64(LIMB - shift))
    return np.asarray(value & _mask(width))
