"""Single cells, as PyNN's scripts have them."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import common
from .doors.arguments import check_source
from .doors.checks import check_names

FEW = 16  # identifiers


class ID(int, common.IDMixin):
    """A neuron: its index in the network, with the methods that PyNN gives to single cells."""

    _population: weakref.ref[Any]

    @property
    def parent(self) -> Any:
        """The population that the neuron belongs to.

        The population has the identifiers in an array, whose contents Python's garbage collector
        does not see: it would never be freed if they held it. While its network is the present
        one, its recorder does.
        """
        population = self._population()
        if population is None:
            raise RuntimeError(
                f"cell {int(self)} belongs to a network that setup() has discarded; make it anew"
            )
        return population

    def __getattr__(self, name: str) -> Any:
        """A parameter."""
        if name not in ("parent", "set") and self.celltype.has_parameter(name):
            return self.as_view()._get_value_of_one(name)
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a parameter. Raises NonExistentParameterError for other names than a cell has."""
        if name.startswith("_") or hasattr(type(self), name):
            super().__setattr__(name, value)
            return
        population = self.parent
        if not population.celltype.has_parameter(name):
            known = population.celltype.get_parameter_names()
            check_names([name], type(population.celltype).__name__, known)
        population._set_one(self, name, value)

    def _set_position(self, pos: Any) -> None:
        self.parent._set_cell_position(self, pos)

    position = property(
        common.IDMixin._get_position, _set_position, doc="Position of the cell in um, [3]."
    )

    def inject(self, current_source: Any, location: Any = None) -> None:
        """Inject the current of a source into the cell; see `pyNN.common.IDMixin.inject`."""
        check_source(current_source)
        super().inject(current_source, location)

    def get_parameters(self) -> dict[str, Any]:
        """All parameters, by name."""
        view = self.as_view()
        return {name: view._get_value_of_one(name) for name in self.celltype.get_parameter_names()}


class Identifiers:
    """The identifiers of a population's neurons, which are made when all are first asked for.

    Their class, one for each population, has the reference to it, since a million attributes of
    objects would take a second and a hundred megabytes. The objects have it where these are so few
    that the class would take more.

    Args:
        population: that the neurons belong to.
        first, size: of their numbers in the network.
    """

    def __init__(self, population: Any, first: int, size: int) -> None:
        self._numbers = range(first, first + size)
        self._all: NDArray[np.object_] | None = None
        reference = weakref.ref(population)
        if size >= FEW:
            self._kind = type("ID", (ID,), {"_population": reference, "__doc__": ID.__doc__})
            return
        self._kind = ID
        for cell in self.all():
            cell.__dict__["_population"] = reference

    def all(self) -> NDArray[np.object_]:
        """All of them, from now on the same objects."""
        if self._all is None:
            every = np.empty(len(self._numbers), dtype=object)
            every[:] = list(map(self._kind, self._numbers))
            self._all = every  # which an interrupt finds whole, or not at all
        return self._all

    def one(self, index: int) -> ID:
        """That of the neuron at an index of the population, which is not negative."""
        if self._all is not None:
            found: ID = self._all[index]
            return found
        return self._kind(self._numbers[index])
