"""Whether scripts give on process 0 of several what one process gives: what they print and write.

    python tests/processes/every_script.py [--ranks 1,2,3] [NAME ...]

Runs those of `examples/` and PyNN's examples, or those whose names contain one of the words given,
without mpiexec and with each number of processes. Takes half an hour for all of them, so that tests
run a few.

Some of PyNN's examples print what a process has by itself, as `local_cells`, and brunel.py draws
the cells that it records without a seed: these differ.
"""

from __future__ import annotations

import argparse
import pickle
import re
import runpy
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

TIME_LIMIT = 900  # s
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RUNNER = HERE / "scripts" / "first_speaks.py"
for folder in (HERE, HERE / "scripts", HERE.parent, HERE.parent / "system"):
    sys.path.insert(0, str(folder))

from network import of_block  # noqa: E402
from test_mpiexec import succeed  # noqa: E402
from upstream.sdist import source_tree  # noqa: E402

# Of lines that differ between two runs of one process, too: times, and what the processes are.
VARYING = re.compile(
    r"(?i)\btime|\d m?s\b|seconds|\bmemory|MiB|process|nodes|local cells|_np\d|threads|\d:\d\d"
)
STAMPS = re.compile(r"_np\d+|[-_]?\d{8}[-_T]?\d{6}|\d{4}-\d\d-\d\d|\d{6,}")

Contents = dict[str, Any]


def commands() -> Iterator[tuple[str, Path, list[str]]]:
    """Name, script and arguments of all scripts."""
    entries = runpy.run_path(str(ROOT / "docs" / "gallery_pictures.py"))["entries"]()
    for name, (script, *options) in entries.items():
        yield f"examples/{name}", ROOT / script, options
    examples = runpy.run_path(str(HERE.parent / "system" / "test_upstream_examples.py"))["EXAMPLES"]
    for each in examples:
        script = source_tree() / "examples" / each.script
        yield " ".join((each.script, *each.arguments)), script, ["sparse", *each.arguments]


def _of_text(text: str) -> list[str]:
    return [STAMPS.sub("", line) for line in text.splitlines() if not VARYING.search(line)]


def _of_pickle(file: Path) -> Any:
    data = pickle.loads(file.read_bytes())
    return of_block(data) if type(data).__name__ == "Block" else repr(data)


def _of_arrays(file: Path) -> Any:
    with np.load(file, allow_pickle=True) as arrays:
        return {name: arrays[name].tolist() for name in arrays}


READERS: dict[str, Callable[[Path], Any]] = {
    ".pkl": _of_pickle,
    ".npz": _of_arrays,
    ".txt": lambda file: _of_text(file.read_text()),
    ".conn": lambda file: file.read_text(),
}


def found(n: int, script: Path, arguments: list[str], folder: Path) -> Contents:
    """What a script prints, and the contents of what it writes in a copy of its folder."""
    shutil.copytree(script.parent, folder, ignore=shutil.ignore_patterns("__pycache__", "Results"))
    (folder / "Results").mkdir(exist_ok=True)
    before = set(folder.rglob("*"))
    printed = succeed(n, RUNNER, folder / script.name, *arguments, cwd=folder, limit=TIME_LIMIT)
    contents: Contents = {"": _of_text(printed)}
    for file in sorted(set(folder.rglob("*")) - before):
        if file.is_file() and "__pycache__" not in file.parts:
            name = STAMPS.sub("", str(file.relative_to(folder)))
            read = READERS.get(file.suffix, Path.read_bytes)
            contents[name] = repr(read(file))  # in which NaN is like NaN
    return contents


def differences(n: int, script: Path, arguments: list[str], expected: Contents) -> list[str]:
    """Names of files whose contents are other ones on n processes; "" for what is printed."""
    with tempfile.TemporaryDirectory() as folder:
        made = found(n, script, arguments, Path(folder) / "several")
    return [name for name in sorted(made.keys() | expected) if made.get(name) != expected.get(name)]


def alone(script: Path, arguments: list[str]) -> Contents:
    """What one process makes."""
    with tempfile.TemporaryDirectory() as folder:
        return found(0, script, arguments, Path(folder) / "one")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", default="1,2,3")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    ranks = [int(each) for each in options.ranks.split(",")]
    failed = 0
    for name, script, arguments in commands():
        if options.names and not any(word in name for word in options.names):
            continue
        try:
            expected = alone(script, arguments)
            differ = {n: differences(n, script, arguments, expected) for n in ranks}
            said = {n: each for n, each in differ.items() if each} or "same"
        except Exception as error:
            said = f"{type(error).__name__}: {str(error)[-1500:]}"
        failed += said != "same"
        print(f"{name}: {said}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
