"""Networks of NIR, against a plain program that knows nothing of skew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from support.nir_graphs import DT, LITERAL, chain, graph, lif, plain_chain, port, weights, write

from pynn_sparse.cli import main
from pynn_sparse.interchange.layers import Kernel, Rule

pytest.importorskip("h5py")


@pytest.mark.parametrize("values", ["spikes", "several spikes", "numbers"])
def test_layers_loops_biases_and_skip_connections(values: str) -> None:
    x = np.random.default_rng(5).integers(0, 3 if "several" in values else 2, (4, 30, 5)) * 1.0
    if values == "numbers":
        x = x / 2 - 0.25
    tree = chain()
    sim.setup(timestep=0.1)
    net = sim.nir_network(tree, **LITERAL)
    assert net.skews == {"lif": 0, "lif2": 1}
    assert set(net.projections) == {"fc", "rec", "fc2", "skip"}
    found = net.present(x)
    hidden, output = plain_chain(tree, x)
    np.testing.assert_array_equal(found["hidden"], hidden)
    np.testing.assert_array_equal(found["output"], output)
    assert hidden.sum() > 20
    assert output.sum() > 10


def test_a_file_is_read_as_the_graph_is(tmp_path: Path) -> None:
    x = np.random.default_rng(5).integers(0, 2, (1, 30, 5))
    tree = chain()
    sim.setup(timestep=1.0)
    found = sim.nir_network(write(tmp_path / "net.nir", tree), **LITERAL).present(x)
    np.testing.assert_array_equal(found["output"], plain_chain(tree, x)[1])


def test_changed_weights_count() -> None:
    """Also those that values, which are no spikes, are multiplied by."""
    x = np.random.default_rng(6).integers(0, 2, (2, 20, 5)) * 1.0
    tree = chain()
    sim.setup(timestep=0.1)
    net = sim.nir_network(tree, **LITERAL)
    net.projections["fc"].set(weight=0.25)
    tree["nodes"]["fc"]["weight"] = np.where(tree["nodes"]["fc"]["weight"] == 0, 0, 0.25)
    for given in (x, x / 2):
        found = sim.present(net, given)
        np.testing.assert_array_equal(found["hidden"], plain_chain(tree, given)[0])


def test_images_are_shown_in_every_step() -> None:
    images = np.random.default_rng(8).random((3, 5))
    tree = chain()
    sim.setup(timestep=0.1)
    net = sim.nir_network(tree, **LITERAL)
    found = net.present(images, steps=12)
    expected = plain_chain(tree, np.repeat(images[:, None], 12, axis=1))
    np.testing.assert_array_equal(found["hidden"], expected[0])
    np.testing.assert_array_equal(found["output"], expected[1])


def test_delays_are_steps() -> None:
    """Delay of each element; its spikes do not reach the next sample."""
    x = np.random.default_rng(9).integers(0, 2, (3, 15, 4))
    delay = np.array([0, 1, 2, 3])
    tree = graph(
        "input later lif output",
        input=port("Input", 4),
        later={"type": "Delay", "delay": delay * DT},
        lif=lif(4, v_threshold=0.5),
        output=port("Output", 4),
    )
    sim.setup(timestep=0.1)
    net = sim.nir_network(tree, **LITERAL)
    found = net.present(x)
    for cell, steps in enumerate(delay):
        np.testing.assert_array_equal(found[:, steps:, cell], x[:, : 15 - steps, cell])
        assert not found[:, :steps, cell].any()
    shorter = net.present(np.full((1, 2, 4), 1.5))  # than some delays, and no spikes
    np.testing.assert_array_equal(shorter[0], np.arange(2)[:, None] >= delay)


def test_a_dry_run_presents_nothing() -> None:
    """Outputs of other processes' neurons are not there."""
    sim.setup(timestep=0.1, dry_run=(2, 0))
    net = sim.nir_network(chain(), **LITERAL)
    with pytest.raises(NotImplementedError, match="present in a dry run"):
        net.present(np.zeros((1, 2, 5)))
    sim.setup(timestep=0.1)


def test_graphs_in_a_graph() -> None:
    """Its nodes are there under the graph's name."""
    tree = chain()
    x = np.random.default_rng(10).integers(0, 2, (1, 25, 5))
    inner = graph(
        "in lif out, lif rec lif",
        **{"in": port("Input", 6), "out": port("Output", 6)},
        lif=tree["nodes"].pop("lif"),
        rec=tree["nodes"].pop("rec"),
    )
    tree["nodes"]["layer"] = inner
    tree["edges"] = [
        tuple("layer" if each == "lif" else each for each in edge)
        for edge in tree["edges"]
        if "rec" not in edge
    ]
    sim.setup(timestep=0.1)
    net = sim.nir_network(tree, **LITERAL)
    assert set(net.populations) == {"layer.lif", "lif2"}
    np.testing.assert_array_equal(net.present(x)["output"], plain_chain(chain(), x)[1])


def test_voltages_are_outputs_of_layers_that_do_not_fire() -> None:
    tree = graph(
        "input fc li output, fc sum",
        input=port("Input", 3),
        fc={"type": "Affine", "weight": weights(2, 3), "bias": np.array([0.5, 0.0])},
        li={"type": "LI", "tau": np.full(2, 2e-4), "r": np.full(2, 2.0), "v_leak": np.zeros(2)},
        output=port("Output", 2),
        sum=port("Output", 2),
    )
    x = np.random.default_rng(11).integers(0, 2, (2, 10, 3))
    sim.setup(timestep=0.1)
    found = sim.nir_network(tree, **LITERAL).present(x)
    u = x @ weights(2, 3).T + [0.5, 0.0]
    v = np.zeros((2, 10, 2))
    for step in range(10):
        v[:, step] = v[:, step - 1] * (0.5 if step else 0) + u[:, step]
    np.testing.assert_allclose(found["sum"], u, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found["output"], v, rtol=0, atol=1e-12)


def test_all_switches_are_a_rule() -> None:
    x = np.random.default_rng(5).integers(0, 2, (1, 30, 5))
    words = {"decay": "euler", "gain": "one", "fires": ">", "reset": "value", "spikes": "one"}
    words |= {"leak": "file", "v_start": 0.0, "least_v": "none", "output_delay": 0}
    sim.setup(timestep=0.1)
    one = sim.nir_network(chain(), dt=DT, **words).present(x)
    two = sim.nir_network(chain(), Rule(dt=DT, **words)).present(x)
    np.testing.assert_array_equal(one["output"], plain_chain(chain(), x)[1])
    np.testing.assert_array_equal(one["output"], two["output"])


def test_files_of_older_writers_are_read_with_a_warning() -> None:
    tree = chain()
    del tree["nodes"]["lif"]["v_reset"]
    tree["nodes"]["input"] = port("Input", 1, 5)
    x = np.random.default_rng(5).integers(0, 2, (1, 30, 5))
    sim.setup(timestep=0.1)
    with pytest.warns(UserWarning, match="graph") as caught:
        net = sim.nir_network(tree, **LITERAL)
    texts = " ".join(str(each.message) for each in caught)
    assert "node 'lif': has no v_reset, as in older versions of NIR; read as 0" in texts
    assert "node 'input': shape (1, 5) has an axis for samples" in texts
    np.testing.assert_array_equal(net.present(x)["output"], plain_chain(chain(), x)[1])


@pytest.mark.parametrize("rule", ["literal", "snntorch", "sinabs", "spyx"])
def test_a_written_network_comes_back_bit_for_bit(rule: str, tmp_path: Path) -> None:
    """Also for weights that were changed, loops, biases, delays, and neurons that never reset."""
    tree = chain()
    tree["nodes"]["later"] = {"type": "Delay", "delay": np.array([0, 1, 2, 0, 1]) * DT}
    tree["nodes"]["li"] = {"type": "LI", "tau": np.full(3, 3e-4), "r": np.full(3, 1.7)}
    tree["nodes"]["li"]["v_leak"] = np.zeros(3)
    tree["nodes"]["fires"] = {"type": "Threshold", "threshold": np.full(3, 0.6)}
    tree["nodes"]["lif"]["tau"] = np.linspace(1.5e-4, 9e-4, 6)
    tree["edges"] += [("input", "later"), ("later", "skip"), ("skip", "li"), ("li", "fires")]
    tree["edges"] = [edge for edge in tree["edges"] if edge not in {("input", "skip")}]
    tree["nodes"]["flags"] = port("Output", 3)
    tree["edges"] += [("fires", "flags")]
    x = np.random.default_rng(12).integers(0, 2, (3, 25, 5))
    sim.setup(timestep=0.1)
    net = sim.nir_network(tree, rule=rule, dt=DT, spikes="one")
    net.projections["fc2"].set(weight=0.3)
    expected = net.present(x)
    with pytest.warns(UserWarning, match="NIR does not say dt=0.0001"):
        sim.to_nir(net, tmp_path / "net.nir")
    again = sim.nir_network(tmp_path / "net.nir")
    found = again.present(x)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
        assert values.any()
    nir = pytest.importorskip("nir")
    read = nir.read(tmp_path / "net.nir")
    np.testing.assert_allclose(read.nodes["fc2"].weight, np.where(weights(3, 6, seed=3), 0.3, 0))


def test_the_command_writes_outputs_a_table_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    x = np.random.default_rng(5).integers(0, 2, (2, 30, 5))
    np.save(tmp_path / "x.npy", x)
    file = str(write(tmp_path / "net.nir", chain()))
    words = ["nir", file, "--input", str(tmp_path / "x.npy"), "--out", str(tmp_path / "out")]
    assert main([*words, "--rule", "literal", "--dt", "1e-4", "--plot"]) == 0
    hidden, output = plain_chain(chain(), x)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "hidden.npy"), hidden)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "output.npy"), output)
    assert (tmp_path / "out" / "outputs.png").stat().st_size > 1000
    assert f"{output.sum():g}" in capsys.readouterr().out
    assert main([*words, "--rule", "literal", "--dt", "1e-4", "--switch", "fires=<"]) == 1
    assert "fires = '<': must be one of '>', '>='" in capsys.readouterr().err


def images() -> dict[str, Any]:
    """Layers of the N-MNIST network of the NIR paper: 34 x 34 places, two polarities."""

    def convolution(out: int, *rest: int, stride: int, seed: int) -> dict[str, Any]:
        numbers = {"stride": stride, "padding": 1, "dilation": 1}
        pairs = {name: np.array([each, each]) for name, each in numbers.items()}
        kernel = np.random.default_rng(seed).normal(0.03, 0.2, (out, *rest))
        return {"type": "Conv2d", "weight": kernel, "bias": np.zeros(out), "groups": 1, **pairs}

    def neurons(*shape: int) -> dict[str, Any]:
        return {name: np.resize(each, shape) for name, each in lif(1).items() if name != "type"}

    size = {
        "kernel_size": np.array([2, 2]),
        "stride": np.array([2, 2]),
        "padding": np.array([0, 0]),
    }
    return graph(
        "input conv1 lif1 conv2 lif2 pool conv3 lif3 output",
        input=port("Input", 2, 34, 34),
        conv1=convolution(16, 2, 5, 5, stride=2, seed=1),
        lif1={"type": "LIF", **neurons(16, 16, 16)},
        conv2=convolution(16, 16, 3, 3, stride=1, seed=2),
        lif2={"type": "LIF", **neurons(16, 16, 16)},
        pool={"type": "SumPool2d", **size},
        conv3=convolution(8, 16, 3, 3, stride=1, seed=3),
        lif3={"type": "LIF", **neurons(8, 8, 8)},
        output=port("Output", 8, 8, 8),
    )


def test_convolutions_store_their_kernels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """And compute what their synapses do, one by one, to the last bit."""
    x = np.random.default_rng(7).random((2, 6, 2, 34, 34)) < 0.1
    tree, found = images(), []
    kernels = sum(tree["nodes"][name]["weight"].nbytes for name in ("conv1", "conv2", "conv3"))
    for shared in (True, False):
        if not shared:
            monkeypatch.setattr(Kernel, "worthwhile", False)
        sim.setup(timestep=0.1)
        net = sim.nir_network(tree, **LITERAL)
        tables = [table for each in net.projections.values() for table in each._tables]
        stored = sum(table.nbytes for table in tables)
        assert sum(map(len, tables)) > 800_000
        assert (stored < 1.1 * kernels) == shared
        last = net.populations["lif3"]
        last.record("v")
        spikes = net.present(x.astype(np.uint8))
        found.append((spikes, last.get_data().segments[-1].analogsignals[0].magnitude))
    (spikes, v), (expected, expected_v) = found
    np.testing.assert_array_equal(spikes, expected)
    np.testing.assert_array_equal(v, expected_v)
    assert expected.sum() > 50
