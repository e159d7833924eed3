"""What all tests have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.lean import leave_out_csa

from pynn_sparse import processors
from pynn_sparse.engine.devices import choice
from pynn_sparse.network import dense

pytest_plugins = ["support.devices"]  # its fixtures

HERE = Path(__file__).parent

# Files of the quick tests, `-m quick`: some of every part.
QUICK = frozenset(
    """
    unit/test_engine.py unit/test_time.py unit/test_changes_between_runs.py unit/test_checkpoint.py
    unit/test_front.py unit/test_recording.py unit/test_connectors.py unit/test_bulk.py
    unit/test_single_connections.py unit/test_rho.py unit/test_instances.py
    unit/test_small_networks.py unit/test_names.py unit/test_cache.py unit/test_reference.py
    unit/test_devices.py unit/test_notices.py unit/test_gpu_tables.py unit/test_description.py
    unit/compare/test_compare_exact.py export/test_stages.py export/test_folders.py
    export/test_damaged_folders.py export/test_tables.py export/test_toy_target.py
    export/test_words.py system/test_project.py
    """.split()
)

# Files that take longest, which begin first, so that all processors are busy until the end.
FIRST = """
    system/test_examples.py
    system/compare/test_compare.py
    system/test_install.py
    validation/test_nestml_models.py
    unit/test_cuda_compiles.py
    processes/test_mpiexec.py
    system/test_upstream_examples.py
    unit/test_user_synapses.py
    unit/test_nestml.py
    unit/test_files.py
    unit/test_gpu_device.py
    export/test_digits.py
    export/test_minifloat_rtl.py
    export/test_rtl.py
    validation/test_strong_conductances.py
    validation/test_nonlinear_neurons.py
    validation/test_nir_frameworks.py
    validation/test_plasticity.py
    unit/compare/test_compare_command.py
    unit/test_checkpoint_files.py
    unit/test_lifetime.py
    export/test_limits.py
    export/test_dynapse2.py
    system/test_bench.py
    system/test_docs.py
    system/test_upstream_scenarios.py
    system/test_upstream_mock_suite.py
    """.split()

# Module -> marker of tests whose file takes something from it.
HELPERS = {
    "support.nvrtc": "kernels",
    "support.comparison": "nest",
    "references.rtl": "hdl",
    "pynn_sparse.export.targets.asic.fpga": "hdl",
    "pynn_sparse.export.targets.asic.simulate": "hdl",
}

# No test depends on how fast the machine is, or how busy.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


@pytest.fixture(autouse=True, scope="session")
def _processes_start_sooner() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        leave_out_csa(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def _as_if_large() -> Iterator[None]:
    """As many threads as tests ask for, also where there are fewer processors; and what is made for
    large networks is made for the small ones of tests, too: results agree."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processors, "_affinity", lambda: 8)
        patch.setattr(processors, "quota", lambda: math.inf)
        patch.setattr(choice, "WORK_OF_OWNER", 1)
        patch.setattr(dense, "LEAST_SYNAPSES", 1)
        yield


def _name(path: Path) -> str:
    return path.relative_to(HERE).as_posix() if path.is_relative_to(HERE) else path.name


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # pytest-xdist is to leave the order of files as it is


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files without quick tests are not even imported when only those are asked for."""
    other = collection_path.is_file() and _name(collection_path) not in QUICK
    return True if other and config.option.markexpr == "quick" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests the markers that follow from where they stand and what they use; sort files."""
    for item in items:
        for marker in _markers(item):
            item.add_marker(marker)
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(_name(item.path), len(place)))


def _markers(item: pytest.Item) -> Iterator[str]:
    if module := item.getparent(pytest.Module):
        used = {getattr(value, "__module__", "") for value in vars(module.obj).values()}
        yield from (marker for helper, marker in HELPERS.items() if helper in used)
    if hasattr(item, "callspec") and "cuda" in map(str, item.callspec.params.values()):
        yield "gpu"
    if _name(item.path) in QUICK and not item.get_closest_marker("slow"):
        yield "quick"
