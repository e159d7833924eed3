"""Arrays that were read from a file, checked before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import CheckpointError

Arrays = dict[str, NDArray[Any]]
Shape = tuple[int | None, ...]  # None for any length


class Contents:
    """Named arrays of a file, or of a part of it.

    Args:
        what: the file, and the part, for messages.
        arrays: all of them; each has to be looked at, or `finish` complains.

    Every method raises `CheckpointError`, which names file and array, for what is not as it should.
    """

    def __init__(self, what: str, arrays: Arrays) -> None:
        self.what = what
        self.arrays = arrays
        self._seen: set[str] = set()

    def part(self, name: str) -> Contents:
        """Those arrays whose names begin with `name` and a slash, without that."""
        prefix = f"{name}/"
        mine = {k.removeprefix(prefix): v for k, v in self.arrays.items() if k.startswith(prefix)}
        self._seen |= {prefix + key for key in mine}
        return Contents(f"{self.what}, {name}", mine)

    def narrowed(self, arrays: Arrays) -> Contents:
        """A part of each of these arrays; what has been looked at stays so."""
        other = Contents(self.what, arrays)
        other._seen = set(self._seen)
        return other

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def names(self, prefix: str) -> Iterator[str]:
        """Names that begin so, without that."""
        for name in self.arrays:
            if name.startswith(prefix):
                yield name.removeprefix(prefix)

    def check(
        self,
        name: str,
        dtype: DTypeLike,
        *shapes: Shape,
        least: float | None = None,
        most: float | None = None,
        finite: bool = False,
    ) -> NDArray[Any]:
        """An array of this type and one of these shapes, with values from `least` to `most`."""
        if name not in self.arrays:
            self.fail(f"{name} is missing")
        self._seen.add(name)
        array = self.arrays[name]
        if array.dtype != np.dtype(dtype):
            self.fail(f"{name} is of type {array.dtype}: must be {np.dtype(dtype)}")
        if not any(_fits(array.shape, shape) for shape in shapes):
            valid = " or ".join(str(shape).replace("None", "n") for shape in shapes)
            self.fail(f"{name} has the shape {array.shape}: must be {valid}")
        if finite and not np.isfinite(array).all():
            self.fail(f"{name} has values that are not finite numbers")
        if array.size and least is not None and array.min() < least:
            self.fail(f"{name} has the value {array.min()}: must be {least} or greater")
        if array.size and most is not None and array.max() > most:
            self.fail(f"{name} has the value {array.max()}: must be {most} or less")
        return array

    def number(self, name: str, least: int, most: int) -> int:
        """An integer."""
        return int(self.check(name, np.int64, (), least=least, most=most))

    def fail(self, reason: str) -> None:
        """Raise the error."""
        raise CheckpointError(f"{self.what}: {reason}")

    def finish(self) -> None:
        """Raise the error if there is an array that nobody has looked at."""
        for name in self.arrays:
            if name not in self._seen:
                self.fail(f"{name} does not belong there")


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(
        n is None or n == m for m, n in zip(shape, wanted, strict=True)
    )
