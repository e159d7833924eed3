"""Neurons whose registers are PyNN's parameters, of which the chip makes factors itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ...hardware import Numbers
from ...models.dynamics import Dynamics
from ...models.model import Leaky
from ...models.semantics import Semantics
from ...nets.fixednet import FixedNet
from ...nets.floatnet import FloatNet
from ...proof import Check
from .cells import exact_parameters

Floats = NDArray[np.float64]


class Parameters(Leaky):
    """Leaky neurons in s16.15; see `models/relaxing.py`."""

    def gain(self, step: Dynamics, semantics: Semantics) -> Floats:
        return step.gain

    def checks(
        self,
        fixed: FixedNet,
        net: FloatNet,
        steps: list[Dynamics],
        scale: Floats,
        numbers: Numbers,
    ) -> Iterator[Check]:
        neurons = [cells for cells in net.cells if not cells.is_source]
        return parameter_checks(fixed, [exact_parameters(cells, net.dt) for cells in neurons])


def parameter_checks(fixed: FixedNet, exact: list[Mapping[str, Floats]]) -> Iterator[Check]:
    """Registers that are parameters themselves, to the nearest unit."""
    for name in exact[0]:
        wanted = np.concatenate([each[name] for each in exact])
        is_state = name == "initial"
        found = fixed.initial if is_state else getattr(fixed.profiles, name)[fixed.profile]
        worst = float(np.abs(found - wanted).max(initial=0.0))
        what = "initial voltage" if is_state else name.replace("_", " ")
        text = f"largest error {worst:.4g} units"
        yield Check(f"each neuron has its {what}", worst <= 0.5 + 1e-6, text)
