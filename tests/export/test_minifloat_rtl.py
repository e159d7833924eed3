"""Weights as small floating-point numbers in the Verilog core."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_networks import random_events, random_fixed, random_float, tables_of, write_words
from minifloat_numbers import values

from pynn_sparse import export
from pynn_sparse.export.image import pack_rows, unpack_rows
from pynn_sparse.export.models import golden
from pynn_sparse.export.nets.fixednet import FixedNet, same
from pynn_sparse.export.nets.minifloat import Minifloat
from pynn_sparse.export.targets.asic.core import SOURCES
from pynn_sparse.export.targets.asic.simulate import TOOLS, available, simulate
from pynn_sparse.export.targets.asic.synthesise import energy, missing, synthesise

STEPS = 60


def floating(seed: int, kind: Minifloat) -> FixedNet:
    """All kinds of registers, and synapses of sources that have all numbers of a format."""
    fixed, rng = random_fixed(seed), np.random.default_rng(seed)
    count, neurons = 320, fixed.n_neurons
    source = np.sort(np.append(rng.integers(0, neurons, 40), rng.integers(0, 8, count) + neurons))
    n = len(source)
    magnitude = np.resize(values(kind)[1:], n)[::-1]
    return replace(
        fixed,
        start=np.searchsorted(source, np.arange(fixed.n_axons + 1)).astype(np.int64),
        target=rng.integers(0, neurons, n),
        weight=magnitude * rng.choice([-1, 1], n),
        hop=rng.integers(1, 6, n),
        format=rng.integers(0, 3, n),
        minifloat=kind,
    )


RTL_FORMATS = ["e1m6", "e2m1", "e2m5", "e3m0", "e3m4", "e4m3", "e5m2", "e4m0", "e1m0"]


def equal_in(tool: str, name: str, seed: int, folder: Path) -> golden.Trace:
    if not available(tool):
        pytest.skip(f"{tool} is not installed (Debian: apt-get install {TOOLS[tool]})")
    rule = export.Quantise().with_bits(name)
    fixed = floating(seed, rule.minifloat)
    target = export.find("asic", voltage_bits=32)
    fixed = replace(fixed, semantics=target.semantics(fixed.semantics.n_receptors))
    memories = target.pack(fixed, rule.weight_bits, True)
    assert same(unpack_rows(memories, fixed.frame), fixed) == []
    tables = replace(tables_of(fixed, target), rule=rule, memories=memories)
    write_words(tables, folder)
    events = random_events(seed, fixed, STEPS)
    used = fixed.weight[np.isin(fixed.source, events[events[:, 0] < STEPS - 5, 1])]
    assert set(np.abs(used).tolist()) == set(values(rule.minifloat)[1:])
    trace = golden.run(fixed, STEPS, events, states=True)
    found = simulate(tables, folder, events, STEPS, tool)
    for each in ("voltage", "current", "waiting", "spikes"):
        np.testing.assert_array_equal(getattr(found, each), getattr(trace, each), each)
    return trace


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", RTL_FORMATS)
def test_icarus_has_every_state(name: str, seed: int, tmp_path: Path) -> None:
    assert equal_in("icarus", name, seed, tmp_path).synaptic_events > 5000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["e4m3", "e3m0", "e5m2"])
def test_verilator_has_every_state(name: str, tmp_path: Path) -> None:
    assert equal_in("verilator", name, 2, tmp_path).synaptic_events > 5000


@pytest.mark.parametrize("signed", [True, False])
def test_the_core_runs_a_network_that_was_lowered(signed: bool, tmp_path: Path) -> None:
    if not available("icarus"):
        pytest.skip("icarus is not installed (Debian: apt-get install iverilog)")
    rule = export.Quantise(signed=signed).with_bits("e3m2")
    tables = export.lower(random_float(5, tau_syn_I=8.0), "asic", quantise=rule)
    tables.save(tmp_path)
    trace = tables.trace(STEPS, states=True)
    assert len(trace.spikes) > 20
    found = simulate(tables, tmp_path, tables.events(), STEPS)
    for each in ("voltage", "current", "waiting", "spikes"):
        np.testing.assert_array_equal(getattr(found, each), getattr(trace, each), each)


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("normal ? exponent - 1'b1 : exponent", "exponent"),
        ("(hidden | stored) << left", "stored << left"),
        ("negative_weight ? -size : size", "size"),
    ],
)
def test_another_decoding_is_noticed(line: str, instead: str, tmp_path: Path) -> None:
    if not available("icarus"):
        pytest.skip("icarus is not installed (Debian: apt-get install iverilog)")
    rule = export.Quantise(weight_bits=6, exponent_bits=3)
    tables = export.lower(random_float(5), "asic", quantise=rule)
    tables.save(tmp_path)
    core = tmp_path / "pynn_sparse_core.v"
    assert core.read_text().count(line) == 1
    core.write_text(core.read_text().replace(line, instead))
    trace = tables.trace(STEPS, states=True)
    found = simulate(tables, tmp_path, tables.events(), STEPS)
    assert not np.array_equal(found.current, trace.current)


def test_packing_takes_the_format_from_the_network() -> None:
    """Without mantissa bits, and without a sign."""
    kind = Minifloat(3, 0)
    fixed = floating(1, kind)
    fixed = replace(fixed, weight=np.abs(fixed.weight))
    memories = pack_rows(fixed, 3, False, 16, 24)
    assert [f.name for f in memories["synapses"].layout.fields][3:] == ["exponent"]
    assert same(unpack_rows(memories, fixed.frame), fixed) == []


@pytest.mark.parametrize(("name", "signed"), [("e4m3", True), ("e1m0", True), ("e3m0", False)])
def test_verilator_finds_nothing_to_complain_of(name: str, signed: bool, tmp_path: Path) -> None:
    if not available("verilator"):
        pytest.skip("verilator is not installed (Debian: apt-get install verilator)")
    rule = export.Quantise(signed=signed).with_bits(name)
    export.lower(random_float(5), "asic", quantise=rule).save(tmp_path)
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "pynn_sparse_top", *SOURCES]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_standard_cells_have_no_latches_and_the_same_spikes(tmp_path: Path) -> None:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())}")
    rule = export.Quantise().with_bits("e3m2")
    tables = export.lower(random_float(1), "asic", quantise=rule)
    tables.save(tmp_path)
    made = synthesise(tmp_path)
    assert 3000 < made.cells < 7000
    trace = tables.trace(25)
    assert len(trace.spikes) > 0
    found = energy(tables, tmp_path, tables.events(), trace, 25)
    assert found.slack > 0
