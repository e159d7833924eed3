"""What a target has to say of itself. Each one is a file beside this, entered in `__init__.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..dynamics import MODELS, Dynamics, hops
from ..errors import Violation
from ..fixednet import FixedNet, Frame
from ..floatnet import Cells, FloatNet
from ..layout import Layout, Limbs
from ..model import LEAKY, Model
from ..proof import Check

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Limits:
    """What `legalise` asks for.

    Attributes:
        receptors: synaptic currents of a neuron, 1 or 2.
        hop: greatest number of steps from a spike to the one whose input it is, or None where the
            target's own `violations` say it.
        refractory: greatest number of steps.
        reset_to_zero: whether a reset is to 0, which then has to be v_reset.
        neurons, synapses, sources: greatest numbers, or None.
        models: cell types.
        recurrent_hop: where there are no delays: the number of steps for all synapses between
            neurons; those of sources have a common one. Else None.
        powers_of_two: whether time constants are powers of two of the time step.
        subtracts: whether resets subtract the threshold, and a neuron may fire again.
        latency: steps from the arrival of a spike to the one whose input it is, where that is not
            the model's, see `dynamics.latency`.
        jumps: whether there are no currents, and input is added to the voltage.
        leak: "share" of the voltage; or a constant, "down" or "towards" the voltage's origin.
        bias: whether there is a constant input.
        weights_per_neuron: greatest number of different weights of a neuron's synapses, or None.
        by_event: whether neurons may fire at each of the spikes that arrive in a step.
        starts_at_zero: whether voltages cannot be set, and begin at 0, which is v_reset.
        timeless: whether spikes are only counted, so that delays have no meaning.
    """

    receptors: int
    hop: int | None
    refractory: int
    reset_to_zero: bool
    neurons: int | None = None
    synapses: int | None = None
    sources: int | None = None
    models: tuple[str, ...] = MODELS
    recurrent_hop: int | None = None
    powers_of_two: bool = False
    subtracts: bool = False
    latency: int | None = None
    jumps: bool = False
    leak: str = "share"
    bias: bool = True
    weights_per_neuron: int | None = None
    by_event: bool = False
    timeless: bool = False
    starts_at_zero: bool = False

    def hops(self, net: FloatNet) -> list[NDArray[np.int64]]:
        """Steps from a spike to the one whose input it is, see `dynamics.hops`."""
        return hops(net, self.recurrent_hop, self.latency, self.timeless)


@dataclass(frozen=True)
class Numbers:
    """Number formats, for `quantise`.

    Attributes:
        greatest_weight: by magnitude, of a mantissa.
        shifts: least and greatest of a weight's left shift; a weight is mantissa << shift.
        voltage_range: of voltages and currents.
        threshold_unit: thresholds are multiples of it.
        greatest_threshold: register.
        bias_bits: of a bias' mantissa without its sign.
        bias_exponents: greatest exponent of a bias; it is mantissa << exponent.
        one_exponent_for_inputs: whether all synapses from sources have one exponent, and all
            others, too, whatever `Quantise.per` says.
        told_by_weight: whether synapses of one source, target and delay are kept in the order of
            their weights, which is all that tables tell of them.
        greatest_leak: register of a leak towards the origin, or None.
    """

    greatest_weight: int
    shifts: tuple[int, int]
    voltage_range: tuple[int, int]
    threshold_unit: int
    greatest_threshold: int
    bias_bits: int
    bias_exponents: int
    one_exponent_for_inputs: bool = False
    told_by_weight: bool = False
    greatest_leak: int | None = None


@dataclass(frozen=True)
class Memory:
    """A table of words, as it is loaded."""

    layout: Layout
    words: Limbs

    @property
    def bits(self) -> int:
        """Size."""
        return len(self.words) * self.layout.width


@dataclass(frozen=True)
class Resource:
    """Use of something that a target has a limited number of."""

    name: str
    used: int
    available: int | None


@dataclass(frozen=True)
class Placement:
    """Where neurons are, and what that takes.

    Attributes:
        cores: number of cores in use.
        core: of each neuron, a sequence of length N.
        resources: what the fullest core, or the chip, uses.
    """

    cores: int
    core: Any
    resources: tuple[Resource, ...] = field(default=())


class Target(Protocol):
    """A kind of hardware.

    Attributes:
        name: by which users ask for it.
        title: for reports.
        version: counts changes of the tables' meaning; tables of another version are refused.
        minifloats: whether weights may be small floating-point numbers, see `Minifloat`.
        defaults: of `Quantise`, where they are not those of `Quantise` itself.
        model: what a neuron computes.
        remedy: where values leave their range.
    """

    name: str
    title: str
    version: int
    minifloats: bool = False
    defaults: Mapping[str, Any] = {}
    model: Model = LEAKY
    remedy: str = "quantise with more headroom"

    def options(self) -> dict[str, Any]:
        """What the constructor takes to make this target anew."""

    def limits(self) -> Limits:
        """For `legalise`."""

    def violations(self, net: FloatNet) -> Iterable[Violation]:
        """What `Limits` does not say, before anything is pruned."""
        return ()

    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        """For `quantise`. Raises `ExportError` for bits that the target does not have."""

    def dynamics(self, cells: Cells, dt: float) -> Dynamics | None:
        """The step of a population, where the target does not make the one of `dynamics`."""
        return None

    def quantise(self, net: FloatNet, rule: Any) -> Any:
        """What `quantise` returns, where number formats are no matter of choice; else None."""
        return None

    def parameters(self, cells: Cells, dt: float) -> Mapping[str, NDArray[np.float64]] | None:
        """Exact values of the registers of `CellParameters`, where the target has these."""
        return None

    def semantics(self, receptors: int) -> Any:
        """The update rule of a network with this number of currents in use: what `model` takes."""

    def held(
        self, exact: Floats, target: Integers, profiles: Any, profile: Integers
    ) -> tuple[Integers, Any] | None:
        """Mantissas [n], and profiles that go with them, where rounding is not enough; else None.

        Args:
            exact: weights in steps, [n].
            target: neuron of each, [n].
            profiles: registers.
            profile: of each neuron, [N].
        """
        return None

    def weight_checks(self, tables: Any, exact: Floats) -> Iterable[Check] | None:
        """Proof that weights are the nearest to `exact` [n], in steps, where `held` chose them."""
        return None

    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        """Partition. Raises `LimitsError` where the network does not fit."""

    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        """Tables by name."""

    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        """The network that tables hold. Raises `DamagedTablesError`."""

    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        """The greatest input of a receptor in a step, by magnitude, that is summed correctly."""

    def more_files(self, tables: Any) -> dict[str, bytes]:
        """Further files by name, that the target's tools take."""

    def notes(self, tables: Any) -> tuple[str, ...]:
        """Sentences for the report: what is not among the files, and why."""
        return ()
