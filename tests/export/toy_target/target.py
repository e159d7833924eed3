"""256 neurons with weights of 4 bits and voltages of 16, which saturate."""

from pynn_sparse.export import ExportError, Target
from pynn_sparse.export.capability import OneCurrent, Refractory
from pynn_sparse.export.hardware import Limits, Numbers, Placement, Resource
from pynn_sparse.export.image import pack_rows, unpack_rows
from pynn_sparse.export.models.semantics import STEPS, Semantics

from .capabilities import CoarseDelays

RANGE = (-32768, 32767)


class Toy(Target):
    """All populations on one core."""

    name = "toy"
    title = "Toy"
    version = 1

    def options(self):
        return {}

    def limits(self):
        return Limits(hop=16, reset_to_zero=True, neurons=256)

    def capabilities(self):
        return (OneCurrent(), Refractory(15), CoarseDelays(2))

    def numbers(self, weight_bits, signed):
        if (weight_bits, signed) != (4, True):
            raise ExportError(f"weight_bits = {weight_bits}: toy has signed weights of 4 bits")
        return Numbers(
            greatest_weight=7,
            shifts=(0, 12),
            voltage_range=RANGE,
            threshold_unit=1,
            greatest_threshold=RANGE[1],
            bias_bits=15,
            bias_exponents=0,
        )

    def semantics(self, receptors):
        return Semantics(
            order=STEPS,
            decay="truncating",
            decay_bits=12,
            current_decay_offset=1,
            compare="greater_or_equal",
            reset="value",
            current_range=RANGE,
            current_overflow="saturate",
            voltage_range=RANGE,
            voltage_overflow="saturate",
            n_receptors=receptors,
        )

    def place(self, fixed, weight_bits, signed):
        use = Resource("neurons", fixed.n_neurons, 256)
        return Placement(1, [0] * fixed.n_neurons, (use,))

    def pack(self, fixed, weight_bits, signed):
        return pack_rows(fixed, weight_bits, signed, decay_bits=12, voltage_bits=16)

    def unpack(self, memories, frame):
        return unpack_rows(memories, frame)

    def greatest_input(self, fixed, weight_bits):
        return RANGE[1]
