"""Which devices there are, and why one was not taken."""

from __future__ import annotations

import functools
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DeviceError
from ...notices import warn
from ...processors import busy_processors, processors, quota
from ..kernels import nvrtc_options
from ..toolchain import cache
from ..toolchain.libraries import cpu_library

OLDEST_CAPABILITY = 7, 0  # blocks of a kernel cannot wait for each other before
CUPY_CACHE = "CUPY_CACHE_DIR"
NO_OPENMP = "one thread (compiled without OpenMP)"
NO_KERNEL = 'extern "C" __global__ void nothing() {}'
INSTALL = "CuPy comes with the extra 'cuda12' or 'cuda13' of this package, for CUDA 12 or 13"


@dataclass(frozen=True)
class Found:
    """A device: its name, whether it can be used, and a line of detail or the reason why not.

    `present` says whether the machine has one, usable or not.
    """

    name: str
    usable: bool
    detail: str
    present: bool = False


def describe_devices() -> list[Found]:
    """What `pynn-sparse info` shows, in the order in which "auto" prefers them."""
    return [_find_cuda(), _find_cpu()]


def _find_cpu() -> Found:
    try:
        library = cpu_library()
    except DeviceError as error:
        return Found("cpu", False, str(error))
    limit = f" by a quota of {quota():g}," if quota() <= processors() else ","
    threads = f" {NO_OPENMP},"
    if library.has_threads():
        others = busy_processors()
        threads = f" of which programs now use {others:.1f}," if others is not None else ""
        threads += " up to as many threads, one while that is faster,"
    detail = f"{processors()} processors{limit}{threads} kernels in {library._name}"
    return Found("cpu", True, detail, present=True)


def _find_cuda() -> Found:
    try:
        cupy = import_cupy()
    except (ImportError, OSError) as error:
        return Found("cuda", False, f"CuPy cannot be imported ({error}). {INSTALL}")
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return Found("cuda", False, f"CuPy {cupy.__version__} finds no GPU: {error}")
    if not count:
        return Found("cuda", False, f"CuPy {cupy.__version__} finds no GPU")
    properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.runtime.getDevice())
    capability = properties["major"], properties["minor"]
    memory = properties["totalGlobalMem"] / 2**30
    name = f"{properties['name'].decode()}, compute capability {capability[0]}.{capability[1]}"
    if capability < OLDEST_CAPABILITY:
        needed = "{}.{}".format(*OLDEST_CAPABILITY)
        return Found("cuda", False, f"{name}: must be {needed} or later", present=True)
    try:
        cupy.RawModule(code=NO_KERNEL, options=nvrtc_options()).get_function("nothing")
    except Exception as error:  # of a compiler, of the driver, of what finds them: it is shown
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return Found(
            "cuda",
            False,
            f"{name}: CuPy {cupy.__version__} cannot compile kernels for it ({reason}). {INSTALL}, "
            "with a version of NVRTC that knows this GPU",
            present=True,
        )
    return Found("cuda", True, f"{name}, {memory:.0f} GiB", present=True)


def import_cupy() -> Any:
    """CuPy, which gets another folder for its cache where it could not write to its own.

    Raises ImportError where there is none, or something else by its name.
    """
    if importlib.util.find_spec("cupy") is None:
        raise ImportError("there is no module 'cupy'")
    if not os.environ.get(CUPY_CACHE) and not cache.is_writable(Path("~/.cupy").expanduser()):
        os.environ[CUPY_CACHE] = str(cache.folder() / "cupy")
    import cupy

    if not hasattr(cupy, "cuda"):
        place = cupy.__file__ or next(iter(cupy.__path__))
        raise ImportError(f"{place} is not CuPy, but comes in its place; give it another name")
    return cupy


@functools.cache
def warn_once(text: str) -> None:
    """Warn of what is wrong with a device, and not again."""
    warn(text, RuntimeWarning)


def require_cuda() -> None:
    """Raise `DeviceError` if there is no GPU that can be used."""
    found = _find_cuda()
    if not found.usable:
        raise DeviceError(f'device="cuda" cannot be used: {found.detail}')


def chosen(name: str) -> str:
    """Which device "auto" is: "cuda" if there is a GPU that can be used, else "cpu".

    A `RuntimeWarning` says why a GPU that is there cannot be used.
    """
    if name != "auto":
        return name
    found = _find_cuda()
    if found.present and not found.usable:
        warn_once(f"the CPU is used, and not the GPU: {found.detail}")
    return "cuda" if found.usable else "cpu"
