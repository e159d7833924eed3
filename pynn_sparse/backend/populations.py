"""Populations, views and assemblies."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.errors import ParameterError
from pynn_sparse.network import Block
from pynn_sparse.network.model import FINITE, NOT_NEGATIVE
from pynn_sparse.network.stream import Stream

from .. import common, errors
from ..models import BaseCellType
from ..parameters import ArrayParameter, LazyArray, ParameterSpace, Sequence, simplify
from . import simulator
from .access import exclusive, exclusive_methods
from .arguments import (
    check_annotations,
    check_file,
    check_id,
    check_ids_present,
    check_label,
    check_mapping,
    check_names_of_parameters,
    check_not_empty,
    check_source,
    check_summand,
    checked_index,
    checked_position,
    checked_sample,
    checked_size,
)
from .checked import evaluated, for_engine
from .checks import as_flag, check_names
from .dialects import seed_of_population
from .door import Parameter, copied, restoring_generators, shown
from .files import check_destination, file_of_record, write
from .labels import Label
from .members import Members
from .plain import PLAIN
from .recording import Recorder
from .structures import check_structure, generated_positions

logger = logging.getLogger("PyNN")


# Those that look at the network, or change it; what they are made of is theirs.
READING = "get get_data write_data get_spike_counts mean_spike_count".split()
CONDUCTANCE = "uS nS".split()  # units of state variables that are never negative
CHANGING = "set initialize record inject".split()


@exclusive_methods(*READING)
@exclusive_methods(*CHANGING, hold=True)
class Assembly(common.Assembly):
    __doc__ = common.Assembly.__doc__
    _simulator = simulator

    def __init__(self, *populations: Any, label: str | None = None) -> None:
        for each in populations:
            if not isinstance(each, common.BasePopulation):
                raise TypeError(f"Assembly: {shown(each)}: must be a Population, or a view of one")
        if label is not None:
            check_label(label)
        super().__init__(*populations, **({} if label is None else {"label": label}))

    def save_positions(self, file: Any) -> None:
        """Write the cells' positions to a file; see `pyNN.common.Assembly.save_positions`."""
        check_file(file)
        super().save_positions(file)

    def id_to_index(self, id: Any) -> Any:
        """Where cells are in the assembly; see `pyNN.common.Assembly.id_to_index`."""
        check_id(id, self.label)
        check_ids_present(id, self.all_cells, self.label)
        return super().id_to_index(id)

    def get(self, parameter_names: Any, gather: bool = False, simplify: bool = True) -> Any:
        """Values of parameters of all cells; see `pyNN.common.Assembly.get`."""
        check_names_of_parameters(parameter_names)
        check_not_empty(self)
        as_flag("gather", gather)
        return super().get(parameter_names, gather, as_flag("simplify", simplify))

    def get_data(
        self,
        variables: Any = "all",
        gather: bool = True,
        clear: bool = False,
        annotations: Any = None,
    ) -> Any:
        """Recorded data of all cells as a Neo block; see `pyNN.common.Assembly.get_data`."""
        check_not_empty(self)
        check_annotations(annotations)
        for part in self.populations:
            part.recorder.check_reading(variables, gather, clear)
        return super().get_data(variables, gather, clear, annotations)

    @property
    def populations(self) -> list[Any]:
        """The populations and views, in the order in which they were added."""
        return self._members.list()

    @populations.setter
    def populations(self, populations: Iterable[Any]) -> None:
        self._members = Members()
        for each in populations:
            self._insert(each)

    def _insert(self, element: Any) -> None:
        """Add a population or view, unless its cells are there."""
        if not isinstance(element, common.BasePopulation):
            raise TypeError(f"argument is a {type(element).__name__}, not a Population.")
        if isinstance(element, PopulationView):
            if self._members.overlaps(element):
                logger.warning(
                    "Cannot add a PopulationView to an Assembly containing elements already present"
                )
                return
        elif self._members.has(element):
            logger.warning("Adding a Population twice in an Assembly is not possible")
            return
        self._members.add(element)

    def __add__(self, other: Any) -> Assembly:
        """A new assembly, of these and another's populations, or another population or view."""
        check_summand(self.label, other)
        made = Assembly()
        made._members = self._members.copy()
        made += other
        return made

    @property
    def all_cells(self) -> NDArray[Any]:
        """Identifiers of all cells."""
        if not self.populations:
            return np.zeros(0, object)
        return np.concatenate([each.all_cells for each in self.populations])

    local_cells = all_cells

    @property
    def _mask_local(self) -> NDArray[np.bool_]:
        return np.ones(self.size, bool)

    @property
    def positions(self) -> NDArray[np.float64]:
        """Positions of all cells in um, [3, n]."""
        return np.hstack([np.zeros((3, 0)), *(each.positions for each in self.populations)])

    @property
    def position_generator(self) -> Callable[[Any], NDArray[np.float64]]:
        """Function from an index, or indices, to positions [3] or [n, 3], like a Population's.

        Upstream's gives [3, n], with which distances to or from an Assembly cannot be computed.
        """
        return lambda i: self.positions.T[i]

    @property
    def receptor_types(self) -> list[str]:
        """Receptors that all populations have, in the order of the first one's.

        The first is the default for excitatory, the second for inhibitory synapses; upstream's
        order depends on how Python hashes the names, and differs from run to run.
        """
        others = [set(each.celltype.receptor_types) for each in self.populations[1:]]
        first = self.populations[0].celltype.receptor_types
        return [name for name in first if all(name in other for other in others)]

    def set(self, **parameters: Any) -> None:
        """Set parameters of all cells, see `pyNN.common.Assembly.set`; of all or none."""
        check_not_empty(self)
        prepared = [part._prepared(parameters) for part in self.populations]
        for part, values in zip(self.populations, prepared, strict=True):
            part._check_together(values)
        for part, values in zip(self.populations, prepared, strict=True):
            part._set(values)

    def initialize(self, **initial_values: Any) -> None:
        """Set state variables of all cells, see `pyNN.common.Assembly.initialize`; all or none."""
        check_not_empty(self)
        with restoring_generators(initial_values.values()):
            prepared = [part._prepared_state(initial_values) for part in self.populations]
        for part, values in zip(self.populations, prepared, strict=True):
            part._set_state(values)

    def inject(self, current_source: Any) -> None:
        """Inject the current into all cells, see `pyNN.common.Assembly.inject`; all or none."""
        check_source(current_source)
        check_not_empty(self)
        for part in self.populations:
            part._check_injectable()
        super().inject(current_source)

    def __getitem__(self, index: Any) -> Any:
        """A cell, or an Assembly of several; see `pyNN.common.Assembly`, and `Population`."""
        index = checked_index(index, self.size, self.label)
        if isinstance(index, int) and index < 0:
            index += self.size
        return super().__getitem__(index)

    def sample(self, n: int, rng: Any = None) -> Assembly:
        """An Assembly of `n` cells drawn at random; see `pyNN.common.Assembly.sample`."""
        number = checked_sample(n, rng, self.size)
        assembly: Assembly = super().sample(number, rng)
        return assembly

    def record(
        self,
        variables: Any,
        to_file: Any = None,
        sampling_interval: float | None = None,
        locations: Any = None,
    ) -> None:
        """Record from all populations, see `pyNN.common.Assembly.record`; into one file, if any.

        Upstream's populations write to the same file one after the other, and the last one remains.
        """
        file = file_of_record(to_file)
        check_not_empty(self)
        for part in self.populations:
            part._check_record(variables, sampling_interval, locations)
        super().record(variables, None, sampling_interval, locations)
        if file is not None:
            simulator.state.write_on_end.append((self, variables, file))

    def write_data(
        self,
        io: Any,
        variables: Any = "all",
        gather: bool = True,
        clear: bool = False,
        annotations: Any = None,
    ) -> None:
        """Write recorded data to a file or a Neo IO; they are cleared only once that is done."""
        check_destination("io", io)
        as_flag("clear", clear)
        write(io, self.get_data(variables, gather, annotations=annotations))
        if clear:
            for part in self.populations:
                part.recorder.clear()


class _Cells:
    """What a population and a view of it have in common: some neurons of one block."""

    celltype: Any
    size: int
    all_cells: NDArray[Any]

    _block: Block
    _selection: Any  # of neurons in the block: a slice, or an array of indices

    def _get_parameters(self, *names: str) -> ParameterSpace:
        """Parameters by PyNN's names, which are the engine's."""
        self._check_names(names)
        return self._get_native_parameters(*names)

    def _get_native_parameters(self, *names: str) -> ParameterSpace:
        values = {name: self._get_value(name) for name in names}
        return ParameterSpace(values, self.celltype.get_schema(), shape=(self.size,))

    def _get_value(self, name: str) -> Any:
        """A parameter: one value if all cells share it, else an array."""
        vectors = getattr(self.celltype, "vectors", {})
        if name in vectors:
            return self._vector([self._get_value(each) for each in vectors[name]])
        value = self._block.get_parameter(name, self._selection)
        if name in self._block.model.sequences:
            sequences = np.empty(len(value), dtype=object)
            sequences[:] = [Sequence(times.copy()) for times in value]
            same = all(first == second for first, second in itertools.pairwise(sequences))
            return sequences[0] if same else sequences
        return simplify(value)

    def _get_value_of_one(self, name: str) -> Any:
        """A parameter of a single cell."""
        value = self._get_value(name)
        return value[0] if isinstance(value, np.ndarray) else value

    def _vector(self, components: list[Any]) -> Any:
        """A parameter of several numbers, one for all cells or one for each."""
        if not any(np.ndim(each) for each in components):
            return ArrayParameter(components)
        rows = np.column_stack([np.broadcast_to(each, (self.size,)) for each in components])
        vectors = np.empty(self.size, dtype=object)
        vectors[:] = [ArrayParameter(row) for row in rows]
        return vectors

    def set(self, **parameters: Any) -> None:
        """Set parameters, see `pyNN.common.BasePopulation.set`; all of them or none.

        Quantities are converted to PyNN's units. Raises NonExistentParameterError,
        InvalidParameterValueError, and InvalidDimensionsError for another number of values.
        """
        self._set(self._prepared(parameters))

    def _prepared(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as the engine takes them, checked one by one; nothing is changed yet."""
        self._check_open()
        self._check_names(parameters)
        # As with PyNN's standard models, generators stay as they are: copies are drawn from.
        values = evaluated(self._named(), self.celltype.doors(), copied(parameters), self.size)
        return for_engine(self.celltype, values, self.size)

    def _check_together(self, prepared: dict[str, Any]) -> None:
        """Raise InvalidParameterValueError for values that `_set` could not set."""
        with self._named_errors():
            self._block.check_parameters(self._selection, prepared)

    def _set(self, prepared: dict[str, Any]) -> None:
        with self._named_errors():
            self._block.set_parameters(self._selection, prepared, simulator.state.last_step)

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Turn an error of the engine into PyNN's, with the name of the population."""
        try:
            yield
        except ParameterError as error:
            raise errors.InvalidParameterValueError(f"{self._named()}: {error}") from error

    def record(
        self,
        variables: Any,
        to_file: Any = None,
        sampling_interval: float | None = None,
        locations: Any = None,
    ) -> None:
        """Record variables, see `pyNN.common.BasePopulation.record`.

        `to_file` is checked at once, not when `end` writes the file: raises ValueError for the name
        of a file of no known format and ImportError if the format needs a package that is missing.
        """
        file = file_of_record(to_file)
        self._check_record(variables, sampling_interval, locations)
        super().record(variables, None, sampling_interval, locations)  # type: ignore[misc]
        if file is not None:
            self.recorder.file = file  # type: ignore[attr-defined]
            simulator.state.write_on_end.append((self, variables, file))

    def _check_record(self, variables: Any, sampling_interval: Any, locations: Any) -> None:
        """Raise an error for what `record` cannot do; nothing is changed."""
        self._check_open()
        if locations is not None:
            raise NotImplementedError(
                f"locations = {shown(locations)}: must be None, since neurons here are points"
            )
        if variables is not None:
            self.recorder.check(variables, sampling_interval)  # type: ignore[attr-defined]

    def __getitem__(self, index: Any) -> Any:
        """A cell, or a view of several; see `pyNN.common.BasePopulation`.

        Raises TypeError, IndexError for cells that are not there, and InvalidDimensionsError for
        none.
        """
        index = checked_index(index, self.size, self.label)  # type: ignore[attr-defined]
        return self.all_cells[index] if isinstance(index, int) else self._get_view(index)

    def save_positions(self, file: Any) -> None:
        """Write the cells' positions to a file; see `pyNN.common.BasePopulation`."""
        check_file(file)
        super().save_positions(file)  # type: ignore[misc]

    def id_to_index(self, id: Any) -> Any:
        """Where cells are in the population; see `pyNN.common.Population.id_to_index`."""
        in_a_row = isinstance(id, simulator.ID) and isinstance(self._selection, slice)
        if not (in_a_row and self.first_id <= id <= self.last_id):  # type: ignore[attr-defined]
            check_id(id, self.label)  # type: ignore[attr-defined]
            check_ids_present(id, self.all_cells, self.label)  # type: ignore[attr-defined]
        return super().id_to_index(id)  # type: ignore[misc]

    def get(self, parameter_names: Any, gather: bool = False, simplify: bool = True) -> Any:
        """Values of parameters; see `pyNN.common.BasePopulation.get`."""
        check_names_of_parameters(parameter_names)
        as_flag("gather", gather)
        return super().get(parameter_names, gather, as_flag("simplify", simplify))  # type: ignore[misc]

    def annotate(self, **annotations: Any) -> None:
        """Keep notes with the cells, of types that Neo's files can have. Raises TypeError."""
        check_annotations(annotations)
        super().annotate(**annotations)  # type: ignore[misc]

    def nearest(self, position: Any) -> Any:
        """The cell that is closest to a position (um), as three numbers."""
        return super().nearest(checked_position("position", position, (3,)))  # type: ignore[misc]

    def sample(self, n: int, rng: Any = None) -> PopulationView:
        """A view of `n` cells drawn at random; see `pyNN.common.BasePopulation.sample`."""
        number = checked_sample(n, rng, self.size)
        view: PopulationView = super().sample(number, rng)  # type: ignore[misc]
        return view

    def inject(self, current_source: Any) -> None:
        """Inject the current into all cells; see `pyNN.common.BasePopulation.inject`."""
        check_source(current_source)
        self._check_injectable()
        current_source.inject_into(self)

    def _set_cell_position(self, id: Any, pos: Any) -> None:
        super()._set_cell_position(id, checked_position("position", pos, (3,)))  # type: ignore[misc]

    def __add__(self, other: Any) -> Assembly:
        check_summand(self.label, other)  # type: ignore[attr-defined]
        return Assembly(self) + other

    def _check_names(self, names: Iterable[str]) -> None:
        known = self.celltype.get_parameter_names()
        check_names(names, type(self.celltype).__name__, known)

    def _check_injectable(self) -> None:
        """Raise an error if no current can be injected into the cells."""
        self._check_open()
        if not self.celltype.injectable:
            raise TypeError(
                f"{self._named()}: a current must be injected into neurons, not into a spike source"
            )

    def _check_open(self) -> None:
        """Raise RuntimeError if the cells can no longer be changed."""
        recorder: Recorder = self.recorder  # type: ignore[attr-defined]
        simulator.state.check_open(recorder._network, self.label)  # type: ignore[attr-defined]

    def _named(self) -> str:
        return f"{type(self.celltype).__name__} in {self.label}"  # type: ignore[attr-defined]

    def initialize(self, **initial_values: Any) -> None:
        """Set state variables; see `pyNN.common.BasePopulation.initialize`.

        Raises NonExistentParameterError for a variable that the model does not have,
        InvalidParameterValueError for values that are not finite numbers and InvalidDimensionsError
        for another number of them; nothing is set then.
        """
        with restoring_generators(initial_values.values()):
            prepared = self._prepared_state(initial_values)
        self._set_state(prepared)

    def _prepared_state(self, initial_values: Mapping[str, Any]) -> dict[str, Any]:
        """Initial values, checked, a number or one for each cell."""
        self._check_open()
        variables = self.celltype.default_initial_values
        check_names(initial_values, type(self.celltype).__name__, variables)
        owner, units = self._named(), self.celltype.units
        doors = {
            name: Parameter(
                *(owner, f"initial value of {name}", units.get(name)),
                check=NOT_NEGATIVE if units.get(name) in CONDUCTANCE else FINITE,
            )
            for name in initial_values
        }
        return evaluated(owner, doors, initial_values, self.size)

    def _set_state(self, prepared: Mapping[str, Any]) -> None:
        for name, values in prepared.items():
            self._block.set_state(name, self._selection, values)

    @property
    def initial_values(self) -> Mapping[str, Any]:
        """Initial values of these cells; read-only, `initialize` changes them."""
        return _InitialValues(self)

    @initial_values.setter
    def initial_values(self, _: Mapping[str, Any]) -> None:
        """Nothing: PyNN's constructor assigns an empty mapping."""

    def _get_cell_initial_value(self, id: Any, variable: str) -> float:
        check_names([variable], type(self.celltype).__name__, self.celltype.default_initial_values)
        return float(self._block.initial[variable][int(id) - self._block.first])

    def _set_cell_initial_value(self, id: Any, variable: str, value: float) -> None:
        index = int(self.id_to_index(id))
        self[index : index + 1].initialize(**{variable: value})

    def _get_view(self, selector: Any, label: str | None = None) -> PopulationView:
        return PopulationView(self, selector, label)


@exclusive_methods(*READING)
@exclusive_methods("__init__", *CHANGING, hold=True)
class Population(_Cells, common.Population):
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
        values = evaluated(self._named(), celltype.doors(), copied(given), self.size)
        prepared = for_engine(celltype, values, self.size)
        with self._named_errors():
            self._block = simulator.state.network.add_block(
                celltype.model, self.size, prepared, str(self.label)
            )
        if self._seed is not None:
            trials = simulator.state.network.trials
            self._block.stream = Stream(self._seed, self._block.first, trials)
        self.all_cells = simulator.identifiers(self, self._block.first, self.size)
        self._mask_local = np.ones(self.size, bool)

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
        else:
            self[index : index + 1].set(**{name: value})

    def is_local(self, id: Any) -> bool:
        """Whether the cell is simulated by this process: always, for cells of this population."""
        assert id.parent is self
        return True


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


@exclusive_methods(*READING)
@exclusive_methods(*CHANGING, hold=True)
class PopulationView(_Cells, common.PopulationView):
    __doc__ = common.PopulationView.__doc__
    _simulator = simulator
    _assembly_class = Assembly

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
        self.all_cells = self.local_cells = self._record_filter = parent.all_cells[self.mask]
        self._mask_local = parent._mask_local[self.mask]
        self.size = len(self.all_cells)
        self.label = label or f"view of '{parent.label}' with size {self.size}"
        self._selection = _selection(parent, self.mask, self.all_cells)
        self._is_sorted = bool(isinstance(self._selection, slice)) or bool(
            (np.diff(self._selection) > 0).all()
        )
        ends = (self.all_cells[0], self.all_cells[-1]) if self._is_sorted else self.all_cells
        self.first_id, self.last_id = min(ends), max(ends)


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


class _InitialValues(Mapping[str, Any]):
    """Initial values of the cells of a population or view, as they are when they are looked at."""

    def __init__(self, cells: _Cells) -> None:
        self._cells = cells

    def __getitem__(self, name: str) -> Any:
        cells = self._cells
        values = cells._block.initial[name][cells._selection]
        return LazyArray(simplify(values.copy()), (cells.size,), float)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells.celltype.default_initial_values)

    def __len__(self) -> int:
        return len(self._cells.celltype.default_initial_values)
