"""Tries an installed wheel as on a machine without a compiler.

    python .ci/try_wheel.py

Runs the README's example with the library that came with the wheel, and asks for a model that has
to be compiled, which says what it needs. Neither finds a compiler, though there may be one.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
LIBRARY = """
import pynn_sparse
from pathlib import Path
from pynn_sparse.engine import describe_devices
cpu = next(device for device in describe_devices() if device.name == "cpu")
assert str(Path(pynn_sparse.__file__).parent / "lib") in cpu.detail, cpu.detail
"""
COMPILED = """
import pyNN.sparse as sim
sim.setup()
cell = sim.native_cell_type(
    "Leaky", parameters={"tau": (10.0, "ms")}, state={"v": (0.0, "mV")},
    equations="dv/dt = -v / tau", threshold="v >= 1", reset="v = 0",
    receptors={"excitatory": "v += weight"}, conductance_based=False,
)
sim.Population(1, cell())
sim.run(1.0)
"""


def run(code: str, folder: str) -> subprocess.CompletedProcess[str]:
    """Run Python where there is nothing to be found by name, nor anything compiled before."""
    empty = {name: os.environ[name] for name in ("HOME", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=empty | {"PATH": folder, "XDG_CACHE_HOME": folder},
        capture_output=True,
        text=True,
    )


def main() -> None:
    """Raise an AssertionError with what went wrong, if something does."""
    example = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)[1]
    assert "sim.run" in example, example
    with tempfile.TemporaryDirectory() as folder:
        for code in (LIBRARY, example):
            done = run(code, folder)
            assert done.returncode == 0, done.stderr
            print(done.stdout, end="")
        done = run(COMPILED, folder)
    error = done.stderr.strip()
    assert done.returncode, "a model was compiled without a compiler"
    assert "DeviceError" in error, error
    for needed in ("C++ compiler", "apt-get install g++", "xcode-select --install"):
        assert needed in error, error
    print(error.splitlines()[-1])


if __name__ == "__main__":
    main()
