"""Files that Loihi's users load: registers and weights as arrays, and netx's HDF5.

``loihi.npz`` has, for neuron j and synapse k (rows by axon, `indptr`):

============================ ===========================================================
``du, dv, refract``          registers of decays [N]; refractory register, 1 + steps held
``vth_mant``                 threshold is ``vth_mant << 6``, to be exceeded
``bias_mant, bias_exp``      bias is ``bias_mant << bias_exp``
``v_init``                   voltage at the beginning
``indices, weight``          target and weight on the scale of 8 bits, -256 .. 255
``weight_exp, sign_mode``    of each synapse; 1 mixed, 2 excitatory, 3 inhibitory
``delay``                    0 .. 62: a spike of step t is input of step t + 1 + delay
============================ ===========================================================
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ExportError
from ...nets.fixednet import FixedNet
from .netx import NAME, netx_file

Arrays = dict[str, NDArray[Any]]
MIXED, EXCITATORY, INHIBITORY = 1, 2, 3


def loihi_files(tables: Any) -> dict[str, bytes]:
    """``loihi.npz``; ``network.net``, too, where netx can say the same."""
    arrays = _of_tables(tables)
    buffer = io.BytesIO()
    contiguous: dict[str, Any] = {n: np.ascontiguousarray(each) for n, each in arrays.items()}
    np.savez(buffer, **contiguous)
    files = {"loihi.npz": buffer.getvalue()}
    try:
        return files | {NAME: netx_file(tables, arrays)}
    except ExportError:  # which `loihi_notes` tells
        return files


def loihi_notes(tables: Any) -> tuple[str, ...]:
    """Why there is no file for netx."""
    try:
        netx_file(tables, _of_tables(tables))
    except ExportError as error:
        return (f"There is no {NAME}, for lava-dl's netx: {error}.",)
    return ()


def _of_tables(tables: Any) -> Arrays:
    return loihi_arrays(tables.fixed, tables.rule.weight_bits, tables.rule.signed)


def loihi_arrays(fixed: FixedNet, weight_bits: int, signed: bool) -> Arrays:
    """Registers and weights in the chip's terms."""
    step = 8 - weight_bits + signed
    registers, profile = fixed.profiles, fixed.profile
    shift, negative = fixed.formats.shift[fixed.format], fixed.formats.negative[fixed.format]
    weight = fixed.weight << step
    mantissa, exponent = bias_parts(registers.bias[profile])
    mode = np.where(negative == 1, INHIBITORY, EXCITATORY)
    return {
        "du": registers.current_decay[profile, 0],
        "dv": registers.voltage_decay[profile],
        "refract": registers.refractory[profile] + 1,
        "vth_mant": registers.threshold[profile] >> 6,
        "bias_mant": mantissa,
        "bias_exp": exponent,
        "v_init": fixed.initial,
        "indptr": fixed.start,
        "indices": fixed.target,
        "weight": np.where(negative == 1, -weight, weight),
        "weight_exp": shift - step - 6,
        "weight_bits": np.array(weight_bits),
        "sign_mode": np.full(fixed.n_synapses, MIXED) if signed else mode,
        "delay": fixed.hop - 1,
    }


def bias_parts(bias: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Mantissas of at most 12 bits and the least exponents."""
    exponent = np.zeros_like(bias)
    while (np.abs(bias) >> exponent >= 1 << 12).any():
        exponent += np.abs(bias) >> exponent >= 1 << 12
    return np.sign(bias) * (np.abs(bias) >> exponent), exponent
