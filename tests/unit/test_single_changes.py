"""Changes of single cells: their work does not grow with the population."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import pyNN.sparse as sim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyNN.errors import InvalidParameterValueError
from pyNN.parameters import Sequence

from pynn_sparse.network import Block, TimeGrid
from pynn_sparse.network.cells import IF_COND_EXP, IF_CURR_EXP
from pynn_sparse.network.stream import Stream


@pytest.fixture(autouse=True)
def _setup() -> None:
    sim.setup(timestep=0.1)


@contextmanager
def counted() -> Iterator[list[int]]:
    """Sizes of what blocks derive."""
    sizes: list[int] = []
    derive = Block._derive

    def noted(self: Block, parameters: Any) -> Any:
        sizes.append(max(np.size(each) for each in parameters.values()))
        return derive(self, parameters)

    with mock.patch.object(Block, "_derive", noted):
        yield sizes


@pytest.mark.parametrize("values", ["ascending", "scattered"])
def test_values_of_single_cells_are_proven_a_few_times_not_each_time(values: str) -> None:
    population = sim.Population(3000, sim.IF_cond_exp())
    order = np.arange(3000) if values == "ascending" else np.random.default_rng(1).permutation(3000)
    with counted() as sizes:
        for cell, k in zip(population, order, strict=True):
            cell.tau_m = 10.0 + 0.01 * k
            cell.v_thresh = -50.0 - 0.001 * k
    assert len(sizes) < 100
    assert max(sizes) < 300
    assert population.get("tau_m").tolist() == (10.0 + 0.01 * order).tolist()


def test_values_of_single_cells_go_into_the_array_that_is_there() -> None:
    population = sim.Population(10, sim.IF_curr_exp(tau_m=np.linspace(10.0, 20.0, 10)))
    array = population._block.parameters["tau_m"]
    for cell in population:
        cell.tau_m = 12.0
    assert population._block.parameters["tau_m"] is array
    assert array.tolist() == [12.0] * 10


def test_arrays_of_users_are_neither_kept_nor_given_away() -> None:
    given_ = np.linspace(10.0, 20.0, 3)
    population = sim.Population(3, sim.IF_curr_exp())
    population.set(tau_m=given_)
    read = population.get("tau_m")
    population[0].tau_m = 15.0
    given_[1] = read[2] = 99.0
    assert population.get("tau_m").tolist() == [15.0, 15.0, 20.0]


def test_spike_times_of_users_are_neither_kept_nor_given_away() -> None:
    times = np.array([1.0, 2.0])
    sources = sim.Population(2, sim.SpikeSourceArray())
    sources[0].spike_times = times
    sources[1].spike_times = Sequence(times)
    times[0] = 9.0
    sources[0].spike_times.value[0] = 9.0
    assert sources[0].spike_times == Sequence([1.0, 2.0])
    assert sources[1].spike_times == Sequence([1.0, 2.0])


@pytest.mark.parametrize(
    ("first", "second"),
    [({"cm": 1e-200}, {"tau_m": 1e200}), ({"tau_m": 1e200}, {"cm": 1e-200})],
)
def test_values_that_only_together_are_too_extreme_are_refused(
    first: dict[str, float], second: dict[str, float]
) -> None:
    population = sim.Population(3, sim.IF_curr_exp())
    population[0].set_parameters(**first)
    population[1].set_parameters(**second)  # another cell
    before = {name: population.get(name).tolist() for name in ("cm", "tau_m")}
    with pytest.raises(InvalidParameterValueError, match="too large or too small"):
        population[0].set_parameters(**second)
    assert {name: population.get(name).tolist() for name in ("cm", "tau_m")} == before


def test_a_value_out_of_range_of_one_cell_is_refused_after_others_were_set() -> None:
    population = sim.Population(3, sim.IF_curr_exp())
    for value in (5.0, 0.001, 1e6):
        population[0].tau_m = value
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InvalidParameterValueError, match=r"tau_m = .*must be greater than 0"):
            population[1].tau_m = bad
    assert population.get("tau_m").tolist() == [1e6, 20.0, 20.0]


def test_rates_and_dead_times_that_do_not_fit_are_refused_for_one_cell() -> None:
    sources = sim.Population(3, sim.SpikeSourcePoissonRefractory(rate=10.0, tau_refrac=1.0))
    sources[0].rate = 900.0
    sources[1].tau_refrac = 50.0
    with pytest.raises(InvalidParameterValueError, match="must be greater than tau_refrac"):
        sources[0].tau_refrac = 50.0
    assert sources.get("tau_refrac").tolist() == [1.0, 50.0, 1.0]


CHANGE = st.tuples(
    st.sampled_from(["tau_m", "cm", "v_thresh", "tau_refrac", "i_offset"]),
    st.one_of(st.integers(0, 4), st.none()),
    st.floats(0.1, 50.0),
)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([IF_CURR_EXP, IF_COND_EXP]), st.lists(CHANGE, max_size=12))
def test_any_order_of_changes_gives_what_a_population_with_these_values_has(
    model: Any, changes: list[tuple[str, int | None, float]]
) -> None:
    population = sim.Population(1, getattr(sim, model.name)())
    start = population._block.parameters
    grid = TimeGrid(0.1)
    block = Block(model, 5, 0, dict(start), grid, Stream(1))
    expected: dict[str, Any] = {name: np.full(5, value) for name, value in start.items()}
    for name, index, value in changes:
        selection = slice(None) if index is None else slice(index, index + 1)
        block.set_parameters(selection, {name: value})
        expected[name][selection] = value
    fresh = Block(model, 5, 0, expected, grid, Stream(1)).derived
    for name in model.derived:
        assert np.allclose(block.derived[name], fresh[name], rtol=1e-14, atol=0)
    for name, values in expected.items():
        assert np.array_equal(np.broadcast_to(block.get_parameter(name), (5,)), values)


def test_spike_times_given_one_by_one_do_not_touch_those_of_others() -> None:
    sources = sim.Population(50, sim.SpikeSourceArray(spike_times=[Sequence([5.0])] * 50))
    before = list(sources._block.parameters["spike_times"])
    with counted() as sizes:
        for k, cell in enumerate(sources[:25]):
            cell.spike_times = [1.0, 2.0 + k]
    assert not sizes
    after = sources._block.parameters["spike_times"]
    assert all(mine is old for mine, old in zip(after[25:], before[25:], strict=True))


def test_spike_times_replaced_between_runs_one_by_one_are_those_replaced_together() -> None:
    found = []
    for together in (True, False):
        sim.setup(timestep=0.1)
        sources = sim.Population(4, sim.SpikeSourceArray(spike_times=[1.0, 7.0, 12.0]))
        sources.record("spikes")
        sim.run(10.0)
        new = [[11.0 + k, 15.0] for k in range(3)]
        if together:
            sources[:3].set(spike_times=[Sequence(each) for each in new])
        else:
            for cell, each in zip(sources[:3], new, strict=True):
                cell.spike_times = each
        sim.run(10.0)
        found.append([each.tolist() for each in sources.get_data().segments[0].spiketrains])
    assert found[0] == found[1]
    assert found[0] == [
        *([1.0, 7.0, 11.0 + k, 15.0] for k in range(3)),
        [1.0, 7.0, 12.0],
    ]


def test_a_view_of_a_view_knows_its_cells_in_the_population() -> None:
    population = sim.Population(10, sim.IF_curr_exp())
    population[2:9][3:5].set(tau_m=5.0)
    population[[7, 1]][1:2].set(cm=2.0)
    population[::-3][:2].initialize(v=-60.0)
    assert np.flatnonzero(population.get("tau_m") == 5.0).tolist() == [5, 6]
    assert np.flatnonzero(population.get("cm") == 2.0).tolist() == [7]
    assert np.flatnonzero(population.initial_values["v"].evaluate() == -60.0).tolist() == [6, 9]
    view = population[::-3]
    assert (view.first_id, view.last_id, view._is_sorted) == (population[0], population[9], False)


def test_initial_values_of_one_cell_leave_the_others() -> None:
    population = sim.Population(3, sim.IF_curr_exp())
    population[1].set_initial_value("v", -60.0)
    assert population[1].get_initial_value("v") == -60.0
    assert population.initial_values["v"].evaluate().tolist() == [-65.0, -60.0, -65.0]
    with pytest.raises(sim.errors.NonExistentParameterError):
        population[1].get_initial_value("w")
