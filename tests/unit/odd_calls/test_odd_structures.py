"""Odd structures, spaces, annotations and users' models; what does not exist is not asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from odd_frame import Case, check, end
from pyNN import space
from pyNN.parameters import LazyArray

NAN = float("nan")


@pytest.fixture(scope="module")
def cells() -> Iterator[Any]:
    sim.setup(timestep=0.1)
    yield sim.Population(4, sim.IF_curr_exp(), label="cells")
    end()


class Few(space.BaseStructure):
    parameter_names = ()

    def generate_positions(self, n: int) -> Any:
        return np.zeros((3, n - 1))


STRUCTURES: dict[str, tuple[str, Callable[[], Any]]] = {
    "NaN": ("dx", lambda: space.Line(dx=NAN)),
    "text": ("x0", lambda: space.Line(x0="a")),
    "None": ("y0", lambda: space.Grid2D(y0=None)),
    "aspect ratio 0": ("aspect_ratio", lambda: space.Grid2D(aspect_ratio=0.0)),
    "infinite radius": ("radius", lambda: space.RandomStructure(space.Sphere(float("inf")))),
    "negative height": ("height", lambda: space.RandomStructure(space.Cuboid(1.0, -1.0, 1.0))),
    "origin": ("origin", lambda: space.RandomStructure(space.Sphere(1.0), (0.0, NAN, 0.0))),
}


@pytest.mark.parametrize("what", STRUCTURES)
def test_structures(cells: Any, what: str) -> None:
    name, make = STRUCTURES[what]
    structure = make()
    new = lambda: sim.Population(4, sim.IF_curr_exp(), structure=structure)  # noqa: E731
    assigned = lambda: setattr(cells, "structure", structure)  # noqa: E731
    check([Case("new", name, new), Case("assigned", name, assigned)])


@pytest.mark.parametrize("structure", [Few(), space.Grid2D(aspect_ratio=3.0), space.Grid3D()])
def test_structures_that_cannot_place_so_many_cells(cells: Any, structure: Any) -> None:
    others = sim.Population(4, sim.IF_curr_exp(), structure=structure)
    check([Case("positions", "structure", lambda: others.positions)])


SPACES = {
    "scale": ("scale_factor", {"scale_factor": "a"}),
    "scale NaN": ("scale_factor", {"scale_factor": NAN}),
    "offset": ("offset", {"offset": [0.0, 1.0]}),
    "offset None": ("offset", {"offset": None}),
    "boundaries of text": ("periodic_boundaries", {"periodic_boundaries": "abc"}),
    "one boundary": ("periodic_boundaries", {"periodic_boundaries": ((0, 1),)}),
    "descending": ("periodic_boundaries", {"periodic_boundaries": ((1, 0), None, None)}),
}


@pytest.mark.parametrize("what", SPACES)
def test_spaces(cells: Any, what: str) -> None:
    name, arguments = SPACES[what]
    odd = space.Space(**arguments)  # type: ignore[arg-type]
    call = lambda: sim.Projection(cells, cells, sim.AllToAllConnector(), space=odd)  # noqa: E731
    check([Case(what, name, call)])


def test_valid_structures_and_spaces_are_taken(cells: Any) -> None:
    for structure in (space.Line(dx=-1.0), space.Grid2D(), space.RandomStructure(space.Sphere(9))):
        made = sim.Population(4, sim.IF_curr_exp(), structure=structure)
        assert made.positions.shape == (3, 4)
    periodic = space.Space(axes="xy", periodic_boundaries=((0, 9), None, None), offset=(0, 1, 0))
    assert len(sim.Projection(cells, cells, sim.OneToOneConnector(), space=periodic)) == 4


def test_expressions_of_distance_mean_nothing_for_cells(cells: Any) -> None:
    law = LazyArray("d * 2")
    check(
        [
            Case("set", "tau_m", lambda: cells.set(tau_m=law)),
            Case("new", "tau_m", lambda: sim.IF_curr_exp(tau_m=law)),
            Case("new, sequence", "spike_times", lambda: sim.SpikeSourceArray(spike_times=law)),
            Case("state", "v", lambda: cells.initialize(v=law)),
        ]
    )
    cells.set(tau_m=LazyArray(lambda i: 10.0 + i))
    assert list(cells.get("tau_m")) == [10.0, 11.0, 12.0, 13.0]


def test_cells_that_are_not_there(cells: Any) -> None:
    other = sim.Population(2, sim.IF_curr_exp(), label="other")
    last = other[1]
    view, assembly = cells[::2], cells[1:] + cells[:1]
    for group in (cells, view, assembly):
        calls: list[Any] = [last, [last], [int(last)], other, 10**6, []]
        check([Case(f"{each}", "id", lambda g=group, e=each: g.id_to_index(e)) for each in calls])
    assert assembly.id_to_index(cells[0]) == 3
    assert list(view.id_to_index([cells[2]])) == [1]


def test_empty_assemblies(cells: Any) -> None:
    assembly = sim.Assembly(label="nothing")
    connector = sim.AllToAllConnector()
    check(
        [
            Case("record", "nothing", lambda: assembly.record("v")),
            Case("set", "nothing", lambda: assembly.set(tau_m=1.0)),
            Case("get", "nothing", lambda: assembly.get("tau_m")),
            Case("get_data", "nothing", lambda: assembly.get_data()),
            Case("initialize", "nothing", lambda: assembly.initialize(v=0.0)),
            Case("inject", "nothing", lambda: assembly.inject(sim.DCSource())),
            Case("project", "synaptic", lambda: sim.Projection(assembly, cells, connector)),
        ]
    )
    assert assembly.size == len(assembly.all_cells) == assembly.positions.size == 0
    assembly += cells
    assembly.set(tau_m=20.0)
    assert cells.get("tau_m") == 20.0


def test_methods_of_cells(cells: Any) -> None:
    both = cells + sim.Population(2, sim.IF_curr_exp(), label="more")
    for group in (cells, cells[1:], both):
        check(
            [
                Case("sum", "+ 5", lambda g=group: g + 5),
                Case("sum with None", "+ None", lambda g=group: g + None),
                Case("get", "parameter_names", lambda g=group: g.get({})),
                Case("get a set", "parameter_names", lambda g=group: g.get({"tau_m"})),
                Case("no run", "record(...), and then run(...)", lambda g=group: g.get_data("v")),
                Case("clear", "clear", lambda g=group: g.get_data("v", clear="no")),
                Case("gather", "gather", lambda g=group: g.get_data("v", gather=2)),
                Case("file", "gather", lambda g=group: g.write_data("no.pkl", gather=2)),
            ]
        )
    check([Case("annotate", "annotations", lambda: cells.annotate(x=object()))])
    check([Case("reset", "annotations", lambda: sim.reset(annotations=3))])
    cells.annotate(layer="L4", depth=0.5)
    assert cells.annotations == {"layer": "L4", "depth": 0.5}
    assert (cells + both).size == 6


MODEL: dict[str, Any] = {
    "name": "Odd",
    "parameters": {"tau": (10.0, "ms")},
    "state": {"x": 0.0},
    "equations": "dx/dt = -x / tau",
}
ARGUMENTS = {
    "name": 3,
    "equations": {},
    "update": 1,
    "threshold": None,
    "reset": b"x = 0",
    "refractory": 2.0,
    "receptors": [],
    "held": "x",
    "conductance_based": "no",
    "tolerance": NAN,
    "parameters": {1: 2.0},
    "state": None,
}


def test_models_of_users() -> None:
    make = sim.native_cell_type
    check(
        [
            Case(
                f"{name} = {value!r}",
                name,
                lambda n=name, v=value: make(**MODEL | {n: v}),
                (),
                value,
            )
            for name, value in ARGUMENTS.items()
        ]
    )
    odd_units = {"tau": (1.0, "parsec per cup")}, {"tau": (1.0, 5)}, {"tau": (1.0, "ms", "mV")}
    check([Case("unit", "tau", lambda v=v: make(**MODEL | {"parameters": v})) for v in odd_units])
    weights = {"excitatory": 1.0}
    check([Case("receptor", "excitatory", lambda: make(**MODEL, receptors=weights))])
    check(
        [
            Case("name", "name", lambda: sim.nestml_cell_type(3)),
            Case("text", "nestml_description", lambda: sim.nestml_cell_type("a", 3)),
            Case("tolerance", "tolerance", lambda: sim.nestml_cell_type("a", tolerance="b")),
            Case(
                "kind", "conductance_based", lambda: sim.nestml_cell_type("a", conductance_based=2)
            ),
        ]
    )


def test_a_weight_of_one_connection_beyond_its_limit_is_warned_of(cells: Any) -> None:
    rule = sim.AdditiveWeightDependence(w_max=1.0)
    plastic = sim.STDPMechanism(sim.SpikePairRule(), rule, weight=0.5, delay=1.0)
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), plastic)
    with pytest.warns(
        UserWarning, match="a weight with a size of 7 lies outside .* w_max = 1"
    ) as w:
        projection[0].weight = 7.0
    assert w[0].filename == __file__
    projection[1].weight = 1.0
