"""Chains of populations as the HDF5 file that lava-dl's netx reads.

Its reader (lava-dl, ``netx/hdf5.py`` and ``netx/utils.py``) takes a group ``layer/<n>`` of type
``dense`` for each population. It has one set of registers for a layer, no refractory periods,
biases in units of 64, and weights of 8 bits without an exponent, which it limits to -256 .. 254,
or 255 where none is negative. What does not fit is not written, and the reason is given.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ExportError

Arrays = Mapping[str, NDArray[Any]]
NAME = "network.net"


def netx_file(tables: Any, arrays: Arrays) -> bytes:
    """The file, of `loihi_arrays`.

    A delay that all synapses of a layer share is left out: it shifts time.

    Raises `ExportError` with the reason where netx cannot say the same.
    """
    layers = [_layer(tables, arrays, *pair) for pair in _chain(tables.net)]
    if importlib.util.find_spec("h5py") is None:
        raise ExportError("h5py is not installed: pip install 'pynn-sparse[export]'")
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for number, layer in enumerate(layers):
            for name, value in layer.items():
                file[f"layer/{number}/{name}"] = value
    return buffer.getvalue()


def _chain(net: Any) -> list[tuple[int, int]]:
    """Pairs of populations in the order of layers; projections between the same two are one."""
    pairs = {(part.pre, part.post) for part in net.connections if len(part)}
    after = dict(sorted(pairs))
    starts = [pre for pre in after if net.cells[pre].is_source]
    order, seen = [], starts[:1]
    while seen and seen[-1] in after and after[seen[-1]] not in seen:
        order.append((seen[-1], after[seen[-1]]))
        seen.append(after[seen[-1]])
    if not pairs or set(order) != pairs:
        raise ExportError(
            "populations are not a chain that begins with sources, each feeding the next"
        )
    return order


def _layer(tables: Any, arrays: Arrays, pre_index: int, post_index: int) -> dict[str, Any]:
    """Data sets of a layer by name."""
    pre, post = (tables.net.cells[each] for each in (pre_index, post_index))
    first = {each.label: each.first for each in tables.frame.axons}
    here = slice(first[post.label], first[post.label] + post.size)
    rows = arrays["indptr"][first[pre.label] : first[pre.label] + pre.size + 1]
    synapses = slice(rows[0], rows[-1])
    registers = {name: arrays[name][here] for name in ("du", "dv", "vth_mant", "refract", "v_init")}
    for name, each in (registers | {"delay": arrays["delay"][synapses]}).items():
        if (each != each[:1]).any():
            raise ExportError(f"{post.label}: {name} differs within the layer")
    for name, plain in (("refract", 1), ("v_init", 0)):
        if (registers[name] != plain).any():
            raise ExportError(f"{post.label}: {name} is {registers[name][0]}, must be {plain}")
    bias = arrays["bias_mant"][here] << arrays["bias_exp"][here]
    if (bias % 64).any():
        raise ExportError(f"{post.label}: biases are no multiples of 64")
    return {
        "type": np.bytes_("dense"),
        "shape": np.array([post.size]),
        "inFeatures": pre.size,
        "outFeatures": post.size,
        "weight": _matrix(arrays, pre, post, rows, here.start),
        "bias": bias >> 6,
        "neuron/type": np.bytes_("LOIHI"),
        "neuron/iDecay": int(registers["du"][0]) + 1,
        "neuron/vDecay": int(registers["dv"][0]),
        "neuron/vThMant": int(registers["vth_mant"][0]),
        "neuron/refDelay": 1,
    }


def _matrix(arrays: Arrays, pre: Any, post: Any, rows: NDArray[Any], first: int) -> NDArray[Any]:
    """Weights [post, pre]."""
    synapses = slice(rows[0], rows[-1])
    source = np.repeat(np.arange(pre.size), np.diff(rows))
    target = arrays["indices"][synapses] - first
    where = f"{pre.label}→{post.label}"
    if len(np.unique(source * post.size + target)) < len(source):
        raise ExportError(f"{where}: there are several synapses between two cells")
    weight = np.zeros((post.size, pre.size), np.int64)
    weight[target, source] = arrays["weight"][synapses] << arrays["weight_exp"][synapses]
    least, most = int(weight.min()), int(weight.max())
    if least < -256 or most > (254 if least < 0 else 255) or least == most == 0:
        raise ExportError(
            f"{where}: weights are {least} to {most}, must be -256 to 254, or 0 to 255, and not "
            'all be 0; find("loihi1", most_exponent=0) keeps them small'
        )
    return weight
