"""The kernels of a time step, each declared once: what they read and write gives their order.

A quantity has a name. "next x" is what x is at the end of the step, stored where x was. So a kernel
comes after those that write what it reads, and after those that still read what it writes over.
Kernels between which nothing passes may run at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..network import Model

NEXT = "next "


@dataclass(frozen=True)
class Kernel:
    """A kernel of a step.

    Attributes:
        name: of the function, without the precision.
        file: of `cuda/` that defines it, without its suffix.
        reads, writes: quantities.
        per: what its threads share, on a GPU: "neuron" or "spike".
        before_time_0: whether it takes part in the step before time 0.
    """

    name: str
    file: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    per: str = "neuron"
    before_time_0: bool = False

    def precedes(self, other: Kernel) -> bool:
        """Whether this one has to be done before another begins."""
        if any(quantity in other.reads for quantity in self.writes):
            return True
        return any(NEXT + quantity in other.writes for quantity in self.reads)


INJECT = Kernel("inject", "step/inject", reads=("waveforms",), writes=("injected current",))
COUPLE = Kernel("couple", "step/couple", reads=("injected current", "state"), writes=("current",))
NEURONS = Kernel(  # of any model
    "neuron_step",
    "step/neuron_step",
    reads=("injected current", "current", "input", "state"),
    writes=("next state", "spikes", "history of targets"),
)
RECORD = Kernel("record", "step/record", reads=("next state",), writes=("samples",))
_DELIVERED = ("spikes", "history of targets", "history of sources")
DELIVER = Kernel(
    "deliver",
    "step/deliver",
    (*_DELIVERED, "history of modulators", "next state"),
    ("next input", "weights"),
    "spike",
    True,
)
DELIVER_PLAIN = Kernel(
    "deliver_plain", "step/deliver_plain", ("spikes",), ("next input",), "spike", True
)
DELIVER_DENSE = Kernel(
    "deliver_dense", "step/deliver_dense", ("spikes",), ("next input",), "spike", True
)
REMEMBER = Kernel(
    "remember", "step/remember", ("spikes",), ("next history of sources",), "spike", True
)
MODULATE = Kernel(
    "modulate",
    "step/modulate",
    ("spikes",),
    ("next history of modulators",),
    before_time_0=True,
)
STEP = (
    INJECT,
    COUPLE,
    NEURONS,
    RECORD,
    DELIVER_DENSE,
    DELIVER,
    DELIVER_PLAIN,
    REMEMBER,
    MODULATE,
)


def neurons_of(model: Model) -> Kernel:
    """The kernel that advances neurons of a model."""
    return replace(NEURONS, name=f"neuron_step_{model.name}", before_time_0=model.is_source)


def phase(kernel: Kernel) -> int:
    """How many kernels have to be done before, one after the other: 0 for the first ones."""
    before = [each for each in STEP if each.file != kernel.file and each.precedes(kernel)]
    return 1 + max(map(phase, before), default=-1)


PHASES = {kernel.file: phase(kernel) for kernel in STEP}
