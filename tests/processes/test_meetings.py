"""Calls that processes make together: what happens if they do not do the same."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_sparse.engine.exchange.processes import Alone, Processes
from pynn_sparse.engine.exchange.threads import run_as_processes
from pynn_sparse.errors import ProcessesError


def test_numbers_are_brought_together() -> None:
    def work(processes: Processes) -> None:
        rank, size = processes.rank, processes.size
        assert processes.total("a", np.array([rank, 1])).tolist() == [3, 3]
        assert processes.greatest("b", np.array([rank, -rank])).tolist() == [2, 0]
        assert processes.any("c", rank == 1)
        assert not processes.any("d", False)
        mine = np.arange(2 * rank).reshape(rank, 2)
        everywhere = processes.gather("e", mine, everywhere=True)
        assert everywhere is not None
        assert everywhere.tolist() == [[0, 1], [0, 1], [2, 3]]
        assert (processes.gather("f", mine) is None) == (rank > 0)
        assert processes.meet("g", length=rank) == list(range(size))

    run_as_processes(3, work)


def test_one_process_meets_nobody() -> None:
    alone = Alone()
    assert alone.gather("a", np.arange(3)) is not None
    with pytest.raises(ValueError, match="own"), alone.together("b"):
        raise ValueError("own")


def test_another_call_is_an_error_on_all() -> None:
    def work(processes: Processes) -> None:
        what = "run" if processes.rank else "Projection.get"
        message = "process 0 is in Projection.get, process 1 is in run, process 2 is in run"
        with pytest.raises(ProcessesError, match=message):
            processes.meet(what)
        processes.meet("and go on")

    run_as_processes(3, work)


def test_other_values_are_an_error_on_all() -> None:
    def work(processes: Processes) -> None:
        with pytest.raises(ProcessesError, match="Population: process 1 and process 0 have other"):
            processes.meet("Population", same=7 + processes.rank)

    run_as_processes(2, work)


@pytest.mark.parametrize("meets", [False, True])
def test_a_failure_of_one_is_known_to_all(meets: bool) -> None:
    def fail(processes: Processes) -> None:
        with processes.together("outer"), processes.together("inner"):
            if processes.rank == 1:
                raise MemoryError("no room")
            if meets:
                processes.meet("something else")

    def work(processes: Processes) -> None:
        expected = MemoryError if processes.rank == 1 else ProcessesError
        with pytest.raises(expected, match="no room") as caught:
            fail(processes)
        if processes.rank != 1:
            assert "process 1 has failed: MemoryError: no room" in str(caught.value)
        processes.meet("and go on")

    run_as_processes(3, work)


def test_an_error_that_all_have_is_their_own() -> None:
    def work(processes: Processes) -> None:
        with pytest.raises(ValueError, match="the same"), processes.together("a"):
            raise ValueError("the same")
        processes.meet("and go on")

    run_as_processes(2, work)
