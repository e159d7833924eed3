"""Files, graphs, rules and inputs that are refused, each with the reason."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from support.nir_graphs import DT, LITERAL, chain, lif, port, weights, write

from pynn_sparse.cli import main
from pynn_sparse.errors import GraphError

h5py = pytest.importorskip("h5py")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fc": {"type": "Gemm"}}, "node 'fc': type 'Gemm' is not one of NIR's: Affine"),
        ({"fc.weight": np.full((6, 5), np.nan)}, "node 'fc': weight must be finite numbers"),
        ({"fc.weight": np.ones((6, 4))}, r"node 'fc': its weight \(6, 4\) takes \(4,\)"),
        ({"fc.bias": np.ones(5)}, r"node 'fc': bias \(5,\) does not fit weight"),
        ({"lif.tau": np.ones(7)}, "node 'lif': its parameters must have one shape"),
        ({"lif.tau": np.zeros(6)}, "node 'lif': tau = 0: must be above 0"),
        ({"lif.tau": np.full(6, 5e-5)}, "node 'lif': tau = 5e-05: is shorter than dt"),
        ({"lif.tau": np.array(["a"] * 6)}, "node 'lif': tau must be numbers"),
        ({"lif.v_peak": np.zeros(6)}, "node 'lif': field 'v_peak' is not one of LIF"),
        ({"output": port("Output", 4)}, r"node 'output': is for \(4,\), but gets \(3,\)"),
        ({"lif": {"kind": "LIF"}}, "node 'lif': has no type"),
        ({"fc2": lif(6)}, "node 'lif2': takes"),
    ],
)
def test_a_wrong_node_is_named(change: dict[str, Any], message: str) -> None:
    tree = copy.deepcopy(chain())
    for place, value in change.items():
        name, _, field = place.partition(".")
        if field:
            tree["nodes"][name][field] = value
        else:
            tree["nodes"][name] = value
    sim.setup(timestep=0.1)
    with pytest.raises(GraphError, match="graph: " + message):
        sim.nir_network(tree, **LITERAL)
    assert not sim.simulator.state.network.blocks


def test_edges_are_checked() -> None:
    sim.setup(timestep=0.1)
    tree = chain()
    tree["edges"].append(("lif", "nowhere"))
    with pytest.raises(GraphError, match="there is no node 'nowhere'"):
        sim.nir_network(tree, **LITERAL)
    tree["edges"][-1] = tree["edges"][0]
    with pytest.raises(GraphError, match="is there twice"):
        sim.nir_network(tree, **LITERAL)


def test_a_cycle_of_layers_is_refused_with_the_reason() -> None:
    tree = chain()
    tree["nodes"]["back"] = {"type": "Linear", "weight": weights(6, 3)}
    tree["edges"] += [("lif2", "back"), ("back", "lif")]
    sim.setup(timestep=0.1)
    with pytest.raises(GraphError, match=r"the cycle lif2? -> lif2? -> lif2? passes 2 layers"):
        sim.nir_network(tree, **LITERAL)
    tree["nodes"]["later"] = {"type": "Delay", "delay": np.full(3, 2 * DT)}
    tree["edges"] = [edge for edge in tree["edges"] if edge != ("lif2", "back")]
    tree["edges"] += [("lif2", "later"), ("later", "back")]
    sim.nir_network(tree, **LITERAL)


def test_values_between_layers_are_refused() -> None:
    tree = chain()
    tree["nodes"]["lif"] = {k: v for k, v in lif(6).items() if k in ("tau", "r", "v_leak")} | {
        "type": "LI"
    }
    sim.setup(timestep=0.1)
    with pytest.raises(NotImplementedError, match="node 'lif': LI sends values"):
        sim.nir_network(tree, **LITERAL)


def test_what_is_missing_is_told_at_once_with_what_each_framework_means() -> None:
    sim.setup(timestep=0.1)
    with pytest.raises(GraphError) as caught:
        sim.nir_network(chain())
    text = str(caught.value)
    assert "  dt: how long a step lasts" in text
    assert "rule='snntorch' (snnTorch 1.0): dt=0.0001, decay='euler'" in text
    assert "rule='spikingjelly' (SpikingJelly 2.0): dt=?" in text
    assert "jump" not in text  # there is no synaptic current
    with pytest.raises(GraphError, match=r"by the rule of Norse 1\.1 the file does not say all"):
        sim.nir_network(chain(), rule="norse")


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"rule": "nengo"}, "rule = 'nengo': must be a Rule, or one of snntorch, norse"),
        ({"rule": "literal", "dt": -1.0}, "dt = -1.0: must be a number above 0"),
        ({"rule": "literal", "fires": "="}, "fires = '=': must be one of '>', '>='"),
        ({"rule": "literal", "threshold": 1}, "'threshold' is no switch of a rule"),
    ],
)
def test_a_rule_is_checked(switches: dict[str, Any], message: str) -> None:
    sim.setup(timestep=0.1)
    with pytest.raises(GraphError, match=message):
        sim.nir_network(chain(), **{"dt": DT} | switches)


@pytest.mark.parametrize(
    ("inputs", "steps", "message"),
    [
        (np.zeros((2, 5)), None, r"must be \[samples, steps, \*shape\].*images need steps="),
        (np.zeros((2, 3, 4)), None, r"with the shape \(5,\)"),
        (np.full((2, 3, 5), np.inf), None, "must be numbers that are finite, and some are not"),
        (np.zeros((2, 5)), 0, "steps = 0: must be 1 to 2147483647, an integer"),
        ({"other": np.zeros((2, 3, 5))}, None, r"must be for each of \['input'\]"),
        (np.zeros((0, 3, 5)), None, "must be .* with at least one sample and step"),
    ],
)
def test_inputs_are_checked(inputs: Any, steps: Any, message: str) -> None:
    sim.setup(timestep=0.1)
    net = sim.nir_network(chain(), **LITERAL)
    with pytest.raises(ValueError, match=message):
        net.present(inputs, steps)


def test_files_that_are_no_nir(tmp_path: Path) -> None:
    sim.setup(timestep=0.1)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        sim.nir_network(tmp_path / "none.nir", **LITERAL)
    (tmp_path / "text.nir").write_text("not HDF5")
    with pytest.raises(GraphError, match=r"text.nir: damaged, or no NIR file"):
        sim.nir_network(tmp_path / "text.nir", **LITERAL)
    with h5py.File(tmp_path / "other.nir", "w") as file:
        file["data"] = 1
    with pytest.raises(GraphError, match="no NIR, nor one of lava-dl: there is no group 'node'"):
        sim.nir_network(tmp_path / "other.nir", **LITERAL)
    with h5py.File(write(tmp_path / "link.nir", chain()), "a") as file:
        file["node/nodes/more"] = h5py.ExternalLink("elsewhere.h5", "/x")
    with pytest.raises(GraphError, match="is a link, which NIR has none of"):
        sim.nir_network(tmp_path / "link.nir", **LITERAL)
    with pytest.raises(TypeError, match=r"source = \[\]: must be the path of a NIR file"):
        sim.nir_network([], **LITERAL)


def test_to_nir_wants_what_nir_network_made(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="net = 1: must be what nir_network returns"):
        sim.to_nir(1, tmp_path / "net.nir")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"text"])
def test_damaged_inputs_of_the_command(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, inputs = write(tmp_path / "net.nir", chain()), tmp_path / "x.npy"
    inputs.write_bytes(content)
    words = ["nir", str(file), "--input", str(inputs), "--out", str(tmp_path / "out")]
    assert main([*words, "--rule", "literal", "--dt", "1e-4"]) == 1
    assert f"{inputs}: is damaged, or no .npy file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_flipped_bits_and_cut_files_never_raise_anything_else(tmp_path: Path) -> None:
    data = write(tmp_path / "net.nir", chain()).read_bytes()
    rng, refused = np.random.default_rng(1), 0
    for number in range(40):
        damaged = bytearray(data)
        place = int(rng.integers(len(data)))
        damaged[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "damaged.nir").write_bytes(damaged[:place] if number % 2 else damaged)
        sim.setup()
        try:
            sim.nir_network(tmp_path / "damaged.nir", **LITERAL)
        except GraphError:
            refused += 1
    assert refused >= 20
