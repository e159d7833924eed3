"""Assemblies: several populations and views as one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import common
from .. import simulator
from ..access import exclusive_methods
from ..doors.arguments import (
    check_annotations,
    check_id,
    check_ids_present,
    check_label,
    check_names_of_parameters,
    check_not_empty,
    check_source,
    check_summand,
    checked_annotations,
    checked_index,
    checked_label,
    checked_sample,
    positions_of,
)
from ..doors.checks import as_flag
from ..doors.generators import restoring_generators
from ..doors.parameters import shown
from ..labels import Label
from ..recording.files import check_destination, file_of_record, write_of_process
from .cells import CHANGING, READING
from .looking import Looking
from .members import Members

logger = logging.getLogger("PyNN")


@exclusive_methods(*READING)
@exclusive_methods(*CHANGING, hold=True)
class Assembly(Looking, common.Assembly):
    __doc__ = common.Assembly.__doc__
    _simulator = simulator
    label = Label(lambda assembly: ())

    def __init__(self, *populations: Any, label: str | None = None) -> None:
        for each in populations:
            if not isinstance(each, common.BasePopulation):
                raise TypeError(f"Assembly: {shown(each)}: must be a Population, or a view of one")
        if label is not None:
            check_label(label)
        super().__init__(*populations, **({} if label is None else {"label": label}))

    def __iadd__(self, other: Any) -> Assembly:
        """Add the populations of another assembly, or a population or view."""
        check_summand(self.label, other)
        grown: Assembly = super().__iadd__(other)
        return grown

    def get_population(self, label: str) -> Any:
        """The population or view that has that label. Raises TypeError, KeyError."""
        labels = [each.label for each in self.populations]
        return self.populations[labels.index(checked_label(label, labels))]

    def get_annotations(self, annotation_keys: Any, simplify: bool = True) -> Any:
        """Values of annotations, by name; see `pyNN.common.Assembly.get_annotations`."""
        check_not_empty(self)
        known = set.intersection(*(set(each.annotations) for each in self.populations))
        keys = checked_annotations(annotation_keys, known)
        return super().get_annotations(keys, as_flag("simplify", simplify))

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
            raise TypeError(
                f"populations: {shown(element)}: must be a Population, or a view of one"
            )
        if isinstance(element, common.PopulationView):
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

    @property
    def local_cells(self) -> NDArray[Any]:
        """Identifiers of the cells that this process simulates."""
        return self.all_cells[self._mask_local]

    @property
    def _mask_local(self) -> NDArray[np.bool_]:
        return np.concatenate([np.zeros(0, bool), *(p._mask_local for p in self.populations)])

    @property
    def positions(self) -> NDArray[np.float64]:
        """Positions of all cells in um, [3, n]."""
        return np.hstack([np.zeros((3, 0)), *(each.positions for each in self.populations)])

    @property
    def position_generator(self) -> Callable[[Any], NDArray[np.float64]]:
        """Function from an index, or indices, to positions [3] or [n, 3], like a Population's.

        Upstream's gives [3, n], with which distances to or from an Assembly cannot be computed.
        """
        return lambda i: positions_of(self, i)

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
        as_flag("gather", gather)
        as_flag("clear", clear)
        with simulator.state.processes.together("write_data") if gather else nullcontext():
            with ExitStack() as everyones:
                recorders = dict.fromkeys(part.recorder for part in self.populations)
                for recorder in recorders if gather else ():
                    what = f"write_data of {recorder.population.label}"
                    everyones.enter_context(recorder.reading_all(what, everywhere=False))
                block = self.get_data(variables, False, annotations=annotations)
            write_of_process(io, block, gather)
        if clear:
            for part in self.populations:
                part.recorder.clear()
