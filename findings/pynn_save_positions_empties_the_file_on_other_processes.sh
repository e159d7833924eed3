#!/usr/bin/env bash
# PyNN 0.13.0, Population.save_positions on several processes (backend pyNN.mock, which says that it is one of two).
#
# Expected: process 0 writes the positions, and the others leave the file alone.
# Found: each process opens the file for writing, and only process 0 writes. The one that comes last and is not
# process 0 leaves an empty file; which one that is, is chance. The same holds for assemblies.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check PyNN==0.13.0 neo==0.14.6 quantities==0.16.4 numpy==2.4.6 lazyarray==0.6.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'EOF'
import os
from importlib.metadata import version

import pyNN.mock as sim

print("PyNN", version("PyNN"))
sizes = []
for rank in (0, 1):
    sim.setup(num_processes=2, rank=rank)
    sim.Population(4, sim.IF_curr_exp()).save_positions("positions.txt")
    sizes.append(os.path.getsize("positions.txt"))
    print(f"after process {sim.rank()} of {sim.num_processes()}: {sizes[-1]} bytes")
assert sizes[0] > 100
assert sizes[1] == 0

sim.setup(num_processes=2, rank=1)
both = sim.Population(4, sim.IF_curr_exp()) + sim.Population(4, sim.IF_curr_exp())
with open("of_an_assembly.txt", "w") as file:
    file.write("what process 0 has written\n")
both.save_positions("of_an_assembly.txt")
print("of an assembly, after process 1:", os.path.getsize("of_an_assembly.txt"), "bytes")
assert os.path.getsize("of_an_assembly.txt") == 0
EOF
