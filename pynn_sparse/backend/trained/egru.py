"""Networks of event-based gated recurrent units."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.door import as_numbers, shown
from pynn_sparse.errors import GraphError
from pynn_sparse.interchange import egru
from pynn_sparse.interchange.weights import read_weights

from .. import simulator
from ..connectors import ArrayConnector
from ..doors.checks import as_integer, as_number
from ..native import cell_type
from ..populations import Population
from ..projections import Projection
from ..standardmodels.cells import SpikeSourceArray
from ..standardmodels.synapses import StaticSynapse
from ..undoing import all_or_nothing
from .sources import spike_times

_Cell: Any = cell_type(
    egru.definition(),
    egru.DEFAULTS,
    {},
    conductance_based=False,
    injectable=False,
    signed=egru.RECEPTORS,
)


class EGRU(_Cell):
    """Event-based gated recurrent unit (Subramoney et al., 2023), which does a step a time step.

    Above its threshold `theta` a unit sends its state `c`, by which weights are multiplied, and
    loses `theta`. Its receptors "update", "reset" and "candidate" are the gates of a GRU,
    "recurrent" is the recurrent input of the candidate, which the reset gate multiplies; weights
    have both signs. To what arrives `b_update`, `b_reset`, `b_candidate` and `b_recurrent` are
    added. What is sent is rounded to a multiple of 2^-20. Recordable are "spikes", with values,
    `c` after the event, `y`, which is what the unit sends or 0, and `trace`, 0.9 of its last value
    and 0.1 of y.

    `zoneout` is the part of the state that stays as it is in each step. Before the first step,
    `skew` time steps pass. With `period`, state and trace are 0 again every so many steps, while
    the events of the step before arrive, as where evnn_pytorch is given the y of its last chunk.
    """


class EGRUNetwork:
    """Layers of EGRU, as `egru_network` makes them.

    Attributes:
        inputs: spike sources, one for each token, or for each input of the first layer.
        layers: name -> population of `EGRU`.
        projections: (name of the layer, receptor, "input" or "recurrent") -> projection.

    One time step is one step of the network. Layer l, from 0, does its steps l time steps later
    than the first, since an event takes a time step from layer to layer.
    """

    def __init__(
        self, layers: list[egru.Layer], table: NDArray[np.float64], period: float, zoneout: float
    ) -> None:
        with all_or_nothing():
            self.inputs = Population(len(table), SpikeSourceArray(), label="inputs")
            self.layers: dict[str, Population] = {}
            self.projections: dict[tuple[str, str, str], Projection] = {}
            pre, weights = self.inputs, table
            for late, layer in enumerate(layers):
                more = {"skew": float(late), "period": period, "zoneout": zoneout}
                cells = Population(layer.size, EGRU(**layer.parameters, **more), label=layer.name)
                self._connect("input", pre, cells, weights, egru.GATES)
                receptors = (*egru.GATES[:2], egru.RECURRENT)
                self._connect("recurrent", cells, cells, layer.recurrent_kernel, receptors)
                self.layers[layer.name] = cells
                if late + 1 < len(layers):
                    pre, weights = cells, layers[late + 1].kernel

    def _connect(
        self, kind: str, pre: Any, post: Any, weights: Any, receptors: tuple[str, ...]
    ) -> None:
        """A projection for each gate; weights of 0, those that are pruned, are left out."""
        for receptor, weight in zip(receptors, np.split(weights, 3, axis=1), strict=True):
            present = weight != 0
            if present.any():
                synapse = StaticSynapse(weight=weight, delay=simulator.state.dt)
                label = f"{pre.label} > {post.label} {receptor}"
                options = {"receptor_type": receptor, "label": label}
                made = Projection(pre, post, ArrayConnector(present), synapse, **options)
                self.projections[post.label, receptor, kind] = made

    def present(self, inputs: Any) -> None:
        """Set what the network gets: its first step is that at time 0.

        Args:
            inputs: numbers of tokens `[steps]`, or numbers of spikes `[steps, inputs]`.

        Raises ValueError for another shape, and values that are no such numbers.
        """
        found = as_numbers(inputs, "iub")
        n = self.inputs.size
        if found is None or found.ndim not in (1, 2):
            raise ValueError(f"inputs = {shown(inputs)}: must be integers [steps] or [steps, {n}]")
        given = found.astype(np.int64)
        if given.ndim == 1:
            if given.size and not 0 <= given.min() <= given.max() < n:
                bad = given[(given < 0) | (given >= n)][0]
                raise ValueError(f"inputs have the token {bad}: must be from 0 to {n - 1}")
            counts = np.zeros((len(given), n), np.int64)
            counts[np.arange(len(given)), given] = 1
        else:
            counts = given
            if counts.shape[1] != n or counts.min(initial=0) < 0:
                raise ValueError(f"inputs of shape {given.shape}: must be counts [steps, {n}]")
        self.inputs.set(spike_times=spike_times(counts.T, np.arange(len(counts))))

    def outputs(self, variable: str = "y") -> dict[str, NDArray[np.float64]]:
        """What was recorded of a variable, name -> [steps, n], with the layers' delay taken out."""
        found = {}
        for late, (name, cells) in enumerate(self.layers.items()):
            (signal,) = cells.get_data(variable).segments[-1].analogsignals
            found[name] = signal.magnitude[1 + late :]
        return found


def egru_network(
    weights: Any,
    *,
    embedding: Any = None,
    period: float | None = None,
    zoneout: float = 0.0,
) -> EGRUNetwork:
    """Layers of event-based gated recurrent units, with weights trained by evnn_pytorch.

    Args:
        weights: a state dictionary as a mapping of names to arrays, or the path of a file: .npz,
            .safetensors, or .pt, .pth or .bin of `torch.save`. Nothing in a file is executed, and
            PyTorch is not needed. Layers follow each other in the order of the dictionary; each
            has kernel, recurrent_kernel, bias, recurrent_bias and thr.
        embedding: of tokens, `[tokens, m]`, or the name of an array among the weights. Its product
            with the first layer's kernel is computed once: a token is a spike whose synapses are
            a row of that table. Without it, the inputs are spikes.
        period: steps after which the state begins at 0 again, as evnn_pytorch has it for each
            sequence that it is given; None for a state that is carried over.
        zoneout: of training, whose mean takes its place.

    Weights of 0 make no synapses. Raises `pynn_sparse.errors.GraphError`, a ValueError, for weights
    that are no such layers, or do not fit each other, and RuntimeError before `setup`; nothing is
    made then.
    """
    simulator.state.require_open("egru_network")
    found = read_weights(weights)
    layers = egru.layers_of(found)
    for before, after in itertools.pairwise(layers):
        if after.kernel.shape[0] != before.size:
            raise GraphError(
                f"{after.name} has {after.kernel.shape[0]} inputs, and {before.name}, the layer "
                f"before it, {before.size} units"
            )
    table = layers[0].kernel
    if embedding is not None:
        if isinstance(embedding, str) and embedding not in found:
            raise GraphError(f"embedding = {shown(embedding)}: must be among {', '.join(found)}")
        vectors = as_numbers(found[embedding] if isinstance(embedding, str) else embedding)
        shape = () if vectors is None else vectors.shape
        if vectors is None or shape[1:] != (len(table),) or not len(vectors):
            raise GraphError(
                f"embedding = {shown(embedding)}: must be numbers [tokens, {len(table)}], for the "
                f"inputs of {layers[0].name}; its shape is {shape}"
            )
        table = vectors @ table
        if not np.isfinite(table).all():
            raise GraphError("embedding has values that are not finite: must be finite numbers")
    steps = np.inf if period is None else float(as_integer("period", period, least=1))
    as_number("zoneout", zoneout, "between 0 and 1", lambda share: 0 <= share <= 1)
    return EGRUNetwork(layers, table, steps, zoneout)
