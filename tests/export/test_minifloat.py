"""Weights as small floating-point numbers: against all codes of a format, and ml_dtypes."""

from __future__ import annotations

import itertools
from bisect import bisect
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from export_networks import random_float
from hypothesis import given, settings
from hypothesis import strategies as st
from minifloat_numbers import values

from pynn_sparse import export
from pynn_sparse.export.nets.fixednet import same
from pynn_sparse.export.nets.minifloat import Minifloat, weight_format
from pynn_sparse.export.registry import TARGETS

FORMATS = [Minifloat(e, m) for e in range(1, 6) for m in range(6)]
formats = st.sampled_from(FORMATS)


def nearest(x: Fraction, kind: Minifloat) -> int:
    """The nearest number; of two the one of an even code, or with one digit the greater."""
    numbers = values(kind)
    place = max(bisect(numbers, x) - 1, 0)
    near = numbers[place : place + 2]
    if len(near) == 1 or abs(x - near[0]) != abs(x - near[1]):
        return min(near, key=lambda number: abs(x - number))
    return near[1] if (kind.mantissa_bits == 0 and near[0]) or place % 2 else near[0]


def rint(x: Any) -> Any:
    return np.rint(x).astype(np.int64)


@pytest.mark.parametrize("kind", FORMATS, ids=str)
def test_codes_are_the_numbers_of_the_definition(kind: Minifloat) -> None:
    numbers = values(kind)
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 0
    assert kind.greatest == numbers[-1]
    exponent, mantissa = kind.encode(np.array(numbers))
    code = exponent * 2**kind.mantissa_bits + mantissa
    np.testing.assert_array_equal(code, np.arange(len(numbers)))
    np.testing.assert_array_equal(kind.decode(exponent, mantissa), numbers)
    np.testing.assert_array_equal(kind.rounded(np.array(numbers, float), rint), numbers)


@given(formats, st.data())
@settings(deadline=None)
def test_nearest_is_the_nearest_of_all_codes(kind: Minifloat, data: st.DataObject) -> None:
    """Also in the middle of two, of which with one digit the greater is taken."""
    numbers = values(kind)
    middles = [Fraction(a + b, 2) for a, b in itertools.pairwise(numbers)]
    x = data.draw(
        st.sampled_from([*middles, *map(Fraction, numbers)])
        | st.integers(0, 64 * kind.greatest).map(lambda n: Fraction(n, 64))
    )
    found = int(kind.rounded(np.array([float(x)]), rint)[0])
    assert found == nearest(x, kind)


@settings(deadline=None)
@given(formats, st.floats(-1e9, 1e9), st.sampled_from(["floor", "toward_zero"]))
def test_other_roundings_take_a_neighbour(kind: Minifloat, x: float, rounding: str) -> None:
    x = float(np.clip(x, -kind.greatest, kind.greatest))
    rule = export.Quantise(
        1 + kind.exponent_bits + kind.mantissa_bits, rounding, exponent_bits=kind.exponent_bits
    )
    assert rule.minifloat == kind
    found = int(rule.rounded(np.array([x]), np.random.default_rng(0))[0])
    numbers = sorted({sign * n for n in values(kind) for sign in (1, -1)})
    below = max(n for n in numbers if n <= x)
    above = min(n for n in numbers if n >= x)
    assert found == (below if rounding == "floor" or x >= 0 else above)


def test_stochastic_rounding_has_the_right_mean() -> None:
    rule = export.Quantise(6, "stochastic", exponent_bits=3)
    rng = np.random.default_rng(0)
    for x in (0.3, 5.25, -22.5, 51.0):
        found = rule.rounded(np.full(20_000, x), rng)
        assert len(set(found.tolist())) == 2
        assert found.mean() == pytest.approx(x, rel=0.03)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("e2m1", ml_dtypes.float4_e2m1fn),
        ("e2m3", ml_dtypes.float6_e2m3fn),
        ("e3m2", ml_dtypes.float6_e3m2fn),
        ("e4m3", ml_dtypes.float8_e4m3fn),
        ("e5m2", ml_dtypes.float8_e5m2),
    ],
)
def test_numbers_and_rounding_are_those_of_ml_dtypes(name: str, dtype: Any) -> None:
    """Up to the greatest finite number there; e4m3 and e5m2 end earlier than ours."""
    rule = export.Quantise().with_bits(name)
    kind = rule.minifloat
    assert str(kind) == name
    about = ml_dtypes.finfo(dtype)
    unit = float(about.smallest_subnormal)
    top = float(about.max) / unit
    assert kind.greatest == top or name in ("e4m3", "e5m2")
    codes = np.arange(2 ** (rule.weight_bits - 1), dtype=np.uint8).view(dtype).astype(float)
    numbers = np.array(values(kind))
    np.testing.assert_array_equal(numbers[numbers <= top] * unit, codes[np.isfinite(codes)])
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-top, top, 5000), rng.uniform(-9, 9, 5000)])
    middles = (numbers[1:] + numbers[:-1]) / 2
    x = np.concatenate([x, middles[middles < top], -middles[middles < top]])
    expected = (x * unit).astype(dtype).astype(float) / unit
    np.testing.assert_array_equal(kind.rounded(x, rint), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exponent_bits": 6}, "exponent_bits = 6: must be 0 to 5, an integer, of 8 bits of"),
        ({"exponent_bits": 4, "weight_bits": 4}, "exponent_bits = 4: must be 0 to 3"),
        ({"exponent_bits": -1}, "exponent_bits = -1"),
        ({"exponent_bits": 2.0}, "exponent_bits = 2.0: must be 0 to 5, an integer"),
    ],
)
def test_formats_are_checked(options: dict, message: str) -> None:
    with pytest.raises(export.ExportError, match=message):
        export.Quantise(**options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("e9m3", "exponent_bits = 9: must be 1 to 5"),
        ("m3", "weight_bits = 'm3': must be a number, or a format such as e4m3"),
        ("e4", "weight_bits = 'e4'"),
        ("-8", "weight_bits = '-8'"),
    ],
)
def test_names_of_formats_are_checked(text: str, message: str) -> None:
    with pytest.raises(export.ExportError, match=message):
        weight_format(text)


def test_a_name_leaves_the_sign_out() -> None:
    assert weight_format("e4m3") == (8, 4)
    assert weight_format("e4m3", signed=False) == (7, 4)
    assert weight_format(6) == weight_format("6") == (6, None)
    rule = export.Quantise(weight_bits=6, exponent_bits=3, rounding="floor")
    assert rule.with_bits(7) == export.Quantise(weight_bits=7, exponent_bits=3, rounding="floor")
    assert str(rule.with_bits("e4m0").minifloat) == "e4m0"


def test_a_number_that_is_not_of_the_format_is_not_encoded() -> None:
    with pytest.raises(export.ExportError, match="17 is not a number of e4m3"):
        Minifloat(4, 3).encode(np.array([16, 17]))
    with pytest.raises(export.ExportError, match="64 is not a number of e2m3"):
        Minifloat(2, 3).encode(np.array([64]))


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"asic"}))
def test_targets_with_integer_weights_say_so(target: str) -> None:
    rule = export.Quantise(weight_bits=8, exponent_bits=4)
    with pytest.raises(
        export.ExportError, match=f"exponent_bits = 4: {target} has integer weights"
    ):
        export.lower(random_float(1), target, quantise=rule)


@given(
    st.integers(0, 10**6),
    formats,
    st.sampled_from(["nearest", "floor", "toward_zero", "stochastic"]),
    st.sampled_from(["free", "power_of_two"]),
    st.sampled_from(["projection", "receptor", "population", "neuron"]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_lowering_passes_its_own_checks(
    seed: int, kind: Minifloat, rounding: str, scale: str, per: str, signed: bool
) -> None:
    net = random_float(seed, n=12, tau_m=15.0, i_offset=0.1)
    bits = kind.exponent_bits + kind.mantissa_bits + signed
    rule = export.Quantise(bits, rounding, scale, per, signed, exponent_bits=kind.exponent_bits)
    tables = export.lower(net, "asic", quantise=rule)
    report = export.verify(tables, duration=50.0)
    assert report.passed, str(report)
    assert set(np.abs(tables.fixed.weight).tolist()) <= set(values(kind))


def test_words_hold_sign_exponent_and_mantissa(tmp_path: Path) -> None:
    """A word read with Python's integers, and the folder read again."""
    rule = export.Quantise(weight_bits=8, exponent_bits=4)
    tables = export.lower(random_float(3), "asic", quantise=rule)
    tables.save(tmp_path)
    loaded = export.load(tmp_path)
    assert loaded.rule == rule
    assert same(loaded.fixed, tables.fixed) == []
    words = [int(line, 16) for line in (tmp_path / "synapses.memh").read_text().split()]
    layout = tables.memories["synapses"].layout
    low, width = layout.lsb("mantissa"), layout.width
    assert [layout.lsb(name) - low for name in ("exponent", "sign")] == [3, 7]
    assert width == low + 8
    for word, weight in zip(words, tables.fixed.weight, strict=True):
        code = word >> low
        m, e, sign = code & 7, code >> 3 & 15, code >> 7
        assert weight == (-1) ** sign * (m if e == 0 else (8 + m) * 2 ** (e - 1))
    assert "(2^3 + m) << (e - 1)" in layout.markdown()


def test_any_flipped_bit_of_a_weight_fails_verification() -> None:
    rule = export.Quantise(weight_bits=7, exponent_bits=3)
    tables = export.lower(random_float(3), "asic", quantise=rule)
    memory = tables.memories["synapses"]
    low = memory.layout.lsb("mantissa")
    for word in range(0, len(memory.words), 37):
        for bit in range(low, memory.layout.width):
            words = memory.words.copy()
            words[word, 0] ^= np.uint64(1 << bit)
            changed = tables.memories | {"synapses": replace(memory, words=words)}
            assert not export.verify(replace(tables, memories=changed)).passed, (word, bit)


def test_a_wide_range_of_weights_loses_less_than_with_integers() -> None:
    """Weights over four decades: relative errors stay small, and few become 0."""
    net = random_float(3)
    rng = np.random.default_rng(0)
    parts = [
        replace(p, weight=np.sign(p.weight) * 10 ** rng.uniform(-4, 0, len(p)))
        for p in net.connections
    ]
    wide = net.with_connections(parts)
    integers, floats = (
        export.lower(wide, "asic", quantise=export.Quantise(8, exponent_bits=bits))
        for bits in (0, 4)
    )
    zeroed = [sum(loss.zeroed for loss in each.losses) for each in (integers, floats)]
    assert zeroed[1] < 0.1 * zeroed[0]
    for before, after in zip(parts, floats.weights(), strict=True):
        large = np.abs(before.weight) > 1e-3
        assert np.abs(after[large] / before.weight[large] - 1).max() <= 1 / 16 + 1e-9


def test_sweep_compares_formats() -> None:
    net = random_float(2)
    full = export.lower(net, "asic", quantise=export.Quantise(weight_bits=16))
    figure = export.distance_from(full.run(100.0), 100.0)
    found = export.sweep(net, "asic", (0.0,), (4, "e2m1", "e4m3"), figure, "distance")
    assert "| distance | 4 bits | e2m1 | e4m3 |" in found.markdown()
    assert found.picture().startswith(b"\x89PNG")
    assert (found.values >= 0).all()
