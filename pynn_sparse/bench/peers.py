"""The simulators that this backend is compared with, one entry each."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass

from . import genn


@dataclass(frozen=True)
class Peer:
    """A simulator: why it cannot be used, if it cannot, and the command of a run.

    The command prints what `one_run` prints. It is None for networks that the peer does not have.
    """

    name: str
    title: str
    missing: Callable[[], str | None]
    command: Callable[[str, int, float], list[str] | None]
    packages: tuple[str, ...]


def one_run(network: str, backend: str, threads: int, duration: float, *more: str) -> list[str]:
    """The command of a run through `one_run`."""
    where = [sys.executable, "-W", "ignore", "-m", "pynn_sparse.bench.one_run", network, backend]
    return [*where, "--threads", str(threads), "--duration", str(duration), *more]


def _absent(module: str) -> Callable[[], str | None]:
    return lambda: None if importlib.util.find_spec(module) else "not installed"


NEST = Peer(
    "nest",
    "NEST",
    _absent("nest"),
    lambda network, threads, duration: one_run(network, "nest", threads, duration),
    ("nest-simulator",),
)

# It has one thread on a CPU, whatever number the others use.
GENN = Peer(
    "genn",
    "GeNN",
    _absent("pygenn"),
    lambda network, threads, duration: (
        one_run(network, "genn", 1, duration) if network in genn.NETWORKS else None
    ),
    ("pygenn",),
)

PEERS = {peer.name: peer for peer in (NEST, GENN)}
