"""Modules of torch, where it is installed: as graphs, against what they give themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest

from pynn_sparse.errors import GraphError
from pynn_sparse.interchange.layers import forward
from pynn_sparse.interchange.torch import read

torch: Any = pytest.importorskip("torch")
nn = torch.nn


class Block(nn.Module):  # type: ignore[misc, name-defined]
    """A residual one, with functions and methods in its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding="same", groups=2, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4 * 4 * 3, 5)

    def forward(self, x: Any) -> Any:
        y = torch.relu(self.norm(self.conv(x)) + x)
        y = torch.nn.functional.dropout(y, 0.5, self.training)
        return self.fc(y.view(y.size(0), -1)).relu()


class QCFS(nn.Module):  # type: ignore[misc, name-defined]
    """As the authors' `IF` for T = 0."""

    def __init__(self, thresh: float, L: int) -> None:  # noqa: N803
        super().__init__()
        self.thresh = nn.Parameter(torch.tensor([thresh]))
        self.L = L

    def forward(self, x: Any) -> Any:
        x = torch.clamp(x / self.thresh, 0, 1)
        return torch.floor(x * self.L + 0.5) / self.L * self.thresh


def with_statistics(module: Any, x: Any) -> Any:
    """Normalisation has seen something."""
    module.train()
    for _ in range(3):
        module(x)
    return module.eval()


def same(module: Any, x: Any) -> None:
    (*_, (_, found)) = forward(
        read(module, x.shape[1:]), {"x" if _named_x(module) else "input_1": x.double().numpy()}
    )
    np.testing.assert_allclose(found, module(x).detach().numpy(), atol=1e-5)


def _named_x(module: Any) -> bool:
    return not isinstance(module, nn.Sequential)


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0)), nn.ReLU(), nn.AvgPool2d(2)],
        [nn.Conv2d(2, 3, 3, dilation=2), nn.BatchNorm2d(3), nn.Hardtanh(0.0, 0.5), nn.Flatten()],
        [nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(2, 3, bias=False), nn.ReLU6()],
        [nn.Flatten(), nn.Dropout(), nn.Linear(2 * 8 * 7, 6), nn.BatchNorm1d(6), QCFS(0.3, 4)],
        [nn.Identity(), nn.AvgPool2d((2, 3), 2, (1, 0), ceil_mode=True), nn.Flatten(2)],
    ],
    ids=["convolution", "dilation", "mean", "dense", "pool"],
)
def test_sequences(layers: list[Any]) -> None:
    torch.manual_seed(1)
    x = torch.randn(5, 2, 8, 7)
    same(with_statistics(nn.Sequential(*layers), x), x)


def test_functions_and_methods() -> None:
    torch.manual_seed(1)
    x = torch.randn(5, 4, 4, 3)
    same(with_statistics(Block(), x), x)


def test_it_spikes() -> None:
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(6, 20), QCFS(1.0, 4), nn.Linear(20, 4)).eval()
    x = torch.randn(30, 6)
    sim.setup(timestep=0.1)
    built = sim.convert(net, x)
    assert list(built.populations) == ["_1", "output sum"] or "1" in built.populations
    found = sim.present(built, x.numpy(), steps=4)
    np.testing.assert_allclose(found[:, -1] / 4, net(x).detach().numpy(), atol=1e-4)


class Unknown(nn.Module):  # type: ignore[misc, name-defined]
    def forward(self, x: Any) -> Any:
        return x.exp() if x.sum() > 0 else x


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Sequential(nn.MaxPool2d(2)), r"node '0' \(MaxPool2d\): train with AvgPool2d"),
        (nn.Sequential(nn.Sigmoid()), r"node '0' \(Sigmoid\): this module cannot be converted"),
        (nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")), "padding_mode"),
        (nn.Sequential(nn.AvgPool2d(3, padding=1, count_include_pad=False)), "count_include_pad"),
        (nn.Sequential(nn.AdaptiveAvgPool2d(3)), "output_size = 3"),
        (nn.Sequential(nn.Flatten(0)), "would mix samples"),
        (nn.Sequential(nn.Hardtanh()), "min_val must be 0"),
        (nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)), "no running mean"),
        (Unknown(), "Unknown: torch.fx cannot trace it"),
    ],
    ids=lambda each: "" if isinstance(each, str) else type(each).__name__,
)
def test_refused(module: Any, words: str) -> None:
    sim.setup(timestep=0.1)
    with pytest.raises(GraphError, match=words):
        sim.convert(module, np.ones((2, 2, 8, 7)))
    assert not sim.simulator.state.network.blocks
