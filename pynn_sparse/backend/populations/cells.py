"""What a population and a view of it have in common: parameters and state of some neurons."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.errors import ParameterError
from pynn_sparse.network import Block
from pynn_sparse.network.model import FINITE, NOT_NEGATIVE

from ... import errors
from ...parameters import ArrayParameter, LazyArray, ParameterSpace, Sequence, simplify
from .. import simulator
from ..doors.arguments import (
    check_annotations,
    check_id,
    check_ids_present,
    check_name,
    check_names_of_parameters,
    check_no_locations,
    check_source,
    check_summand,
    checked_index,
    checked_position,
    checked_sample,
    positions_of,
)
from ..doors.checked import evaluated, for_engine
from ..doors.checks import as_flag, check_names
from ..doors.generators import copied, restoring_generators
from ..doors.parameters import Parameter
from ..recording import Recorder
from ..recording.files import file_of_record
from .looking import Looking

# Methods that look at the network, and those that change it; what they are made of is theirs.
READING = "get get_data write_data get_spike_counts mean_spike_count".split()
CHANGING = "set initialize record inject".split()
CONDUCTANCE = "uS nS".split()  # units of state variables that are never negative


class Cells(Looking):
    """What a population and a view of it have in common: some neurons of one block."""

    celltype: Any
    size: int
    all_cells: Any  # an array of identifiers

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
        check_no_locations(locations)
        if variables is not None:
            self.recorder.check(variables, sampling_interval)  # type: ignore[attr-defined]

    def __getitem__(self, index: Any) -> Any:
        """A cell, or a view of several; see `pyNN.common.BasePopulation`.

        Raises TypeError, IndexError for cells that are not there, and InvalidDimensionsError for
        none.
        """
        index = checked_index(index, self.size, self.label)  # type: ignore[attr-defined]
        return self.all_cells[index] if isinstance(index, int) else self._get_view(index)  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[Any]:
        """All cells, also those of other processes: what a script does to each is done everywhere.

        PyNN's other backends give `local_cells`.
        """
        return iter(self.all_cells)

    @property
    def local_size(self) -> int:
        """Number of cells of this process."""
        return int(np.count_nonzero(self._mask_local))  # type: ignore[attr-defined]

    def id_to_index(self, id: Any) -> Any:
        """Where cells are in the population; see `pyNN.common.Population.id_to_index`."""
        if isinstance(id, np.ndarray) and id.dtype == np.int64 and not len(id):
            return id  # as PyNN's recorder asks where none of the recorded cells is local
        in_a_row = isinstance(id, simulator.ID) and isinstance(self._selection, slice)
        if not (in_a_row and self.first_id <= id <= self.last_id):  # type: ignore[attr-defined]
            check_id(id, self.label)  # type: ignore[attr-defined]
            check_ids_present(id, self.all_cells, self.label)  # type: ignore[attr-defined]
        return super().id_to_index(id)  # type: ignore[misc]

    def is_local(self, id: Any) -> bool:
        """Whether a cell, one of these, is simulated by this process."""
        index = self.id_to_index(id)
        return bool(np.all(self._mask_local[index]))  # type: ignore[attr-defined]

    def can_record(self, variable: str, location: Any = None) -> bool:
        """Whether a variable can be recorded; see `pyNN.common.BasePopulation.can_record`."""
        check_name("variable", variable)
        return bool(super().can_record(variable, location))  # type: ignore[misc]

    @property
    def position_generator(self) -> Callable[[Any], NDArray[np.float64]]:
        """Function from an index, or indices, to positions (um), [3] or [n, 3]."""
        return lambda i: positions_of(self, i)

    def get(self, parameter_names: Any, gather: bool = False, simplify: bool = True) -> Any:
        """Values of parameters; see `pyNN.common.BasePopulation.get`."""
        check_names_of_parameters(parameter_names)
        as_flag("gather", gather)
        as_flag("simplify", simplify)
        if simulator.state.processes.size == 1:
            return super().get(parameter_names, gather, simplify)  # type: ignore[misc]
        return self._get_on_several(parameter_names, gather, simplify)

    def _get_on_several(self, names: Any, gather: bool, simplify_: bool) -> Any:
        """The same where each process has the parameters of all cells."""
        chosen = (names,) if isinstance(names, str) else tuple(names)
        space = self._get_parameters(*chosen)
        space.shape = (self.size,)
        space.evaluate(simplify=simplify_)
        found = [space.as_dict()[name] for name in chosen]
        if not gather:
            mine = self._mask_local  # type: ignore[attr-defined]
            parts = [each[mine] if isinstance(each, np.ndarray) else each for each in found]
            found = [
                simplify(each) if simplify_ and np.size(each) and np.ndim(each) else each
                for each in parts
            ]
        return found[0] if isinstance(names, str) else found

    def annotate(self, **annotations: Any) -> None:
        """Keep notes with the cells, of types that Neo's files can have. Raises TypeError."""
        check_annotations(annotations)
        super().annotate(**annotations)  # type: ignore[misc]

    def nearest(self, position: Any) -> Any:
        """The cell that is closest to a position (um), as three numbers."""
        return super().nearest(checked_position("position", position, (3,)))  # type: ignore[misc]

    def sample(self, n: int, rng: Any = None) -> Any:
        """A view of `n` cells drawn at random; see `pyNN.common.BasePopulation.sample`."""
        number = checked_sample(n, rng, self.size)
        return super().sample(number, rng)  # type: ignore[misc]

    def inject(self, current_source: Any) -> None:
        """Inject the current into all cells; see `pyNN.common.BasePopulation.inject`."""
        check_source(current_source)
        self._check_injectable()
        current_source.inject_into(self)

    def _set_cell_position(self, id: Any, pos: Any) -> None:
        super()._set_cell_position(id, checked_position("position", pos, (3,)))  # type: ignore[misc]

    def __add__(self, other: Any) -> Any:
        check_summand(self.label, other)  # type: ignore[attr-defined]
        return self._assembly_class(self) + other  # type: ignore[attr-defined]

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
        units = self.celltype.units
        named = tuple((name, units.get(name)) for name in initial_values)
        doors = _state_doors(type(self.celltype).__name__, named)
        return evaluated(self._named(), doors, initial_values, self.size)

    def _set_state(self, prepared: Mapping[str, Any]) -> None:
        for name, values in prepared.items():
            self._block.set_state(name, self._selection, values)

    @property
    def initial_values(self) -> Mapping[str, Any]:
        """Initial values of these cells; read-only, `initialize` changes them."""
        return InitialValues(self)

    @initial_values.setter
    def initial_values(self, _: Mapping[str, Any]) -> None:
        """Nothing: PyNN's constructor assigns an empty mapping."""

    def _get_cell_initial_value(self, id: Any, variable: str) -> float:
        check_name("variable", variable)
        check_names([variable], type(self.celltype).__name__, self.celltype.default_initial_values)
        return float(self._block.initial[variable][int(id) - self._block.first])

    def _set_cell_initial_value(self, id: Any, variable: str, value: float) -> None:
        check_name("variable", variable)
        index = int(self.id_to_index(id))
        self[index : index + 1].initialize(**{variable: value})


@functools.lru_cache(maxsize=1000)  # since there are any number of users' models
def _state_doors(owner: str, units: tuple[tuple[str, str | None], ...]) -> dict[str, Parameter]:
    """What is valid for the initial values of state variables with these units."""
    return {
        name: Parameter(
            *(owner, f"initial value of {name}", unit),
            check=NOT_NEGATIVE if unit in CONDUCTANCE else FINITE,
        )
        for name, unit in units
    }


class InitialValues(Mapping[str, Any]):
    """Initial values of the cells of a population or view, as they are when they are looked at."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def __getitem__(self, name: str) -> Any:
        cells = self._cells
        values = cells._block.initial[name][cells._selection]
        return LazyArray(simplify(values.copy()), (cells.size,), float)

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells.celltype.default_initial_values)

    def __len__(self) -> int:
        return len(self._cells.celltype.default_initial_values)
