"""Weights that `NativeRNG` draws are not kept where rows are merged, but drawn again if read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse.engine.building import drawn_rows, laws
from pynn_sparse.engine.building.drawn_rows import DrawnRows
from pynn_sparse.engine.synapses import layout
from pynn_sparse.engine.synapses.merged import MergedRows
from pynn_sparse.engine.synapses.packed import PackedRows
from pynn_sparse.engine.synapses.survey import Survey, survey_of

SIZES = (60, 90)


def build(threads: int, precision: str = "double", delays: tuple[float, float] = (0.1, 2.0)) -> Any:
    """Two populations that drive each other: the projections, and what has their spikes."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=40.0, threads=threads, precision=precision)
    rng = sim.NativeRNG(5)
    cells = [sim.Population(n, sim.IF_curr_exp(i_offset=1.1)) for n in SIZES]
    for population in cells:
        population.initialize(v=RandomDistribution("uniform", (-65.0, -50.0), NumpyRNG(1)))
        population.record("spikes")
    weight = RandomDistribution("normal_clipped", (0.05, 0.02, 0.001, 1.0), rng=rng)
    delay = RandomDistribution("uniform", delays, rng=rng)
    made = [
        sim.Projection(
            pre,
            post,
            sim.FixedTotalNumberConnector(3 * pre.size * post.size // 2, rng=rng),
            sim.StaticSynapse(weight=weight, delay=delay),
        )
        for pre in cells
        for post in cells
    ]
    return made, cells


def spikes(cells: Any) -> list[list[float]]:
    found = [each.get_data("spikes").segments[0].spiketrains for each in cells]
    return [train.magnitude.tolist() for trains in found for train in trains]


def values(projection: Any) -> list[Any]:
    return projection.get(["weight", "delay"], format="list")


def kinds(projections: Any) -> set[type]:
    return {type(each._tables[0].rows) for each in projections}


@pytest.fixture(params=[1, 3])
def group(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Delays that are delivered together."""
    monkeypatch.setattr(layout, "best_group", lambda *_: request.param)
    return int(request.param)


@pytest.mark.parametrize(
    ("threads", "precision", "kept"),
    [(1, "single", 0), (2, "double", 0), (2, "double", drawn_rows.KEPT)],
)
def test_same_bits_as_synapses_that_are_kept(
    group: int, monkeypatch: pytest.MonkeyPatch, threads: int, precision: str, kept: int
) -> None:
    monkeypatch.setattr(drawn_rows, "KEPT", kept)
    projections, cells = build(threads, precision)
    before = [values(each) for each in projections]
    for each in projections:
        assert isinstance(each._tables[0].rows, DrawnRows)
        each._tables[0].take_back()
    sim.run(60.0)
    assert kinds(projections) == {MergedRows}
    expected = spikes(cells)
    assert sum(map(len, expected)) > 300
    projections, cells = build(threads, precision)
    sim.run(60.0)
    assert kinds(projections) == {PackedRows}
    assert spikes(cells) == expected
    assert [values(each) for each in projections] == before


def test_delays_of_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """That take 16 bits, and some in a group."""
    monkeypatch.setattr(layout, "best_group", lambda *_: 150)
    projections, cells = build(2, delays=(0.1, 40.0))
    for each in projections:
        each._tables[0].take_back()
    sim.run(60.0)
    expected = spikes(cells)
    projections, cells = build(2, delays=(0.1, 40.0))
    sim.run(60.0)
    assert kinds(projections) == {PackedRows}
    assert spikes(cells) == expected


def others(projections: Any) -> None:
    for each in projections:
        each.set(weight=RandomDistribution("uniform", (0.1, 0.2), NumpyRNG(7)))


def one_more(projections: Any) -> None:
    pre, post = projections[1].pre, projections[1].post
    sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=80.0, delay=0.3))


@pytest.mark.parametrize("change", [others, one_more])
def test_changes_between_runs(
    group: int, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]
) -> None:
    """Of weights, and of the unit of input, for which all is packed anew."""
    found = []
    for keep in (True, False):
        projections, cells = build(2)
        if keep:
            for each in projections:
                each._tables[0].take_back()
        sim.run(20.0)
        change(projections)
        sim.run(20.0)
        found.append((spikes(cells), [values(each) for each in projections]))
    assert found[0] == found[1]


def test_the_first_step_does_not_unpack(group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("rows are taken apart")

    monkeypatch.setattr(PackedRows, "connections", refuse)
    build(1)
    sim.run(1.0)


def test_weights_that_a_word_has_no_room_for(group: int) -> None:
    """Where hardly any input meets, a weight takes many digits."""
    sim.setup(timestep=0.1, min_delay=0.1)
    rng = sim.NativeRNG(3)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = [sim.Population(100_000, sim.IF_curr_exp()) for _ in range(2)]
    made = [
        sim.Projection(
            source,
            each,
            sim.FixedProbabilityConnector(0.001, rng=rng),
            sim.StaticSynapse(
                weight=RandomDistribution("uniform", (0.5, 0.6), rng=rng),
                delay=RandomDistribution("uniform", (0.1, 2.0), rng=rng),
            ),
        )
        for each in cells
    ]
    before = [values(each) for each in made]
    sim.run(5.0)
    assert kinds(made) == {MergedRows}
    assert [values(each) for each in made] == before


@pytest.mark.parametrize("times", [1, 2])
def test_bounds_are_those_of_weights_that_are_kept(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Those found with the weights, and those of sources that emit more than they did then."""
    monkeypatch.setattr(drawn_rows, "KEPT", 0)
    projections, _ = build(2)
    for each in projections:
        (table,) = each._tables
        bound = table.rows.known.bound
        asked = times * bound.most, 0.0, 1.0, bound.exponent
        expected = Survey(table, 1).input_counts(*asked)
        assert expected.any()
        assert np.array_equal(survey_of(table, 2).input_counts(*asked), expected)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("uniform", {"low": -3.0, "high": 1.0}),
        ("normal", {"mu": -2.0, "sigma": 0.5}),
        ("normal_clipped", {"mu": 1.0, "sigma": 0.5, "low": 0.0, "high": 1.5}),
        ("normal_clipped_to_boundary", {"mu": 1.0, "sigma": 0.5, "low": 0.0, "high": 1.5}),
        ("exponential", {"beta": 2.0}),
        ("lognormal", {"mu": 0.3, "sigma": 0.4}),
        ("uniform_int", {"low": 2.0, "high": 700.0}),
    ],
)
def test_about_how_great_values_become(name: str, parameters: dict[str, float]) -> None:
    n = 10_000
    found = np.abs(laws.draw(name, parameters, n, 4, 1)).max()
    assert 0.8 * found < laws.greatest(name, parameters, n) < 1.5 * found
