"""The file for lava-dl's netx, read as its reader does, and run by lava's equations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import neurons, random_float, sources

from pynn_sparse import export
from pynn_sparse.export.nets.floatnet import FloatNet, make_connections

h5py = pytest.importorskip("h5py")
STEPS = 80


def chain(seed: int = 0, model: str = "IF_curr_delta", **parameters: Any) -> FloatNet:
    """12 sources, 9 and 4 neurons; excitation and inhibition are projections of their own."""
    rng = np.random.default_rng(seed)
    step, cell = np.nonzero(rng.random((STEPS, 12)) < 0.2)
    options = {"tau_refrac": 0.0, "tau_m": 30.0} | parameters
    cells = (
        sources("input", 12, np.stack([cell, step], axis=1)),
        neurons("hidden", 9, model, **options),
        neurons("output", 4, model, **options),
    )
    parts = []
    for pre, post in ((0, 1), (1, 2)):
        on = rng.random((cells[pre].size, cells[post].size))
        for receptor, sign, some in (
            ("excitatory", 1, on < 0.5),
            ("inhibitory", -1, on > 0.8),
        ):
            source, target = np.nonzero(some)
            weight = sign * rng.uniform(2.0, 12.0, len(source))
            delay = np.ones(len(source), np.int64)
            ends = cells[pre].size, source, target
            parts.append(
                make_connections(f"{pre}{sign}", pre, post, receptor, *ends, weight, delay)
            )
    return FloatNet(1.0, cells, tuple(parts))


def read(file: Path) -> list[dict[str, Any]]:
    """Layers in the order of their numbers, with the conversions that netx makes."""
    layers = []
    with h5py.File(file) as network:
        for number in range(len(network["layer"])):
            layer = network[f"layer/{number}"]
            assert layer["type"][()].decode("ascii") == "dense"
            assert layer["neuron/type"][()].decode("ascii") in ("LOIHI", "CUBA")
            weight = layer["weight"][()].astype(int)
            assert weight.shape == (np.prod(layer["shape"][()]), layer["inFeatures"][()])
            neuron = {name: int(layer[f"neuron/{name}"][()]) for name in ("iDecay", "vDecay")}
            threshold = int(layer["neuron/vThMant"][()])
            layers.append(neuron | {"weight": in_range(weight), "vth": threshold})
            layers[-1]["bias"] = layer["bias"][()].astype(int)
    return layers


def in_range(weight: np.ndarray) -> np.ndarray:
    """Weights that the reader takes as they are."""
    least, most = weight.min(), weight.max()
    limited = np.clip(weight, -256, 254 if least < 0 else 255)
    np.testing.assert_array_equal(limited, weight)
    assert most > 0 or least < 0
    if least < 0:  # mixed in sign: even, or small enough to be doubled
        assert not (weight % 2).any() or max(most / 127, -least / 128) <= 1
    return weight


def decay(x: np.ndarray, amount: int) -> np.ndarray:
    return np.sign(x) * ((np.abs(x) * (4096 - amount)) >> 12)


def run(layers: list[dict[str, Any]], events: np.ndarray, inputs: int) -> list[list[int]]:
    """Spikes (step, neuron) of all layers, by the equations of lava's fixed-point LIF.

    A layer takes the spikes that the one before it had a step earlier.
    """
    u = [np.zeros(len(layer["weight"]), int) for layer in layers]
    v = [np.zeros(len(layer["weight"]), int) for layer in layers]
    first = np.cumsum([0, *(len(layer["weight"]) for layer in layers)])
    before = [np.zeros(layer["weight"].shape[1], int) for layer in layers]
    spikes = []
    for step in range(STEPS + 1):
        after = [np.bincount(events[events[:, 0] == step, 1], minlength=inputs)]
        for k, layer in enumerate(layers):
            u[k] = decay(u[k], layer["iDecay"] - 1 + 1) + (layer["weight"] @ before[k] << 6)
            v[k] = decay(v[k], layer["vDecay"]) + u[k] + (layer["bias"] << 6)
            fired = v[k] > layer["vth"] << 6
            v[k][fired] = 0
            spikes += [[step, int(first[k] + j)] for j in np.flatnonzero(fired)]
            after.append(fired.astype(int))
        before = after[:-1]
    return spikes


@pytest.mark.parametrize("seed", range(4))
def test_layers_have_the_spikes_of_the_integer_model(seed: int, tmp_path: Path) -> None:
    target = export.find("loihi1", most_exponent=0)
    tables = export.lower(chain(seed), target)
    assert target.notes(tables) == ()
    tables.save(tmp_path)
    assert export.load(tmp_path).target.options() == {"most_exponent": 0}
    events = tables.events() - [0, tables.fixed.n_neurons]
    found = run(read(tmp_path / "network.net"), events, 12)
    expected = tables.trace(STEPS).spikes.tolist()
    assert sorted(found) == sorted(expected)
    assert len({neuron for _, neuron in expected if neuron >= 9}) > 1
    assert len(expected) > 50


def without(net: FloatNet, *labels: str) -> FloatNet:
    return net.with_connections([part for part in net.connections if part.label not in labels])


def twice(net: FloatNet) -> FloatNet:
    more = replace(net.connections[0], label="again")
    return net.with_connections([*net.connections, more])


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (chain(tau_refrac=2.0), "hidden: refract is 3, must be 1"),
        (chain(i_offset=0.01), "hidden: biases are no multiples of 64"),
        (random_float(1, tau_refrac=0.0), "populations are not a chain"),
        (twice(chain()), "input→hidden: there are several synapses between two cells"),
        (without(chain(), "0-1", "01"), "populations are not a chain"),
    ],
)
def test_what_netx_cannot_say_is_told(net: FloatNet, reason: str, tmp_path: Path) -> None:
    target = export.find("loihi1", most_exponent=0)
    tables = export.lower(net, target)
    (note,) = target.notes(tables)
    assert reason in note
    tables.save(tmp_path)
    assert not (tmp_path / "network.net").exists()


def test_weights_with_exponents_are_not_limited_by_the_reader(tmp_path: Path) -> None:
    """It would take 254 for all greater ones."""
    tables = export.lower(chain(), "loihi1")
    (note,) = tables.target.notes(tables)
    assert "must be -256 to 254" in note
    assert "most_exponent=0" in note
    with pytest.raises(export.ExportError, match="most_exponent = 8: must be 0 to 7"):
        export.find("loihi1", most_exponent=8)
