"""Who may have the arrays of synapse tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from .synapses import SynapseTable

ARRAYS = ("target", "weight", "delay")


class Holder(ABC):
    """Who has the arrays of tables in a form, or at a place, of its own."""

    @abstractmethod
    def extract(self, table: SynapseTable) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """`target`, `weight` and `delay` of a table, made for the caller."""

    def one(self, table: SynapseTable, name: str) -> NDArray[Any]:
        """One of them."""
        return self.extract(table)[ARRAYS.index(name)]

    def is_common(self, table: SynapseTable, name: str) -> bool:
        """Whether all synapses share one "weight" or "delay"."""
        return len(self.one(table, name)) == 1

    def nbytes(self, table: SynapseTable) -> int:
        """Bytes of all three."""
        return sum(each.nbytes for each in self.extract(table))
