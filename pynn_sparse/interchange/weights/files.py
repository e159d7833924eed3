"""Arrays by name from a mapping or a file: .npz, .safetensors, and what `torch.save` writes."""

from __future__ import annotations

import json
import math
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...door import Door, as_numbers
from ...errors import GraphError
from .pytorch import bfloat16, read_pytorch

door = Door(GraphError)
Weights = dict[str, NDArray[Any]]
SAFETENSORS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "BOOL": "?",
    **{
        f"{kind}{8 * size}": f"<{code}{size}"
        for kind, code in ("Ii", "Uu")
        for size in (1, 2, 4, 8)
    },
}
DAMAGE = (
    *(ValueError, LookupError, OSError, TypeError, EOFError, AttributeError),
    *(zipfile.BadZipFile, pickle.UnpicklingError),
)
MOST_HEADER = 100_000_000  # bytes, as the format's own library has it


def read_weights(source: Any) -> Weights:
    """Arrays by name, float64 where they are floats.

    Args:
        source: a mapping of names to arrays or tensors, such as a state dictionary, or the path
            of a file: .npz, .safetensors, or .pt, .pth or .bin of `torch.save`. Nothing in a file
            is executed, and PyTorch is not needed. Dictionaries within dictionaries give names with
            dots in between.

    Raises `pynn_sparse.errors.GraphError` for what is none of these, or is damaged, and
    FileNotFoundError.
    """
    if isinstance(source, Mapping):
        try:
            return _flat(source)
        except RecursionError as error:
            raise GraphError("weights: must not be a mapping that contains itself") from error
    if not isinstance(source, (str, Path)):
        raise door.refused("weights", source, "a mapping of names to arrays, or a path")
    path = Path(source)
    readers: dict[str, Callable[[Path], Mapping[str, Any]]] = {
        ".npz": _read_npz,
        ".safetensors": _read_safetensors,
        **dict.fromkeys((".pt", ".pth", ".bin"), read_pytorch),
    }
    if path.suffix not in readers:
        must = f"a mapping, or the name of a file that ends in one of {', '.join(readers)}"
        raise door.refused("weights", source, must)
    try:
        return _flat(readers[path.suffix](path))
    except FileNotFoundError:
        raise
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error
    except DAMAGE as error:
        raise GraphError(f"{path}: is damaged: {type(error).__name__}: {error}") from error


def _flat(values: Mapping[str, Any], prefix: str = "") -> Weights:
    """Arrays of a mapping and of mappings in it; what is no array of numbers is left out."""
    found: Weights = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        elif (array := _array(f"{prefix}{name}", value)) is not None:
            found[f"{prefix}{name}"] = array
    return found


def _array(name: str, value: Any) -> NDArray[Any] | None:
    if hasattr(value, "detach"):  # a tensor of PyTorch, wherever it is
        value = value.detach().cpu().double().numpy()
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        return None
    if as_numbers(value, "biuf") is None:
        raise door.refused(f"weights: {name}", value, "numbers without a unit, none of them masked")
    plain: NDArray[Any] = np.asarray(value)
    return plain.astype(np.float64) if plain.dtype.kind == "f" else plain


def _read_npz(path: Path) -> Mapping[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    """See https://github.com/huggingface/safetensors: a header in JSON, and bytes."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or size > min(len(content) - 8, MOST_HEADER):
        raise GraphError("is no safetensors file: its header is longer than the file")
    header, content = json.loads(content[8 : 8 + size]), content[8 + size :]
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in SAFETENSORS:
            raise GraphError(f"{name} has the type {entry['dtype']}, which NumPy does not have")
        dtype, shape = np.dtype(SAFETENSORS[entry["dtype"]]), tuple(entry["shape"])
        if (
            not 0 <= begin <= end <= len(content)
            or end - begin != math.prod(shape) * dtype.itemsize
        ):
            raise GraphError(f"{name} has the shape {shape}, and {end - begin} bytes")
        array = np.frombuffer(content[begin:end], dtype).reshape(shape)
        found[name] = bfloat16(array) if entry["dtype"] == "BF16" else array
    return found
