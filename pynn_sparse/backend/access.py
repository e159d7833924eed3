"""One thread at a time: who may look at the simulation, and change it, while it runs.

While a run is in progress, its callbacks may do what PyNN lets them do; any other thread gets an
error. Without a run, threads wait for each other.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pynn_sparse.interrupts import held

Class = TypeVar("Class", bound=type)
Function = TypeVar("Function", bound=Callable[..., Any])

RUN = "run"
_NOTHING = contextlib.nullcontext()
_lock = threading.RLock()
# The thread that runs, if there is one, by its identifier. Operations of a dict are atomic, which
# leaves no moment in which a signal could find a claim that nobody is going to give up.
_claims: dict[str, int] = {}


def running_thread() -> int | None:
    """Identifier of the thread in which a run is in progress."""
    return _claims.get(RUN)


def check(what: str) -> None:
    """Raise RuntimeError if a run is in progress in another thread."""
    owner = _claims.get(RUN)
    if owner is not None and owner != threading.get_ident():
        names = [each.name for each in threading.enumerate() if each.ident == owner]
        raise RuntimeError(
            f"{what}: a run is in progress in another thread, {names[0] if names else owner}; "
            "wait until it has returned"
        )


def check_no_run(what: str) -> None:
    """Raise RuntimeError if a run is in progress, also for its own callbacks."""
    check(what)
    if running_thread() is not None:
        raise RuntimeError(
            f"{what} was called from a callback of run(), which could not go on then; call it when "
            "run() has returned"
        )


def exclusive(what: str, *, hold: bool = False, in_callbacks: bool = True) -> Callable[..., Any]:
    """Have a function called by one thread at a time, and by no other thread during a run.

    Args:
        what: name of the function in messages.
        hold: whether signals, such as that of Ctrl-C, wait until it has returned.
        in_callbacks: whether a callback of `run` may call it.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if in_callbacks:
                check(what)
            else:
                check_no_run(what)
            try:
                with _lock, held if hold else _NOTHING:
                    return function(*args, **kwargs)
            except TypeError as error:
                if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                    raise
                raise TypeError(f"{what}{_called(function)}: must be called so; {error}") from None

        return guarded  # type: ignore[return-value]

    return decorate


def _called(function: Callable[..., Any]) -> str:
    """How a function or method is called, as a message shows it."""
    arguments = [
        each.replace(annotation=each.empty)
        for each in inspect.signature(function).parameters.values()
        if each.name != "self"
    ]
    return str(inspect.Signature(arguments))


def exclusive_methods(*names: str, hold: bool = False) -> Callable[[Class], Class]:
    """`exclusive` for methods of a class, its own or inherited."""

    def decorate(cls: Class) -> Class:
        for name in names:
            what = cls.__name__ if name == "__init__" else f"{cls.__name__}.{name}"
            setattr(cls, name, exclusive(what, hold=hold)(getattr(cls, name)))
        return cls

    return decorate


def runs(what: str) -> Callable[[Function], Function]:
    """Have a function count as a run, of which there is one at a time."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            me = threading.get_ident()
            check_no_run(what)
            try:
                _claim(me, what)
                with _lock:
                    try:
                        return function(*args, **kwargs)
                    finally:
                        _give_up(me)
            except BaseException:  # an interrupt may have come before that was done
                _give_up(me)
                raise

        return guarded  # type: ignore[return-value]

    return decorate


def _claim(me: int, what: str) -> None:
    if _claims.setdefault(RUN, me) != me:
        check(what)


def _give_up(me: int) -> None:
    if _claims.get(RUN) == me:
        _claims.pop(RUN, None)


def _forked() -> None:
    """In the child of a fork: threads other than the one that forked are gone, and with them what
    one of them was in the middle of.
    """
    global _lock
    if running_thread() == threading.get_ident():  # a callback has forked: both run on
        return
    lost = running_thread() is not None or not _lock.acquire(blocking=False)
    _lock = threading.RLock()
    _claims.clear()
    if lost:
        for function in _when_lost:
            function()


_when_lost: list[Callable[[], None]] = []


def when_lost(function: Callable[[], None]) -> None:
    """Call a function in the child of a fork that has left a run, or a change, behind."""
    _when_lost.append(function)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
