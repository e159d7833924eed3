"""What is removed, and how numbers become integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from export_networks import neurons, random_float, sources
from hypothesis import given, settings
from hypothesis import strategies as st

from pynn_sparse import export
from pynn_sparse.export.nets.floatnet import Connections, FloatNet, make_connections
from pynn_sparse.export.nets.number_formats import GROUPS
from pynn_sparse.export.registry import find
from pynn_sparse.export.reporting.text import markdown
from pynn_sparse.export.stages.regrow import schedule

QUARTER_SECOND = 250.0


def pruned(net: FloatNet, **options: object) -> FloatNet:
    return export.prune(net, export.Prune(**options))[0]


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.7, 1.0])
def test_magnitude_removes_the_smallest(fraction: float) -> None:
    net = random_float(1)
    for before, after in zip(
        net.connections, pruned(net, fraction=fraction).connections, strict=True
    ):
        kept = len(before) - round(fraction * len(before))
        assert len(after) == kept
        largest = np.sort(np.abs(before.weight))[len(before) - kept :]
        np.testing.assert_array_equal(np.sort(np.abs(after.weight)), largest)


def test_global_scope_compares_projections() -> None:
    net = random_float(1)
    after = pruned(net, fraction=0.5, scope="global").connections
    everything = np.sort(np.abs(np.concatenate([part.weight for part in net.connections])))
    left = np.sort(np.abs(np.concatenate([part.weight for part in after])))
    np.testing.assert_array_equal(left, everything[-len(left) :])
    assert abs(len(left) - len(everything) / 2) <= 1
    assert len(after[0]) > len(after[1])  # its weights are greater


def test_threshold_and_caps() -> None:
    net = random_float(2)
    assert all((np.abs(p.weight) >= 0.2).all() for p in pruned(net, threshold=0.2).connections)
    capped = pruned(net, max_fan_in=3).connections
    fan_in = sum(np.bincount(part.target, minlength=40) for part in capped)
    full = sum(np.bincount(part.target, minlength=40) for part in net.connections)
    np.testing.assert_array_equal(fan_in, np.minimum(full, 3))
    out = pruned(net, max_fan_out=2).connections[1]
    assert np.diff(out.start).max() == 2


@given(st.integers(0, 1000), st.integers(1, 4), st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_n_of_m_keeps_the_best_of_each_group(seed: int, n: int, more: int) -> None:
    net = random_float(seed, n=10)
    m = n + more
    for before, after in zip(net.connections, pruned(net, n_of_m=(n, m)).connections, strict=True):
        for target in range(10):
            mine = np.abs(before.weight[before.target == target])
            groups = [mine[i : i + m] for i in range(0, len(mine), m)]
            best = np.concatenate([np.zeros(0), *(np.sort(group)[-n:] for group in groups)])
            left = np.abs(after.weight[after.target == target])
            np.testing.assert_allclose(np.sort(left), np.sort(best))


def test_structured_pruning_removes_whole_axons() -> None:
    net = random_float(1)
    after = pruned(net, fraction=0.5, structured="axons").connections[1]
    before = net.connections[1]
    same = np.diff(after.start) == np.diff(before.start)
    empty = np.diff(after.start) == 0
    assert (same | empty).all()
    assert empty.sum() >= 20


def test_activity_counts_both_ends() -> None:
    net = random_float(1)
    quiet = np.ones(40)
    quiet[:20] = 0
    activity = {"input": np.ones(20), "neurons": quiet}
    after = pruned(net, by="activity", activity=activity, threshold=1e-9)
    assert all((part.target >= 20).all() for part in after.connections)
    with pytest.raises(export.ExportError, match=r"activity = \{\}: must"):
        pruned(net, by="activity", activity={}, fraction=0.5)


def test_scores_may_be_a_function() -> None:
    net = random_float(1)
    after = pruned(net, by=lambda part, net: -part.delay.astype(float), fraction=0.25)
    for old, new in zip(net.connections, after.connections, strict=True):
        assert new.delay.mean() < old.delay.mean()
    with pytest.raises(export.ExportError, match=r"score of .*: must be .* 160 finite numbers"):
        pruned(net, by=lambda part, net: np.zeros(3), fraction=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fraction": 1.5}, "fraction = 1.5: must be a number from 0 to 1"),
        ({"threshold": -1.0}, "threshold = -1.0"),
        ({"by": "luck"}, "by = 'luck'"),
        ({"by": "activity"}, "needs activity"),
        ({"scope": "layer"}, "scope = 'layer': must be one of projection, global"),
        ({"structured": "axons"}, "structured needs a fraction"),
        ({"n_of_m": (3, 2)}, "n_of_m = .3, 2."),
        ({"n_of_m": 3}, "n_of_m = 3"),
        ({"n_of_m": (1.5, 2)}, "n_of_m = .1.5, 2."),
        ({"fraction": "0.7"}, "fraction = '0.7': must be a number from 0 to 1"),
        ({"fraction": True}, "fraction = True"),
        ({"max_fan_in": 0}, "max_fan_in = 0: must be 1 or greater"),
        ({"max_fan_out": 2.5}, "max_fan_out = 2.5: must be 1 or greater, an integer"),
    ],
)
def test_pruning_rules_are_checked(options: dict, message: str) -> None:
    with pytest.raises(export.ExportError, match=message):
        export.Prune(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight_bits": 17}, "weight_bits = 17: must be 2 to 16"),
        ({"weight_bits": 1}, "weight_bits = 1: must be 2 to 16"),
        ({"seed": -1}, "seed = -1: must be 0 or greater"),
        ({"rounding": ["x"]}, r"rounding = \['x'\]: must be one of nearest"),
        ({"rounding": "up"}, "rounding = 'up': must be one of nearest"),
        ({"scale": "octave"}, "scale = 'octave'"),
        ({"per": "core"}, "per = 'core': must be one of projection"),
        ({"headroom": 0}, "headroom = 0: must be 1 to 8, an integer"),
        ({"weight_bits": 8.0}, "weight_bits = 8.0: must be 2 to 16, an integer"),
        ({"signed": "no"}, "signed = 'no': must be True or False"),
        ({"clip": 1.0}, "clip = 1.0: must be a number, 0 to less than 1"),
    ],
)
def test_number_formats_are_checked(options: dict, message: str) -> None:
    with pytest.raises(export.ExportError, match=message):
        export.Quantise(**options)
    with pytest.raises(export.ExportError, match="weight_bits = 7: loihi1 has 1, 2, 3, 4, 5, 6, 8"):
        export.lower(random_float(0), "loihi1", quantise=export.Quantise(weight_bits=7))


@given(
    st.integers(0, 10**6),
    st.sampled_from(["asic", "loihi1"]),
    st.sampled_from([2, 4, 5, 8]),
    st.sampled_from(["nearest", "floor", "toward_zero", "stochastic"]),
    st.sampled_from(["free", "power_of_two"]),
    st.sampled_from(["projection", "receptor", "population"]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_lowering_passes_its_own_checks(
    seed: int, target: str, bits: int, rounding: str, scale: str, per: str, signed: bool
) -> None:
    """Words, decoded, against the formulas of neurons and synapses."""
    net = random_float(seed, n=12, tau_m=15.0, i_offset=0.1)
    rule = export.Quantise(bits, rounding, scale, per, signed)
    report = export.verify(export.lower(net, target, quantise=rule), duration=50.0)
    assert report.passed, str(report)


def test_more_bits_lose_less() -> None:
    net = random_float(3)
    ratios = [
        export.lower(net, "asic", quantise=export.Quantise(weight_bits=bits)).losses[0].sqnr
        for bits in range(5, 13)
    ]
    gains = np.diff(ratios)
    assert (gains > 3).all()
    assert gains.mean() == pytest.approx(6.02, abs=0.5)  # dB for a bit


def test_the_greatest_weight_is_exact() -> None:
    """Also on Loihi with short steps, where its least exponent is large beside the weights."""
    for target, dt in (("asic", 0.1), ("loihi1", 0.1), ("loihi1", 1.0)):
        tables = export.lower(random_float(3, dt=dt), target)
        before, after = (
            np.abs(np.concatenate(each))
            for each in ([p.weight for p in tables.net.connections], tables.weights())
        )
        greatest = before.argmax()
        assert after[greatest] == pytest.approx(before[greatest], rel=1e-9), target


def test_clipping_gives_the_others_more_of_the_range() -> None:
    """Two weights far above the others, limited to the third, at 4 bits."""
    net = random_float(3)
    outliers = [
        np.where(np.arange(len(p)) < 2, 30.0 * np.sign(p.weight), p.weight)
        for p in (net.connections)
    ]
    net = net.with_connections(
        [replace(p, weight=w) for p, w in zip(net.connections, outliers, strict=True)]
    )
    rules = (export.Quantise(4), export.Quantise(4, clip=2.5 / len(outliers[0])))
    plain, clipped = (export.lower(net, "asic", quantise=rule) for rule in rules)
    assert [loss.clipped for loss in plain.losses] == [0, 0]
    assert clipped.losses[0].clipped == 2
    assert clipped.losses[0].zeroed < 0.2 * plain.losses[0].zeroed
    assert export.verify(clipped).passed
    values = clipped.weights()[0]
    rest = np.abs(outliers[0][2:]).max()
    assert np.abs(values).max() == pytest.approx(rest, rel=1e-9)
    assert clipped.losses[0].largest_error == pytest.approx(30.0 - rest)


def test_headroom_leaves_something_for_the_threshold() -> None:
    small = export.find("asic", voltage_bits=8)
    with pytest.raises(export.ExportError, match=r"headroom = 7: leaves nothing .* less than 7"):
        export.lower(random_float(0), small, quantise=export.Quantise(headroom=7))
    export.lower(random_float(0), small, quantise=export.Quantise(weight_bits=4, headroom=6))


def test_groups_share_exponents() -> None:
    counts = {}
    net = random_float(3)
    # Another population, with far smaller weights.
    cells = (*net.cells, neurons("others", 40))
    small = replace(
        net.connections[0], label="small", post=2, weight=net.connections[0].weight / 1000
    )
    more = replace(net, cells=cells, connections=(*net.connections, small))
    for per in GROUPS[:4]:
        fixed = export.lower(more, "asic", quantise=export.Quantise(per=per)).fixed
        counts[per] = len(set(zip(fixed.formats.shift, fixed.formats.receptor, strict=True)))
    assert counts == {"projection": 3, "receptor": 3, "population": 2, "network": 1}


def test_zeros_of_quantisation_are_counted_apart() -> None:
    net = random_float(3)
    tables = export.lower(
        net, "asic", prune=export.Prune(fraction=0.25), quantise=export.Quantise(weight_bits=3)
    )
    for pruning, loss, before in zip(tables.pruned, tables.losses, net.connections, strict=True):
        assert pruning.before == len(before)
        assert pruning.after == loss.synapses == len(before) - round(0.25 * len(before))
    zeroed = sum(loss.zeroed for loss in tables.losses)
    assert zeroed > 0
    assert tables.fixed.n_synapses == sum(loss.synapses for loss in tables.losses) - zeroed
    assert (tables.fixed.weight != 0).all()


@pytest.mark.parametrize("target", ["asic", "loihi1"])
@pytest.mark.parametrize("model", ["IF_curr_exp", "IF_curr_delta"])
def test_fixed_point_follows_the_exact_solution(target: str, model: str) -> None:
    """One spike, no threshold crossing: the voltage is that of the closed form."""
    tau_m, tau_syn, weight = 20.0, 5.0, 0.5
    cells = (
        sources("s", 1, np.array([[0, 2]])),
        neurons("n", 1, model, tau_m=tau_m, tau_syn_E=tau_syn, tau_syn_I=tau_syn),
    )
    one = np.zeros(1, np.int64)
    part = make_connections("s→n", 0, 1, "excitatory", 1, one, one, np.array([weight]), one + 3)
    tables = export.lower(FloatNet(0.5, cells, (part,)), target)
    trace = tables.trace(60.0, states=True)
    assert trace.voltage is not None
    found = trace.voltage[:, 0] / tables.scale[0]
    t = np.maximum(np.arange(121) * 0.5 - 2.5, 0.0)  # since the arrival
    if model == "IF_curr_delta":
        expected = np.where(np.arange(121) >= 5, weight * np.exp(-t / tau_m), 0.0)
    else:
        rate = 1 / tau_syn - 1 / tau_m
        expected = weight * (np.exp(-t / tau_m) - np.exp(-t / tau_syn)) / rate
    np.testing.assert_allclose(found, expected, atol=0.02 * expected.max())


def test_a_longer_step_keeps_time_constants_and_delays() -> None:
    net = random_float(2, dt=0.5, delays=8, steps=500)
    coarse = export.resample(net, 1.0)
    assert coarse.connections[0].delay.max() == 4
    assert coarse.connections[0].delay.min() == 1
    fine, slow = (export.lower(each, "asic") for each in (net, coarse))
    decay = [tables.fixed.profiles.voltage_decay[0] for tables in (fine, slow)]
    expected = [(1 - np.exp(-dt / 20.0)) * 65536 for dt in (0.5, 1.0)]
    np.testing.assert_allclose(decay, expected, atol=0.5)
    counts = [len(tables.trace(QUARTER_SECOND).spikes) for tables in (fine, slow)]
    assert counts[1] == pytest.approx(counts[0], rel=0.15)
    with pytest.raises(export.ExportError, match="timestep = 0"):
        export.resample(net, 0.0)


def test_units_of_each_neuron_use_all_bits() -> None:
    net = random_float(3)
    fixed = export.lower(net, "asic", quantise=export.Quantise(weight_bits=6, per="neuron")).fixed
    greatest = np.zeros(fixed.n_neurons, np.int64)
    np.maximum.at(greatest, fixed.target, np.abs(fixed.charge()))
    mantissas = np.zeros(fixed.n_neurons, np.int64)
    np.maximum.at(mantissas, fixed.target, np.abs(fixed.weight))
    assert (mantissas[greatest > 0] == 31).all()
    assert find("asic").numbers(6, True).greatest_weight == 31


def test_schedule_is_cubic() -> None:
    assert [schedule(step, 10, 0.2, 0.8) for step in (0, 10)] == pytest.approx([0.2, 0.8])
    assert schedule(5, 10, 0.0, 0.8) == pytest.approx(0.7)


def test_regrowth_finds_what_magnitude_does_not() -> None:
    """Small weights of high growth come back; without regrowth the largest stay."""
    net = random_float(1)
    growth = [np.zeros(len(part)) for part in net.connections]
    smallest = [np.argsort(np.abs(part.weight))[:8] for part in net.connections]
    for each, place in zip(growth, smallest, strict=True):
        each[place] = 1.0
    grown = export.prune_and_regrow(net, 0.6, lambda *_: growth, steps=5, regrow=0.3)
    plain = export.prune_and_regrow(net, 0.6, lambda *_: growth, steps=5, regrow=0.0)
    largest = pruned(net, fraction=0.6)
    for old, new, flat, expected, place in zip(
        net.connections,
        grown.connections,
        plain.connections,
        largest.connections,
        smallest,
        strict=True,
    ):
        assert len(new) == len(expected)
        assert set(old.weight[place]) <= set(new.weight)
        np.testing.assert_array_equal(flat.weight, expected.weight)


def test_training_between_steps_decides() -> None:
    net = random_float(1)
    flipped = [np.sign(p.weight) * (2.0 - np.abs(p.weight)) for p in net.connections]
    after = export.prune_and_regrow(
        net,
        0.5,
        lambda net, masks, step: [np.zeros(len(m)) for m in masks],
        lambda net, masks, step: flipped,
        steps=1,
    )
    (one, two) = (set(np.abs(part.weight)) for part in after.connections)
    assert one <= set(np.abs(flipped[0]))
    assert two <= set(np.abs(flipped[1]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"final": 1.2}, "final = 1.2"),
        ({"final": 0.5, "initial": 0.6}, "initial = 0.6"),
        ({"final": 0.5, "regrow": 2.0}, "regrow = 2.0"),
        ({"final": 0.5, "steps": 0}, "steps = 0"),
        (
            {"final": 0.5, "growth": lambda *_: [np.zeros(3), np.zeros(2)]},
            "what growth gives = .*: must be arrays of finite numbers, of lengths",
        ),
        (
            {"final": 0.5, "train": lambda net, *_: [p.weight * np.nan for p in net.connections]},
            "what train gives = .*: must be arrays of finite numbers",
        ),
    ],
)
def test_regrowth_is_checked(options: dict, message: str) -> None:
    growth = options.pop("growth", lambda net, *_: [np.zeros(len(p)) for p in net.connections])
    with pytest.raises(export.ExportError, match=message):
        export.prune_and_regrow(random_float(1), growth=growth, **options)


@pytest.mark.parametrize("clip", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("per", GROUPS)
@pytest.mark.parametrize("rounding", ["nearest", "floor", "toward_zero", "stochastic"])
def test_limited_weights_that_round_to_zero_are_left_out_rightly(
    clip: float, per: str, rounding: str
) -> None:
    """A projection whose one great weight is limited, beside one of great weights."""
    one = np.arange(4)
    cells = (sources("in", 4, np.stack([one, one + 5], axis=1)), neurons("out", 4))

    def part(label: str, weight: list[float]) -> Connections:
        ends = 0, 1, "excitatory", 4
        return make_connections(label, *ends, one, one, np.array(weight), np.ones(4, np.int64))

    net = FloatNet(
        1.0, cells, (part("small", [0.001, 0.001, 0.001, 1.0]), part("great", [1.0, 1.0, 1.0, 1.0]))
    )
    rule = export.Quantise(clip=clip, per=per, rounding=rounding)
    report = export.verify(export.lower(net, "asic", quantise=rule))
    assert report.passed, str(report)


@given(st.integers(0, 10_000), st.floats(0.0, 1.0), st.integers(2, 8), st.booleans())
@settings(max_examples=40, deadline=None)
def test_targets_without_input_are_counted(
    seed: int, fraction: float, bits: int, structured: bool
) -> None:
    """By pruning and by rounding, each once; against sets of targets."""
    net = random_float(seed, n=16, density=0.15)
    rule = export.Prune(fraction=fraction, structured="neurons" if structured else None)
    quantise = export.Quantise(weight_bits=bits, per="network")
    tables = export.lower(net, "asic", rule, quantise)
    ends = np.cumsum([0, *map(len, tables.net.connections)])
    for index, (before, after) in enumerate(
        zip(net.connections, tables.net.connections, strict=True)
    ):
        mine = (tables.origin >= ends[index]) & (tables.origin < ends[index + 1])
        left = set(after.target[tables.origin[mine] - ends[index]].tolist())
        dead = len(set(before.target.tolist()) - left)
        assert tables.pruned[index].dead + tables.losses[index].dead == dead
    text = markdown(tables, export.verify(tables))
    for index, part in enumerate(net.connections):
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {part.label} |")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert int(cells[-1]) == tables.pruned[index].dead + tables.losses[index].dead
        nothing = tables.losses[index].zeroed == tables.losses[index].synapses
        assert (cells[-2] == "nothing is left") == nothing
