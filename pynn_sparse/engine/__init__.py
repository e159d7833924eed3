"""The engine: lays a network out for a device and advances it. It knows nothing of PyNN."""

from .devices.choice import make_device
from .devices.found import chosen, describe_devices, require_cuda
from .engine import Engine

__all__ = ["Engine", "chosen", "describe_devices", "make_device", "require_cuda"]
