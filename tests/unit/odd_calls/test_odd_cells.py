"""Odd values for cells, populations, views, assemblies, current sources, recording and runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
import quantities as pq
from odd_frame import NOT_SHOWN, Case, check, end, odd_numbers, odd_others
from pyNN.parameters import LazyArray, Sequence
from pyNN.random import NumpyRNG, RandomDistribution
from pyNN.sparse.simulator import state

N = 4
OTHER_LENGTHS = ("other length", "other length, array", "function that gives other shapes")
COMPOSED = sim.PointNeuron(
    sim.LIF(), AMPA=sim.ExpPSR(tau_syn=2.0), slow=sim.BetaPSR(tau_rise=1.0, tau_decay=9.0)
)
NATIVE = sim.native_cell_type(
    "Odd_leaky",
    parameters={"tau": (10.0, "ms"), "drive": 0.0},
    state={"x": (0.0, "mV")},
    equations="dx/dt = (drive - x) / tau",
    threshold="x > 1",
    reset="x = 0",
    receptors={"excitatory": "x += weight"},
)
MODELS = {
    **{name: getattr(sim, name) for name in sim.list_standard_models() if name != "PointNeuron"},
    "Odd_leaky": NATIVE,
}
SOURCES = (sim.DCSource, sim.ACSource, sim.NoisyCurrentSource)


class World:
    """A small network, and what odd calls are made of."""

    def __init__(self) -> None:
        sim.setup(timestep=0.1)
        self.cells = sim.Population(N, sim.IF_curr_exp(), label="cells")
        self.others = sim.Population(2, sim.IF_cond_exp(), label="others")
        self.view = self.cells[1:3]
        self.assembly = self.cells + self.others
        self.spikes = sim.Population(3, sim.SpikeSourceArray(), label="spikes")
        self.rng = NumpyRNG(seed=1)
        self.noise = sim.NoisyCurrentSource(mean=0.1, stdev=0.1, dt=0.1)
        self.noise.inject_into(self.cells)
        self.dc = sim.DCSource(amplitude=0.1)
        self.step = sim.StepCurrentSource(times=[1.0], amplitudes=[0.1])
        self.cells.record("v")
        self.law = RandomDistribution("uniform", (-20.0, -10.0), rng=self.rng)

    def case(
        self, name: str, parameter: str, call: Callable[[], Any], value: Any = NOT_SHOWN
    ) -> Case:
        return Case(name, parameter, call, (self.rng,), value)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    yield World()
    end()


def odd_values(world: World, kind: Any, name: str) -> dict[str, Any]:
    """What no parameter of cells can be, beside what `odd_numbers` has."""
    values: dict[str, Any] = odd_numbers()
    default = kind.default_parameters[name]
    unit = kind.units.get(name) or "dimensionless"
    values |= {
        "wrong unit": pq.Quantity(1.0, "kg"),
        "wrong unit in a list": [pq.Quantity(1.0, "kg")] * N,
        "operations": LazyArray(lambda i: i) / 0 + float("nan"),
        "expression of distance": "d + 1",
        "law partly out of a law": RandomDistribution("normal", (0.0, float("inf")), rng=world.rng),
    }
    if unit != "dimensionless":
        values["no dimension"] = pq.Quantity(1.0, "dimensionless")
    if isinstance(default, Sequence):  # of which these are valid
        for what in ("empty list", "empty array", "sequence", *OTHER_LENGTHS):
            del values[what]
    if kind is sim.GIF_cond_exp and not isinstance(default, float):
        values["two numbers"] = [1.0, 2.0]
    if name == "duration":
        del values["inf"]
    return values


def cases(
    world: World, parameter: str, values: dict[str, Any], call: Callable[[Any], Any]
) -> list[Case]:
    """A case for each of the values."""
    return [
        world.case(f"{parameter} = {what}", parameter, functools.partial(call, value), value)
        for what, value in values.items()
    ]


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


FEW = ("None", "NaN", "masked", "wrong unit", "other shape", "law of NaN")


def values_for(world: World, kind: Any, name: str, thorough: bool) -> dict[str, Any]:
    """All odd values of a parameter, or a few, which differ in kind."""
    values = odd_values(world, kind, name)
    return values if thorough else {what: values[what] for what in FEW if what in values}


# All values are tried with one parameter of each sort; the others have the same door.
THOROUGH = {
    *(("IF_curr_exp", "tau_m"), ("HH_cond_exp", "gbar_Na"), ("SpikeSourceArray", "spike_times")),
    *(("SpikeSourcePoisson", "duration"), ("GIF_cond_exp", "tau_eta"), ("Odd_leaky", "tau")),
}


@pytest.mark.parametrize("model", MODELS)
def test_parameters_of_cell_types(world: World, model: str) -> None:
    kind = MODELS[model]
    population = sim.Population(N, kind(), label="subject")
    for name in kind.default_parameters:
        values = values_for(world, kind, name, (model, name) in THOROUGH)
        check(cases(world, name, values, lambda v, n=name: population.set(**{n: v})))


@pytest.mark.parametrize(("model", "name"), [("IF_curr_exp", "tau_m"), ("GIF_cond_exp", "tau_eta")])
def test_ways_to_set_parameters(world: World, model: str, name: str) -> None:
    kind = MODELS[model]
    population = sim.Population(N, kind(), label="subject")
    values = odd_values(world, kind, name)
    check(cases(world, name, values, lambda v: sim.Population(N, kind(**{name: v}))))
    check(cases(world, name, values, lambda v: population[1:3].set(**{name: v})))
    check(cases(world, name, values, lambda v: setattr(population[1], name, v)))


def test_parameters_of_composed_cells(world: World) -> None:
    population = sim.Population(N, COMPOSED, label="composed")
    for name in COMPOSED.default_parameters:
        values = values_for(world, COMPOSED, name, name.startswith("AMPA"))
        check(cases(world, name, values, lambda v, n=name: population.set(**{n: v})))


@pytest.mark.parametrize("kind", [sim.IF_curr_exp, sim.HH_cond_exp, NATIVE])
def test_initial_values(world: World, kind: Any) -> None:
    population = sim.Population(N, kind(), label="subject")
    ways: dict[str, Callable[[str, Any], Any]] = {
        "population": lambda name, value: population.initialize(**{name: value}),
        "view": lambda name, value: population[1:].initialize(**{name: value}),
        "new": lambda name, v: sim.Population(N, kind(), initial_values={name: v}),
        "cell": lambda name, value: population[1].set_initial_value(name, value),
    }
    odd = odd_numbers()
    few = {what: odd[what] for what in FEW if what in odd}
    for name in kind.default_initial_values:
        for how, way in ways.items():
            values = odd if (kind, name, how) == (sim.IF_curr_exp, "v", "population") else few
            check(cases(world, name, values, functools.partial(way, name)))


def test_assemblies_change_all_parts_or_none(world: World) -> None:
    assembly, law = world.assembly, world.law
    check(
        [
            world.case("one lacks it", "e_rev_E", lambda: assembly.set(cm=2.0, e_rev_E=1.0)),
            world.case("drawn below 0", "tau_m", lambda: assembly.set(cm=2.0, tau_m=law)),
            world.case("fits one", "tau_m", lambda: assembly.set(tau_m=[1.0] * N)),
            world.case("state", "gsyn_exc", lambda: assembly.initialize(v=law, gsyn_exc=0.0)),
            world.case(
                "inject", "spike source", lambda: (world.cells + world.spikes).inject(world.dc)
            ),
        ],
    )


@pytest.mark.parametrize("kind", SOURCES)
def test_parameters_of_current_sources(world: World, kind: Any) -> None:
    source = kind()
    for name in kind.default_parameters:
        odd = odd_numbers()
        if name not in ("amplitude", "mean"):
            odd = {what: odd[what] for what in FEW if what in odd}
        values = odd | {"two": [1.0, 2.0], "one in a list": [1.0]}
        check(cases(world, name, values, lambda value, n=name: kind(**{n: value})))
        check(cases(world, name, values, lambda value, n=name: setattr(source, n, value)))
    check(
        [
            world.case("before its start", "stop", lambda: kind(start=5.0, stop=1.0)),
            world.case("unknown", "amplitud", lambda: kind(amplitud=1.0)),
            world.case("unknown, set", "amplitud", lambda: setattr(source, "amplitud", 1.0)),
            world.case("negative", "start", lambda: kind(start=-1.0)),
        ]
    )
    nowhere = without(odd_others(), "list", "text", "bytes", "dictionary", "generator")
    check(cases(world, "cells", nowhere, source.inject_into))


def test_steps_of_current(world: World) -> None:
    make = sim.StepCurrentSource
    odd = without(odd_numbers(), "empty list", "empty array", "sequence")
    more = {"descending": [2.0, 1.0], "negative": [-2.0], "many": [1.0, 2.0]}
    check(cases(world, "times", odd | more, lambda v: make(times=v, amplitudes=[1.0])))
    one = without(odd, *OTHER_LENGTHS)
    check(cases(world, "amplitudes", one, lambda v: make(times=[1.0], amplitudes=v)))
    several = functools.partial(make, times=[1.0], amplitudes=[1.0, 2.0])
    check([world.case("one time for two", "amplitudes", several)])
    check(cases(world, "times", more, lambda v: setattr(world.step, "times", v)))


def test_runs(world: World) -> None:
    odd = odd_numbers() | {"late": 1e300, "2**70": 2**70, "1e12": 1e12, "past": -1.0}
    check(cases(world, "simtime", odd, sim.run))
    check(cases(world, "time_point", odd, sim.run_until))
    callbacks = without(odd_others(), "None", "list", "dictionary", "text", "bytes")
    callbacks |= {
        "numbers": [1, 2],
        "giving text": [lambda t: "a"],
        "giving the present": [lambda t: t],
        "giving nothing": [lambda t: None],
    }
    check(cases(world, "callbacks", callbacks, lambda each: sim.run(1.0, callbacks=each)))
    assert state.t == 0.0


def test_populations(world: World) -> None:
    cell, others = sim.IF_curr_exp(), odd_others()
    sizes = without(others, "number") | {
        "negative": -1,
        "four": (1, 1, 1, 1),
        "half": 2.5,
        "tuple of text": ("a",),
        "none in a row": (2, 0),
        "True in a tuple": (2, True),
    }
    check(cases(world, "size", sizes, lambda value: sim.Population(value, cell)))
    check(cases(world, "cellclass", others, lambda value: sim.Population(2, value)))
    for name, valid in {
        "structure": ("None",),
        "initial_values": ("None", "dictionary"),
        "label": ("None", "text"),
        "cellparams": ("None",),
    }.items():
        values = without(others, *valid)
        check(cases(world, name, values, lambda v, n=name: sim.Population(2, cell, **{n: v})))
    many = {"2**70": 2**70, "2e9": 2 * 10**9}
    check(cases(world, "neurons", many, lambda value: sim.Population(value, cell)))


INDICES = {
    "late": 9,
    "early": -9,
    "late in a list": [0, 9],
    "float": 1.0,
    "floats": [0.0, 1.0],
    "long mask": np.ones(9, bool),
    "no cell": np.zeros(6, bool),
    "text in a list": ["a"],
    "slice of text": slice("a", "b"),
    "step 0": slice(0, 2, 0),
    "2**70": 2**70,
    "matrix": np.zeros((2, 2), int),
    "masked": np.ma.masked_equal([0, 1], 1),
}


@pytest.mark.parametrize("which", ["cells", "assembly"])
def test_selections(world: World, which: str) -> None:
    cells, others = getattr(world, which), odd_others()
    indices = without(others, "zero", "number", "list of numbers") | INDICES
    check(cases(world, "index", indices, cells.__getitem__))
    sizes = without(others, "number") | {"many": 99, "negative": -1}
    check(cases(world, "n = ", sizes, cells.sample))
    check(cases(world, "rng", without(others, "None"), lambda rng: cells.sample(1, rng=rng)))


def test_positions(world: World) -> None:
    cells = world.cells
    odd = without(odd_numbers(), "array of lengths")  # which are valid
    one = odd | {"two": (1.0, 2.0), "infinite": (1.0, 2.0, float("inf"))}
    check(cases(world, "position", one, cells.nearest))
    check(cases(world, "position", one, lambda value: setattr(cells[0], "position", value)))
    all_of_them = odd | {"transposed": np.zeros((N, 3))}
    check(cases(world, "positions", all_of_them, lambda v: setattr(cells, "positions", v)))
    check(cases(world, "structure", odd_others(), lambda v: setattr(cells, "structure", v)))


@pytest.mark.parametrize("which", ["cells", "view", "assembly"])
def test_recording(world: World, which: str) -> None:
    cells, others = getattr(world, which), odd_others()
    variables = without(others, "None", "text", "bytes", "list", "dictionary")
    check(cases(world, "variables", variables, cells.record))
    intervals = without(odd_numbers(), "None") | {"half": 0.15, "0": 0.0, "1e300": 1e300}
    check(cases(world, "sampling_interval", intervals, lambda v: cells.record("v", None, v)))
    files = without(others, "None", "True")
    check(cases(world, "to_file", files, lambda value: cells.record("v", to_file=value)))
    check(cases(world, "locations", {"soma": "soma"}, lambda v: cells.record("v", locations=v)))


@pytest.mark.parametrize("which", ["cells", "view", "assembly"])
def test_notes_of_what_is_recorded(world: World, which: str) -> None:
    cells, odd = getattr(world, which), without(odd_others(), "None", "dictionary")
    call = functools.partial(sim.record, "v", cells, None)
    check(cases(world, "annotations", odd, lambda value: call(annotations=value)))


@pytest.mark.parametrize("which", ["cells", "view", "assembly"])
def test_methods_that_look(world: World, which: str) -> None:
    cells = getattr(world, which)
    names = without(odd_others(), "text")
    check(cases(world, "variable", names | {"unknown": "tau"}, cells.find_units))
    check(cases(world, "template", without(names, "None"), lambda v: cells.describe(template=v)))
    engines = odd_others()
    check(cases(world, "engine", engines, lambda value: cells.describe(engine=value)))
    flags = without(odd_others(), "True")
    check(cases(world, "gather", flags, lambda value: cells.get_spike_counts(gather=value)))
    check(cases(world, "gather", flags, lambda value: cells.mean_spike_count(gather=value)))
    check(cases(world, "label", names, lambda value: setattr(cells, "label", value)))
    check(cases(world, "parametername", names, lambda value: cells.tset(value, 1.0)))
    check(cases(world, "parametername", names, lambda value: cells.rset(value, world.law)))
    check(cases(world, "variable", names, lambda v: cells[0].set_initial_value(v, 1.0)))
    check(cases(world, "variable", names, lambda v: cells[0].get_initial_value(v)))
    assert cells.find_units("tau_m") == "ms"
    with pytest.warns(DeprecationWarning, match=r"tset\(\) is deprecated"):
        cells.tset("tau_m", 15.0)
    assert cells[0].tau_m == 15.0


HUGE = {"2**70": 2**70, "10**400": 10**400, "negative": -(2**63)}


@pytest.mark.parametrize("which", ["cells", "view", "assembly"])
def test_where_cells_are(world: World, which: str) -> None:
    cells = getattr(world, which)
    ids = without(odd_others(), "zero", "number", "list of numbers") | HUGE
    check(cases(world, "id", ids, cells.id_to_index))
    indices = without(odd_others(), "zero", "number", "list of numbers") | INDICES
    check(cases(world, "index", indices, cells.position_generator))
    np.testing.assert_array_equal(cells.position_generator([1, 0]), cells.positions.T[[1, 0]])
    if which != "assembly":
        names = without(odd_others(), "text") | {"array of text": np.array(["v", "spikes"])}
        check(cases(world, "variable", names, cells.can_record))
        assert cells.can_record("v")
        assert not cells.can_record("w")
        check(cases(world, "id", ids | {"of others": world.others[0]}, cells.is_local))
        assert cells.is_local(cells[0])


def test_where_cells_of_a_view_are(world: World) -> None:
    view, within = world.view, world.view[[1]]
    indices = without(odd_others(), "zero", "number", "list of numbers") | INDICES
    check(cases(world, "index", indices, view.index_in_grandparent))
    check(cases(world, "index", indices, view.index_from_parent_index))
    check(cases(world, "indices", {"not there": 0}, view.index_from_parent_index))
    assert within.index_in_grandparent(0) == 2
    np.testing.assert_array_equal(view.index_in_grandparent([1, 0]), [2, 1])
    for each in (view, world.cells[[1, 2]]):
        found = each.index_from_parent_index(np.array([2, 1]))
        np.testing.assert_array_equal(found, [1, 0])
        assert found.dtype == np.int64


def test_what_assemblies_have(world: World) -> None:
    assembly, others = world.assembly, odd_others()
    check(cases(world, "label", others, assembly.get_population))
    assert assembly.get_population("others") is world.others
    for part in assembly.populations:
        part.annotate(area="V1")
    keys = without(others, "list", "dictionary")
    check(cases(world, "annotation_keys", keys, assembly.get_annotations))
    assert assembly.get_annotations("area") == {"area": "V1"}
    check(cases(world, "+", others, lambda value: assembly.__iadd__(value)))


def test_names_in_arrays(world: World) -> None:
    """A NumPy array of names is as good as a list."""
    world.cells.record(np.array(["spikes"]))
    assert {each.name for each in world.cells.recorder.recorded} >= {"v", "spikes"}
    odd = {
        "matrix": np.array([["v", "v"]]),
        "nothing": np.zeros((0, 3)),
        "object": np.array([1], object),
    }
    check(cases(world, "variable", odd, world.cells.record))
    check(cases(world, "variable", odd, world.cells.get_data))


def test_arguments_that_a_method_does_not_have(world: World) -> None:
    for name in ("record", "get_data", "set", "get_spike_counts"):
        method = getattr(world.assembly, name)
        check([Case(name, "colour", lambda call=method: call(colour=1))])
    called = r"get_data\(variables='all', gather=True, .*must be called so"
    with pytest.raises(TypeError, match=called):
        world.cells.get_data(colour=1)
