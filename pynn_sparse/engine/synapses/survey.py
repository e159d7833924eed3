"""What the engine wants to know of the synapses of a table before it runs, found where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from .. import structures
from ..building.builder import Builder, HostBuilder, Work
from .stored import record_of


class Survey:
    """Looks through the synapses of a table, on a GPU if they are there, else on the host."""

    def __init__(self, table: SynapseTable, threads: int) -> None:
        self._table = table
        self._builder: Builder = table.rows.place or HostBuilder(threads)
        self._arrays = table.rows.arrays()  # alive for as long as they are looked at
        self._record = record_of(table, self._arrays, self._builder.address)
        self.greatest_weight = max(map(abs, table.rows.weight_range(self._arrays[1])))

    def input_counts(
        self, most: NDArray[np.float64], least: float, factor: float, exponent: int
    ) -> NDArray[np.int64]:
        """What one step can bring to each target, [n], rounded up to counts of 2^-exponent.

        `most` is the number of spikes that each source emits in a step at most, `least` a size that
        every weight may come to have, and `factor` one by which weights are multiplied.
        """
        n_target, scale = self._table.post.size, np.ldexp(1.0, exponent)
        bound = self._builder.zeros(n_target, np.int64)
        bounds = {"least": least, "factor": factor, "scale": scale}
        work = self._work(self._record, n_target=n_target, **bounds)
        work.point(
            row_start=self._builder.put(self._table.row_start),
            most=self._builder.put(most),
            bound=bound,
        ).run("add_input_bound", self._table.n_source)
        return self._builder.get(bound)

    def coarse(self, exponent: int) -> int:
        """Number of synapses whose weight has lost digits that a user may miss.

        Weights are summed up in counts of 2^-exponent, those of graded events with the greatest
        value that one may carry.
        """
        _, weight, _ = self._arrays
        graded = self._table.pre.model.graded
        n = len(weight)
        if n == 1:  # it is on the host, wherever the others are
            weight = self._builder.put(weight)
        record = self._record.copy()
        record["scale"] = np.ldexp(graded.most if graded else 1.0, exponent)
        record["weight"] = self._builder.address(weight)
        coarse = self._builder.zeros(1, np.int64)
        self._work(record, n=n).point(coarse=coarse).run("count_coarse", n)
        found = int(self._builder.get(coarse)[0])
        return found * len(self._table) if n == 1 else found

    def _work(self, record: NDArray[np.void], **fields: Any) -> Work:
        return Work(self._builder, structures.SURVEY, table=record, **fields)
