"""Every way to run a network: one or two threads, an emulated GPU, a GPU where there is one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pyNN.sparse as sim
import pytest

from pynn_sparse import engine as engines
from pynn_sparse.engine import describe_devices
from pynn_sparse.engine.devices.gpu import CudaDevice

from .emulated import EmulatedRuntime

Runtimes = list[EmulatedRuntime]
DEVICES = ("one thread", "two threads", "emulated", "cuda")


@contextlib.contextmanager
def gpu_from(make_runtime: Callable[[], Any]) -> Iterator[None]:
    """After `setup` without a device, networks run on a GPU with such a runtime."""
    original = engines.make_device

    def make_device(name: str, threads: Any, n: int, precision: str, *rest: Any) -> Any:
        if name == "cpu":
            return original(name, threads, n, precision, *rest)
        return CudaDevice(make_runtime(), precision)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "chosen", lambda name: "cuda" if name == "auto" else name)
        patch.setattr(engines, "make_device", make_device)
        yield


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Networks run on the CPU with so many threads, whatever `setup` says."""
    original = engines.make_device
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "make_device", lambda name, _, *rest: original(name, n, *rest))
        yield


@pytest.fixture(params=DEVICES, scope="module")
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    """After `setup` without a device, networks run on this one."""
    if request.param == "emulated":
        place: Any = gpu_from(lambda: EmulatedRuntime(backwards=True, resident=False))
    elif request.param == "cuda":
        found = describe_devices()[0]
        if not found.usable:
            pytest.skip(found.detail)
        place = contextlib.nullcontext()
    else:
        place = threads(DEVICES.index(request.param) + 1)
    with place:
        yield request.param
    sim.setup(device="cpu")  # nothing of that device is left


@pytest.fixture
def fresh() -> Iterator[None]:
    """A new simulation on one thread, which ends with the test."""
    sim.setup(timestep=0.1, threads=1)
    yield
    sim.end()


@pytest.fixture
def runtimes() -> Iterator[Runtimes]:
    """After `setup` without a device, networks run on an emulated GPU; these are those of all."""
    made: Runtimes = []

    def make() -> EmulatedRuntime:
        made.append(EmulatedRuntime(backwards=True))
        return made[-1]

    with gpu_from(make):
        yield made
    sim.setup(device="cpu")
