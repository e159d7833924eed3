"""Networks that were trained elsewhere, as tables: the same neurons, and the whole way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from pynn_sparse import export
from pynn_sparse.cli import main
from pynn_sparse.export.errors import ExportError
from pynn_sparse.export.replay import replay
from pynn_sparse.interchange.nir.writing import contents, graph, node

DIGITS = load_digits()
IMAGES, LABELS = DIGITS.data / 16, DIGITS.target
STEPS = 48


def coded(image: np.ndarray) -> np.ndarray:
    """Spikes [steps, n] at rates that are the values, as regular as can be."""
    steps = np.arange(STEPS + 1)[:, None]
    return np.diff(np.floor(steps * image + 0.5), axis=0)


@pytest.fixture(scope="module")
def digits() -> MLPClassifier:
    made = MLPClassifier((30, 15), random_state=0, alpha=1e-3)
    for _ in range(30):
        made.partial_fit(IMAGES[:1198], LABELS[:1198], classes=np.arange(10))
    return made


def spikes_of(blocks: list[Any]) -> dict[str, list[np.ndarray]]:
    return {b.name: [t.magnitude for t in b.segments[0].spiketrains] for b in blocks}


def test_layers_are_leaky_neurons(digits: MLPClassifier) -> None:
    """Simulated as `IF_curr_delta`, the captured network has the same spikes."""
    sim.setup(timestep=0.5)
    net = sim.convert(digits, IMAGES[:1198], reset="value", readout="spikes")
    sim.present(net, IMAGES[:2], steps=5)  # which injects currents
    recorded = spikes_of(net.play(coded(IMAGES[1300])))
    captured = export.capture(sim)
    assert {cells.model for cells in captured.cells} == {"SpikeSourceArray", "IF_curr_delta"}
    assert net.skews == {"relu1": 0, "relu2": 1, "output spikes": 2}
    assert net["relu2"].initial_values["clock"].evaluate(simplify=True) == -2  # as before
    duration = sim.get_current_time()
    again = replay(captured, recorded, duration)
    assert sum(map(len, recorded["output spikes"])) > 5
    for label, trains in recorded.items():
        for one, other in zip(trains, again[label], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize("target", ["asic", "loihi1"])
def test_a_converted_network_as_tables(digits: MLPClassifier, target: str, tmp_path: Path) -> None:
    sim.setup(timestep=1.0)
    net = sim.convert(digits, IMAGES[:1198], reset="value", readout="spikes")
    recorded = net.play(coded(IMAGES[1300]))
    tables = export.lower(sim, target=target, against=recorded)
    tables.save(tmp_path)
    report = export.verify(export.load(tmp_path), against=recorded)
    assert report.passed, report
    counts = [len(train) for train in recorded[-1].segments[0].spiketrains]
    assert int(np.argmax(counts)) == LABELS[1300]


def test_leaky_layers_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a file to outputs, a picture and tables."""
    pytest.importorskip("h5py")
    rng, one = np.random.default_rng(3), np.ones
    lif = {"tau": 4e-4, "r": 4.0, "v_leak": 0.05, "v_threshold": 1.0, "v_reset": 0.0}

    def layer(n: int) -> dict[str, Any]:
        return node("LIF", {name: value * one(n) for name, value in lif.items()})

    tree = graph(
        {
            "input": node("Input", {"shape": np.array([6])}),
            "fc1": node("Linear", {"weight": rng.normal(0.3, 0.5, (12, 6))}),
            "lif1": layer(12),
            "fc2": node("Linear", {"weight": rng.normal(0.2, 0.4, (4, 12))}),
            "lif2": layer(4),
            "output": node("Output", {"shape": np.array([4])}),
        },
        [("input", "fc1", "lif1", "fc2", "lif2", "output")],
    )
    (tmp_path / "net.nir").write_bytes(contents(tree))
    np.save(tmp_path / "x.npy", rng.random((2, 60, 6)) < 0.4)
    words = ["nir", str(tmp_path / "net.nir"), "--rule", "spikingjelly", "--dt", "1e-4"]
    words += ["--input", str(tmp_path / "x.npy"), "--out", str(tmp_path / "out"), "--plot"]
    more = ["--export", "asic", "--export-options", "--weight-bits 7"]
    assert main([*words, *more]) == 0
    printed = capsys.readouterr().out
    assert "verification passed" in printed
    folder = tmp_path / "out" / "asic"
    assert {"report.md", "report.html", "manifest.json"} <= {p.name for p in folder.iterdir()}
    assert (tmp_path / "out" / "outputs.png").is_file()
    assert (tmp_path / "out" / "output.npy").is_file()
    assert main([*words, "--export-options", "--weight-bits 7"]) == 1
    assert "needs --export TARGET" in capsys.readouterr().err
    assert main([*words, "--switch", "reset=subtract", "--export", "asic"]) == 1
    assert "with reset='value'" in capsys.readouterr().err
    np.save(tmp_path / "x.npy", rng.random((2, 6)))
    assert main([*words, "--steps", "5", "--export", "asic"]) == 1
    assert "not images" in capsys.readouterr().err


def test_what_no_leaky_neuron_is_like(digits: MLPClassifier) -> None:
    sim.setup(timestep=1.0)
    sim.convert(digits, IMAGES[:1198], reset="value")
    with pytest.raises(ExportError, match=r"output sum: Integrating: .*readout='spikes'"):
        export.capture(sim)
    sim.setup(timestep=1.0)
    net = sim.convert(digits, IMAGES[:1198], readout="spikes")
    with pytest.raises(ExportError, match=r"relu1: SpikingSubtract: .*reset='value'"):
        export.capture(sim)
    for wrong in (IMAGES[0], np.ones((5, 3)), np.full((5, 64), 2), np.full((5, 64), 0.5)):
        with pytest.raises(ValueError, match=r"sample = .*: must be spikes, 0 or 1"):
            net.play(wrong)
