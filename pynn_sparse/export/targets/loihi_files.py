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

import importlib.util
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fixednet import FixedNet

Arrays = dict[str, NDArray[Any]]
MIXED, EXCITATORY, INHIBITORY = 1, 2, 3


def loihi_files(tables: Any) -> dict[str, bytes]:
    """``loihi.npz``; ``network.net``, too, for chains that netx can say, if h5py is installed."""
    arrays = loihi_arrays(tables.fixed, tables.rule.weight_bits, tables.rule.signed)
    buffer = io.BytesIO()
    contiguous: dict[str, Any] = {n: np.ascontiguousarray(each) for n, each in arrays.items()}
    np.savez(buffer, **contiguous)
    files = {"loihi.npz": buffer.getvalue()}
    layers = chain(tables)
    if layers and importlib.util.find_spec("h5py"):
        network = netx(tables, arrays, layers)
        files |= {"network.net": network} if network else {}
    return files


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


def chain(tables: Any) -> list[int]:
    """Projections in the order of layers, where each population feeds the next one only."""
    net = tables.net
    after = {part.pre: index for index, part in enumerate(net.connections)}
    targets = [part.post for part in net.connections]
    if len(after) != len(net.connections) or len(set(targets)) != len(targets):
        return []
    starts = [index for index in after if net.cells[index].is_source]
    if len(starts) != 1:
        return []
    order, at = [], starts[0]
    while at in after and after[at] not in order:
        order.append(after[at])
        at = net.connections[after[at]].post
    return order if len(order) == len(net.connections) else []


def netx(tables: Any, arrays: Arrays, layers: list[int]) -> bytes | None:
    """HDF5 as lava-dl's netx reads it: a group ``layer/<n>`` of type ``dense`` for each population.

    None where its ``Dense`` cannot say the same: registers or delays that differ within a layer
    (equal delays only shift the time), refractory periods, biases that are no multiples of 64,
    initial voltages, several synapses between two cells.
    """
    import h5py

    contents = [_layer(tables, arrays, index) for index in layers]
    if not all(contents):
        return None
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for number, layer in enumerate(contents):
            for name, value in layer.items():
                file[f"layer/{number}/{name}"] = value
    return buffer.getvalue()


def _layer(tables: Any, arrays: Arrays, index: int) -> dict[str, Any]:
    """Data sets of a layer by name, none where it cannot be written."""
    part = tables.net.connections[index]
    pre, post = (tables.net.cells[each] for each in (part.pre, part.post))
    first = {each.label: each.first for each in tables.frame.axons}
    here = slice(first[post.label], first[post.label] + post.size)
    rows = arrays["indptr"][first[pre.label] : first[pre.label] + pre.size + 1]
    source = np.repeat(np.arange(pre.size), np.diff(rows))
    target = arrays["indices"][rows[0] : rows[-1]] - here.start
    bias = arrays["bias_mant"][here] << arrays["bias_exp"][here]
    same = [arrays[name][here] for name in ("du", "dv", "vth_mant")]
    same.append(arrays["delay"][rows[0] : rows[-1]])
    exact = all((each == each[:1]).all() for each in same) and not (bias % 64).any()
    plain = (arrays["refract"][here] == 1).all() and not arrays["v_init"][here].any()
    if not (exact and plain and len(np.unique(source * post.size + target)) == len(source)):
        return {}
    weight = np.zeros((post.size, pre.size), np.int64)
    synapses = slice(rows[0], rows[-1])
    weight[target, source] = arrays["weight"][synapses] << arrays["weight_exp"][synapses]
    return {
        "type": np.bytes_("dense"),
        "shape": np.array([post.size]),
        "inFeatures": pre.size,
        "outFeatures": post.size,
        "weight": weight,
        "bias": bias >> 6,
        "neuron/type": np.bytes_("LOIHI"),
        "neuron/iDecay": int(same[0][0]) + 1,
        "neuron/vDecay": int(same[1][0]),
        "neuron/vThMant": int(same[2][0]),
        "neuron/refDelay": 1,
    }
