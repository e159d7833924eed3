"""A network whose only backend is that of its import line; spikes and potentials are recorded."""

import numpy as np
import pyNN.nest as sim
from pyNN.random import NumpyRNG, RandomDistribution

rng = NumpyRNG(seed=4)
sim.setup(timestep=0.1, min_delay=0.1, max_delay=5.0)
drawn = np.random.RandomState(1)
times = [np.unique(np.round(drawn.uniform(1, 400, 40), 1)) for _ in range(40)]
inputs = sim.Population(40, sim.SpikeSourceArray(spike_times=times), label="inputs")
cells = sim.Population(120, sim.IF_curr_exp(tau_refrac=2.0), label="cells")
cells.initialize(v=-65.0)
delay = RandomDistribution("uniform", (0.5, 2.0), rng=rng)
for pre, weight, p in ((inputs, 1.2, 0.3), (cells, 0.03, 0.1)):
    sim.Projection(
        pre,
        cells,
        sim.FixedProbabilityConnector(p, rng=rng),
        sim.StaticSynapse(weight=weight, delay=delay),
    )
inputs.record("spikes")
cells.record("spikes")
cells[:4].record("v")
sim.run(400.0)
print("mean count", cells.mean_spike_count())
sim.end()
