"""What a target has to say of itself. Each one is a folder in `targets`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import Violation
from .hardware import Limits, Memory, Numbers, Placement
from .models.dynamics import Dynamics
from .models.model import LEAKY, Model
from .nets.fixednet import FixedNet, Frame
from .nets.floatnet import Cells, FloatNet
from .verification.proof import Check

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


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
