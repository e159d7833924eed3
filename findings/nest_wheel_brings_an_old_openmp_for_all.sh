#!/usr/bin/env bash
# After `import nest` (wheel of NEST 3.10.0), other libraries' OpenMP calls go to two different OpenMP libraries.
#
# The wheel has a libgomp of its own, from before OpenMP 5.0, and opens it so that its symbols are known to all
# libraries that are loaded later. A library that was compiled with -fopenmp by today's GCC, and is opened by
# ctypes, then starts its threads (GOMP_parallel) in NEST's libgomp, while omp_pause_resource_all, which NEST's has
# not, comes from the system's: it reports success and ends no thread of NEST's. A library that ends its threads
# that way before a fork, as it has to, has none in the child, and is not told.
# A library that is opened with RTLD_DEEPBIND takes all from the system's libgomp.
# The script prints where both functions come from, without NEST, with it, and with RTLD_DEEPBIND, and fails once
# NEST makes no difference.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nest-simulator==3.10.0
cd "$folder"
cat >threads.cpp <<'CPP'
#include <dlfcn.h>
#include <omp.h>

extern "C" void GOMP_parallel(void (*)(void*), void*, unsigned, unsigned);

static const char* file_of(void* function) {
  Dl_info info;
  return dladdr(function, &info) ? info.dli_fname : "?";
}
extern "C" const char* starts_threads() { return file_of(reinterpret_cast<void*>(GOMP_parallel)); }
extern "C" const char* ends_threads() {
  return file_of(reinterpret_cast<void*>(omp_pause_resource_all));
}
CPP
"${CXX:-g++}" -fPIC -shared -fopenmp threads.cpp -o threads.so -ldl
for how in "alone" "after nest" "after nest, RTLD_DEEPBIND"; do
  "$folder/venv/bin/python" - "$how" <<'PYTHON'
import ctypes
import os
import sys
from importlib.metadata import version
from pathlib import Path

how = sys.argv[1]
if "nest" in how:
    stdout = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # NEST greets
    import nest

    os.dup2(stdout, 1)
mode = os.RTLD_LOCAL | (os.RTLD_DEEPBIND if "DEEPBIND" in how else 0)
library = ctypes.CDLL("./threads.so", mode=mode)
found = []
for name in ("starts_threads", "ends_threads"):
    function = getattr(library, name)
    function.restype = ctypes.c_char_p
    path = Path(os.path.realpath(function().decode()))
    found.append("NEST's" if "nest_simulator.libs" in path.parts else "the system's")
print(f"NEST {version('nest-simulator')}, {how}: threads are started by {found[0]} libgomp, "
      f"and ended by {found[1]}")
assert found == (["NEST's", "the system's"] if how == "after nest" else ["the system's"] * 2), found
PYTHON
done
