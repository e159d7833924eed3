"""TrueNorth: words, arrangement on cores, and the update, against plain models and RANC.

PYNN_SPARSE_RANC may name a copy of the repository UA-RCL/RANC.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crossbar_networks import random_truenorth
from export_networks import neurons, random_events, random_float, sources, tables_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from references.rtl import (
    Ranc,
    build_ranc_simulator,
    folder_of,
    ranc_rtl,
    ranc_simulator,
)

from pynn_sparse import export
from pynn_sparse.export import golden
from pynn_sparse.export.fixednet import FixedNet, same
from pynn_sparse.export.floatnet import FloatNet, make_connections
from pynn_sparse.export.share import shared
from pynn_sparse.export.tables import Tables
from pynn_sparse.export.targets.target import Memory
from pynn_sparse.export.targets.truenorth_files import packets, simulator_input

STEPS = 30
ACCEPT = ("current", "leak", "refractory", "weights")
RANC = "PYNN_SPARSE_RANC", "UA-RCL/RANC"


def small(reset_mode: int = 0, axons: int = 64, size: int = 20) -> Any:
    return export.find("truenorth", axons=axons, neurons=size, reset_mode=reset_mode)


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
    """An axon is a bit; the run is reported as one that left its range."""
    fixed = random_truenorth(0, small())
    events = random_events(0, fixed, STEPS)
    once, twice = (golden.run(fixed, STEPS, each) for each in (events, np.repeat(events, 2, 0)))
    np.testing.assert_array_equal(once.spikes, twice.spikes)
    assert (once.overflows, twice.overflows) == (0, len(events))


# --- words and cores -------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(64, 8), (32, 12), (128, 40)]), st.integers(1, 15))
def test_the_network_is_found_again(seed: int, size: tuple[int, int], hops: int) -> None:
    """Through axons, types, copies and relays."""
    target = small(0, *size)
    fixed = random_truenorth(seed, target, neurons=15, hops=hops)
    tables = tables_of(fixed, target)
    assert not same(tables.fixed, fixed)
    assert max(r.used / r.available for r in tables.placement.resources if r.available) <= 1


def chip_of_files(
    folder: Path, tables: Tables, events: NDArray[np.int64], steps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Potentials [steps + 1, words] and spikes (step, word) of cores made of the text of `.mem`.

    Places of bits are those of RANC's `Core.v`, counted from the most significant.
    """
    target = tables.target
    parameters = json.loads((folder / "ranc.json").read_text())
    x, y = parameters["GRID_DIMENSION_X"], parameters["GRID_DIMENSION_Y"]
    a, size = target.axons, target.neurons
    widths = [a, 20, 20, 9, 9, 9, 9, 9, 20, 20, 1, 9, 9, a.bit_length() - 1, 4]
    ends = list(itertools.accumulate(widths))
    signed = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12}
    cores, kinds = [], []
    for core in range(x * y - 1):
        rows = []
        for line in (folder / f"csram_{core:03d}.mem").read_text().splitlines():
            assert len(line) == sum(widths)
            parts = [line[end - width : end] for end, width in zip(ends, widths, strict=True)]
            values = [int(part, 2) for part in parts]
            for i in signed:
                values[i] -= (1 << widths[i]) * int(parts[i][0])
            values[0] = [axon for axon in range(a) if parts[0][a - 1 - axon] == "1"]
            rows.append(values)
        assert len(rows) == size
        cores.append(rows)
        types = (folder / f"tc_{core:03d}.mem").read_text().splitlines()
        assert len(types) == a
        kinds.append([int(kind, 2) for kind in types])
    due: set[tuple[int, int, int]] = set()
    sent = packets(tables.memories, events, tables.fixed.n_neurons).tolist()
    potential = [[row[1] for rows in cores for row in rows]]
    spikes = []
    for step in range(steps + 1):
        for core, rows in enumerate(cores if step else []):
            for n, row in enumerate(rows):
                weights, leak, threshold, floor, mode, dx, dy, axon, tick = row[3:7], *row[7:]
                v = row[1] + leak
                v += sum(weights[kinds[core][i]] for i in row[0] if (step, core, i) in due)
                if v >= threshold:
                    v = v - threshold if mode else row[2]
                    spikes.append([step, core * size + n])
                    to = core % x + dx + x * (core // x + dy)
                    assert (step + 1 + tick, to, axon) not in due
                    due.add((step + 1 + tick, to, axon))
                elif v < floor:
                    v = v - floor if mode else -row[2]
                row[1] = v
        due |= {(step + 1 + tick, core, axon) for s, core, axon, tick in sent if s == step}
        if step:
            potential.append([row[1] for rows in cores for row in rows])
    return np.asarray(potential), np.asarray(spikes, np.int64).reshape(-1, 2)


def check(found: Ranc, tables: Tables, trace: golden.Trace) -> None:
    """All neurons and their copies have the golden model's potentials and spikes."""
    columns = tables.memories["columns"].layout.decode(tables.memories["columns"].words)
    words = np.flatnonzero(columns["role"] == 1)
    neuron = columns["neuron"][words]
    assert trace.voltage is not None
    np.testing.assert_array_equal(found.potential[1:, words], trace.voltage[1:, neuron])
    for_word = {int(word): int(n) for word, n in zip(words, neuron, strict=True)}
    copies = np.bincount(neuron)
    mine = [(int(s), for_word[int(w)]) for s, w in found.spikes if int(w) in for_word]
    expected = [(s, n) for s, n in trace.spikes.tolist() for _ in range(copies[n])]
    assert sorted(mine) == expected


def prepared(fixed: FixedNet, target: Any, folder: Path) -> Tables:
    tables = tables_of(fixed, target)
    for name, data in target.more_files(tables).items():
        (folder / name).write_bytes(data)
    return tables


@pytest.mark.parametrize("reset_mode", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_cores_of_the_files_do_what_golden_does(
    seed: int, reset_mode: int, tmp_path: Path
) -> None:
    target = small(reset_mode, size=[8, 20, 40, 200][seed])
    fixed = random_truenorth(seed, target)
    tables = prepared(fixed, target, tmp_path)
    events = random_events(seed, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    check(Ranc(*chip_of_files(tmp_path, tables, events, STEPS)), tables, trace)
    assert len(trace.spikes) > 20
    assert (tables.placement.cores == 1) == (seed == 3)


def test_a_word_is_that_of_ranc() -> None:
    """Bits of a word with the sizes of TrueNorth, as counted in `Core.v`; not those of a default."""
    target = export.find("truenorth")
    word = tables_of(random_truenorth(0, target), target).memories["csram"].layout
    assert word.width == 256 + 2 * 20 + 4 * 9 + 9 + 2 * 20 + 1 + 9 + 9 + 8 + 4
    places = {"tick": 0, "axon": 4, "dy": 12, "dx": 21, "reset_mode": 30, "floor": 31}
    places |= {"threshold": 51, "leak": 71, "weight_3": 80, "weight_0": 107, "reset": 116}
    places |= {"potential": 136, "axons_0": 156, "axons_7": 380}
    assert {name: word.lsb(name) for name in places} == places


@pytest.mark.slow
@pytest.mark.parametrize("reset_mode", [0, 1])
def test_rtl_of_ranc(reset_mode: int, tmp_path: Path) -> None:
    """Grids of 1 to 8 cores and their routers, in every potential and spike of every tick."""
    repository = folder_of(*RANC)
    for seed, size in enumerate((200, 40, 20, 12)):
        folder = tmp_path / str(seed)
        folder.mkdir()
        target = small(reset_mode, size=size)
        fixed = random_truenorth(10 + seed, target)
        tables = prepared(fixed, target, folder)
        events = random_events(seed, fixed, STEPS)
        trace = golden.run(fixed, STEPS, events, states=True)
        check(ranc_rtl(repository, tables, events, STEPS, folder), tables, trace)
        assert len(trace.spikes) > 20


@pytest.mark.slow
def test_lowered_network_in_rtl_of_ranc(tmp_path: Path) -> None:
    """Cores of 256 axons and 256 neurons, from the folder that is written."""
    repository = folder_of(*RANC)
    net = random_float(2, n=32, rate=0.3, delays=14)
    tables = export.lower(net, "truenorth", accept=ACCEPT)
    assert tables.placement.cores == 2
    tables.save(tmp_path)
    trace = tables.trace(12.0, states=True)
    found = ranc_rtl(repository, tables, tables.events(), 12, tmp_path)
    check(found, tables, trace)
    assert len(trace.spikes) > 10


@pytest.mark.slow
def test_simulator_of_ranc(tmp_path: Path) -> None:
    """RANC's C++ simulator: potentials, spikes, and what the output bus gets."""
    program = build_ranc_simulator(folder_of(*RANC), tmp_path)
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        target = small(seed % 2)
        fixed = random_truenorth(20 + seed, target, neurons=40)
        tables = prepared(fixed, target, folder)
        events = random_events(seed, fixed, STEPS)
        trace = golden.run(fixed, STEPS, events, states=True)
        check(ranc_simulator(program, tables, events, STEPS, folder), tables, trace)
        silent = np.flatnonzero(np.diff(fixed.start)[:40] == 0)
        lines = [line.split() for line in (folder / "output.txt").read_text().splitlines()]
        out = np.asarray(lines[1:], np.int64)[:, : len(silent)]  # line t is printed in tick t + 1
        wanted = np.zeros((STEPS, 40), np.int64)
        wanted[trace.spikes[:, 0] - 1, trace.spikes[:, 1]] = 1
        assert len(silent) > 0
        np.testing.assert_array_equal(out, wanted[: len(out), silent])


@pytest.mark.slow
@pytest.mark.parametrize("change", ["threshold", "leak", "delay", "weight", "type", "synapse"])
def test_other_words_differ_in_ranc(change: str, tmp_path: Path) -> None:
    """> for >=, a missing leak, a delay off by one, a flipped bit: the RTL tells."""
    repository = folder_of(*RANC)
    target = small()
    fixed = random_truenorth(11, target)
    tables = prepared(fixed, target, tmp_path)
    events = random_events(1, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    changed = with_words(tables, *CHANGES[change])
    for name, data in target.more_files(changed).items():
        (tmp_path / name).write_bytes(data)
    found = ranc_rtl(repository, changed, events, STEPS, tmp_path)
    with pytest.raises(AssertionError):
        check(found, tables, trace)


# --- what verification finds -----------------------------------------------------------------


def words_of(field: str, change: Any) -> tuple[str, str, Any]:
    return "csram", field, change


CHANGES: dict[str, tuple[str, str, Any]] = {
    "threshold": words_of("threshold", lambda x, used: x + used),
    "leak": words_of("leak", lambda x, used: x * ~used),
    "delay": words_of("tick", lambda x, used: np.where(used, np.minimum(x + 1, 14), x)),
    "weight": words_of("weight_0", lambda x, used: np.where(used, x ^ 8, x)),
    "type": ("types", "type", lambda x, used: x ^ 1),
    "synapse": words_of("axons_0", lambda x, used: np.where(used, x ^ 1, x)),
    "copies": words_of("potential", lambda x, used: x + used),
    "destination": words_of("axon", lambda x, used: np.where(used, x ^ 1, x)),
    "reset": words_of("reset", lambda x, used: x + used),
    "floor": words_of("floor", lambda x, used: np.where(used, x + 1, x)),
    "input": ("inputs", "tick", lambda x, used: np.minimum(x + 1, 14)),
    "source": ("inputs", "source", lambda x, used: x ^ 1),
}


def with_words(tables: Tables, memory: str, field: str, change: Any) -> Tables:
    """Tables with other values of a field, in words that are in use."""
    layout, words = tables.memories[memory].layout, tables.memories[memory].words
    values = layout.decode(words)
    columns = tables.memories["columns"].layout.decode(tables.memories["columns"].words)
    values[field] = change(values[field], columns["role"] == 1)
    changed = Memory(layout, layout.encode(values))
    return replace(tables, memories={**tables.memories, memory: changed})


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_other_words_fail_verification(change: str) -> None:
    accept = tuple(each for each in ACCEPT if each != "weights")
    net = few_weights(random_float(3, n=32, i_offset=0.1, v_rest=-64.0, tau_m=1e9))
    tables = export.lower(net, small(), accept=accept)
    assert export.verify(tables, duration=50.0).passed
    assert not export.verify(with_words(tables, *CHANGES[change]), duration=50.0).passed


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
    for tau, found in zip((5.0, 20.0), tables.fixed.profiles.bias[tables.fixed.profile], strict=False):
        candidates = np.linspace(0, 3, 3001)
        share = 1 - np.exp(-1 / tau)
        errors = [np.mean((share * v - each) ** 2) for each in candidates]
        assert -found == pytest.approx(candidates[np.argmin(errors)] * scale, abs=1)
    assert tables.fixed.profiles.bias[tables.fixed.profile[2]] == 0
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
    with pytest.raises(export.LimitsError, match="32 neurons without targets.* limit: 16 outputs"):
        part = net.connections[0]
        few = part.kept(np.arange(len(part)) < 5)
        export.lower(net.with_connections([few]), small(axons=16), accept=ACCEPT)


def test_packets_for_the_simulator() -> None:
    """Of a step, to the cores that `inputs` names."""
    target = small()
    fixed = random_truenorth(1, target)
    tables = tables_of(fixed, target)
    events = random_events(1, fixed, 5)
    written = simulator_input(tables, events, 5)["input.json"]
    sent = packets(tables.memories, events, fixed.n_neurons)
    assert [len(each) for each in written["packets"]] == np.bincount(sent[:, 0], minlength=6).tolist()
