"""Odd values for what is not PyNN's API: the export, comparisons, trained networks, instances."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
import quantities as pq
from odd_frame import Case, check, end, odd_others
from pyNN.parameters import LazyArray

from pynn_sparse import export, run_instances
from pynn_sparse.compare import Tolerances, compare_blocks
from pynn_sparse.door import shown

h5py = pytest.importorskip("h5py")
Call = Callable[[Any], Any]


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no eq")

    __hash__ = None  # type: ignore[assignment]


NESTED: list[Any] = []
for _ in range(3000):
    NESTED = [NESTED]
ODD = odd_others() | {
    "huge": 10**400,
    "1e308": 1e308,
    "negative": -1,
    "half": 0.5,
    "nested": NESTED,
    "unshowable": Unshowable(),
    "long text": "x" * 10_000,
    "matrix": np.full((2, 7), 0.5),
    "array of text": np.array(["1", "2"]),
    "array of objects": np.array([0.5, None], object),
    "masked": np.ma.masked_equal([1.0, 2.0], 2.0),
    "quantity": 1.0 * pq.kg,
    "lazy": LazyArray(0.5),
}


class World:
    """A network, its tables, and a trained network."""

    def __init__(self) -> None:
        sim.setup(timestep=1.0)
        times = [[1.0 + cell, 9.0] for cell in range(6)]
        source = sim.Population(6, sim.SpikeSourceArray(spike_times=times), label="input")
        kind = sim.IF_curr_exp(v_rest=0.0, v_reset=0.0, v_thresh=1.0, tau_refrac=1.0)
        cells = sim.Population(4, kind, initial_values={"v": 0.0}, label="cells")
        synapse = sim.StaticSynapse(weight=0.4, delay=1.0)
        sim.Projection(source, cells, sim.AllToAllConnector(), synapse)
        cells.record("spikes")
        sim.run(20.0)
        self.block = cells.get_data()
        self.net = export.capture(sim)
        self.tables = export.lower(self.net, "asic")
        graph: dict[str, Any] = {
            "type": "NIRGraph",
            "nodes": {
                "input": {"type": "Input", "shape": np.array([3])},
                "fc": {"type": "Linear", "weight": np.ones((2, 3))},
                "lif": {"type": "IF"} | dict.fromkeys(("r", "v_threshold"), np.ones(2)),
                "output": {"type": "Output", "shape": np.array([2])},
            },
            "edges": [("input", "fc"), ("fc", "lif"), ("lif", "output")],
        }
        graph["nodes"]["lif"]["v_reset"] = np.zeros(2)
        self.graph = graph
        self.trained = sim.nir_network(graph, "literal", dt=1.0)
        shapes = {"kernel": (3, 6), "recurrent_kernel": (2, 6), "thr": (2,)}
        shapes |= dict.fromkeys(("bias", "recurrent_bias"), (6,))
        self.gated = {name: np.full(shape, 0.25) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    yield World()
    end()


def refused(call: Call, parameter: str, *valid: str, **more: Any) -> None:
    """Every odd value but those that are valid is refused, by the parameter's name."""
    values = {name: each for name, each in (ODD | more).items() if name not in valid}
    check([Case(what, parameter, functools.partial(call, each)) for what, each in values.items()])


NUMBERS = ("zero", "number", "half")
CALLABLE = ("class", "function", "lazy")  # as what PyNN and lazyarray make of an expression is


def test_stages_of_the_export(world: World) -> None:
    asic = export.find("asic")
    lower = functools.partial(export.lower, world.net, "asic")
    refused(lambda value: export.lower(value, "asic"), "source")
    refused(lambda value: export.lower(world.net, value), "target")
    refused(lambda value: lower(prune=value), "prune", "None")
    refused(lambda value: lower(quantise=value), "quantise", "None")
    refused(lambda value: lower(accept=value), "accept", "list")
    refused(lambda value: lower(timestep=value), "timestep", "None", "number", "half")
    refused(lambda value: lower(against=value), "against", "None", "dictionary")
    refused(lambda value: export.capture(value), "source")
    refused(lambda value: export.legalise(value, asic), "net")
    refused(lambda value: export.legalise(world.net, value), "target")
    refused(lambda value: export.prune(value, export.Prune()), "net")
    refused(lambda value: export.prune(world.net, value), "rule", "None")
    refused(lambda value: export.quantise(world.net, value, asic), "rule")
    refused(lambda value: export.resample(value, 1.0), "net")
    refused(lambda value: export.emit(value), "tables")
    refused(lambda value: export.emit(world.tables, csv=value), "csv", "True")
    refused(lambda value: export.load(value), "folder", "text", "long text")
    refused(lambda value: world.tables.save(value), "folder", "text", "long text")
    refused(export.register, "target")


def test_rules_of_the_export(world: World) -> None:
    for name in ("fraction", "threshold"):
        refused(lambda v, n=name: export.Prune(**{n: v}), name, "None", *NUMBERS, "1e308")
    for name in ("by", "scope", "structured"):
        refused(lambda v, n=name: export.Prune(**{n: v}), name, "None", *CALLABLE)
    refused(lambda value: export.Prune(n_of_m=value), "n_of_m", "None", "list of numbers")
    refused(lambda value: export.Prune(max_fan_in=value), "max_fan_in", "None", "number", "huge")
    scored = export.Prune(fraction=0.5, by="activity", activity={})
    refused(lambda value: export.Prune(activity=value), "activity", "None", "dictionary")
    check([Case("no label", "activity", lambda: export.prune(world.net, scored))])
    refused(
        lambda value: export.prune(world.net, export.Prune(fraction=0.5, by=lambda *_: value)),
        "score",
    )
    for name in ("weight_bits", "headroom", "exponent_bits"):
        refused(lambda v, n=name: export.Quantise(**{n: v}), name, "number", "zero")
    for name in ("rounding", "scale", "per"):
        refused(lambda v, n=name: export.Quantise(**{n: v}), name)
    refused(lambda value: export.Quantise(seed=value), "seed", "zero", "number", "huge")
    refused(lambda value: export.Quantise(clip=value), "clip", "zero", "half")
    refused(lambda value: export.Minifloat(value, 3), "exponent_bits", "number")
    refused(lambda value: export.Minifloat(4, value), "mantissa_bits", "zero", "number")
    for name in ("spikes", "coincidence", "distance"):
        valid = ("zero", "half") if name == "coincidence" else (*NUMBERS, "1e308")
        refused(lambda v, n=name: export.Tolerance(**{n: v}), name, *valid)


def test_verification_and_sweeps(world: World) -> None:
    verify = functools.partial(export.verify, world.tables)
    refused(lambda value: export.verify(value, world.block), "tables")
    refused(lambda value: verify(value), "against", "None", "dictionary")
    refused(lambda value: verify(world.block, duration=value), "duration", "None", *NUMBERS)
    refused(lambda value: verify(world.block, tolerance=value), "spikes", *NUMBERS, "1e308")
    refused(lambda value: export.distance_from(value, 20.0), "against", "dictionary")
    refused(lambda value: export.distance_from(world.block, value), "duration", *NUMBERS, "1e308")
    sweep = functools.partial(export.sweep, world.net, "asic")
    figure = lambda tables: 1.0  # noqa: E731
    refused(lambda value: sweep(value, [8], figure), "fraction", "array")
    refused(lambda value: sweep([0.5], value, figure), "bits")
    refused(lambda value: sweep([0.5], [8], value), "figure", *CALLABLE)
    real = (*NUMBERS, "NaN", "negative", "1e308")
    refused(lambda value: sweep([0.5], [8], lambda _: value), "figure", *real)
    growth: Any = lambda *_: [np.ones(24)]  # noqa: E731
    regrow = functools.partial(export.prune_and_regrow, world.net, steps=1)
    refused(lambda value: export.prune_and_regrow(value, 0.5, growth), "net")
    refused(lambda value: regrow(value, growth), "final", "zero", "half")
    refused(lambda value: regrow(0.5, value), "growth", *CALLABLE)
    refused(lambda value: regrow(0.5, lambda *_: value), "growth")
    compare = functools.partial(compare_blocks, world.block, world.block)
    refused(lambda value: compare_blocks(value, world.block), "reference", "list", "dictionary")
    refused(lambda value: compare(timestep=value), "timestep", "None", "number", "half", "1e308")
    refused(lambda value: compare(random=value), "random", "True")
    refused(lambda value: compare(names=value), "names")
    refused(lambda value: Tolerances(relative=value), "relative", "zero", "half")


def test_trained_networks(world: World) -> None:
    literal = {"rule": "literal", "dt": 1.0}
    other = ("dictionary", "text", "long text")
    refused(lambda value: sim.nir_network(value, **literal), "source", *other)
    check([Case("empty", "graph", lambda: sim.nir_network({}, **literal))])
    refused(lambda value: sim.nir_network(world.graph, value, dt=1.0), "rule", "None")
    for name in ("decay", "fires", "reset"):
        refused(lambda v, n=name: sim.nir_network(world.graph, **literal, **{n: v}), name, "None")
    for node, field in (("fc", "weight"), ("lif", "r"), ("input", "shape"), ("output", "shape")):

        def changed(value: Any, node: str = node, field: str = field) -> Any:
            nodes = world.graph["nodes"]
            other = world.graph | {"nodes": nodes | {node: nodes[node] | {field: value}}}
            return sim.nir_network(other, **literal)

        fitting = {
            "r": ("True", *NUMBERS, "1e308", "negative", "list of numbers"),
            "weight": ("matrix",),
            "shape": ("number", "list of numbers", "array"),
        }
        refused(changed, "node", *fitting.get(field, ()))
    refused(lambda value: sim.present(value, np.zeros((1, 2, 3))), "net")
    refused(lambda value: sim.present(world.trained, value), "input", **ODD_INPUTS)
    images = np.zeros((1, 3))
    refused(lambda value: sim.present(world.trained, images, value), "steps", "number", "None")
    refused(lambda value: sim.to_nir(value, "x.nir"), "net")
    refused(lambda value: sim.to_nir(world.trained, value), "path", "text", "long text")
    assert not [name for name in os.listdir() if name.endswith(".nir")]


ODD_INPUTS = {
    "texts": np.full((1, 2, 3), "1"),
    "complex numbers": np.ones((1, 2, 3)) * 1j,
    "times": np.zeros((1, 2, 3), "timedelta64[s]"),
    "masked numbers": np.ma.masked_equal(np.arange(6.0).reshape(1, 2, 3), 2.0),
    "quantities": np.ones((1, 2, 3)) * pq.kg,
    "objects": np.ones((1, 2, 3), object),
    "too large with the weights": np.full((1, 2, 3), 1e308),
}


def test_more_steps_than_there_is_time_or_memory_for(world: World) -> None:
    images = np.zeros((2, 3))
    check(
        [
            Case("2**31", "steps", lambda: sim.present(world.trained, images, 2**31)),
            Case("2**30", "steps", lambda: sim.present(world.trained, images, 2**30)),
        ]
    )


def test_instances(world: World) -> None:
    def build(sim: Any, rate: Any) -> Any:
        raise AssertionError("nothing may be built")

    refused(lambda value: run_instances(value, [1.0], 5.0), "build", *CALLABLE)
    refused(lambda v: run_instances(build, v, 5.0), "values", "list", "list of numbers", *SEVERAL)
    refused(lambda value: run_instances(build, [1.0], value), "duration", *NUMBERS, "1e308")
    seeds = ("zero", "number", "huge")
    refused(lambda value: run_instances(build, [1.0], 5.0, seeds=[value]), "seed", *seeds)


SEVERAL = (
    *("dictionary", "array", "generator", "nested", "matrix"),
    *("array of text", "array of objects", "masked", "lazy"),
)


def test_files_of_simulations(world: World, tmp_path: Path) -> None:
    words = ("text", "long text")
    refused(sim.save_state, "filename", *words)
    refused(sim.load_state, "filename", *words)
    refused(sim.to_sonata, "folder", *words)
    refused(lambda value: sim.to_sonata(tmp_path / "net", value), "network", "None", "list")
    refused(lambda value: sim.to_sonata(tmp_path / "net", overwrite=value), "overwrite", "True")
    refused(sim.from_sonata, "path", *words)
    other = ("None", "dictionary")
    refused(lambda value: sim.from_sonata(tmp_path, value), "cell_types", *other)
    refused(sim.end, "compatible_output", "True")
    refused(sim.NativeRNG, "seed", "None", "zero", "number", "huge")
    refused(lambda value: sim.run(1.0, callbacks=value), "callbacks", "None", "list", "dictionary")
    assert not list(tmp_path.iterdir())


def test_paths_that_no_file_can_have(world: World, tmp_path: Path) -> None:
    check(
        [
            Case("NUL", "folder", lambda: world.tables.save("a\0b")),
            Case("surrogate", "folder", lambda: export.load("\ud800")),
            Case("empty", "path", lambda: sim.to_nir(world.trained, "")),
        ]
    )


def test_values_are_shown_in_a_line() -> None:
    assert shown("x" * 1000) == "'" + "x" * 27 + "..." + "x" * 28 + "'"
    assert shown(Unshowable()).startswith("<Unshowable")
    assert shown(np.float32(0.5)) == "0.5"
    assert shown(NESTED) == "[[[[[[[...]]]]]]]"


def test_gated_networks(world: World) -> None:
    egru = functools.partial(sim.egru_network, world.gated)
    refused(sim.egru_network, "weights")
    for name in ("kernel", "recurrent_kernel", "thr"):
        refused(lambda v, n=name: sim.egru_network(world.gated | {n: v}), name)
    refused(lambda value: egru(embedding=value), "embedding", "None")
    refused(lambda value: egru(period=value), "period", "None", "number", "huge")
    refused(lambda value: egru(zoneout=value), "zoneout", "zero", "half")


def test_curves_of_latency(world: World) -> None:
    curve = functools.partial(sim.latency_curve, world.trained)
    images = np.ones((2, 3))
    refused(lambda value: sim.latency_curve(value, images, [0, 1], 3), "net")
    refused(lambda value: curve(value, [0, 1], 3), "input")
    refused(lambda value: curve(images, value, 3), "labels")
    refused(lambda value: curve(images, [0, 1], value), "steps", "number", "huge")
