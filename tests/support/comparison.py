"""The same network on `pyNN.nest` and on `pyNN.sparse`, and what differs.

A network is a function of a `Backend`. It uses `backend.sim` as a PyNN script would, and
`backend.spike_times` for sources, because NEST may emit a spike whose time lies on a time step one
step late; times that are 1e-7 ms earlier are emitted when they should be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from numpy.typing import NDArray
from pyNN.parameters import Sequence

NEST_SHIFT = 1e-7  # ms


def pynn_nest() -> Any:
    """pyNN.nest, with what PyNN 0.13.0 has wrong about variables of some of its models."""
    nest = pytest.importorskip("pyNN.nest")
    nest.IF_curr_delta.variable_map = {"v": "V_m"}
    nest.IF_curr_delta.scale_factors = {"v": 1}
    cell = nest.IF_cond_exp_gsfa_grr
    recorded = {"v": "V_m", "gsyn_exc": "g_ex", "gsyn_inh": "g_in", "g_r": "g_rr", "g_s": "g_sfa"}
    cell.variable_map = recorded
    cell.scale_factors = dict.fromkeys(recorded, 1) | {"gsyn_exc": 1e-3, "gsyn_inh": 1e-3}
    hh = nest.HH_cond_exp
    hh.recordable = list(dict.fromkeys([*hh.recordable, "m", "h", "n"]))
    return nest


@dataclass
class Backend:
    """A simulator that is set up, and what a network has recorded on it."""

    sim: Any
    dt: float
    shift: float
    watched: dict[str, Any] = field(default_factory=dict)

    def spike_times(self, times: Any) -> Sequence:
        """Times (ms) for a SpikeSourceArray."""
        return Sequence(np.asarray(times, float) - self.shift)

    def watch(self, name: str, population: Any, *variables: str) -> None:
        """Record spikes and variables of a population, under a name."""
        population.record(["spikes", *variables])
        self.watched[name] = population

    @property
    def is_nest(self) -> bool:
        """Whether this is NEST."""
        return bool(self.shift)

    def results(self) -> Results:
        """What was recorded."""
        spikes, traces = {}, {}
        for name, population in self.watched.items():
            segment = population.get_data().segments[0]
            for index, train in enumerate(segment.spiketrains):
                steps = np.round(train.magnitude / self.dt).astype(int)
                spikes[f"{name}[{index}]"] = np.sort(steps)
            for signal in segment.analogsignals:
                traces[f"{signal.name} of {name}"] = signal.magnitude
        return Results(spikes, traces)


@dataclass
class Results:
    """Spikes as time steps, by neuron; signals [samples, neurons]."""

    spikes: dict[str, NDArray[np.int64]]
    traces: dict[str, NDArray[np.float64]]

    @property
    def n_spikes(self) -> int:
        """Number of all spikes."""
        return sum(map(len, self.spikes.values()))


Network = Callable[[Backend], None]


def on_nest(network: Network, dt: float = 0.1) -> Results:
    """Build and run on NEST."""
    sim = pynn_nest()
    sim.setup(timestep=dt, min_delay=dt, max_delay=50.0, spike_precision="on_grid")
    backend = Backend(sim, dt, NEST_SHIFT)
    network(backend)
    return backend.results()


def on_sparse(network: Network, dt: float = 0.1, threads: int = 1) -> Results:
    """Build and run on this backend."""
    pyNN.sparse.setup(timestep=dt, min_delay=dt, max_delay=50.0, threads=threads)
    backend = Backend(pyNN.sparse, dt, 0.0)
    network(backend)
    return backend.results()


def assert_same_spikes(expected: Results, found: Results, dt: float) -> None:
    """All spikes in the same time steps; else the message says where they first differ."""
    assert expected.spikes.keys() == found.spikes.keys()
    differences = []
    for name, steps in expected.spikes.items():
        if not np.array_equal(steps, found.spikes[name]):
            only = np.setxor1d(steps, found.spikes[name])
            at = int(only[0]) if len(only) else 0
            side = "NEST" if at in steps else "sparse"
            differences.append((at, f"{name}: spike at {at * dt:g} ms only on {side}"))
    differing = f"{len(differences)} of {len(expected.spikes)} neurons differ"
    assert not differences, f"{differing}; the first is {min(differences)[1]}"


def assert_close_traces(expected: Results, found: Results, bound: float) -> None:
    """Recorded variables agree to `bound`, but for NEST's first sample, which PyNN makes up."""
    for name, trace in expected.traces.items():
        assert trace.shape == found.traces[name].shape
        difference = np.abs(trace - found.traces[name])[1:]
        worst = np.unravel_index(np.argmax(difference), difference.shape)
        assert difference[worst] <= bound, (
            f"{name}: neuron {worst[1]} differs by {difference[worst]:.3g} at step {worst[0] + 1}"
        )


def compare(network: Network, bound: float, dt: float = 0.1) -> Results:
    """Run on both; spikes must be identical and traces within `bound`. Returns NEST's results."""
    expected = on_nest(network, dt)
    found = on_sparse(network, dt)
    assert_same_spikes(expected, found, dt)
    assert_close_traces(expected, found, bound)
    return expected
