"""sinabs 3.1.3: `LIF` with `norm_input=False`, and `IAF`, with `MultiSpike` and a soft reset.

Times are counted in steps. r is 1 in its files whatever the input counts: `gain="one_minus_decay"`
is for `norm_input=True`, which they do not say. Neither do they say `min_v_mem`, for `least_v`, nor
`SingleSpike`, for `spikes="one"`.
"""

from ...layers import Rule
from ..framework import Framework

SINABS = Framework(
    name="sinabs",
    title="sinabs 3.1",
    rule=Rule(
        dt=1.0,
        decay="exponential",
        gain="one",
        jump="one",
        current="decay_last",
        fires=">=",
        reset="subtract",
        spikes="many",
        leak="none",
        v_start=0.0,
        least_v="none",
        output_delay=0,
    ),
    source="sinabs/layers/functional/lif.py, sinabs/activation/spike_generation.py",
)
