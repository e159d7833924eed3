"""SpiNNaker: words and keys by hand, the integer model, what verification notices."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import arrays_in, neurons, random_float, sources
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from spinnaker_networks import (
    BOTH,
    documented,
    fitting,
    listed,
    manifold,
    plain,
    poisson,
    scattered,
    varied,
    with_words,
)

from pynn_sparse import export
from pynn_sparse.export.models import relaxing
from pynn_sparse.export.models.semantics import RELAXATION, STEPS
from pynn_sparse.export.nets.fixednet import same
from pynn_sparse.export.nets.floatnet import FloatNet
from pynn_sparse.export.targets.spinnaker.shifts import RingBuffers, shift_for, shifts_of
from pynn_sparse.export.targets.spinnaker.target import regions


def words(tables: export.Tables, name: str) -> list[int]:
    return [int(word) for word in tables.memories[name].words[:, 0]]


# --- words by hand ---------------------------------------------------------------------------


@pytest.mark.parametrize("target", BOTH)
def test_words_of_the_documented_example(target: str) -> None:
    """Shifts 2 and 0; an index of 2 bits and a type of 1; rows of 2 words behind a header of 3."""
    tables = export.lower(documented(), target)
    parameters = tables.memories["parameters"]
    columns = parameters.layout.decode(parameters.words)
    assert [int(columns[each.name][0]) for each in parameters.layout.fields] == [
        *(3, 2, 2, 1, 4, 0, 256),
        *(2, 0),
    ]
    assert words(tables, "synapses") == [
        *(0, 2, 0, 0x30000008, 0x0800001A),
        *(0, 1, 0, 0x40000011, 0),
        *(0, 0, 0, 0, 0),
        *(0, 1, 0, 0x099A007A, 0),
    ]
    entry = [0, 0xFFFFFFC0, 1 << 16 | 4 << 13, 6 << 16, 1 << 16 | 4]
    assert words(tables, "populations") == [1, 1, *entry, 1]
    assert (tables.fixed.charge() >> 2).tolist() == [12288, 2048, 16384, 2458]


def test_keys_number_populations_cores_cells_and_colours() -> None:
    """700 Poisson sources are on cores of 500, 600 neurons on cores of 256: 2 + 12 bits."""
    keys = export.lower(manifold(), "spinnaker1").memories["keys"]
    columns = keys.layout.decode(keys.words)
    found = np.stack([columns[each.name] for each in keys.layout.fields], axis=1).tolist()
    assert found == [
        [1, 0, 40, 0x0000, 0xFFFFFC00],
        [2, 0, 500, 0x4000, 0xFFFFE000],
        [2, 500, 200, 0x6000, 0xFFFFE000],
        [0, 0, 256, 0x8000, 0xFFFFF000],
        [0, 256, 256, 0x9000, 0xFFFFF000],
        [0, 512, 88, 0xA000, 0xFFFFF000],
        [3, 0, 9, 0xC000, 0xFFFFFF00],
    ]


@pytest.mark.parametrize(
    ("bound", "shift"), [(0.0, 0), (0.3, 0), (1.0, 1), (1.5, 1), (2.0, 2), (7.9, 3), (8.0, 4)]
)
def test_a_sum_stays_below_a_power_of_two(bound: float, shift: int) -> None:
    assert shift_for(bound) == shift


def test_shifts_follow_the_statistics_of_poisson_spikes() -> None:
    """Against SciPy's distribution: a mean, its variance and that of weights, 5 deviations."""
    cells = sources("a", 400), neurons("b", 50)
    part = scattered(0, (0, cells[0]), (1, cells[1]), 9000, (1, 9), 5.0)
    net = FloatNet(1.0, cells, (part,))
    fan_in = np.bincount(part.target).max()
    mean, weight = fan_in * 0.03, part.weight.mean()
    most = round(mean + 3 * math.sqrt(mean))
    variance = part.weight.var() * mean * stats.poisson.cdf(most - 1, mean)
    bound = mean * weight + 5 * math.sqrt(mean * weight**2 + variance)
    assert part.weight.max() < bound < fan_in * part.weight.max()
    assert shifts_of(net, RingBuffers()) == {(1, "excitatory"): math.ceil(math.log2(bound))}
    equal = net.with_connections([replace(part, delay=np.full_like(part.delay, 3))])
    total = fan_in * part.weight.max()
    assert shifts_of(equal, RingBuffers()) == {(1, "excitatory"): math.ceil(math.log2(total))}


# --- words in general ------------------------------------------------------------------------


@st.composite
def networks(draw: st.DrawFn) -> FloatNet:
    """One to three populations of neurons, sources of both kinds, up to six projections."""
    seed = draw(st.integers(0, 1 << 20))
    kinds = draw(st.lists(st.sampled_from(["n", "a", "p"]), min_size=1, max_size=3))
    sizes = st.integers(1, 90)
    made = {
        "n": lambda i: varied(neurons(f"{i}", draw(sizes)), seed + i),
        "a": lambda i: sources(f"{i}", draw(sizes)),
        "p": lambda i: poisson(f"{i}", draw(sizes), 50.0),
    }
    cells = tuple(made[kind](i) for i, kind in enumerate([*kinds, "n"]))
    targets = [i for i, each in enumerate(cells) if not each.is_source]
    parts = []
    for number in range(draw(st.integers(1, 6))):
        pre, post = draw(st.integers(0, len(cells) - 1)), draw(st.sampled_from(targets))
        count, longest = draw(st.integers(1, 60)), draw(st.sampled_from([1, 3, 64]))
        weight = draw(st.sampled_from([0.001, 1.0, -1.0, -300.0]))
        ends = (pre, cells[pre]), (post, cells[post])
        parts.append(scattered(seed + number, *ends, count, (1, longest), weight, number))
    return FloatNet(1.0, cells, tuple(parts))


@settings(max_examples=60, deadline=None)
@given(networks(), st.sampled_from([1, 7, 64, 256]))
def test_words_decode_to_what_was_packed(net: FloatNet, per_core: int) -> None:
    target = export.find("spinnaker1", neurons_per_core=per_core)
    tables = export.lower(net, target)
    made = export.quantise(net, export.Quantise(**target.defaults), target)
    assert same(tables.fixed, made.fixed) == []
    report = export.verify(tables)
    assert report.passed, str(report)
    values = np.concatenate([part.weight for part in net.connections])
    for value, loss in zip(tables.weights(), tables.losses, strict=True):
        assert loss.largest_error <= loss.step / 2
        assert len(value) == loss.synapses
    error = np.abs(np.concatenate(tables.weights()) - values)
    assert (error <= max(loss.step for loss in tables.losses) / 2 + 1e-12).all()


@pytest.mark.parametrize("target", BOTH)
def test_a_folder_holds_the_regions(target: str, tmp_path: Path) -> None:
    tables = export.lower(manifold(), target)
    tables.save(tmp_path)
    stored = arrays_in(tmp_path / "spinnaker.npz")
    cores = 4
    assert set(stored) == {
        f"{core}/{name}"
        for core in range(cores)
        for name in ("SynBlocks", "PopTable", "SynapseParams", "neuron_params")
    }
    for name, each in regions(export.load(tmp_path).memories).items():
        np.testing.assert_array_equal(stored[name], each)
    blocks = np.concatenate([stored[f"{core}/SynBlocks"] for core in range(cores)])
    assert blocks.tolist() == words(tables, "synapses")


# --- the integer model -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_neurons_in_integers_against_a_plain_model(seed: int) -> None:
    """Voltages and spikes of every step; the last network's ring buffers are full at times."""
    net = random_float(seed, n=24, tau_syn_I=9.0, i_offset=0.05, rate=0.1, delays=9, dt=0.5)
    cells = varied(net.cells[1], seed)
    cells = replace(cells, parameters=cells.parameters | {"v_reset": cells.parameters["v_rest"]})
    net = replace(net, cells=(net.cells[0], cells))
    full = seed == 3
    most = {"max_expected_summed_weight": 1.6}
    options: dict[str, Any] = most if full else {"spikes_per_second": 400.0}
    tables = export.lower(net, export.find("spinnaker1", **options))
    trace = tables.trace(75.0, states=True)
    spikes, voltages = plain(tables.fixed, 150, tables.events())
    assert trace.voltage is not None
    np.testing.assert_array_equal(trace.voltage, voltages)
    assert trace.spikes.tolist() == [list(each) for each in spikes]
    assert len(spikes) > 40
    assert (trace.overflows > 0) == full
    assert export.verify(tables, duration=75.0).passed != full
    without = plain(tables.fixed, 150, tables.events(), ring_most=1 << 40)[1]
    assert (without != voltages) == full


def test_a_membrane_relaxes_as_the_exponential_does() -> None:
    """One weight, against the closed form of sPyNNaker's step; errors of s16.15 add up."""
    cells = sources("s", 1, np.array([[0, 1]])), neurons("n", 1, tau_m=15.0, tau_syn_E=4.0)
    part = listed("s→n", (0, cells[0]), (1, cells[1]), [(0, 0, 0.7, 3)])
    tables = export.lower(FloatNet(0.5, cells, (part,)), "spinnaker2")
    trace = tables.trace(40.0, states=True)
    assert trace.voltage is not None
    weight, v, current = tables.weights()[0][0], -65.0, 0.0
    for step in range(1, 81):
        if step == 1 + 3:
            current += weight * 4.0 / 0.5 * (1 - math.exp(-0.5 / 4.0))
        goal = current * 15.0 - 65.0
        v = goal - math.exp(-0.5 / 15.0) * (goal - v)
        current *= math.exp(-0.5 / 4.0)
        assert trace.voltage[step, 0] / 2**15 == pytest.approx(v, abs=0.01)


def test_refractory_periods_are_whole_steps_upwards() -> None:
    for tau, steps in ((0.0, 0), (0.1, 1), (2.0, 2), (2.01, 3)):
        assert relaxing.refractory_steps(1 << 15, round(tau * 2**15)) == steps


def test_about_as_many_spikes_as_another_target() -> None:
    net = random_float(5, n=40, rate=0.08)
    counts = [len(export.lower(net, name).trace(300.0).spikes) for name in ("spinnaker1", "asic")]
    assert counts[1] > 50
    assert counts[0] == pytest.approx(counts[1], rel=0.1)


# --- negative controls -----------------------------------------------------------------------


def failed(tables: export.Tables) -> list[str]:
    return [each.statement for each in export.verify(tables).checks if not each.holds]


MEMORIES = ("synapses", "populations", "parameters", "neurons", "cores", "projections", "keys")


@pytest.mark.parametrize("name", MEMORIES)
def test_any_flipped_bit_fails_verification(name: str) -> None:
    tables = export.lower(manifold(large=300), "spinnaker1")
    assert failed(tables) == []
    memory = tables.memories[name]
    rng = np.random.default_rng(1)
    for _ in range(40):
        row, bit = int(rng.integers(len(memory.words))), int(rng.integers(memory.layout.width))
        limbs = memory.words.copy()
        limbs[row, bit // 64] ^= np.uint64(1 << bit % 64)
        assert failed(with_words(tables, name, limbs)), (name, row, bit)


@pytest.mark.parametrize("name", MEMORIES)
def test_a_dropped_last_word_fails_verification(name: str) -> None:
    tables = export.lower(manifold(large=300), "spinnaker1")
    assert failed(with_words(tables, name, tables.memories[name].words[:-1]))


def altered(tables: export.Tables, **changes: Any) -> list[str]:
    other = replace(tables.fixed, **changes)
    memories = tables.target.pack(other, 16, False)
    return failed(replace(tables, memories=memories, frame=other.frame))


def test_another_rule_fails_verification() -> None:
    """A delay off by one, truncated weights, another shift, sign, order, comparison."""
    tables = export.lower(fitting(3, 24, tau_syn_I=8.0), "spinnaker1")
    fixed, part = tables.fixed, tables.net.connections
    assert altered(tables) == []
    kept = np.concatenate([each.weight for each in part])[tables.origin]
    exact = np.abs(kept) * 2.0 ** (15 - fixed.formats.shift[fixed.format])
    truncated = np.floor(exact).astype(np.int64)
    assert (truncated != fixed.weight).any()
    without_saturation = tuple(each for each in RELAXATION if each != "saturate_input")
    rule = fixed.semantics
    changes: dict[str, dict[str, Any]] = {
        "has its delay": {"hop": np.minimum(fixed.hop + 1, 256)},
        "as rounding leaves it": {"weight": truncated},
        "the update rule": {"semantics": replace(rule, compare="greater")},
        "has its target": {"target": fixed.target ^ 1},
    }
    for statement, change in changes.items():
        assert any(statement in each for each in altered(tables, **change)), statement
    shifted = replace(fixed.formats, shift=fixed.formats.shift + 1)
    assert any("rounding" in each for each in altered(tables, formats=shifted))
    linear = replace(rule, order=STEPS)
    assert any("update rule" in each for each in altered(tables, semantics=linear))
    with pytest.raises(ValueError, match="must hold each of"):
        replace(rule, order=without_saturation)


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("neurons_per_core", [256, 100, 3])
def test_delays_fit_the_ring_buffers(neurons_per_core: int) -> None:
    """Neuron, receptor and delay have 14 bits together; beyond, sPyNNaker takes other cores."""
    target = export.find("spinnaker1", neurons_per_core=neurons_per_core)
    most = 2 ** (14 - 1 - math.ceil(math.log2(neurons_per_core)))
    cells = (0, sources("s", 2)), (1, neurons("n", 300))
    for delay in (most, most + 1):
        part = listed("s→n", *cells, [(0, 299, 1.0, delay), (1, 3, 1.0, 1)])
        net = FloatNet(1.0, (cells[0][1], cells[1][1]), (part,))
        if delay > most:
            with pytest.raises(export.LimitsError, match=f"1 synapses with delay.*{most} steps"):
                export.lower(net, target)
        else:
            tables = export.lower(net, target)
            assert export.verify(tables).passed
            assert tables.fixed.hop.max() == most


def test_one_limit_of_delays_is_named() -> None:
    """The one that applies, and no other."""
    cells = (0, sources("s", 2)), (1, neurons("n", 300))
    part = listed("s→n", *cells, [(0, 299, 1.0, 5000)])
    with pytest.raises(export.LimitsError) as caught:
        export.lower(FloatNet(1.0, (cells[0][1], cells[1][1]), (part,)), "spinnaker1")
    (only,) = caught.value.violations
    assert only.limit.startswith("32 steps with 256 neurons")


def test_rows_have_up_to_256_words() -> None:
    cells = (0, sources("s", 2)), (1, neurons("n", 256))
    for extra in (0, 1):
        synapses = [(0, i % 256, 1.0, 1) for i in range(256 + extra)]
        net = FloatNet(1.0, (cells[0][1], cells[1][1]), (listed("s→n", *cells, synapses),))
        if extra:
            with pytest.raises(export.LimitsError, match="257 words of a row; limit: 256"):
                export.lower(net, "spinnaker1")
        else:
            assert export.verify(export.lower(net, "spinnaker1")).passed


def test_what_spynnaker_would_do_otherwise_is_refused() -> None:
    cells = (0, replace(sources("s", 2), model="SpikeSourceGamma")), (1, neurons("n", 3, cm=1e5))
    part = listed("s→n", *cells, [(0, 1, -1.0, 1)])
    bad = FloatNet(1.0, (cells[0][1], cells[1][1]), (part,))
    with pytest.raises(export.LimitsError) as caught:
        export.lower(bad, "spinnaker1")
    text = str(caught.value)
    assert "sources of type SpikeSourceGamma; limit: SpikeSourceArray, SpikeSourcePoisson" in text
    assert "values of capacitance beyond s16.15" in text
    assert "1 excitatory synapses with the sign of the other receptor" in text
    slow = documented()
    slow = replace(slow, cells=(slow.cells[0], neurons("b", 3, tau_syn_E=4e4)))
    with pytest.raises(export.LimitsError, match="would not decay"):
        export.lower(slow, "spinnaker1")
    delta = replace(slow, cells=(slow.cells[0], neurons("b", 3, "IF_curr_delta")))
    with pytest.raises(export.LimitsError, match="cell types IF_curr_exp"):
        export.lower(delta, "spinnaker1")


@pytest.mark.parametrize(
    "option",
    [
        {"weight_bits": 8},
        {"signed": True},
        {"rounding": "floor"},
        {"scale": "free"},
        {"per": "neuron"},
        {"headroom": 3},
    ],
)
def test_numbers_are_no_matter_of_choice(option: dict[str, Any]) -> None:
    target = export.find("spinnaker2")
    rule = export.Quantise(**{**target.defaults, **option})
    (name,) = option
    with pytest.raises(export.ExportError, match=f"{name} = .*spinnaker2 has"):
        export.lower(documented(), target, quantise=rule)


def test_options_are_checked() -> None:
    for name, value in (
        ("neurons_per_core", 257),
        ("ring_buffer_sigma", -1.0),
        ("max_expected_summed_weight", 0),
    ):
        with pytest.raises(export.ExportError, match=f"{name} = {value}: must be"):
            export.find("spinnaker1", **{name: value})
    tight = export.find("spinnaker1", max_expected_summed_weight=0.2)
    with pytest.raises(export.LimitsError, match=r"1 weights up to 2 nA; limit: 1\.99997 nA"):
        export.lower(documented(), tight)
