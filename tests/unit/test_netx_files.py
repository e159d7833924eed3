"""Networks of lava-dl's files, against its integers; what they cannot be is told by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from numpy.typing import NDArray

from pynn_sparse.errors import GraphError
from pynn_sparse.interchange.layers import Rule

h5py = pytest.importorskip("h5py")
STEPS = 60


def dense(n: int, n_in: int, seed: int, **more: Any) -> dict[str, Any]:
    weight = np.random.default_rng(seed).integers(-30, 50, (n, n_in)).astype(np.float32)
    return {"type": np.bytes_("dense"), "shape": np.array([n]), "weight": weight} | more


def neuron(current: int = 1024, voltage: int = 300, **more: Any) -> dict[str, Any]:
    named = {"iDecay": current, "vDecay": voltage, "vThMant": 80, "refDelay": 1}
    values = {"type": np.bytes_("CUBA"), "gradedSpike": False} | named | more
    return {f"neuron/{name}": value for name, value in values.items()}


def write(path: Path, *layers: dict[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for number, layer in enumerate(layers):
            for name, value in layer.items():
                file[f"layer/{number}/{name}"] = value
    return path


def layers_of(kind: str) -> list[dict[str, Any]]:
    recurrent = {"weight_rec": np.random.default_rng(5).integers(-40, 30, (7, 7))}
    hidden = {
        "chain": dense(7, 5, 1, **neuron()),
        "loop": dense(7, 5, 1, **neuron(), **recurrent) | {"type": np.array([b"dense_rec"])},
        "bias": dense(7, 5, 1, **neuron(4096, 0), bias=np.arange(-3, 4)),
        "no loss": dense(7, 5, 1, **neuron(4096, 0)),
    }[kind]
    first = {"type": np.array([b"input"]), "shape": np.array([5])} | neuron(4096, 123)
    return [first, hidden, dense(3, 7, 2, **neuron(2000, 123)), dense(4, 3, 3)]


def integers(layers: list[dict[str, Any]], drive: NDArray[np.int64]) -> dict[str, Any]:
    """Spikes of layers and sums of the last one, all layers in one step, as on Loihi."""

    def left(x: NDArray[np.int64], decay: int) -> NDArray[np.int64]:
        return np.sign(x) * ((np.abs(x) * (4096 - decay)) >> 12)

    sizes = [int(layer["shape"][0]) for layer in layers]
    u, v, last = ([np.zeros(n, np.int64) for n in sizes] for _ in range(3))
    found: dict[str, list[Any]] = {str(k): [] for k in range(len(layers))}
    for step in range(STEPS):
        for k, layer in enumerate(layers):
            given = drive[step] if k == 0 else layer["weight"].astype(int) @ last[k - 1]
            if "weight_rec" in layer:
                given = given + layer["weight_rec"] @ last[k]
            if "neuron/type" not in layer:
                found[str(k)].append(given / 64)
                continue
            u[k] = left(u[k], layer["neuron/iDecay"]) + 64 * (given + layer.get("bias", 0))
            v[k] = left(v[k], layer["neuron/vDecay"]) + u[k]
            last[k] = (v[k] > 64 * layer["neuron/vThMant"]).astype(int)
            v[k][last[k] > 0] = 0
            found[str(k)].append(last[k])
    return {name: np.array(each) for name, each in found.items()}


@pytest.mark.parametrize("kind", ["chain", "loop", "bias", "no loss"])
def test_every_bin_is_that_of_the_integers(kind: str, tmp_path: Path, fresh: None) -> None:
    sim.setup(timestep=1.0)
    layers = layers_of(kind)
    net = sim.nir_network(write(tmp_path / "net.net", *layers))
    drive = np.random.default_rng(7).integers(-20, 60, (STEPS, 5))
    expected = integers(layers, drive)
    assert np.array_equal(net.present(drive[None] / 64)[0], expected["3"])
    for name in "012":
        assert 10 < expected[name].sum() < expected[name].size - 10
    named = sim.nir_network(tmp_path / "net.net", rule="lava-dl", dt=1.0)
    assert np.array_equal(named.present(drive[None] / 64)[0], expected["3"])
    if kind in ("chain", "loop"):
        with pytest.warns(UserWarning, match="NIR does not say dt=1, whole=0.000244140625"):
            sim.to_nir(net, tmp_path / "net.nir")
        again = sim.nir_network(tmp_path / "net.nir")
        assert np.array_equal(again.present(drive[None] / 64)[0], expected["3"])


@pytest.mark.parametrize(
    ("number", "change", "message"),
    [
        (1, {"type": np.bytes_("conv")}, "layer 1: is of type 'conv': must be of input, dense"),
        (1, {"type": np.bytes_("input")}, "layer 1: only the first one can be the input"),
        (1, neuron(type=np.bytes_("SDNN")), "layer 1: neurons are 'SDNN': must be CUBA or LOIHI"),
        (2, neuron(5000), "layer 2: iDecay = 5000: must be from 0 to 4096"),
        (2, neuron(refDelay=2), "layer 2: gradedSpike must be False, and refDelay 1"),
        (2, {"bias": np.ones(3)}, "layer 2: has biases beside a current that lasts, iDecay = 2000"),
        (2, {"delay": np.ones(7)}, "layer 2: has delays"),
        (1, {"weight": np.zeros(3)}, "layer 1: damaged: cannot reshape"),
        (2, {"weight": np.full((3, 7), np.nan)}, "node '2.weight': weight must be finite numbers"),
        (
            2,
            {"weight": np.zeros((3, 6))},
            r"node '2.weight': its weight \(3, 6\) takes \(6,\), but gets \(7,\)",
        ),
    ],
)
def test_what_is_not_supported(
    number: int, change: dict[str, Any], message: str, tmp_path: Path, fresh: None
) -> None:
    layers = layers_of("chain")
    layers[number] |= change
    file = write(tmp_path / "net.net", *layers)
    with pytest.raises(GraphError, match=message):
        sim.nir_network(file)


def test_no_layers(tmp_path: Path, fresh: None) -> None:
    with h5py.File(tmp_path / "net.net", "w") as file:
        file["layer/1/type"] = np.bytes_("dense")
    with pytest.raises(GraphError, match=r"group 'layer' must have the layers 0, 1, \.\.\."):
        sim.nir_network(tmp_path / "net.net")


def test_the_number_must_be_above_0() -> None:
    with pytest.raises(GraphError, match="whole = -1: must be 'none' or a number above 0"):
        Rule(whole=-1)
