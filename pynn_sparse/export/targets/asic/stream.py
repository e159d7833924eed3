"""Commands and answers of the core behind its streams (`verilog/pynn_sparse_stream.v`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...arguments import door
from ...errors import ExportError
from ...folder.memh import to_memh
from ...nets.layout import Limbs
from ...tables import Tables
from .core import LOADED, SOURCES, STREAM_BENCH
from .simulate import available, call

Integers = NDArray[np.int64]
PIECE = 28  # bits of a value
SPIKE, TICK, FIRST_TABLE, MORE, WRITE, BEGIN = 0, 1, 2, 7, 8, 9
SPIKED, ENDED, REFUSED = 0, 1, 2


@dataclass(frozen=True)
class Answers:
    """What a core answered.

    Attributes:
        spikes: int64 [n, 2], (step, neuron), in the order of arrival.
        steps: time steps that ended.
        refused: commands that were refused, by their number, in order.
    """

    spikes: Integers
    steps: int
    refused: tuple[int, ...]


def loading(tables: Tables) -> Integers:
    """Commands that write all tables of the target `asic`, and begin: int64, words of 32 bits."""
    parts = []
    for number, name in enumerate(LOADED):
        memory = tables.memories[name]
        parts.append(np.array([FIRST_TABLE + number << PIECE], np.int64))
        parts.append(_pieces(memory.words, memory.layout.width).ravel())
    return np.concatenate([*parts, np.array([BEGIN << PIECE], np.int64)])


def _pieces(words: Limbs, width: int) -> Integers:
    """Commands for each word, [n, pieces], the highest piece first."""
    count = -(-width // PIECE)
    longer = np.column_stack([words, np.zeros(len(words), np.uint64)])
    commands = np.empty((len(words), count), np.int64)
    for piece in range(count):
        limb, first = divmod(piece * PIECE, 64)
        bits = longer[:, limb] >> np.uint64(first)
        if first + PIECE > 64:
            bits = bits | longer[:, limb + 1] << np.uint64(64 - first)
        kind = MORE if piece else WRITE
        value = (bits & np.uint64((1 << PIECE) - 1)).astype(np.int64)
        commands[:, count - 1 - piece] = kind << PIECE | value
    return commands


def playing(events: Integers, steps: int) -> Integers:
    """Commands of a run: int64, words of 32 bits.

    Args:
        events: (step, axon) of sources' spikes, int64 [n, 2]; a spike of step t is sent after the
            tick that begins step t, as in `stimulus.memh`. Those after the last step are left out.
        steps: time steps. A tick after the last one is not sent.

    Raises `ExportError` for an axon of more than 28 bits.
    """
    steps = door.integer("steps", steps, 1)
    events = events[events[:, 0] <= steps]
    if len(events) and int(events[:, 1].max()) >> PIECE:
        raise ExportError(f"axon {int(events[:, 1].max())}: must be below {1 << PIECE}")
    step = np.concatenate([np.arange(1, steps + 1), events[:, 0]])
    tick = np.arange(len(step)) < steps
    axon = np.append(np.zeros(steps, np.int64), events[:, 1])
    word = np.where(tick, TICK << PIECE, SPIKE << PIECE | axon)
    return np.asarray(word[np.lexsort((word, ~tick, step))])


def answers(words: Integers) -> Answers:
    """What words of 32 bits from m_axis say.

    Raises `ExportError` for a word that the core does not send.
    """
    words = np.asarray(words, np.int64)
    kind, value = words >> PIECE, words & (1 << PIECE) - 1
    if len(words) and not 0 <= int(kind.min()) <= int(kind.max()) <= REFUSED:
        odd = words[(kind < 0) | (kind > REFUSED)][0]
        raise ExportError(f"answer {int(odd):#x}: must begin with {SPIKED}, {ENDED} or {REFUSED}")
    step = np.cumsum(kind == ENDED) + 1
    spiked = kind == SPIKED
    spikes = np.column_stack([step[spiked], value[spiked]])
    return Answers(spikes, int((kind == ENDED).sum()), tuple(value[kind == REFUSED].tolist()))


def stream(
    tables: Tables,
    folder: Path,
    commands: Integers,
    stalls: int | None = None,
    preloaded: bool = False,
) -> Answers:
    """Play commands to the core behind its streams, in Icarus Verilog.

    Args:
        tables: for the target `asic`.
        folder: with their files.
        commands: words of 32 bits, as of `loading` and `playing`.
        stalls: seed of random moments at which neither side is willing; None for never.
        preloaded: whether tables are there when the simulation begins.

    Raises `ExportError` where Icarus is not installed, or the core stops or breaks a handshake.
    """
    if not available("icarus"):
        raise ExportError("icarus is not installed (Debian: apt-get install iverilog)")
    (folder / "commands.memh").write_bytes(to_memh(commands.astype(np.uint64)[:, None], 32))
    defines = [f"-DMOST_COMMANDS={len(commands)}", *([] if preloaded else ["-DLOAD_PORT"])]
    call(["iverilog", "-g2005", *defines, "-o", "stream.vvp", *SOURCES, STREAM_BENCH], folder)
    more = [] if stalls is None else [f"+stalls={stalls}"]
    printed = call(["vvp", "stream.vvp", *more], folder)
    if "PASS" not in printed:
        raise ExportError(f"the simulation of streams failed: {printed[-500:]}")
    text = (folder / "answers.txt").read_text().split()
    return answers(np.array([int(word, 16) for word in text], np.int64))
