#!/usr/bin/env bash
# Neo 0.14.6, SpikeTrainList.from_spike_time_array.
#
# Expected: a spike whose channel is not among `all_channel_ids`, as where neurons are numbered from 1 in one place and
# from 0 in the other, is an error.
# Found: it is dropped without a word from the list's trains, though it is still there in `multiplexed`: the two views
# of one object have different numbers of spikes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check neo==0.14.6 quantities==0.16.4 numpy==2.4.6
"$folder/venv/bin/python" - <<'EOF'
import warnings
from importlib.metadata import version

import numpy as np
import quantities as pq
from neo.core.spiketrainlist import SpikeTrainList

for package in ("neo", "quantities", "numpy"):
    print(package, version(package))

times, channels = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 2, 1, 4])  # numbered from 1 ...
with warnings.catch_warnings():
    warnings.simplefilter("error")
    trains = SpikeTrainList.from_spike_time_array(
        times, channels, all_channel_ids=np.arange(4), units="ms", t_start=0 * pq.ms, t_stop=10 * pq.ms
    )  # ... and from 0
    together = len(trains.multiplexed[1])
    each = [len(train) for train in trains]
print(f"{together} spikes together, {sum(each)} in the trains: {each}")

assert together == 4
assert each == [0, 2, 1, 0]
EOF
