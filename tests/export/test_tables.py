"""From a simulation to a folder of tables and back: what is refused, what verification finds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pyNN.sparse as sim
import pytest
from export_networks import ACCEPT, neurons, random_float, rule_of, suited
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse import export
from pynn_sparse.export.likeness import van_rossum
from pynn_sparse.export.registry import TARGETS

DURATION = 200.0


@pytest.fixture
def network() -> dict[str, Any]:
    """Poisson input, 40 neurons of which 10 inhibit, two time constants of synapses."""
    sim.setup(timestep=0.5, rng_seed=3)
    rng = NumpyRNG(seed=1)
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=80.0), label="noise")
    cell = sim.IF_curr_exp(tau_refrac=2.0, tau_syn_I=8.0, i_offset=0.2, v_reset=-70.0)
    cells = sim.Population(40, cell, label="cells")
    weight = RandomDistribution("uniform", (0.2, 1.5), rng=rng)
    delay = RandomDistribution("uniform", (0.5, 6.0), rng=rng)
    drive = sim.Projection(
        noise,
        cells,
        sim.FixedProbabilityConnector(0.3, rng=rng),
        sim.StaticSynapse(weight=weight, delay=delay),
    )
    inhibition = sim.Projection(
        cells[30:],
        cells,
        sim.FixedProbabilityConnector(0.3, rng=rng),
        sim.StaticSynapse(weight=-0.3, delay=1.0),
        receptor_type="inhibitory",
    )
    noise.record("spikes")
    cells.record("spikes")
    return {"noise": noise, "cells": cells, "drive": drive, "inhibition": inhibition}


def recorded(network: dict[str, Any]) -> list[Any]:
    sim.run(DURATION)
    return [network[name].get_data() for name in ("noise", "cells")]


def test_capture_has_every_synapse(network: dict[str, Any]) -> None:
    net = export.capture(sim)
    assert [cells.label for cells in net.cells] == ["noise", "cells"]
    for part, name in zip(net.connections, ("drive", "inhibition"), strict=True):
        columns = network[name].get(["weight", "delay"], format="columns")
        first = 30 if name == "inhibition" else 0
        source = columns["presynaptic_index"] + first
        order = np.lexsort((columns["postsynaptic_index"], source))
        np.testing.assert_array_equal(part.source, source[order])
        np.testing.assert_array_equal(part.target, columns["postsynaptic_index"][order])
        np.testing.assert_array_equal(part.weight, columns["weight"][order])
        np.testing.assert_allclose(part.delay * 0.5, columns["delay"][order])
    one = export.capture([network["drive"]])
    assert [part.label for part in one.connections] == [network["drive"].label]


def test_capture_is_the_same_after_a_run(network: dict[str, Any]) -> None:
    """The engine rearranges rows while it runs."""
    before = export.capture(sim)
    sim.run(20.0)
    for one, other in zip(before.connections, export.capture(sim).connections, strict=True):
        for name in ("start", "target", "weight", "delay"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_capture_has_what_synapses_have_learnt() -> None:
    """Also what they have yet to take in, since their source has not fired again."""
    sim.setup(timestep=1.0)
    times = [np.arange(5.0 + k, 100.0, 10.0) for k in range(4)]
    source = sim.Population(4, sim.SpikeSourceArray(spike_times=times), label="source")
    out = sim.Population(2, sim.IF_curr_exp(tau_refrac=2.0), label="out")
    rule = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(A_plus=0.1, A_minus=0.01),
        weight_dependence=sim.AdditiveWeightDependence(w_max=5.0),
        weight=1.6,
        delay=1.0,
    )
    learning = sim.Projection(source, out, sim.AllToAllConnector(), rule, label="learning")
    for _ in range(3):
        sim.run(33.0)
        expected = learning.get("weight", format="array").ravel()
        for given in (sim, [learning]):
            (part,) = export.capture(given).connections
            assert part.label == "learning"
            np.testing.assert_array_equal(part.weight, expected)
    assert expected.max() > 1.6


def test_what_cannot_be_captured_is_refused(network: dict[str, Any]) -> None:
    with pytest.raises(export.ExportError, match=r"must be the module pyNN\.sparse or a list"):
        export.lower("network", "asic")
    with pytest.raises(export.ExportError, match="target = 'abacus': must be one of akida, asic"):
        export.lower(sim, "abacus")
    sim.Population(3, sim.IF_curr_exp(), label="cells")
    with pytest.raises(export.ExportError, match="'cells' occurs 2 times"):
        export.lower(sim, "asic")
    sim.setup()
    with pytest.raises(export.ExportError, match="no synapses"):
        export.lower(sim, "asic")
    with pytest.raises(RuntimeError, match="discarded"):
        export.lower([network["drive"]], "asic")


@pytest.mark.parametrize("target", ["asic", "loihi1"])
def test_golden_follows_the_simulation(target: str, network: dict[str, Any]) -> None:
    accept = () if target == "asic" else ("tau_syn",)
    tables = export.lower(sim, target, accept=accept)
    blocks = recorded(network)
    report = export.verify(tables, against=blocks)
    assert report.passed, str(report)
    (comparison,) = report.comparisons
    assert comparison.expected > 300
    if target == "asic":  # which has no approximation but rounding
        assert comparison.coincident > 0.95
        assert comparison.distance < 0.25
    block = tables.run(DURATION, spikes=blocks)
    trains = block.segments[0].spiketrains
    assert len(trains) == 40
    assert sum(map(len, trains)) == comparison.found
    assert trains[3].annotations["source_population"] == "cells"
    assert float(trains[3].t_stop) == DURATION


def test_weights_of_tables_in_the_simulation(network: dict[str, Any]) -> None:
    """Set in the projections, what rounding made of the weights gives the tables' spikes."""
    rule = export.Quantise(weight_bits=3)
    tables = export.lower(sim, "asic", quantise=rule)
    for values, part, loss in zip(
        tables.weights(), tables.net.connections, tables.losses, strict=True
    ):
        error = np.abs(values - part.weight).max()
        assert error == pytest.approx(loss.largest_error)
        projection = network["drive" if part.pre == 0 else "inhibition"]
        projection.set(weight=values)  # by source, then target
    blocks = recorded(network)
    (comparison,) = export.verify(tables, against=blocks).comparisons
    assert comparison.coincident > 0.95


def test_pruned_away_input_fails_verification(network: dict[str, Any]) -> None:
    tables = export.lower(sim, "asic", prune=export.Prune(fraction=0.95))
    report = export.verify(tables, against=recorded(network))
    failed = [check.statement for check in report.checks if not check.holds]
    assert "cells of cells have about as many spikes as in the simulation" in failed


def test_spikes_of_poisson_sources_have_to_be_given(network: dict[str, Any]) -> None:
    tables = export.lower(sim, "asic")
    with pytest.raises(export.ExportError, match=r"noise \(SpikeSourcePoisson\) are not known"):
        tables.run(10.0)
    block = tables.run(10.0, spikes={"noise": [[1.0, 2.5]] + [[]] * 19})
    assert len(block.segments[0].spiketrains) == 40
    with pytest.raises(export.ExportError, match="noise has 20 cells; spikes name 20"):
        tables.run(10.0, spikes={"noise": [[]] * 20 + [[1.0]]})
    with pytest.raises(export.ExportError, match="noise has 20 cells; spikes are given of 3"):
        tables.run(10.0, spikes={"noise": [[1.0]] * 3})
    with pytest.raises(export.ExportError, match=r"spikes of noise = .*: must be finite"):
        tables.run(10.0, spikes={"noise": [[np.nan]] * 20})
    with pytest.raises(export.ExportError, match=r"spikes of cells: none is a source, of .'noise'"):
        tables.run(10.0, spikes={"cells": [[1.0]] * 40})
    for duration in (-1, "10", None, np.inf):
        with pytest.raises(export.ExportError, match="duration = "):
            tables.run(duration)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prune": 0.7}, "prune = 0.7: must be a Prune"),
        ({"quantise": 8}, "quantise = 8: must be a Quantise"),
        ({"accept": "tau_syn"}, "accept = 'tau_syn': must be a list of names"),
        ({"accept": None}, "accept = None: must be a list of names"),
        ({"accept": [["tau"]]}, r"accept = \[\['tau'\]\]: must be a list of names"),
        ({"target": 5}, "target = 5: must be a name, or what find"),
        ({"target": type(export.find("asic"))}, "target = <class .*: must be a name, or what find"),
    ],
)
def test_arguments_of_another_kind_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(export.ExportError, match=message):
        export.lower(random_float(0), **{"target": "asic"} | options)


FLOATS = ("ring_buffer_sigma", "spikes_per_second", "max_expected_summed_weight")
OPTIONS = [
    (target, name)
    for target in sorted(TARGETS)
    for name in export.find(target).options()
    if name not in FLOATS
]


@pytest.mark.parametrize(("target", "name"), OPTIONS)
def test_options_of_a_target_are_integers(target: str, name: str) -> None:
    for value in ("16", 16.0, True, None, -1, 10**6, [1]):
        wrong = rf"^{name} = {re.escape(repr(value))}: must be (one of \d+, |\d+ to \d+)"
        with pytest.raises(export.ExportError, match=wrong):
            export.find(target, **{name: value})
    default = export.find(target).options()[name]
    found = export.find(target, **{name: np.int64(default)}).options()[name]
    assert type(found) is int
    assert found == default


@pytest.mark.parametrize("name", FLOATS)
def test_other_options_are_numbers(name: str) -> None:
    for value in ("16", True, -1, 0.0, float("nan"), [1]):
        wrong = rf"^{name} = {re.escape(repr(value))}: must be a number greater than 0"
        with pytest.raises(export.ExportError, match=wrong):
            export.find("spinnaker1", **{name: value})
    found = export.find("spinnaker2", **{name: np.float32(2)}).options()[name]
    assert type(found) is float


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    kinds = {"weight_bits": 6, "headroom": 3, "seed": 2, "exponent_bits": 0}
    rule = export.Quantise(
        **{name: np.int64(value) for name, value in kinds.items()},
        clip=np.float32(0.25),
        signed=np.True_,
    )
    assert repr(rule) == repr(export.Quantise(**kinds, clip=0.25, signed=True))
    target = export.find("asic", voltage_bits=np.int16(20))
    export.lower(random_float(1), target, quantise=rule).save(tmp_path)
    assert export.load(tmp_path).rule == rule


def test_comparing_with_nothing_is_refused(network: dict[str, Any]) -> None:
    """It would pass."""
    other = sim.Population(3, sim.IF_curr_exp(), label="other")
    other.record("spikes")
    blocks = recorded(network)
    tables = export.lower([network["drive"]], "asic")
    for against, message in (
        (other.get_data(), "against has spikes of other: must have some of cells"),
        (neo.Block(), "must be Neo blocks with a segment"),
        (3, "against = 3: must be Neo blocks"),
    ):
        with pytest.raises(export.ExportError, match=message):
            export.verify(tables, against=against)
    with pytest.raises(export.ExportError, match="against has spikes of other: no population"):
        export.distance_from(other.get_data(), DURATION, blocks)(tables)
    for tolerance in (-1.0, np.nan, "0.2"):
        with pytest.raises(export.ExportError, match=r"tolerance\.spikes = "):
            export.verify(tables, against=blocks, tolerance=tolerance)


def test_a_shorter_run_is_compared_with_as_much_of_the_simulation(network: dict[str, Any]) -> None:
    tables = export.lower(sim, "asic")
    blocks = recorded(network)
    whole, half = (
        export.verify(tables, against=blocks, duration=duration).comparisons[0]
        for duration in (DURATION, DURATION / 2)
    )
    assert 0 < half.expected < 0.7 * whole.expected
    assert half.coincident > 0.95


# --- limits ----------------------------------------------------------------------------------


def test_all_violations_come_in_one_error() -> None:
    net = random_float(0, tau_syn_I=10.0, v_reset=-70.0, tau_refrac=100.0, delays=80)
    cells = (*net.cells, neurons("others", 3, "Izhikevich"))
    bad = replace(net, cells=cells)
    with pytest.raises(export.LimitsError) as caught:
        export.lower(bad, "loihi1")
    text = str(caught.value)
    assert text.startswith("5 limit(s) of loihi1 are broken")
    for part in (
        "others: 3 cells of type Izhikevich",
        "neurons: 40 cells whose tau_syn_E and tau_syn_I differ",
        'or accept=["tau_syn"] (--accept tau_syn)',
        "neurons: 40 cells with refractory periods up to 100 steps; limit: 62 steps (62 ms)",
        "input→neurons: ",
        "delays up to 80 steps; limit: 62 steps",
    ):
        assert part in text
    with pytest.raises(export.ExportError, match="accept = 'magic': must be of tau_syn"):
        export.lower(net, "loihi1", accept=["magic"])


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"v_thresh": -65.0}, "v_thresh at or below v_reset"),
        ({"injected": 2}, "2 cells with injected currents"),
        ({"isyn_exc": 0.1}, "synaptic currents that are not 0"),
    ],
)
def test_neurons_that_no_target_has(changes: dict[str, Any], part: str) -> None:
    net = random_float(0)
    cell = net.cells[1]
    for name, value in changes.items():
        if name == "injected":
            cell = replace(cell, injected=value)
        elif name == "isyn_exc":
            cell = replace(cell, initial=cell.initial | {name: np.full(40, value)})
        else:
            cell = replace(cell, parameters=cell.parameters | {name: np.full(40, value)})
    with pytest.raises(export.LimitsError, match=part):
        export.lower(replace(net, cells=(net.cells[0], cell)), "asic")


def test_weights_have_to_be_numbers() -> None:
    net = random_float(0)
    weight = net.connections[0].weight.copy()
    weight[[2, 5]] = np.nan, np.inf
    bad = net.with_connections([replace(net.connections[0], weight=weight)])
    with pytest.raises(export.LimitsError, match="2 synapses whose weights are no finite numbers"):
        export.lower(bad, "asic")


def test_plastic_synapses_are_frozen_if_accepted() -> None:
    net = random_float(0)
    part = replace(net.connections[0], plastic="STDP")
    plastic = net.with_connections([part, net.connections[1]])
    with pytest.raises(export.LimitsError, match="synapses with STDP"):
        export.lower(plastic, "asic")
    tables = export.lower(plastic, "asic", accept=["plasticity"])
    assert tables.fixed.n_synapses == export.lower(net, "asic").fixed.n_synapses


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_odd_networks(target: str, tmp_path: Path) -> None:
    """Empty projections, rows without synapses, one synapse, the greatest delay, all pruned."""
    net, rule = suited(random_float(0, n=32), target), rule_of(target)
    hop = min(export.find(target).limits().hop or 250, 250)
    one = net.connections[0].kept(np.arange(len(net.connections[0])) == 7)
    empty = net.connections[1].kept(np.zeros(len(net.connections[1]), bool))
    late = replace(one, delay=np.array([hop - 1]))
    for parts in ([one], [one, empty], [late], [empty]):
        tables = export.lower(net.with_connections(parts), target, quantise=rule, accept=ACCEPT)
        tables.save(tmp_path / "out")
        assert export.verify(export.load(tmp_path / "out"), duration=100.0).passed
    nothing = export.lower(net, target, export.Prune(fraction=1.0), rule, ACCEPT)
    assert nothing.fixed.n_synapses == 0
    assert not len(nothing.trace(60.0).spikes)


@pytest.mark.parametrize(("target", "hop"), [("asic", 256), ("loihi1", 63), ("loihi2", 63)])
def test_a_step_more_is_too_late(target: str, hop: int) -> None:
    net = random_float(0)
    one = net.connections[0].kept(np.arange(len(net.connections[0])) == 7)
    export.lower(net.with_connections([replace(one, delay=np.array([hop - 1]))]), target)
    with pytest.raises(export.LimitsError, match=f"delays up to {hop} steps; limit: {hop - 1}"):
        export.lower(net.with_connections([replace(one, delay=np.array([hop]))]), target)


def test_distance_of_spike_trains_is_the_integral() -> None:
    """Van Rossum's distance against its definition, on a fine grid."""
    rng = np.random.default_rng(0)
    one, two = ((rng.integers(0, 3, 20), np.sort(rng.random(20) * 100.0)) for _ in range(2))
    t = np.arange(0, 400, 0.01)

    def filtered(spikes: Any, cell: int) -> Any:
        times = spikes[1][spikes[0] == cell]
        age = t[:, None] - times
        return np.where(age >= 0, np.exp(-np.maximum(age, 0) / 20.0), 0.0).sum(axis=1)

    between = sum(((filtered(one, c) - filtered(two, c)) ** 2).sum() for c in range(3))
    norm = sum((filtered(one, c) ** 2).sum() for c in range(3))
    assert van_rossum(one, two) == pytest.approx(np.sqrt(between / norm), rel=1e-3)
    assert van_rossum(one, one) == 0.0


def test_to_accept_is_no_reason_to_approximate() -> None:
    """asic has two currents: all files but the manifest, which names what was accepted, stay."""
    net = random_float(1, tau_syn_E=5.0, tau_syn_I=12.0)
    plain, accepting = (export.emit(export.lower(net, "asic", accept=a)) for a in ((), ["tau_syn"]))
    differing = [name for name in plain if plain[name] != accepting[name]]
    assert differing == ["manifest.json"]
