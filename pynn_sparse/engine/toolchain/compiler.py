"""Makes shared libraries with the system's C++ compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ...errors import DeviceError
from ...processors import processors
from ..kernels import compiler_flags, source_folder, source_hash

CPU_FLAGS = ("-std=c++17", "-fPIC", "-fvisibility=hidden")
# Apple's compiler has no OpenMP: there is one thread then, and no message about the directives.
THREAD_FLAGS = ["-Wno-unknown-pragmas"] if sys.platform == "darwin" else ["-fopenmp"]
MOST_AT_A_TIME = 16  # compilers; each takes some 0.5 GB
MOST_LINES = 12  # of what a compiler says, in an error


def build_library(library: Path, texts: list[str], level: str, optimisation: str = "-O3") -> None:
    """Compile and link a shared library.

    Args:
        library: to be written.
        texts: of what it holds; the processors share them.
        level: of the x86-64 instruction set, or "generic".
        optimisation: an option of the compiler.

    Raises `DeviceError` if there is no compiler, or if it fails.
    """
    compiler = find_compiler()
    flags = [*CPU_FLAGS, *compiler_flags("cpu"), *THREAD_FLAGS, optimisation]
    flags += _architecture(level)
    defined = [f'-DPYNN_SPARSE_SOURCE_HASH="{source_hash()}"', f"-I{source_folder()}"]
    n = min(processors(), MOST_AT_A_TIME, len(texts))  # fewer units share more of what they include
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:

        def compiled(number: int) -> str:
            (Path(folder) / f"unit_{number}.cpp").write_text("".join(texts[number::n]))
            _run([*compiler, *flags, *defined, "-c", f"unit_{number}.cpp"], folder)
            return f"unit_{number}.o"

        pool = ThreadPoolExecutor(n)
        try:
            objects = list(pool.map(compiled, range(n)))
        finally:
            pool.shutdown(cancel_futures=True)
        _run([*compiler, *flags, "-shared", *objects, "-o", str(library)], folder)


def find_compiler() -> list[str]:
    """The words of the command that compiles C++; `DeviceError` if there is none.

    It is CXX, which may have arguments, and else g++ or clang++.
    """
    if given := os.environ.get("CXX", "").strip():
        import shlex

        try:
            words = shlex.split(given)
        except ValueError as error:
            raise DeviceError(f"CXX = {given!r}: is not a command ({error})") from None
        if not shutil.which(words[0]):
            raise DeviceError(
                f"CXX = {given!r}: there is no program {words[0]!r}. Set CXX to a C++ compiler, or "
                "unset it to take g++ or clang++."
            )
        return words
    for name in ("g++", "clang++"):
        if shutil.which(name):
            return [name]
    raise DeviceError(
        "no library for the CPU came with this installation for what is to be simulated, and "
        "no C++ compiler was found to make one. Install one (Debian: apt-get install g++; macOS: "
        "xcode-select --install), or set CXX to a compiler."
    )


def _architecture(level: str) -> list[str]:
    if level == "generic":
        return []
    return [f"-march={level}", *compiler_flags(level)]


def _run(command: list[str], folder: str) -> None:
    try:
        run = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except OSError as error:
        raise DeviceError(f"{command[0]} cannot be run: {error}") from error
    if run.returncode:
        import shlex

        raise DeviceError(
            f"{shlex.join(command)}\ncould not compile the kernels for the CPU (exit status "
            f"{run.returncode}):\n{_gist(run.stderr)}"
        )


def _gist(said: str) -> str:
    """The lines from the first error on, of what a compiler said."""
    lines = said.splitlines()
    first = next((i for i, line in enumerate(lines) if "error" in line), 0)
    return "\n".join(lines[first : first + MOST_LINES])
