"""PyNN's generators of random numbers ask only once in which process of MPI they are.

PyNN asks whenever one is made or copied, as each connector does. Without mpi4py that is a failed
import each time, of about a millisecond, which is longer than a small projection takes. The answer
cannot change while the process lives, and it is asked for when it is first needed, as before.
"""

from __future__ import annotations

import functools

from .. import random


def ask_once() -> None:
    """Have `pyNN.random` keep the answer; calling this again changes nothing."""
    if not hasattr(random.get_mpi_config, "cache_info"):
        random.get_mpi_config = functools.cache(random.get_mpi_config)
