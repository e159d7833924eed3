"""What a report says about its method: paragraphs of HTML."""

from __future__ import annotations

METHOD = """
<p><b>One script, one process for each run.</b> The script was not changed; its import of a backend
was redirected. Seed 0 is the script as it is. Other seeds are added to those that it gives to
PyNN's random number generators and to <code>setup</code>, on all backends alike.</p>
<p><b>What can be identical.</b> Where the same <code>NumpyRNG</code> draws the network and nothing
else is random, two correct simulations begin alike. In a recurrent network a difference in the last
digit grows until it decides on a spike; from then on only distributions can be compared. Where
sources or synapses draw random numbers during a run, that holds from the start.</p>
<p><b>Neuron models</b> are integrated by other methods on other backends; how far results lie apart
for that reason is in PyNN-sparse's documentation, <code>docs/models.md</code>.</p>
"""

PRECISION = """
<p><b>Spike precision.</b> <code>pyNN.nest</code> by default has the spikes of
<code>IF_curr_exp</code> and <code>IF_curr_delta</code>, and those of sources, at any time between
two time steps (<code>spike_precision="off_grid"</code>). PyNN-sparse, and NEST with
<code>"on_grid"</code>, have them at the end of a step, so that an input acts up to a step later.
NEST was run {used}.</p>
"""

USED = {
    "on_grid": "with spikes on the grid, whatever the script asks for",
    "off_grid": "with spikes off the grid",
    "script": "with what the script asks for, or NEST's default, off the grid",
}

MOVED_SOURCES = """
<p>On the grid, <code>pyNN.nest</code> sends some spikes of a <code>SpikeSourceArray</code> a step
late, because of a rounding error. It was given times that are 1e-7 ms earlier, which it sends when
they are due.</p>
"""

CONNECTIONS = """
<p>Weights apart: the greatest difference of a weight, as a share of the greatest weight. Weights of
plastic synapses are those at the end of the run, and results.</p>
"""

SPIKES = """
<p>Identical: neurons whose spikes are all in the same time steps. Within a step: none of their
spikes is more than a time step apart. First difference: the first spike that is not in the same
step; first divergence: the first that is more than a step away, or missing.</p>
"""

ONE_SEED = """
<p>With a single seed there is no yardstick: a difference counts if the means differ by more than
{percent:g} % and p is below {p_value:g}.</p>
"""

YARDSTICK = """
<p>The yardstick is how far runs of one backend with different seeds lie apart (columns "seeds"): a
difference counts if it is more than {spread:g} times that, and not negligible.</p>
"""

MEASURES = """
<p>p: Kolmogorov-Smirnov test of all values together, which overstates, since neurons of a network
are not independent. Effect: Cliff's delta, from -1 to 1. Distributions apart: Kolmogorov-Smirnov
distance; for spectra, RMS in dB.</p>
"""

SIGNALS = """
<p>RMS and worst: until the first spike of the network that is not in the same time step; from there
on, traces part as spikes do. The dashed line in the pictures is that time.</p>
"""

COSTS = """
<p>Medians of all runs, each in its own process. Build: from <code>setup</code> to the first
<code>run</code>. Memory: of the whole process, at most, until the script was done. Where other
processes used much CPU, times are not to be trusted.</p>
"""
