"""Values that need no evaluation: what scripts give to one cell after the other.

PyNN's parameter spaces evaluate random distributions, functions of indices and much else, which
takes a tenth of a millisecond for each value, as plain as it may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..parameters import Sequence

NUMBERS = frozenset((float, int, np.float64, np.float32, np.int64, np.int32))


def plain_number(value: Any) -> float | None:
    """A number as a float; None for anything else, truth values included."""
    return float(value) if type(value) in NUMBERS else None


def plain_values(celltype: Any, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """Values for all of some cells as the engine's models take them; None if one is not plain.

    That is a number for a parameter that is one, and numbers for one that is a sequence.
    """
    plain = {}
    vectors, sequences = getattr(celltype, "vectors", ()), celltype.model.sequences
    for name, value in parameters.items():
        if name in sequences:
            plain[name] = _plain_sequence(value)
        elif name not in vectors and type(celltype.default_parameters[name]) is float:
            plain[name] = plain_number(value)
        if plain.get(name) is None:
            return None
    return plain


def _plain_sequence(value: Any) -> NDArray[np.object_] | None:
    """One sequence for all cells, [1]; None for what is not, or not only, a sequence of numbers."""
    if type(value) is Sequence:
        value = value.value
    if isinstance(value, (list, tuple)):
        if not all(type(each) in NUMBERS for each in value):
            return None
    elif not (type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind in "fiu"):
        return None
    one = np.empty(1, object)
    one[0] = np.array(value, np.float64)
    return one
