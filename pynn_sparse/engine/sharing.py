"""Work in NumPy that threads share, where there is enough of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Values that are a thread's share at least: some milliseconds of work, since on a busy machine it
# may take as long until a thread gets a processor. As `kLeastShare` in cuda/build/sharing.h.
LEAST_SHARE = 1 << 16


def each_of(
    function: Callable[[Any], Any], items: Iterable[Any], n: int, threads: int
) -> list[Any]:
    """What a function gives for each item, by up to `threads` threads if there are `n` values."""
    threads = min(threads, n // LEAST_SHARE)
    if threads < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
