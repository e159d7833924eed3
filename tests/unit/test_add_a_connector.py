"""The connector that CONTRIBUTING.md shows works, and one without a hook is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyNN.sparse as sim
import pytest
from pyNN.connectors import Connector
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.sparse.connectors.rule import Rule

CONTRIBUTING = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"


@pytest.fixture(scope="module")
def every_nth() -> Any:
    text = CONTRIBUTING.read_text()
    section = text[text.index("## Add a connector") :]
    code = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[0]
    namespace: dict[str, Any] = {"__name__": "every_nth"}
    exec(compile(code, "CONTRIBUTING.md", "exec"), namespace)
    return namespace["EveryNthConnector"]


@pytest.mark.parametrize("drawn", [False, True])
def test_connector_of_contributing(every_nth: Any, drawn: bool) -> None:
    """At once, and column by column where PyNN's generator draws the weights."""
    sim.setup()
    pre, post = sim.Population(7, sim.IF_curr_exp()), sim.Population(5, sim.IF_curr_exp())
    law = RandomDistribution("uniform", (0.1, 0.2), rng=NumpyRNG(1))
    synapse = sim.StaticSynapse(weight=law if drawn else 0.1, delay=1.0)
    made = sim.Projection(pre, post, every_nth(3), synapse)
    pairs = {(int(i), int(j)) for i, j, *_ in made.get([], "list")}
    assert pairs == {(i, j) for i in range(7) for j in range(5) if (j - i) % 3 == 0}
    assert len(made) == len(pairs)


@pytest.mark.parametrize(("present", "missing"), [("rows", "expected"), ("expected", "rows")])
def test_rule_without_a_hook_is_refused_when_it_is_defined(present: str, missing: str) -> None:
    with pytest.raises(TypeError, match=rf"Half is a connection rule that lacks .*{missing}\("):
        type("Half", (Rule, Connector), {present: lambda self, *args: None})


def test_connector_without_connect_is_refused_when_it_is_used() -> None:
    sim.setup()
    cells = sim.Population(2, sim.IF_curr_exp())
    empty = type("Empty", (Connector,), {})
    with pytest.raises(NotImplementedError, match=r"Empty .* lacks the hook connect\(projection\)"):
        sim.Projection(cells, cells, empty(), sim.StaticSynapse())


def test_connector_of_a_user_needs_connect_only() -> None:
    class First(Connector):  # type: ignore[misc]
        def connect(self, projection: Any) -> None:
            projection._convergent_connect([0], 1, weight=0.5, delay=1.0)

    sim.setup()
    cells = sim.Population(2, sim.IF_curr_exp())
    made = sim.Projection(cells, cells, First(), sim.StaticSynapse())
    assert made.get("weight", "list") == [(0, 1, 0.5)]
