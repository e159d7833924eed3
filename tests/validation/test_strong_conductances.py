"""Conductances from none to 1e4 times what empties a membrane in a step: v is right for all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.comparison import pynn_nest
from support.strong import BOUND, CELL, CM, E_EXC, E_INH, NEVER, V_REST, V_THRESH, exact, simulate

NEST_BOUND = 1e-2  # mV, of which nearly all is NEST's own tolerance
STRENGTHS = np.geomspace(1e-3, 1e4, 13)  # of weight x timestep / cm
TAU_EXC, TAU_INH = 2.0, 5.0


def standard(name: str, **more: Any) -> Callable[[Any], Any]:
    """A cell type with the parameters of `strong.CELL`."""
    own = {"tau_syn_E": TAU_EXC, "tau_syn_I": TAU_INH, "v_thresh": NEVER, "tau_refrac": 0.1}
    if name == "GIF_cond_exp":
        own |= {"lambda0": 0.0}
        del own["v_thresh"]
    return lambda sim: getattr(sim, name)(**CELL | own | more)


def composed(kind: str, **more: Any) -> Callable[[Any], Any]:
    """The same of a membrane and receptors."""

    def make(sim: Any) -> Any:
        membrane = {key: CELL[key] for key in ("cm", "tau_m", "v_rest")} | {"v_thresh": NEVER}
        psr = {"exp": sim.ExpPSR, "alpha": sim.AlphaPSR}[kind]
        return sim.PointNeuron(
            sim.LIF(**membrane | more),
            excitatory=psr(tau_syn=TAU_EXC, e_syn=E_EXC),
            inhibitory=psr(tau_syn=TAU_INH, e_syn=E_INH),
        )

    return make


CELLS = {
    "IF_cond_exp": ("exp", standard("IF_cond_exp")),
    "IF_cond_alpha": ("alpha", standard("IF_cond_alpha")),
    "IF_cond_exp_gsfa_grr": ("exp", standard("IF_cond_exp_gsfa_grr")),
    "GIF_cond_exp": ("exp", standard("GIF_cond_exp")),
    "PointNeuron of ExpPSR": ("exp", composed("exp")),
    "PointNeuron of AlphaPSR": ("alpha", composed("alpha")),
}
EVERY_CELL = pytest.mark.parametrize("cell", CELLS)


@functools.cache
def solutions(shape: str, dt: float) -> Any:
    """v [samples, strengths] at time steps 0 to 7, after spikes in steps 1 and 3."""
    weights = STRENGTHS * CM / dt
    pairs = zip(weights, weights[::-1], strict=True)
    return np.transpose(
        [
            exact(
                *(shape, np.arange(8) * dt),
                [(dt, one, TAU_EXC, E_EXC), (3 * dt, other, TAU_INH, E_INH)],
                V_REST,
            )
            for one, other in pairs
        ]
    )


@pytest.mark.parametrize("dt", [0.01, 0.1, 1.0])
@EVERY_CELL
def test_as_exact_as_in_the_ordinary_regime(cell: str, dt: float) -> None:
    """An excitatory and an inhibitory spike of any strength, one after the other."""
    shape, make = CELLS[cell]
    weights = STRENGTHS * CM / dt
    found, _ = simulate(
        make,
        7 * dt,
        {"excitatory": [(dt, weights)], "inhibitory": [(3 * dt, weights[::-1])]},
        V_REST,
        dt=dt,
        n=len(weights),
    )
    errors = np.abs(found - solutions(shape, dt)).max(axis=0)
    assert errors.max() < BOUND, f"{weights[errors.argmax()]:g} uS"


@pytest.mark.parametrize("cell", ["IF_cond_exp", "IF_cond_alpha"])
def test_as_on_nest(cell: str) -> None:
    """Spikes in the same steps, and potentials within NEST's tolerance."""
    weights = np.geomspace(1e-3, 1e3, 13) * CM / 0.1
    spikes = {"excitatory": [(1.0, weights)], "inhibitory": [(3.0, weights), (4.5, weights)]}
    make = standard(cell, v_thresh=V_THRESH, tau_refrac=2.0, v_reset=-65.0)
    both = [
        simulate(make, 20.0, spikes, V_REST, sim=sim, n=len(weights), **options)
        for sim, options in (
            (pyNN.sparse, {}),
            (pynn_nest(), {"spike_precision": "on_grid"}),
        )
    ]
    (ours, counts), (nests, of_nest) = both
    assert counts.tolist() == of_nest.tolist()
    assert counts.max() >= 1
    assert np.abs(ours - nests)[1:].max() < NEST_BOUND


@pytest.mark.parametrize("tau_syn", [0.002, 0.05, 0.4])
@pytest.mark.parametrize("cell", ["IF_cond_exp", "IF_cond_alpha"])
def test_conductances_that_are_over_within_a_step(cell: str, tau_syn: float) -> None:
    shape = CELLS[cell][0]
    weights = np.geomspace(1e-3, 1e4, 5)
    make = standard(cell, tau_syn_E=tau_syn, tau_syn_I=tau_syn)
    spikes = {"excitatory": [(0.1, weights)], "inhibitory": [(0.2, weights)]}
    found, _ = simulate(make, 0.5, spikes, V_REST, n=len(weights))
    t = np.arange(6) * 0.1
    for k, weight in enumerate(weights):
        each = [(0.1, weight, tau_syn, E_EXC), (0.2, weight, tau_syn, E_INH)]
        expected = exact(shape, t, each, V_REST)
        assert np.abs(found[:, k] - expected).max() < BOUND, f"{weight:g} uS"


@pytest.mark.parametrize("tau_m", [0.001, 0.03, 0.4])
def test_membranes_that_are_faster_than_a_step(tau_m: float) -> None:
    make = standard("IF_cond_exp", tau_m=tau_m, i_offset=0.5)
    found, _ = simulate(make, 1.0, {"excitatory": [(0.3, 0.5)]}, -80.0)
    t = np.arange(11) * 0.1
    expected = exact("exp", t, [(0.3, 0.5, TAU_EXC, E_EXC)], -80.0, tau_m=tau_m, current=0.5)
    assert np.abs(found[:, 0] - expected).max() < BOUND


def test_spikes_that_a_threshold_within_a_step_decides() -> None:
    """Whether v is above threshold at the end of a step in which it was, and was drawn back."""
    found, expected = [], []
    strengths = np.geomspace(0.05, 500.0, 24)
    make = standard("IF_cond_exp", v_thresh=V_THRESH, tau_syn_E=0.05, v_reset=-80.0)
    spikes = {"excitatory": [(0.1, strengths)], "inhibitory": [(0.1, 20 * strengths[::-1])]}
    _, counts = simulate(make, 0.2, spikes, -52.0, n=len(strengths))
    for k, weight in enumerate(strengths):
        each = [
            (0.1, weight, 0.05, E_EXC),
            (0.1, 20 * strengths[-1 - k], TAU_INH, E_INH),
        ]
        v = exact("exp", np.array([0.0, 0.1, 0.2]), each, -52.0, v_thresh=V_THRESH)
        expected.append(int(v[-1] >= V_THRESH))
        found.append(int(counts[k]))
    assert found == expected
    assert 0 < sum(expected) < len(expected)


# Weights beside ones that are 10^12 times as strong lose digits, which is said.
WEAK_BESIDE_STRONG = pytest.mark.filterwarnings("ignore:.*so weak beside the strongest")
WEIGHT = st.floats(-6, 6).map(lambda x: 10.0**x)
TRAIN = st.lists(st.tuples(st.integers(1, 20), WEIGHT), min_size=1, max_size=4)


@WEAK_BESIDE_STRONG
@settings(max_examples=25, deadline=None)
@given(
    cell=st.sampled_from(sorted(CELLS)),
    excitation=TRAIN,
    inhibition=TRAIN,
    dt=st.sampled_from([0.01, 0.1, 1.0]),
    precision=st.sampled_from(["double", "single"]),
)
def test_v_stays_between_the_reversal_potentials(
    cell: str,
    excitation: list[tuple[int, float]],
    inhibition: list[tuple[int, float]],
    dt: float,
    precision: str,
) -> None:
    """Without currents v is a mean of what it began with, the reversal potentials and v_rest."""
    trains = {
        name: [(step * dt, weight) for step, weight in dict(train).items()]
        for name, train in (("excitatory", excitation), ("inhibitory", inhibition))
    }
    v, _ = simulate(CELLS[cell][1], 30 * dt, trains, V_REST, dt=dt, precision=precision)
    margin = 1e-3
    assert v.min() >= E_INH - margin
    assert v.max() <= E_EXC + margin


@WEAK_BESIDE_STRONG
@settings(max_examples=25, deadline=None)
@given(
    cell=st.sampled_from(["IF_cond_exp", "IF_cond_alpha", "IF_cond_exp_gsfa_grr"]),
    inhibition=TRAIN,
    dt=st.sampled_from([0.05, 0.1, 1.0]),
)
def test_inhibition_makes_no_spike(
    cell: str, inhibition: list[tuple[int, float]], dt: float
) -> None:
    trains = [(step * dt, weight) for step, weight in dict(inhibition).items()]
    make = standard(cell, v_thresh=-64.9)
    v, counts = simulate(make, 30 * dt, {"inhibitory": trains}, V_REST, dt=dt)
    assert counts.sum() == 0
    assert v.max() <= V_REST + 1e-3
    assert v.min() >= E_INH - 1e-3


def test_reversal_potentials_far_away_are_reached() -> None:
    make = standard("IF_cond_exp", e_rev_E=1e5)
    v, _ = simulate(make, 2.0, {"excitatory": [(0.5, 1e6)]}, V_REST)
    assert v[-1, 0] == pytest.approx(1e5, rel=1e-6)
