"""Akida: layers of counts against BrainChip's package, and against neurons in a plain loop.

akida 2.19.3; PYNN_SPARSE_AKIDA may name a Python that has it.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import arrays_in, layered, neurons, sources
from hypothesis import given, settings
from hypothesis import strategies as st
from references import python_with, run_reference

from pynn_sparse import export
from pynn_sparse.export.models import counting
from pynn_sparse.export.models.counting import LayerProfiles, LayerSemantics
from pynn_sparse.export.models.dynamics import dynamics
from pynn_sparse.export.nets.fixednet import Axons, FixedNet, Formats, same
from pynn_sparse.export.nets.floatnet import FloatNet, make_connections
from pynn_sparse.export.targets.akida.target import GREATEST, Akida, akida_arrays

WINDOWS = 30


def random_layers(seed: int, depth: int, weight_bits: int = 4) -> tuple[Akida, FixedNet]:
    """Layers of any bits, with thresholds and steps of all sizes, and most weights pruned."""
    rng = np.random.default_rng(seed)
    target = Akida(
        window=int(rng.integers(1, 40)),
        input_bits=int(rng.choice([1, 2, 4])),
        activation_bits=int(rng.choice([1, 2, 4])),
    )
    sizes = rng.integers(2, 40, depth + 1)
    first = np.concatenate([[sizes[1:].sum()], np.cumsum(sizes[1:]) - sizes[1:]])
    axons = [Axons(f"l{i}", int(first[i]), int(sizes[i]), False) for i in range(1, depth + 1)]
    greatest = GREATEST[weight_bits]
    columns = []
    for layer in range(depth):
        on = rng.random((sizes[layer], sizes[layer + 1])) < 0.3
        on[0, 0] = True  # a layer without synapses would be no layer
        source, unit = np.nonzero(on)
        least = 1 if weight_bits == 1 else -greatest
        weight = rng.integers(least, greatest + 1, len(source))
        weight[0] = 1
        there = weight != 0
        columns.append(
            np.stack([source + first[layer], unit + first[layer + 1], weight], axis=1)[there]
        )
    source, unit, weight = np.concatenate(columns).T
    order = np.lexsort((unit, source))
    n, kinds, zero = int(first[0]), 5, np.zeros(1, np.int64)
    fixed = FixedNet(
        target.semantics(1),
        (*axons, Axons("l0", n, int(sizes[0]), True)),
        LayerProfiles(rng.integers(-20, 60, kinds), rng.integers(1, 20 * 16, kinds)),
        rng.integers(0, kinds, n),
        np.zeros(n, np.int64),
        Formats(zero, zero, zero),
        np.searchsorted(source[order], np.arange(n + sizes[0] + 1)).astype(np.int64),
        unit[order],
        weight[order],
        np.ones(len(order), np.int64),
        np.zeros(len(order), np.int64),
    )
    return target, fixed


def random_counts(seed: int, fixed: FixedNet) -> np.ndarray:
    rng = np.random.default_rng(seed)
    most = 1 << fixed.semantics.input_bits
    return rng.integers(0, most, (WINDOWS, fixed.n_axons - fixed.n_neurons))


def through_words(target: Akida, fixed: FixedNet, weight_bits: int) -> FixedNet:
    """What is left of a network after it has been packed and decoded."""
    memories = target.pack(fixed, weight_bits, weight_bits > 1)
    return target.unpack(memories, fixed.frame)


# --- against akida ---------------------------------------------------------------------------


def outputs(folder: Path, fixed: FixedNet, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    potential, activation = counting.forward(fixed, np.load(folder / "counts.npy"))
    return potential[:, units], activation[:, units]


@pytest.mark.slow
def test_akida_has_the_same_outputs(tmp_path: Path) -> None:
    """Random layers, one to three deep, with and without activation in the last one."""
    python = python_with("akida", "PYNN_SPARSE_AKIDA")
    folders, nets = [], []
    for seed in range(30):
        bits = (4, 4, 2, 1)[seed % 4]
        target, fixed = random_layers(seed, depth=1 + seed % 3, weight_bits=bits)
        fixed = through_words(target, fixed, bits)
        folder = tmp_path / str(seed)
        folder.mkdir()
        arrays: dict[str, Any] = akida_arrays(fixed, bits)
        np.savez(folder / "akida.npz", **arrays)
        np.save(folder / "counts.npy", random_counts(seed, fixed))
        folders.append(folder)
        nets.append(fixed)
    run_reference(python, "akida_run.py", WINDOWS, folders)
    active = others = 0
    for folder, fixed in zip(folders, nets, strict=True):
        found = arrays_in(folder / "reference.npz")
        depth = len(fixed.axons) - 1
        last = fixed.axons[depth - 1]
        units = np.arange(last.first, last.first + last.size)
        potential, activation = outputs(folder, fixed, units)
        np.testing.assert_array_equal(found["potential"], potential)
        np.testing.assert_array_equal(found["activation"], activation)
        assert found["mapped"] == depth  # all layers, on the virtual AKD1000
        active += len(np.unique(activation)) > 1
        rule = replace(fixed.semantics, compare="greater_or_equal")
        others += not np.array_equal(
            activation, outputs(folder, replace(fixed, semantics=rule), units)[1]
        )
    assert active > 20
    assert others > 10  # >= for > would have been noticed


@pytest.mark.slow
@pytest.mark.parametrize("bits", [4, 2, 1])
def test_lowered_network_in_akida(bits: int, tmp_path: Path) -> None:
    """A pruned chain of populations, from the folder that is written."""
    python = python_with("akida", "PYNN_SPARSE_AKIDA")
    net = layered(3, sizes=(40, 30, 20, 10))
    if bits == 1:
        net = net.with_connections([p for p in net.connections if p.receptor == "excitatory"])
    rule = export.Quantise(weight_bits=bits, signed=bits > 1)
    export.lower(net, "akida", export.Prune(fraction=0.6), rule, ["rate"]).save(tmp_path / "out")
    tables = export.load(tmp_path / "out")
    assert export.verify(tables, duration=200.0).passed
    counts = counting.count(tables.fixed, 200, tables.events())
    np.save(tmp_path / "out" / "counts.npy", counts)
    run_reference(python, "akida_run.py", len(counts), [tmp_path / "out"])
    found = arrays_in(tmp_path / "out" / "reference.npz")
    potential, activation = outputs(tmp_path / "out", tables.fixed, np.arange(50, 60))
    np.testing.assert_array_equal(found["activation"], activation)
    np.testing.assert_array_equal(found["potential"], potential)
    assert activation.any()
    spikes = tables.trace(200.0).spikes
    assert (spikes[:, 1] >= 50).sum() == found["activation"].sum()


# --- the model -------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([1, 2, 4]))
def test_words_hold_layers(seed: int, depth: int, bits: int) -> None:
    target, fixed = random_layers(seed, depth, bits)
    decoded = through_words(target, fixed, bits)
    assert set(same(fixed, decoded)) <= {"profile", "profiles.threshold", "profiles.step"}
    for name in ("threshold", "step"):
        np.testing.assert_array_equal(
            getattr(fixed.profiles, name)[fixed.profile],
            getattr(decoded.profiles, name)[decoded.profile],
        )


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_layers_are_matrix_products(seed: int, depth: int) -> None:
    """Against products of dense matrices and the formula with a ceiling, in floats."""
    target, fixed = random_layers(seed, depth)
    counts = random_counts(seed, fixed)
    potential, activation = counting.forward(fixed, counts)
    arrays, x = akida_arrays(fixed, 4), counts
    for n in range(1, depth + 1):
        part = fixed.axons[n - 1]
        p = x @ arrays[f"weights_{n}"].astype(np.int64)
        width = arrays[f"act_step_{n}"].astype(float) * 2 ** (4 - target.activation_bits)
        levels = np.ceil((p - arrays[f"threshold_{n}"]) / width)
        x = np.clip(levels, 0, 2**target.activation_bits - 1).astype(np.int64)
        here = slice(part.first, part.first + part.size)
        np.testing.assert_array_equal(potential[:, here], p)
        np.testing.assert_array_equal(activation[:, here], x)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"tau_refrac": 0.0},
        {"i_offset": 0.3, "v_reset": -70.0},
        {"tau_m": 1e9, "tau_refrac": 3.0},
        {"model": "IF_curr_delta", "tau_m": 30.0},
    ],
)
def test_levels_are_those_of_a_neuron(parameters: dict[str, Any]) -> None:
    """Driven for long with Q_k in each window, it fires k - 1/2 times in one, or a little less."""
    rule, step = LayerSemantics(60, 4, 4), dynamics(neurons("n", 1, **parameters), 1.0)
    factor, bias, refractory = (
        float(each[0]) for each in (step.voltage_factor, step.bias, step.refractory)
    )

    def interval(charge: float) -> int:
        """Steps from one spike to the next."""
        voltage = float(step.reset[0])
        for n in itertools.count(1):
            voltage = voltage * factor + charge / rule.window + bias
            if voltage >= step.threshold[0]:
                return n + int(refractory)
        raise AssertionError

    charges = counting.level_charges(step, rule)[0]
    exact = 0
    for k, charge in enumerate(charges, 1):
        wanted = rule.window / (k - 0.5)
        if not np.isfinite(charge):
            assert wanted < 1 + refractory
            continue
        more = charge + abs(charge) * 1e-9 + 1e-12
        assert interval(more) == np.ceil(wanted)  # there are no spikes between steps
        exact += wanted == int(wanted)
    assert exact >= 2
    reached = charges[np.isfinite(charges)]
    assert (np.diff(reached) > 0).all()
    threshold, width = counting.line(charges[None, :])
    assert threshold == reached[0]
    assert width == pytest.approx(
        np.mean([(q - reached[0]) / k for k, q in enumerate(reached) if k])
    )


def test_counts_are_those_of_the_neurons() -> None:
    """Constant input: what a window counts is what the neuron fires in it, to the nearest."""
    cells = (sources("s", 1), neurons("n", 1, tau_m=1e6, tau_refrac=0.0, model="IF_curr_delta"))
    one = np.zeros(1, np.int64)
    part = make_connections("s→n", 0, 1, "excitatory", 1, one, one, np.array([8.0]), one + 1)
    tables = export.lower(FloatNet(1.0, cells, (part,)), Akida(window=40), accept=["rate"])
    for number in range(16):
        _, activation = counting.forward(tables.fixed, np.array([[number]]))
        assert abs(int(activation[0, 0]) - number * 8.0 / 15.0) <= 0.75  # weights have 4 bits


def test_spikes_of_an_activation_are_spread_over_the_window() -> None:
    tables = export.lower(layered(1), "akida", accept=["rate"])
    trace = tables.trace(200.0, states=True)
    counts = counting.count(tables.fixed, 200, tables.events())
    _, activation = counting.forward(tables.fixed, counts)
    found = np.zeros_like(activation)
    np.add.at(found, ((trace.spikes[:, 0] - 1) // 20, trace.spikes[:, 1]), 1)
    np.testing.assert_array_equal(found, activation)
    assert (np.diff(trace.spikes[:, 0]) >= 0).all()
    assert trace.voltage is not None
    assert trace.voltage.shape == activation.shape
    fan_out = np.diff(tables.fixed.start)
    passed = np.concatenate([activation, counts], axis=1) @ fan_out
    assert trace.synaptic_events == passed.sum()


# --- verification ----------------------------------------------------------------------------


@pytest.mark.parametrize("memory", ["weights_1", "weights_2", "units", "populations"])
def test_any_flipped_bit_fails_verification(memory: str) -> None:
    tables = export.lower(layered(1), "akida", accept=["rate"])
    good, tried = tables.memories[memory], 0
    rng = np.random.default_rng(0)
    for _ in range(30):
        words = good.words.copy()
        bit = int(rng.integers(good.layout.width))
        words[rng.integers(len(words)), bit // 64] ^= np.uint64(1 << bit % 64)
        bad = replace(tables, memories=tables.memories | {memory: replace(good, words=words)})
        assert not export.verify(bad, duration=100.0).passed
        tried += 1
    assert tried == 30


@pytest.mark.parametrize("memory", ["weights_2", "units", "populations"])
def test_a_dropped_last_word_fails_verification(memory: str) -> None:
    tables = export.lower(layered(1), "akida", accept=["rate"])
    good = tables.memories[memory]
    short = tables.memories | {memory: replace(good, words=good.words[:-1])}
    report = export.verify(replace(tables, memories=short))
    assert not report.passed
    assert report.checks[0].statement == "words can be decoded"


def test_another_rule_fails_verification() -> None:
    tables = export.lower(layered(2), "akida", accept=["rate"])
    fixed = tables.fixed
    rule, registers = fixed.semantics, fixed.profiles
    wrong: dict[str, dict[str, Any]] = {
        "the update rule": {"semantics": replace(rule, compare="greater_or_equal")},
        "its threshold": {"profiles": replace(registers, threshold=registers.threshold + 1)},
        "its step": {"profiles": replace(registers, step=registers.step + 1)},
        "as rounding leaves it": {"weight": np.clip(fixed.weight, -5, 5)},
    }
    for statement, changes in wrong.items():
        other = replace(fixed, **changes)
        bad = replace(tables, memories=tables.target.pack(other, 4, True), frame=other.frame)
        failed = [check.statement for check in export.verify(bad).checks if not check.holds]
        assert any(statement in each for each in failed), statement


def test_another_rounding_fails_verification() -> None:
    floor = export.Quantise(weight_bits=4, rounding="floor")
    tables = export.lower(layered(2), "akida", quantise=floor, accept=["rate"])
    assert export.verify(tables).passed
    nearest = replace(tables, rule=export.Quantise(weight_bits=4))
    assert not export.verify(nearest).passed


def test_counts_that_do_not_fit_fail_verification() -> None:
    tables = export.lower(layered(1, rate=0.3), Akida(input_bits=2), accept=["rate"])
    failed = [c for c in export.verify(tables, duration=200.0).checks if not c.holds]
    assert len(failed) == 1
    assert "stay in range" in failed[0].statement
    assert "shorter window" in failed[0].figures
    with pytest.raises(export.ExportError, match="multiple of the window of 20"):
        tables.run(190.0)


# --- limits ----------------------------------------------------------------------------------


def between(net: FloatNet, pre: int, post: int, label: str) -> FloatNet:
    one = np.zeros(1, np.int64)
    size = net.cells[pre].size
    more = make_connections(label, pre, post, "excitatory", size, one, one, one + 0.5, one + 1)
    return net.with_connections([*net.connections, more])


def test_what_is_no_chain_of_layers_is_refused() -> None:
    net = layered(1)
    with pytest.raises(export.LimitsError, match="20 neurons whose spikes have times") as caught:
        export.lower(between(between(net, 0, 2, "skips"), 1, 1, "loops"), "akida")
    assert [each.where for each in caught.value.violations] == ["network", "skips", "loops"]
    assert [each.accept for each in caught.value.violations] == ["rate", "", ""]
    with pytest.raises(export.LimitsError, match="back: synapses that do not lead"):
        export.lower(between(net, 2, 1, "back"), "akida", accept=["rate"])


def test_two_synapses_and_negative_bits_are_refused() -> None:
    net = layered(1)
    double = net.with_connections([*net.connections, net.connections[0]])
    with pytest.raises(export.LimitsError, match="synapses beside another of the same cells"):
        export.lower(double, "akida", accept=["rate"])
    one = export.Quantise(weight_bits=1, signed=False)
    with pytest.raises(export.LimitsError, match="synapses with negative weights"):
        export.lower(net, "akida", quantise=one, accept=["rate"])
    with pytest.raises(export.ExportError, match=r"weight_bits = 8, signed = True: akida has"):
        export.lower(net, "akida", quantise=export.Quantise(), accept=["rate"])
    slow = layered(1, tau_refrac=40.0)
    with pytest.raises(export.LimitsError, match="periods up to 40 steps; limit: 39 steps"):
        export.lower(slow, "akida", accept=["rate"])
    tables = export.lower(slow, "akida", accept=["rate", "refractory"])
    assert export.verify(tables, duration=100.0).passed
    for options, message in (({"window": 0}, "window = 0"), ({"input_bits": 8}, "input_bits = 8")):
        with pytest.raises(export.ExportError, match=message):
            export.find("akida", **options)


def test_a_population_without_input_has_a_layer(tmp_path: Path) -> None:
    """Also one that only feeds another one, and one that pruning cut off."""
    net = layered(1)
    cells = (*net.cells, neurons("alone", 3), neurons("before", 4), neurons("after", 5))
    more = between(replace(net, cells=cells), 4, 5, "apart")
    for each in (more, more.with_connections([p for p in more.connections if p.pre])):
        export.lower(each, "akida", accept=["rate"]).save(tmp_path)
        tables = export.load(tmp_path)
        assert export.verify(tables, duration=100.0).passed
        memory = tables.memories["populations"]
        layer = dict(
            zip(
                [each.label for each in tables.frame.axons],
                memory.layout.decode(memory.words)["layer"].tolist(),
                strict=True,
            )
        )
        assert (layer["layer0"], layer["alone"], layer["before"], layer["after"]) == (0, 1, 1, 2)
        assert layer["layer2"] == layer["layer1"] + 1
