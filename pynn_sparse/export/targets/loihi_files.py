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
    """``loihi.npz``; for chains of populations ``network.net``, too, if h5py is installed."""
    arrays = loihi_arrays(tables.fixed, tables.rule.weight_bits, tables.rule.signed)
    buffer = io.BytesIO()
    contiguous: dict[str, Any] = {n: np.ascontiguousarray(each) for n, each in arrays.items()}
    np.savez(buffer, **contiguous)
    files = {"loihi.npz": buffer.getvalue()}
    layers = chain(tables)
    if layers and importlib.util.find_spec("h5py"):
        files["network.net"] = netx(tables, arrays, layers)
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
        "v_init": registers.initial[profile],
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


def netx(tables: Any, arrays: Arrays, layers: list[int]) -> bytes:
    """HDF5 as lava-dl's netx reads it: a group ``layer/<n>`` for the input and each population."""
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        first = tables.net.cells[tables.net.connections[layers[0]].pre]
        group = file.create_group("layer/0")
        group["type"] = np.bytes_("input")
        group["shape"] = np.array([first.size])
        for number, index in enumerate(layers, start=1):
            _layer(file.create_group(f"layer/{number}"), tables, arrays, index)
    return buffer.getvalue()


def _layer(group: Any, tables: Any, arrays: Arrays, index: int) -> None:
    part = tables.net.connections[index]
    pre, post = (tables.net.cells[each] for each in (part.pre, part.post))
    first = {each.label: each for each in tables.frame.axons}
    axons, neurons = first[pre.label], first[post.label]
    begin, end = arrays["indptr"][axons.first], arrays["indptr"][axons.first + axons.size]
    counts = np.diff(arrays["indptr"][axons.first : axons.first + axons.size + 1])
    source = np.repeat(np.arange(axons.size), counts)
    target = arrays["indices"][begin:end] - neurons.first
    weight = np.zeros((post.size, pre.size), np.int64)
    delay = np.zeros((post.size, pre.size), np.int64)
    weight[target, source] = arrays["weight"][begin:end]
    delay[target, source] = arrays["delay"][begin:end]
    group["type"] = np.bytes_("dense")
    group["shape"] = np.array([post.size])
    group["inFeatures"], group["outFeatures"] = pre.size, post.size
    group["weight"], group["delay"] = weight, delay
    neuron = group.create_group("neuron")
    neuron["type"] = np.bytes_("LOIHI")
    here = slice(neurons.first, neurons.first + neurons.size)
    exponent = arrays["weight_exp"][begin:end]
    for name, values in (
        ("iDecay", arrays["du"][here]),
        ("vDecay", arrays["dv"][here]),
        ("vThMant", arrays["vth_mant"][here]),
        ("refDelay", arrays["refract"][here]),
        ("wgtExp", exponent[:1] if len(exponent) else np.zeros(1, np.int64)),
    ):
        neuron[name] = int(values[0]) if (values == values[0]).all() else values
