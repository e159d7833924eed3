"""Every kernel compiles for old and new GPUs, with every version of NVRTC that is here.

The options are those of `kernels.nvrtc_options` and those that CuPy adds itself.
"""

from __future__ import annotations

import functools
import re

import pyNN.sparse as sim
import pytest
from support.nestml import LEAKY, STATEMENTS
from support.nvrtc import (
    Compiled,
    Nvrtc,
    every_generation,
    every_version,
    newest_gpu,
    newest_gpu_of_every_version,
    oldest_gpu,
    oldest_version,
    versions,
)
from support.synapse_rules import rewarded, triplet

from pynn_sparse.engine import kernels
from pynn_sparse.interchange.layers.programs import Structure, definition
from pynn_sparse.network import Model
from pynn_sparse.network.cells.definition import Definition
from pynn_sparse.network.cells.user import user_model
from pynn_sparse.network.model import Graded

DOUBLE, SINGLE = map(kernels.step_kernels, kernels.PRECISIONS)


def _as_needed(nvrtc: Nvrtc, code: str, architecture: int) -> Compiled:
    """The newest version optimises; older ones are asked whether they understand a kernel."""
    newest = nvrtc is versions()[0]
    return (nvrtc.compile if newest else nvrtc.compile_quickly)(code, architecture)


# Both precisions have the same text, but for the name of a type, and no text asks which GPU it is
# for: each is compiled for one of the two. `test_all_kernels_as_one` has the kernels without a
# precision for the other one, and optimises, as CuPy does, which takes ten times as long.
@oldest_gpu
@pytest.mark.parametrize("kernel", DOUBLE)
def test_compiles_in_double_precision(kernel: str, nvrtc: Nvrtc, architecture: int) -> None:
    nvrtc.compile_quickly(DOUBLE[kernel], architecture).check(kernel)


@newest_gpu
@pytest.mark.parametrize("kernel", sorted(SINGLE.keys() - DOUBLE.keys()))
def test_compiles_in_single_precision(kernel: str, nvrtc: Nvrtc, architecture: int) -> None:
    nvrtc.compile_quickly(SINGLE[kernel], architecture).check(kernel)


def test_no_kernel_asks_which_gpu_it_is_compiled_for() -> None:
    """Else, those between the oldest and the newest would have to be compiled for, too."""
    files = [path for path in kernels.source_folder().rglob("*") if path.suffix in {".h", ".cu"}]
    assert files
    assert not [path.name for path in files if "_ARCH__" in path.read_text()]


@oldest_version
@pytest.mark.parametrize("kernel", DOUBLE)
def test_compiles_with_the_oldest_version(kernel: str, nvrtc: Nvrtc, architecture: int) -> None:
    """What it understands, versions between it and the newest do; they compile kernels as one."""
    nvrtc.compile_quickly(DOUBLE[kernel], architecture).check(kernel)


@newest_gpu_of_every_version
@pytest.mark.parametrize("precision", kernels.PRECISIONS)
def test_all_kernels_as_one(precision: str, nvrtc: Nvrtc, architecture: int) -> None:
    """With two models, as many as a network is likely to have."""
    texts = kernels.step_kernels(precision)
    cells = [name for name in texts if "IF_curr_exp" in name or "SpikeSourcePoisson_" in name]
    names = ["inject", "couple", *cells, "record", "deliver", "remember"]
    if precision == "single":
        names[-2:] = ["deliver_plain"]
    code = kernels.run_code([(name, 0, True) for name in names], texts)
    _as_needed(nvrtc, code, architecture).check("run")


@every_version
@pytest.mark.parametrize("unit", sorted(set(kernels.BUILD_KERNELS.values())))
def test_builders_compile(unit: str, nvrtc: Nvrtc, architecture: int) -> None:
    names = [name for name, file in kernels.BUILD_KERNELS.items() if file == unit]
    _as_needed(nvrtc, kernels.build_kernel(names[0]), architecture).check(*names)


FUNCTIONS = ("log_of", "log_of_complement", "exp_of", "normal_quantile")


@every_generation
def test_functions_compile(nvrtc: Nvrtc, architecture: int) -> None:
    calls = "\n".join(f"x[i] = {name}(x[i]);" for name in FUNCTIONS)
    source = f"""
    #include "core/draws.h"
    extern "C" __global__ void draw(double* x, uint32* y) {{
      const int64 i = Team::here().thread();
      {calls}
      x[i] += open_uniform(philox(1, Purpose::kDraw, 0, i / 2), i);
      y[i] = below(y[i], uint32(i), 1000);
    }}"""
    nvrtc.compile(source, architecture).check("draw")


@functools.cache
def models_without_files() -> list[Model]:
    """A neuron composed of receptors, given by formulas, by NESTML, and as trained elsewhere.

    Events of that given by formulas carry a value.
    """
    composed = sim.PointNeuron(
        sim.AdExp(),
        exc=sim.AlphaPSR(e_syn=0.0, tau_syn=2.0),
        inh=sim.AlphaPSR(e_syn=-70.0, tau_syn=3.0),
    )
    formulas = Definition(
        "Plain",
        ("tau",),
        {"v": 0.0},
        equations={"v": "-v / tau"},
        threshold="v > 1",
        send="v / 2",
        graded=Graded(unit=2.0**-8, limit=3.0),
    )
    nestml = [sim.nestml_cell_type(text).model for text in (LEAKY, STATEMENTS)]
    trained = [
        user_model(definition(Structure(True, "decay_last", ">=", "subtract", "many"))),
        user_model(definition(Structure(True, "decay_first", ">", "subtract_next"))),
    ]
    return [composed.model, user_model(formulas), *nestml, *trained]


@newest_gpu_of_every_version
def test_models_without_files_compile(nvrtc: Nvrtc, architecture: int) -> None:
    for model in models_without_files():
        code = kernels.step_code(model, "double")
        nvrtc.compile_quickly(code, architecture).check(kernels.step_name(model, "double"))


@newest_gpu_of_every_version
def test_rules_of_users_compile(nvrtc: Nvrtc, architecture: int) -> None:
    """With the kernel that delivers, which then knows one kind of the package besides."""
    kinds = [each().dynamics for each in (rewarded, triplet)]
    rules = {each.kinds[0]: each.source for each in kinds} | {"SharedPairs": ""}
    code = kernels.deliver_code("deliver_rules", rules)
    nvrtc.compile_quickly(code, architecture).check("deliver_rules")


def test_options_are_what_cupy_passes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that it adds are `CUPY_FLAGS`; none is given twice, which NVRTC may refuse."""
    compiler = pytest.importorskip("cupy.cuda.compiler")
    given: list[tuple[str, ...]] = []

    class Program:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def compile(self, options: tuple[str, ...], *_: object) -> tuple[bytes, None]:
            given.append(options)
            return b"", None

    class Module:
        def load(self, cubin: bytes) -> None:
            pass

        def _set_mapping(self, mapping: None) -> None:
            pass

    monkeypatch.setenv("CUPY_CACHE_IN_MEMORY", "1")
    monkeypatch.setattr(compiler, "_NVRTCProgram", Program)
    monkeypatch.setattr(compiler.function, "Module", Module)
    monkeypatch.setattr(compiler, "_get_nvrtc_version", lambda: (12, 4))
    monkeypatch.setattr(compiler, "_get_extra_include_dir_opts", tuple)
    monkeypatch.setattr(compiler, "_get_arch_for_options_for_nvrtc", lambda *_: ("-arch=", "cubin"))
    compiler._compile_module_with_cache("", kernels.nvrtc_options(), "80")
    assert sorted(given[-1]) == sorted([*kernels.nvrtc_options(), *kernels.CUPY_FLAGS, "-arch="])


def test_all_builders_are_listed() -> None:
    folder = kernels.source_folder() / "build"
    units = {f"build/{path.stem}": path.read_text() for path in folder.glob("*.cu")}
    found = {
        name: unit
        for unit, text in units.items()
        for name in re.findall(r"BUILD_KERNEL\((\w+)", text)
    }
    assert found == kernels.BUILD_KERNELS
