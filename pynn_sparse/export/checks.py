"""What arguments are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def is_integer(value: Any) -> bool:
    """Whether it is an integer, which truth values are not."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether it is a finite number, which truth values are not."""
    return is_integer(value) or (
        isinstance(value, (float, np.floating)) and math.isfinite(float(value))
    )
