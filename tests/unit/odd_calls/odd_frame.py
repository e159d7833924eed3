"""A frame for calls that nobody means: each is refused, says why, and changes nothing.

A `Case` is a call with one odd value. `check` makes it, under a limit of time and of memory, and
raises AssertionError unless it ended with a documented error whose message names the parameter,
shows the value and says what would be valid, with the simulation, down to generators of random
numbers, as it was.
"""

from __future__ import annotations

import contextlib
import decimal
import hashlib
import pickle
import re
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyNN.common
import pyNN.sparse as sim
import quantities as pq
from pyNN import errors
from pyNN.parameters import LazyArray, Sequence
from pyNN.random import RandomDistribution
from pyNN.sparse.doors.arguments import UnknownNameError
from pyNN.sparse.doors.parameters import shown
from pyNN.sparse.simulator import state

SECONDS = 20
BYTES = 4 << 30  # more than the process has, for one call
DOCUMENTED = (
    *(TypeError, ValueError, IndexError, NotImplementedError, RuntimeError, MemoryError),
    *(AttributeError, errors.ConnectionError, errors.InvalidModelError),
    *(errors.NonExistentParameterError, errors.InvalidDimensionsError),
    *(errors.RecordingError, errors.NothingToWriteError, UnknownNameError),
)
SAYS_WHAT_IS_VALID = ("must", "valid parameters for", "; make it anew", "are available")


NOT_SHOWN = object()


@dataclass(frozen=True)
class Case:
    """A call with an odd value of a parameter; `generators` are those that it may draw from.

    `value` is what the message has to show, if anything.
    """

    name: str
    parameter: str
    call: Callable[[], Any]
    generators: tuple[Any, ...] = field(default=())
    value: Any = NOT_SHOWN


def odd_numbers() -> dict[str, Any]:
    """What is given where a finite number, or one for each of some cells, is expected."""
    endless: list[Any] = []
    endless.append(endless)
    return {
        "None": None,
        "text": "a",
        "no text": "",
        "syntax": "d +",
        "unknown function": "exq(d)",
        "bytes": b"1",
        "True": True,
        "False": False,
        "numpy True": np.True_,
        "NaN": float("nan"),
        "inf": float("inf"),
        "-inf": -float("inf"),
        "numpy NaN": np.float32("nan"),
        "complex": 1j,
        "numpy complex": np.complex64(1 + 0j),
        "object": object(),
        "class": int,
        "module": np,
        "empty list": [],
        "empty array": np.zeros(0),
        "dictionary": {"a": 1},
        "set": {0.5},
        "generator": (0.5 for _ in range(3)),
        "iterator": iter([0.5]),
        "list of text": ["a", "b"],
        "list of None": [None, None],
        "list of Booleans": [True, False],
        "mixed list": [0.5, "a"],
        "ragged": [[0.5], [0.5, 0.5]],
        "list of itself": endless,
        "other length": [0.5] * 7,
        "other length, array": np.full(7, 0.5),
        "other shape": np.full((2, 7), 0.5),
        "three dimensions": np.full((2, 2, 2), 0.5),
        "array of objects": np.array([0.5, None], object),
        "array of text": np.array(["a", "b"]),
        "array of complex": np.array([1j, 2j]),
        "array of Booleans": np.array([True, False]),
        "array of dates": np.array(["2020-01-01"], "datetime64[D]"),
        "masked": np.ma.masked_equal([0.5, 0.25], 0.5),
        "masked matrix": np.ma.masked_equal(np.full((3, 4), 0.5), 0.5),
        "masked constant": np.ma.masked,
        "length": 1.0 * pq.m,
        "array of lengths": np.ones((3, 4)) * pq.m,
        "timedelta": np.timedelta64(1, "s"),
        "decimal NaN": decimal.Decimal("NaN"),
        "huge integer": 10**400,
        "negative huge integer": -(10**400),
        "sequence": Sequence([0.5, 0.25]),
        "function that gives text": lambda d: "a",
        "function that gives None": lambda d: None,
        "function that gives complex": lambda d: 1j * np.asarray(d),
        "function that gives NaN": lambda d: np.nan * np.asarray(d),
        "function that gives other shapes": lambda d: np.full(9, 0.5),
        "function that raises": lambda d: 1 / 0,
        "function of nothing": lambda: 0.5,
        "function of three": lambda a, b, c: 0.5,
        "law without values": RandomDistribution("normal", (0.5, -1.0)),
        "law of text": RandomDistribution("uniform", ("a", "b")),
        "law of NaN": RandomDistribution("normal", (float("nan"), 0.1)),
        "law that hardly has values": RandomDistribution("normal_clipped", (0.0, 1e-3, 5.0, 6.0)),
    }


def odd_others(*valid: type) -> dict[str, Any]:
    """What is given where something is expected that is no number, but none of these types."""
    values = {
        "None": None,
        "text": "a",
        "bytes": b"a",
        "True": True,
        "zero": 0,
        "number": 3,
        "NaN": float("nan"),
        "complex": 1j,
        "object": object(),
        "class": dict,
        "list": [],
        "list of numbers": [1, 2],
        "dictionary": {},
        "array": np.ones(3),
        "function": lambda: None,
        "generator": (k for k in range(3)),
    }
    return {name: value for name, value in values.items() if type(value) not in valid}


def digest(generators: tuple[Any, ...] = ()) -> str:
    """Of all that a simulation has, down to counters and generators of random numbers."""
    network = state.network
    found: list[Any] = [
        pyNN.common.Projection._nProj,
        pyNN.common.Population._nPop,
        (state.t, state.running, state.closed, state.segment_counter, len(state.recorders)),
        (len(network.blocks), len(network.tables), len(network.junctions), len(network.probes)),
        [(probe.variable, probe.index.tolist()) for probe in network.synapse_probes],
        [(b.version, sorted(b.snapshot().items(), key=lambda i: i[0])) for b in network.blocks],
        [(t.version, t.stream.first, t.rule and t.rule.kind) for t in network.tables],
        [sorted(t.snapshot().items()) for t in (*network.tables, *network.junctions)],
        sorted(vars(network.stream).items()),
        [each.rng.__getstate__() for each in generators],
    ]
    return hashlib.sha256(pickle.dumps(found)).hexdigest()


@contextlib.contextmanager
def limits() -> Iterator[None]:
    """Have a call that goes on, or asks for too much memory, raise."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"it has not come to an end in {SECONDS} s")

    pages = int(open("/proc/self/statm").read().split()[0])  # noqa: SIM115
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def problem(case: Case) -> str:
    """What is wrong with the way in which a call is refused; "" if nothing is."""
    before = digest(case.generators)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with limits():
                case.call()
        except DOCUMENTED as error:
            message, kind = str(error), type(error).__name__
        except BaseException as error:
            return f"{case.name}: raises {type(error).__name__}: {error}"
        else:
            return f"{case.name}: is accepted"
    if digest(case.generators) != before:
        return f"{case.name}: changes the simulation, though it raises {kind}: {message}"
    if case.parameter not in message:
        return f"{case.name}: does not name {case.parameter}: {kind}: {message}"
    if case.value is not NOT_SHOWN and not shows(message, case.value):
        return f"{case.name}: does not show {shown(case.value)}: {kind}: {message}"
    if not any(words in message for words in SAYS_WHAT_IS_VALID):
        return f"{case.name}: does not say what is valid: {kind}: {message}"
    if len(message) > 1000:
        return f"{case.name}: says too much: {message[:200]}"
    return ""


def shows(message: str, value: Any) -> bool:
    """Whether a message has a value as Python writes it, or its first number that is not valid.

    Of a function or a law it has what came of it.
    """
    if shown(value) in message or str(value).lower() in message:
        return True
    first = value
    for _ in range(3):
        first = first[0] if isinstance(first, (list, np.ndarray)) and len(first) else first
    if callable(first) or isinstance(first, (RandomDistribution, LazyArray)):
        return re.search(r" (=|contain|gave) \S", message) is not None
    return isinstance(first, float) and f"{first:g}" in message


def check(cases: list[Case]) -> None:
    """Raise AssertionError with all that is wrong."""
    problems = [found for found in map(problem, cases) if found]
    assert not problems, f"{len(problems)} of {len(cases)} calls:\n" + "\n".join(problems)


def end() -> None:
    """Leave no network for other tests."""
    sim.setup()
