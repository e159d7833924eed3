#!/usr/bin/env bash
# Elephant 1.2.1, van_rossum_distance with a time constant of 0.
#
# Expected: what the distance comes to with shorter and shorter time constants: the root of the number of spikes that
# have no spike of the other train at the same time, and 0 for a train and itself.
# Found: for exactly 0 the result is the root of the sum of both numbers of spikes, whether they coincide or not. The
# distance of a train of two spikes from itself is 2, and the diagonal of the matrix is not 0; with 1e-6 ms it is 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check elephant==1.2.1 neo==0.14.6 quantities==0.16.4 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'EOF'
from importlib.metadata import version

import neo
import numpy as np
import quantities as pq
from elephant.spike_train_dissimilarity import van_rossum_distance

for package in ("elephant", "neo", "quantities", "numpy"):
    print(package, version(package))

trains = [neo.SpikeTrain(times * pq.ms, t_stop=100.0 * pq.ms) for times in ([50.0, 60.0], [50.0])]
short, zero = (van_rossum_distance(trains, tau * pq.ms) for tau in (1e-6, 0.0))
print(f"time constant 1e-6 ms:\n{short}\ntime constant 0 ms:\n{zero}")

np.testing.assert_allclose(short, [[0, 1], [1, 0]], atol=1e-9)
np.testing.assert_allclose(zero, np.sqrt([[4, 3], [3, 2]]))
EOF
