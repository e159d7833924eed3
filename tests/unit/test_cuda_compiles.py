"""Every kernel compiles for every supported GPU, with the options that CuPy would be given.

NVRTC needs no GPU and no driver. The options are those of `engine/gpu_runtime.py` and the one that
CuPy adds itself.
"""

from __future__ import annotations

import re

import pytest

from pynn_sparse.engine import compile

nvrtc = pytest.importorskip("cuda.bindings.nvrtc")

ARCHITECTURES = ("75", "80", "90", "100", "120")
CUPY_FLAGS = ("-ftz=true",)
UNITS = {name: unit for p in compile.PRECISIONS for name, unit in compile.kernel_units(p).items()}


def buffer(size: int) -> bytes:
    """Bytes for NVRTC to write into: more than one, since all `b" "` are the same object."""
    return bytes(size + 1)


def compiled(code: str, definitions: tuple[str, ...], architecture: str) -> tuple[int, str, bytes]:
    _, program = nvrtc.nvrtcCreateProgram(code.encode(), b"unit.cu", 0, [], [])
    options = [
        *compile.NVRTC_FLAGS,
        *CUPY_FLAGS,
        f"-I{compile.source_folder()}",
        f"--gpu-architecture=sm_{architecture}",
        *definitions,
    ]
    (status,) = nvrtc.nvrtcCompileProgram(program, len(options), [o.encode() for o in options])
    log = buffer(nvrtc.nvrtcGetProgramLogSize(program)[1])
    nvrtc.nvrtcGetProgramLog(program, log)
    cubin = b""
    if not int(status):
        cubin = buffer(nvrtc.nvrtcGetCUBINSize(program)[1])
        nvrtc.nvrtcGetCUBIN(program, cubin)
    return int(status), log.decode(errors="replace"), cubin


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kernel", UNITS)
def test_compiles(kernel: str, architecture: str) -> None:
    status, log, cubin = compiled(compile.kernel_code(kernel), UNITS[kernel], architecture)
    assert (status, log.strip("\0 \n")) == (0, "")
    assert kernel.encode() in cubin  # the name by which CuPy asks for it


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("precision", compile.PRECISIONS)
def test_all_kernels_as_one(precision: str, architecture: str) -> None:
    """With two models, as many as a network is likely to have."""
    units = compile.kernel_units(precision)
    cells = [name for name in units if "IF_curr_exp" in name or "SpikeSourcePoisson_" in name]
    names = ["inject", "couple", *cells, "record", "deliver", "remember"]
    if precision == "single":
        names[-2:] = ["deliver_plain"]
    code = compile.run_code([(name, 0, True) for name in names], units)
    status, log, cubin = compiled(code, (), architecture)
    assert (status, log.strip("\0 \n")) == (0, "")
    assert b"run" in cubin


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("unit", sorted(set(compile.BUILD_KERNELS.values())))
def test_builders_compile(unit: str, architecture: str) -> None:
    kernels = {name for name, file in compile.BUILD_KERNELS.items() if file == unit}
    status, log, cubin = compiled(compile.kernel_code(min(kernels)), (), architecture)
    assert (status, log.strip("\0 \n")) == (0, "")
    assert all(f".text.{name}\0".encode() in cubin for name in kernels)


def test_all_builders_are_listed() -> None:
    folder = compile.source_folder() / "build"
    units = {f"build/{path.stem}": path.read_text() for path in folder.glob("*.cu")}
    found = {
        name: unit
        for unit, text in units.items()
        for name in re.findall(r"BUILD_KERNEL\((\w+)", text)
    }
    assert found == compile.BUILD_KERNELS
