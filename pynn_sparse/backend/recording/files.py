"""Files that recorded data are written to, through Neo."""

from __future__ import annotations

import importlib.util
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from neo import Block
from neo.io import NWBIO
from neo.io.baseio import BaseIO

from pynn_sparse.replacing import replaced

from ...recording import get_io
from .. import simulator
from ..doors.parameters import shown

# Suffix -> the package that Neo needs to write such a file.
NEEDS = {
    ".pkl": None,
    ".pickle": None,
    ".mat": "scipy",
    ".nix": "nixio",
    ".h5": "nixio",
    ".nwb": "pynwb",
}
START = "session_start_time"  # which a file of NWB has to have


def check_destination(option: str, destination: Any) -> None:
    """Raise an error if data cannot be written to what the user gave, a file name or a Neo IO.

    ValueError for the suffix of a file that is of no known format, or an IO that cannot write
    blocks; ImportError if a package is missing; TypeError for anything else.
    """
    if isinstance(destination, BaseIO):
        if Block not in destination.writeable_objects:
            raise ValueError(
                f"{option} = {type(destination).__name__}: cannot write blocks of data; "
                f"give a file name that ends in {_suffixes()}"
            )
    elif isinstance(destination, (str, os.PathLike)):
        _check_name(option, os.fspath(destination))
    elif not hasattr(destination, "write_block"):
        raise TypeError(f"{option} = {shown(destination)}: must be a file name or a Neo IO")


def file_of_record(to_file: Any) -> Any:
    """What `record(..., to_file=...)` asks for, checked; None for no file.

    PyNN's deprecated `record_v` gives True, which asks for no file that could be named.
    """
    if to_file is None or isinstance(to_file, bool):
        return None
    check_destination("to_file", to_file)
    return to_file


def _check_name(option: str, name: str) -> None:
    suffix = Path(name).suffix
    if suffix not in NEEDS:
        raise ValueError(f"{option} = {name!r}: the name must end in {_suffixes()}")
    package = NEEDS[suffix]
    if package and importlib.util.find_spec(package) is None:
        possible = [each for each in NEEDS if _installed(each)]
        raise ImportError(
            f"{option} = {name!r}: files of this format need the package {package} (pip install "
            f"{package}); without it, names may end in {', '.join(possible)}"
        )


def _installed(suffix: str) -> bool:
    package = NEEDS[suffix]
    return package is None or importlib.util.find_spec(package) is not None


def _suffixes() -> str:
    return ", ".join(NEEDS)


EXTENDED = ".nix", ".h5"  # files to which Neo adds a block


def write(destination: Any, block: Block) -> None:
    """Write a block to what `check_destination` has approved of.

    A file that is named is written whole or not at all; an old one is as it was until then.
    """
    if not isinstance(destination, (str, os.PathLike)):
        _write(destination, block)
        return
    path = Path(destination)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path, extend=path.suffix in EXTENDED) as new:
        io = get_io(os.fspath(new))
        try:
            _write(io, block)
        finally:
            if hasattr(io, "close"):
                io.close()


def write_of_process(destination: Any, block: Block, gather: bool) -> None:
    """The same where several processes have data: all those `gather`ed, or those of each.

    Process 0 writes the former. Of the latter each process has a file, whose name ends in its rank.
    """
    processes = simulator.state.processes
    if not processes.gathers or (gather and not processes.rank):
        write(destination, block)
    elif not gather:
        if not isinstance(destination, (str, os.PathLike)):
            raise NotImplementedError(
                "io: on several processes, and with gather = False, must be the name of a file, to "
                "which each process adds its rank"
            )
        path = Path(destination)
        own = path.with_name(f"{path.stem}.{processes.rank}{path.suffix}")
        write(own, block)
        own.replace(path.with_name(f"{path.name}.{processes.rank}"))


def _write(io: Any, block: Block) -> None:
    if isinstance(io, NWBIO) and START not in block.annotations:
        io.annotations.setdefault(START, block.rec_datetime or datetime.now())
    parts = [signal for segment in block.segments for signal in segment.analogsignals]
    names = [part.name for part in parts]
    try:
        io.write_block(block)
    finally:
        for part, name in zip(parts, names, strict=True):
            part.name = name  # which NWBIO changes, also in earlier segments that are kept here
