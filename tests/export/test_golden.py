"""The integer model against a plain one: a neuron and an event at a time, in Python's integers."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from crossbar_networks import random_odin, random_truenorth
from export_networks import ACCEPT, random_events, random_fixed, random_float, rule_of, suited
from plain_model import plain

from pynn_sparse.export import ExportError, lower
from pynn_sparse.export.models import golden
from pynn_sparse.export.models.semantics import truncating, wrapped
from pynn_sparse.export.nets.fixednet import Axons, FixedNet, Formats, Profiles
from pynn_sparse.export.registry import find
from pynn_sparse.export.stages.legalise import approximations

STEPS = 80


@pytest.mark.parametrize("target", ["asic", "loihi1"])
@pytest.mark.parametrize("seed", range(12))
def test_it_does_what_the_rule_says(seed: int, target: str) -> None:
    fixed = random_fixed(seed, target, strong=seed % 3 == 0)
    events = random_events(seed, fixed, STEPS)
    trace = golden.run(fixed, STEPS, events, states=True)
    spikes, voltages = plain(fixed, STEPS, events)
    assert trace.spikes.tolist() == spikes
    assert trace.voltage is not None
    assert trace.voltage.tolist() == voltages


def test_ranges_are_left_and_counted() -> None:
    """Strong weights saturate the ASIC's registers, and wrap Loihi's currents."""
    for target, seed in (("asic", 0), ("loihi1", 1)):
        fixed = random_fixed(seed, target)
        shift = replace(fixed.formats, shift=fixed.formats.shift + 12)
        fixed = replace(fixed, formats=shift)
        events = random_events(seed, fixed, STEPS)
        trace = golden.run(fixed, STEPS, events)
        assert trace.overflows > 0
        assert trace.spikes.tolist() == plain(fixed, STEPS, events)[0]


def test_equality_decides_at_the_threshold() -> None:
    """An input that brings the voltage to the threshold fires with >=, and not with >."""
    fixed = one_neuron(charge=100, threshold=100)
    events = np.array([[0, 1]])
    assert golden.run(fixed, 3, events).spikes.tolist() == [[1, 0]]
    strict = replace(fixed, semantics=replace(fixed.semantics, compare="greater"))
    assert golden.run(strict, 3, events).spikes.tolist() == []


def one_neuron(charge: int, threshold: int) -> FixedNet:
    one = np.ones(1, np.int64)
    zero = np.zeros(1, np.int64)
    semantics = find("asic").semantics(1)
    gone = np.array([[(1 << semantics.decay_bits) - 1]])
    return FixedNet(
        semantics,
        (Axons("n", 0, 1, False), Axons("s", 1, 1, True)),
        Profiles(gone, zero, one * threshold, zero, zero, zero),
        zero,
        zero,
        Formats(zero, zero, zero),
        np.array([0, 0, 1]),
        zero,
        one * charge,
        one,
        zero,
    )


def test_spikes_that_cannot_be_are_refused() -> None:
    fixed = one_neuron(1, 1)
    with pytest.raises(
        ExportError, match="axon 0 cannot get spikes from outside: sources are 1 to 1"
    ):
        golden.run(fixed, 3, np.array([[0, 0]]))
    with pytest.raises(ExportError, match="at step -1: must be 0 or later"):
        golden.run(fixed, 3, np.array([[-1, 1]]))


def test_decay_reaches_zero_and_wrapping_is_modular() -> None:
    x = np.array([-5, -1, 0, 1, 5])
    for _ in range(200):
        x = truncating(x, 20, 12)
    assert not x.any()
    np.testing.assert_array_equal(wrapped(np.array([8, 9, -8]), -7, 8), [8, -7, 8])


def test_synaptic_events_of_a_step_are_added_up_without_a_loop_in_python() -> None:
    """A hundred times as many of them take no more calls, of Python's or of NumPy's functions."""

    def calls(fan_out: int) -> int:
        n = 200
        rng = np.random.default_rng(0)
        many = replace(
            one_neuron(1, 1 << 20),
            axons=(Axons("n", 0, n, False), Axons("s", n, n, True)),
            profile=np.zeros(n, np.int64),
            initial=np.zeros(n, np.int64),
            start=np.concatenate([np.zeros(n, np.int64), np.arange(n + 1) * fan_out]),
            target=rng.integers(0, n, n * fan_out),
            weight=np.ones(n * fan_out, np.int64),
            hop=rng.integers(1, 16, n * fan_out),
            format=np.zeros(n * fan_out, np.int64),
        )
        step, source = np.divmod(np.arange(10 * n), n)
        events = np.stack([step, source + n], axis=1)
        made = []
        sys.setprofile(lambda frame, event, _: made.append(event) if "call" in event else None)
        try:
            trace = golden.run(many, 10, events)
        finally:
            sys.setprofile(None)
        assert trace.synaptic_events == 10 * n * fan_out
        return len(made)

    assert 0 < calls(500) <= calls(5)


def network_of(target: str, seed: int) -> FixedNet:
    """A random network of a target, of all kinds of steps that there are."""
    if target in ("asic", "loihi1"):
        return random_fixed(seed, target, strong=True)
    if target == "odin":
        return random_odin(seed, find(target))
    if target == "truenorth":
        return random_truenorth(seed, find(target))
    net = suited(random_float(seed, n=30), target)
    accept = approximations(find(target)).keys() & set(ACCEPT)
    return lower(net, target, quantise=rule_of(target), accept=list(accept)).fixed


@pytest.mark.parametrize("target", ["asic", "loihi1", "odin", "truenorth", "spinnaker1", "xylo"])
def test_many_samples_at_once(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leaves what it leaves alone, however many are run together."""
    fixed = network_of(target, 3)
    samples = [random_events(seed, fixed, STEPS) for seed in range(5)]
    samples[1] = samples[1][:0]
    alone = [golden.run(fixed, STEPS, each) for each in samples]
    assert sum(len(each.spikes) for each in alone) > 20
    for at_once in (1, 2 * fixed.n_synapses, 1 << 30):
        monkeypatch.setattr(golden, "SYNAPSES_AT_ONCE", at_once)
        together = golden.run_samples(fixed, STEPS, samples)
        for spikes, one in zip(together.spikes, alone, strict=True):
            np.testing.assert_array_equal(spikes, one.spikes)
        assert together.synaptic_events.tolist() == [each.synaptic_events for each in alone]
        assert together.overflows == sum(each.overflows for each in alone)
    with pytest.raises(ExportError, match="cannot get spikes from outside"):
        golden.run_samples(fixed, STEPS, [samples[0], np.array([[0, 0]])])
    assert golden.run_samples(fixed, STEPS, []).spikes == []
