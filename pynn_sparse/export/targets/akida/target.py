"""BrainChip's Akida AKD1000: fully connected layers of weights and activations of 1, 2 or 4 bits.

Limits and arithmetic are those of the package akida 2.19.3: a ``FullyConnected`` layer has integer
weights, of at most 7 by magnitude for 4 bits, 1 for 2 bits, and 0 or 1 for 1 bit; for each unit an
integer ``threshold`` of 20 bits with sign, and an ``act_step`` in sixteenths, 1/16 to 65535. The
activation is the number of levels that the potential exceeds, see `models/counting.py`;
``act_step`` is the distance of the levels of 4 bits, so that with 1 or 2 bits they are 8 or 4 times
as far apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arguments import door
from ...capability import Capability, Refractory
from ...errors import DamagedTablesError, ExportError, LimitsError, Violation
from ...hardware import Limits, Memory, Numbers, Placement, Resource
from ...models.counting import FRACTION, LAYERS, LayerSemantics
from ...nets.fixednet import Axons, FixedNet, Formats, Frame
from ...nets.layout import Field, Layout, bits_for
from ...target import Target
from .capabilities import Counts
from .chain import chain, edges_of, layers_of, matrices

Integers = NDArray[np.int64]
Tables = Mapping[str, Mapping[str, Integers]]
BITS = (1, 2, 4)
GREATEST = {1: 1, 2: 1, 4: 7}  # weight
INPUTS = 57334  # of a layer
THRESHOLD_BITS = 20
MOST_STEP = 65535 << FRACTION
MOST_WINDOW = 4096
UNIT = Layout(
    "unit",
    (
        Field("threshold", THRESHOLD_BITS, True, "potential to exceed"),
        Field("step", 20, False, "`act_step` in sixteenths"),
    ),
)


class Akida(Target):
    """A chain of layers that count spikes in windows.

    Args:
        window: time steps in which spikes are counted, 1 to 4096.
        input_bits: of a source's count: 1, 2 or 4.
        activation_bits: of a neuron's count: 1, 2 or 4.
    """

    name = "akida"
    title = "BrainChip Akida AKD1000"
    version = 1
    defaults: Mapping[str, Any] = {"weight_bits": 4}
    model = LAYERS
    remedy = "take a shorter window, or more input_bits"

    def __init__(self, window: int = 20, input_bits: int = 4, activation_bits: int = 4) -> None:
        self.window = door.integer("window", window, 1, MOST_WINDOW)
        self.input_bits = door.one_of("input_bits", input_bits, BITS)
        self.activation_bits = door.one_of("activation_bits", activation_bits, BITS)

    def options(self) -> dict[str, Any]:
        return {
            "window": self.window,
            "input_bits": self.input_bits,
            "activation_bits": self.activation_bits,
        }

    def notes(self, tables: Any) -> tuple[str, ...]:
        return ("Spikes are counted in windows: when in a window they come means nothing.",)

    def limits(self) -> Limits:
        return Limits(hop=1 << 40, reset_to_zero=False)

    def capabilities(self) -> tuple[Capability, ...]:
        # A neuron that waits for two windows does not reach its first level.
        return (Refractory(2 * self.window - 1), Counts(self.window))

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        if (weight_bits, signed) not in ((1, False), (2, True), (4, True)):
            raise ExportError(
                f"weight_bits = {weight_bits}, signed = {signed}: akida has signed weights of 4 "
                "or 2 bits, and unsigned ones of 1 bit"
            )
        # A threshold is that of the neuron, or its bias, times at most the window.
        most = (1 << (THRESHOLD_BITS - 2)) // self.window
        return Numbers(
            greatest_weight=GREATEST[weight_bits],
            shifts=(0, 0),
            voltage_range=(-4 * most, 4 * most),
            threshold_unit=1,
            greatest_threshold=most,
            bias_bits=most.bit_length() - 1,
            bias_exponents=0,
        )

    def semantics(self, receptors: int) -> LayerSemantics:
        return LayerSemantics(self.window, self.input_bits, self.activation_bits)

    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        layer, _ = layers_of(fixed.axons, edges_of(fixed))
        parts = list(chain(fixed.axons, layer))
        inputs = max(len(into) for into, _ in parts)
        found = list(_violations(fixed, weight_bits, inputs))
        if found:
            raise LimitsError(self.name, found)
        weights = sum(len(into) * len(out) for into, out in parts) * weight_bits
        core = np.repeat(layer, [each.size for each in fixed.axons])[: fixed.n_neurons]
        return Placement(
            len(parts),
            core - 1,
            (
                Resource("layers", len(parts), None),
                Resource("inputs of a layer", inputs, INPUTS),
                Resource("units", fixed.n_neurons, None),
                Resource("weights, bits", weights, None),
            ),
        )

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        layer, _ = layers_of(fixed.axons, edges_of(fixed))
        populations = Layout(
            "population", (Field("layer", bits_for(int(layer.max())), False, "0: sources"),)
        )
        memories = {
            "populations": Memory(populations, populations.encode({"layer": layer})),
            "units": _memory(
                UNIT,
                threshold=fixed.profiles.threshold[fixed.profile],
                step=fixed.profiles.step[fixed.profile],
            ),
        }
        weight = Layout("weight", (Field("weight", weight_bits, weight_bits > 1, "integer"),))
        for number, matrix in enumerate(matrices(fixed, layer), 1):
            memories[f"weights_{number}"] = _memory(weight, weight=matrix.reshape(-1))
        return memories

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        table = {name: memory.layout.decode(memory.words) for name, memory in memories.items()}
        layer = table["populations"]["layer"]
        neurons = sum(each.size for each in frame.axons if not each.is_source)
        _check_words(table, frame, layer, neurons)
        columns = np.stack([table["units"][name] for name in ("threshold", "step")], axis=1)
        profiles, profile = LAYERS.profiles(columns, frame.semantics)
        source, target, weight = (
            np.concatenate(each) for each in zip(*_synapses(table, frame.axons, layer), strict=True)
        )
        order = np.lexsort((target, source))
        source, n = source[order], len(source)
        axons = sum(each.size for each in frame.axons)
        zero = np.zeros(1, np.int64)
        return FixedNet(
            frame.semantics,
            frame.axons,
            profiles,
            profile,
            np.zeros(neurons, np.int64),
            Formats(zero, zero, zero),
            np.searchsorted(source, np.arange(axons + 1)).astype(np.int64),
            target[order],
            weight[order],
            np.ones(n, np.int64),
            np.zeros(n, np.int64),
        )

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        return (1 << 31) - 1

    def more_files(self, tables: Any) -> dict[str, bytes]:
        buffer = io.BytesIO()
        arrays: dict[str, Any] = akida_arrays(tables.fixed, tables.rule.weight_bits)
        np.savez(buffer, **arrays)
        return {"akida.npz": buffer.getvalue()}


def akida_arrays(fixed: FixedNet, weight_bits: int) -> dict[str, NDArray[Any]]:
    """What ``akida.Model`` takes.

    For each layer n, from 1, in the order of populations, these are ``weights_n`` [inputs, units],
    ``threshold_n`` [units] and ``act_step_n`` [units]; and ``weights_bits``, ``input_bits``,
    ``act_bits`` and ``window``.
    """
    layer, _ = layers_of(fixed.axons, edges_of(fixed))
    semantics, profiles, profile = fixed.semantics, fixed.profiles, fixed.profile
    arrays: dict[str, NDArray[Any]] = {
        "weights_bits": np.array(weight_bits),
        "input_bits": np.array(semantics.input_bits),
        "act_bits": np.array(semantics.activation_bits),
        "window": np.array(semantics.window),
    }
    parts = zip(chain(fixed.axons, layer), matrices(fixed, layer), strict=True)
    for number, ((_, units), matrix) in enumerate(parts, 1):
        arrays[f"weights_{number}"] = matrix.astype(np.int8)
        arrays[f"threshold_{number}"] = profiles.threshold[profile[units]].astype(np.int32)
        step = profiles.step[profile[units]] / (1 << FRACTION)
        arrays[f"act_step_{number}"] = step.astype(np.float32)
    return arrays


def _violations(fixed: FixedNet, weight_bits: int, inputs: int) -> Iterator[Violation]:
    pairs = fixed.source * fixed.n_neurons + fixed.target
    several = len(pairs) - len(np.unique(pairs))
    if several:
        what = f"{several} synapses beside another of the same cells"
        yield Violation("network", what, "one between two cells", "make one synapse of them")
    negative = int((fixed.charge() < 0).sum())
    if weight_bits == 1 and negative:
        what = f"{negative} synapses with negative weights"
        yield Violation("network", what, "weights of 1 bit are 0 or 1", "take weight_bits = 2")
    if inputs > INPUTS:
        yield Violation("network", f"{inputs} inputs of a layer", f"{INPUTS}", "export fewer")
    least, most = UNIT.fields[0].range
    threshold, step = fixed.profiles.threshold, fixed.profiles.step
    if (threshold < least).any() or (threshold > most).any() or (step > MOST_STEP).any():
        what = f"thresholds of {threshold.min()} to {threshold.max()}, steps up to {step.max()}"
        limit = f"{least} to {most}, and {MOST_STEP} sixteenths"
        yield Violation("network", what, limit, "take a shorter window, or a smaller i_offset")


def _memory(layout: Layout, **values: Integers) -> Memory:
    return Memory(layout, layout.encode(values))


def _check_words(table: Tables, frame: Frame, layer: Integers, neurons: int) -> None:
    """Raise `DamagedTablesError` where tables do not belong to these populations."""
    is_source = np.array([each.is_source for each in frame.axons])
    if len(layer) != len(is_source) or ((layer == 0) != is_source).any():
        raise DamagedTablesError("populations.layer: must be 0 for sources, and for no others")
    if len(table["units"]["threshold"]) != neurons:
        raise DamagedTablesError(f"units: there must be {neurons}")
    if set(np.unique(layer[layer > 0])) != set(range(1, int(layer.max()) + 1)):
        raise DamagedTablesError("populations.layer: must be 1, 2, ... without a gap")
    for number, (inputs, units) in enumerate(chain(frame.axons, layer), 1):
        words = len(table.get(f"weights_{number}", {"weight": ()})["weight"])
        if words != len(inputs) * len(units):
            raise DamagedTablesError(
                f"weights_{number} has {words} words, {len(inputs)} x {len(units)} are needed"
            )


def _synapses(
    table: Tables, axons: Sequence[Axons], layer: Integers
) -> Iterator[tuple[Integers, Integers, Integers]]:
    """Source, target and weight of each layer's weights that are not 0."""
    for number, (inputs, units) in enumerate(chain(axons, layer), 1):
        matrix = table[f"weights_{number}"]["weight"].reshape(len(inputs), len(units))
        row, column = np.nonzero(matrix)
        yield inputs[row], units[column], matrix[row, column]
