"""Networks at the limits of targets, and any others: refused in words, or lowered as they are."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from export_networks import neurons, random_float, sources
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_sparse import export
from pynn_sparse.export.capability import Refractory
from pynn_sparse.export.nets.fixednet import same
from pynn_sparse.export.nets.floatnet import FloatNet, make_connections
from pynn_sparse.export.registry import TARGETS

STEPS = 50
RANGE = "currents, voltages and inputs stay in range"


def small(size: int = 1, inputs: int = 1, delay: int = 1, **parameters: Any) -> FloatNet:
    """One synapse from the last source to the last neuron."""
    cells = (sources("input", inputs), neurons("neurons", size, **{"tau_refrac": 0.0} | parameters))
    one = np.ones(1, np.int64)
    ends = inputs, one * (inputs - 1), one * (size - 1)
    part = make_connections("drive", 0, 1, "excitatory", *ends, np.ones(1), one * delay)
    return FloatNet(1.0, cells, (part,))


def at_limit(kind: str, number: int, latency: int) -> FloatNet:
    if kind == "neurons":
        return small(size=number)
    if kind == "sources":
        return small(inputs=number)
    if kind == "hop":
        return small(delay=number - latency)
    return small(tau_refrac=float(number))


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("neurons", "{} neurons; limit: {}"),
        ("sources", "{} sources; limit: {}"),
        ("hop", "synapses with delays up to"),
        ("refractory", "refractory periods up to {} steps"),
    ],
)
def test_a_limit_is_kept_and_one_more_is_refused(kind: str, words: str, target: str) -> None:
    hardware = export.find(target)
    limits = vars(hardware.limits())
    longest = [each.most for each in hardware.capabilities() if isinstance(each, Refractory)]
    most = (limits | {"refractory": longest[0]})[kind]
    latency = 0 if limits["hop"] is None else 1
    if most is None:
        pytest.skip(f"{target}: Limits has no number for {kind}")
    accept = set(export.APPROXIMATIONS) - {"refractory"}
    export.legalise(at_limit(kind, most, latency), hardware, accept)
    with pytest.raises(export.LimitsError) as caught:
        export.legalise(at_limit(kind, most + 1, latency), hardware, accept)
    assert any(words.format(most + 1, most) in str(each) for each in caught.value.violations)


def test_one_neuron_of_loihi_has_4096_axons() -> None:
    """One neuron cannot be divided among cores."""

    def fan_in(count: int) -> FloatNet:
        cells = sources("input", count), neurons("neuron", 1)
        source, zero = np.arange(count), np.zeros(count, np.int64)
        part = make_connections(
            "drive", 0, 1, "excitatory", count, source, zero, np.full(count, 0.1), zero + 1
        )
        return FloatNet(1.0, cells, (part,))

    assert export.lower(fan_in(4096), "loihi1").placement.cores == 1
    with pytest.raises(export.LimitsError, match="4097 incoming axons of a core; limit: 4096"):
        export.lower(fan_in(4097), "loihi1")


def test_weights_of_xylo_add_up_to_127() -> None:
    """Several synapses between two cells are one weight there."""
    net = small(tau_m=16.0, tau_syn_E=4.0, tau_syn_I=4.0)
    part, accept = net.connections[0], ("reset", "refractory", "tau", "delay")
    zero = np.zeros(2, np.int64)
    twice = make_connections(
        "drive", 0, 1, "excitatory", 1, zero, zero, np.array([1.0, 0.001]), part.delay[[0, 0]]
    )
    tables = export.lower(net.with_connections([twice]), "xylo", accept=accept)
    assert tables.fixed.weight.tolist() == [127]
    twice = replace(twice, weight=np.array([1.0, 1.0]))
    with pytest.raises(export.LimitsError, match="with a sum of 254; limit: 127"):
        export.lower(net.with_connections([twice]), "xylo", accept=accept)


@st.composite
def networks(draw: st.DrawFn) -> FloatNet:
    """Empty projections and rows, single synapses, zeros, weights over many decades, all delays."""
    choose = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dt, model = choose(0.1, 1.0), choose("IF_curr_exp", "IF_curr_exp", "IF_curr_delta")
    parameters = {
        "tau_m": choose(0.5, 5.0, 20.0, 1000.0),
        "cm": choose(0.01, 1.0, 30.0),
        "tau_refrac": choose(0.0, 2.0, 50.0),
        "v_rest": choose(-65.0, -65.0, 0.0, -40.0),
        "v_reset": choose(-65.0, -65.0, -70.0),
        "v_thresh": choose(-50.0, -50.0, 1.0),
        "i_offset": choose(0.0, 0.1, 5.0, -3.0),
        "tau_syn_E": choose(0.2, 5.0, 100.0),
        "tau_syn_I": choose(5.0, 0.2, 7.0),
    }
    inputs = draw(st.integers(1, 16))
    step, cell = np.nonzero(rng.random((STEPS, inputs)) < 0.1)
    cells = (
        sources("input", inputs, np.stack([cell, step], axis=1)),
        neurons("many", choose(1, 2, 12, 40), model, **parameters),
        neurons("few", 2, model, **parameters),
    )
    parts = []
    for k in range(draw(st.integers(1, 3))):
        pre, post, count = choose(0, 0, 1, 2), choose(1, 2), choose(0, 1, 2, 50)
        sign, size = choose(1, -1), choose(0.0, 1e-6, 1.0, 1.0, 1000.0)
        parts.append(
            make_connections(
                f"p{k}",
                pre,
                post,
                "excitatory" if sign > 0 else "inhibitory",
                cells[pre].size,
                rng.integers(0, cells[pre].size, count),
                rng.integers(0, cells[post].size, count),
                sign * size * rng.random(count),
                rng.integers(1, choose(2, 16, 60, 63), count),
            )
        )
    return FloatNet(dt, cells, tuple(parts))


@given(
    networks(),
    st.sampled_from(sorted(set(TARGETS) & {"asic", "loihi1", "loihi2", "xylo"})),
    st.sampled_from([2, 4, 8]),
    st.sampled_from(["nearest", "floor", "stochastic", "toward_zero"]),
    st.sampled_from(["free", "power_of_two"]),
    st.sampled_from(["projection", "receptor", "population", "neuron"]),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.0, 0.2]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
@settings(max_examples=120, deadline=None)
def test_any_network_is_refused_in_words_or_lowered_as_it_is(
    net: FloatNet,
    target: str,
    bits: int,
    rounding: str,
    scale: str,
    per: str,
    headroom: int,
    clip: float,
    fraction: float,
) -> None:
    """All checks hold but that of ranges, which is about the run; the folder gives it all back."""
    rule = export.Quantise(bits, rounding, scale, per, headroom=headroom, clip=clip)
    make = partial(export.lower, net, target, export.Prune(fraction=fraction), rule)
    tables = refusal = None
    try:
        tables = make(tuple(export.APPROXIMATIONS))
    except export.ExportError as error:
        refusal = str(error)
    if tables is None:
        assert len(refusal) > 30
        return
    with tempfile.TemporaryDirectory() as folder:
        tables.save(folder)
        loaded = export.load(folder)
    assert same(loaded.fixed, tables.fixed) == []
    report = export.verify(loaded, duration=STEPS * net.dt)
    failed = [check for check in report.checks if not check.holds]
    assert [check.statement for check in failed] in ([], [RANGE]), str(report)
    kept = sum(loss.synapses - loss.zeroed for loss in tables.losses)
    assert tables.fixed.n_synapses == kept
    assert sum(each.after for each in tables.pruned) == sum(x.synapses for x in tables.losses)


@pytest.mark.parametrize("target", ["asic", "loihi1", "xylo"])
def test_weights_that_are_all_zero_are_left_out(target: str) -> None:
    net = random_float(1, n=32)
    parts = [replace(part, weight=np.zeros(len(part))) for part in net.connections]
    tables = export.lower(
        net.with_connections(parts), target, accept=("delay", "refractory", "reset", "tau")
    )
    assert tables.fixed.n_synapses == 0
    assert [loss.zeroed for loss in tables.losses] == [len(part) for part in parts]
    assert export.verify(tables, duration=20.0).passed


def crowded(target: str) -> FloatNet:
    """More than the target places: lines, cores and tags, axons of a core, ..."""
    rng = np.random.default_rng(0)
    size = {"dynapse2": 300, "truenorth": 2}.get(target, 200)
    cells = (
        sources("input", 400),
        neurons("neurons", size, tau_m=np.linspace(10.0, 40.0, size), tau_refrac=3.0),
    )
    source, count = np.repeat(np.arange(400), 40), 400 * 40
    ends = "drive", 0, 1, "excitatory", 400, source, rng.integers(0, size, count)
    part = make_connections(*ends, rng.random(count), rng.integers(1, 9, count))
    return FloatNet(1.0, cells, (part,))


@pytest.mark.parametrize("target", ["dynapse2", "odin", "truenorth"])
def test_limits_of_placing_come_with_those_that_may_be_accepted(target: str) -> None:
    net = crowded(target)
    with pytest.raises(export.LimitsError) as first:
        export.lower(net, target)
    with pytest.raises(export.LimitsError) as last:
        export.lower(net, target, accept=tuple(export.APPROXIMATIONS))
    acceptable = [each for each in first.value.violations if each.accept]
    assert acceptable
    assert last.value.violations
    assert not any(each.accept for each in last.value.violations)
    assert set(first.value.violations) >= set(last.value.violations)
    again = {each.accept for each in acceptable}
    with pytest.raises(export.LimitsError) as second:
        export.lower(net, target, accept=again)
    assert not any(each.accept for each in second.value.violations)


def test_limits_that_leave_nothing_to_place_are_told_alone() -> None:
    net = crowded("odin")
    cells = (*net.cells, neurons("others", 3, "Izhikevich"))
    with pytest.raises(export.LimitsError) as caught:
        export.lower(replace(net, cells=cells), "odin")
    assert any("Izhikevich" in str(each) for each in caught.value.violations)
    assert not any("lines" in each.what for each in caught.value.violations)
