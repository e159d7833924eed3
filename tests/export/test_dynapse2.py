"""DYNAP-SE2: connections that tags make, masks, limits; rockpool reads the same from the tables.

rockpool 3.1.0 with jax; PYNN_SPARSE_ROCKPOOL may name a Python that has them.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import arrays_in, neurons, random_float, sources
from hypothesis import given, settings
from hypothesis import strategies as st
from references import python_with, run_reference

from pynn_sparse import export
from pynn_sparse.export.likeness import compare
from pynn_sparse.export.nets.fixednet import FixedNet, same
from pynn_sparse.export.nets.floatnet import Cells, Connections, FloatNet, make_connections
from pynn_sparse.export.reporting.text import markdown
from pynn_sparse.export.targets.dynapse2.subsets import best_bases, nearest, sums
from pynn_sparse.export.targets.dynapse2.target import GREATEST, Dynapse2
from pynn_sparse.export.targets.dynapse2.words import NO_TAG, tags_of

ACCEPT = ["delay"]


def chips(seed: int = 0, size: int = 30, kinds: int = 6, fan_out: int = 12) -> FloatNet:
    """Populations of different neurons, so each on a core of its own, all connected."""
    rng = np.random.default_rng(seed)
    step, cell = np.nonzero(rng.random((200, 20)) < 0.1)
    cells = [sources("input", 20, np.stack([cell, step], axis=1))]
    cells += [neurons(f"kind{k}", size, tau_m=10.0 + 2 * k) for k in range(kinds)]
    parts = []
    for post in range(1, kinds + 1):
        parts.append(joined(rng, cells, 0, post, 20 * fan_out // 2))
    for pre, post in itertools.product(range(1, kinds + 1), repeat=2):
        if (pre + post) % 3 == 0:
            parts.append(joined(rng, cells, pre, post, size * fan_out // 4, -1))
    return FloatNet(1.0, tuple(cells), tuple(parts))


def joined(
    rng: np.random.Generator, cells: list[Cells], pre: int, post: int, n: int, sign: int = 1
) -> Connections:
    pairs = rng.permutation(cells[pre].size * cells[post].size)[:n]
    source, target = np.divmod(pairs, cells[post].size)
    receptor = "excitatory" if sign > 0 else "inhibitory"
    weight = sign * rng.gamma(2.0, 0.4, len(pairs))
    label = f"{cells[pre].label}→{cells[post].label}"
    one = np.ones(len(pairs), np.int64)
    size = cells[pre].size
    return make_connections(label, pre, post, receptor, size, source, target, weight, one)


def graph(net: FloatNet) -> list[tuple[str, int, str, int]]:
    """Every synapse of a network as two cells, in order."""
    return sorted(
        (net.cells[part.pre].label, int(source), net.cells[part.post].label, int(target))
        for part in net.connections
        for source, target in zip(part.source, part.target, strict=True)
    )


def followed(folder: Path) -> list[tuple[str, int, str, int]]:
    """The same, from the folder's JSON alone: all events to all cores, all words that listen."""
    tables = json.loads((folder / "dynapse2.json").read_text())
    found = []
    senders = [(n, n["chip"] + 1, n["destinations"]) for n in tables["neurons"]]
    senders += [(each, 0, [each["destination"]]) for each in tables["inputs"]]
    for sender, place, routes in senders:
        for route, listener in itertools.product(routes, tables["neurons"]):
            there = route["y_hop"] == 0 and place + route["x_hop"] == listener["chip"] + 1
            if there and route["core"][listener["core"]]:
                for word in listener["synapses"]:
                    if word["tag"] == route["tag"]:
                        names = (sender["population"], sender["cell"])
                        found.append((*names, listener["population"], listener["cell"]))
    return sorted(found)


# --- connections -----------------------------------------------------------------------------


def test_tables_make_the_pruned_graph(tmp_path: Path) -> None:
    """On two chips, from the files."""
    prune = export.Prune(fraction=0.4)
    tables = export.lower(chips(1), "dynapse2", prune, accept=ACCEPT)
    assert tables.placement.cores == 6
    tables.save(tmp_path)
    assert followed(tmp_path) == graph(tables.net)
    assert len(graph(tables.net)) == tables.fixed.n_synapses > 1000
    assert "does not predict the spikes of a chip" in markdown(tables, export.verify(tables))
    assert export.verify(export.load(tmp_path), duration=100.0).passed


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [2, 4])
def test_rockpool_reads_the_same_synapses(kinds: int, tmp_path: Path) -> None:
    """Its reader follows the first destination of a tag, so that all is on one chip here."""
    python = python_with("rockpool", "PYNN_SPARSE_ROCKPOOL")
    net = chips(2, kinds=kinds, fan_out=8)
    tables = export.lower(net, "dynapse2", export.Prune(fraction=0.5), accept=ACCEPT)
    tables.save(tmp_path / "out")
    run_reference(python, "dynapse2_run.py", 0, [tmp_path / "out"])
    found = arrays_in(tmp_path / "out" / "reference.npz")
    fixed, weights = tables.fixed, found["weight"]
    axon_of = {int(tag): axon for axon, tag in enumerate(tags_of(fixed, 1))}
    place = tables.memories["neurons"].layout.decode(tables.memories["neurons"].words)
    where = list(zip(place["core"].tolist(), place["neuron"].tolist(), strict=True))
    synapses = set()
    rows = zip(found["synapses"].tolist(), weights.tolist(), strict=True)
    for (between, tag, chip, core, neuron, dendrite, _), weight in rows:
        axon = axon_of[tag]
        assert between == (axon < fixed.n_neurons)
        sign = {1024: 1, 512: -1}[dendrite]
        synapses.add((axon, where.index((chip * 4 + core, neuron)), sign * weight))
    charges = (fixed.charge() >> 8).tolist()
    expected = set(zip(fixed.source.tolist(), fixed.target.tolist(), charges, strict=True))
    assert synapses == expected
    assert len(found["synapses"]) == len(graph(tables.net)) > 100


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 40), st.booleans())
def test_words_hold_any_network(seed: int, kinds: int, fan_out: int, monitor: bool) -> None:
    net = chips(seed, size=12, kinds=kinds, fan_out=fan_out)
    target = Dynapse2(monitor=int(monitor))
    unsigned = export.lower(
        net, target, quantise=export.Quantise(weight_bits=4, signed=False), accept=ACCEPT
    )
    tables = export.lower(net, target, accept=ACCEPT)
    np.testing.assert_array_equal(unsigned.memories["cam"].words, tables.memories["cam"].words)
    assert export.verify(unsigned).passed
    again = target.unpack(target.pack(tables.fixed, 4, True), tables.frame)
    assert same(tables.fixed, again) == []
    assert export.verify(tables).passed


def test_a_tag_is_one_source_in_each_core() -> None:
    """With more sources than tags, cores use them anew."""
    rng = np.random.default_rng(0)
    cells = [sources(f"in{k}", 900) for k in range(3)]
    cells += [neurons(f"n{k}", 100, tau_m=10.0 + 5 * k) for k in range(3)]
    parts = [joined(rng, cells, k, 3 + k, 4000) for k in range(3)]
    net = FloatNet(1.0, tuple(cells), tuple(parts))
    with pytest.raises(export.LimitsError, match="no tag is left in all their cores"):
        export.lower(net, "dynapse2", accept=ACCEPT)
    tables = export.lower(net, Dynapse2(monitor=0), accept=ACCEPT)
    assert export.verify(tables).passed
    fixed, tags = tables.fixed, tags_of(tables.fixed, 0)
    assert tags.max() < 2047
    assert not (tags == NO_TAG).any()
    listened = np.unique(
        np.stack([fixed.profile[fixed.target], tags[fixed.source], fixed.source], axis=1), axis=0
    )
    assert len(np.unique(listened[:, :2], axis=0)) == len(listened)
    assert len(np.unique(tags[fixed.source])) < len(np.unique(fixed.source))


# --- masks -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.floats(0.1, GREATEST), min_size=1, max_size=60))
def test_masks_are_the_nearest_and_no_worse_than_binary(values: list[float]) -> None:
    given_values = np.array(values)
    base = best_bases(given_values, 255)
    assert ((base >= 1) & (base <= 255)).all()
    error = np.abs(sums(base)[nearest(base, given_values) - 1] - given_values)
    all_sums = [sum(c) for n in (1, 2, 3, 4) for c in itertools.combinations(base.tolist(), n)]
    best = np.abs(given_values[:, None] - np.array(all_sums)).min(axis=1)
    np.testing.assert_allclose(error, best, atol=1e-9)
    binary = np.clip(np.rint(max(values) * 2.0 ** np.arange(4) / 15), 1, 255)
    codes = [sum(c) for n in (1, 2, 3, 4) for c in itertools.combinations(binary.tolist(), n)]
    plain = np.abs(given_values[:, None] - np.array(codes)).min(axis=1)
    assert (error**2).sum() <= (plain**2).sum() + 1e-6


def test_weights_that_four_currents_make_are_exact() -> None:
    base = np.array([211, 90, 41, 12])
    values = np.repeat(sums(base), 20).astype(float)
    assert best_bases(values, 255).tolist() == base.tolist()
    assert best_bases(np.full(5, 130.0), 255).tolist()  # one value, any bases that make it
    assert 130 in sums(best_bases(np.full(5, 130.0), 255))


def test_no_weight_is_too_small_for_a_mask() -> None:
    """One of a thousandth of the others stays, with the least sum that there is."""
    net = chips(6, size=10, kinds=1)
    (part,) = net.connections
    weight = np.full(len(part), 1.0)
    weight[3], weight[4] = 1e-3, 0.0
    tables = export.lower(
        net.with_connections([replace(part, weight=weight)]), "dynapse2", accept=ACCEPT
    )
    assert tables.fixed.n_synapses == len(part) - 1  # but one of 0 is no synapse
    assert (tables.fixed.weight > 0).all()
    assert tables.losses[0].zeroed == 1
    assert export.verify(tables).passed


def test_losses_are_those_of_the_masks() -> None:
    tables = export.lower(chips(3), "dynapse2", accept=ACCEPT)
    for values, part, loss in zip(
        tables.weights(), tables.net.connections, tables.losses, strict=True
    ):
        error = np.abs(values - part.weight)
        assert error.max() == pytest.approx(loss.largest_error)
        assert loss.zeroed == 0
        assert loss.sqnr > 15.0


# --- verification ----------------------------------------------------------------------------


@pytest.mark.parametrize("memory", ["neurons", "cam", "sram", "inputs", "bases", "registers"])
def test_any_flipped_bit_fails_verification(memory: str) -> None:
    tables = export.lower(chips(4, size=10, kinds=2), "dynapse2", accept=ACCEPT)
    good, rng = tables.memories[memory], np.random.default_rng(0)
    for _ in range(25):
        words = good.words.copy()
        bit = int(rng.integers(good.layout.width))
        words[rng.integers(len(words)), bit // 64] ^= np.uint64(1 << bit % 64)
        bad = replace(tables, memories=tables.memories | {memory: replace(good, words=words)})
        assert not export.verify(bad).passed


@pytest.mark.parametrize("memory", ["neurons", "cam", "sram", "inputs", "bases", "registers"])
def test_a_dropped_last_word_fails_verification(memory: str) -> None:
    tables = export.lower(chips(4, size=10, kinds=2), "dynapse2", accept=ACCEPT)
    good = tables.memories[memory]
    short = tables.memories | {memory: replace(good, words=good.words[:-1])}
    assert not export.verify(replace(tables, memories=short)).passed


def test_swapped_tags_and_masks_fail_verification() -> None:
    tables = export.lower(chips(4, size=10, kinds=2), "dynapse2", accept=ACCEPT)
    good = tables.memories["cam"]
    for field in ("tag", "mask"):
        columns = good.layout.decode(good.words)
        one = int(np.flatnonzero(columns["mask"])[0])
        other = int(np.flatnonzero(columns[field] != columns[field][one])[3])
        columns[field][[one, other]] = columns[field][[other, one]]
        words = good.layout.encode(columns)
        memories = tables.memories | {"cam": replace(good, words=words)}
        report = export.verify(replace(tables, memories=memories))
        assert not report.passed


def altered(tables: export.Tables, **changes: Any) -> list[str]:
    other: FixedNet = replace(tables.fixed, **changes)
    memories = tables.target.pack(other, 4, True)
    report = export.verify(replace(tables, memories=memories, frame=other.frame))
    return [check.statement for check in report.checks if not check.holds]


def test_another_rule_or_rounding_fails_verification() -> None:
    tables = export.lower(chips(5, size=10, kinds=2), "dynapse2", accept=ACCEPT)
    fixed, rule = tables.fixed, tables.fixed.semantics
    assert altered(tables) == []
    failed = altered(tables, semantics=replace(rule, compare="greater"))
    assert "the update rule is the target's" in failed
    registers = replace(fixed.profiles, threshold=fixed.profiles.threshold + 1)
    assert "each neuron has its threshold" in altered(tables, profiles=registers)
    codes = np.sort(np.append(0, sums(fixed.profiles.base[0])))
    size = np.abs(fixed.weight)
    first = fixed.profile[fixed.target] == 0
    lower = np.maximum(codes[np.maximum(np.searchsorted(codes, size) - 1, 0)], codes[1])
    floor = np.where(first, np.sign(fixed.weight) * lower, fixed.weight)
    (statement,) = altered(tables, weight=floor)
    assert "each mask is the one of 15" in statement


# --- limits ----------------------------------------------------------------------------------


def test_all_limits_come_in_one_error() -> None:
    """Fan-in, destinations, tags and cores; nothing is dropped."""
    rng = np.random.default_rng(0)
    cells = [sources("input", 2100)]
    cells += [neurons(f"kind{k}", 200, tau_m=10.0 + k) for k in range(17)]
    parts = [joined(rng, cells, 0, 1, 90 * 200)]
    parts += [joined(rng, cells, 1, post, 400) for post in range(2, 18)]
    with pytest.raises(export.LimitsError) as caught:
        export.lower(FloatNet(1.0, tuple(cells), tuple(parts)), "dynapse2", accept=ACCEPT)
    text = str(caught.value)
    assert text.startswith("4 limit(s) of dynapse2 are broken")
    for part in (
        "17 cores; limit: 16",
        "5 destinations of a neuron; limit: 4",
        "kind0: 199 cells with up to",
        "limit: 64; remedy: prune with max_fan_in=64",
        "for which no tag is left in all their cores; limit: 2047 tags",
    ):
        assert part in text


def test_pruning_keeps_the_fan_in() -> None:
    rng = np.random.default_rng(0)
    cells = [sources("input", 100), neurons("cells", 20)]
    net = FloatNet(1.0, tuple(cells), (joined(rng, cells, 0, 1, 65 * 20),))
    with pytest.raises(export.LimitsError, match="synapses; limit: 64"):
        export.lower(net, "dynapse2", accept=ACCEPT)
    tables = export.lower(net, "dynapse2", export.Prune(max_fan_in=64), accept=ACCEPT)
    assert np.bincount(tables.fixed.target).max() == 64
    assert export.verify(tables).passed


def test_neurons_and_options() -> None:
    net = random_float(1, n=32)
    cell = net.cells[1]
    begun = replace(cell, initial=cell.initial | {"v": np.full(32, -60.0)})
    wrong = replace(net.connections[0], weight=-net.connections[0].weight)
    bad = replace(net, cells=(net.cells[0], begun), connections=(wrong, net.connections[1]))
    with pytest.raises(export.LimitsError) as caught:
        export.lower(bad, "dynapse2")
    assert {each.accept for each in caught.value.violations} == {"initial", "delay", ""}
    assert "synapses whose sign is not that of their receptor" in str(caught.value)
    one_chip = Dynapse2(chips=1)
    with pytest.raises(export.LimitsError, match="6 cores; limit: 4"):
        export.lower(chips(1), one_chip, accept=ACCEPT)
    many = neurons("n", 1100)
    full = FloatNet(1.0, (sources("s", 1), many), (export_one(many),))
    with pytest.raises(export.LimitsError, match="1100 neurons; limit: 1024"):
        export.lower(full, one_chip, accept=ACCEPT)
    for options, message in (({"chips": 5}, "chips = 5"), ({"monitor": 2}, "monitor = 2")):
        with pytest.raises(export.ExportError, match=message):
            export.find("dynapse2", **options)
    floor = export.Quantise(weight_bits=4, rounding="floor")
    with pytest.raises(export.ExportError, match=r"rounding = 'floor': dynapse2 only has"):
        export.lower(net, "dynapse2", quantise=floor, accept=ACCEPT)
    with pytest.raises(export.ExportError, match="weight_bits = 8: dynapse2 has masks of 4"):
        export.lower(net, "dynapse2", quantise=export.Quantise(), accept=ACCEPT)


def export_one(cells: Cells) -> Connections:
    one = np.zeros(1, np.int64)
    return make_connections("one", 0, 1, "excitatory", 1, one, one, np.array([0.5]), one + 1)


def test_the_model_has_the_weights_of_the_tables() -> None:
    """Weights that masks hold exactly, delays of a step: spikes are those of another target."""
    net = random_float(2, n=30, delays=1, rate=0.15, model="IF_curr_delta")
    parts = []
    for part in net.connections:
        large = np.abs(part.weight) > np.abs(part.weight).max() / 2
        parts.append(replace(part, weight=np.sign(part.weight) * np.where(large, 6.0, 3.0)))
    exact = net.with_connections(parts)
    tables = export.lower(exact, "dynapse2", accept=["pulse"])
    assert max(loss.largest_error for loss in tables.losses) < 1e-9
    other = export.lower(exact, "asic", quantise=export.Quantise(weight_bits=12))
    found, expected = (
        (each.spikes[:, 1], each.spikes[:, 0].astype(float))
        for each in (tables.trace(300.0), other.trace(300.0))
    )
    assert len(expected[0]) > 200
    assert compare("n", 30, expected, found, 300.0).coincident > 0.98


def test_input_that_acts_at_once_has_to_be_accepted() -> None:
    net = random_float(2, n=12, delays=1, model="IF_curr_delta")
    with pytest.raises(export.LimitsError, match="12 cells on whose voltage spikes act at once"):
        export.lower(net, "dynapse2", accept=ACCEPT)
    files = export.emit(export.lower(net, "dynapse2", accept=[*ACCEPT, "pulse"]))
    contents = json.loads(files["dynapse2.json"], parse_constant=pytest.fail)
    assert all(core["ampere"]["Itau_ampa"] > 0 for core in contents["cores"])
