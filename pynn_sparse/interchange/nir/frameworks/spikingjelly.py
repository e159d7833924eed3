"""SpikingJelly 2.0.0: `IFNode`, `LIFNode`, `ParametricLIFNode`, `CUBALIFNode`; with a hard reset.

Its files are what NIR's equations say by Euler's method, but that neurons fire at v >= v_threshold
and begin at v_reset. dt is an argument of its writer, 1e-4 s if not given.
"""

from ...layers import Rule
from ..framework import Framework

SPIKINGJELLY = Framework(
    name="spikingjelly",
    title="SpikingJelly 2.0",
    rule=Rule(
        decay="euler",
        gain="file",
        jump="file",
        current="decay_first",
        fires=">=",
        reset="value",
        spikes="one",
        leak="file",
        v_start="v_reset",
        least_v="none",
        output_delay=0,
    ),
    source="spikingjelly/activation_based/{neuron,nir_exchange}",
)
