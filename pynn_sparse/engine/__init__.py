"""The engine: lays a network out for a device and advances it. It knows nothing of PyNN.

Its modules are imported when they are first needed, which for most of them is the first run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..later import later

if TYPE_CHECKING:
    from .devices.choice import make_device
    from .devices.found import chosen, describe_devices, require_cuda
    from .engine import Engine

__all__ = ["Engine", "chosen", "describe_devices", "make_device", "require_cuda"]

_found = later(
    __name__,
    {
        "Engine": ".engine",
        "make_device": ".devices.choice",
        **dict.fromkeys(("chosen", "describe_devices", "require_cuda"), ".devices.found"),
    },
)


def __getattr__(name: str) -> Any:
    return _found(name)
