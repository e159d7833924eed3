"""Compiled files that are kept from one run to the next, in a folder of the user.

What is kept is code that will be executed. So the folder and the files belong to the user, nobody
else can write to them, and a file ends with a SHA-256 of its name and of what comes before: one
that is damaged, or not whole, is made anew. (A shared library may be followed by any bytes.)
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ...notices import warn

NAME = "pynn-sparse"
DIGEST_SIZE = hashlib.sha256().digest_size
LOCKS = 16


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """A file of the cache. `make(path)` writes it if it is not there, or is not as it was written.

    Of several processes that need it at the same time, one makes it and the others wait.
    """
    for place in (_preferred(), _temporary()):
        if _is_intact(place / name):
            return place / name
    place = folder()
    with _locked(place / _lock_of(name)):
        if not _is_intact(place / name):
            _make(place / name, make)
    return place / name


def _make(path: Path, make: Callable[[Path], None]) -> None:
    """Make a file, which appears under its name only when it is complete."""
    for left in path.parent.glob(f"{path.name}.*.part"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        dir=path.parent, prefix=f"{path.name}.", suffix=".part"
    ) as work:
        file = Path(work) / path.name
        make(file)
        file.chmod(0o700)  # whatever the umask
        with file.open("r+b") as stream:
            stream.write(_digest(path.name, stream.read()))
        file.replace(path)


def _is_intact(path: Path) -> bool:
    """Whether a file is the user's, nobody else can write to it, and it is as it was written."""
    try:
        _check_private(path.parent)
        with path.open("rb") as stream:
            if _flaw(os.fstat(stream.fileno())):
                return False
            content = stream.read()
    except OSError:  # it is not there, or cannot be read
        return False
    return content[-DIGEST_SIZE:] == _digest(path.name, content[:-DIGEST_SIZE])


def _digest(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + content).digest()


def folder() -> Path:
    """The folder of what is kept; it is made if it is not there.

    It is `pynn-sparse` in XDG_CACHE_HOME, where that is an absolute path, and else in ~/.cache. If
    that cannot be used, it is a folder for temporary files, and a `RuntimeWarning` says why.
    """
    preferred = _preferred()
    try:
        return _prepared(preferred)
    except OSError as error:
        instead = _temporary()
        try:
            _prepared(instead)
        except OSError:
            instead = _of_this_process()
        _warn(f"{preferred} cannot be used ({error.strerror or error})", instead)
        return instead


def is_writable(path: Path) -> bool:
    """Whether a folder can be written to, or made if it is not there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return os.access(path, os.W_OK | os.X_OK)


def _preferred() -> Path:
    # As the XDG Base Directory Specification says, a path that is not absolute counts as not set.
    for base in (os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache")):
        if Path(base).is_absolute():
            return Path(base) / NAME
    return _temporary()  # there is no home


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"{NAME}-{os.geteuid()}"


@functools.cache
def _of_this_process() -> Path:
    path = Path(tempfile.mkdtemp(prefix=f"{NAME}-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def _warn(reason: str, instead: Path) -> None:
    """Once for each reason."""
    warn(
        f"the folder for compiled kernels {reason}; they are kept in {instead}. Set XDG_CACHE_HOME "
        "to a folder of yours to keep them elsewhere",
        RuntimeWarning,
    )


def _prepared(path: Path) -> Path:
    """A folder that its owner alone can write to, made if necessary; OSError if that is no use."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o022:
        path.chmod(0o700)
    _check_private(path)
    if not is_writable(path):
        raise PermissionError(0, "it is not writable", str(path))
    return path


def _check_private(path: Path) -> None:
    """Raise `PermissionError` if others may write to a folder."""
    for status in (path.lstat(), path.stat()):  # of a link, too
        flaw = _flaw(status)
        if flaw:
            raise PermissionError(0, flaw, str(path))


def _flaw(status: os.stat_result) -> str:
    """Why code from there is not to be executed, or nothing."""
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    writable = status.st_mode & 0o022 and not stat.S_ISLNK(status.st_mode)
    return "others can write to it" if writable else ""


def _lock_of(name: str) -> str:
    """One of a few files, so that processes make different files at the same time."""
    return f"lock-{_digest(name, b'')[0] % LOCKS}"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """While no other process has this lock; it is given up with the process, however that ends."""
    with path.open("a") as file:
        # Some file systems have no locks. Then two processes may make the same file, one of which
        # is replaced by the other.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
