"""Finds or makes the kernels for the CPU, as shared libraries.

An installed copy carries a library for the instruction set of the machine that built it, and a
wheel for distribution one for each level. Where none fits the processor and the kernel sources at
hand (an install without a compiler or from another machine, sources changed in an editable
install), one is compiled by the system's compiler when first needed and kept in the user's cache
folder. So are models that are not among the files, each as a library of its own.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from ...errors import DeviceError, EngineError
from ...network import Model
from ...network.dynamics import Dynamics
from .. import structures
from ..kernels import ALL_KINDS, host_texts, rule_code, source_hash, step_code, step_name
from . import cache, instruction_sets
from .compiler import build_library

# DEEPBIND, where the system has it: symbols of a library's own dependencies come before others'.
MODE = os.RTLD_LOCAL | getattr(os, "RTLD_DEEPBIND", 0)


def cpu_step(model: Model, precision: str, kinds: int = ALL_KINDS) -> ctypes.c_void_p:
    """Address of the function that advances neurons of a model.

    One that is compiled when it is first needed, is for the `kinds` of blocks that need it, see
    `BlockArrays.kind`: for one of the four that takes a third to two thirds of the time.

    Raises `DeviceError` if the model has to be compiled and there is no compiler, and `EngineError`
    if its two halves do not have the same fields.
    """
    name = step_name(model, precision)
    own = bool(model.source)
    library = _model_library(step_code(model, precision, kinds)) if own else cpu_library()
    facts = (ctypes.c_int32 * 4)()
    getattr(library, name.replace("neuron_step_", "cell_facts_"))(facts)
    expected = [len(model.state), len(model.derived), len(model.receptors)]
    if facts[3] & kinds != kinds:
        raise EngineError(f"{model.name}: the kernel is not for blocks of the kinds {kinds:04b}")
    if list(facts[:3]) != expected:
        raise EngineError(
            f"{model.name}: the kernel has {list(facts[:3])} states, parameters and receptors, its "
            f"entry has {expected}"
        )
    return ctypes.cast(getattr(library, name), ctypes.c_void_p)


def cpu_rule(dynamics: Dynamics, weights: DTypeLike) -> ctypes.CDLL:
    """The library of a rule of the user's for weights of a type, see cuda/synapses/rule.h.

    Raises `DeviceError` if it has to be compiled and there is no compiler.
    """
    precision = "single" if np.dtype(weights).itemsize == 4 else "double"
    return _model_library(rule_code(dynamics, precision))


@functools.cache
def _model_library(code: str) -> ctypes.CDLL:
    """A library of the one kernel that a text defines, compiled when first needed."""
    digest = hashlib.sha256(f"{source_hash()}\n{code}".encode()).hexdigest()[:16]
    return _loaded(_kept(f"model_{digest}", [code]))


@functools.cache
def cpu_library() -> ctypes.CDLL:
    """The CPU library for the sources at hand; `DeviceError` if there is none and no compiler."""
    for path in _installed_libraries():
        try:
            library = _loaded(path)
        except OSError:  # it is damaged, or was made for another system: another one is compiled
            continue
        if _hash_of(library) == source_hash():
            return _checked(library)
    return _checked(_loaded(_kept(source_hash(), host_texts())))


def _loaded(path: Path) -> ctypes.CDLL:
    """A library that is open and takes OpenMP from what it was linked with.

    NEST makes the symbols of its own, older OpenMP known to all libraries that are loaded after it.
    Threads would come from that one, but could not be ended by it before a fork (see `_checked`).
    """
    return ctypes.CDLL(str(path), mode=MODE)


def _hash_of(library: ctypes.CDLL) -> str:
    library.source_hash.restype = ctypes.c_char_p
    return str(library.source_hash().decode())


def _checked(library: ctypes.CDLL) -> ctypes.CDLL:
    sizes = (ctypes.c_int64 * len(structures.ALL))()
    library.structure_sizes(sizes)
    if list(sizes) != [structure.itemsize for structure in structures.ALL]:
        raise EngineError("structures.py and plan.h disagree about the layout of the plan")
    library.advance.restype = ctypes.c_int64
    library.connect_draw.restype = ctypes.c_void_p
    library.draw_pairs.restype = library.connect_room.restype = ctypes.c_int64
    os.register_at_fork(before=library.release_threads)
    return library


def _installed_libraries() -> list[Path]:
    """Libraries that came with the package and that this processor can run, best first."""
    return [
        path
        for level in instruction_sets.supported()
        for folder in _package_paths()
        if (path := folder / "lib" / f"libpynn_sparse_{level}.so").is_file()
    ]


def _package_paths() -> list[Path]:
    """Folders of the package: an editable install has the sources' and the site's."""
    import pynn_sparse

    return [Path(folder) for folder in pynn_sparse.__path__]


def _kept(name: str, texts: list[str]) -> Path:
    """A library of that name in the user's cache, made of some texts if it is not there."""
    level = instruction_sets.supported()[0]

    def make(library: Path) -> None:
        if len(texts) > 1:
            print(
                "pynn-sparse: compiling the kernels for this CPU, which takes about a minute of "
                f"processor time and is done once; they are kept in {library.parent.parent}",
                file=sys.stderr,
                flush=True,
            )
        build_library(library, texts, level)

    try:
        return cache.kept(f"libpynn_sparse_{level}_{name}.so", make)
    except OSError as error:
        raise DeviceError(
            f"compiled kernels cannot be kept in {cache.folder()}: {error}. Set XDG_CACHE_HOME to "
            "a folder where there is room for them."
        ) from error
