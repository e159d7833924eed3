"""Words of tables: encoded, decoded, written and read, against Python's own integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_sparse.export.folder.memh import MemoryFileError, from_memh, to_memh
from pynn_sparse.export.nets.layout import Field, Layout, LayoutError, bits_for, signed_bits_for


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    kinds = draw(st.lists(st.tuples(st.integers(1, 63), st.booleans()), min_size=1, max_size=6))
    fields = [Field(f"f{i}", width, signed) for i, (width, signed) in enumerate(kinds)]
    return Layout("word", tuple(fields))


@given(layouts(), st.data())
def test_words_are_what_python_makes_of_them(layout: Layout, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 4))
    values = {
        field.name: np.array([data.draw(st.integers(*field.range)) for _ in range(n)], np.int64)
        for field in layout.fields
    }
    limbs = layout.encode(values)
    for i in range(n):
        word, position = 0, 0
        for field in layout.fields:
            word |= (int(values[field.name][i]) & ((1 << field.width) - 1)) << position
            position += field.width
        assert sum(int(limb) << 64 * k for k, limb in enumerate(limbs[i])) == word
        line = to_memh(limbs, layout.width).splitlines()[i]
        assert int(line, 16) == word
        assert len(line) == -(-layout.width // 4)
    read = from_memh(to_memh(limbs, layout.width), layout.width, n, "a.memh")
    decoded = layout.decode(read)
    for name, column in values.items():
        np.testing.assert_array_equal(decoded[name], column)
    assert Layout.from_json(layout.to_json()) == layout


def test_a_value_that_does_not_fit_is_named() -> None:
    layout = Layout("synapse", (Field("weight", 4, True), Field("hop", 3)))
    with pytest.raises(LayoutError, match=r"synapse.weight = 8 in word 1: must be -8 to 7"):
        layout.encode({"weight": [0, 8], "hop": [0, 0]})
    with pytest.raises(LayoutError, match=r"synapse.hop = -1 in word 0: must be 0 to 7"):
        layout.encode({"weight": [0], "hop": [-1]})
    with pytest.raises(LayoutError, match="fields are"):
        layout.encode({"weight": [0]})


def test_fields_are_documented_from_the_top() -> None:
    layout = Layout("synapse", (Field("target", 4, False, "neuron"), Field("weight", 8, True)))
    assert layout.width == 12
    assert layout.rows() == [
        ("11:4", "weight", "signed", ""),
        ("3:0", "target", "unsigned", "neuron"),
    ]
    assert "| 3:0 | `target` | unsigned | neuron |" in layout.markdown()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"00\n01\n", "6 bytes"),
        (b"00\n01\n0g\n", "line 3"),
        (b"00\n01\n02 ", "line 3"),
        (b"00\n01\n80\n", "line 3: more than 7 bits"),
        (b"00\n01\n0A\n", "line 3"),
    ],
)
def test_a_damaged_file_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(MemoryFileError, match=message):
        from_memh(text, 7, 3, "a.memh")


@given(st.integers(0, 2**62))
def test_bits_hold_what_they_are_for(value: int) -> None:
    assert value < 1 << bits_for(value)
    assert bits_for(value) == 1 or value >= 1 << (bits_for(value) - 1)


@given(st.lists(st.integers(-(2**40), 2**40)))
def test_signed_bits_hold_what_they_are_for(values: list[int]) -> None:
    width = signed_bits_for(values)
    assert all(-(1 << (width - 1)) <= value < 1 << (width - 1) for value in values)
    half = 1 << (width - 2)
    assert width == 2 or any(not -half <= value < half for value in values)
