#!/usr/bin/env bash
# Neo 0.14.6, cut_segment_by_epoch with epochs that follow each other.
#
# Expected: the parts have each spike once, and each sample of a signal once.
# Found: samples are cut half-open, from the beginning of an epoch up to its end, but spikes include both ends: a spike
# on the border of two epochs is in both parts. With spike times on the grid of a simulation that happens often: here
# ten trials of 10 ms, cut from 100 ms with a spike at each ms, have 108 spikes where there were 99. Counts per trial
# come out too high by one, and a spike that answers a stimulus at the border is also the last one of the trial before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check neo==0.14.6 quantities==0.16.4 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'EOF'
from importlib.metadata import version

import neo
import numpy as np
import quantities as pq
from neo.utils import cut_segment_by_epoch

for package in ("neo", "quantities", "numpy"):
    print(package, version(package))

segment = neo.Segment()
segment.spiketrains.append(neo.SpikeTrain(np.arange(1.0, 100.0) * pq.ms, t_stop=100.0 * pq.ms))
samples = neo.AnalogSignal(np.zeros((100, 1)), units="mV", sampling_period=1.0 * pq.ms)
segment.analogsignals.append(samples)
starts = np.arange(0.0, 100.0, 10.0)
trials = neo.Epoch(starts * pq.ms, durations=np.full(10, 10.0) * pq.ms, labels=np.arange(10).astype(str))
segment.epochs.append(trials)

parts = cut_segment_by_epoch(segment, trials)
spikes = [len(part.spiketrains[0]) for part in parts]
n_samples = [len(part.analogsignals[0]) for part in parts]
print(f"spikes: {len(segment.spiketrains[0])} before, {sum(spikes)} in the parts, {spikes}")
print(f"samples: {len(samples)} before, {sum(n_samples)} in the parts, {n_samples}")

assert sum(n_samples) == 100
assert spikes == [10, *[11] * 8, 10]
assert parts[0].spiketrains[0][-1] == parts[1].spiketrains[0][0] == 10.0 * pq.ms
EOF
