#!/usr/bin/env bash
# PyNN 0.13.0, PopulationView.index_from_parent_index and is_local (backend pyNN.mock, which needs no simulator).
#
# Expected: for a cell of the parent, its place in the view as an integer, and an error for a cell that the view does
# not have; is_local says of a cell of the view whether it is on this process.
# Found: what comes depends on how the view was made, and on the kind of the index. Of a view from a slice places are
# floats, which cannot index anything, and cells that are not in it have places, such as 0.5 and, behind its end, 3.5.
# Of a view from an array of indices, an integer gives IndexError for a cell that is not there, but an array gives the
# place of the next cell that is. is_local raises AssertionError, without a word, for every cell of every view.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check PyNN==0.13.0 neo==0.14.6 quantities==0.16.4 numpy==2.4.6 lazyarray==0.6.0
"$folder/venv/bin/python" -W ignore - <<'EOF'
from importlib.metadata import version

import numpy as np
import pyNN.mock as sim

for package in ("PyNN", "numpy"):
    print(package, version(package))

sim.setup()
cells = sim.Population(10, sim.IF_curr_exp())
sliced, listed = cells[2:8:2], cells[np.array([2, 4, 6])]  # the same three cells
assert list(sliced.all_cells) == list(listed.all_cells)

found = [sliced.index_from_parent_index(cell) for cell in (4, 3, 9)]
print("view of a slice, cells 4, 3 and 9:", found)
assert found == [1.0, 0.5, 3.5]
assert all(isinstance(place, float) for place in found)

place = listed.index_from_parent_index(4)
arrays = {cell: listed.index_from_parent_index(np.array([cell])).tolist() for cell in (4, 3, 0)}
print("view of indices, cell 4:", place, "- arrays of one cell:", arrays)
assert place == 1
assert arrays == {4: [1], 3: [1], 0: [0]}
try:
    listed.index_from_parent_index(3)
except IndexError as error:
    print("view of indices, cell 3: IndexError:", error)
else:
    raise SystemExit("the integer 3 has been found")

for view in (sliced, listed):
    try:
        view.is_local(view[0])
    except AssertionError as error:
        print(f"is_local of the view's first cell: AssertionError({error})")
        assert not str(error)
    else:
        raise SystemExit("is_local answers")
EOF
