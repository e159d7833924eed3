"""The command line of `pynn-sparse compare`, and scripts redirected to another backend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pynn_sparse.cli import main
from pynn_sparse.compare.command import reorder
from pynn_sparse.compare.redirect import module_name


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("s.py", "-- s.py"),
        ("s.py --seeds 2", "--seeds 2 -- s.py"),
        ("s.py nest --scale 0.1 --out r --seeds 2", "--out r --seeds 2 -- s.py nest --scale 0.1"),
        ("s.py -v --seeds=2", "--seeds=2 -- s.py -v"),
        ("--seeds 2 -- s.py --seeds 5", "--seeds 2 -- s.py --seeds 5"),
    ],
)
def test_arguments_of_the_script(typed: str, understood: str) -> None:
    assert reorder(typed.split()) == understood.split()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["missing.py"], "SCRIPT missing.py: there is no such file"),
        ([__file__, "--backends", "sparse"], "there must be two or more"),
        ([__file__, "--backends", "sparse", "nowhere"], "no module pyNN.nowhere or nowhere"),
        ([__file__, "--backends", "sparse", "mock", "--seeds", "0"], "--seeds 0: must be greater"),
        ([__file__, "--backends", "sparse", "mock", "--jobs", "0"], "--jobs 0: must be greater"),
        ([__file__, "--backends", "sparse", "mock", "--timeout", "-1"], "--timeout -1: must be"),
        ([__file__, "--backends", "sparse", "mock", "--out", __file__], "must be a folder"),
        ([__file__, "--backends", "sparse", "mock", "--tolerance", "2"], "relative = 2.0: must be"),
        ([__file__, "--spike-precision", "exact"], "invalid choice: 'exact'"),
    ],
)
def test_wrong_options(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", *options])
    assert message in f"{capsys.readouterr().err}{stopped.value}"
    assert stopped.value.code != 0


def test_module_of_a_backend() -> None:
    assert module_name("sparse") == "pyNN.sparse"
    assert module_name("neo") == "neo"  # whatever has that name outside PyNN
    with pytest.raises(ModuleNotFoundError, match=r"no module pyNN\.a\.b or a\.b"):
        module_name("a.b")


IMPORTS = {
    "import as": "import pyNN.nest as sim",
    "from": "from pyNN import brian2 as sim",
    "star": "from pyNN.neuron import *\nimport pyNN.neuron as sim",
    "import_module": "from importlib import import_module\nsim = import_module('pyNN.nest')",
    "own": "import pyNN.sparse as sim",
    "argument": "from pyNN.utility import get_simulator\nsim, options = get_simulator()",
    "submodule": (
        "import pyNN.nest.simulator, pyNN.sparse as sim\n"
        "assert pyNN.nest.simulator is sim.simulator\n"
        "assert sim.simulator.__spec__.name == 'pyNN.sparse.simulator'"
    ),
}
CHECK = (
    "\nassert sim.__name__ == 'pyNN.sparse'\nassert sim.setup.__module__ == 'pyNN.sparse.control'"
)


@pytest.mark.parametrize("words", [[], ["nest"], ["sparse"]], ids=" ".join)
@pytest.mark.parametrize("line", IMPORTS.values(), ids=IMPORTS)
def test_every_way_to_import_a_backend(tmp_path: Path, line: str, words: list[str]) -> None:
    script = tmp_path / "script.py"
    script.write_text(line + CHECK)
    code = (
        "import runpy, sys\n"
        "from pynn_sparse.compare.redirect import redirect\n"
        "redirect('sparse')\n"
        f"sys.argv = {[str(script), *words]!r}\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
