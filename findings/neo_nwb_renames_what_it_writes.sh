#!/usr/bin/env bash
# Neo 0.14.6 changes the user's block when it writes it as NWB, and NWB loses which cell a train belongs to.
#
# A block as PyNN returns it (two segments, a signal "v" of three cells, three spike trains with the annotation
# source_id and no name) goes through NWBIO:
#   - after writing, the block in memory has other names: the signal is called "segment000 v 0" instead of "v",
#     trains "segment000  spiketrain0". A later filter(name="v") finds nothing, and files of other
#     formats that are written afterwards have the new names;
#   - in the file that is read back, trains have no source_id and the signal no channel_index, so that cells can
#     only be told by their order; times and values are right.
# The script prints both, and fails once either is otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
  neo==0.14.6 quantities==0.16.4 numpy==2.4.6 pynwb==4.2.0 h5py==3.16.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import datetime
import warnings
from importlib.metadata import version

import neo
import numpy as np
import quantities as pq

warnings.simplefilter("ignore")
for package in ("neo", "pynwb", "quantities"):
    print(package, version(package))

block = neo.Block(name="population")
start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
block.annotate(session_start_time=start, identifier="run", session_description="three cells")
for index in range(2):
    begin = 10 * index * pq.ms
    segment = neo.Segment(name=f"segment{index:03d}")
    cells = {"channel_index": np.array([4, 7, 9])}
    segment.analogsignals.append(
        neo.AnalogSignal(
            np.arange(12.0).reshape(4, 3) - 65,
            units="mV",
            sampling_period=0.1 * pq.ms,
            t_start=begin,
            name="v",
            array_annotations=cells,
        )
    )
    for cell in (4, 7, 9):
        times = [1.0, cell / 2] * pq.ms + begin
        segment.spiketrains.append(
            neo.SpikeTrain(times, t_start=begin, t_stop=begin + 10 * pq.ms, source_id=cell)
        )
    block.segments.append(segment)


def names(block):
    return [
        (segment.analogsignals[0].name, [train.name for train in segment.spiketrains])
        for segment in block.segments
    ]


before = names(block)
io = neo.io.NWBIO("population.nwb", "w")
io.write_all_blocks([block])
after = names(block)
print("names before writing:", before)
print("names after writing: ", after)
assert before == [("v", [None] * 3)] * 2, before
assert after == [
    (f"segment00{i} v 0", [f"segment00{i}  spiketrain{k}" for k in range(3)]) for i in range(2)
], after

(again,) = neo.io.NWBIO("population.nwb", "r").read_all_blocks()
for segment, original in zip(again.segments, block.segments):
    (signal,) = segment.analogsignals
    print("read:", signal.array_annotations, [train.annotations for train in segment.spiketrains])
    np.testing.assert_array_equal(signal.magnitude, original.analogsignals[0].magnitude)
    assert "channel_index" not in signal.array_annotations
    for train, written in zip(segment.spiketrains, original.spiketrains):
        np.testing.assert_allclose(train.rescale("ms").magnitude, written.magnitude)
        assert "source_id" not in train.annotations
PYTHON
