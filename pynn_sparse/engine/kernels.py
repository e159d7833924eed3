"""The kernels' source: which kernels there are, and the text that defines each.

A kernel is known by its name. Its text is a unit for a compiler, which includes files of `cuda/`,
with the macro definitions that they need; several texts may follow each other in one unit.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import EngineError
from ..network import Model
from ..network.cells import BUILT_IN
from ..network.dynamics import Dynamics, number_of
from .step import DELIVER, NEURONS, STEP, neurons_of

PACKAGE = Path(__file__).resolve().parent.parent
PRECISIONS = {"double": "double", "single": "float"}
# Kernel -> its file, of those that build networks on a GPU.
BUILD_KERNELS = {
    "connect_lengths_by_probability": "build/connect",
    "connect_lengths_by_number": "build/connect",
    "connect_by_probability": "build/connect",
    "connect_by_number": "build/connect",
    "connect_count_sources": "build/connect",
    "connect_column_lengths": "build/connect",
    "connect_scatter_columns": "build/connect",
    "connect_sort_rows": "build/connect",
    "draw_values": "build/draw",
    "draw_weights": "build/draw",
    "draw_steps": "build/draw",
    "add_input_bound": "build/synapses",
    "count_coarse": "build/synapses",
    "arrange_segments": "build/synapses",
    "arrange_items": "build/synapses",
}
ALL_KINDS = 0b1111  # of blocks, as with_flags of step/neuron_step.h counts them
# What only the CPU's library has.
HOST_UNITS = (
    *("build/build", "build/connect", "build/draw", "build/pack", "build/products"),
    *("step/present", "step/plan"),
)
# What CuPy adds to the options, since 13: single-precision numbers that are subnormal become 0, and
# functions without a word are the device's. NVRTC before 12.9 refuses a flag that is given twice.
CUPY_FLAGS = ("-ftz=true", "--device-as-default-execution-space")


def source_folder() -> Path:
    """The kernels' sources: beside the package in a checkout, inside it when installed."""
    for folder in (PACKAGE.parent / "cuda", PACKAGE / "cuda"):
        if (folder / "core" / "portable.h").is_file():
            return folder
    raise EngineError(f"the kernel sources are missing from the installation in {PACKAGE}")


def source_hash() -> str:
    """Names the state of the sources: the first 16 digits of a SHA-256 over paths and contents."""
    folder = str(source_folder())
    digest = hashlib.sha256()
    # Every process does this when it first connects something: `Path.rglob` takes twice as long.
    names = {
        os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")
        for place, _, files in os.walk(folder)
        for name in files
        if name.endswith((".h", ".cu", ".cpp", ".flags"))
    }
    for name in sorted(names):
        with open(os.path.join(folder, name), "rb") as file:
            digest.update(name.encode() + b"\0" + file.read() + b"\0")
    return digest.hexdigest()[:16]


@functools.cache
def compiler_flags(kind: str) -> tuple[str, ...]:
    """Options in `cuda/compiler.flags` for "cpu", "nvrtc" or a level of the x86-64 instruction set.

    The steps must round as IEEE says, the same on every machine.
    """
    lines = (line.split() for line in (source_folder() / "compiler.flags").read_text().splitlines())
    return tuple(words[1] for words in lines if words and words[0] == kind)


def nvrtc_options() -> tuple[str, ...]:
    """The options with which a kernel's text is given to CuPy."""
    return ("--std=c++17", *compiler_flags("nvrtc"), f"-I{source_folder()}")


def step_kernels(precision: str) -> dict[str, str]:
    """Kernel -> its text, for all kernels of a step, of a precision."""
    shared = {each.name: f'#include "{each.file}.cu"\n' for each in STEP if each is not NEURONS}
    cells = {step_name(model, precision): step_code(model, precision) for model in BUILT_IN}
    return {**shared, **cells}


def build_kernel(name: str) -> str:
    """The text of a kernel that builds networks; others of the same file come with it."""
    return f'#include "{BUILD_KERNELS[name]}.cu"\n'


def step_name(model: Model, precision: str) -> str:
    """Name of the kernel that advances neurons of a model."""
    return f"{neurons_of(model).name}_{PRECISIONS[precision]}"


def step_code(model: Model, precision: str, kinds: int = ALL_KINDS) -> str:
    """The text of that kernel, with the model itself where it is not among the files.

    `kinds` has bits of `BlockArrays.kind`: the blocks that the kernel is for.
    """
    header = "core/cell.h" if model.source else f"cells/{model.name}.h"
    macros = {
        "CELL": model.name,
        "CELL_HEADER": f'"{header}"',
        "REAL": PRECISIONS[precision],
    }
    if kinds != ALL_KINDS:
        macros["BLOCK_KINDS"] = str(kinds)
    own = f'#line 1 "{model.name}.h"\n{model.source}\n' if model.source else ""
    return "".join(
        [
            own,
            *(f"#define {name} {value}\n" for name, value in macros.items()),
            f'#include "{NEURONS.file}.cu"\n',
            *(f"#undef {name}\n" for name in macros),
        ]
    )


def rule_code(dynamics: Dynamics, precision: str) -> str:
    """The text of a library of a rule of the user's, for the CPU and weights of a precision."""
    (name,) = dynamics.kinds
    own = f'#line 1 "{name}.h"\n{dynamics.source}\n'
    macros = f"#define RULE {name}\n#define REAL {PRECISIONS[precision]}\n"
    return f'{own}{macros}#include "synapses/rule.h"\n'


def deliver_code(name: str, rules: Mapping[str, str]) -> str:
    """The text of a kernel that delivers, with that name, and knows only some kinds of synapses.

    `rules` gives the C++ of each kind that is a user's, "" for others.
    """
    kinds = " ".join(
        f"kind({number_of(kind)}, {f'ByFormulas<{kind}>' if source else kind})"
        for kind, source in rules.items()
    )
    return "".join(
        [
            *(f'#line 1 "{kind}.h"\n{source}\n' for kind, source in rules.items() if source),
            f"#define KINDS(kind) {kinds}\n#define DELIVER {name}\n",
            f'#include "{DELIVER.file}.cu"\n',
            "#undef KINDS\n#undef DELIVER\n",
        ]
    )


def run_code(stages: list[tuple[str, int, bool]], kernels: dict[str, str]) -> str:
    """A unit that defines `run`, a kernel that does all steps, see cuda/step/run.h.

    `stages` are the kernels of a step, each with its group and whether all blocks wait before it;
    `kernels` gives their texts.
    """
    calls = " ".join(f"stage({name}, {group}, {waits:d})" for name, group, waits in stages)
    names = dict.fromkeys(name for name, _, _ in stages)
    return "".join(
        [
            "#define PYNN_SPARSE_ONE_KERNEL\n",
            *(kernels[name] for name in names),
            f"#define STAGES(stage) {calls}\n",
            '#include "step/run.h"\n',
        ]
    )


def host_texts() -> list[str]:
    """The texts of all that is in the CPU's library."""
    host = [f'#include "{name}.cpp"\n' for name in HOST_UNITS]
    steps = {name: text for each in PRECISIONS for name, text in step_kernels(each).items()}
    return [*host, *steps.values()]
