"""Which devices there are, and why one was not taken."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import DeviceError
from .device import Device
from .processors import processors, quota

THREADS_PAY_FROM = 10_000  # neurons; below, a step is too short to share


@dataclass(frozen=True)
class Found:
    """A device: its name, whether it can be used, and a line of detail or the reason why not."""

    name: str
    usable: bool
    detail: str


def describe_devices() -> list[Found]:
    """What `pynn-sparse info` shows, in the order in which "auto" prefers them."""
    return [_find_cuda(), _find_cpu()]


def _find_cpu() -> Found:
    from .compile import cpu_library

    try:
        library = cpu_library()
    except DeviceError as error:
        return Found("cpu", False, str(error))
    limit = f" by a quota of {quota():g}," if quota() <= processors() else ","
    return Found("cpu", True, f"{processors()} processors{limit} kernels in {library._name}")


def _find_cuda() -> Found:
    try:
        import cupy
    except ImportError as error:
        return Found(
            "cuda", False, f"CuPy cannot be imported ({error}); pip install 'pynn-sparse[cuda13]'"
        )
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return Found("cuda", False, f"CuPy {cupy.__version__} finds no GPU: {error}")
    if not count:
        return Found("cuda", False, f"CuPy {cupy.__version__} finds no GPU")
    properties = cupy.cuda.runtime.getDeviceProperties(0)
    name, memory = properties["name"].decode(), properties["totalGlobalMem"] / 2**30
    version = f"{properties['major']}.{properties['minor']}"
    return Found("cuda", True, f"{name}, compute capability {version}, {memory:.0f} GiB")


def require_cuda() -> None:
    """Raise `DeviceError` if there is no GPU that can be used."""
    found = _find_cuda()
    if not found.usable:
        raise DeviceError(f'device="cuda" cannot be used: {found.detail}')


def chosen(name: str) -> str:
    """Which device "auto" is: "cuda" if there is a GPU that can be used, else "cpu"."""
    if name == "auto":
        return "cuda" if _find_cuda().usable else "cpu"
    return name


def make_device(name: str, threads: int | None, n_neurons: int, precision: str) -> Device:
    """The device called "cpu" or "cuda", or with "auto" the first usable one.

    `threads` is for the CPU; None takes all processors once there are enough neurons to share.
    Raises `DeviceError` if the device cannot be used.
    """
    if chosen(name) == "cuda":
        require_cuda()
        from .gpu import CudaDevice
        from .gpu_runtime import CupyRuntime

        return CudaDevice(CupyRuntime(), precision)
    from .cpu import CpuDevice

    return CpuDevice(threads or (processors() if n_neurons >= THREADS_PAY_FROM else 1))
