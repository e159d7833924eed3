"""NumPy descriptions of the structures in `cuda/plan.h` and `cuda/build.cpp`, field by field."""

from __future__ import annotations

import numpy as np

POINTER = np.uint64  # addresses, of the host or the device


def _structure(**fields: type) -> np.dtype:
    return np.dtype(list(fields.items()), align=True)


BLOCK = _structure(
    state=POINTER,
    param=POINTER,
    current=POINTER,
    events=POINTER,
    unit=POINTER,
    first_port=np.int64,
    n=np.int32,
    first_neuron=np.int32,
    heterogeneous=np.int32,
    padding=np.int32,
)
GROUP = _structure(step=POINTER, block=POINTER, n_block=np.int32, is_source=np.int32)
SPIKE_LIST = _structure(count=POINTER, neuron=POINTER, multiplicity=POINTER)
SPIKE_RECORD = _structure(
    count=POINTER,
    stamp=POINTER,
    neuron=POINTER,
    multiplicity=POINTER,
    capacity=np.int32,
    reserve=np.int32,
)
SHARD = _structure(row_start=POINTER, port=POINTER, delay=POINTER, weight=POINTER)
PROBE = _structure(
    source=POINTER,
    index=POINTER,
    owner_start=POINTER,
    sample=POINTER,
    first_stamp=np.int64,
    interval=np.int64,
    first_row=np.int64,
    n=np.int32,
    single=np.int32,
)
INJECTION = _structure(
    current=POINTER,
    index=POINTER,
    owner_start=POINTER,
    row_start=POINTER,
    source=POINTER,
    n=np.int32,
    single=np.int32,
)
PLAN = _structure(
    clock=POINTER,
    ring=POINTER,
    group=POINTER,
    spikes=POINTER,
    record=POINTER,
    wanted=POINTER,
    shard=POINTER,
    probe=POINTER,
    injection=POINTER,
    waveform=POINTER,
    waveform_first=np.int64,
    waveform_steps=np.int64,
    n_port=np.int64,
    seed=np.uint64,
    n_slot=np.int32,
    n_group=np.int32,
    n_shard=np.int32,
    n_probe=np.int32,
    n_injection=np.int32,
    substeps=np.int32,
    flush_denormals=np.int32,
    padding=np.int32,
)
# In the order in which `structure_sizes` of the library reports them.
ALL = (BLOCK, GROUP, SPIKE_LIST, SPIKE_RECORD, SHARD, PROBE, INJECTION, PLAN)

TABLE = _structure(
    source=POINTER,
    target=POINTER,
    weight=POINTER,
    delay=POINTER,
    port=POINTER,
    scale=POINTER,
    n=np.int64,
    weight_stride=np.int32,
    delay_stride=np.int32,
)
