"""The ports of the Verilog core: loading, commands in one cycle, streams with backpressure."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from export_networks import random_events, random_fixed, tables_of, write_words

from pynn_sparse import export
from pynn_sparse.export.models import golden
from pynn_sparse.export.targets.asic.core import LOADED, SOURCES
from pynn_sparse.export.targets.asic.simulate import TOOLS, available, simulate
from pynn_sparse.export.targets.asic.stream import (
    BEGIN,
    FIRST_TABLE,
    MORE,
    PIECE,
    SPIKE,
    TICK,
    WRITE,
    answers,
    loading,
    playing,
    stream,
)

STEPS = 40


@pytest.fixture(autouse=True)
def icarus() -> None:
    if not available("icarus"):
        pytest.skip(f"icarus is not installed (Debian: apt-get install {TOOLS['icarus']})")


def without_tables(folder: Path) -> None:
    """So that nothing can come from a file."""
    for name in LOADED:
        (folder / f"{name}.memh").unlink()


@pytest.mark.parametrize("seed", [2, 3])
def test_tables_through_the_port_give_every_state(seed: int, tmp_path: Path) -> None:
    """One and two receptors; the core's memories begin undefined."""
    fixed = random_fixed(seed)
    events = random_events(seed, fixed, STEPS)
    tables = tables_of(fixed)
    write_words(tables, tmp_path)
    trace = golden.run(fixed, STEPS, events, states=True)
    assert len(trace.spikes) > 20
    found = simulate(tables, tmp_path, events, STEPS, load=True)
    for name in ("voltage", "current", "waiting", "spikes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(trace, name))


@pytest.mark.parametrize("stalls", [None, 1, 7])
def test_streams_have_the_spikes(stalls: int | None, tmp_path: Path) -> None:
    """Loaded and played by commands alone, with sides that are unwilling at random moments."""
    fixed = random_fixed(2)
    events = random_events(2, fixed, STEPS)
    tables = tables_of(fixed)
    write_words(tables, tmp_path)
    commands = np.concatenate([loading(tables), playing(events, STEPS)])
    without_tables(tmp_path)
    found = stream(tables, tmp_path, commands, stalls)
    np.testing.assert_array_equal(found.spikes, golden.run(fixed, STEPS, events).spikes)
    assert (found.steps, found.refused) == (STEPS, ())


def test_another_network_of_the_same_size_can_follow(tmp_path: Path) -> None:
    """Tables are written a second time: the network begins anew, with other weights."""
    fixed = random_fixed(3)
    events = random_events(3, fixed, STEPS)
    tables = tables_of(fixed)
    write_words(tables, tmp_path)
    play = playing(events, STEPS)
    twice = np.concatenate([play, loading(tables), play])
    found = stream(tables, tmp_path, twice, preloaded=True)
    spikes = golden.run(fixed, STEPS, events).spikes
    again = np.column_stack([spikes[:, 0] + STEPS, spikes[:, 1]])
    np.testing.assert_array_equal(found.spikes, np.concatenate([spikes, again]))


def test_what_does_not_exist_is_refused(tmp_path: Path) -> None:
    """Axons, addresses, commands out of place: an answer each, and the network goes on."""
    fixed = random_fixed(2)
    events = random_events(2, fixed, STEPS)
    tables = tables_of(fixed)
    write_words(tables, tmp_path)
    beyond = [fixed.n_axons, (1 << PIECE) - 1]
    odd = [SPIKE << PIECE | axon for axon in beyond]
    odd += [kind << PIECE for kind in (MORE, WRITE, BEGIN, 10, 15)]
    play = playing(events, STEPS)
    half = int(np.flatnonzero(play >> PIECE == TICK)[STEPS // 2])
    found = stream(tables, tmp_path, np.concatenate([play[:half], odd, play[half:]]), 3, True)
    assert found.refused == (SPIKE, SPIKE, MORE, WRITE, BEGIN, 10, 15)
    np.testing.assert_array_equal(found.spikes, golden.run(fixed, STEPS, events).spikes)

    rows = fixed.n_axons + 1
    out = [FIRST_TABLE << PIECE | rows, WRITE << PIECE, FIRST_TABLE + 1 << PIECE | (1 << PIECE) - 1]
    out += [WRITE << PIECE, TICK << PIECE, SPIKE << PIECE]
    found = stream(tables, tmp_path, np.concatenate([out, loading(tables), play]), None)
    assert found.refused == (WRITE, WRITE, TICK, SPIKE)
    np.testing.assert_array_equal(found.spikes, golden.run(fixed, STEPS, events).spikes)


def test_last_words_of_tables_are_written(tmp_path: Path) -> None:
    """A core that takes one word less of any table has other states, or refuses it."""
    fixed = random_fixed(2)
    tables = tables_of(fixed)
    write_words(tables, tmp_path)
    commands = loading(tables)
    writes = np.flatnonzero(commands >> PIECE == WRITE)
    assert len(writes) == sum(len(memory.words) for memory in tables.memories.values())
    more = np.insert(commands, writes[-1] + 1, WRITE << PIECE)  # one beyond the last profile
    assert stream(tables, tmp_path, more).refused == (WRITE,)


PROBE = """
`timescale 1ns / 1ns
module probe;
`include "parameters.vh"
  reg clk = 0, reset = 1, tick = 0, event_valid = 0, spike_ready = 1;
  reg [AXON_BITS-1:0] axon = 0;
  wire ready, refused, spike_valid, load_ready;
  wire [NEURON_BITS-1:0] spike_neuron;
  integer refusals = 0;
  pynn_sparse_top top (.clk(clk), .reset(reset), .load(1'b0), .load_valid(1'b0),
      .load_ready(load_ready), .load_table(3'd0), .load_address({ADDRESS_BITS{1'b0}}),
      .load_data({LOAD_BITS{1'b0}}), .tick(tick), .event_valid(event_valid), .event_axon(axon),
      .ready(ready), .refused(refused), .spike_valid(spike_valid), .spike_neuron(spike_neuron),
      .spike_ready(spike_ready));
  always #5 clk = ~clk;
  always @(posedge clk) if (refused === 1'b1) refusals = refusals + 1;
  task settle; while (ready !== 1'b1) @(negedge clk); endtask
  initial begin
    repeat (3) @(negedge clk);
    reset = 0;
    settle;
    tick = 1; event_valid = 1; axon = NEURONS;   // both at once
    @(negedge clk);
    tick = 0; event_valid = 0;
    settle;
    $display("now %0d, refusals %0d", top.core.now, refusals);
    tick = 1; event_valid = 1; axon = AXONS;     // the event is refused, the tick is not
    @(negedge clk);
    tick = 0; event_valid = 0;
    settle;
    $display("now %0d, refusals %0d", top.core.now, refusals);
    $finish;
  end
endmodule
"""


def test_tick_and_event_at_one_edge_are_both_taken(tmp_path: Path) -> None:
    write_words(tables_of(random_fixed(2)), tmp_path)
    (tmp_path / "probe.v").write_text(PROBE)
    for command in (
        ["iverilog", "-g2005", "-o", "probe.vvp", *SOURCES, "probe.v"],
        ["vvp", "-n", "probe.vvp"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["now 1, refusals 0", "now 2, refusals 1"]


def test_event_at_the_edge_of_a_tick_belongs_to_the_step_that_ends() -> None:
    """`playing` keeps them apart; words are in the order of steps, ticks first."""
    words = playing(np.array([[1, 5], [2, 3], [9, 1]]), 2)
    assert words.tolist() == [TICK << PIECE, 5, TICK << PIECE, 3]


@pytest.mark.parametrize("word", [3 << PIECE, 15 << PIECE, -1])
def test_answers_that_no_core_sends(word: int) -> None:
    with pytest.raises(export.ExportError, match="must begin with 0, 1 or 2"):
        answers(np.array([word]))


def test_axons_of_too_many_bits() -> None:
    with pytest.raises(export.ExportError, match=r"axon 268435456: must be below 268435456"):
        playing(np.array([[1, 1 << PIECE]]), 3)
