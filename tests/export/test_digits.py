"""The example of handwritten digits keeps what it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.gallery import assert_as_in_gallery

from pynn_sparse.export.targets.asic.simulate import available

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "digits.py"


@pytest.mark.slow
def test_digits_on_hardware_are_within_a_point_of_the_simulation(tmp_path: Path) -> None:
    """Pruned to a quarter, with weights of 5 bits; the core in Verilog has equal outputs."""
    pytest.importorskip("sklearn")
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--images", "300"],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    text = done.stdout
    dense = float(re.findall(r"dense network on pyNN.sparse: +accuracy ([\d.]+)%", text)[0])
    assert dense > 95
    assert float(re.findall(r"sparsity ([\d.]+)%", text)[0]) >= 70
    for target in ("asic", "loihi1"):
        found = re.findall(rf"{target}, 5 bits: verified True, accuracy ([\d.]+)%", text)
        assert float(found[0]) >= dense - 1.0, target
    if available("icarus") or available("verilator"):
        assert "outputs equal" in text
    assert_as_in_gallery(tmp_path / "results" / "digits.png")
    assert (tmp_path / "results" / "digits_asic" / "manifest.json").exists()
