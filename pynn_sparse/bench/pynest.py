"""Networks in plain PyNEST: pyNN.nest takes minutes to make a generator for each neuron."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import microcircuit
from .networks import NETWORKS as ALL
from .networks import TIMESTEP, Built

# The smallest microcircuit without Poisson sources can be waited for, and is the very same network.
NETWORKS = tuple(
    name
    for name in ALL
    if name == "brunel" or (name.startswith("microcircuit") and name != "microcircuit0.1-dc")
)


class Recorded:
    """Neurons of which spikes are recorded."""

    def __init__(self, nest: Any, neurons: Any) -> None:
        self._recorder = nest.Create("spike_recorder")
        nest.Connect(neurons, self._recorder)
        self.size = len(neurons)

    def trains(self) -> list[Any]:
        """Spike times (ms) of each neuron that has fired."""
        events = self._recorder.get("events")
        order = np.lexsort((events["times"], events["senders"]))
        senders, times = events["senders"][order], events["times"][order]
        return np.split(times, np.flatnonzero(np.diff(senders)) + 1)


def setup(threads: int) -> Any:
    """NEST with an empty network."""
    import nest  # type: ignore[import-untyped]

    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.SetKernelStatus({"resolution": TIMESTEP, "local_num_threads": threads})
    return nest


def build(nest: Any, name: str) -> Built:
    """Make one of `NETWORKS`."""
    if name == "brunel":
        return _brunel(nest)
    scale, background = name.removeprefix("microcircuit").split("-")
    return _microcircuit(nest, float(scale), background)


def _neuron(p: dict[str, float], **more: Any) -> dict[str, Any]:
    """NEST's names and units (mV, ms, pF, pA)."""
    names = {"E_L": "v_rest", "V_reset": "v_reset", "V_th": "v_thresh", "t_ref": "tau_refrac"}
    names |= {"tau_m": "tau_m", "tau_syn_ex": "tau_syn_E", "tau_syn_in": "tau_syn_I"}
    return {nest: p[pynn] for nest, pynn in names.items()} | {"C_m": 1000 * p["cm"]} | more


def _drive(nest: Any, neurons: Any, rate: float, weight: float) -> None:
    generator = nest.Create("poisson_generator", params={"rate": rate})
    nest.Connect(generator, neurons, syn_spec={"weight": weight, "delay": 1.5})


def _brunel(nest: Any, size: int = 12_500) -> Built:
    parameters = {"v_rest": 0.0, "v_reset": 0.0, "v_thresh": 20.0, "tau_refrac": 2.0, "cm": 0.25}
    parameters |= {"tau_m": 20.0, "tau_syn_E": 0.5, "tau_syn_I": 0.5}
    neurons = nest.Create("iaf_psc_exp", size, params=_neuron(parameters, V_m=0.0))
    n_exc = int(0.8 * size)
    rule = {"rule": "pairwise_bernoulli", "p": 0.1}
    for pre, weight in ((neurons[:n_exc], 50.0), (neurons[n_exc:], -250.0)):
        nest.Connect(pre, neurons, rule, {"weight": weight, "delay": 1.5})
    synapses = nest.num_connections
    _drive(nest, neurons, 20_000.0, 50.0)
    recorded = Recorded(nest, neurons)
    return Built([recorded], size, synapses, synapses / size)


def _microcircuit(nest: Any, scale: float, background: str) -> Built:
    n = microcircuit.numbers(scale, background)
    populations = []
    for size, current in zip(n.size, n.current, strict=True):
        parameters = _neuron(microcircuit.NEURON, I_e=1000 * current)
        cells = nest.Create("iaf_psc_exp", int(size), params=parameters)
        cells.V_m = nest.random.normal(-58.0, 10.0)
        populations.append(cells)
    for target, source in zip(*np.nonzero(n.synapses), strict=True):
        _connect(nest, populations[source], populations[target], n, (target, source))
    for cells, rate in zip(populations, n.rate, strict=True):
        if background == "poisson":
            _drive(nest, cells, float(rate), 1000 * n.external)
    recorded = [Recorded(nest, cells) for cells in populations]
    neurons, synapses = int(n.size.sum()), int(n.synapses.sum())
    return Built(recorded, neurons, synapses, synapses / neurons)


def _connect(nest: Any, pre: Any, post: Any, n: Any, at: tuple[int, int]) -> None:
    weight = 1000 * float(n.weight[at])
    mean, deviation = microcircuit.DELAY_E if weight > 0 else microcircuit.DELAY_I
    drawn = nest.random.normal(weight, 0.1 * abs(weight))
    limits = {"min": 0.0} if weight > 0 else {"max": 0.0}
    # NEST's redraw excludes its lower limit, which is rounded to a whole step besides.
    delay = nest.math.redraw(nest.random.normal(mean, deviation), min=TIMESTEP / 2, max=np.inf)
    nest.Connect(
        pre,
        post,
        {"rule": "fixed_total_number", "N": int(n.synapses[at])},
        {
            "weight": nest.math.redraw(drawn, **{"min": -np.inf, "max": np.inf} | limits),
            "delay": delay,
        },
    )
