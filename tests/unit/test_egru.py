"""Event-based gated recurrent units against their equations in NumPy, and in PyTorch."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
import quantities as pq
from numpy.typing import NDArray

from pynn_sparse.errors import GraphError
from pynn_sparse.interchange.egru import NAMES, UNIT
from pynn_sparse.interchange.weights import read_weights

TOKENS, SIZES, STEPS = 9, (24, 15), 50
Arrays = dict[str, NDArray[np.float64]]


def trained(seed: int, grid: float = 0.0) -> Arrays:
    """A state dictionary of two layers; weights are multiples of `grid`, and half are 0."""
    rng = np.random.default_rng(seed)
    weights: Arrays = {"embedding.weight": rng.normal(0, 1, (TOKENS, 6))}
    inputs = 6
    for number, n in enumerate(SIZES):
        shapes = {
            "kernel": (inputs, 3 * n),
            "recurrent_kernel": (n, 3 * n),
            "bias": (3 * n,),
            "recurrent_bias": (3 * n,),
        }
        for name, shape in shapes.items():
            values = rng.normal(0, 0.7 / (1 + ("kernel" in name)), shape)
            weights[f"rnns.{number}.{name}"] = values * (rng.random(shape) < 0.5)
        weights[f"rnns.{number}.thr"] = rng.uniform(-0.1, 0.5, n)
        inputs = n
    if grid:
        weights = {name: np.rint(each / grid) * grid for name, each in weights.items()}
    return weights


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def stepped(
    weights: Arrays, inputs: NDArray[np.float64], unit: float = 0.0, period: int | None = None
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """y and c of each layer, [steps, n], where what is sent is rounded to multiples of `unit`."""
    found = []
    for number, n in enumerate(SIZES):
        kernel, recurrent, bias, recurrent_bias, theta = (
            weights[f"rnns.{number}.{name}"] for name in NAMES
        )
        theta = np.clip(theta, 0, 1)
        c, sent, ys, cs = np.zeros(n), np.zeros(n), [], []
        for step, x in enumerate(inputs):
            if period and step % period == 0:
                c = np.zeros(n)
            a, q = np.split(x @ kernel + bias, 3), np.split(sent @ recurrent + recurrent_bias, 3)
            z, r = sigmoid(a[0] + q[0]), sigmoid(a[1] + q[1])
            c = z * c + (1 - z) * np.tanh(a[2] + r * q[2])
            y = np.where(c > theta, c, 0.0)
            c = np.where(c > theta, c - theta, c)
            sent = np.rint(y / unit) * unit if unit else y
            ys.append(y)
            cs.append(c)
        inputs = np.array([np.rint(y / unit) * unit for y in ys]) if unit else np.array(ys)
        found.append((np.array(ys), np.array(cs)))
    return found


def tokens(seed: int = 0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, TOKENS, STEPS)


def run(weights: Any, given: NDArray[Any], **options: Any) -> Any:
    sim.setup(timestep=1.0)
    net = sim.egru_network(weights, **options)
    for cells in net.layers.values():
        cells.record(["c", "y", "spikes"])
    net.present(given)
    sim.run(float(len(given) + len(SIZES) - 1))
    return net


def assert_close(net: Any, expected: Any, tolerance: float) -> None:
    """Both y and c of all layers; where one fires, the other does."""
    n = len(expected[0][0])
    for number, variable in enumerate(("y", "c")):
        found = net.outputs(variable)
        assert list(found) == ["rnns.0", "rnns.1"]
        for mine, layer in zip(found.values(), expected, strict=True):
            assert np.abs(mine[:n] - layer[number]).max() < tolerance
            assert np.array_equal(mine[:n] > 0, layer[number] > 0) or variable == "c"


def test_is_its_equations_with_rounded_events(device: str) -> None:
    """Weights of few digits are summed up exactly, so that what is sent is the same number."""
    weights = trained(1, grid=2.0**-10)
    embedding = np.rint(weights["embedding.weight"] * 4) / 4
    given = tokens()
    net = run(weights, given, embedding=embedding)
    expected = stepped(weights, embedding[given], UNIT)
    assert_close(net, expected, 1e-12)
    for cells, (y, _) in zip(net.layers.values(), expected, strict=True):
        assert 0.05 < (y > 0).mean() < 0.6
        trains = cells.get_data("spikes").segments[0].spiketrains
        for train, values in zip(trains, y.T, strict=True):
            sent = np.rint(values[values > 0] / UNIT) * UNIT
            assert train.array_annotations["value"][: len(sent)].tolist() == sent.tolist()


def test_is_its_equations_but_for_rounding(device: str) -> None:
    """With any weights, and with events that are not rounded."""
    weights = trained(2)
    given = tokens(1)
    net = run(weights, given, embedding="embedding.weight")
    assert_close(net, stepped(weights, weights["embedding.weight"][given]), 5e-5)


def test_is_what_pytorch_computes() -> None:
    """In single precision, with PyTorch's own functions."""
    torch = pytest.importorskip("torch")
    weights = trained(3)
    given = tokens(2)
    net = run(weights, given, embedding="embedding.weight")
    inputs = torch.tensor(weights["embedding.weight"][given], dtype=torch.float32)
    for cells, name in zip(net.layers.values(), net.outputs("y"), strict=True):
        kernel, recurrent, bias, recurrent_bias, thr = (
            torch.tensor(weights[f"{name}.{each}"], dtype=torch.float32) for each in NAMES
        )
        c = y = torch.zeros(cells.size)
        thr, outputs = thr.clamp(0.0, 1.0), []
        for x in inputs:
            a, q = torch.chunk(x @ kernel + bias, 3), torch.chunk(y @ recurrent + recurrent_bias, 3)
            z, r = torch.sigmoid(a[0] + q[0]), torch.sigmoid(a[1] + q[1])
            c = z * c + (1 - z) * torch.tanh(a[2] + r * q[2])
            event = torch.heaviside(c - thr, c - thr)
            y, c = event * c, c - event * thr
            outputs.append(y)
        inputs = torch.stack(outputs)
        assert np.abs(net.outputs("y")[name][:STEPS] - inputs.numpy()).max() < 1e-4


def test_the_state_begins_anew_where_that_is_asked_for(fresh: None) -> None:
    weights = trained(4)
    given = tokens(3)
    net = run(weights, given, embedding="embedding.weight", period=20)
    inputs = weights["embedding.weight"][given]
    assert_close(net, stepped(weights, inputs, period=20), 5e-5)
    assert len({cells.get("period") for cells in net.layers.values()}) == 1


def test_inputs_may_be_counts_of_spikes(fresh: None) -> None:
    weights = trained(5)
    counts = np.random.default_rng(1).poisson(0.3, (STEPS, 6))
    assert_close(run(weights, counts), stepped(weights, counts.astype(float)), 5e-5)


def test_pruned_weights_make_no_synapses(fresh: None) -> None:
    weights = trained(6)
    sim.setup(timestep=1.0)
    net = sim.egru_network(weights)
    kernel = weights["rnns.1.recurrent_kernel"]
    n = SIZES[1]
    assert net.projections["rnns.1", "update", "recurrent"].size() == np.count_nonzero(
        kernel[:, :n]
    )
    assert net.projections["rnns.1", "recurrent", "recurrent"].size() == np.count_nonzero(
        kernel[:, 2 * n :]
    )


# --- files ------------------------------------------------------------------------------------


class Storage:
    """Stands for a tensor's numbers in a pickle; its class has the name of PyTorch's."""

    def __init__(self, kind: str, key: str, numbers: NDArray[Any]) -> None:
        self.kind, self.key, self.numbers = kind, key, numbers


def write_pytorch(path: Path, content: Any, numbers: list[NDArray[Any]]) -> None:
    """A file as `torch.save` writes it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", content)
        archive.writestr("model/byteorder", "little")
        for key, each in enumerate(numbers):
            archive.writestr(f"model/data/{key}", each.tobytes())


def pytorch_pickle(weights: Arrays) -> tuple[bytes, list[NDArray[Any]]]:
    """The bytes of an OrderedDict of tensors in protocol 2, as PyTorch writes them."""
    body, numbers = [b"\x80\x02ccollections\nOrderedDict\n)R("], []

    def integers(values: Any) -> bytes:
        return b"(" + b"".join(b"J" + int(each).to_bytes(4, "little") for each in values) + b"t"

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    for key, (name, values) in enumerate(weights.items()):
        array = values.astype(np.float32)
        numbers.append(array)
        strides = [step // 4 for step in array.strides]
        storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)) + text("cpu")
        storage += b"J" + array.size.to_bytes(4, "little") + b"tQ"
        body.append(text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage)
        body.append(b"K\x00" + integers(array.shape) + integers(strides))
        body.append(b"\x89ccollections\nOrderedDict\n)RtR")
    return b"".join([*body, b"u."]), numbers


def native(weights: Arrays) -> Arrays:
    """With the names and the orientation of `to_native_weights`."""
    found = {}
    for name, values in weights.items():
        prefix, _, last = name.rpartition(".")
        found[f"{prefix}.{NAMES.get(last, last)}"] = values.T if last in NAMES else values
    return found


def write_safetensors(path: Path, weights: Arrays) -> None:
    header, content = {"__metadata__": {"format": "pt"}}, b""
    for name, values in weights.items():
        part = values.astype("<f4").tobytes()
        offsets = [len(content), len(content) + len(part)]
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": offsets}
        content += part
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def test_files_of_all_kinds_hold_the_same(tmp_path: Path) -> None:
    weights = {name: values.astype(np.float32) for name, values in trained(7).items()}
    np.savez(tmp_path / "a.npz", **weights)
    write_safetensors(tmp_path / "a.safetensors", weights)
    write_pytorch(tmp_path / "a.pt", *pytorch_pickle(weights))
    for name in ("a.npz", "a.safetensors", "a.pt"):
        found = read_weights(tmp_path / name)
        assert list(found) == list(weights)
        assert all(np.array_equal(found[each], weights[each]) for each in weights)
        assert {each.dtype for each in found.values()} == {np.dtype(np.float64)}


def test_pytorch_writes_such_files(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    weights = trained(7)
    state = OrderedDict((name, torch.nn.Parameter(torch.tensor(v))) for name, v in weights.items())
    half = torch.arange(6.0).reshape(2, 3).T.to(torch.bfloat16)
    torch.save({"epoch": 3, "model": state, "half": half}, tmp_path / "a.pth")
    found = read_weights(tmp_path / "a.pth")
    assert found["half"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert all(np.array_equal(found[f"model.{name}"], weights[name]) for name in weights)
    assert read_weights(state).keys() == weights.keys()


def test_names_of_native_weights(fresh: None) -> None:
    weights = trained(8)
    given = np.eye(6, dtype=int)
    a, b = (run(each, given).outputs("y") for each in (weights, native(weights)))
    assert all(np.array_equal(a[name], b[name]) for name in a)


class Harmful:
    def __reduce__(self) -> Any:
        return (print, ("executed",))


@pytest.mark.parametrize("name", ["a.pt", "a.npz"])
def test_nothing_in_a_file_is_executed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "a.pt":
        write_pytorch(tmp_path / name, pickle.dumps({"kernel": Harmful()}), [])
    else:
        np.savez(tmp_path / name, kernel=np.array(Harmful(), dtype=object))
    with pytest.raises(GraphError, match=rf"{name}: .*(builtins.print|damaged)"):
        read_weights(tmp_path / name)
    assert "executed" not in capsys.readouterr().out


def test_damaged_files(tmp_path: Path) -> None:
    weights = trained(7)
    write_safetensors(tmp_path / "a.safetensors", weights)
    whole = (tmp_path / "a.safetensors").read_bytes()
    for part in (b"", whole[:5], whole[:100], whole[:-1]):
        (tmp_path / "a.safetensors").write_bytes(part)
        with pytest.raises(GraphError, match=r"a\.safetensors"):
            read_weights(tmp_path / "a.safetensors")
    content, numbers = pytorch_pickle(weights)
    for bad in (
        (content[:-20], numbers),
        (content, numbers[:1]),
        (content, [x[:1] for x in numbers]),
    ):
        write_pytorch(tmp_path / "a.pt", *bad)
        with pytest.raises(GraphError, match=r"a\.pt"):
            read_weights(tmp_path / "a.pt")
    (tmp_path / "a.pt").write_bytes(b"no archive")
    with pytest.raises(GraphError, match=r"since PyTorch 1\.6"):
        read_weights(tmp_path / "a.pt")
    with pytest.raises(FileNotFoundError):
        read_weights(tmp_path / "missing.pt")
    with pytest.raises(GraphError, match=r"weights = .*: must be a mapping, or the name of a file"):
        read_weights(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("rnns.0.thr"), r"rnns\.0\.thr is missing"),
        (lambda w: w.update({"rnns.0.bias": np.zeros(3)}), r"bias has the shape \(3,\): must be"),
        (
            lambda w: w.update({"rnns.1.kernel": np.zeros((5, 45))}),
            "rnns.1 has 5 inputs, and rnns.0",
        ),
        (lambda w: w["rnns.0.kernel"].fill(np.nan), "kernel has values that are not finite"),
        (lambda w: w.clear(), "no layer of EGRU"),
        (lambda w: w.update({"rnns.0.thr": "many"}), r"rnns\.0\.thr is missing, or no array"),
        (lambda w: w.update({"rnns.0.thr": w["rnns.0.thr"] * pq.ms}), "numbers without a unit"),
        (lambda w: w.update(itself=w), "contains itself"),
    ],
)
def test_what_are_no_layers(change: Any, message: str, fresh: None) -> None:
    weights = trained(9)
    change(weights)
    with pytest.raises(GraphError, match=message):
        sim.egru_network(weights)
    assert not sim.simulator.state.network.blocks


def test_what_cannot_be_given(fresh: None) -> None:
    weights = trained(9)
    with pytest.raises(GraphError, match="embedding = 'words': must be among"):
        sim.egru_network(weights, embedding="words")
    with pytest.raises(GraphError, match=r"must be numbers \[tokens, 6\].*its shape is \(2, 5\)"):
        sim.egru_network(weights, embedding=np.zeros((2, 5)))
    with pytest.raises(ValueError, match="period = 0"):
        sim.egru_network(weights, period=0)
    with pytest.raises(ValueError, match=r"zoneout = 2\.0: must be between 0 and 1"):
        sim.egru_network(weights, zoneout=2.0)
    assert not sim.simulator.state.network.blocks
    net = sim.egru_network(weights)
    for inputs in (np.array([6]), np.array([-1]), np.zeros((2, 5), int), np.zeros(3), [[[1]]]):
        with pytest.raises(ValueError, match="inputs"):
            net.present(inputs)
