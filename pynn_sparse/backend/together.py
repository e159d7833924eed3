"""The processes that simulate one network together, as the state of the simulation knows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pynn_sparse.engine.exchange.processes import Processes
from pynn_sparse.network import Block, Network, SynapseTable
from pynn_sparse.network.synapses import Present

from .mpi import processes_of

if TYPE_CHECKING:
    from pynn_sparse.engine import Engine


class Together:
    """What a process has to itself, and what all of them have together."""

    network: Network
    engine: Engine | None
    _processes: Processes | None = None  # not looked for yet
    _digest: Any

    @property
    def processes(self) -> Processes:
        """The processes that simulate together."""
        if self._processes is None:
            self._processes = processes_of()
        return self._processes

    @property
    def num_processes(self) -> int:
        """Number of processes that simulate together."""
        return self.processes.size

    @property
    def mpi_rank(self) -> int:
        """Number of this process among them."""
        return self.processes.rank

    def own_part(self, block: Block) -> slice:
        """The neurons of a block that this process simulates."""
        if self.processes.size == 1:
            return slice(0, block.size)
        from pynn_sparse.engine.exchange.stripes import stripes

        first, end = stripes(block, self.processes.size)[self.processes.rank :][:2].tolist()
        return slice(first, end)

    def own_synapses(self, tables: list[SynapseTable]) -> list[SynapseTable]:
        """The synapses onto neurons of this process, of tables that all processes have made.

        Raises `ProcessesError` if they are not the same everywhere.
        """
        if self.processes.size == 1:
            return tables
        from pynn_sparse.engine.exchange.digests import of_table

        numbers = {
            f"connections of {each.pre.label} to {each.post.label} ({number})": of_table(each)
            for number, each in enumerate(tables)
        }
        self.processes.meet_alike("Projection", numbers)
        parts = [self.own_part(table.post) for table in tables]
        return [
            table.onto(part.start, part.stop) for table, part in zip(tables, parts, strict=True)
        ]

    def everyones(
        self, what: str, tables: Sequence[SynapseTable]
    ) -> list[tuple[SynapseTable, NDArray[Any]]]:
        """Tables with the synapses of all processes, and weights as they are now.

        All processes have to ask for `what` together, and all get them.
        """
        self.require_all(what)
        present = [Present(each.weight, each.state) for each in tables]
        if self.engine is not None:
            present = list(map(self.engine.present, tables))
        if self.processes.size == 1:
            return [(table, now.weight) for table, now in zip(tables, present, strict=True)]
        from pynn_sparse.engine.exchange.tables import WholeTable

        self.processes.meet(what)
        wholes = (
            WholeTable(table, now, self.processes, everywhere=True).table
            for table, now in zip(tables, present, strict=True)
        )
        return [(whole, whole.weight) for whole in wholes if whole is not None]

    def require_one_process(self, what: str) -> None:
        """Raise NotImplementedError for what several processes cannot do together."""
        if self.processes.size > 1:
            raise NotImplementedError(
                f"{what} on {self.processes.size} processes of MPI: must be done by one, without "
                "mpiexec"
            )

    def require_all(self, what: str) -> None:
        """Raise NotImplementedError in a dry run, where other processes have nothing to give."""
        if self.processes.dry:
            raise NotImplementedError(
                f"{what} in a dry run: needs what other processes have, which are not there; call "
                "setup() without dry_run"
            )

    def _check_alike(self, end: int) -> None:
        """Raise `ProcessesError` if processes have other networks, or run to another step."""
        if self.processes.size > 1:
            from pynn_sparse.engine.exchange.digests import OfNetwork

            self._digest = self._digest or OfNetwork()
            self.processes.meet_alike("run", {"time": end, **self._digest(self.network)})
