"""SynSense's Xylo Audio 2 (SYNS61201): 1000 neurons with two currents, 16 inputs.

Limits and the update are those of rockpool 3.1.0 and its emulator xylosim 0.1.3: currents decay
after the input was added, by shifts; a neuron fires up to 31 times in a step, and is reset by
subtraction; there are no delays and no refractory periods. ``xylo.npz`` has the arguments of
rockpool's ``XyloSim.from_specification`` and of its ``config_from_specification``. Hidden neurons
take all populations; the one output neuron that the chip needs has no synapses. Where a current
leaves 16 bits, xylosim saturates at each event, and the golden model once in a step; `verify` does
not let such a run pass.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...capability import Capability, FixedHop, Refractory, ResetBySubtraction
from ...errors import ExportError, LimitsError, Violation
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...image import pack_rows, unpack_rows
from ...models.semantics import Semantics
from ...nets.fixednet import FixedNet, Frame
from ...target import Target
from .capabilities import OneExponentForInputs, PowersOfTwo

NEURONS, INPUTS = 1000, 16
MOST_SHIFT = 7
RANGE = (-(1 << 15), (1 << 15) - 1)


class Xylo(Target):
    """All populations are hidden neurons."""

    name = "xylo"
    title = "SynSense Xylo Audio 2"
    version = 1

    def options(self) -> dict[str, Any]:
        return {}

    def limits(self) -> Limits:
        return Limits(
            hop=65535,
            reset_to_zero=True,
            neurons=NEURONS,
            sources=INPUTS,
            models=("IF_curr_exp",),
        )

    def capabilities(self) -> tuple[Capability, ...]:
        return (
            Refractory(0),
            ResetBySubtraction(),
            PowersOfTwo(),
            FixedHop(1),
            OneExponentForInputs(),
        )

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        if not signed or weight_bits > 8:
            raise ExportError(
                f"weight_bits = {weight_bits}, signed = {signed}: xylo has signed weights of "
                "up to 8 bits"
            )
        return Numbers(
            greatest_weight=(1 << (weight_bits - 1)) - 1,
            shifts=(0, MOST_SHIFT),
            voltage_range=RANGE,
            threshold_unit=1,
            greatest_threshold=RANGE[1],
            bias_bits=15,
            bias_exponents=0,
        )

    def semantics(self, receptors: int) -> Semantics:
        return Semantics(
            order=(
                "add_input",
                "decay_current",
                "decay_voltage",
                "add_current",
                "add_bias",
                "limit_voltage",
                "fire",
            ),
            decay="shifting",
            decay_bits=4,
            current_decay_offset=0,
            compare="greater_or_equal",
            reset="subtract",
            current_range=RANGE,
            current_overflow="saturate",
            voltage_range=RANGE,
            voltage_overflow="saturate",
            n_receptors=receptors,
            spikes_per_step=31,
        )

    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        matrices = specification(fixed)
        greatest = max(int(np.abs(matrices[name]).max(initial=0)) for name in MATRICES)
        if greatest > 127:
            raise LimitsError(
                self.name,
                [
                    Violation(
                        "network",
                        f"several synapses between two cells with a sum of {greatest}",
                        "127",
                        "make one synapse of them",
                    )
                ],
            )
        return Placement(
            1,
            [0] * fixed.n_neurons,
            (
                Resource("hidden neurons", fixed.n_neurons, NEURONS),
                Resource("inputs", fixed.n_axons - fixed.n_neurons, INPUTS),
                Resource("synapses", fixed.n_synapses, None),
            ),
        )

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        return pack_rows(fixed, weight_bits, signed, decay_bits=4, voltage_bits=16)

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        return unpack_rows(memories, frame)

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        return RANGE[1]

    def more_files(self, tables: Any) -> dict[str, bytes]:
        buffer = io.BytesIO()
        arrays: dict[str, Any] = specification(tables.fixed)
        np.savez(buffer, **arrays)
        return {"xylo.npz": buffer.getvalue()}


MATRICES = ("weights_in", "weights_rec")


def specification(fixed: FixedNet) -> dict[str, NDArray[np.int64]]:
    """What rockpool takes, and `input_delay`.

    A spike of a source in step t belongs into row t + input_delay - 1 of the raster, whose row 0
    is step 1.
    """
    n, inputs = fixed.n_neurons, fixed.n_axons - fixed.n_neurons
    dense = np.zeros((fixed.n_axons, n, 2), np.int64)
    receptor = fixed.formats.receptor[fixed.format]
    np.add.at(dense, (fixed.source, fixed.target, receptor), fixed.weight)
    of_input = fixed.source >= n
    shift = fixed.formats.shift[fixed.format]
    registers, profile = fixed.profiles, fixed.profile
    decays = registers.current_decay[profile]
    return {
        "weights_in": dense[n:].reshape(inputs, n, 2),
        "weights_rec": dense[:n],
        "weights_out": np.zeros((n, 1), np.int64),
        "weight_shift_in": np.array(shift[of_input].max(initial=0)),
        "weight_shift_rec": np.array(shift[~of_input].max(initial=0)),
        "dash_mem": registers.voltage_decay[profile],
        "dash_syn": decays[:, 0],
        "dash_syn_2": decays[:, -1],
        "threshold": registers.threshold[profile],
        "bias": registers.bias[profile],
        "input_delay": np.array(fixed.hop[of_input].max(initial=1)),
    }
