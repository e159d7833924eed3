"""Every way to install leads to a working `import pyNN.sparse`, and none leaves a trace in PyNN.

Each test has a virtual environment of its own: a copy of a template into which the package was
installed once. What PyNN needs comes from the environment that runs the tests, through links.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import pynn_sparse

ROOT = Path(__file__).resolve().parents[2]
SITE = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
INSTALLS = ("wheel", "editable")
LEFT_OUT = ("pynn", "_editable_skbc_pynn", "__pycache__", "csa")  # PyNN would import csa each time
IMPORT = "import pyNN.sparse as sim; print(sim.__name__, sim.__file__)"
PATH = "import sys; print(*sys.path, sep=':')"
SIMULATE = """
import pyNN.sparse as sim
sim.setup(timestep=0.1)
cell = sim.Population(1, sim.IF_curr_exp(i_offset=1.0))
cell.record("spikes")
sim.run(100.0)
print(len(cell.get_data().segments[0].spiketrains[0]))
"""

pytestmark = pytest.mark.slow


class Environment:
    """A virtual environment that the test may spoil."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self.site = folder / SITE
        self.work = folder / "work"  # neither the checkout nor PyNN is importable from there

    def run(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python, with a clean environment but for `variables`."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        clean |= {"PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(self.folder / "cache")}
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.work,
            env=clean | variables,
            capture_output=True,
            text=True,
        )

    def output(self, *arguments: str | Path, **variables: str) -> str:
        """What Python prints, of a run that succeeds without a word on standard error."""
        done = self.run(*arguments, **variables)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout.strip()

    def error(self, code: str, **variables: str) -> str:
        """The last line of standard error, of a run that fails."""
        done = self.run("-c", code, **variables)
        assert done.returncode != 0, done.stdout
        return done.stderr.strip().splitlines()[-1]

    def pip(self, *arguments: str | Path, **variables: str) -> None:
        """Run the pip of the environment that runs the tests on this one."""
        command = [sys.executable, "-m", "pip", "--python", self.python, "--quiet", *arguments]
        done = subprocess.run(
            command, cwd=self.work, env=os.environ | variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def install(self, *what: str | Path, **variables: str) -> None:
        self.pip("install", "--no-deps", *what, **variables)

    def copy(self, folder: Path) -> "Environment":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Environment(folder)

    def files(self) -> dict[str, str]:
        """Path below site-packages -> hash; folders, which may be empty, are listed too."""
        return {
            path.relative_to(self.site).as_posix(): (
                hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            )
            for path in self.site.rglob("*")
            if "__pycache__" not in path.parts
        }


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Builds a wheel of a requirement; returns its path."""

    def build(requirement: str | Path) -> Path:
        folder = tmp_path_factory.mktemp("wheel")
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder]
        done = subprocess.run([*command, requirement], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        (wheel,) = folder.glob("*.whl")
        return wheel

    return build


@pytest.fixture(scope="session")
def wheel(build):
    return build(ROOT)


@pytest.fixture(scope="session")
def pynn_wheel(build):
    return build(f"PyNN=={version('PyNN')}")


@pytest.fixture(scope="session")
def dependencies(tmp_path_factory):
    """A folder with what the tests' own environment has, but for what is LEFT_OUT."""
    folder = tmp_path_factory.mktemp("dependencies")
    for site in (Path(entry) for entry in sys.path if entry.endswith("-packages")):
        for item in site.iterdir():
            left_out = item.name.lower().startswith(LEFT_OUT)
            link = folder / item.name
            if not left_out and item.suffix not in {".pth", ".start"} and not link.exists():
                link.symlink_to(item)
    return folder


@pytest.fixture(scope="session")
def bare(tmp_path_factory, dependencies, pynn_wheel):
    """PyNN, without this package."""
    environment = Environment(tmp_path_factory.mktemp("bare") / "venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment.folder], check=True)
    environment.work.mkdir()
    (environment.site / "dependencies.pth").write_text(f"{dependencies}\n")
    environment.install(pynn_wheel)
    return environment


@pytest.fixture(scope="session")
def templates(bare, wheel, tmp_path_factory):
    """Environments by what was installed into them, each made when first asked for."""
    made: dict[str, Environment] = {}

    def template(kind: str) -> Environment:
        if kind not in made:
            environment = bare.copy(tmp_path_factory.mktemp(kind) / "venv")
            if kind == "wheel":
                environment.install(wheel)
            elif kind == "editable":
                environment.install("--editable", ROOT)
            else:
                environment.install(ROOT, CC="/bin/false", CXX="/bin/false")
            made[kind] = environment
        return made[kind]

    return template


@pytest.fixture(params=INSTALLS)
def installed(request, templates, tmp_path):
    return templates(request.param).copy(tmp_path / "venv")


@pytest.fixture
def no_compiler(templates, tmp_path):
    """The package was installed where there is no compiler."""
    return templates("no_compiler").copy(tmp_path / "venv")


def test_import_loads_the_backend_under_its_own_name(installed):
    name, file = installed.output("-c", IMPORT).split()
    assert name == "pyNN.sparse"
    assert Path(file).parts[-3:] == ("pynn_sparse", "backend", "__init__.py")


def test_simulation_runs(installed):
    assert int(installed.output("-c", SIMULATE)) > 0


def test_pynn_elsewhere_on_the_path(installed):
    elsewhere = installed.folder / "elsewhere"
    elsewhere.mkdir()
    (installed.site / "pyNN").rename(elsewhere / "pyNN")
    code = IMPORT + "; import pyNN; print(pyNN.__file__)"
    output = installed.output("-c", code, PYTHONPATH=str(elsewhere))
    assert output.splitlines()[-1] == str(elsewhere / "pyNN" / "__init__.py")


def test_pynn_reinstalled_afterwards(installed, pynn_wheel):
    installed.install("--force-reinstall", pynn_wheel)
    assert installed.output("-c", IMPORT).startswith("pyNN.sparse ")


def test_uninstall_leaves_everything_as_it_was(installed, bare):
    installed.output("-c", IMPORT)
    assert installed.files() != bare.files()
    installed.pip("uninstall", "--yes", "pynn-sparse")
    assert installed.files() == bare.files()
    assert installed.error(IMPORT) == "ModuleNotFoundError: No module named 'pyNN.sparse'"


def test_without_pynn_the_error_names_pynn(installed):
    installed.pip("uninstall", "--yes", "PyNN")
    assert not (installed.site / "pyNN").exists()
    assert installed.error(IMPORT) == "ModuleNotFoundError: No module named 'pyNN'"
    assert installed.error("import pynn_sparse; pynn_sparse.setup()") == (
        "ModuleNotFoundError: No module named 'pyNN'"
    )


def test_a_backend_of_pynns_own_would_win(installed):
    (installed.site / "pyNN" / "sparse.py").write_text("")
    assert installed.output("-c", IMPORT).endswith("pyNN/sparse.py")


def test_get_simulator_accepts_sparse(installed):
    script = installed.work / "script.py"
    script.write_text(
        "from pyNN.utility import get_simulator\n"
        "sim, options = get_simulator(('--size', 'an option of the script'))\n"
        "print(sim.__name__, options.simulator)\n"
    )
    assert installed.output(script, "sparse") == "pyNN.sparse sparse"


def test_the_simulator_state_exists_once(installed):
    installed.output(
        "-c",
        "import sys, pynn_sparse, pyNN.sparse, pyNN.sparse.simulator as simulator\n"
        "assert pyNN.sparse.simulator is simulator\n"
        "assert pynn_sparse.setup is pyNN.sparse.setup\n"
        "assert not [name for name in sys.modules if name.startswith('pynn_sparse.backend')]\n",
    )


def test_submodules_are_found_without_loading_the_backend(installed):
    installed.output(
        "-c", "import sys; from pynn_sparse import errors; assert 'pyNN' not in sys.modules"
    )


def test_interpreter_starts_without_loading_more_than_the_hook(installed):
    code = "import sys; print(*(name for name in sys.modules if name.startswith('pynn_sparse')))"
    assert set(installed.output("-c", code).split()) == {"pynn_sparse", "pynn_sparse.import_hook"}
    installed.output("-c", "import sys; assert not {'pyNN', 'numpy', 'typing'} & {*sys.modules}")


def test_start_file_names_the_same_hook(templates, tmp_path):
    environment = templates("wheel").copy(tmp_path / "venv")
    module, function = (environment.site / "pynn_sparse.start").read_text().strip().split(":")
    path = environment.output("-c", PATH)
    code = f"import {module} as m; m.{function}(); {IMPORT}"
    assert "pyNN.sparse" in environment.output("-S", "-c", code, PYTHONPATH=path)


def test_without_site_processing_importing_the_package_is_enough(templates, tmp_path):
    environment = templates("wheel").copy(tmp_path / "venv")
    path = environment.output("-c", PATH)
    done = environment.run("-S", "-c", IMPORT, PYTHONPATH=path)
    assert "No module named 'pyNN.sparse'" in done.stderr
    environment.output("-S", "-c", f"import pynn_sparse; {IMPORT}", PYTHONPATH=path)


@pytest.mark.parametrize("lost", ["", "__init__.py", "import_hook.py"])
def test_a_damaged_installation_does_not_disturb_other_programs(lost, templates, tmp_path):
    environment = templates("wheel").copy(tmp_path / "venv")
    package = environment.site / "pynn_sparse"
    if lost:
        (package / lost).unlink()
    else:
        shutil.rmtree(package)
    assert environment.output("-c", "print('started')") == "started"


def test_a_checkout_that_is_gone_does_not_disturb_other_programs(templates, tmp_path):
    environment = templates("editable").copy(tmp_path / "venv")
    for hook in environment.site.glob("_editable_skbc_pynn_sparse.p*"):
        hook.write_text(hook.read_text().replace(str(ROOT), "/gone"))
    assert environment.output("-c", "print('started')") == "started"


def test_wheel_serves_every_python_and_carries_the_sources(wheel, templates):
    assert wheel.name.startswith(f"pynn_sparse-{pynn_sparse.__version__}-py3-none-linux_")
    package = templates("wheel").site / "pynn_sparse"
    sources = {path.relative_to(ROOT) for path in ROOT.glob("cuda/**/*.[hcf]*") if path.is_file()}
    kernels = {path for path in sources if path.suffix in {".h", ".cu", ".cpp", ".flags"}}
    assert kernels == {
        path.relative_to(package) for path in package.glob("cuda/**/*") if path.is_file()
    }


def test_wheel_carries_the_licence_and_says_that_it_is_typed(templates):
    site = templates("wheel").site
    (about,) = site.glob("pynn_sparse-*.dist-info")
    assert "Apache License" in (about / "licenses" / "LICENSE").read_text()
    metadata = (about / "METADATA").read_text()
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert "\nAuthor: The PyNN-sparse developers\n" in metadata
    assert (site / "pynn_sparse" / "py.typed").is_file()


def test_wheel_needs_no_compiler_but_for_models_of_ones_own(templates, tmp_path):
    environment = templates("wheel").copy(tmp_path / "venv")
    said = environment.output(ROOT / ".ci" / "try_wheel.py")
    assert "spikes per second and neuron" in said
    assert "DeviceError" in said


def test_installed_library_fits_the_sources(installed):
    """Otherwise each user would compile a library of their own."""
    code = "from pynn_sparse.engine.toolchain import libraries as l; print(l.cpu_library()._name)"
    path = Path(installed.output("-c", code))
    assert path.parent == installed.site / "pynn_sparse" / "lib"


def test_without_a_compiler_the_run_says_what_is_missing(no_compiler):
    assert not (no_compiler.site / "pynn_sparse" / "lib").exists()
    no_compiler.output("-c", IMPORT, PATH="/nowhere")
    error = no_compiler.error(SIMULATE, PATH="/nowhere")
    assert "DeviceError: no library for the CPU" in error
    assert "g++" in error


def test_a_compiler_that_came_later_is_used(no_compiler):
    """This one does not optimise, whatever it is asked for: what has to be inlined is so anyway."""
    tools = no_compiler.folder / "tools"
    tools.mkdir()
    path = os.environ["PATH"]
    (tools / "g++").write_text(f"#!/bin/sh\nPATH='{path}' exec g++ \"$@\" -O0\n")
    (tools / "g++").chmod(0o700)
    first = no_compiler.run("-c", SIMULATE, PATH=f"{tools}{os.pathsep}{path}")
    assert first.returncode == 0, first.stderr
    assert int(first.stdout) > 0
    cache = no_compiler.folder / "cache"
    assert list(cache.rglob("*.so"))
    assert first.stderr.startswith("pynn-sparse: compiling the kernels for this CPU")
    assert str(cache) in first.stderr
    assert int(no_compiler.output("-c", SIMULATE)) == int(first.stdout)  # compiled once


def test_command_line_tool_is_installed(installed):
    assert pynn_sparse.__version__ in installed.output(
        installed.folder / "bin" / "pynn-sparse", "info"
    )
