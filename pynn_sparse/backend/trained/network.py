"""A trained network as populations and projections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.door import shown
from pynn_sparse.errors import GraphError
from pynn_sparse.interchange.layers import Kernel, Plan, Readout, Rule, Wires
from pynn_sparse.interchange.layers.programs import RECEPTOR

from .. import simulator
from ..connectors import FromListConnector
from ..connectors.convolution import KernelConnector
from ..populations import Population
from ..projections import Projection
from ..standardmodels.cells import SpikeSourceArray
from ..standardmodels.synapses import StaticSynapse
from ..undoing import all_or_nothing
from .cells import cell_type_of
from .playing import play
from .presenting import outputs


class TrainedNetwork:
    """Populations and projections of a network that was trained elsewhere, by names of nodes.

    One time step of the simulation is one step of the program that trained it, whatever it lasts.
    Layer l does its steps later than the input by its `skew`, since a spike takes a time step from
    layer to layer here and none there; `present` gives outputs without it.

    Attributes:
        inputs: name -> population of spike sources.
        populations: name -> population of neurons, in the order in which they do their steps.
        projections: name -> projection; the name is that of the layers on the way, such as "fc1" or
            "pool1 > conv2".
        outputs: name -> population whose spikes or `v` the output shows.
        rule: by which neurons are stepped.
        dt: how long a step lasts, in the unit of the file's times (s for NIR).
        skews: name of population -> steps by which it is late.

    `net[name]` is a population or projection by its name.
    """

    def __init__(self, plan: Plan, rule: Rule) -> None:
        self.rule, self.dt = rule, plan.dt
        self._plan = plan
        self.inputs: dict[str, Population] = {}
        self.populations: dict[str, Population] = {}
        self.projections: dict[str, Projection] = {}
        self._injected: dict[str, Any] = {}  # population -> its currents, of `present`
        with all_or_nothing():
            for each in plan.inputs:
                self.inputs[each.name] = Population(each.size, SpikeSourceArray(), label=each.name)
            for each in plan.populations:
                assert each.structure is not None
                values = {name: _given(value) for name, value in each.values.items()}
                cell = cell_type_of(each.structure)(skew=float(each.skew), **values)
                self.populations[each.name] = Population(each.size, cell, label=each.name)
            for wires in plan.wires:
                self.projections[wires.name] = self._connected(wires)
        self.skews = {each.name: each.skew for each in plan.populations}
        self.outputs = {each.name: self.populations[each.population] for each in plan.outputs}

    def _connected(self, wires: Wires) -> Projection:
        dt = simulator.state.dt
        least, most = simulator.state.least_delay_allowed, simulator.state.max_delay
        longest = int(wires.delay.max(initial=1)) * dt
        if least > dt * (1 + 1e-9) or longest > most * (1 + 1e-9):
            raise GraphError(
                f"{wires.name!r} needs delays from {dt:g} to {longest:g} ms: call "
                "setup(min_delay='auto', max_delay='auto')"
            )
        ends = self._population(wires.pre), self._population(wires.post)
        options = {"receptor_type": RECEPTOR, "label": wires.name}
        synapses, delay = wires.synapses, wires.delay * dt
        if isinstance(synapses, Kernel):
            shared = KernelConnector(synapses.windows(), synapses.weight)
            return Projection(*ends, shared, StaticSynapse(delay=float(delay[0])), **options)
        columns = synapses.source, synapses.target, synapses.weight, delay
        rows = np.stack([np.asarray(each, float) for each in columns], axis=1)
        connector = FromListConnector(rows, column_names=("weight", "delay"))
        return Projection(*ends, connector, StaticSynapse(), **options)

    def _population(self, name: str) -> Population:
        return self.inputs[name] if name in self.inputs else self.populations[name]

    def __getitem__(self, name: str) -> Any:
        for parts in (self.inputs, self.populations, self.projections):
            if isinstance(name, str) and name in parts:
                return parts[name]
        must = f"the name of a population or projection, one of {list(self)}"
        raise KeyError(f"{shown(name)}: must be {must}")

    def __iter__(self) -> Iterator[str]:
        return iter([*self.inputs, *self.populations, *self.projections])

    def present(self, inputs: Any, steps: int | None = None) -> Any:
        """Outputs for a batch of samples; see `pyNN.sparse.present`."""
        return outputs(self, inputs, steps)

    def play(self, sample: Any) -> list[Any]:
        """Run one sample as hardware does: biases of all layers act from step 0 on.

        That is what tables of `pynn_sparse.export` are compared with, `lower(..., against=...)`.

        Args:
            sample: spikes, 0 or 1, `[steps, *shape]`; flat or of the input's shape.

        Returns a Neo block with the spikes of each population, inputs first. The simulation is
        reset before. Raises ValueError for what is no such sample.
        """
        return play(self, sample)

    def matrices(self, wires: Wires) -> dict[int, NDArray[np.float64]]:
        """Weights as they are now, [pre, post], by delay in steps of the graph, ascending."""
        rows = self.projections[wires.name].get(["weight", "delay"], "list")
        found = np.array(rows, np.float64).reshape(-1, 4)
        source, target = found[:, :2].astype(int).T
        delay = np.rint(found[:, 3] / simulator.state.dt).astype(int) - wires.lag
        matrices = {}
        for steps in np.unique(delay).tolist():
            mine = delay == steps
            matrix = np.zeros((self[wires.pre].size, self[wires.post].size))
            np.add.at(matrix, (source[mine], target[mine]), found[mine, 2])
            matrices[steps] = matrix
        return matrices

    @property
    def readouts(self) -> tuple[Readout, ...]:
        """What outputs show, and how late."""
        return self._plan.outputs

    @property
    def plan(self) -> Plan:
        """What it was made of; later changes of the populations are not in it."""
        return self._plan

    def __repr__(self) -> str:
        parts: Mapping[str, Any] = self.inputs | self.populations
        sizes = ", ".join(f"{name} ({part.size})" for name, part in parts.items())
        return f"TrainedNetwork({sizes}; {len(self.projections)} projections)"


def _given(value: Any) -> Any:
    """A parameter as PyNN takes it."""
    return float(value) if np.ndim(value) == 0 else value
