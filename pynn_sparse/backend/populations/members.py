"""The populations and views of an assembly."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOBODY = sys.maxsize


class Members:
    """Populations and views in the order in which they were added; a new one shares the old ones.

    `a + b` is a new assembly, that begins with the members of `a`. A script that adds up thousands
    of populations makes as many assemblies, whose members are the beginnings of one list, so that
    adding takes the same time for each. What is known of the list's cells says where they come.
    """

    def __init__(self) -> None:
        self._list: list[Any] = []
        self._place: dict[Any, int] = {}  # of populations, by their blocks
        self._cells: dict[Any, NDArray[np.int64]] = {}  # of blocks: place of each cell's view
        self._n = 0

    def copy(self) -> Members:
        """The same members, to which others may be added."""
        made = Members.__new__(Members)
        made.__dict__.update(self.__dict__)
        return made

    def __len__(self) -> int:
        return self._n

    def list(self) -> list[Any]:
        """All members."""
        return self._list[: self._n]

    def has(self, population: Any) -> bool:
        """Whether a population is one of them."""
        return self._place.get(population._block, NOBODY) < self._n

    def overlaps(self, view: Any) -> bool:
        """Whether some cells of a view are cells of a member."""
        if self.has(view.grandparent):
            return True
        cells = self._cells.get(view._block)
        return cells is not None and bool((cells[view._selection] < self._n).any())

    def add(self, member: Any) -> None:
        """Append a population, or a view of one."""
        if self._n < len(self._list):  # another has gone on from here
            old = self.list()
            self.__init__()  # type: ignore[misc]
            for each in old:
                self.add(each)
        if hasattr(member, "grandparent"):
            block = member._block
            if block not in self._cells:
                self._cells[block] = np.full(block.size, NOBODY)
            cells = self._cells[block]
            cells[member._selection] = np.minimum(cells[member._selection], self._n)
        else:
            self._place[member._block] = self._n
        self._list.append(member)
        self._n += 1
