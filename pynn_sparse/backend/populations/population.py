"""Populations: the cells of one model that are made together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pynn_sparse.errors import ParameterError
from pynn_sparse.network.stream import Stream

from ... import common, errors
from ...models import BaseCellType
from .. import simulator
from ..access import exclusive, exclusive_methods
from ..dialects import seed_of_population
from ..doors.arguments import check_label, check_mapping, checked_position, checked_size
from ..doors.checked import evaluated, for_engine, plain
from ..doors.generators import copied, restoring_generators
from ..doors.parameters import Parameter, plain_sequence, shown
from ..doors.plain import PLAIN
from ..identifiers import Identifiers
from ..labels import Label
from ..recording import Recorder
from .assembly import Assembly
from .cells import CHANGING, READING, Cells
from .structures import check_structure, generated_positions
from .view import PopulationView


@exclusive_methods(*READING)
@exclusive_methods("__init__", *CHANGING, hold=True)
class Population(Cells, common.Population):
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly
    _selection = slice(None)
    _positions: Any
    label = Label(lambda population: [population._block] if hasattr(population, "_block") else [])

    def __init__(
        self,
        size: Any,
        cellclass: Any,
        cellparams: Any = None,
        structure: Any = None,
        initial_values: Mapping[str, Any] | None = None,
        label: str | None = None,
        additional_parameters: Mapping[str, Any] | None = None,
        **additional: Any,
    ) -> None:
        simulator.state.require_open("a population")
        self._seed = seed_of_population({**(additional_parameters or {}), **additional})
        size = checked_size(size)
        _check_cell_type(cellclass, cellparams)
        if isinstance(cellclass, type) and cellparams is None:
            cellclass = cellclass()
        _check_options(size, structure, initial_values, label)
        count = common.Population._nPop
        simulator.state.processes.meet("Population")
        simulator.state.network.require_room(math.prod(size) if isinstance(size, tuple) else size)
        given = initial_values or {}
        try:
            with restoring_generators(given.values()):
                super().__init__(size, cellclass, cellparams, structure, given, label)
                start = self._block.starting_state()
                if start:
                    self.initialize(**{k: v for k, v in start.items() if k not in given})
        except BaseException:
            self._take_back(count)
            raise

    def _take_back(self, count: int) -> None:
        """Leave the simulation as it was before a population that could not be made."""
        common.Population._nPop = count
        simulator.state.recorders.discard(getattr(self, "recorder", None))
        if hasattr(self, "_block"):
            simulator.state.network.remove_last_block(self._block)

    def _create_cells(self) -> None:
        celltype, given = self.celltype, dict(self.celltype.parameter_space.items())
        prepared: dict[str, Any] | None = plain(celltype.doors(), given)
        if prepared is None:
            values = evaluated(self._named(), celltype.doors(), copied(given), self.size)
            prepared = for_engine(celltype, values, self.size)
        with self._named_errors():
            self._block = simulator.state.network.add_block(
                celltype.model, self.size, prepared, str(self.label)
            )
        if self._seed is not None:
            trials = simulator.state.network.trials
            self._block.stream = Stream(self._seed, self._block.first, trials)
        self._identifiers = Identifiers(self, self._block.first, self.size)
        self._mask_local = np.zeros(self.size, bool)
        self._mask_local[simulator.state.own_part(self._block)] = True

    @property
    def all_cells(self) -> Any:
        """Identifiers of all cells, an array of objects, which take memory once they are there."""
        if "last_id" in self.__dict__:
            return self._identifiers.all()
        # PyNN's constructor looks at the first and the last one.
        return tuple(map(self._identifiers.one, (0, self.size - 1)))

    def _set_positions(self, positions: Any) -> None:
        super()._set_positions(checked_position("positions", positions, (3, self.size)))

    def _set_structure(self, structure: Any) -> None:
        check_structure(structure)
        super()._set_structure(structure)

    def _get_positions(self) -> Any:
        if self._positions is None:
            self._positions = generated_positions(self.structure, self.size)
        return super()._get_positions()

    positions = property(_get_positions, _set_positions, doc="Positions (um) of the cells, [3, n].")
    structure = property(
        common.Population._get_structure, _set_structure, doc="What gives the cells' positions."
    )

    @exclusive("Population.set", hold=True)
    def _set_one(self, cell: Any, name: str, value: Any) -> None:
        """Set a parameter of a cell, as a view of it does; scripts do this for cell after cell."""
        self._check_open()
        door = self.celltype.doors()[name]
        index = int(cell) - self._block.first
        if type(value) in PLAIN and type(door) is Parameter and door.takes(value):
            one = slice(index, index + 1)
            with self._named_errors():
                self._block.set_parameters(one, {name: float(value)}, simulator.state.last_step)
        elif not (name in self._block.model.sequences and self._set_sequence(index, name, value)):
            self[index : index + 1].set(**{name: value})

    def _set_sequence(self, index: int, name: str, value: Any) -> bool:
        """Set a parameter that is a sequence of numbers; False, and nothing, if they are not."""
        numbers = plain_sequence(value)
        if numbers is None:
            return False
        one = np.empty(1, object)
        one[0] = numbers
        try:
            self._block.set_parameters(
                slice(index, index + 1), {name: one}, simulator.state.last_step
            )
        except ParameterError:
            return False
        return True

    def id_to_local_index(self, id: Any) -> Any:
        """Where cells are among those of the population that this process simulates.

        Raises IndexError for a cell of another process.
        """
        index = np.asarray(self.id_to_index(id))
        first = simulator.state.own_part(self._block).start
        if not self._mask_local[index].all():
            raise IndexError(f"{self.label}: a cell is simulated by another process")
        return index - first if index.ndim else int(index) - first

    def _get_view(self, selector: Any, label: str | None = None) -> PopulationView:
        return PopulationView(self, selector, label)


def _check_options(size: Any, structure: Any, initial_values: Any, label: Any) -> None:
    if structure is not None:
        check_structure(structure)
        if isinstance(size, tuple):
            raise errors.InvalidParameterValueError(
                f"size = {size} is a grid already: structure must not be given, too"
            )
    if initial_values is not None:
        check_mapping("initial_values", initial_values)
    if label is not None:
        check_label(label)


def _check_cell_type(cellclass: Any, parameters: Any) -> None:
    cell = cellclass if isinstance(cellclass, type) else type(cellclass)
    if not issubclass(cell, BaseCellType):
        raise TypeError(
            f"cellclass = {shown(cellclass)}: must be a cell type, such as IF_curr_exp(tau_m=10.0)"
        )
    if parameters is not None and isinstance(cellclass, type):
        check_mapping("cellparams", parameters)
    elif parameters is not None:
        raise TypeError(
            f"cellparams = {shown(parameters)}: must not be given, since {cell.__name__} has its "
            "parameters already"
        )
    if issubclass(cell, BaseCellType) and not hasattr(cell, "model"):
        raise errors.InvalidModelError(
            f"{cell.__module__}.{cell.__name__} is not a cell type of pyNN.sparse; "
            "use the class of that name that this backend offers, if it does"
        )
