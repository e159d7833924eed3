"""A kind of synapse or of cell that lacks a hook is refused when it is made."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from pynn_sparse.engine.kernels import source_folder
from pynn_sparse.errors import ModelError
from pynn_sparse.network.cells import SPIKE_SOURCE_ARRAY
from pynn_sparse.network.dynamics import KINDS, MULTI_QUANTAL, PAIRS

PAIR = PAIRS["SpikePairRule", "AdditiveWeightDependence"]


@pytest.mark.parametrize(
    ("made", "lacking"),
    [
        (PAIR, "derive"),
        (PAIR, "kind"),
        (PAIR, "traces"),
        (PAIR, "greatest_weight"),
        (MULTI_QUANTAL, "most"),
        (SPIKE_SOURCE_ARRAY, "derive"),
        (SPIKE_SOURCE_ARRAY, "events"),
    ],
)
def test_what_lacks_a_hook_is_refused(made: Any, lacking: str) -> None:
    with pytest.raises(ModelError, match=f"^{made.name} lacks the hook {lacking}: must be a func"):
        replace(made, **{lacking: None})
    with pytest.raises(ModelError, match=f"^{made.name}: {lacking} = 3: must be a function of val"):
        replace(made, **{lacking: 3})


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(ModelError, match="kinds = 'Triplets': must be one of SharedPairs, OwnP"):
        replace(PAIR, kinds=("Triplets",))
    with pytest.raises(ModelError, match="state_limits = 'b': must be one of u, a"):
        replace(MULTI_QUANTAL, state_limits={"b": "n"})
    with pytest.raises(ModelError, match="given_times = 'times': must be one of spike_times"):
        replace(SPIKE_SOURCE_ARRAY, given_times="times")


def test_kinds_are_those_of_the_header_in_its_order() -> None:
    text = (source_folder() / "synapses" / "kinds.h").read_text()
    found = re.findall(r"kind\((\d+), (\w+)\)", text)
    assert found == [(str(number), name) for number, name in enumerate(KINDS)]
