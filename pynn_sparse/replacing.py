"""Files that are written whole or not at all.

What is there is not touched until its successor is complete, and on the disk: the new file is
written beside it, and then takes its name. So a full disk, an error or the end of the process
leaves the old file as it was.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_numbers = itertools.count()


@contextmanager
def replaced(path: str | os.PathLike[str], *, extend: bool = False) -> Iterator[Path]:
    """Give the path of a new file, which takes the place of `path` when the section ends.

    If the section raises, nothing has changed. A symbolic link stays one: the file that it names is
    replaced. What is no plain file, such as a pipe, is written as it is.

    Args:
        path: of the file to write; its ending is that of the new path, too.
        extend: whether the new file begins with what is in the old one.

    Raises OSError, naming `path`, if the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        yield target
        return
    _remove_leftovers(target)
    new = target.with_name(f"{_prefix(target)}{os.getpid()}-{next(_numbers)}{target.suffix}")
    try:
        if extend and target.exists():
            shutil.copyfile(target, new)
        yield new
        if target.exists():
            os.chmod(new, stat.S_IMODE(target.stat().st_mode))
        synchronise(new)
        os.replace(new, target)
        synchronise(target.parent)
    except OSError as error:
        if error.filename in (str(new), None):
            number = error.errno or 0
            raise type(error)(number, f"{error.strerror or error}", str(path)) from error
        raise
    finally:
        with suppress(FileNotFoundError):
            new.unlink()


@contextmanager
def replaced_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file for binary writing that takes the place of the one at `path` when it is complete."""
    with replaced(path) as new, new.open("wb") as file:
        yield file


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in UTF-8; see `replaced`."""
    with replaced_file(path) as file:
        file.write(text.encode())


def _prefix(target: Path) -> str:
    """How the names of successors of a file begin, on this machine."""
    return f".{target.name}.{socket.gethostname()}-"


def _remove_leftovers(target: Path) -> None:
    """Remove what a process that was killed while it wrote has left."""
    for path in _siblings(target):
        process = path.name.removeprefix(_prefix(target)).split("-")[0]
        if process.isdecimal() and not _alive(int(process)):
            with suppress(OSError):  # another process may be about the same
                path.unlink()


def _siblings(target: Path) -> list[Path]:
    with suppress(OSError):  # what is wrong with the folder is said when the file is written
        return [each for each in target.parent.iterdir() if each.name.startswith(_prefix(target))]
    return []


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def synchronise(path: Path) -> None:
    """Have a file, or a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if not path.is_dir():  # some file systems cannot do that for folders
            raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(handle)
