#!/usr/bin/env bash
# Neo 0.14.6 cannot read the spike times that its own AsciiSpikeTrainIO wrote.
#
# AsciiSpikeTrainIO writes each time with its unit, "1.0 ms", while its reader takes bare numbers in seconds: it stops
# with a ValueError at the first time. The same lines without units are read, so a script has to write them itself.
# The script prints the file and the error, and fails once Neo reads what it wrote.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check neo==0.14.6 quantities==0.16.4 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import neo
import quantities as pq

for package in ("neo", "quantities", "numpy"):
    print(package, version(package))

segment = neo.Segment()
for times in ([1.0, 2.5], [3.0]):
    segment.spiketrains.append(neo.SpikeTrain(times * pq.ms, t_stop=10 * pq.ms))
neo.io.AsciiSpikeTrainIO("trains.txt").write_segment(segment)
text = Path("trains.txt").read_text()
print("written:", repr(text))
assert text.split() == ["1.0", "ms", "2.5", "ms", "3.0", "ms"], text
try:
    neo.io.AsciiSpikeTrainIO("trains.txt").read_segment()
except ValueError as error:
    print("read:", error)
else:
    raise SystemExit("Neo reads its own file now")

Path("bare.txt").write_text("0.001\t0.0025\n0.003\n")
bare = neo.io.AsciiSpikeTrainIO("bare.txt").read_segment()
print("without units:", [train.times.tolist() for train in bare.spiketrains], bare.spiketrains[0].units)
assert [len(train) for train in bare.spiketrains] == [2, 1]
PYTHON
