"""The order of kernels in a step, and the structures that they share with Python."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pynn_sparse.engine import structures
from pynn_sparse.engine.kernels import source_folder
from pynn_sparse.engine.step import COUPLE, DELIVER, NEURONS, PHASES, RECORD, REMEMBER, STEP, phase
from pynn_sparse.engine.toolchain.compiler import find_compiler

# Structure -> its name in C++.
NAMES = {
    name: "".join(word.capitalize() for word in name.split("_"))
    for name, each in vars(structures).items()
    if isinstance(each, np.dtype)
}


def test_order_is_that_of_a_step() -> None:
    """Currents, neurons, then what depends on their state and spikes; histories after weights."""
    order = sorted(STEP, key=phase)
    names = [kernel.name for kernel in order]
    assert names[:3] == ["inject", "couple", "neuron_step"]
    assert set(names[3:7]) == {"record", "deliver", "deliver_dense", "deliver_plain"}
    assert set(names[7:]) == {"remember", "modulate"}
    assert phase(RECORD) == phase(DELIVER) < phase(REMEMBER)


def test_what_is_read_is_there_and_what_is_written_over_has_been_read() -> None:
    assert COUPLE.precedes(NEURONS)  # it reads the potentials that neurons write over
    assert not NEURONS.precedes(COUPLE)
    assert DELIVER.precedes(REMEMBER)
    assert not any(a.precedes(b) and b.precedes(a) for a in STEP for b in STEP if a is not b)
    assert not RECORD.precedes(DELIVER)
    assert not DELIVER.precedes(RECORD)


def test_every_kernel_of_a_step_is_declared() -> None:
    files = {f"step/{path.stem}" for path in (source_folder() / "step").glob("*.cu")}
    assert files == set(PHASES)


def test_the_loop_on_the_cpu_has_that_order() -> None:
    text = (source_folder() / "step" / "plan.cpp").read_text()
    text = text[text.index("void begin(") : text.index("class Slice")]
    names = "|".join(kernel.name for kernel in STEP)
    calls = re.findall(rf"\b({names})\(", text.replace("group.step(", "neuron_step("))
    phases = [PHASES[f"step/{call}"] for call in calls]
    assert set(calls) == {kernel.name for kernel in STEP}
    assert phases == sorted(phases)


def assertions(structure: np.dtype, name: str) -> list[str]:
    """What a compiler checks of one structure: sizes, offsets and kinds of all fields."""
    lines = [f"static_assert(sizeof({name}) == {structure.itemsize});"]
    end = 0
    for field in structure.names or ():
        dtype, offset = structure.fields[field][:2]
        member = field.rstrip("_")
        kind = f"std::remove_extent_t<decltype({name}::{member})>"
        base = dtype.subdtype[0] if dtype.subdtype else dtype
        if base == structures.POINTER and not base.names:
            of_kind = f"std::is_pointer_v<{kind}> || std::is_same_v<{kind}, uint64>"
        elif base.names:
            of_kind = f"std::is_class_v<{kind}>"
        else:
            of_kind = f"std::is_same_v<{kind}, {'double' if base.kind == 'f' else base.name}>"
        lines += [
            f"static_assert(offsetof({name}, {member}) == {offset});",
            f"static_assert(sizeof({name}::{member}) == {dtype.itemsize});",
            f"static_assert({of_kind});",
        ]
        assert offset - end < 8
        end = offset + dtype.itemsize
    return lines


def check(folder: Path, lines: list[str]) -> str:
    """What the compiler says of some assertions."""
    unit = folder / "unit.cpp"
    includes = '#include <cstddef>\n#include <type_traits>\n#include "build/work.h"\n'
    unit.write_text(includes + "\n".join(lines) + "\n")
    command = [*find_compiler(), "-std=c++17", "-fsyntax-only", f"-I{source_folder()}", str(unit)]
    return subprocess.run(command, capture_output=True, text=True).stderr


def test_structures_are_those_of_the_headers(tmp_path: Path) -> None:
    """Field by field; all that the headers define is here."""
    lines = [
        line for name, cpp in NAMES.items() for line in assertions(vars(structures)[name], cpp)
    ]
    assert check(tmp_path, lines) == ""
    headers = "".join(
        (source_folder() / each).read_text() for each in ("core/plan.h", "build/work.h")
    )
    assert set(re.findall(r"^struct (\w+) \{", headers, re.MULTILINE)) == set(NAMES.values())
    assert len(structures.ALL) == len(NAMES)


@pytest.mark.parametrize(("one", "other"), [("n_slot", "n_list"), ("wanted", "table")])
def test_swapped_fields_are_noticed(tmp_path: Path, one: str, other: str) -> None:
    swapped = {one: other, other: one}
    fields = structures.PLAN.fields
    assert fields is not None
    names = [swapped.get(name, name) for name in structures.PLAN.names or ()]
    plan = np.dtype([(name, fields[name][0]) for name in names], align=True)
    assert plan.itemsize == structures.PLAN.itemsize
    assert f"offsetof(Plan, {one})" in check(tmp_path, assertions(plan, "Plan"))
