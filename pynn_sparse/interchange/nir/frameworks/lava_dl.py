"""lava-dl 0.6.0, slayer's `cuba` neurons: the integers of Loihi, in slayer's unit.

What is left of the current and of v is rounded towards 0 to a multiple of 2^-12. A neuron fires
above its threshold: slayer tests `>=`, after it has added a hundredth of such a multiple. lava-dl
has no writer of NIR; its own files, of `netx`, are read instead.
"""

from ...layers import Rule
from ..framework import Framework

LAVA_DL = Framework(
    name="lava-dl",
    title="lava-dl 0.6",
    rule=Rule(
        decay="euler",
        gain="file",
        jump="file",
        current="decay_first",
        fires=">",
        reset="value",
        spikes="one",
        leak="none",
        v_start=0.0,
        least_v="none",
        output_delay=0,
        whole=2.0**-12,
    ),
    source="lava/lib/dl/slayer/neuron/{cuba,dynamics/leaky_integrator}.py",
)
