"""Odd values for synapse types, projections and their methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
import quantities as pq
from odd_frame import check, odd_numbers, odd_others
from odd_world import N_POST, N_PRE, World, odd_values, stdp
from pyNN.random import RandomDistribution

SYNAPSES: dict[str, tuple[str, ...]] = {
    "StaticSynapse": ("weight", "delay"),
    "TsodyksMarkramSynapse": ("weight", "delay", "U", "tau_rec", "tau_facil"),
    "SimpleStochasticSynapse": ("weight", "delay", "p"),
    "StochasticTsodyksMarkramSynapse": ("weight", "delay", "U", "tau_rec", "tau_facil"),
    "MultiQuantalSynapse": ("weight", "delay", "U", "n", "tau_rec", "tau_facil"),
    "ElectricalSynapse": ("weight",),
}


TIMINGS = {
    "SpikePairRule": ("tau_plus", "tau_minus", "A_plus", "A_minus"),
    "Vogels2011Rule": ("tau", "eta", "rho"),
}


DEPENDENCES = {
    "AdditiveWeightDependence": ("w_min", "w_max"),
    "MultiplicativeWeightDependence": ("w_min", "w_max"),
    "AdditivePotentiationMultiplicativeDepression": ("w_min", "w_max"),
    "GutigWeightDependence": ("w_min", "w_max", "mu_plus", "mu_minus"),
}


@pytest.mark.parametrize(("kind", "names"), SYNAPSES.items())
def test_parameters_of_synapse_types(world: World, kind: str, names: tuple[str, ...]) -> None:
    make = getattr(sim, kind)
    check(
        [
            world.case(
                f"{kind}({name}={what})",
                name,
                lambda name=name, value=value: world.project(make(**{name: value})),
            )
            for name in names
            for what, value in odd_values(name).items()
        ]
    )


@pytest.mark.parametrize(("kind", "names"), [*TIMINGS.items(), *DEPENDENCES.items()])
def test_parameters_of_plasticity(world: World, kind: str, names: tuple[str, ...]) -> None:
    part = "timing" if kind in TIMINGS else "dependence"

    def call(name: str, value: Any) -> Any:
        return world.project(stdp(**{part: getattr(sim, kind)(**{name: value})}))

    check(
        [
            world.case(f"{kind}({name}={what})", name, lambda n=name, v=value: call(n, v))
            for name in names
            for what, value in odd_values(name).items()
        ]
    )


def test_parameters_of_stdp_mechanism(world: World) -> None:
    cases = [
        world.case(
            f"STDPMechanism({name}={what})",
            name,
            lambda name=name, value=value: world.project(stdp(**{name: value})),
        )
        for name in ("weight", "delay", "dendritic_delay_fraction")
        for what, value in (odd_values(name) | {"-1": -1.0 * (name != "delay") - 1}).items()
    ]
    for name in ("timing_dependence", "weight_dependence", "voltage_dependence"):
        for what, value in odd_others().items():
            if name == "voltage_dependence" and value is None:
                continue
            arguments = {
                "timing_dependence": sim.SpikePairRule(),
                "weight_dependence": sim.AdditiveWeightDependence(),
            } | {name: value}
            cases.append(
                world.case(
                    f"STDPMechanism({name}={what})",
                    name,
                    lambda arguments=arguments: sim.STDPMechanism(**arguments),
                )
            )
    swapped = {
        "timing_dependence": sim.AdditiveWeightDependence(),
        "weight_dependence": sim.SpikePairRule(),
    }
    cases.append(world.case("swapped", "timing_dependence", lambda: sim.STDPMechanism(**swapped)))
    check(cases)


@pytest.mark.parametrize("kind", [*SYNAPSES, *TIMINGS, *DEPENDENCES])
def test_unknown_parameters(world: World, kind: str) -> None:
    make = getattr(sim, kind)
    check(
        [
            world.case(f"{kind}({name}=1)", name, lambda n=name: make(**{n: 1.0}))
            for name in ("wieght", "Tau", "_", "dendritic")
        ]
    )


SETTABLE = {
    "static": ("weight", "delay"),
    "facilitating": ("weight", "delay", "U", "tau_rec", "tau_facil"),
    "quantal": ("weight", "n", "U"),
    "plastic": ("weight", "delay", "A_plus", "tau_plus", "w_min", "w_max"),
}


@pytest.mark.parametrize(("which", "names"), SETTABLE.items())
def test_set(world: World, which: str, names: tuple[str, ...]) -> None:
    """Alone, and after a valid value of another attribute, drawn from the user's generator."""
    projection = getattr(world, which)
    law = RandomDistribution("uniform", (0.2, 0.4), rng=world.rng)
    cases = []
    for name in names:
        for what, value in (odd_values(name) | {"None": None}).items():
            other = "delay" if name == "weight" else "weight"
            for more in ({}, {other: law if other == "weight" else 2.0}):
                given = {**more, name: value}
                cases.append(
                    world.case(
                        f"{which}.set({', '.join(given)}={what})",
                        name,
                        lambda given=given: projection.set(**given),
                    )
                )
    cases += [
        world.case(
            f"{which}.set({name}=1)", name, lambda n=name: projection.set(weight=0.5, **{n: 1.0})
        )
        for name in ("wieght", "presynaptic_index", "label")
    ]
    check(cases)


def test_initialize(world: World) -> None:
    odd = odd_numbers() | {"negative": -0.5}
    cases = [
        world.case(
            f"{which}.initialize({name}={what})",
            name,
            lambda which=which, v={name: value}: getattr(world, which).initialize(**v),
        )
        for which, name in (("facilitating", "u"), ("facilitating", "x"), ("quantal", "a"))
        for what, value in (odd | {"greater": 5.0}).items()
    ]
    cases += [
        world.case(
            f"{which}.initialize({name})",
            name,
            lambda which=which, n=name: getattr(world, which).initialize(**{n: 0.5}),
        )
        for which, name in (("static", "u"), ("plastic", "x"), ("facilitating", "v"))
    ]
    both = {"x": 0.5, "u": "a"}
    cases.append(world.case("one of two", "u", lambda: world.facilitating.initialize(**both)))
    check(cases)


def test_single_connections(world: World) -> None:
    cases = []
    for name in ("weight", "delay"):
        values = odd_values(name) | {"None": None, "function": lambda d: 0.5}
        values |= {"list": [0.5], "law": RandomDistribution("uniform", (0.1, 0.2))}
        cases += [
            world.case(
                f"connection.{name} = {what}",
                name,
                lambda n=name, v=value: setattr(world.static[0], n, v),
            )
            for what, value in values.items()
        ]
    cases += [
        world.case(f"connection.{name}", name, lambda n=name: setattr(world.static[0], n, 1.0))
        for name in ("wieght", "U", "presynaptic_index")
    ]
    check(cases)


ARGUMENTS: dict[str, dict[str, Any]] = {
    "presynaptic_neurons": odd_others(),
    "postsynaptic_neurons": odd_others(),
    "connector": odd_others() | {"class of connectors": sim.AllToAllConnector},
    "synapse_type": {name: each for name, each in odd_others().items() if each is not None}
    | {"class of synapses": sim.StaticSynapse, "a cell type": sim.IF_curr_exp()},
    "source": {name: each for name, each in odd_others().items() if each is not None},
    "receptor_type": {name: each for name, each in odd_others().items() if each is not None}
    | {"unknown": "NMDA", "empty": ""},
    "space": {name: each for name, each in odd_others().items() if each is not None},
    "label": {name: each for name, each in odd_others(str).items() if each is not None},
}


@pytest.mark.parametrize(("argument", "values"), ARGUMENTS.items())
def test_arguments_of_a_projection(world: World, argument: str, values: dict[str, Any]) -> None:
    synapse = sim.StaticSynapse(weight=0.5)
    values = dict(values)
    if argument.endswith("neurons"):
        values |= {
            "a cell": world.pre[0],
            "another network's": world.old,
            "an empty assembly": sim.Assembly(),
            "cells in a list": [world.pre],
        }
    if argument == "postsynaptic_neurons":
        values |= {"sources": world.sources, "mixed": world.post + world.conductances}
    check(
        [
            world.case(
                f"Projection({argument}={what})",
                "old" if what == "another network's" else argument,
                lambda v={argument: value}: world.project(synapse, **v),
            )
            for what, value in values.items()
        ]
    )


def test_weights_of_the_wrong_sign(world: World) -> None:
    synapses = {
        "excitatory": sim.StaticSynapse(weight=-0.5),
        "inhibitory": sim.StaticSynapse(weight=0.5),
    }
    cases = [
        world.case(
            f"weights onto {receptor}",
            "weight",
            lambda s=synapse, r=receptor: world.project(s, receptor_type=r),
        )
        for receptor, synapse in synapses.items()
    ]
    to = {"postsynaptic_neurons": world.conductances, "receptor_type": "inhibitory"}
    cases.append(
        world.case(
            "negative conductances",
            "weight",
            lambda: world.project(sim.StaticSynapse(weight=-0.5), **to),
        )
    )
    check(cases)


def test_get(world: World) -> None:
    projection, valid = world.static, {"attribute_names": "weight", "format": "list"}
    odd: dict[str, dict[str, Any]] = {
        "attribute_names": {
            **{name: v for name, v in odd_others().items() if name not in ("list", "dictionary")},
            "unknown": "wieght",
            "unknown in a list": ["weight", "U"],
        },
        "format": odd_others(),
        "gather": odd_others(bool),
        "with_address": odd_others(bool),
        "multiple_synapses": odd_others(),
    }
    names = {"unknown": "wieght", "unknown in a list": "U", "text": "a"}
    check(
        [
            world.case(
                f"get({name}={what})",
                names.get(what, name) if name == "attribute_names" else name,
                lambda v={**valid, name: value}: projection.get(**v),
            )
            for name, values in odd.items()
            for what, value in values.items()
        ]
    )


def test_save(world: World, tmp_path: Path) -> None:
    projection = world.static
    valid = {"attribute_names": "weight", "file": str(tmp_path / "saved.txt")}
    odd: dict[str, dict[str, Any]] = {
        "file": odd_others(str) | {"no name": ""},
        "format": odd_others() | {"columns": "columns"},
        "gather": odd_others(bool),
        "with_address": odd_others(bool),
    }
    check(
        [
            world.case(
                f"save({name}={what})", name, lambda v={**valid, name: value}: projection.save(**v)
            )
            for name, values in odd.items()
            for what, value in values.items()
        ]
    )
    assert not list(tmp_path.iterdir())


def test_recording(world: World) -> None:
    projection = world.plastic
    odd = odd_others()
    without_none = {name: value for name, value in odd.items() if value is not None}
    given: list[tuple[str, dict[str, Any], Any]] = [
        ("variable", without_none, projection.record),
        (
            "sampling_interval",
            {name: v for name, v in odd_numbers().items() if name != "None"},
            lambda value: projection.record("weight", sampling_interval=value),
        ),
        (
            "connections",
            {
                n: v
                for n, v in without_none.items()
                if n not in ("zero", "number", "list of numbers")
            },
            lambda value: projection.record("weight", connections=value),
        ),
        ("gather", odd_others(bool), lambda value: projection.get_data(gather=value)),
        ("clear", odd_others(bool), lambda value: projection.get_data(clear=value)),
        ("annotations", odd_others(dict, type(None)), lambda v: projection.get_data(annotations=v)),
        ("io", odd, projection.write_data),
    ]
    check(
        [
            world.case(f"{name}={what}", name, lambda call=call, v=value: call(v))
            for name, values, call in given
            for what, value in values.items()
        ]
    )


def test_histogram(world: World) -> None:
    values = {name: v for name, v in odd_others(int).items() if name not in ("None",)}
    check(
        [
            world.case(
                f"weightHistogram({name}={what})",
                name,
                lambda v={name: value}: world.static.weightHistogram(**v),
            )
            for name in ("min", "max", "nbins")
            for what, value in values.items()
        ]
        + [
            world.case("no bins", "nbins", lambda: world.static.weightHistogram(nbins=0)),
            world.case("many bins", "nbins", lambda: world.static.weightHistogram(nbins=2**63)),
            world.case("wrong way", "min", lambda: world.static.weightHistogram(min=2.0, max=1.0)),
        ]
    )


def test_items(world: World) -> None:
    odd = odd_others(int) | {"12": 12, "-13": -13, "2**70": 2**70, "1.0": 1.0}
    odd |= {"step 0": slice(0, 2, 0), "slice of text": slice("a", "b"), "pair": (0, 1)}
    check(
        [
            world.case(f"[{what}]", "pre→post", lambda v=value: world.static[v])
            for what, value in odd.items()
        ]
    )


class TestUnits:
    """Quantities are converted; what has no unit of its own takes plain numbers."""

    def test_of_delays(self, world: World) -> None:
        for value in (0.002 * pq.s, 2.0 * pq.ms, 2000 * pq.us):
            assert set(
                world.project(sim.StaticSynapse(weight=0.1, delay=value)).get(
                    "delay", "list", with_address=False
                )
            ) == {2.0}
            world.static.set(delay=value)
            assert set(world.static.get("delay", "list", with_address=False)) == {2.0}
        matrix = np.full((N_PRE, N_POST), 0.003) * pq.s
        world.static.set(delay=matrix)
        assert set(world.static.get("delay", "list", with_address=False)) == {3.0}

    def test_of_time_constants_and_rates(self, world: World) -> None:
        synapse = sim.TsodyksMarkramSynapse(tau_rec=0.1 * pq.s, U=50 * pq.percent)
        made = world.project(synapse)
        assert made.get("tau_rec", "list", with_address=False)[0] == pytest.approx(100.0)
        rule = sim.Vogels2011Rule(tau=0.02 * pq.s, rho=0.003 * pq.kHz)
        assert stdp(timing=rule).parameter_space["rho"].base_value == pytest.approx(3.0)
        assert stdp(timing=rule).parameter_space["tau"].base_value == pytest.approx(20.0)
