"""From a simulation to a folder of tables and back: what is refused, what verification finds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from export_networks import ACCEPT, neurons, random_float, suited
from pyNN.random import NumpyRNG, RandomDistribution

from pynn_sparse import export
from pynn_sparse.export.compare import van_rossum
from pynn_sparse.export.targets import TARGETS

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
    failed = [check for check in report.checks if not check.holds]
    assert len(failed) == 1
    assert "about as many spikes" in failed[0].statement


def test_spikes_of_poisson_sources_have_to_be_given(network: dict[str, Any]) -> None:
    tables = export.lower(sim, "asic")
    with pytest.raises(export.ExportError, match=r"noise \(SpikeSourcePoisson\) are not known"):
        tables.run(10.0)
    block = tables.run(10.0, spikes={"noise": [[1.0, 2.5]] + [[]] * 19})
    assert len(block.segments[0].spiketrains) == 40
    with pytest.raises(export.ExportError, match="noise has 20 cells; spikes name 20"):
        tables.run(10.0, spikes={"noise": [[]] * 20 + [[1.0]]})
    with pytest.raises(export.ExportError, match="duration = -1"):
        tables.run(-1)


# --- folders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_folder_holds_everything(target: str, tmp_path: Path) -> None:
    net, bits = suited(random_float(1, n=32), target), min(6, export.find(target).weight_bits)
    rule = export.Quantise(weight_bits=bits)
    tables = export.lower(net, target, export.Prune(fraction=0.5), rule, ACCEPT)
    for folder in ("one", "two"):
        tables.save(tmp_path / folder)
    loaded = export.load(tmp_path / "one")
    loaded.save(tmp_path / "three")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    for folder in ("two", "three"):
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == names
        for name in names:
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / folder / name).read_bytes()
    np.testing.assert_array_equal(loaded.trace(100.0).spikes, tables.trace(100.0).spikes)
    assert export.verify(loaded, duration=100.0).passed
    for name in tables.memories:
        assert (tmp_path / "one" / f"{name}.memh").read_bytes().endswith(b"\n")


def test_text_of_synapses(tmp_path: Path) -> None:
    tables = export.lower(random_float(1), "asic")
    tables.save(tmp_path, csv=True)
    lines = (tmp_path / "synapses.csv").read_text().splitlines()
    assert len(lines) == tables.fixed.n_synapses + 1
    axon, neuron, hop, charge, weight = lines[1].split(",")
    assert [int(axon), int(neuron), int(hop)] == [
        tables.fixed.source[0],
        tables.fixed.target[0],
        tables.fixed.hop[0],
    ]
    gain = float(charge) / tables.scale[int(neuron)] / float(weight)
    assert gain > 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export.lower(random_float(1), "asic").save(tmp_path / "out")
    return tmp_path / "out"


def change_manifest(folder: Path, **values: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | values))


def test_damaged_folders_are_refused(folder: Path) -> None:
    words = folder / "synapses.memh"
    good = words.read_bytes()
    for bad, message in (
        (good[:-1], "bytes, the manifest"),
        (good[:-20], "bytes, the manifest"),
        (b"f" + good[1:], "sha256 differs"),
    ):
        words.write_bytes(bad)
        with pytest.raises(export.DamagedTablesError, match=message):
            export.load(folder)
    words.unlink()
    with pytest.raises(export.DamagedTablesError, match=r"synapses\.memh is missing"):
        export.load(folder)


def test_other_versions_are_refused(folder: Path) -> None:
    change_manifest(folder, schema=0)
    with pytest.raises(export.DamagedTablesError, match="schema 0, this version reads 1"):
        export.load(folder)
    change_manifest(folder, schema=1, target={"name": "asic", "version": 99, "options": {}})
    with pytest.raises(export.DamagedTablesError, match="version 99 of asic, this version reads 1"):
        export.load(folder)
    change_manifest(folder, target={"name": "abacus", "version": 1, "options": {}})
    with pytest.raises(export.DamagedTablesError, match="target 'abacus'; there are akida"):
        export.load(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(export.DamagedTablesError, match="is not JSON"):
        export.load(folder)
    with pytest.raises(FileNotFoundError):
        export.load(folder.parent)


@pytest.mark.parametrize("key", ["files", "memories", "semantics", "quantise", "losses", "target"])
def test_a_manifest_without_a_part_is_refused(key: str, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest[key]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(export.DamagedTablesError, match=r"manifest\.json"):
        export.load(folder)


def rewrite(folder: Path, file: str, change: Any) -> export.Tables:
    """Load a folder with a changed file whose sha256 has been made to fit."""
    path = folder / file
    path.write_bytes(change(path.read_bytes()))
    data = path.read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    digest = hashlib.sha256(data).hexdigest()
    manifest["files"][file] = {"bytes": len(data), "sha256": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return export.load(folder)


@pytest.mark.parametrize("file", ["synapses.memh", "profiles.memh", "rows.memh", "formats.memh"])
def test_any_flipped_bit_fails_verification(file: str, folder: Path) -> None:
    """Also with a checksum that fits: words are compared with the network in floats."""
    good = (folder / file).read_bytes()
    rng = np.random.default_rng(0)
    digits = [i for i, character in enumerate(good) if character != ord("\n")]
    tried = 0
    for place in rng.choice(digits, min(len(digits), 25), replace=False):
        flipped = format(int(chr(good[place]), 16) ^ 1 << int(rng.integers(0, 4)), "x").encode()
        bad = good[:place] + flipped + good[place + 1 :]
        try:
            tables = rewrite(folder, file, lambda _, bad=bad: bad)
        except export.DamagedTablesError:  # a bit beyond the word's width
            continue
        assert not export.verify(tables, duration=50.0).passed, (place, flipped)
        tried += 1
    assert tried >= 3


def test_a_dropped_last_word_is_refused(folder: Path) -> None:
    with pytest.raises(export.DamagedTablesError, match="memory synapses"):
        rewrite(folder, "synapses.memh", lambda text: text[: text[:-1].rindex(b"\n") + 1])


def altered(tables: export.Tables, **changes: Any) -> export.Report:
    """Verification of tables that hold other integers."""
    other = replace(tables.fixed, **changes)
    memories = tables.target.pack(other, tables.rule.weight_bits, tables.rule.signed)
    return export.verify(replace(tables, memories=memories, frame=other.frame))


@pytest.mark.parametrize("target", ["asic", "loihi1"])
def test_another_rule_fails_verification(target: str) -> None:
    """> for >=, a missing + 1, a delay off by one, another rounding, a threshold off by a unit."""
    tables = export.lower(random_float(2, v_thresh=-51.3), target)
    fixed, rule, registers = tables.fixed, tables.fixed.semantics, tables.fixed.profiles
    assert altered(tables).passed
    other = "greater" if rule.compare != "greater" else "greater_or_equal"
    unit = 64 if target == "loihi1" else 1
    wrong = {
        "the update rule": {"semantics": replace(rule, compare=other)},
        "decay of currents": {
            "profiles": replace(registers, current_decay=registers.current_decay + 1)
        },
        "decay of voltages": {
            "profiles": replace(registers, voltage_decay=registers.voltage_decay - 1)
        },
        "threshold": {"profiles": replace(registers, threshold=registers.threshold + unit)},
        "its delay": {"hop": fixed.hop + 1},
        "as rounding leaves it": {"weight": fixed.weight - np.sign(fixed.weight)},
    }
    for statement, changes in wrong.items():
        report = altered(tables, **changes)
        assert [c for c in report.checks if not c.holds and statement in c.statement], statement


def test_floor_is_not_nearest() -> None:
    net = random_float(2)
    floor = export.lower(net, "asic", quantise=export.Quantise(rounding="floor"))
    assert export.verify(floor).passed
    report = export.verify(replace(floor, rule=export.Quantise(rounding="nearest")))
    assert not report.passed


def test_overflow_fails_verification() -> None:
    """Weights that fit one by one, and a sum that does not."""
    net = random_float(2, rate=0.9, v_thresh=-64.9)
    target = type(export.find("asic"))(voltage_bits=10)
    report = export.verify(export.lower(net, target), duration=100.0)
    (failed,) = [check for check in report.checks if not check.holds]
    assert "stay in range" in failed.statement


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
        'accept="tau_syn"',
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
    net = suited(random_float(0, n=32), target)
    hop = min(export.find(target).limits().hop, 1000)
    one = net.connections[0].kept(np.arange(len(net.connections[0])) == 7)
    empty = net.connections[1].kept(np.zeros(len(net.connections[1]), bool))
    late = replace(one, delay=np.array([hop - 1]))
    for parts in ([one], [one, empty], [late], [empty]):
        tables = export.lower(net.with_connections(parts), target, accept=ACCEPT)
        tables.save(tmp_path / "out")
        assert export.verify(export.load(tmp_path / "out"), duration=100.0).passed
    nothing = export.lower(net, target, prune=export.Prune(fraction=1.0), accept=ACCEPT)
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
