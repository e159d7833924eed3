"""Rules by which weights change with spikes."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..errors import ParameterError


@dataclass(frozen=True)
class PairRule:
    """Pairs of spikes, with additive weight dependence; see `cuda/plasticity.h`.

    Attributes:
        tau_plus, tau_minus: time constants (ms) of potentiation and depression.
        A_plus, A_minus: change of weight by one pair without distance in time, as a fraction of
            w_max - w_min; A_minus is positive where the weight decreases.
        w_min, w_max: limits of the weight, without the sign of inhibitory currents.
        sign: of the weights.

    Raises `ParameterError` for values that are not valid.
    """

    tau_plus: float = 20.0
    tau_minus: float = 20.0
    A_plus: float = 0.01
    A_minus: float = 0.01
    w_min: float = 0.0
    w_max: float = 1.0
    sign: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not np.isfinite(value):
                raise ParameterError(f"{field.name} = {value}: must be a finite number")
        for name in ("tau_plus", "tau_minus"):
            if getattr(self, name) <= 0:
                raise ParameterError(f"{name} = {getattr(self, name):g}: must be greater than 0")
        if not 0 <= self.w_min < self.w_max:
            raise ParameterError(
                f"w_min = {self.w_min:g}, w_max = {self.w_max:g}: must be 0 <= w_min < w_max; the "
                "sign of inhibitory currents is put in by the backend"
            )

    @property
    def greatest_weight(self) -> float:
        """What no weight exceeds that does not do so from the start."""
        return self.w_max
