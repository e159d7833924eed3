"""Makes the stored traces that `test_nir_frameworks.py` compares with; no test needs a framework.

    python tests/validation/nir_traces/make.py snntorch     # or norse, spikingjelly, ...

in an environment with the framework (`REQUIRES` in its module of `frameworks` says which versions)
writes `NAME.json.xz` beside this file: for each case the graph that the framework's own exporter
makes, random input, and the spikes that the framework's own neurons fire for it.
"""

from __future__ import annotations

import base64
import importlib
import json
import lzma
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent


def encoded(tree: Any) -> Any:
    """Nested dictionaries with arrays as JSON has them."""
    if isinstance(tree, dict):
        return {name: encoded(value) for name, value in tree.items() if value is not None}
    array = np.asarray(tree)
    if array.dtype.kind == "U" and not array.ndim:
        return str(array)
    if array.dtype.kind in "UO":
        return array.tolist()
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": array.shape, "data": data}


def main(name: str) -> None:
    framework = importlib.import_module("frameworks." + name.replace("-", "_"))
    cases = {}
    for case, tree, said, x, out in framework.cases():
        assert set(np.unique(x)) <= {0.0, 1.0}
        counts = np.rint(out).astype(np.uint8)
        assert (counts == out).all()
        arrays = {"in": x.astype(np.uint8), "out": counts}
        cases[case] = encoded({"graph": tree, **arrays}) | {"said": said}
        print(f"{case:32} {counts.sum():6} spikes in {counts.size} bins")
    about = {"command": f"python make.py {name}", "requires": framework.REQUIRES, "cases": cases}
    (HERE / f"{name}.json.xz").write_bytes(lzma.compress(json.dumps(about).encode()))


if __name__ == "__main__":
    main(sys.argv[1])
