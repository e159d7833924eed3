#!/usr/bin/env bash
# Neo 0.14.6, lists of a Segment or Block: extend and += with a generator.
#
# Expected: as with Python's lists, which these "behave like", what a generator gives is appended; or an error is raised.
# Found: nothing is appended, and nothing is said. `ObjectList.extend` and `+=` go through what they are given twice,
# once to check it and once to append it, and a generator, or filter, map and iter, is used up by then. The objects
# have been told that the segment is their parent all the same. Code that selects signals of one segment for another,
# `part.analogsignals.extend(s for s in segment.analogsignals if ...)`, makes empty segments, which are written to
# files as such. With a list in the place of the generator the same line is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check neo==0.14.6 quantities==0.16.4 numpy==2.4.6
"$folder/venv/bin/python" -W error - <<'EOS'
from importlib.metadata import version

import neo
import numpy as np
import quantities as pq

for package in ("neo", "quantities", "numpy"):
    print(package, version(package))


def signals():
    return [
        neo.AnalogSignal(np.full((10, 1), k), units="mV", sampling_period=1.0 * pq.ms, name=name)
        for k, name in enumerate(("v", "u", "v"))
    ]


def of_a_list(segment, given):
    segment.analogsignals.extend([each for each in given if each.name == "v"])


def of_a_generator(segment, given):
    segment.analogsignals.extend(each for each in given if each.name == "v")


def of_a_filter(segment, given):
    segment.analogsignals += filter(lambda each: each.name == "v", given)


found = {}
for fill in (of_a_list, of_a_generator, of_a_filter):
    segment, given = neo.Segment(), signals()
    fill(segment, given)
    told = sum(each.segment is segment for each in given)
    found[fill.__name__] = len(segment.analogsignals), told
    print(f"{fill.__name__}: {len(segment.analogsignals)} signals in the segment, {told} that have it as parent")

plain = [0]
plain.extend(each for each in (1, 2))
assert plain == [0, 1, 2]
assert found == {"of_a_list": (2, 2), "of_a_generator": (0, 2), "of_a_filter": (0, 2)}
EOS
