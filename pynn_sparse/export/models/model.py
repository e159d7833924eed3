"""What the neurons of a target compute: their registers, the proof of these, and the run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..hardware import Numbers
from ..nets.fixednet import FixedNet, profiles_of
from ..nets.floatnet import FloatNet
from ..proof import Check
from . import golden
from .dynamics import Dynamics
from .register_checks import register_checks
from .registers import RegisterError, register_columns, register_error
from .semantics import Semantics

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Model(ABC):
    """A family of update rules.

    Attributes:
        semantics_type: the class of its update rules; `from_json` reads what `to_json` wrote.
    """

    semantics_type: Any

    @abstractmethod
    def gain(self, step: Dynamics, semantics: Any) -> Floats:
        """What a weight of 1 brings, mV, [size, 2]."""

    @abstractmethod
    def columns(self, step: Dynamics, scale: Floats, numbers: Numbers, semantics: Any) -> Integers:
        """Registers of a population's neurons, [size, registers]."""

    @abstractmethod
    def profiles(self, columns: Integers, semantics: Any) -> tuple[Any, Integers]:
        """The rows that occur in columns [N, registers], and that of each neuron."""

    @abstractmethod
    def error(
        self, label: str, step: Dynamics, scale: Floats, numbers: Numbers, semantics: Any
    ) -> RegisterError:
        """What rounding did to a population's registers."""

    @abstractmethod
    def checks(
        self,
        fixed: FixedNet,
        net: FloatNet,
        steps: list[Dynamics],
        scale: Floats,
        numbers: Numbers,
    ) -> Iterator[Check]:
        """Whether registers are those that the populations' steps ask for."""

    def merges_spikes(self, semantics: Any) -> bool:
        """Whether several spikes of an axon in a step are one."""
        return False

    def steps_of_a_spike(self, semantics: Any) -> int:
        """Time steps within which it means nothing when a spike comes; 1 if its step counts."""
        return 1

    def check_steps(self, semantics: Any, steps: int) -> None:
        """Raise `ExportError` where a run cannot have so many time steps. Any number will do."""
        return

    @abstractmethod
    def run(
        self, fixed: FixedNet, steps: int, events: Integers, states: bool = False
    ) -> golden.Trace:
        """Run a network; see `golden.run`."""


class Leaky(Model):
    """Leaky neurons, step by step: their update is a `Semantics`."""

    semantics_type = Semantics

    def gain(self, step: Dynamics, semantics: Semantics) -> Floats:
        """The gain with which a spike brings the same charge if input decays before it acts.

        Input w then brings w f + w f^2 + ... = w f / (1 - f), with the factor f that the target
        has.
        """
        if not semantics.decays_input:
            return step.gain
        amount = 1 - step.current_factor
        rounded_amount = semantics.amount(semantics.decay_register(amount))
        return np.asarray(step.gain / amount * rounded_amount / (1 - rounded_amount))

    def columns(
        self, step: Dynamics, scale: Floats, numbers: Numbers, semantics: Semantics
    ) -> Integers:
        return register_columns(step, scale, numbers, semantics)

    def profiles(self, columns: Integers, semantics: Semantics) -> tuple[Any, Integers]:
        return profiles_of(columns, semantics.n_receptors)

    def error(
        self, label: str, step: Dynamics, scale: Floats, numbers: Numbers, semantics: Semantics
    ) -> RegisterError:
        return register_error(label, step, scale, numbers, semantics)

    def checks(
        self,
        fixed: FixedNet,
        net: FloatNet,
        steps: list[Dynamics],
        scale: Floats,
        numbers: Numbers,
    ) -> Iterator[Check]:
        return register_checks(fixed, steps, scale, numbers)

    def merges_spikes(self, semantics: Semantics) -> bool:
        return semantics.merges_spikes

    def run(
        self, fixed: FixedNet, steps: int, events: Integers, states: bool = False
    ) -> golden.Trace:
        return golden.run(fixed, steps, events, states)


LEAKY = Leaky()
