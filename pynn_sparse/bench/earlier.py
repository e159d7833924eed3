"""An earlier build of this package, a commit or a wheel, to be run beside the present one.

It is installed into an environment of its own, which sees all other packages that the present one
uses, so that nothing but this package differs. What is measured, and how, is what the present build
has: its benchmarks are copied there.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import __version__

PACKAGE = Path(__file__).resolve().parents[1]
BENCHMARKS = "benchmarks_of_the_present_build"


class EarlierBuildError(RuntimeError):
    """An earlier build cannot be had; the message says why."""


@dataclass(frozen=True)
class Earlier:
    """An installed build: what it is, for people, and the interpreter that has it."""

    title: str
    python: Path

    def command(self, network: str, threads: int, duration: float, *more: str) -> list[str]:
        """The command of a run, as `peers.one_run` gives it for the present build."""
        # Isolated, since the folder at hand may be a repository with another build.
        python = [str(self.python), "-I", "-W", "ignore"]
        options = ["--threads", str(threads), "--duration", str(duration), *more]
        return [*python, "-m", f"{BENCHMARKS}.bench.one_run", network, "sparse", *options]


def is_build(text: str) -> bool:
    """Whether `--against` names a wheel or a commit, not a file of figures."""
    path = Path(text)
    return path.suffix == ".whl" or not (path.exists() or path.suffix == ".json")


@contextmanager
def installed(source: str) -> Iterator[Earlier]:
    """The build of a wheel or a commit, in a temporary environment.

    A commit is one of the repository in which this package lies, and is compiled, which takes a
    minute or two. Raises `EarlierBuildError`.
    """
    with tempfile.TemporaryDirectory(prefix="pynn-sparse-earlier-") as folder:
        root = Path(folder)
        title, what = _wheel(source) if source.endswith(".whl") else _commit(source, root / "tree")
        python, site = _environment(root / "environment")
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        options = ["--no-deps", "--disable-pip-version-check", str(what)]
        _run([*pip, *options], f"{title} cannot be installed")
        _copy_benchmarks(site / BENCHMARKS)
        yield Earlier(title, python)


def _wheel(source: str) -> tuple[str, Path]:
    path = Path(source)
    if not path.is_file():
        raise EarlierBuildError(f"{source}: there is no such file")
    return path.name, path


def _commit(source: str, tree: Path) -> tuple[str, Path]:
    """The title of a commit, and the folder into which its files are written."""
    git = ["git", "-C", str(PACKAGE.parent)]
    must = f"{source}: must be a file of `--json`, a wheel, or a commit of {PACKAGE.parent.name}"
    parse = [*git, "rev-parse", "--short", "--verify", "--quiet", f"{source}^{{commit}}"]
    name = _run(parse, must).decode().strip()
    archive = _run([*git, "archive", "--format=tar", name], f"commit {name} cannot be read")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        files.extractall(tree, **safely)  # type: ignore[arg-type]
    return f"commit {name}", tree


def _environment(folder: Path) -> tuple[Path, Path]:
    """Interpreter and site-packages of a new environment that sees those of the present one."""
    venv.create(folder, symlinks=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    python = Path(sysconfig.get_path("scripts", "venv", scheme)) / "python"
    present = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    # After the environment's own; what such folders say of others to be seen is not read.
    (site / "present.pth").write_text("\n".join(present) + "\n")
    return python, site


def _copy_benchmarks(package: Path) -> None:
    shutil.copytree(PACKAGE / "bench", package / "bench")
    shutil.copy(PACKAGE / "measuring.py", package)
    (package / "__init__.py").write_text(f"__version__ = {__version__!r}\n")


def _run(command: list[str], problem: str) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise EarlierBuildError(f"{problem}: {error}") from error
    if done.returncode:
        (*_, last) = ["", *done.stderr.decode().strip().splitlines()]
        raise EarlierBuildError(f"{problem}{f': {last}' if last else ''}")
    return done.stdout
