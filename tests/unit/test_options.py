"""Options of `setup` that other backends have: honoured, named in one warning, or refused."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.sparse import simulator
from pyNN.sparse.control import OWN_OPTIONS
from pyNN.sparse.options import HARMLESS, OTHER_BACKENDS, SEEDS, SYNONYMS, WAYS

from pynn_sparse.compare.one_run import setup_options

OWN = ("timestep", "min_delay", *OWN_OPTIONS)


def noise(**options: Any) -> list[list[float]]:
    """Spikes of a Poisson population after `setup` with these options."""
    sim.setup(timestep=0.1, **options)
    source = sim.Population(20, sim.SpikeSourcePoisson(rate=50.0))
    source.record("spikes")
    sim.run(200.0)
    return [train.magnitude.tolist() for train in source.get_data().segments[0].spiketrains]


def messages(**options: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sim.setup(timestep=0.1, **options)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize("name", SEEDS)
def test_other_names_of_the_seed_are_the_seed(name: str) -> None:
    first, second = noise(**{name: 1}), noise(**{name: 2})
    assert first != second
    assert first == noise(rng_seed=1)
    assert second == noise(rng_seed=2)
    assert messages(**{name: 1}) == []


def test_seeds_of_several_threads_determine_one_together() -> None:
    assert noise(rng_seeds=[7]) == noise(rng_seed=7)
    assert noise(rng_seeds=np.array([7])) == noise(rng_seed=7)
    given = [{"rng_seeds": [1, 2]}, {"rng_seeds": [1, 3]}, {"rng_seeds": [2, 1]}]
    given += [{"grng_seed": 1, "rng_seeds": [2, 4]}, {"grng_seed": 1, "rng_seeds_seed": 5}]
    found = [noise(**each) for each in given]
    assert found == [noise(**each) for each in given]
    assert len({str(each) for each in found}) == len(given)


@pytest.mark.parametrize("name", SEEDS)
def test_rng_seed_beside_another_name_of_it_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=f"rng_seed and {name}: give one of them, rng_seed"):
        sim.setup(rng_seed=1, **{name: 1})


@pytest.mark.parametrize("name", ["rng_seed", *SEEDS])
@pytest.mark.parametrize("value", [-1, 1.5, "1", None, True, [], [1, -1], [[1]]])
def test_what_is_no_seed(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} = .*: must be an integer, 0 or greater"):
        sim.setup(**{name: value})


def test_what_does_nothing_here_is_said_in_one_warning() -> None:
    options = {name: 1 for names in HARMLESS.values() for name in names.split()}
    (text,) = messages(**options)
    assert all(re.search(rf"\b{name}\b", text) for name in options)
    assert all(f"({backend}'s)" in text for backend in HARMLESS)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"spike_precision": "on_grid"}, None),
        ({"spike_precision": "off_grid"}, "spikes are on the grid of time steps here"),
        ({"use_cvode": False}, None),
        ({"use_cvode": 0}, None),
        ({"use_cvode": True, "rtol": 1e-3}, "time steps are of one length here"),
        ({"use_cvode": 1}, "time steps are of one length here"),
    ],
)
def test_what_is_done_in_another_way_here_is_said(options: Any, text: str | None) -> None:
    found = messages(**options)
    if text is None:
        assert found == []
    else:
        assert len(found) == 1
        assert text in found[0]


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("value", ["nonsense", None, 2, [1]])
def test_values_that_the_other_backend_does_not_have_either(name: str, value: Any) -> None:
    before = simulator.state.network
    with pytest.raises(ValueError, match=re.escape(f"{name} = {value!r}: must be one of ")):
        sim.setup(**{name: value})
    assert simulator.state.network is before


@pytest.mark.parametrize(("given", "meant"), SYNONYMS.items())
def test_names_that_mean_an_option_here(given: str, meant: str) -> None:
    assert meant in OWN
    with pytest.raises(TypeError, match=f"no option '{given}'. Did you mean '{meant}'\\?"):
        sim.setup(**{given: 1})


@pytest.mark.parametrize(
    "given", ["db_file", "rng_sed", "treads", "spike_precission", "verbose", "n_cores", "xyzzy"]
)
def test_suggestions_are_options_that_do_something_here(given: str) -> None:
    with pytest.raises(TypeError) as error:
        sim.setup(**{given: 1})
    named = re.findall(r"Did you mean '(\w+)'", str(error.value))
    listed = re.findall(r"Options are: (.*)\.", str(error.value))
    assert named or listed
    assert set(named) <= set(OWN)
    assert all(set(each.split(", ")) == set(OWN) for each in listed)


def test_no_option_is_both_ones_own_and_anothers() -> None:
    assert len(set(OTHER_BACKENDS)) == len(OTHER_BACKENDS)
    assert not set(OWN) & set(OTHER_BACKENDS)
    assert not set(SYNONYMS) & {*OWN, *OTHER_BACKENDS}


@pytest.mark.parametrize(
    ("backend", "options", "changes"),
    [
        ("sparse", {}, {"rng_seed": 44}),
        ("sparse", {"rng_seed": 5}, {"rng_seed": 7}),
        ("sparse", {"rng_seeds_seed": 5}, {"rng_seeds_seed": 7}),
        (
            "sparse",
            {"grng_seed": 1, "rng_seeds": [2, 3]},
            {"grng_seed": 3, "rng_seeds": [4, 5]},
        ),
        ("nest", {"rng_seed": 5}, {"rng_seed": 7}),
        ("nest", {"rng_seeds_seed": 5}, {"rng_seeds_seed": 7}),
        ("neuron", {}, {"native_rng_baseseed": 2}),
    ],
)
def test_a_comparison_shifts_the_seed_that_a_script_gives(
    backend: str, options: Any, changes: Any
) -> None:
    assert setup_options(backend, "script", 2)(options) == changes
