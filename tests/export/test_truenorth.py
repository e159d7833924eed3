"""TrueNorth: words, arrangement on cores, and the update, against plain models.

`test_ranc.py` has the comparisons with RANC itself.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crossbar_networks import random_truenorth
from export_networks import neurons, random_events, random_float, sources, tables_of
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from truenorth_chip import CHANGES, Ranc, check, chip_of_files, prepared, small, with_words

from pynn_sparse import export
from pynn_sparse.export.hardware import Memory
from pynn_sparse.export.models import golden
from pynn_sparse.export.nets.fixednet import FixedNet, same
from pynn_sparse.export.nets.floatnet import FloatNet, make_connections
from pynn_sparse.export.targets.truenorth.files import packets, simulator_input
from pynn_sparse.export.targets.truenorth.share import shared

STEPS = 30
ACCEPT = ("current", "leak", "refractory", "weights")


# --- the update ------------------------------------------------------------------------------


def plain(net: FixedNet, steps: int, events: NDArray[np.int64]) -> tuple[list, list]:
    """Spikes and potentials, by the rule, with Python's integers."""
    registers, v = net.profiles, net.initial.tolist()
    assert registers.floor is not None
    arriving: dict[tuple[int, int], int] = {}
    spikes, potentials = [], [list(v)]
    spiking = {(int(step), int(axon)) for step, axon in events}
    for step in range(steps + 1):
        for j, p in enumerate(net.profile):
            if step == 0:
                continue
            threshold, reset = int(registers.threshold[p]), int(registers.reset[p])
            floor = int(registers.floor[p])
            x = v[j] + arriving.get((step, j), 0) + int(registers.bias[p])
            x = (x + 2**19) % 2**20 - 2**19
            if x >= threshold:
                spikes.append([step, j])
                spiking.add((step, j))
                x = x - threshold if net.semantics.reset == "subtract" else reset
            elif x < floor:
                x = x - floor if net.semantics.reset == "subtract" else -reset
            v[j] = x
        for axon in sorted(axon for when, axon in spiking if when == step):
            for k in range(net.start[axon], net.start[axon + 1]):
                key = step + int(net.hop[k]), int(net.target[k])
                arriving[key] = arriving.get(key, 0) + int(net.weight[k])
        if step:
            potentials.append(list(v))
    return spikes, potentials


@pytest.mark.parametrize("reset_mode", [0, 1])
@pytest.mark.parametrize("seed", range(6))
def test_golden_does_what_the_rule_says(seed: int, reset_mode: int) -> None:
    fixed = random_truenorth(seed, small(reset_mode))
    events = random_events(seed, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    spikes, potentials = plain(fixed, STEPS, events)
    assert trace.voltage is not None
    assert trace.spikes.tolist() == spikes
    assert trace.voltage.tolist() == potentials
    assert len(spikes) > 20


def test_spikes_of_a_source_in_a_step_are_one() -> None:
    """An axon is a bit; verification fails, unless that was accepted."""
    fixed = random_truenorth(0, small())
    events = random_events(0, fixed, STEPS)
    once, twice = (golden.run(fixed, STEPS, each) for each in (events, np.repeat(events, 2, 0)))
    np.testing.assert_array_equal(once.spikes, twice.spikes)
    assert (once.merged, twice.merged) == (0, len(events))
    net = random_float(3, n=32)
    given = np.repeat(net.cells[0].spikes, 2, axis=0)
    net = replace(net, cells=(replace(net.cells[0], spikes=given), net.cells[1]))
    reports = [
        export.verify(export.lower(net, "truenorth", accept=accept), duration=50.0)
        for accept in (ACCEPT, (*ACCEPT, "merged"))
    ]
    assert [report.passed for report in reports] == [False, True]


# --- words and cores -------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(64, 16), (32, 20), (128, 60)]), st.integers(1, 15))
def test_the_network_is_found_again(seed: int, size: tuple[int, int], hops: int) -> None:
    """Through axons, types, copies and relays."""
    target = small(0, *size)
    fixed = random_truenorth(seed, target, neurons=15, hops=hops)
    try:
        tables = tables_of(fixed, target)
    except export.LimitsError:  # more copies than a small core has
        reject()
    assert not same(tables.fixed, fixed)
    assert max(r.used / r.available for r in tables.placement.resources if r.available) <= 1


@pytest.mark.parametrize("reset_mode", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_cores_of_the_files_do_what_golden_does(seed: int, reset_mode: int, tmp_path: Path) -> None:
    target = small(reset_mode, size=[8, 20, 40, 200][seed])
    fixed = random_truenorth(seed, target)
    tables = prepared(fixed, target, tmp_path)
    events = random_events(seed, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    check(Ranc(*chip_of_files(tmp_path, tables, events, STEPS)), tables, trace)
    assert len(trace.spikes) > 20
    assert (tables.placement.cores == 1) == (seed == 3)


def test_a_word_is_that_of_ranc() -> None:
    """Bits of a word, as counted in `Core.v` with these widths."""
    target = export.find("truenorth")
    word = tables_of(random_truenorth(0, target), target).memories["csram"].layout
    assert word.width == 256 + 2 * 20 + 4 * 9 + 9 + 2 * 20 + 1 + 9 + 9 + 8 + 4
    places = {"tick": 0, "axon": 4, "dy": 12, "dx": 21, "reset_mode": 30, "floor": 31}
    places |= {"threshold": 51, "leak": 71, "weight_3": 80, "weight_0": 107, "reset": 116}
    places |= {"potential": 136, "axons_0": 156, "axons_7": 380}
    assert {name: word.lsb(name) for name in places} == places


# --- what verification finds -----------------------------------------------------------------


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_other_words_fail_verification(change: str) -> None:
    accept = tuple(each for each in ACCEPT if each != "weights")
    net = few_weights(random_float(3, n=32, i_offset=0.1, v_rest=-64.0, tau_m=1e9))
    tables = export.lower(net, small(), accept=accept)
    assert export.verify(tables, duration=50.0).passed
    assert not export.verify(with_words(tables, *CHANGES[change]), duration=50.0).passed


@pytest.mark.parametrize(
    "change", [{"compare": "greater"}, {"merges_spikes": False}, {"reset": "subtract"}]
)
def test_another_rule_fails_verification(change: dict[str, Any]) -> None:
    tables = export.lower(random_float(3, n=32), small(), accept=ACCEPT)
    frame = replace(tables.frame, semantics=replace(tables.frame.semantics, **change))
    report = export.verify(replace(tables, frame=frame))
    assert "the update rule is the target's" in [c.statement for c in report.checks if not c.holds]


def few_weights(net: FloatNet) -> FloatNet:
    """The same with two weights of each projection."""
    parts = [
        replace(part, weight=np.where(part.weight > np.median(part.weight), 1.0, 0.5) * scale)
        for part, scale in zip(net.connections, (1.0, -0.4), strict=True)
    ]
    return net.with_connections(parts)


def test_flipped_bits_fail_verification() -> None:
    """Any bit of words in use, with and without weights that are shared."""
    rng = np.random.default_rng(0)
    for net, accept in (
        (random_float(3, n=32), ACCEPT),
        (few_weights(random_float(3, n=32)), ACCEPT[:-1]),
    ):
        tables = export.lower(net, small(), accept=accept)
        used = tables.memories["columns"].layout.decode(tables.memories["columns"].words)["role"]
        for name, rows in (
            ("csram", np.flatnonzero(used)),
            ("types", np.arange(20)),
            ("columns", np.arange(20)),
            ("inputs", np.arange(20)),
        ):
            memory = tables.memories[name]
            for _ in range(12):
                words, bit = memory.words.copy(), int(rng.integers(0, memory.layout.width))
                words[rng.choice(rows), bit // 64] ^= np.uint64(1 << (bit % 64))
                other = Memory(memory.layout, words)
                changed = replace(tables, memories={**tables.memories, name: other})
                assert not export.verify(changed).passed, (name, bit)


def test_a_dropped_word_fails_verification() -> None:
    tables = export.lower(random_float(3, n=32), small(), accept=ACCEPT)
    for name, memory in tables.memories.items():
        short = Memory(memory.layout, memory.words[:-1])
        report = export.verify(replace(tables, memories={**tables.memories, name: short}))
        assert not report.passed, name


# --- approximations and limits ---------------------------------------------------------------


def test_what_has_to_be_accepted() -> None:
    net = random_float(1, n=32)
    with pytest.raises(export.LimitsError) as caught:
        export.lower(net, "truenorth")
    assert {each.accept for each in caught.value.violations} == set(ACCEPT)
    delta = few_weights(
        random_float(1, n=32, model="IF_curr_delta", tau_m=1e9, tau_refrac=0.0, i_offset=0.01)
    )
    assert export.verify(export.lower(delta, "truenorth"), duration=100.0).passed
    linear = export.find("truenorth", reset_mode=1)
    with pytest.raises(export.LimitsError, match="resets that subtract the threshold"):
        export.lower(delta, linear)
    assert export.lower(delta, linear, accept=["reset"]).fixed.semantics.reset == "subtract"


def test_the_leak_is_the_best_constant() -> None:
    """Half of what leaks at the threshold; and v stays above v_reset."""
    cells = neurons("n", 3, model="IF_curr_delta", tau_m=np.array([5.0, 20.0, 1e9]), tau_refrac=0.0)
    one = np.zeros(1, np.int64)
    part = make_connections("s→n", 0, 1, "excitatory", 1, one, one, np.array([0.1]), one + 1)
    net = FloatNet(1.0, (sources("s", 1), cells), (part,))
    tables = export.lower(net, "truenorth", accept=["leak"])
    scale = tables.scale[0]
    v = np.linspace(0, 15, 10001)
    bias = tables.fixed.profiles.bias[tables.fixed.profile]
    for tau, found in zip((5.0, 20.0), bias[:2], strict=True):
        candidates = np.linspace(0, 3, 3001)
        share = 1 - np.exp(-1 / tau)
        errors = [np.mean((share * v - each) ** 2) for each in candidates]
        assert -found == pytest.approx(candidates[np.argmin(errors)] * scale, abs=1)
    assert bias[2] == 0
    down = replace(tables.fixed, initial=tables.fixed.initial + 7)
    trace = golden.run(down, 60, np.zeros((0, 2), np.int64), states=True)
    assert trace.voltage is not None
    assert trace.voltage[-1].tolist() == [0, 0, 7]


def test_shared_weights_are_the_best() -> None:
    """Against all ways to divide the values of a neuron."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        weight, most = rng.integers(-9, 10, rng.integers(1, 9)), int(rng.integers(2, 5))
        found = shared(np.zeros_like(weight), weight, most)
        values = np.unique(weight[weight != 0])
        np.testing.assert_array_equal(np.sign(found), np.sign(weight))
        if len(values) <= most:
            np.testing.assert_array_equal(found, weight)
            continue

        def cost(groups: Any, weight: Any = weight) -> float:
            parts = [weight[np.isin(weight, group)] for group in groups]
            return float(sum(((part - part.mean()) ** 2).sum() for part in parts))

        divisions = [
            np.split(values, cuts)
            for cuts in itertools.combinations(range(1, len(values)), most - 1)
        ]
        best = min(
            cost(groups)
            for groups in divisions
            if all(len(np.unique(np.sign(group))) == 1 for group in groups)
        )
        grouped = [np.unique(weight[found == value]) for value in np.unique(found[found != 0])]
        assert len(grouped) <= most
        assert cost(grouped) == pytest.approx(best)


def test_limits_of_truenorth() -> None:
    net = random_float(0, n=32)
    with pytest.raises(export.ExportError, match="signed weights of up to 9 bits"):
        export.lower(net, "truenorth", quantise=export.Quantise(weight_bits=10), accept=ACCEPT)
    with pytest.raises(export.ExportError, match="axons = 100: must be one of 16, 32"):
        export.find("truenorth", axons=100)
    with pytest.raises(export.LimitsError, match="sources and delays; limit: 16 of a core"):
        export.lower(random_float(0, n=64), small(axons=16), accept=ACCEPT)
    late = random_float(0, n=32, delays=15)  # and a step of IF_curr_exp
    with pytest.raises(export.LimitsError, match="delays up to 15 steps; limit: 14 steps"):
        export.lower(late, "truenorth", accept=ACCEPT)
    part = net.connections[0]
    few = net.with_connections([part.kept(np.arange(len(part)) < 5)])
    with pytest.raises(export.LimitsError, match="32 neurons without targets"):
        export.lower(few, small(axons=16), accept=ACCEPT)


def test_packets_for_the_simulator() -> None:
    """Of a step, to the cores that `inputs` names."""
    target = small()
    fixed = random_truenorth(1, target)
    tables = tables_of(fixed, target)
    events = random_events(1, fixed, 5)
    written = simulator_input(tables, events, 5)["input.json"]
    sent = packets(tables.memories, events, fixed.n_neurons)
    found = [len(each) for each in written["packets"]]
    assert found == np.bincount(sent[:, 0], minlength=6).tolist()


def one_neuron(kinds: int) -> FloatNet:
    """One neuron with 40 synapses of a few weights, which its units do not hold exactly."""
    count, zero = 40, np.zeros(40, np.int64)
    cells = (
        sources("in", count, np.stack([np.arange(count), np.arange(count) + 1], axis=1)),
        neurons("neuron", 1, model="IF_curr_delta", tau_m=1e9, tau_refrac=0.0),
    )
    weight = np.linspace(0.13, 1.0, kinds)[np.arange(count) % kinds]
    ends = count, np.arange(count), zero
    part = make_connections("drive", 0, 1, "excitatory", *ends, weight, zero + 1)
    return FloatNet(1.0, cells, (part,))


@pytest.mark.parametrize("seed", range(3))
def test_stochastic_rounding_may_make_too_many_weights(seed: int) -> None:
    """4 weights become up to 7: they are shared if that is accepted, and refused if not."""
    rule = export.Quantise(rounding="stochastic", seed=seed)
    accept = ["leak", "refractory", "events", "merged"]
    with pytest.raises(export.LimitsError, match=r"after rounding; limit: 4 weights.*\"weights\""):
        export.lower(one_neuron(4), "truenorth", quantise=rule, accept=accept)
    for kinds, accepted in ((4, [*accept, "weights"]), (2, accept)):
        tables = export.lower(one_neuron(kinds), "truenorth", quantise=rule, accept=accepted)
        assert len(np.unique(tables.fixed.weight)) <= 4
        report = export.verify(tables, duration=60.0)
        assert report.passed, report
