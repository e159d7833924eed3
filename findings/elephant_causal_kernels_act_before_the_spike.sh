#!/usr/bin/env bash
# Elephant 1.2.1, instantaneous_rate with a causal kernel.
#
# Expected: ExponentialKernel and AlphaKernel are zero before their spike, so that a rate estimated with them has no
# part before the first spike, and latencies can be read from it.
# Found: by default the kernel is moved so that its median lies on the spike. With tau = 10 ms half of what one spike
# at 500 ms contributes lies before it, and the estimate jumps up at 494 ms (tau ln 2 = 6.9 ms, in steps of 1 ms, early).
# Responses seem to precede their stimulus. With center_kernel=False the estimate begins at the spike.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check elephant==1.2.1 neo==0.14.6 quantities==0.16.4 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'EOF'
from importlib.metadata import version

import neo
import quantities as pq
from elephant.kernels import AlphaKernel, ExponentialKernel
from elephant.statistics import instantaneous_rate

for package in ("elephant", "neo", "quantities", "numpy"):
    print(package, version(package))

train = neo.SpikeTrain([500.0] * pq.ms, t_stop=1000.0 * pq.ms)


def rate(kernel, **options):
    found = instantaneous_rate(train, sampling_period=1.0 * pq.ms, kernel=kernel, **options)
    return found.times.rescale("ms").magnitude.round(6), found.magnitude[:, 0]


shares = {}
for kernel in (ExponentialKernel(10.0 * pq.ms), AlphaKernel(10.0 * pq.ms)):
    name = type(kernel).__name__
    for options in ({}, {"center_kernel": False}):
        time, value = rate(kernel, **options)
        share = value[time < 500.0].sum() / value.sum()
        first, peak = time[value > 1e-9][0], time[value.argmax()]
        shares[name, bool(options)] = share, peak
        print(f"{name} {options}: begins at {first:g} ms, greatest at {peak:g} ms, {share:.0%} before the spike")

assert 0.4 < shares["ExponentialKernel", False][0] < 0.55
assert shares["ExponentialKernel", False][1] == 494.0
assert 0.4 < shares["AlphaKernel", False][0] < 0.55
for name in ("ExponentialKernel", "AlphaKernel"):
    assert abs(shares[name, True][0]) < 1e-6
    assert shares[name, True][1] >= 500.0
EOF
