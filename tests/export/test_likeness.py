"""When spikes of tables count as those of the simulation: cells and times, and never silence."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import ACCEPT, layered, random_float, rule_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pynn_sparse import export
from pynn_sparse.cli import main
from pynn_sparse.export.likeness import compare
from pynn_sparse.export.registry import TARGETS

DURATION = 200.0
TRAINS = st.lists(st.integers(0, 60), max_size=9)


def most_pairs(one: list[int], other: list[int], window: float) -> int:
    """By trying all: how many spikes find a partner of their own."""
    if not one or not other:
        return 0
    few, many = sorted((one, other), key=len)
    best = 0
    for chosen in itertools.permutations(many, len(few)):
        near = sum(abs(a - b) <= window for a, b in zip(few, chosen, strict=True))
        best = max(best, near)
    return best


def spikes_of_trains(trains: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    cell = np.repeat(np.arange(len(trains)), [len(train) for train in trains]).astype(np.int64)
    return cell, np.array([time for train in trains for time in train], float)


@given(st.lists(st.tuples(TRAINS, TRAINS.map(lambda train: train[:4])), min_size=1, max_size=3))
def test_coincidence_is_the_most_pairs_that_can_be_made(
    trains: list[tuple[list[int], list[int]]],
) -> None:
    one, other = ([pair[i] for pair in trains] for i in range(2))
    duration = 60.0
    found = compare("n", len(trains), *map(spikes_of_trains, (one, other)), duration)
    windows = [min(2.0, 0.2 * duration / max(len(train), 1)) for train in one]
    pairs = sum(map(most_pairs, one, other, windows))
    total = sum(map(len, one)) + sum(map(len, other))
    assert found.coincident == pytest.approx(2 * pairs / total if total else 1.0)
    assert found.differing == sum(abs(len(a) - len(b)) for a, b in zip(one, other, strict=True))
    assert found.silent == sum(bool(a and not b) for a, b in zip(one, other, strict=True))


def recorded(tables: export.Tables, shift: float = 0.0, roll: int = 0) -> dict[str, Any]:
    """What the integer model does, label -> times of each cell; later, or of other cells."""
    spikes = tables.trace(DURATION).spikes
    found = {}
    for each in tables.frame.axons:
        if not each.is_source:
            cells = [spikes[spikes[:, 1] == each.first + i, 0] for i in range(each.size)]
            found[each.label] = [cells[(i + roll) % each.size] + shift for i in range(each.size)]
    return found


def failed(report: export.Report) -> list[str]:
    return [check.statement for check in report.checks if not check.holds]


@pytest.fixture(scope="module", params=sorted(TARGETS))
def tables(request: pytest.FixtureRequest) -> export.Tables:
    """Two layers on each target."""
    target = request.param
    net, rule = layered(1, rate=0.04, tau_refrac=0.0), rule_of(target)
    if target in ("asic", "loihi1", "loihi2", "xylo"):
        rule = replace(rule, headroom=4)
    made = export.lower(net, target, quantise=rule, accept=ACCEPT)
    assert all(sum(map(len, trains)) > 10 for trains in recorded(made).values())
    return made


def test_the_same_spikes_pass(tables: export.Tables) -> None:
    assert not failed(export.verify(tables, recorded(tables), duration=DURATION))


def test_spikes_at_other_times_fail(tables: export.Tables) -> None:
    """By more than the target can tell apart."""
    window = tables.target.model.steps_of_a_spike(tables.fixed.semantics)
    late = 8.0 + 2 * (window - 1)
    report = export.verify(tables, recorded(tables, shift=late), duration=DURATION)
    what = "coincide" if window == 1 else "near"
    assert any(what in statement for statement in failed(report))


def test_spikes_of_other_cells_fail(tables: export.Tables) -> None:
    """Though populations have as many as before."""
    report = export.verify(tables, recorded(tables, roll=1), duration=DURATION)
    assert all(each.expected == each.found for each in report.comparisons)
    assert failed(report)


def test_a_dead_network_fails_whatever_is_allowed(tables: export.Tables) -> None:
    dead = export.lower(
        tables.net, tables.target, export.Prune(fraction=1.0), tables.rule, tables.accept
    )
    anything = export.Tolerance(spikes=1e6, coincidence=0.0, distance=1e6)
    report = export.verify(dead, recorded(tables), duration=DURATION, tolerance=anything)
    assert failed(report) == [f"layer{n} fires if it does in the simulation" for n in (1, 2)]
    figure = export.distance_from(recorded(tables), DURATION)
    assert figure(tables) == 0.0
    assert figure(dead) == np.inf


def test_a_dead_population_fails_whatever_is_allowed(tables: export.Tables) -> None:
    parts = [
        part.kept(np.full(len(part), tables.net.cells[part.post].label == "layer1"))
        for part in tables.net.connections
    ]
    one = export.lower(
        tables.net.with_connections(parts), tables.target, None, tables.rule, tables.accept
    )
    anything = export.Tolerance(spikes=1e6, coincidence=0.0, distance=1e6)
    report = export.verify(one, recorded(tables), duration=DURATION, tolerance=anything)
    assert failed(report) == ["layer2 fires if it does in the simulation"]
    assert export.distance_from(recorded(tables), DURATION)(one) == np.inf


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_a_few_spikes_are_no_excuse(n: int) -> None:
    """The square root of a small number is most of it."""
    net = random_float(1)
    silent = export.lower(net, "asic", export.Prune(fraction=1.0))
    against = {"neurons": [[10.0 * i + 5.0 for i in range(n)]] + [[]] * 39}
    assert failed(export.verify(silent, against, duration=DURATION))


def test_silence_is_not_compared_with_silence() -> None:
    silent = export.lower(random_float(1), "asic", export.Prune(fraction=1.0))
    against = {"neurons": [[]] * 40}
    report = export.verify(silent, against, duration=DURATION)
    assert failed(report) == ["the simulation has spikes to compare with"]
    with pytest.raises(export.ExportError, match="against has no spikes until then"):
        export.distance_from(against, DURATION)(silent)


def test_what_is_printed_is_checked(tables: export.Tables) -> None:
    """Each figure of a comparison has a bound of its own, on either side of which it decides."""
    against = recorded(tables, roll=1)
    report = export.verify(tables, against, duration=DURATION)
    worst = {
        "spikes": max(each.differing / each.expected for each in report.comparisons),
        "coincidence": min(each.coincident for each in report.comparisons),
        "distance": max(each.distance for each in report.comparisons),
    }
    slack = {"spikes": 1e-6, "coincidence": -1e-6, "distance": 1e-6}
    enough = {name: max(value + slack[name], 0.0) for name, value in worst.items()}
    assert export.verify(
        tables, against, duration=DURATION, tolerance=export.Tolerance(**enough)
    ).passed
    for name in ("coincidence", "distance"):
        less = export.Tolerance(**enough | {name: worst[name] - 2 * slack[name]})
        assert len(failed(export.verify(tables, against, duration=DURATION, tolerance=less))) == 1


def test_populations_that_were_not_recorded_are_named(tables: export.Tables) -> None:
    against = {"layer2": recorded(tables)["layer2"]}
    report = export.verify(tables, against, duration=DURATION)
    assert report.unknown == ("layer1",)
    assert "not compared, since not recorded: layer1" in str(report)
    assert report.to_json()["not_compared"] == ["layer1"]


SILENT = """
import pyNN.sparse as sim

sim.setup(timestep=1.0)
source = sim.Population(4, sim.SpikeSourceArray(spike_times=[[5.0, 30.0, 60.0]] * 4), label="src")
out = sim.Population(3, sim.IF_curr_exp(tau_refrac=2.0), label="out")
sim.Projection(source, out, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.3, delay=1.0))
sim.run(100.0)
"""


def test_the_command_fails_for_a_network_that_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "few.py"
    file.write_text(SILENT)
    command = ["export", str(file), "--target", "asic", "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert main([*command, "--prune", "1.0"]) == 1
    assert "0 spikes instead of 9, 3 cells fell silent" in capsys.readouterr().out


def test_spikes_after_the_duration_do_not_count() -> None:
    tables = export.lower(random_float(2), "asic")
    spikes = recorded(tables)
    longer = {"neurons": [np.append(train, [300.0, 350.0]) for train in spikes["neurons"]]}
    assert export.distance_from(longer, DURATION)(tables) == 0.0
    assert export.verify(tables, longer, duration=DURATION).comparisons[0].distance == 0.0
    other = replace(export.Tolerance(), coincidence=1.0, spikes=0.0, distance=0.0)
    assert export.verify(tables, longer, duration=DURATION, tolerance=other).passed
