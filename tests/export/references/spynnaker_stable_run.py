"""As `spynnaker_run.py`, with synapses in rows in the order in which they were given.

sPyNNaker sorts the synapses of a list by core with NumPy's default sort, which leaves the order of
equals open. Here they keep theirs, so that words can be compared in place.
"""

import functools

import numpy as np

np.argsort = functools.partial(np.argsort, kind="stable")

import spynnaker_run  # noqa: E402

if __name__ == "__main__":
    spynnaker_run.main()
