"""SpiNNaker, with the tables that sPyNNaker 1!7.4.1 loads for static synapses.

Nothing about numbers is a matter of choice: words, scales, slices and keys are sPyNNaker's. A core
has neurons and their synapses, as sPyNNaker has it for time steps of 1 ms and longer, and with
``n_synapse_cores=0``. Delay extensions are refused.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import door
from ...capability import Capability, Refractory
from ...errors import ExportError, LimitsError, Violation
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...models.relaxing import FRACTION_BITS, RANGE
from ...models.semantics import RELAXATION, Semantics
from ...nets.fixednet import FixedNet, Frame
from ...nets.floatnet import FloatNet
from ...target import Target
from .capabilities import Programs, Words
from .keys import KEY_BITS, keys_of, slices_of
from .model import Parameters
from .quantise import quantised
from .read import unpack
from .shifts import RingBuffers
from .words import ADDRESS_WORDS, HEADER, LONGEST_ROW, pack, projections_of

MOST_NEURONS_PER_CORE = 256
MOST_ADDRESSES = (1 << 13) - 1  # of a master population table
DEFAULT = RingBuffers()


class Spinnaker(Target):
    """What both chips share.

    Args:
        neurons_per_core: 1 to 256.
        ring_buffer_sigma, spikes_per_second, max_expected_summed_weight: see `RingBuffers`.
    """

    title = ""
    version = 1
    defaults: Mapping[str, Any] = {
        "weight_bits": 16,
        "signed": False,
        "rounding": "nearest",
        "scale": "power_of_two",
        "per": "receptor",
        "headroom": 2,
        "exponent_bits": 0,
        "clip": 0.0,
    }
    model = Parameters()
    remedy = "expect more spikes_per_second, or take a higher ring_buffer_sigma"
    saturates = ("input",)
    sdram = 0  # bytes of a chip
    cores_of_chip = 0

    def __init__(
        self,
        neurons_per_core: int = MOST_NEURONS_PER_CORE,
        ring_buffer_sigma: float = DEFAULT.ring_buffer_sigma,
        spikes_per_second: float = DEFAULT.spikes_per_second,
        max_expected_summed_weight: float | None = None,
    ) -> None:
        self.neurons_per_core = door.integer(
            "neurons_per_core", neurons_per_core, 1, MOST_NEURONS_PER_CORE
        )
        most = max_expected_summed_weight
        self.ring_buffers = RingBuffers(
            door.positive("ring_buffer_sigma", ring_buffer_sigma),
            door.positive("spikes_per_second", spikes_per_second),
            None if most is None else door.positive("max_expected_summed_weight", most),
        )

    def options(self) -> dict[str, Any]:
        return {"neurons_per_core": self.neurons_per_core, **vars(self.ring_buffers)}

    def limits(self) -> Limits:
        return Limits(hop=None, reset_to_zero=False, models=("IF_curr_exp",))

    def capabilities(self) -> tuple[Capability, ...]:
        return (Refractory((1 << 16) - 1), Programs(), Words(self.neurons_per_core))

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        if (weight_bits, signed) != (16, False):
            raise ExportError(
                f"weight_bits = {weight_bits}, signed = {signed}: {self.name} has weights of 16 "
                "bits whose sign is their receptor's, and quantises by itself: leave `quantise` out"
            )
        return Numbers(
            greatest_weight=(1 << 16) - 1,
            shifts=(0, 15),
            voltage_range=RANGE,
            threshold_unit=1,
            greatest_threshold=RANGE[1],
            bias_bits=31,
            bias_exponents=0,
        )

    def quantise(self, net: FloatNet, rule: Any) -> Any:
        return quantised(net, rule, self.name, self.defaults, self.ring_buffers, self.semantics(2))

    def semantics(self, receptors: int) -> Semantics:
        return Semantics(
            order=RELAXATION,
            decay="flooring",
            decay_bits=FRACTION_BITS,
            current_decay_offset=0,
            compare="greater_or_equal",
            reset="value",
            current_range=RANGE,
            current_overflow="wrap",
            voltage_range=RANGE,
            voltage_overflow="wrap",
            n_receptors=2,
        )

    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        longest, rows = _longest_row(fixed, self.neurons_per_core)
        addresses = _addresses(fixed)
        slices = slices_of(fixed.axons, self.neurons_per_core)
        keys = keys_of(slices, [each.pre for each in projections_of(fixed)])
        sending = sum(part.cores for part in slices if part.axons.is_source)
        cores = sum(part.cores for part in slices) - sending
        resources = (
            Resource("cores with neurons", cores, None),
            Resource("cores with sources", sending, None),
            Resource("chips at least", -(-(cores + sending) // self.cores_of_chip), None),
            Resource("words of a row", longest, LONGEST_ROW),
            Resource("addresses of a population table", addresses, MOST_ADDRESSES),
            Resource("bits of a key", keys.width, KEY_BITS),
            Resource("bytes of a core's synapses", 4 * rows, self.sdram),
        )
        remedies = {
            "words of a row": "take fewer neurons_per_core, or make one synapse of several "
            "between the same two cells",
            "bits of a key": "make fewer or smaller populations",
        }
        over = [
            Violation(
                "network",
                f"{each.used} {each.name}",
                f"{each.available}",
                remedies.get(each.name, "prune, or export fewer projections"),
            )
            for each in resources
            if each.available is not None and each.used > each.available
        ]
        if over:
            raise LimitsError(self.name, over)
        return Placement(cores, _core_of_neurons(slices), resources)

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        return pack(fixed, self.neurons_per_core)

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        return unpack(memories, frame, self.neurons_per_core)

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        return RANGE[1]

    def more_files(self, tables: Any) -> dict[str, bytes]:
        buffer = io.BytesIO()
        arrays: dict[str, Any] = regions(tables.memories)
        np.savez(buffer, **arrays)
        return {"spinnaker.npz": buffer.getvalue()}


class Spinnaker1(Spinnaker):
    """The first chip: 18 cores, 16 of them for the user."""

    name = "spinnaker1"
    title = "SpiNNaker 1"
    sdram = 123469792
    cores_of_chip = 16


class Spinnaker2(Spinnaker):
    """The second chip as sPyNNaker sees it: the same tables, with more cores and memory."""

    name = "spinnaker2"
    title = "SpiNNaker 2"
    sdram = 1 << 30
    cores_of_chip = 151


def regions(memories: Mapping[str, Memory]) -> dict[str, NDArray[np.uint32]]:
    """sPyNNaker's regions ``<core>/SynBlocks``, PopTable, SynapseParams, neuron_params."""
    cores = memories["cores"].layout.decode(memories["cores"].words)
    found: dict[str, NDArray[np.uint32]] = {}
    for memory, region in (("populations", "PopTable"), ("synapses", "SynBlocks")):
        words = memories[memory].words[:, 0].astype("<u4")
        parts = np.split(words, np.cumsum(cores[f"{memory[:-1]}_words"])[:-1])
        found |= {f"{core}/{region}": part for core, part in enumerate(parts)}
    parameters = memories["parameters"]
    columns = parameters.layout.decode(parameters.words)
    rows = np.stack([columns[each.name] for each in parameters.layout.fields], axis=1)
    found |= {f"{core}/SynapseParams": row for core, row in enumerate(rows.astype("<u4"))}
    neurons = memories["neurons"].layout.decode(memories["neurons"].words)
    ends = np.cumsum(cores["neurons"])
    for core, (end, size) in enumerate(zip(ends, cores["neurons"], strict=True)):
        mine = {name: column[end - size : end] for name, column in neurons.items()}
        found[f"{core}/neuron_params"] = _neuron_params(mine)
    return found


def _neuron_params(p: Mapping[str, NDArray[np.int64]]) -> NDArray[np.uint32]:
    """Steps in a time step (1); membranes, thresholds and synapses, with states that are 0."""
    zero = np.zeros_like(p["rest"])
    membrane = ("initial", "rest", "capacitance", "voltage_decay", "bias", "reset", "refractory")
    taus = p["current_decay_0"], p["current_decay_1"]
    blocks = (
        np.column_stack([*(p[name] for name in membrane), zero, p["time_step"]]),
        p["threshold"],
        np.column_stack([taus[0], zero, taus[1], zero, p["time_step"]]),
    )
    words = np.concatenate([np.ones(1, np.int64), *(each.reshape(-1) for each in blocks)])
    return words.astype("<i4").view("<u4")


def _longest_row(fixed: FixedNet, per_core: int) -> tuple[int, int]:
    """Words of the longest row, and of the blocks of the fullest core."""
    slices = slices_of(fixed.axons, per_core)
    longest, words = 0, [0] * len(slices)
    for each in projections_of(fixed):
        post = slices[each.post]
        core = (fixed.target[each.synapses] - post.axons.first) // post.per_core
        row = fixed.source[each.synapses] * post.cores + core
        most = int(np.unique(row, return_counts=True)[1].max())
        longest = max(longest, most)
        begin = -(-words[each.post] // ADDRESS_WORDS) * ADDRESS_WORDS
        words[each.post] = begin + slices[each.pre].axons.size * (HEADER + most)
    return longest, max(words)


def _addresses(fixed: FixedNet) -> int:
    """The number of addresses of the population with most incoming projections."""
    posts = [each.post for each in projections_of(fixed)]
    return max(map(posts.count, posts), default=0)


def _core_of_neurons(slices: list[Any]) -> NDArray[np.int64]:
    first, cores = 0, []
    for part in slices:
        if not part.axons.is_source:
            cores.append(first + np.arange(part.axons.size) // part.per_core)
            first += part.cores
    return np.concatenate(cores).astype(np.int64)
