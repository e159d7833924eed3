"""Signals are held back while a simulation is between two states that make sense.

Python runs the handler of a signal, such as that of Ctrl-C, between any two of its instructions. In
a section that is `held` it runs at the end of the section instead.
"""

from __future__ import annotations

# What the module `signal` wraps: its enumerations take longer than all else here.
import _signal  # type: ignore[import-not-found]
import os
import signal
import threading
from collections.abc import Callable
from threading import get_ident
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]

# Those for which scripts and tools have handlers that raise.
SIGNALS = [
    int(getattr(signal, name))
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]

_main = threading.main_thread().ident
_depth = 0
_waiting: list[tuple[Handler, int, FrameType | None]] = []


class _Deferring:
    """Takes the place of a handler, which it calls: at once, or at the end of a held section.

    It stays when the section ends, since installing a handler takes longer than most sections.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if _depth:
            _waiting.append((self._handler, number, frame))
        else:
            self._handler(number, frame)


def pending() -> bool:
    """Whether a signal waits for the end of the section."""
    return bool(_waiting)


class Held:
    """A section, as in ``with held:``, in which no signal's handler is run; sections may nest.

    Only Python's main thread runs handlers, so that it changes nothing in others.
    """

    def __enter__(self) -> None:
        global _depth
        if get_ident() == _main:
            for number in SIGNALS:
                handler = _signal.getsignal(number)
                if type(handler) is not _Deferring and callable(handler):
                    _signal.signal(number, _Deferring(handler))
            _depth += 1

    def __exit__(self, *_: object) -> None:
        global _depth
        if get_ident() == _main:
            _depth -= 1
            if not _depth and _waiting:
                waiting, _waiting[:] = _waiting[:], []
                for handler, number, frame in waiting:
                    handler(number, frame)


held = Held()


def _forked() -> None:
    """The thread that forks is the child's main thread, and in no section but its own."""
    global _main, _depth
    if get_ident() != _main:
        _main, _depth = get_ident(), 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
