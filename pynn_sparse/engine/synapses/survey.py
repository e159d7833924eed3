"""What the engine wants to know of the synapses of a table before it runs, found where they are."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...network import SynapseTable
from ...network.shared import SharedRows
from .. import structures
from ..building.builder import Builder, HostBuilder, Work
from ..building.drawn_rows import DrawnRows
from .shared import SharedArrays
from .stored import record_of

FINE = 1 << 20  # counts, as kFine in cuda/build/survey.h


def survey_of(table: SynapseTable, threads: int) -> Survey:
    """What looks through the synapses of a table."""
    if isinstance(table.rows, DrawnRows) and not table.rows.keeps_weights:
        return DrawnSurvey(table, threads)
    kind = SharedSurvey if table.rows.share_weights else Survey
    return kind(table, threads)


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
        work = self._work(self._record, n_target=n_target, n=len(self._table), **bounds)
        work.point(**self._row_start(), most=self._builder.put(most), bound=bound)
        work.run("add_input_bound", self._table.n_source)
        return self._builder.get(bound)

    def _row_start(self) -> dict[str, Any]:
        return {"row_start": self._builder.put(self._table.row_start)}

    def coarse(self, exponent: int) -> int:
        """Number of synapses whose weight has lost digits that a user may miss.

        Weights are summed up in counts of 2^-exponent, those of graded events with the greatest
        value that one may carry.
        """
        _, weight, _ = self._arrays
        n = len(weight)
        if n == 1:  # it is on the host, wherever the others are
            weight = self._builder.put(weight)
        record = self._record.copy()
        record["scale"] = self._greatest_scale(exponent)
        record["weight"] = self._builder.address(weight)
        coarse = self._builder.zeros(1, np.int64)
        self._work(record, n=n).point(coarse=coarse).run("count_coarse", n)
        found = int(self._builder.get(coarse)[0])
        return found * len(self._table) if n == 1 else found

    def _greatest_scale(self, exponent: int) -> float:
        """Counts of 2^-exponent that a weight of 1 brings with one event, at most."""
        graded = self._table.pre.model.graded
        return float(np.ldexp(graded.most if graded else 1.0, exponent))

    def _work(self, record: NDArray[np.void], **fields: Any) -> Work:
        return Work(self._builder, structures.SURVEY, table=record, **fields)


class DrawnSurvey(Survey):
    """The same where weights are drawn: they are drawn again, row by row."""

    def __init__(self, table: SynapseTable, threads: int) -> None:
        self._table, self._threads = table, threads
        self._rows = cast(DrawnRows, table.rows)
        self.greatest_weight = max(map(abs, self._rows.extremes))

    def input_counts(
        self, most: NDArray[np.float64], least: float, factor: float, exponent: int
    ) -> NDArray[np.int64]:
        return self._rows.input_counts(most, self._table.post.size, exponent, least, factor)

    def coarse(self, exponent: int) -> int:
        low, high = self._rows.extremes
        scale = self._greatest_scale(exponent)
        if low * high > 0 and min(abs(low), abs(high)) * scale >= FINE:
            return 0
        return self._of_arrays().coarse(exponent)

    def _of_arrays(self) -> Survey:
        """What looks through the weights as arrays."""
        return Survey(self._table, self._threads)


class SharedSurvey(Survey):
    """The same where synapses share the weights of a kernel: that is looked through instead."""

    def __init__(self, table: SynapseTable, threads: int) -> None:
        self._table, self._rows = table, cast(SharedRows, table.rows)
        self._builder = HostBuilder(threads)
        self._shared = SharedArrays(self._rows, self._builder)
        self._record = self._shared.record(table)
        self.greatest_weight = max(map(abs, self._rows.weight_range(self._rows.weight)))

    def _row_start(self) -> dict[str, Any]:
        return {}

    def coarse(self, exponent: int) -> int:
        weight = np.abs(self._rows.weight.astype(np.float64))
        counts = weight * self._greatest_scale(exponent)
        coarse = (counts > 0) & (counts < FINE)
        if len(coarse) == 1:
            return len(self._table) * bool(coarse[0])
        return int(self._rows.windows.uses().ravel()[coarse].sum())
