#!/bin/sh
# PyNN 0.13.0 without mpi4py: every NumpyRNG, and every copy of one, tries to import mpi4py anew, to
# learn its rank. Python does not remember imports that fail, so each attempt searches all of
# sys.path, which takes some tenths of a millisecond, or more where the path is long. So a script
# with 1000 generators, or 1000 connectors that make one each, spends a good part of a second.
# Exit 0 while that is so, 1 if it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q PyNN==0.13.0 numpy==2.3.5
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import copy
import sys
import time
from importlib.metadata import version

from pyNN.connectors import FixedProbabilityConnector
from pyNN.random import NumpyRNG


class Attempts:
    """Finds no module, and counts how often mpi4py is looked for."""

    count = 0

    def find_spec(self, name, path=None, target=None):
        self.count += name == "mpi4py"


attempts = Attempts()
sys.meta_path.insert(0, attempts)
print("PyNN", version("PyNN"))
seen = {}
for what, make in {
    "NumpyRNG(1)": lambda: NumpyRNG(1),
    "a copy of one": lambda: copy.deepcopy(generator),
    "FixedProbabilityConnector(0.1)": lambda: FixedProbabilityConnector(0.1),
}.items():
    generator = NumpyRNG(1)
    attempts.count, begin = 0, time.process_time()
    for _ in range(1000):
        make()
    seconds = time.process_time() - begin
    seen[what] = attempts.count
    print(f"1000 times {what}: {attempts.count} attempts to import mpi4py, {seconds:.2f} s")
expected = dict.fromkeys(seen, 1000)
print("as described" if seen == expected else "changed")
raise SystemExit(seen != expected)
PYTHON
