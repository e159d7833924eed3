"""Which device is taken."""

from __future__ import annotations

from ...processors import processors
from ..toolchain.libraries import cpu_library
from .cpu import CpuDevice
from .device import Device
from .found import NO_OPENMP, chosen, require_cuda, warn_once
from .gpu import CudaDevice
from .runtime import CupyRuntime

THREADS_PAY_FROM = 10_000  # neurons; below, a step is too short to share
WORK_OF_OWNER = 2_500  # at least, in neurons, where threads are asked for
SYNAPSES_PER_NEURON = 100  # that are about as much work


def make_device(
    name: str,
    threads: int | None,
    n_neurons: int,
    precision: str,
    n_synapses: int = 0,
    place: int | None = None,
) -> Device:
    """The device called "cpu" or "cuda", or with "auto" the first usable one.

    `threads` is for the CPU; None takes all processors once there are enough neurons to share, a
    number as many, or fewer where each would have hardly anything to do. `place` is the number of
    this process among those of its machine, which take GPUs in turn.
    Raises `DeviceError` if the device cannot be used.
    """
    if chosen(name) == "cuda":
        require_cuda()
        return CudaDevice(CupyRuntime(place), precision)
    if not cpu_library().has_threads():
        if threads and threads > 1:
            warn_once(f"threads = {threads}: the CPU has {NO_OPENMP}; the results are the same")
        return CpuDevice(1)
    if threads is None:
        return CpuDevice(processors() if n_neurons >= THREADS_PAY_FROM else 1)
    work = n_neurons + n_synapses // SYNAPSES_PER_NEURON
    return CpuDevice(max(1, min(threads, work // WORK_OF_OWNER)))
