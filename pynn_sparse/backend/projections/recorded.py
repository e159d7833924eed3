"""Weights and states of the connections of a projection, recorded over time."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.engine.exchange.processes import digest
from pynn_sparse.network.probe import Chosen

from .. import simulator
from ..doors.arguments import check_annotations, names_of_variables
from ..doors.checks import as_flag
from ..doors.parameters import shown
from ..recording.files import check_destination, write_of_process
from .arguments import connections_of, parts_of
from .connecting import Connecting, is_conductance
from .connections import POST, PRE
from .synapse_columns import follows_from_values

if TYPE_CHECKING:
    from ..recording.of_synapses import SynapseRecorder


class Recorded(Connecting):
    """Recording of connections, by their numbers: their places in `Projection.get(..., "list")`."""

    size: Any  # of all processes

    @cached_property
    def _recorder(self) -> SynapseRecorder:
        from ..recording.of_synapses import SynapseRecorder  # which only some scripts need

        return SynapseRecorder(self)

    def record(
        self, variables: Any, *, sampling_interval: Any = None, connections: Any = None
    ) -> None:
        """Record weights, and state variables of a user's rule, while the network runs.

        A sample is what `get` gives at that time, exactly, and recording changes no result. The
        first one is taken when the next run begins, then one after each interval. What is recorded
        already goes on; connections that are added later have NaN for the time before. A sample of
        a connection takes 8 bytes, in memory up to `recording_memory` of `setup`, then on disk.

        Args:
            variables: "weight"; for types of `native_synapse_type` and `nestml_synapse_type` also
                names of state variables; several as a list, or "all". None ends all recording of
                this projection, and forgets what was recorded.
            sampling_interval: in ms, a multiple of the time step, which is the default; one for all
                variables of a projection.
            connections: which ones: numbers, a slice, or an array of True and False, in the order
                of `get(..., format="list")` of all processes; by default all.

        Where several processes simulate together, all have to call this, and each records
        connections onto its own cells.

        Raises `pyNN.errors.RecordingError` for other variables, TypeError, ValueError or IndexError
        for other arguments, `pynn_sparse.errors.NetworkTooLargeError` where memory is short, and
        NotImplementedError in a dry run, and for connections that come and go.
        """
        simulator.state.check_open(self._network, self.label)
        what, processes = f"record of {self.label}", simulator.state.processes
        if variables is None:
            processes.meet(what)
            self._recorder.stop()
            return
        simulator.state.require_all(f"{self.label}.record")
        if self.synapse_type.structure is not None:
            raise NotImplementedError(
                f"{self.label}.record: connections of {type(self.synapse_type).__name__} come and "
                "go: must be a synapse type whose connections stay; a callback of run() may call "
                "get()"
            )
        names = self._names_of(variables)
        if not names:
            raise ValueError(
                f"{self.label}.record: variables = {shown(variables)}: must be at least one of "
                f"{', '.join(self.synapse_type.recordable)}"
            )
        numbers = connections_of(f"{self.label}.record", connections, self.size())
        interval = self._recorder.interval_of(sampling_interval)
        given = digest([names, interval, numbers])
        processes.meet_alike(what, {f"record of {self.label}": given})
        with processes.together(what):
            self._recorder.record(names, interval, numbers)

    def get_data(
        self,
        variables: Any = "all",
        gather: bool = True,
        clear: bool = False,
        annotations: Any = None,
    ) -> Any:
        """What `record` has recorded, as a Neo block with a segment for each `reset`.

        A segment has an AnalogSignal for each variable: a column for each connection, in the order
        of `get(..., format="list")`, and a row for each sample. Its array annotations
        `connection_index`, `presynaptic_index` and `postsynaptic_index` say which connections these
        are. Weights are in nA, uS or mV, as the cells take them; dimensionless for cells from
        formulas.

        Args:
            variables: a name, several, or "all".
            gather: whether all processes get what all of them have recorded, or each its own; has
                no effect on one process.
            clear: whether the data are then forgotten here.
            annotations: a dict, for the block.

        Raises `pyNN.errors.NothingToWriteError` before the first run, RuntimeError if `setup` has
        discarded the network.
        """
        check_annotations(annotations)
        names = self._checked_reading(variables, gather, clear)
        what = f"get_data of {self.label}" if gather else ""
        block = self._recorder.get(names, annotations or {}, what)
        if clear:
            self._recorder.clear()
        return block

    def write_data(
        self,
        io: Any,
        variables: Any = "all",
        gather: bool = True,
        clear: bool = False,
        annotations: Any = None,
    ) -> None:
        """Write what `get_data` gives to a file or a Neo IO, as `Population.write_data` does."""
        check_destination("io", io)
        check_annotations(annotations)
        names = self._checked_reading(variables, gather, clear)
        what = f"write_data of {self.label}" if gather else ""
        with simulator.state.processes.together(what) if gather else nullcontext():
            block = self._recorder.get(names, annotations or {}, what, everywhere=False)
            write_of_process(io, block, gather)
        if clear:
            self._recorder.clear()

    def _checked_reading(self, variables: Any, gather: Any, clear: Any) -> str | list[str]:
        simulator.state.check_present(self._network, self.label)
        as_flag("gather", gather)
        as_flag("clear", clear)
        return names_of_variables(variables)

    def _names_of(self, variables: Any) -> list[str]:
        """Names of variables to record, each once; the recorder looks whether it knows them."""
        names = names_of_variables(variables)
        if isinstance(names, str):
            names = list(self.synapse_type.recordable) if names == "all" else [names]
        return list(dict.fromkeys(names))

    # --- for the recorder -------------------------------------------------------------------------

    def _keep_numbers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of this process's connections among all, and where these are stored.

        The numbers ascend. They are those of the list that `get` gives, whose order is kept from
        now on. All processes have to do this together.
        """
        processes, tables = simulator.state.processes, self._tables
        if not processes.gathers:
            return np.arange(len(self)), self._keep_order()
        what = f"record of {self.label}"
        given = processes.any(what, any(len(table.identity) for table in tables))
        shared = [table.rows.share_weights for table in tables]  # which each process has whole
        if len(tables) == 1 and not (given or any(shared)) and self._is_by_targets:
            first = sum(processes.meet(what, length=len(self))[: processes.rank])
            mine = np.empty(len(self), np.int64)
            mine[self._order()] = first + np.arange(len(self))
            repeated = processes.any(what, tables[0].has_repeated())
        else:
            with self._gathered("record", "all") as places:
                number = np.empty(len(self), np.int64)
                number[self._order()] = np.arange(len(self))
                mine = number[places]
                repeated = follows_from_values(self._tables)
        if repeated:
            self._number(mine)
        if processes.rank:
            mine[np.repeat(shared, [len(table) for table in tables])] = -1
        order = np.argsort(mine, kind="stable")
        order = order[np.count_nonzero(mine < 0) :]
        return mine[order], order

    def _chosen(
        self, wanted: NDArray[np.int64], numbers: NDArray[np.int64], places: NDArray[np.int64]
    ) -> list[Chosen]:
        """Some connections as synapses of tables, by their numbers among those stored at places."""
        places = places[np.searchsorted(numbers, wanted)]
        found, first = [], 0
        for table in self._tables:
            columns = np.flatnonzero((places >= first) & (places < first + len(table)))
            if len(columns):
                number = np.empty(len(table), np.int64)
                number[table.order()] = np.arange(len(table))
                found.append(Chosen(table, number[places[columns] - first], columns))
            first += len(table)
        return found

    def _ends_of(self, chosen: list[Chosen], n: int) -> NDArray[np.int64]:
        """Pre- and postsynaptic indices of n chosen connections, [2, n]."""
        ends = np.empty((2, n), np.int64)
        for each in chosen:
            places, columns = each.stored()
            for row, name in zip(ends, (PRE, POST), strict=True):
                row[columns] = self._of_table(name, each.table)[places]
        return ends

    def _unit_of(self, name: str) -> str:
        """Unit of a variable, as the package `quantities` has it."""
        if name != "weight":
            return self.synapse_type.state_units.get(name) or "dimensionless"
        if self.synapse_type.electrical:
            return "uS"
        if self.synapse_type.modulates:
            return "dimensionless"
        units = {_weight_unit(part.celltype, self.receptor_type) for part in parts_of(self.post)}
        return units.pop() if len(units) == 1 else "dimensionless"


def _weight_unit(celltype: Any, receptor: str) -> str:
    """What a cell takes weights in."""
    given: str | None = getattr(celltype, "weight_unit", None)
    return given or ("uS" if is_conductance(celltype, receptor) else "nA")
