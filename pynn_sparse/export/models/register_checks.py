"""Proof that neurons' registers are those that their populations' steps ask for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..hardware import Numbers
from ..nets.fixednet import FixedNet
from ..proof import Check
from .dynamics import Dynamics
from .semantics import Semantics

Floats = NDArray[np.float64]


def register_checks(
    fixed: FixedNet, steps: list[Dynamics], scale: Floats, numbers: Numbers
) -> Iterator[Check]:
    """Registers of leaky neurons are the nearest."""
    semantics, registers, profile = fixed.semantics, fixed.profiles, fixed.profile

    def joined(name: str) -> Floats:
        return np.concatenate([np.asarray(getattr(step, name), float) for step in steps])

    currents = joined("current_factor")[:, : semantics.n_receptors]
    offset = semantics.current_decay_offset
    yield _decay("currents", semantics, registers.current_decay[profile], currents, offset)
    if semantics.decay == "linear":
        error = np.abs(registers.voltage_decay[profile] - joined("leak") * scale)
        text = f"largest error {error.max(initial=0):.4g} units"
        yield Check("each neuron has its leak", bool((error <= 0.5 + 1e-6).all()), text)
    else:
        voltages = joined("voltage_factor")
        yield _decay("voltages", semantics, registers.voltage_decay[profile], voltages, 0)
    if semantics.floor and registers.floor is not None:
        floor = np.where(joined("leak") > 0, 0, numbers.voltage_range[0])
        wrong = int((registers.floor[profile] != floor).sum())
        yield Check("each neuron has its floor", not wrong, f"{wrong} of {len(floor)} differ")
    least = 0.0 if semantics.compare == "greater_or_equal" else 1.0
    for name, found, wanted, bound in (
        (
            "threshold",
            registers.threshold[profile] + least,
            joined("threshold") * scale,
            numbers.threshold_unit / 2,
        ),
        ("reset", registers.reset[profile], joined("reset") * scale, 0.5),
        ("refractory period", registers.refractory[profile], joined("refractory"), 0.0),
        ("initial voltage", fixed.initial, joined("initial") * scale, 0.5),
        ("bias", registers.bias[profile], joined("bias") * scale, None),
    ):
        error = np.abs(found - wanted)
        allowed = _bias_step(wanted, numbers) if bound is None else bound
        holds = bool((error <= np.asarray(allowed) * (1 + 1e-9) + 1e-6).all())
        yield Check(
            f"each neuron has its {name}", holds, f"largest error {error.max(initial=0):.4g} units"
        )


def _decay(
    name: str, semantics: Semantics, registers: NDArray[np.int64], factor: Floats, offset: int
) -> Check:
    """Registers are the nearest: of 2^bits (1 - factor), or of the power of two."""
    if semantics.decay == "shifting":
        wanted = np.maximum(-np.log2(1 - factor), 1)
        error = np.abs(registers - np.minimum(wanted, (1 << semantics.decay_bits) - 1))
    else:
        one = float(1 << semantics.decay_bits)
        wanted = (1 - factor) * one
        error = np.abs(registers + offset - np.clip(wanted, offset, one - 1 + offset))
    worst = float(error.max(initial=0.0))
    text = f"largest error {worst:.4g} units"
    return Check(f"each neuron has its decay of {name}", worst <= 0.5 + 1e-6, text)


def _bias_step(bias: Floats, numbers: Numbers) -> Floats:
    """Half a step of biases that are mantissa << exponent."""
    most = (1 << numbers.bias_bits) - 1
    exponent = np.ceil(np.log2(np.maximum(np.abs(bias) / most, 1.0)))
    return np.asarray(np.exp2(exponent) / 2)
