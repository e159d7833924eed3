"""Odd values for connectors, and for connecting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from odd_frame import check, odd_numbers, odd_others
from odd_world import N_POST, N_PRE, World, odd_values
from pyNN.random import RandomDistribution

CONNECTORS: dict[str, dict[str, Any]] = {
    "AllToAllConnector": {},
    "OneToOneConnector": {},
    "FixedProbabilityConnector": {"p_connect": 0.5},
    "FixedNumberPreConnector": {"n": 2},
    "FixedNumberPostConnector": {"n": 2},
    "FixedTotalNumberConnector": {"n": 2},
    "DistanceDependentProbabilityConnector": {"d_expression": "exp(-d)"},
    "DisplacementDependentProbabilityConnector": {"disp_function": "exp(-d[0])"},
    "FromListConnector": {"conn_list": [(0, 1)]},
    "ArrayConnector": {"array": np.ones((N_PRE, N_POST))},
}


FLAGS = ("allow_self_connections", "with_replacement", "safe")


def odd_arguments(kind: str) -> dict[str, dict[str, Any]]:
    """Values for each argument of a connector."""
    others = {name: each for name, each in odd_others().items() if each is not None}
    without_functions = {name: v for name, v in others.items() if not callable(v)}
    known = getattr(sim, kind).__signature__.parameters
    odd: dict[str, dict[str, Any]] = {
        "location_selector": others,
        "safe": odd_others(bool),
        "callback": without_functions | {"class": dict},
        "rng": others | {"NumPy's": np.random.RandomState(1)},
        "allow_self_connections": odd_others(bool),
        "with_replacement": odd_others(bool),
    }
    odd = {name: values for name, values in odd.items() if name in known}
    numbers = {name: value for name, value in odd_numbers().items() if not callable(value)}
    if "p_connect" in known:
        odd["p_connect"] = odd_numbers() | {"greater": 1.01, "negative": -1e-9, "2**63": 2**63}
    if "n" in known:
        odd["n"] = odd_numbers() | {"negative": -1, "half": 1.5, "1.0": 1.0, "2**70": 2**70}
        del odd["n"]["huge integer"]  # its memory is what is refused
    if "d_expression" in known:
        functions = {n: v for n, v in odd_numbers().items() if callable(v)}
        odd["d_expression"] = (
            functions
            | without_functions
            | {
                "negative": "-1",
                "NaN": "0*log(0*d)",
                "unknown": "exq(d)",
                "syntax": "d +",
                "attribute": "d.__class__",
                "list": "[0.1, 0.2]",
                "power": "9**9**9**9",
            }
        )
    if "disp_function" in known:
        functions = {n: v for n, v in odd_numbers().items() if callable(v)}
        odd["disp_function"] = (
            functions
            | without_functions
            | {
                "negative": "-d[0] - 9",
                "unknown": "exq(d[0])",
                "syntax": "d[",
                "out of range": "d[5]",
                "whole": "d",
            }
        )
    if "conn_list" in known:
        fine = ("empty list", "empty array", "other shape")
        odd["conn_list"] = {n: v for n, v in numbers.items() if n not in fine}
        odd["column_names"] = without_functions | {"one too many": ("weight",)}
        del odd["column_names"]["list"], odd["column_names"]["dictionary"]
    if "array" in known:
        fine = ("other length",)
        odd["array"] = {n: v for n, v in numbers.items() if n not in fine}
    return odd


@pytest.mark.parametrize(("kind", "valid"), CONNECTORS.items())
def test_arguments_of_connectors(world: World, kind: str, valid: dict[str, Any]) -> None:
    """Made, and used in a projection: one of both refuses."""
    make = getattr(sim, kind)

    def call(given: dict[str, Any]) -> Any:
        law = RandomDistribution("uniform", (0.1, 0.2), rng=world.rng)
        return world.project(sim.StaticSynapse(weight=law), connector=make(**given))

    check(
        [
            world.case(f"{kind}({name}={what})", name, lambda v={**valid, name: value}: call(v))
            for name, values in odd_arguments(kind).items()
            for what, value in values.items()
        ]
    )


def test_projections_that_are_refused_late_leave_generators_as_they_were(world: World) -> None:
    """Connections are drawn first, then the weights, of which one is not valid."""
    for kind in (
        "FixedProbabilityConnector",
        "FixedNumberPreConnector",
        "FixedTotalNumberConnector",
    ):
        for rng in (world.rng, sim.NativeRNG(seed=4)):
            law = RandomDistribution("normal", (0.0, 1.0), rng=rng)
            connector = getattr(sim, kind)(*CONNECTORS[kind].values(), rng=rng)
            synapse = sim.StaticSynapse(weight=law)
            before = [rng.rng.__getstate__() if rng is world.rng else rng.rng.bit_generator.state]
            with pytest.raises(sim.errors.ConnectionError, match="weight"):
                world.project(synapse, connector=connector)
            after = [rng.rng.__getstate__() if rng is world.rng else rng.rng.bit_generator.state]
            assert repr(before) == repr(after)


def test_connect(world: World) -> None:
    valid: dict[str, Any] = {
        "pre": world.pre,
        "post": world.post,
        "weight": 0.5,
        "receptor_type": "excitatory",
    }
    others = {name: each for name, each in odd_others().items() if each is not None}
    odd: dict[str, dict[str, Any]] = {
        "weight": odd_values("weight"),
        "delay": odd_values("delay"),
        "receptor_type": others,
        "p": odd_numbers() | {"greater": 1.5},
        "rng": others,
    }
    check(
        [
            world.case(
                f"connect({name}={what})", name, lambda v={**valid, name: value}: sim.connect(**v)
            )
            for name, values in odd.items()
            for what, value in values.items()
        ]
    )
