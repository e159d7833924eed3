"""Registers of neurons: decays, thresholds and biases as integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..hardware import Numbers
from ..nets.fixednet import REGISTERS
from .dynamics import Dynamics
from .semantics import Semantics

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class RegisterError:
    """Relative errors of a population's registers, greatest over neurons."""

    label: str
    tau_m: float
    tau_syn: float
    threshold: float
    bias: float


def threshold_registers(threshold: Floats, unit: int, strict: bool) -> Integers:
    """Multiples of `unit` nearest to ``v >= threshold``, for a comparison that is strict or not."""
    register = np.rint((threshold - (1 if strict else 0)) / unit).astype(np.int64) * unit
    return np.asarray(np.maximum(register, 0 if strict else 1))


def bias_registers(bias: Floats, numbers: Numbers) -> Integers:
    """The nearest of mantissa << exponent."""
    most = (1 << numbers.bias_bits) - 1
    with np.errstate(divide="ignore"):
        needed = np.ceil(np.log2(np.abs(np.rint(bias)) / most) - 1e-12)
    exponent = np.clip(np.where(np.isfinite(needed), needed, 0), 0, numbers.bias_exponents)
    unit = np.exp2(exponent)
    return np.asarray(np.clip(np.rint(bias / unit), -most, most) * unit).astype(np.int64)


def leak_registers(step: Dynamics, scale: Floats, semantics: Semantics) -> Integers:
    """The registers of the voltage's decay; a linear decay is in units of the voltage."""
    if semantics.decay == "linear":
        return np.rint(step.leak * scale).astype(np.int64)
    return semantics.decay_register(1 - step.voltage_factor)


def floor_registers(step: Dynamics, numbers: Numbers) -> Integers:
    """The origin where a leak is always subtracted, else the least voltage that there is."""
    return np.where(step.leak > 0, 0, numbers.voltage_range[0])


def register_columns(
    step: Dynamics, scale: Floats, numbers: Numbers, semantics: Semantics
) -> Integers:
    """Registers of a population's neurons, [size, R + len(REGISTERS)]; with a floor, one more."""
    currents = semantics.decay_register(
        1 - step.current_factor[:, : semantics.n_receptors], semantics.current_decay_offset
    )
    registers = {
        "voltage_decay": leak_registers(step, scale, semantics),
        "threshold": threshold_registers(
            step.threshold * scale, numbers.threshold_unit, semantics.compare == "greater"
        ),
        "reset": np.rint(step.reset * scale).astype(np.int64),
        "bias": bias_registers(step.bias * scale, numbers),
        "refractory": step.refractory,
    }
    floor = [floor_registers(step, numbers)] if semantics.floor else []
    return np.column_stack([currents, *(registers[name] for name in REGISTERS), *floor])


def register_error(
    label: str, step: Dynamics, scale: Floats, numbers: Numbers, semantics: Semantics
) -> RegisterError:
    """What rounding did to a population's registers."""

    def relative(value: Floats, exact: Floats) -> float:
        some = exact != 0
        return float(np.abs(value[some] / exact[some] - 1).max(initial=0.0))

    def tau(factor: Floats) -> float:
        return relative(semantics.amount(semantics.decay_register(1 - factor)), 1 - factor)

    threshold = threshold_registers(step.threshold * scale, numbers.threshold_unit, False)
    if semantics.decay == "linear":
        leak = leak_registers(step, scale, semantics).astype(float)
        of_voltage = relative(leak, step.leak * scale)
    else:
        of_voltage = tau(step.voltage_factor)
    return RegisterError(
        label,
        of_voltage,
        tau(step.current_factor[step.current_factor > 0]),
        relative(threshold.astype(float), step.threshold * scale),
        relative(bias_registers(step.bias * scale, numbers).astype(float), step.bias * scale),
    )
