#!/bin/sh
# PyNN 0.13.0 on NEST: setup(grng_seed=7) and setup(rng_seeds=[7]) warn that the value is taken as
# the seed, and then set the seed to 42, the default of rng_seed: an `else` belongs to the last of
# three tests alone. Loops over seeds by these names give one result, without an error.
# Only rng_seeds_seed, of the older names, reaches NEST. Exit 0 while that is so, 1 if it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q PyNN==0.13.0 nest-simulator==3.10.0 numpy==2.3.5
cd "$folder"
PYNEST_QUIET=1 venv/bin/python -W ignore - <<'PYTHON' 2>/dev/null
from importlib.metadata import version

import nest
import pyNN.nest as sim

print("PyNN", version("PyNN"), "- NEST", version("nest-simulator"))
seen = {}
for options in ({"rng_seed": 7}, {"rng_seeds_seed": 7}, {"grng_seed": 7}, {"rng_seeds": [7]}):
    sim.setup(timestep=0.1, **options)
    name, value = next(iter(options.items()))
    seen[name] = nest.rng_seed
    print(f"setup({name}={value}): NEST's rng_seed is {seen[name]}")
expected = {"rng_seed": 7, "rng_seeds_seed": 7, "grng_seed": 42, "rng_seeds": 42}
print("as described" if seen == expected else "changed")
raise SystemExit(seen != expected)
PYTHON
