"""Each stage alone, and all of them together."""

from __future__ import annotations

import json
import sys
from types import FrameType

import numpy as np
import pytest
from export_networks import ACCEPT, random_float, rule_of, suited

from pynn_sparse import export
from pynn_sparse.export.nets.fixednet import same


@pytest.mark.parametrize("name", ["asic", "loihi1"])
def test_stages_one_by_one_are_what_lower_does(name: str) -> None:
    net, target = random_float(2), export.find(name)
    selection, rule = export.Prune(fraction=0.4), export.Quantise(weight_bits=5)

    export.legalise(net, target)
    pruned, removed = export.prune(net, selection)
    made = export.quantise(pruned, rule, target)
    placement = export.place(made.fixed, rule, target)
    memories = export.pack(made.fixed, rule, target)

    tables = export.lower(net, name, selection, rule)
    assert same(made.fixed, tables.fixed) == []
    assert tuple(removed) == tables.pruned
    assert made.losses == tables.losses
    assert placement.resources == tables.placement.resources
    np.testing.assert_array_equal(placement.core, tables.placement.core)
    assert list(memories) == list(tables.memories)
    for stage, whole in zip(memories.values(), tables.memories.values(), strict=True):
        assert stage.layout == whole.layout
        np.testing.assert_array_equal(stage.words, whole.words)
    assert same(target.unpack(memories, made.fixed.frame), made.fixed) == []

    files = export.emit(tables)
    assert set(json.loads(files["manifest.json"])["files"]) == set(files) - {"manifest.json"}
    assert export.verify(tables).passed


def test_stages_leave_their_input_as_it_was() -> None:
    net = random_float(2)
    before = [part.weight.copy() for part in net.connections]
    export.lower(net, "asic", export.Prune(fraction=0.5), export.Quantise(3, clip=0.1))
    for part, weight in zip(net.connections, before, strict=True):
        np.testing.assert_array_equal(part.weight, weight)


@pytest.mark.parametrize("name", sorted(export.TARGETS))
def test_no_call_of_lower_is_more_than_ten_deep(name: str) -> None:
    """What a reader has to keep in mind on a weight's way to an exported word."""
    net, target = suited(random_float(2, n=32), name), export.find(name)
    calls: list[str] = []
    deepest: list[str] = []

    def follow(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if "/pynn_sparse/export/" not in code.co_filename or code.co_name.startswith("<"):
            return
        if event == "call":
            calls.append(code.co_name)
            deepest[:] = max(deepest, calls, key=len)
        elif event == "return":
            calls.pop()

    before = sys.getprofile()
    sys.setprofile(follow)
    try:
        export.lower(net, target, None, rule_of(name), ACCEPT)
    finally:
        sys.setprofile(before)
    assert deepest[0] == "lower"
    assert 5 < len(deepest) <= 10, deepest
