"""Values that leave their range: said where and by how much, avoided, or accepted."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from export_networks import ACCEPT, random_float, rule_of

from pynn_sparse import export
from pynn_sparse.export.nets.floatnet import FloatNet
from pynn_sparse.export.target import Target

DURATION = 100.0
NOTHING: dict[str, Any] = {"neurons": [[]] * 32}


def strong(factor: float) -> FloatNet:
    """Inhibition that draws voltages far below rest; without recurrence, for akida's sake."""
    net = random_float(3, n=32, rate=0.1, tau_refrac=0.0)
    part = replace(net.connections[0], weight=-factor * net.connections[0].weight)
    return net.with_connections([part])


def out_of_range(report: export.Report) -> str:
    (check,) = [each for each in report.checks if "stay in range" in each.statement]
    return "" if check.holds else check.figures


@pytest.mark.parametrize("target", ["asic", "loihi1", "loihi2"])
@pytest.mark.parametrize("factor", [0.3, 4.0, 16.0])
def test_headroom_is_the_least_with_which_a_run_stays_in_range(target: str, factor: float) -> None:
    net = strong(factor)
    chosen = export.lower(net, target, against=NOTHING, duration=DURATION)
    assert not out_of_range(export.verify(chosen, duration=DURATION))
    for headroom in range(2, chosen.rule.headroom):
        less = export.lower(net, target, quantise=export.Quantise(headroom=headroom))
        assert out_of_range(export.verify(less, duration=DURATION))
    same = export.lower(net, target, quantise=chosen.rule)
    for name, memory in chosen.memories.items():
        np.testing.assert_array_equal(memory.words, same.memories[name].words)
    assert (chosen.rule.headroom == 2) == (factor == 0.3)


def test_the_message_can_be_followed() -> None:
    """Population, register, cells, bits, and the flag, which then helps."""
    net = strong(4.0)
    figures = out_of_range(export.verify(export.lower(net, "asic"), duration=DURATION))
    found = re.search(r"voltage of (\d+) cells of neurons, (\d) bits more are needed", figures)
    assert found
    assert 1 <= int(found[1]) <= 32
    flag = re.search(r"headroom=(\d) \(--headroom (\d)\)", figures)
    assert flag
    assert int(flag[1]) == int(flag[2]) == 2 + int(found[2])
    enough = export.lower(net, "asic", quantise=export.Quantise(headroom=int(flag[1])))
    assert not out_of_range(export.verify(enough, duration=DURATION))


def test_at_the_greatest_headroom_something_else_is_advised() -> None:
    net = strong(1000.0)
    tables = export.lower(net, "asic", quantise=export.Quantise(headroom=8))
    figures = out_of_range(export.verify(tables, duration=DURATION))
    assert "quantise with more headroom" not in figures
    assert "bits of headroom are more than 8: take more voltage_bits" in figures
    assert "--accept saturation" in figures


def saturating(target: str) -> tuple[FloatNet, Target]:
    """Voltages beyond their range, or on SpiNNaker more input than ring buffers are made for."""
    if target == "odin":
        net = random_float(3, n=32, rate=0.9, tau_refrac=0.0, tau_m=1e9)
        part = replace(net.connections[0], weight=-net.connections[0].weight)
        return net.with_connections([part]), export.find(target)
    if target == "spinnaker1":
        hardware = export.find(target, max_expected_summed_weight=0.1)
        return random_float(3, n=32, rate=0.5), hardware
    return strong(4.0), export.find(target)


@pytest.mark.parametrize("target", ["asic", "loihi1", "odin", "spinnaker1"])
def test_saturation_that_the_hardware_has_is_accepted_by_name(target: str) -> None:
    (net, hardware), rule = saturating(target), rule_of(target)
    plain = export.lower(net, hardware, None, rule, ACCEPT)
    report = export.verify(plain, duration=300.0)
    assert "--accept saturation" in out_of_range(report)
    accepting = export.lower(net, hardware, None, rule, [*ACCEPT, "saturation"])
    report = export.verify(accepting, duration=300.0)
    assert report.passed, str(report)
    assert any("or saturation was accepted" in check.statement for check in report.checks)
    for name, memory in plain.memories.items():
        np.testing.assert_array_equal(memory.words, accepting.memories[name].words)


def test_what_the_hardware_does_otherwise_is_not_accepted() -> None:
    """xylo saturates at each event, the integer model once in a step."""
    assert not any(export.find(each).saturates for each in ("xylo", "dynapse2", "truenorth"))
    tables = export.lower(strong(4.0), "xylo", None, rule_of("xylo"), [*ACCEPT, "saturation"])
    figures = out_of_range(export.verify(tables, duration=DURATION))
    assert "voltage of" in figures
    assert "saturation" not in figures


def test_accepted_saturation_takes_no_headroom() -> None:
    tables = export.lower(
        strong(16.0), "asic", accept=["saturation"], against=NOTHING, duration=DURATION
    )
    assert tables.rule.headroom == 2
