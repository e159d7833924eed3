"""Neurons at rest: they are left out of steps, and not a bit is different for it."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.emulated import EmulatedRuntime
from support.networks import MODELS, PARAMETERS, WEIGHTS, assert_identical, result

from pynn_sparse.engine import Engine, plan
from pynn_sparse.engine.devices.cpu import CpuDevice
from pynn_sparse.engine.devices.gpu import CudaDevice
from pynn_sparse.engine.kernels import compiler_flags, source_folder
from pynn_sparse.engine.neurons.rest import Rest
from pynn_sparse.engine.toolchain.compiler import find_compiler
from pynn_sparse.network import (
    Block,
    Injection,
    Network,
    Probe,
    Rule,
    SynapseTable,
    TimeGrid,
    currents,
    dynamics,
)

QUICK = {"tau_m": 2.0, "tau_syn_E": 0.7, "tau_syn_I": 1.1, "i_offset": 0.0}
NEVER = 2**62
RESTING = ["IF_curr_exp", "IF_curr_alpha", "IF_curr_delta"]
SIZE = 700  # tiles of 256, and a rest that is no whole granule
END = 4000


@pytest.fixture
def tireless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks whether neurons rest."""

    class Tireless(Rest):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.owners["next_look"] = NEVER

    monkeypatch.setattr(plan, "Rest", Tireless)


class Pulse:
    """A current that is switched on and off, and has been long before the end."""

    def sample(self, first: int, n: int, grid: TimeGrid) -> NDArray[np.float64]:
        return currents.direct(first, n, grid, amplitude=0.8, start=170.0, stop=190.0)


def parameters(name: str) -> dict[str, Any]:
    """Those with which a model comes to rest within 100 ms."""
    values = PARAMETERS[name]
    return values | {key: value for key, value in QUICK.items() if key in values}


def quiet(name: str, *, differing: bool = False, more: bool = False) -> Network:
    """A population of which a few neurons fire after input at a few times.

    With `more`, also a current, a recorded potential, and synapses that learn.
    """
    network = Network(TimeGrid(0.1), 3)
    times = np.empty(4, dtype=object)
    times[:] = [np.array(each) for each in ([60.0, 61.0], [200.0], [60.3, 301.0], [])]
    sources = network.add_block(MODELS["SpikeSourceArray"], 4, {"spike_times": times})
    values = parameters(name)
    if differing:
        values["tau_m"] = np.linspace(1.5, 3.0, SIZE)
    neurons = network.add_block(MODELS[name], SIZE, values)
    neurons.set_state("v", slice(None), np.linspace(-75, -55, SIZE))
    source = np.repeat(np.arange(4), 30)
    target = np.random.default_rng(1).integers(0, SIZE, 120)
    exc, inh = WEIGHTS[name]
    rule = None
    if more:
        pair = {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.1, "A_minus": 0.05}
        values = pair | {"w_min": 0.0, "w_max": 40 * exc}
        each = {key: np.array([value]) for key, value in values.items()}
        rule = Rule(dynamics.PAIRS["SpikePairRule", "AdditiveWeightDependence"], each, sign=1.0)
        network.injections.append(Injection(Pulse(), neurons.first + np.arange(0, SIZE, 100)))
        probe = Probe(neurons, "v", 7, 0)
        probe.add(np.arange(0, SIZE, 50, dtype=np.int32))
        network.probes.append(probe)
    add(network, sources, neurons, source, target, 20 * exc, "excitatory", 15, rule)
    add(network, neurons, neurons, target, target[::-1], inh, "inhibitory", 30)
    network.spikes_wanted[:] = True
    return network


def add(
    network: Network,
    pre: Block,
    post: Block,
    source: NDArray[Any],
    target: NDArray[Any],
    weight: float,
    receptor: str,
    delay: int,
    rule: Rule | None = None,
) -> None:
    each = (weight * np.linspace(1.0, 1.1, len(source)), np.array([delay], np.uint16))
    table = SynapseTable.from_pairs(pre, post, source, target, *each, receptor, rule)
    network.add_tables([table])


def awake(engine: Engine) -> int:
    """Neurons that will be advanced in the next step; all of them where nothing is watched."""
    rest = engine._plan._rest
    if not rest.owners["watching"].all():
        return engine.network.size
    return sum(int(np.unpackbits(bits).sum()) for bits in rest._awake.values())


def outcome(network: Network, device: Any, precision: str = "double") -> dict[str, Any]:
    """What was recorded in a run of several parts, and states after each; changes in between."""
    engine = Engine(network, device, precision)
    states, sleepers = {}, []
    for stop in (1, 1400, 1410, 2500, END):
        engine.run_until(stop)
        if device.name == "cpu":
            sleepers.append(awake(engine))
        for block, arrays in zip(network.blocks, engine.blocks, strict=True):
            states[f"{stop} {block.index}"] = device.get(arrays.state).copy()
        neurons = network.blocks[1]
        if stop == 1400:
            neurons.set_state("v", slice(5, 8), -60.0)
        if stop == 2500:
            index = np.arange(50)
            add(network, neurons, neurons, index, index + 1, 0.01, "excitatory", 40)
    return {**result(engine), **states, "sleepers": np.array(sleepers)}


def compared(one: dict[str, Any], other: dict[str, Any]) -> None:
    """All but who slept."""
    assert len(one["stamp"]) > 20
    for each in (one, other):
        each.pop("sleepers")
    assert_identical(one, other)


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("differing", [False, True])
@pytest.mark.parametrize("name", RESTING)
def test_not_a_bit_is_different(
    request: pytest.FixtureRequest, name: str, differing: bool, more: bool
) -> None:
    found = [outcome(quiet(name, differing=differing, more=more), CpuDevice(n)) for n in (1, 2, 3)]
    for each in found:
        assert each["sleepers"][-1] < SIZE / 4
    request.getfixturevalue("tireless")
    expected = outcome(quiet(name, differing=differing, more=more), CpuDevice(1))
    assert expected["sleepers"][-1] > SIZE
    for each in found:
        compared(each, dict(expected))


def test_in_single_precision(request: pytest.FixtureRequest) -> None:
    found = outcome(quiet("IF_curr_exp"), CpuDevice(2), "single")
    assert found["sleepers"][-1] < SIZE / 4
    request.getfixturevalue("tireless")
    compared(found, outcome(quiet("IF_curr_exp"), CpuDevice(1), "single"))


@pytest.mark.parametrize("name", ["IF_curr_exp", "IF_curr_alpha"])
def test_a_gpu_computes_the_same(name: str) -> None:
    """What has decayed becomes 0 there at the same time."""
    on_gpu = outcome(quiet(name), CudaDevice(EmulatedRuntime(), "double", "graphs"))
    compared(outcome(quiet(name), CpuDevice(1)), on_gpu)


def test_neurons_with_gap_junctions_see_each_other(request: pytest.FixtureRequest) -> None:
    def coupled() -> Network:
        network = quiet("IF_curr_exp")
        block, ends = network.blocks[1], np.array([3, 4, 300])
        none = np.array([1])
        weak = np.full(3, 1e-4)
        table = SynapseTable.from_pairs(block, block, ends, ends + 300, weak, none, "")
        network.add_junctions([table])
        return network

    found = outcome(coupled(), CpuDevice(2))
    assert found["sleepers"][-1] < SIZE / 4
    request.getfixturevalue("tireless")
    compared(found, outcome(coupled(), CpuDevice(1)))


def test_neurons_that_fire_without_end_do_not_rest() -> None:
    """Their state is the same after each step."""
    network = Network(TimeGrid(0.1), 1)
    values = parameters("IF_curr_exp") | {"v_thresh": -65.5, "v_reset": -65.0, "tau_refrac": 0.0}
    network.add_block(MODELS["IF_curr_exp"], 20, values).set_state("v", slice(None), -65.0)
    network.spikes_wanted[:] = True
    engine = Engine(network, CpuDevice(1), "double")
    engine.run_until(2000)
    neuron, _ = engine.recordings.spikes.of(0, 20)
    assert len(neuron) == 20 * 2000


def test_rest_is_remembered_from_run_to_run() -> None:
    engine = Engine(quiet("IF_curr_exp"), CpuDevice(1), "double")
    engine.run_until(1400)
    for step in range(1401, 1420):
        assert awake(engine) < SIZE / 4
        engine.run_until(step)
    engine.reset()
    engine.run_until(1)
    assert awake(engine) > SIZE / 2


# Potentials that tend to 0 become 0; one that tends to a number next to it never gets there.
OFFSETS = st.just(0.0) | st.floats(1e-9, 1.0)
LEVELS = st.just(0.0) | st.floats(-80.0, -1e-3) | st.floats(1e-3, 80.0)


@settings(max_examples=15, deadline=None)
@given(
    name=st.sampled_from(RESTING),
    tau_m=st.floats(0.5, 20.0),
    tau_syn=st.floats(0.1, 10.0),
    i_offset=OFFSETS,
    v_rest=LEVELS,
    v=st.floats(-15.0, 15.0),
    weight=st.floats(1e-3, 1e3),
)
def test_every_neuron_comes_to_rest(
    name: str,
    tau_m: float,
    tau_syn: float,
    i_offset: float,
    v_rest: float,
    v: float,
    weight: float,
) -> None:
    """Potentials after some 40 time constants: they do not go to and fro between two numbers."""
    network = Network(TimeGrid(0.1), 1)
    times = np.empty(1, dtype=object)
    times[:] = [np.array([1.0])]
    source = network.add_block(MODELS["SpikeSourceArray"], 1, {"spike_times": times})
    given = {"tau_m": tau_m, "tau_syn_E": tau_syn, "tau_syn_I": tau_syn, "i_offset": i_offset}
    given |= {"v_rest": v_rest, "v_reset": v_rest, "v_thresh": v_rest + 1e6}
    values = PARAMETERS[name] | {k: x for k, x in given.items() if k in PARAMETERS[name]}
    block = network.add_block(MODELS[name], 9, values)
    block.set_state("v", slice(None), v_rest + v)
    index = np.zeros(1, int)
    for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
        add(network, source, block, index, index + (sign > 0), sign * weight, receptor, 3)
    engine = Engine(network, CpuDevice(1), "double")
    engine.run_until(int(10 * (45 * tau_m + 90 * tau_syn)) + 1500)
    assert awake(engine) == 0
    state = dict(zip(block.model.state, engine.blocks[1].snapshot(), strict=True))
    assert all((each == 0).all() for key, each in state.items() if key != "v")


def test_integers_become_the_nearest_doubles(tmp_path: Path) -> None:
    """On processors whose vectors have no instruction for it."""
    unit, library = tmp_path / "unit.cpp", tmp_path / "unit.so"
    unit.write_text(
        '#include "core/functions.h"\n'
        "EXPORT void convert(const int64* x, double* y, int32 n) {\n"
        "  for (int32 i = 0; i < n; ++i) y[i] = double_of(x[i]);\n}\n"
    )
    flags = ["-std=c++17", "-O3", "-fPIC", "-shared", *compiler_flags("cpu")]
    command = [*find_compiler(), *flags, f"-I{source_folder()}", str(unit), "-o", str(library)]
    subprocess.run(command, check=True)
    powers = 2 ** np.arange(63, dtype=np.int64)
    random = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, 10_000)
    small = random >> np.random.default_rng(2).integers(0, 63, 10_000)
    edges = np.concatenate([powers + k for k in (-1, 0, 1)] + [3 * (powers >> 2) + 1])
    x = np.concatenate([edges, -edges, random, small, [-(2**63), 2**63 - 1, 0]]).astype(np.int64)
    y = np.empty(len(x))
    pointers = (ctypes.c_void_p(each.ctypes.data) for each in (x, y))
    ctypes.CDLL(str(library)).convert(*pointers, ctypes.c_int32(len(x)))
    assert np.array_equal(y, x.astype(np.float64))
