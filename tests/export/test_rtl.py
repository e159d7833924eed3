"""The Verilog core equals the golden model in every state of every tick."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_networks import random_events, random_fixed, random_float, tables_of, write_words
from numpy.typing import NDArray

from pynn_sparse import export
from pynn_sparse.export.models import golden
from pynn_sparse.export.nets.fixednet import FixedNet
from pynn_sparse.export.tables import Tables
from pynn_sparse.export.targets.asic.core import SOURCES
from pynn_sparse.export.targets.asic.simulate import TOOLS, Simulated, available, simulate
from pynn_sparse.export.targets.asic.synthesise import missing, synthesise

STEPS = 60


def needs(tool: str) -> None:
    if not available(tool):
        pytest.skip(f"{tool} is not installed (Debian: apt-get install {TOOLS[tool]})")


def equal(found: Simulated, trace: golden.Trace) -> bool:
    return all(
        np.array_equal(getattr(found, name), getattr(trace, name))
        for name in ("voltage", "current", "waiting", "spikes")
    )


def run_core(
    tables: Tables, folder: Path, events: NDArray[np.int64], tool: str = "icarus"
) -> Simulated:
    write_words(tables, folder)
    return simulate(tables, folder, events, STEPS, tool)


@pytest.mark.parametrize("seed", range(8))
def test_icarus_has_every_state(seed: int, tmp_path: Path) -> None:
    """Networks of one and two receptors, all registers, strong ones saturate."""
    needs("icarus")
    fixed = random_fixed(seed, strong=seed % 2 == 1)
    events = random_events(seed, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    found = run_core(tables_of(fixed), tmp_path, events)
    assert equal(found, trace)
    neurons, receptors = fixed.n_neurons, fixed.semantics.n_receptors
    cycles = STEPS * (3 + neurons * (3 + receptors)) + 2 * trace.synaptic_events
    assert cycles <= found.cycles <= cycles + 8 * (STEPS + len(events) + len(trace.spikes))


@pytest.mark.slow
def test_verilator_has_every_state(tmp_path: Path) -> None:
    needs("verilator")
    for seed in (2, 3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        fixed = random_fixed(seed, strong=seed == 3)
        events = random_events(seed, fixed, STEPS)
        trace = golden.run(fixed, STEPS, events, states=True)
        assert equal(run_core(tables_of(fixed), folder, events, "verilator"), trace)


def test_unsigned_weights(tmp_path: Path) -> None:
    needs("icarus")
    rule = export.Quantise(weight_bits=3, signed=False, per="neuron")
    tables = export.lower(random_float(5, tau_syn_I=8.0), "asic", quantise=rule)
    tables.save(tmp_path)
    assert tables.fixed.formats.negative.any()
    trace = tables.trace(STEPS, states=True)
    assert len(trace.spikes) > 20
    assert equal(simulate(tables, tmp_path, tables.events(), STEPS), trace)


def test_many_spikes_of_a_source_in_a_tick(tmp_path: Path) -> None:
    needs("icarus")
    fixed = random_fixed(1)
    events = np.repeat(random_events(1, fixed, STEPS), 3, axis=0)
    trace = golden.run(fixed, STEPS, events, states=True)
    assert equal(run_core(tables_of(fixed), tmp_path, events), trace)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("free && voltage >= threshold", "free && voltage > threshold"),
        ("{1'b0, decay} + {{DECAY_BITS{1'b0}}, state != DECAY_V}", "{1'b0, decay}"),
        ("now + hop[SLOT_BITS-1:0] + 1'b1", "now + hop[SLOT_BITS-1:0]"),
        ("magnitude <= x[V-1] ? -x : x", "magnitude <= x[V-1] ? ~x : x"),
        ("fits ? wide[V-1:0] : {wide[SUM-1], {(V-1){~wide[SUM-1]}}}", "wide[V-1:0]"),
    ],
)
def test_another_rule_is_noticed(line: str, instead: str, tmp_path: Path) -> None:
    """> for >=, a missing + 1, a delay off by one, another rounding, wrapping for saturation."""
    needs("icarus")
    differing = 0
    for seed in (0, 1, 3):
        fixed = on_the_edge(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        tables = tables_of(fixed)
        write_words(tables, folder)
        core = folder / "pynn_sparse_core.v"
        assert core.read_text().count(line) == 1
        core.write_text(core.read_text().replace(line, instead))
        events = random_events(seed, fixed, STEPS)
        trace = golden.run(fixed, STEPS, events, states=True)
        differing += not equal(simulate(tables, folder, events, STEPS), trace)
    assert differing


def on_the_edge(seed: int) -> FixedNet:
    """Strong weights, and thresholds that a constant bias reaches exactly."""
    fixed = random_fixed(seed, strong=True)
    formats = replace(fixed.formats, shift=fixed.formats.shift + 4)
    registers = fixed.profiles
    bias = np.where(np.arange(len(registers.bias)) == 0, registers.threshold, registers.bias)
    decay = np.where(np.arange(len(bias)) == 0, 0, registers.voltage_decay)
    profiles = replace(registers, bias=bias, voltage_decay=decay)
    initial = np.zeros_like(fixed.initial)
    return replace(fixed, formats=formats, profiles=profiles, initial=initial)


def test_verilator_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    needs("verilator")
    write_words(tables_of(random_fixed(0)), tmp_path)
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "pynn_sparse_top", *SOURCES]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_sources_are_verilog_2005(tmp_path: Path) -> None:
    needs("icarus")
    write_words(tables_of(random_fixed(0)), tmp_path)
    command = ["iverilog", "-g2005", "-Wall", "-t", "null", *SOURCES]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "error" not in done.stderr


def test_a_latch_would_be_noticed(tmp_path: Path) -> None:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())}")
    write_words(tables_of(random_fixed(0)), tmp_path)
    core = tmp_path / "pynn_sparse_core.v"
    line = "next_state = {STATE_WIDTH{1'b0}};"
    assert core.read_text().count(line) == 1
    core.write_text(core.read_text().replace(line, "if (tick) next_state = {STATE_WIDTH{1'b1}};"))
    with pytest.raises(export.ExportError, match="yosys failed"):
        synthesise(tmp_path)
