"""Scripts in which processes do not do the same: `failing.py HOW`."""

from __future__ import annotations

import os
import sys

import numpy as np
import pyNN.sparse as sim

how = sys.argv[1]
rank = sim.setup()
cells = sim.Population(300, sim.IF_curr_exp(i_offset=1.0), label="cells")
cells.record("spikes")
if how == "values":
    cells.set(tau_m=np.random.default_rng(rank).uniform(10, 20, 300))
sim.run(10.0)
if how == "error" and rank == 1:
    raise MemoryError("no more room")
if how == "other call" and rank == 0:
    cells.get_data()
if how == "end" and rank == 1:
    sys.exit(0)
if how == "killed" and rank == 1:
    os.kill(os.getpid(), 9)
sim.run(1e6)
