"""Networks in NIR fire as the neurons of the program that wrote them, bin by bin.

Against stored traces: `nir_traces/make.py` says of which versions, and how they are made.
"""

from __future__ import annotations

import base64
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest

TRACES = Path(__file__).parent / "nir_traces"
FRAMEWORKS = sorted(path.name.partition(".")[0] for path in TRACES.glob("*.json.xz"))
WRITERS = [each for each in FRAMEWORKS if each != "lava-dl"]  # of NIR


def decoded(tree: Any) -> Any:
    """What `encoded` of make.py has made JSON of."""
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == {"dtype", "shape", "data"}:
        data = base64.b64decode(tree["data"])
        return np.frombuffer(data, tree["dtype"]).reshape(tree["shape"])
    return {name: decoded(value) for name, value in tree.items()}


def cases(framework: str) -> dict[str, Any]:
    packed = (TRACES / f"{framework}.json.xz").read_bytes()
    return {
        name: decoded(case) for name, case in json.loads(lzma.decompress(packed))["cases"].items()
    }


@pytest.mark.parametrize("framework", WRITERS)
def test_files_of_the_documentation_are_the_traces_graphs(framework: str) -> None:
    """So that they are what the exporters write."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(TRACES.parents[2] / "docs" / "nir" / f"{framework}.nir", "r") as file:
        for case in cases(framework).values():
            nodes = case["graph"]["nodes"]
            if nodes.keys() == file["node/nodes"].keys() and all(
                field in file[f"node/nodes/{name}"]
                and np.array_equal(value, file[f"node/nodes/{name}/{field}"][()])
                for name, node in nodes.items()
                for field, value in node.items()
                if isinstance(value, np.ndarray)
            ):
                return
    pytest.fail("no case is like that")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.filterwarnings("ignore:graph")  # what writers do wrong
def test_every_spike_is_in_its_bin(framework: str) -> None:
    """All cases are in one simulation, whose kernels are compiled at once."""
    sim.setup(timestep=1.0)
    stored = cases(framework)
    nets = {
        name: sim.nir_network(case["graph"], rule=framework, **case["said"])
        for name, case in stored.items()
    }
    wrong, bins = {}, 0
    for name, case in stored.items():
        expected = case["out"]
        assert expected.sum() > 10
        found = nets[name].present(case["in"][None])[0].reshape(expected.shape)
        bins += expected.size
        if (found != expected).any():
            wrong[name] = int((found != expected).sum())
    assert not wrong, f"of {bins} bins"
