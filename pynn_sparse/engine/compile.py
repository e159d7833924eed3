"""Finds or makes the compiled kernels: a shared library for the CPU, cubins for GPUs.

An installed copy carries a library per level of the instruction set. Where none fits the kernel
sources at hand (an install without a compiler, sources changed in an editable install), one is
compiled by the system's compiler when first needed and kept in the user's cache folder.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..errors import DeviceError, EngineError
from ..network import Model
from ..network.cells import BUILT_IN
from . import structures

PACKAGE = Path(__file__).resolve().parent.parent
PRECISIONS = {"double": "double", "single": "float"}
# By all models.
SHARED_KERNELS = ("inject", "couple", "record", "deliver", "deliver_plain", "remember")
# Kernel -> its file, of those that build networks on a GPU.
BUILD_KERNELS = {
    "connect_row_lengths": "build/connect",
    "connect_by_probability": "build/connect",
    "connect_by_number": "build/connect",
    "connect_count_sources": "build/connect",
    "connect_column_lengths": "build/connect",
    "connect_scatter_columns": "build/connect",
    "connect_sort_rows": "build/connect",
    "draw_values": "build/draw",
    "draw_steps": "build/draw",
    "add_input_bound": "build/synapses",
    "count_coarse": "build/synapses",
    "arrange_segments": "build/synapses",
    "arrange_items": "build/synapses",
}
# The steps must round as IEEE says, the same on every machine: no fused multiply-add, no fast math.
CPU_FLAGS = (
    "-std=c++17 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math -fopenmp -fPIC -shared "
    "-fvisibility=hidden"
).split()
NVRTC_FLAGS = ("--std=c++17", "--fmad=false")


def source_folder() -> Path:
    """The kernels' sources: beside the package in a checkout, inside it when installed."""
    for folder in (PACKAGE.parent / "cuda", PACKAGE / "cuda"):
        if (folder / "portable.h").is_file():
            return folder
    raise EngineError(f"the kernel sources are missing from the installation in {PACKAGE}")


def source_hash() -> str:
    """Names the state of the sources: the first 16 digits of a SHA-256 over paths and contents."""
    folder = source_folder()
    digest = hashlib.sha256()
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    for name in sorted(files):
        if name.endswith((".h", ".cu", ".cpp")):
            digest.update(name.encode() + b"\0" + files[name].read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def kernel_units(precision: str) -> dict[str, tuple[str, ...]]:
    """Translation unit -> its macro definitions, for all kernels of a precision.

    The keys name the kernels; the files are `neuron_step.cu` for those of a model.
    """
    cells = {step_name(model, precision): step_unit(model, precision) for model in BUILT_IN}
    return {**dict.fromkeys(SHARED_KERNELS, ()), **cells}


def step_name(model: Model, precision: str) -> str:
    """Name of the kernel that advances neurons of a model."""
    return f"neuron_step_{model.name}_{PRECISIONS[precision]}"


def step_unit(model: Model, precision: str) -> tuple[str, ...]:
    """The macro definitions for that kernel."""
    return (
        f"-DCELL={model.name}",
        f'-DCELL_HEADER="{_header(model)}"',
        f"-DREAL={PRECISIONS[precision]}",
    )


def _header(model: Model) -> str:
    """Path of a model's header; one that is not among the sources is put into the cache."""
    if not model.source:
        return f"cells/{model.name}.h"
    digest = hashlib.sha256(model.source.encode()).hexdigest()[:16]
    path = _cache() / "cells" / digest / f"{model.name}.h"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(model.source)
        Path(file.name).replace(path)
    return str(path)


def kernel_code(kernel: str) -> str:
    """A unit that defines a kernel."""
    return f'#include "{_file(kernel)}"\n'


def _file(kernel: str) -> str:
    """Name of the source file that defines a kernel."""
    if kernel.startswith("neuron_step_"):
        return "neuron_step.cu"
    return f"{BUILD_KERNELS.get(kernel, kernel)}.cu"


def run_code(stages: list[tuple[str, int, bool]], units: dict[str, tuple[str, ...]]) -> str:
    """A unit that defines `run`, a kernel that does all steps, see cuda/run.h.

    `stages` are the kernels of a step, each with its group and whether all blocks wait before it;
    `units` gives their macro definitions.
    """
    calls = " ".join(f"stage({name}, {group}, {waits:d})" for name, group, waits in stages)
    return "\n".join(
        [
            "#define PYNN_SPARSE_ONE_KERNEL",
            *_included({name: units[name] for name, _, _ in stages}),
            f"#define STAGES(stage) {calls}",
            '#include "run.h"',
            "",
        ]
    )


def _included(units: dict[str, tuple[str, ...]]) -> list[str]:
    """Lines that include the files of kernels, each with its macro definitions."""
    lines = []
    for kernel, definitions in units.items():
        pairs = [item[2:].split("=", 1) for item in definitions]
        lines += [f"#define {name} {value}" for name, value in pairs]
        lines.append(kernel_code(kernel).rstrip())
        lines += [f"#undef {name}" for name, _ in pairs]
    return lines


def cpu_step(model: Model, precision: str) -> ctypes.c_void_p:
    """Address of the function that advances neurons of a model.

    Raises `DeviceError` if the model has to be compiled and there is no compiler, and `EngineError`
    if its two halves do not have the same fields.
    """
    name = step_name(model, precision)
    library = _model_library(step_unit(model, precision)) if model.source else cpu_library()
    facts = (ctypes.c_int32 * 3)()
    getattr(library, name.replace("neuron_step_", "cell_facts_"))(facts)
    expected = [len(model.state), len(model.derived), len(model.receptors)]
    if list(facts) != expected:
        raise EngineError(
            f"{model.name}: the kernel has {list(facts)} states, parameters and receptors, its "
            f"entry has {expected}"
        )
    return ctypes.cast(getattr(library, name), ctypes.c_void_p)


@functools.cache
def _model_library(unit: tuple[str, ...]) -> ctypes.CDLL:
    """A library of the one kernel with these macro definitions, compiled when first needed."""
    digest = hashlib.sha256("\n".join([source_hash(), *unit]).encode()).hexdigest()[:16]
    pairs = [item[2:].split("=", 1) for item in unit]
    text = "".join(f"#define {name} {value}\n" for name, value in pairs)
    return ctypes.CDLL(str(_cached(f"model_{digest}", f'{text}#include "neuron_step.cu"\n')))


@functools.cache
def cpu_library() -> ctypes.CDLL:
    """The CPU library for the sources at hand; `DeviceError` if there is none and no compiler."""
    for path in _installed_libraries():
        library = ctypes.CDLL(str(path))
        if _hash_of(library) == source_hash():
            return _checked(library)
    return _checked(ctypes.CDLL(str(_cached(source_hash(), _single_unit()))))


def _hash_of(library: ctypes.CDLL) -> str:
    library.source_hash.restype = ctypes.c_char_p
    return str(library.source_hash().decode())


def _checked(library: ctypes.CDLL) -> ctypes.CDLL:
    sizes = (ctypes.c_int64 * len(structures.ALL))()
    library.structure_sizes(sizes)
    if list(sizes) != [structure.itemsize for structure in structures.ALL]:
        raise EngineError("structures.py and plan.h disagree about the layout of the plan")
    library.advance.restype = ctypes.c_int64
    library.draw_pairs.restype = library.connect_room.restype = ctypes.c_int64
    library.draw_one.restype = ctypes.c_double
    os.register_at_fork(before=library.release_threads)
    return library


def _installed_libraries() -> list[Path]:
    """Libraries that came with the package and that this processor can run, best first."""
    levels = [*reversed(_x86_levels()), "generic"]
    return [
        path
        for level in levels
        for folder in _package_paths()
        if (path := folder / "lib" / f"libpynn_sparse_{level}.so").is_file()
    ]


def _package_paths() -> list[Path]:
    """Folders of the package: an editable install has the sources' and the site's."""
    import pynn_sparse

    return [Path(folder) for folder in pynn_sparse.__path__]


def _x86_levels() -> list[str]:
    """Levels of the x86-64 instruction set (x86-64 psABI) that the processor has, lowest first."""
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        return []
    lines = cpuinfo.read_text().splitlines()
    flags = next((set(line.split()[2:]) for line in lines if line.startswith("flags")), set())
    needs = {
        "x86-64-v2": {"sse4_2", "popcnt", "ssse3"},
        "x86-64-v3": {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"},
        "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    }
    levels = []
    for level, needed in needs.items():
        if not needed <= flags:
            break
        levels.append(level)
    return levels


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pynn-sparse"


def _cached(name: str, text: str) -> Path:
    """A library of that name in the user's cache, made of the source text if it is not there."""
    level = (_x86_levels() or ["generic"])[-1]
    target = _cache() / f"libpynn_sparse_{level}_{name}.so"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _compile_cpu(target, level, text)
    return target


def _compile_cpu(target: Path, level: str, text: str) -> None:
    """Compile a library; it appears under its name only when complete."""
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        raise DeviceError(
            "no library for the CPU came with this installation for what is to be simulated, and "
            "no C++ compiler was found to make one. Install g++ (Debian: apt-get install g++), or "
            "set CXX to a compiler."
        )
    flags = [*CPU_FLAGS, f'-DPYNN_SPARSE_SOURCE_HASH="{source_hash()}"', f"-I{source_folder()}"]
    if level != "generic":
        flags.append(f"-march={level}")
    if level == "x86-64-v4":
        flags.append("-mprefer-vector-width=512")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        unit = Path(folder) / "all.cpp"
        unit.write_text(text)
        library = Path(folder) / target.name
        run = subprocess.run(
            [compiler, *flags, str(unit), "-o", str(library)], capture_output=True, text=True
        )
        if run.returncode:
            raise DeviceError(
                f"{compiler} could not compile the kernels for the CPU:\n{run.stderr[-2000:]}"
            )
        library.replace(target)


def _single_unit() -> str:
    """One translation unit that includes all sources."""
    host = ("build.cpp", "connect.cpp", "draw.cpp", "present.cpp")
    kernels = {name: unit for each in PRECISIONS for name, unit in kernel_units(each).items()}
    lines = [*(f'#include "{name}"' for name in host), *_included(kernels)]
    return "\n".join([*lines, '#include "plan.cpp"', ""])
