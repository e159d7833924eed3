"""How threads of the CPU share work, where one of them comes late."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pynn_sparse.engine.kernels import source_folder
from pynn_sparse.engine.toolchain.compiler import find_compiler


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("relay") / "relay"
    source = Path(__file__).with_name("relay.cpp")
    flags = ["-std=c++17", "-O2", "-pthread", f"-I{source_folder()}"]
    subprocess.run([*find_compiler(), *flags, str(source), "-o", str(path)], check=True)
    return path


@pytest.mark.parametrize("meetings", [1, 2])
@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_stages_are_done_once_and_in_order(program: Path, threads: int, meetings: int) -> None:
    """Also those of a thread that comes late, by others meanwhile."""
    command = [str(program), str(threads), str(meetings)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == ""
