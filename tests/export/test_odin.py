"""tinyODIN: words, SPI commands and the update by event, against plain models and its RTL.

PYNN_SPARSE_TINYODIN may name a copy of the repository ChFrenkel/tinyODIN.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crossbar_networks import random_odin
from export_networks import neurons, random_events, random_float, sources, tables_of, write_words
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from references.rtl import Chip, folder_of, odin_rtl

from pynn_sparse import export
from pynn_sparse.export.hardware import Memory
from pynn_sparse.export.models import golden
from pynn_sparse.export.nets.fixednet import FixedNet, same
from pynn_sparse.export.nets.floatnet import FloatNet, make_connections
from pynn_sparse.export.tables import Tables
from pynn_sparse.export.targets.odin.words import TIME_REFERENCE, aer_input, replayed

STEPS = 40
ACCEPT = ("current", "events", "leak", "refractory")
RULE = export.Quantise(weight_bits=4)
ODIN = "PYNN_SPARSE_TINYODIN", "ChFrenkel/tinyODIN"
TARGET = export.find("odin")


# --- the update ------------------------------------------------------------------------------


def plain(net: FixedNet, steps: int, events: NDArray[np.int64]) -> tuple[list, list]:
    """Spikes in their order and voltages, by the rule, with Python's integers."""
    v = net.initial.tolist()
    registers = net.profiles
    sent = [(int(step), int(axon)) for step, axon in events]
    spikes, voltages = [], [list(v)]
    for step in range(1, steps + 1):
        fired = []

        def fire(j: int, fired: list[int] = fired) -> None:
            if v[j] >= registers.threshold[net.profile[j]]:
                v[j] = 0
                fired.append(j)

        for j, p in enumerate(net.profile):
            leak = int(registers.voltage_decay[p])
            v[j] = max(v[j] - leak, 0) if v[j] >= 0 else min(v[j] + leak, 0)
            fire(j)
        for axon in range(net.n_axons):
            synapses = range(net.start[axon], net.start[axon + 1])
            for hop in sorted({int(net.hop[k]) for k in synapses}):
                count = sent.count((step - hop, axon))
                lines: list[dict[int, int]] = []
                for k in sorted((k for k in synapses if net.hop[k] == hop), key=weight_of(net)):
                    j, free = int(net.target[k]), 0
                    while free < len(lines) and j in lines[free]:
                        free += 1
                    lines += [{}] if free == len(lines) else []
                    lines[free][j] = int(net.weight[k])
                for line in lines:
                    for _ in range(count):
                        for j in sorted(line):
                            v[j] = min(max(v[j] + line[j], -2048), 2047)
                            fire(j)
        spikes += [[step, j] for j in fired]
        sent += [(step, j) for j in fired]
        voltages.append(list(v))
    return spikes, voltages


def weight_of(net: FixedNet) -> Any:
    return lambda k: int(net.weight[k])


@pytest.mark.parametrize("seed", range(8))
def test_golden_does_what_the_rule_says(seed: int) -> None:
    fixed = random_odin(seed, TARGET)
    events = random_events(seed, fixed, STEPS)
    if seed % 2:
        events = np.repeat(events, 2, axis=0)
    trace = golden.run(fixed, STEPS, events, states=True)
    spikes, voltages = plain(fixed, STEPS, events)
    assert trace.spikes.tolist() == spikes
    assert trace.voltage is not None
    assert trace.voltage.tolist() == voltages


def test_random_networks_do_all_that_there_is() -> None:
    """Several spikes of a neuron in a step, several synapses on a pair, saturation at both ends."""
    several = repeated = 0
    ends: set[int] = set()
    for seed in range(12):
        fixed = random_odin(seed, TARGET)
        trace = golden.run(fixed, STEPS, random_events(seed, fixed, STEPS), states=True)
        _, counts = np.unique(trace.spikes, axis=0, return_counts=True)
        several += int((counts > 1).sum())
        key = np.column_stack([fixed.source, fixed.target, fixed.hop])
        repeated += len(key) - len(np.unique(key, axis=0))
        assert trace.voltage is not None
        ends |= {int(trace.voltage.min()), int(trace.voltage.max())}
    assert several > 0
    assert repeated > 0
    assert {-2048, 2047 - 1} & ends


# --- words -----------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_the_network_is_found_again(seed: int) -> None:
    fixed = random_odin(seed, TARGET, neurons=20)
    assert not same(tables_of(fixed, TARGET).fixed, fixed)


def chip_of_files(folder: Path, events: NDArray[np.int64], steps: int) -> Chip:
    """A plain chip with the memories of files; places of bits are those of its documentation."""
    words = [int(line, 16) for line in (folder / "neurons.memh").read_text().splitlines()]
    synapses = [int(line, 16) for line in (folder / "synapses.memh").read_text().splitlines()]
    assert (len(words), len(synapses)) == (256, 8192)
    v = [(word & 0xFFF) - (word & 0x800) * 2 for word in words]
    spikes, voltages = [], [list(v)]

    def fire(j: int, step: int) -> None:
        if v[j] >= 0 and v[j] >= words[j] >> 12 & 0xFFF:
            v[j] = 0
            if not words[j] >> 31:
                spikes.append([step, j])

    for step in range(1, steps + 1):
        for event in events[events[:, 0] == step, 1].tolist():
            for j in range(256):
                if event == TIME_REFERENCE:
                    leak = words[j] >> 24 & 0x7F
                    v[j] = max(v[j] - leak, 0) if v[j] >= 0 else min(v[j] + leak, 0)
                else:
                    nibble = synapses[event << 5 | j >> 3] >> 4 * (j & 7) & 15
                    v[j] = min(max(v[j] + nibble - (nibble & 8) * 2, -2048), 2047)
                fire(j, step)
        voltages.append(list(v))
    return Chip(np.asarray(voltages), np.asarray(spikes, np.int64).reshape(-1, 2), True)


def check(found: Chip, trace: golden.Trace) -> None:
    """Spikes in order, and all 256 voltages after each step; those that are not there stay at 0."""
    assert trace.voltage is not None
    n = trace.voltage.shape[1]
    np.testing.assert_array_equal(found.spikes, trace.spikes)
    np.testing.assert_array_equal(found.voltage[:, :n], trace.voltage)
    assert not found.voltage[:, n:].any()
    assert found.synapses_kept


@pytest.mark.parametrize("seed", range(4))
def test_the_memories_do_what_golden_does(seed: int, tmp_path: Path) -> None:
    fixed = random_odin(seed, TARGET)
    tables = tables_of(fixed, TARGET)
    write_words(tables, tmp_path)
    events = random_events(seed, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    sent = aer_input(tables.memories, np.concatenate([events, trace.spikes]), STEPS)
    check(chip_of_files(tmp_path, sent, STEPS), trace)
    assert len(trace.spikes) > 20


def test_spi_writes_the_memories() -> None:
    """Byte by byte, with addresses and data as the chip's documentation has them."""
    tables = tables_of(random_odin(0, TARGET), TARGET)
    neuron, synapse, registers = replayed(tables.memories["spi"].words)
    np.testing.assert_array_equal(neuron, tables.memories["neurons"].words)
    np.testing.assert_array_equal(synapse, tables.memories["synapses"].words)
    assert registers == {0: 0, 1: 1, 2: 0, 3: 23}
    commands = tables.memories["spi"].words[:, 0].tolist()
    assert commands[0] == 0x40000_00001  # write, register 0: stop
    assert len(commands) == 4 + 256 * 4 + 8192 * 4 + 1
    word = int(tables.memories["neurons"].words[7, 0])
    assert commands[4 + 4 * 7 + 2] == (0x50000 | 2 << 8 | 7) << 20 | word >> 16 & 0xFF
    word = int(tables.memories["synapses"].words[300, 0])
    assert commands[4 + 1024 + 1200 + 3] == (0x60000 | 3 << 13 | 300) << 20 | word >> 24


@pytest.mark.slow
def test_rtl_of_tinyodin(tmp_path: Path) -> None:
    """Output in its order, and all states after each time reference's events."""
    repository = folder_of(*ODIN)
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        fixed = random_odin(seed, TARGET, neurons=[24, 24, 40, 1][seed])
        tables = tables_of(fixed, TARGET)
        write_words(tables, folder)
        events = random_events(seed, fixed, STEPS)
        trace = golden.run(fixed, STEPS, events, states=True)
        spikes = np.concatenate([events, trace.spikes])
        check(odin_rtl(repository, tables, spikes, STEPS, folder), trace)
        assert len(trace.spikes) > 20 or seed == 3


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["icarus", "verilator"])
def test_full_chip_in_rtl(tool: str, tmp_path: Path) -> None:
    """256 neurons, from the folder that is written; in Verilator written by the SPI's commands."""
    repository = folder_of(*ODIN)
    net = random_float(1, n=256, density=0.05, delays=1, rate=0.1, v_thresh=-58.0, tau_m=50.0)
    part = net.connections[1]
    net = net.with_connections([net.connections[0], part.kept(part.source < 50)])
    tables = export.lower(net, "odin", quantise=RULE, accept=ACCEPT)
    tables.save(tmp_path)
    trace = tables.trace(30.0, states=True)
    spikes = np.concatenate([tables.events(), trace.spikes])
    by_spi = tool == "verilator"
    check(odin_rtl(repository, tables, spikes, 30, tmp_path, tool, by_spi), trace)
    assert len(trace.spikes) > 100


@pytest.mark.slow
@pytest.mark.parametrize("change", ["threshold", "leak", "weight", "delay"])
def test_other_words_differ_in_rtl(change: str, tmp_path: Path) -> None:
    """> for >=, a missing leak, a flipped bit of a weight, a delay off by one: the RTL tells."""
    repository = folder_of(*ODIN)
    fixed = random_odin(2, TARGET)
    tables = tables_of(fixed, TARGET)
    events = random_events(2, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    changed = with_words(tables, *CHANGES[change])
    write_words(changed, tmp_path)
    spikes = np.concatenate([events, trace.spikes])
    found = odin_rtl(repository, changed, spikes, STEPS, tmp_path)
    with pytest.raises(AssertionError):
        check(found, trace)


# --- what verification finds -----------------------------------------------------------------

CHANGES: dict[str, tuple[str, str, Any]] = {
    "threshold": ("neurons", "threshold", lambda x: np.minimum(x + 1, 4095)),
    "leak": ("neurons", "leak", lambda x: 0 * x),
    "voltage": ("neurons", "voltage", lambda x: x + 1),
    "disabled": ("neurons", "disabled", lambda x: x ^ 1),
    "weight": ("synapses", "weight_1", lambda x: np.where(x != 0, x ^ 1, x)),
    "delay": ("lines", "hop", lambda x: x ^ 1),
    "axon": ("lines", "axon", lambda x: x[::-1]),
    "spi": ("spi", "byte", lambda x: x ^ (np.arange(len(x)) == 99)),
    "spi register": ("spi", "byte", lambda x: x ^ (np.arange(len(x)) == 1)),
}


def with_words(tables: Tables, memory: str, field: str, change: Any) -> Tables:
    """Tables with other values of a field; the SPI's commands are those of the memories."""
    layout, words = tables.memories[memory].layout, tables.memories[memory].words
    values = layout.decode(words)
    values[field] = change(values[field])
    memories = {**tables.memories, memory: Memory(layout, layout.encode(values))}
    if memory in ("neurons", "synapses"):
        memories["spi"] = spi_of(memories)
    return replace(tables, memories=memories)


def spi_of(memories: dict[str, Memory]) -> Memory:
    """Commands that write other memories."""
    old = memories["spi"]
    values = old.layout.decode(old.words)
    data = [memories[name].words[:, 0] for name in ("neurons", "synapses")]
    octets = np.concatenate([each.astype("<u4").view(np.uint8) for each in data])
    values["byte"][4:-1] = octets
    return Memory(old.layout, old.layout.encode(values))


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_other_words_fail_verification(change: str) -> None:
    net = random_float(3, n=32, delays=2, tau_m=10.0)
    tables = export.lower(net, TARGET, quantise=RULE, accept=ACCEPT)
    assert export.verify(tables, duration=50.0).passed
    assert not export.verify(with_words(tables, *CHANGES[change]), duration=50.0).passed


@pytest.mark.parametrize(
    "change", [{"compare": "greater"}, {"decay": "truncating"}, {"voltage_overflow": "wrap"}]
)
def test_another_rule_fails_verification(change: dict[str, Any]) -> None:
    tables = export.lower(random_float(3, n=32, delays=2), TARGET, quantise=RULE, accept=ACCEPT)
    frame = replace(tables.frame, semantics=replace(tables.frame.semantics, **change))
    report = export.verify(replace(tables, frame=frame))
    assert "the update rule is the target's" in [c.statement for c in report.checks if not c.holds]


def test_flipped_nibbles_and_dropped_words_fail_verification() -> None:
    tables = export.lower(random_float(3, n=32, delays=2), TARGET, quantise=RULE, accept=ACCEPT)
    rng = np.random.default_rng(0)
    for name, memory in tables.memories.items():
        for _ in range(15):
            words, bit = memory.words.copy(), int(rng.integers(0, memory.layout.width))
            row = rng.integers(0, min(len(words), 256))
            words[row, 0] ^= np.uint64(1 << bit)
            memories = {**tables.memories, name: Memory(memory.layout, words)}
            if name in ("neurons", "synapses"):
                memories["spi"] = spi_of(memories)
            assert not export.verify(replace(tables, memories=memories)).passed, (name, row, bit)
        short = Memory(memory.layout, memory.words[:-1])
        report = export.verify(replace(tables, memories={**tables.memories, name: short}))
        assert not report.passed, name


# --- approximations and limits ---------------------------------------------------------------


def test_what_has_to_be_accepted() -> None:
    net = random_float(1, n=32)
    with pytest.raises(export.LimitsError) as caught:
        export.lower(net, "odin", quantise=RULE)
    assert {each.accept for each in caught.value.violations} == set(ACCEPT)
    with pytest.raises(export.LimitsError, match="cells with a constant input; limit: none"):
        export.lower(random_float(1, n=32, i_offset=0.1), "odin", quantise=RULE, accept=ACCEPT)
    with pytest.raises(export.ExportError, match="signed weights of up to 4 bits"):
        export.lower(net, "odin", quantise=export.Quantise())
    with pytest.raises(export.LimitsError, match="257 neurons; limit: 256"):
        export.lower(random_float(1, n=257), "odin", quantise=RULE, accept=ACCEPT)
    with pytest.raises(export.LimitsError, match="lines, one for each source and delay"):
        export.lower(random_float(1, n=64, delays=9), "odin", quantise=RULE, accept=ACCEPT)


def test_the_leak_is_the_best_constant() -> None:
    """Half of what leaks at the threshold, from both sides to 0."""
    tau = np.array([5.0, 20.0, 1e9])
    cells = neurons("n", 3, model="IF_curr_delta", tau_m=tau, tau_refrac=0.0)
    one = np.zeros(1, np.int64)
    part = make_connections("s→n", 0, 1, "excitatory", 1, one, one, np.array([0.1]), one + 1)
    net = FloatNet(1.0, (sources("s", 1), cells), (part,))
    tables = export.lower(net, "odin", quantise=RULE, accept=["leak", "events"])
    fixed = tables.fixed
    leak = fixed.profiles.voltage_decay[fixed.profile]
    wanted = (1 - np.exp(-1 / tau)) * 15.0 / 2 * tables.scale[0]
    np.testing.assert_allclose(leak, wanted, atol=0.5)
    assert leak[0] > leak[1] > leak[2] == 0
    trace = golden.run(
        replace(fixed, initial=np.array([9, -9, -9])), 60, np.zeros((0, 2), np.int64), states=True
    )
    assert trace.voltage is not None
    assert trace.voltage[-1].tolist() == [0, 0, -9]
