"""Memory of Neo's objects, which refer to each other in circles.

Such objects are freed by Python's garbage collector alone, which comes when many objects have been
made, however large they are: a hundred of them may hold gigabytes until then.
"""

from __future__ import annotations

import gc

MOST = 64 << 20  # bytes of data that have been made since the collector came

_made = 0


def made(size: int) -> None:
    """Objects with so many bytes of data have been made: have those collected that are not used."""
    global _made
    _made += size
    if _made > MOST and gc.isenabled():
        _made = 0
        gc.collect()
