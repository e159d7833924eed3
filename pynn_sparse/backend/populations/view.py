"""Views: some cells of a population."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        self.all_cells = self._record_filter = parent.all_cells[self.mask]
        self._mask_local = parent._mask_local[self.mask]
        self.local_cells = self.all_cells
        if simulator.state.processes.size > 1:
            self.local_cells = self.all_cells[self._mask_local]
        self.size = len(self.all_cells)
        self.label = label or f"view of '{parent.label}' with size {self.size}"
        self._selection = _selection(parent, self.mask, self.all_cells)
        self._is_sorted = bool(isinstance(self._selection, slice)) or bool(
            (np.diff(self._selection) > 0).all()
        )
        ends = (self.all_cells[0], self.all_cells[-1]) if self._is_sorted else self.all_cells
        self.first_id, self.last_id = min(ends), max(ends)

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


def _selection(parent: Any, mask: Any, cells: NDArray[Any]) -> Any:
    """The neurons of a view in its block: a slice, if they follow each other, else an array."""
    if isinstance(mask, slice) and mask.step in (None, 1) and isinstance(parent._selection, slice):
        first = int(cells[0]) - parent._block.first
        return slice(first, first + len(cells))
    return cells.astype(np.int64) - parent._block.first
