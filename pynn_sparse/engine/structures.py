"""NumPy descriptions, field by field, of the structures in `core/plan.h` and `build/work.h`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.dynamics import MOST_COLUMNS, MOST_STATES, MOST_VARIABLES

POINTER = np.uint64  # addresses, of the host or the device


def host_address(array: NDArray[Any]) -> int:
    """The address of an array of the host; `array.ctypes.data` takes three times as long."""
    address: int = array.__array_interface__["data"][0]
    return address


def _structure(**fields: Any) -> np.dtype:
    return np.dtype(list(fields.items()), align=True)


BLOCK = _structure(
    state=POINTER,
    param=POINTER,
    current=POINTER,
    events=POINTER,
    unit=POINTER,
    owner_start=POINTER,
    history=POINTER,
    awake=POINTER,
    seed=np.uint64,
    first_port=np.int64,
    n=np.int32,
    first_neuron=np.int32,
    heterogeneous=np.int32,
    number=np.int32,
    n_history=np.int32,
    stream=np.int32,
    first_background=np.int32,
    n_background=np.int32,
)
GROUP = _structure(
    step=POINTER,
    block=POINTER,
    n_block=np.int32,
    n_receptor=np.int32,
    is_source=np.int32,
    padding=np.int32,
)
SPIKE_LIST = _structure(count=POINTER, neuron=POINTER, multiplicity=POINTER, block=POINTER)
SPIKE_RECORD = _structure(
    count=POINTER,
    refused=POINTER,
    stamp=POINTER,
    neuron=POINTER,
    multiplicity=POINTER,
    capacity=np.int32,
    reserve=np.int32,
)
DECAY = _structure(left=POINTER, n=np.int32, nearest=np.int32)
HISTORY = _structure(
    count=POINTER,
    stamp=POINTER,
    trace=POINTER,
    left=POINTER,
    decay=POINTER,
    other_decay=POINTER,
    n_trace=np.int32,
    capacity=np.int32,
    n=np.int32,
    era=np.int32,
)
COLUMN = _structure(each=POINTER, common=np.float64)
RULE = _structure(
    serve=POINTER,
    history=POINTER,
    source=POINTER,
    modulator=POINTER,
    variable=(POINTER, MOST_VARIABLES),
    identity=POINTER,
    flaw=POINTER,
    state=(POINTER, MOST_STATES),
    column=(COLUMN, MOST_COLUMNS),
    seed=np.uint64,
    since=np.int64,
    sign=np.float64,
    dendritic=np.float64,
    number=np.int32,
    kind=np.int32,
    single_variables=np.int32,
    modulated_each=np.int32,
)
AXIS = _structure(
    begin=POINTER,
    place=POINTER,
    tap=POINTER,
    n_source=np.int32,
    n_target=np.int32,
    n_tap=np.int32,
    padding=np.int32,
)
SHARED = _structure(
    y=AXIS,
    x=AXIS,
    group_source=np.int32,
    group_target=np.int32,
    per_channel=np.int32,
    padding=np.int32,
)
TABLE = _structure(
    begin=POINTER,
    target=POINTER,
    delay=POINTER,
    weight=POINTER,
    rule=POINTER,
    shared=POINTER,
    scale=np.float64,
    common_weight=np.int64,
    first_port=np.int64,
    first_step=np.int64,
    first_source=np.int32,
    n_source=np.int32,
    first_owner=np.int32,
    n_part=np.int32,
    first_group=np.int32,
    n_group=np.int32,
    common_delay=np.int32,
    wide_target=np.int32,
    wide_delay=np.int32,
    single=np.int32,
    least_lag=np.int32,
    most_lag=np.int32,
    port_bits=np.int32,
    delay_bits=np.int32,
    group_steps=np.int32,
    padding=np.int32,
)
DENSE = _structure(
    item=POINTER,
    owner_start=POINTER,
    scale=np.float64,
    first_port=np.int64,
    first_source=np.int32,
    n_source=np.int32,
    first_target=np.int32,
    n_target=np.int32,
    delay=np.int32,
    group=np.int32,
    type=np.int32,
    in_sums=np.int32,
)
BACKGROUND = _structure(
    param=POINTER,
    threshold=POINTER,
    weight=POINTER,
    owner_start=POINTER,
    seed=np.uint64,
    common_weight=np.int64,
    first_port=np.int64,
    first_step=np.int64,
    last_step=np.int64,
    stream=np.int32,
    n=np.int32,
    delay=np.int32,
    n_threshold=np.int32,
)
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
    awake=POINTER,
    index=POINTER,
    owner_start=POINTER,
    row_start=POINTER,
    source=POINTER,
    n=np.int32,
    single=np.int32,
)
POTENTIAL = _structure(v=POINTER, single=np.int32, padding=np.int32)
JUNCTION = _structure(
    current=POINTER,
    awake=POINTER,
    potential=POINTER,
    index=POINTER,
    owner_start=POINTER,
    row_start=POINTER,
    from_=POINTER,
    other=POINTER,
    conductance=POINTER,
    n=np.int32,
    padding=np.int32,
)
REST = _structure(
    next_look=np.int64,
    n_still=np.int64,
    n_seen=np.int64,
    watching=np.int32,
    padding=(np.int32, 9),
)
EXCHANGE = _structure(
    all_gather=POINTER,
    context=POINTER,
    mpi_all_gather=POINTER,
    mpi_type=np.uint64,
    mpi_comm=np.uint64,
    words=np.int64,
    n_exchange=np.int64,
    n_sent=np.int64,
    rank=np.int32,
    n_rank=np.int32,
)
MODULATION = _structure(
    row_start=POINTER, target=POINTER, size=POINTER, number=np.int32, padding=np.int32
)
MODULATOR = _structure(
    history=POINTER,
    each=POINTER,
    sum=POINTER,
    owner_start=POINTER,
    unit=np.float64,
    number=np.int32,
    delay=np.int32,
    n_each=np.int32,
    padding=np.int32,
)
PLAN = _structure(
    clock=POINTER,
    ring=POINTER,
    due=POINTER,
    rest=POINTER,
    group=POINTER,
    spikes=POINTER,
    record=POINTER,
    wanted=POINTER,
    table=POINTER,
    table_start=POINTER,
    dense=POINTER,
    dense_start=POINTER,
    background=POINTER,
    probe=POINTER,
    injection=POINTER,
    junction=POINTER,
    exchange=POINTER,
    modulator=POINTER,
    waveform=POINTER,
    waveform_row=POINTER,
    waveform_first=np.int64,
    n_waveform=np.int64,
    n_port=np.int64,
    n_slot=np.int32,
    n_list=np.int32,
    n_group=np.int32,
    n_block=np.int32,
    n_owner=np.int32,
    n_probe=np.int32,
    n_injection=np.int32,
    delay_group=np.int32,
    n_delay_group=np.int32,
    batch=np.int32,
    substeps=np.int32,
    flush_denormals=np.int32,
    n_rule=np.int32,
    lagging=np.int32,
    most_tables=np.int32,
    n_junction=np.int32,
    n_shared=np.int32,
    n_shard=np.int32,
    n_modulator=np.int32,
    n_dense=np.int32,
    most_dense=np.int32,
    padding=np.int32,
)
REQUEST = _structure(
    seed=np.uint64,
    n_source=np.int64,
    first_source=np.int64,
    n_target=np.int64,
    first=np.int64,
    end=np.int64,
    chunk=np.int64,
    self=POINTER,
    p=np.float64,
    with_replacement=np.int32,
    padding=np.int32,
)
CONNECT = _structure(
    request=REQUEST,
    number=POINTER,
    length=POINTER,
    row_start=POINTER,
    target=POINTER,
    room=POINTER,
    longest=np.int64,
    n_room=np.int32,
    wide=np.int32,
)
SOURCE_COUNT = _structure(seed=np.uint64, n=np.int64, n_source=np.int64, count=POINTER)
COLUMNS = _structure(
    source=POINTER,
    first_column=np.int64,
    n_column=np.int64,
    per_column=np.int64,
    n_source=np.int64,
    row_start=POINTER,
    target=POINTER,
    next=POINTER,
    column=POINTER,
    room=POINTER,
    longest=np.int64,
    n_room=np.int32,
    wide=np.int32,
)
LAW = _structure(
    kind=np.int64,
    location=np.float64,
    scale=np.float64,
    low=np.float64,
    high=np.float64,
)
STEP_RANGE = _structure(per_ms=np.float64, least=np.float64, most=np.float64)
DRAW = _structure(
    law=LAW,
    range=STEP_RANGE,
    seed=np.uint64,
    n=np.int64,
    n_source=np.int64,
    row_start=POINTER,
    target=POINTER,
    value=POINTER,
    first_outside=POINTER,
    wide=np.int32,
    wide_target=np.int32,
)
SURVEY = _structure(
    table=TABLE,
    row_start=POINTER,
    most=POINTER,
    bound=POINTER,
    coarse=POINTER,
    n_target=np.int64,
    n=np.int64,
    least=np.float64,
    factor=np.float64,
    scale=np.float64,
)
ARRANGE = _structure(
    table=TABLE,
    row_start=POINTER,
    begin=POINTER,
    place=POINTER,
    from_=POINTER,
    to=POINTER,
    delay_group=np.int32,
    item_size=np.int32,
)
# In the order in which `structure_sizes` of the library reports them.
ALL = (
    BLOCK,
    GROUP,
    SPIKE_LIST,
    SPIKE_RECORD,
    DECAY,
    HISTORY,
    COLUMN,
    RULE,
    AXIS,
    SHARED,
    TABLE,
    DENSE,
    BACKGROUND,
    PROBE,
    INJECTION,
    POTENTIAL,
    JUNCTION,
    REST,
    EXCHANGE,
    MODULATION,
    MODULATOR,
    PLAN,
    REQUEST,
    CONNECT,
    SOURCE_COUNT,
    COLUMNS,
    LAW,
    STEP_RANGE,
    DRAW,
    SURVEY,
    ARRANGE,
)


def filled(structure: np.dtype, **fields: Any) -> NDArray[np.void]:
    """One structure with these fields; the others are 0."""
    record = np.zeros(1, structure)
    for name, value in fields.items():
        record[name] = value
    return record
