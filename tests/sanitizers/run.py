"""Runs networks with kernels that watch what they do.

python tests/sanitizers/run.py address     memory, and what C++ leaves undefined
python tests/sanitizers/run.py thread      races between threads

The kernels that these networks need are compiled with GCC's sanitizers; Python is as it is, with
the sanitizer's library loaded before all others. A finding ends the process with its report. The
networks must do what they do with the ordinary library, to the last bit, so that they are known to
have run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
KINDS = {
    "address": (
        "-fsanitize=address,undefined -fno-sanitize-recover=undefined",
        ("libasan.so", "libstdc++.so"),  # the latter so that it finds what throws exceptions
    ),
    "thread": ("-fsanitize=thread", ("libtsan.so",)),
}
# Compiling with checks of what is undefined takes minutes with any optimisation of ours.
OPTIMISATION = {"address": "-O0", "thread": "-O1"}
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1",  # Python keeps memory to the end
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:ignore_noninstrumented_modules=1:exitcode=66",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONMALLOC": "malloc",  # so that each array has bounds
}
CELLS = ("SpikeSourcePoisson", "SpikeSourceArray", "IF_cond_exp", "HH_cond_exp")


def main(kind: str) -> int:
    flags, preloaded = KINDS[kind]
    compiler = os.environ.get("CXX", "g++")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "kernels.so"
        os.environ["CXX"] = f"{compiler} {flags} -g1 -fno-omit-frame-pointer"
        more = [(HERE / "openmp.cpp").read_text()] if kind == "thread" else []
        compile_kernels(library, more, OPTIMISATION[kind])
        paths = " ".join(path_of(compiler, each) for each in preloaded)
        found = networks_of_a_process({"LD_PRELOAD": paths, "WATCHED": str(library)} | OPTIONS)
    expected = networks_of_a_process({})
    if found != expected:
        print(f"{kind}: the networks did something else than with the ordinary library")
        return 1
    print(f"{kind}: nothing found in {len(expected)} networks")
    return 0


def path_of(compiler: str, library: str) -> str:
    command = [*compiler.split(), f"-print-file-name={library}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def compile_kernels(library: Path, more: list[str], optimisation: str) -> None:
    from pynn_sparse.engine import kernels
    from pynn_sparse.engine.step import STEP
    from pynn_sparse.engine.toolchain.compiler import build_library

    shared = {kernel.name for kernel in STEP}
    host = [f'#include "{name}.cpp"\n' for name in kernels.HOST_UNITS]
    steps = {
        name: text
        for name, text in kernels.step_kernels("double").items()
        if name in shared or any(f"_{cell}_" in name for cell in CELLS)
    }
    build_library(library, [*more, *host, *steps.values()], "generic", optimisation)


def networks_of_a_process(variables: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, __file__], env=os.environ | variables, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(f"the networks ended with status {done.returncode}: see above")
    return done.stdout.split()


def networks() -> None:
    """Run them, and print a digest of each."""
    sys.path.insert(0, str(HERE.parent))
    import pyNN.sparse as sim
    from support.small import build, digest

    from pynn_sparse import processors
    from pynn_sparse.engine.devices import choice
    from pynn_sparse.engine.toolchain import libraries

    if "WATCHED" in os.environ:
        libraries._installed_libraries = lambda: [Path(os.environ["WATCHED"])]
        libraries.MODE = os.RTLD_LOCAL  # a sanitizer's functions have to come first
    processors._affinity = lambda: 4
    choice.WORK_OF_OWNER = 1
    for threads in (1, 3):
        net = build(60, threads=threads)
        sim.run(20.0)
        net.cells.set(i_offset=0.4)
        sim.run(10.0)
        print(digest(net))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        networks()
    elif len(sys.argv) == 2 and sys.argv[1] in KINDS:
        sys.exit(main(sys.argv[1]))
    else:
        sys.exit(__doc__)
