"""The network as it was simulated: what `capture` makes and every other stage begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..arguments import door

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
RECEPTORS = ("excitatory", "inhibitory")
MODELS = ("IF_curr_exp", "IF_curr_delta")  # those that the export knows the equations of


@dataclass(frozen=True)
class Cells:
    """A population.

    Attributes:
        label: unique in the network.
        model: name of the cell type.
        size: number of cells.
        parameters: in PyNN's names and units, float64 [size].
        initial: state at time 0 -> float64 [size].
        is_source: whether it emits spikes of its own and takes none.
        spikes: (cell, time step) of given spikes, int64 [n, 2] in ascending order of steps, or
            None where they are not known beforehand.
        injected: number of cells that a current source feeds.
    """

    label: str
    model: str
    size: int
    parameters: Mapping[str, Floats]
    initial: Mapping[str, Floats]
    is_source: bool
    spikes: Integers | None = None
    injected: int = 0


def unit_of(cells: Cells) -> str:
    """The unit of weights of synapses onto a population of one of `MODELS`."""
    return "mV" if cells.model == "IF_curr_delta" else "nA"


@dataclass(frozen=True)
class Connections:
    """Synapses from one population to another, in rows by source.

    Within a row they are in ascending order of target, delay and weight.

    Attributes:
        label: of the projection; of several between the same populations, with a number.
        pre, post: indices of populations.
        receptor: name of the targets' receptor.
        start: int64 [pre.size + 1], where rows begin.
        target: int64 [n], index in `post`.
        weight: float64 [n], in PyNN's unit and sign.
        delay: int64 [n], time steps.
        plastic: name of the synapses' rule, or "".
    """

    label: str
    pre: int
    post: int
    receptor: str
    start: Integers
    target: Integers
    weight: Floats
    delay: Integers
    plastic: str = ""

    def __len__(self) -> int:
        return len(self.target)

    @property
    def source(self) -> Integers:
        """Index in `pre` of each synapse's source."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def kept(self, mask: NDArray[np.bool_]) -> Connections:
        """Only the synapses where `mask` [n] is true."""
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(mask, dtype=np.int64)])
        return replace(
            self,
            start=before[self.start],
            target=self.target[mask],
            weight=self.weight[mask],
            delay=self.delay[mask],
        )


@dataclass(frozen=True)
class FloatNet:
    """Populations and projections, with weights and parameters as they were simulated.

    Attributes:
        dt: time step, ms.
        cells: the populations.
        connections: the projections.
    """

    dt: float
    cells: tuple[Cells, ...]
    connections: tuple[Connections, ...]

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return sum(map(len, self.connections))

    def with_connections(self, connections: list[Connections]) -> FloatNet:
        """The same populations, connected otherwise."""
        return replace(self, connections=tuple(connections))


def check_net(net: object) -> None:
    """Raise `ExportError` for what is no network."""
    door.instance("net", net, FloatNet, "what export.capture() returns")


def make_connections(
    label: str,
    pre: int,
    post: int,
    receptor: str,
    n_pre: int,
    source: Integers,
    target: Integers,
    weight: Floats,
    delay: Integers,
    plastic: str = "",
) -> Connections:
    """Rows of synapses given in any order, each array of length n."""
    order = np.lexsort((weight, delay, target, source))
    counts = np.bincount(source, minlength=n_pre)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
    target, weight, delay = target[order], weight[order], delay[order]
    return Connections(label, pre, post, receptor, start, target, weight, delay, plastic)
