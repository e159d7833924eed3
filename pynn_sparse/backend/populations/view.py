"""Views: some cells of a population."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

import numpy as np

from ... import common
from .. import simulator
from ..access import exclusive_methods
from ..doors.arguments import check_label, checked_index
from ..doors.parameters import shown
from ..labels import Label
from .assembly import Assembly
from .cells import CHANGING, READING, Cells

logger = logging.getLogger("PyNN")


@exclusive_methods(*READING)
@exclusive_methods(*CHANGING, hold=True)
class PopulationView(Cells, common.PopulationView):
    __doc__ = common.PopulationView.__doc__
    _simulator = simulator
    _assembly_class = Assembly
    label = Label(lambda view: ())

    def __init__(self, parent: Any, selector: Any, label: str | None = None) -> None:
        if not isinstance(parent, common.BasePopulation):
            raise TypeError(f"parent = {shown(parent)}: must be a Population, or a view of one")
        if label is not None:
            check_label(label)
        self.parent = parent
        self.mask = _mask(parent, selector)
        self.celltype = parent.celltype
        self.recorder = parent.recorder
        self.annotations: dict[str, Any] = {}
        self._block = parent._block
        self._mask_local = parent._mask_local[self.mask]
        self.size = len(self._mask_local)
        self.label = label or f"view of '{parent.label}' with size {self.size}"
        self._selection = _selection(parent, self.mask, self.size)
        self._is_sorted = bool(isinstance(self._selection, slice)) or bool(
            (np.diff(self._selection) > 0).all()
        )
        chosen = self._selection
        ends = (chosen.start, chosen.stop - 1) if isinstance(chosen, slice) else chosen
        one = self.grandparent._identifiers.one
        self.first_id, self.last_id = one(int(min(ends))), one(int(max(ends)))

    @cached_property
    def all_cells(self) -> Any:
        """Identifiers of all cells, an array of objects."""
        return self.parent.all_cells[self.mask]

    @property
    def _record_filter(self) -> Any:
        return self.all_cells

    @property
    def local_cells(self) -> Any:
        """Identifiers of the cells of this process."""
        if simulator.state.processes.size == 1:
            return self.all_cells
        return self.all_cells[self._mask_local]

    def index_in_grandparent(self, indices: Any) -> Any:
        """Where cells are in the population of which this is a view, by where they are in it."""
        chosen = checked_index(indices, self.size, self.label)
        inside = np.arange(self.parent.size)[self.mask][chosen]
        of_view = isinstance(self.parent, common.PopulationView)
        return self.parent.index_in_grandparent(inside) if of_view else inside

    def index_from_parent_index(self, indices: Any) -> Any:
        """Where cells are in the view, by where they are in what it is a view of.

        Raises IndexError for cells that are not in the view. Upstream's gives other cells for them,
        and floats where the view is a slice.
        """
        wanted = np.arange(self.parent.size)[checked_index(indices, self.parent.size, "parent")]
        inside = np.arange(self.parent.size)[self.mask]
        found = np.searchsorted(inside, wanted)
        if not np.isin(wanted, inside).all():
            raise IndexError(
                f"indices = {shown(indices)}: must be of cells that are in {self.label}"
            )
        return found

    def _get_view(self, selector: Any, label: str | None = None) -> PopulationView:
        return PopulationView(self, selector, label)


def _mask(parent: Any, selector: Any) -> Any:
    """What a view selects of its parent: a slice, or an ascending array of indices, each once."""
    index = checked_index(selector, parent.size, parent.label)
    if isinstance(index, slice):
        return index
    ascending = np.unique(index)
    if len(ascending) != np.size(index):
        logger.warning("PopulationView can contain each ID only once, duplicates are removed")
    return ascending


def _selection(parent: Any, mask: Any, size: int) -> Any:
    """The neurons of a view in its block: a slice, if they follow each other, else an array."""
    of_parent = parent._selection
    if not isinstance(of_parent, slice):
        return of_parent[mask]
    begin = of_parent.start or 0
    if isinstance(mask, slice) and mask.step in (None, 1):
        first = begin + mask.indices(parent.size)[0]
        return slice(first, first + size)
    return begin + np.arange(parent.size)[mask]
