"""Bad input: PyNN's class of error, a message with parameter, value and limit, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN import errors
from pyNN.parameters import Sequence
from pyNN.sparse.simulator import state
from support.refused import cells, refused

pytestmark = pytest.mark.usefixtures("fresh")


NAN = float("nan")


def conductance_cells(n: int = 4) -> Any:
    return sim.Population(n, sim.IF_cond_exp(), label="cells")


class TestPopulation:
    @pytest.mark.parametrize("size", [0, -3, (2, 0), ()])
    def test_size(self, size: Any) -> None:
        call = lambda: sim.Population(size, sim.IF_curr_exp())  # noqa: E731
        refused(call, ValueError, str(size), "at least one")

    def test_size_is_not_a_number(self) -> None:
        refused(lambda: sim.Population(2.5, sim.IF_curr_exp()), ValueError, "size")

    def test_larger_than_memory(self) -> None:
        call = lambda: sim.Population(2_000_000_000, sim.IF_curr_exp())  # noqa: E731
        refused(call, MemoryError, "2000000000", "GiB")

    def test_unknown_parameter(self) -> None:
        call = lambda: sim.IF_curr_exp(tau_n=3.0)  # noqa: E731
        refused(call, errors.NonExistentParameterError, "tau_n", "IF_curr_exp", "tau_m")

    @pytest.mark.parametrize(
        ("name", "value", "valid"),
        [
            ("tau_m", 0.0, "greater than 0"),
            ("tau_m", -10.0, "greater than 0"),
            ("cm", 0.0, "greater than 0"),
            ("tau_syn_E", NAN, "greater than 0"),
            ("tau_refrac", -0.1, "0 or greater"),
            ("v_rest", NAN, "finite"),
            ("i_offset", float("inf"), "finite"),
        ],
    )
    def test_value(self, name: str, value: float, valid: str) -> None:
        text = f"{value:g}"
        refused(
            lambda: cells(**{name: value}), errors.InvalidParameterValueError, name, text, valid
        )
        population = cells()
        call = lambda: population.set(v_thresh=-40.0, **{name: value})  # noqa: E731
        refused(call, errors.InvalidParameterValueError, name, text, valid)

    def test_value_of_one_neuron_among_many(self) -> None:
        values = [10.0, 20.0, -1.0, 10.0]
        call = lambda: cells(tau_m=values)  # noqa: E731
        refused(call, errors.InvalidParameterValueError, "tau_m", "-1", "index 2")

    def test_value_of_another_type(self) -> None:
        refused(lambda: cells(tau_m="fast"), errors.InvalidParameterValueError)

    def test_number_of_values(self) -> None:
        refused(lambda: cells(tau_m=[10.0, 20.0]), ValueError)

    @pytest.mark.parametrize("value", [[1.0, 2.0], None, "a", 1j])
    def test_initial_value_of_another_type_or_shape(self, value: Any) -> None:
        population = cells()
        call = lambda: population.initialize(v=value)  # noqa: E731
        error = (
            errors.InvalidDimensionsError
            if isinstance(value, list)
            else (errors.InvalidParameterValueError)
        )
        refused(call, error, "initial value of v", "cells", repr(value))

    def test_values_that_cannot_be_computed_with(self) -> None:
        refused(lambda: cells(tau_syn_E=1e-320), errors.InvalidParameterValueError, "not be finite")

    def test_cell_type_of_another_backend(self) -> None:
        from pyNN.mock import IF_curr_exp

        call = lambda: sim.Population(2, IF_curr_exp())  # noqa: E731
        refused(call, errors.InvalidModelError, "pyNN.mock", "IF_curr_exp")

    def test_unknown_initial_value(self) -> None:
        population = cells()
        call = lambda: population.initialize(v=-70.0, w=1.0)  # noqa: E731
        refused(call, errors.NonExistentParameterError, "w", "IF_curr_exp")
        call = lambda: sim.Population(  # noqa: E731
            2, sim.IF_curr_exp(), initial_values={"w": 1.0}
        )
        refused(call, errors.NonExistentParameterError, "w")

    def test_initial_value_that_is_not_finite(self) -> None:
        population = cells()
        call = lambda: population.initialize(v=[-70.0, NAN, -70.0, -70.0])  # noqa: E731
        refused(call, errors.InvalidParameterValueError, "v", "nan", "finite")

    def test_unknown_parameter_of_get_and_set(self) -> None:
        population = cells()
        refused(lambda: population.get("tau_n"), errors.NonExistentParameterError, "tau_n")
        refused(lambda: population.set(tau_n=1.0), errors.NonExistentParameterError, "tau_n")
        refused(lambda: population[1:3].set(tau_n=1.0), errors.NonExistentParameterError, "tau_n")


class TestSpikeSources:
    @pytest.mark.parametrize(
        ("times", "words"),
        [
            ([1.0, 3.0, 2.0], ("ascending", "2 ms", "3 ms")),
            ([-1.0, 2.0], ("-1", "0 ms or greater")),
            ([1.0, NAN], ("nan", "finite")),
        ],
    )
    def test_times(self, times: list[float], words: tuple[str, ...]) -> None:
        make = lambda: sim.Population(2, sim.SpikeSourceArray(spike_times=times))  # noqa: E731
        refused(make, errors.InvalidParameterValueError, "spike_times", *words)
        population = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0]))
        each = [Sequence([1.0]), Sequence(times)]
        call = lambda: population.set(spike_times=each)  # noqa: E731
        refused(call, errors.InvalidParameterValueError, "spike_times", "index 1", *words)

    def test_times_of_two_dimensions(self) -> None:
        function = lambda i: Sequence([1.0 + i, 2.0 + i])  # noqa: E731 - forgets that i is an array
        make = lambda: sim.Population(3, sim.SpikeSourceArray(spike_times=function))  # noqa: E731
        refused(make, errors.InvalidDimensionsError, "spike_times", "2 dimensions")

    def test_rate(self) -> None:
        make = lambda: sim.Population(2, sim.SpikeSourcePoisson(rate=-1.0))  # noqa: E731
        refused(make, errors.InvalidParameterValueError, "rate", "-1", "0 or greater")
        make = lambda: sim.Population(2, sim.SpikeSourcePoisson(rate=1e9))  # noqa: E731
        refused(make, errors.InvalidParameterValueError, "rate", "1e+09", "at most 5e+06 Hz")

    def test_no_current_into_them(self) -> None:
        population = sim.Population(2, sim.SpikeSourcePoisson())
        current = sim.DCSource(amplitude=1.0)
        refused(lambda: population.inject(current), TypeError, "spike source")
        refused(lambda: current.inject_into(population), TypeError, "spike source")

    def test_no_synapses_onto_them(self) -> None:
        sources = sim.Population(2, sim.SpikeSourcePoisson(), label="noise")
        neurons = cells()
        call = lambda: sim.Projection(neurons, sources, sim.AllToAllConnector())  # noqa: E731
        refused(call, errors.ConnectionError, "noise", "receptors")


class TestProjection:
    def connect(self, post: Any = None, receptor_type: str = "excitatory", **synapse: Any) -> Any:
        return sim.Projection(
            cells(),
            post or cells(),
            sim.AllToAllConnector(),
            sim.StaticSynapse(**synapse),
            receptor_type=receptor_type,
        )

    def refuse(
        self,
        *words: str,
        post: Any = None,
        error: type[Exception] = errors.ConnectionError,
        **arguments: Any,
    ) -> None:
        pre, post = cells(), post or cells()
        receptor_type = arguments.pop("receptor_type", "excitatory")
        refused(
            lambda: sim.Projection(
                pre,
                post,
                sim.AllToAllConnector(),
                sim.StaticSynapse(**arguments),
                receptor_type=receptor_type,
            ),
            error,
            *words,
        )

    @pytest.mark.parametrize(
        ("delay", "shown"),
        [(0.04, "0.04"), (0.0, "0"), (-1.0, "-1"), (7000.0, "7000")],
    )
    def test_delay(self, delay: float, shown: str) -> None:
        self.refuse("delay", shown, "0.1 ms", "6553.5 ms", weight=1.0, delay=delay)

    def test_delay_outside_the_limits_of_setup(self) -> None:
        sim.setup(timestep=0.1, min_delay=0.5, max_delay=2.0)
        self.refuse("delay", "0.4", "0.5 ms", "2 ms", weight=1.0, delay=0.4)
        self.refuse("delay", "2.1", "0.5 ms", "2 ms", weight=1.0, delay=2.1)

    def test_values_that_are_not_finite(self) -> None:
        error = errors.InvalidParameterValueError
        self.refuse("StaticSynapse: weight = nan", "finite", error=error, weight=NAN)
        self.refuse("weight = inf", "finite", error=error, weight=float("inf"), delay=1.0)
        self.refuse("StaticSynapse: delay = nan", "finite", error=error, weight=1.0, delay=NAN)

    def test_weight_is_too_large(self) -> None:
        self.refuse("weight", "1e+290", "1e+100", weight=1e290, delay=1.0)

    def test_sign_of_weight(self) -> None:
        self.refuse("weight", "-0.5", "positive", weight=-0.5)
        self.refuse("weight", "0.5", "negative", weight=0.5, receptor_type="inhibitory")
        conductances = conductance_cells()
        self.refuse(
            "weight", "-0.5", "positive", weight=-0.5, receptor_type="inhibitory", post=conductances
        )

    def test_signs_are_mixed(self) -> None:
        weights = np.full((4, 4), 0.5)
        weights[2, 1] = -0.25
        self.refuse("weight", "-0.25", "positive", weight=weights)

    def test_receptor(self) -> None:
        self.refuse("NMDA", "excitatory", weight=1.0, receptor_type="NMDA")

    def test_larger_than_memory(self) -> None:
        pre, post = cells(300_000), cells(300_000)
        before = len(state.network.tables)
        with pytest.raises(MemoryError, match=r"9e\+10 synapses.*GiB"):
            sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))
        assert len(state.network.tables) == before

    def test_setting_weights_and_delays(self) -> None:
        projection = self.connect(weight=0.5, delay=1.0)
        error = errors.ConnectionError
        refused(lambda: projection.set(delay=2.0, weight=NAN), error, "weight", "nan")
        refused(lambda: projection.set(weight=0.1, delay=0.01), error, "delay", "0.01", "0.1 ms")
        refused(lambda: projection.set(weight=-0.1), error, "weight", "-0.1", "positive")
        refused(lambda: setattr(projection[3], "weight", NAN), error, "weight", "nan")
        refused(lambda: setattr(projection[3], "delay", 0.0), error, "delay", "0")

    def test_number_of_values(self) -> None:
        projection = self.connect(weight=0.5)
        call = lambda: projection.set(weight=[0.1, 0.2])  # noqa: E731
        refused(call, errors.InvalidDimensionsError, "weight has 2 values", "16 pairs")

    def test_unknown_attribute(self) -> None:
        projection = self.connect(weight=0.5)
        error = errors.NonExistentParameterError
        refused(lambda: projection.set(wieght=0.1), error, "wieght", "weight")
        refused(lambda: projection.get("wieght", "list"), error, "wieght", "weight")

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ((4, 0), ("presynaptic", "4", "0 to 3")),
            ((0, 9), ("postsynaptic", "9", "0 to 3")),
            ((-1, 0), ("presynaptic", "-1")),
            ((0, 1.5), ("postsynaptic", "1.5")),
        ],
    )
    def test_index_in_a_list(self, row: tuple[float, float], words: tuple[str, ...]) -> None:
        pre = cells()
        connector = sim.FromListConnector([(0, 1, 0.1, 1.0), (*row, 0.1, 1.0)])
        refused(lambda: sim.Projection(pre, pre, connector), errors.ConnectionError, *words)

    def test_shape_of_weights(self) -> None:
        pre = cells()
        connector, synapse = sim.AllToAllConnector(), sim.StaticSynapse(weight=[0.1] * 16)
        call = lambda: sim.Projection(pre, pre, connector, synapse)  # noqa: E731
        refused(call, errors.InvalidDimensionsError, "weight", "(16,)", "(4, 4)")

    def test_array_of_other_shape_or_values(self) -> None:
        pre = cells()
        connector = sim.ArrayConnector(np.ones((3, 4)))
        call = lambda: sim.Projection(pre, pre, connector)  # noqa: E731
        refused(call, errors.ConnectionError, "ArrayConnector", "(4, 4)", "Boolean")
        call = lambda: sim.ArrayConnector(np.full((4, 4), 2))  # noqa: E731
        refused(call, errors.ConnectionError, "ArrayConnector: array", "Boolean")

    def test_single_cell_as_an_end(self) -> None:
        pre = cells()
        call = lambda: sim.Projection(pre[0], pre, sim.AllToAllConnector(), sim.StaticSynapse())  # noqa: E731
        refused(call, errors.ConnectionError, "presynaptic", "Population")

    def test_index_of_connection(self) -> None:
        projection = self.connect(weight=0.5)
        refused(lambda: projection[16], IndexError, "16")

    def test_synapse_type_of_another_backend(self) -> None:
        from pyNN.mock import StaticSynapse

        pre = cells()
        call = lambda: sim.Projection(  # noqa: E731
            pre, pre, sim.AllToAllConnector(), StaticSynapse(weight=1.0, delay=1.0)
        )
        refused(call, errors.InvalidModelError, "pyNN.mock", "StaticSynapse")


class TestRecording:
    def test_unknown_variable(self) -> None:
        population = cells()
        call = lambda: population.record(["v", "isyn"])  # noqa: E731
        refused(call, errors.RecordingError, "isyn", "IF_curr_exp", "isyn_exc")

    @pytest.mark.parametrize("interval", [0.25, 0.05, 0.0, -1.0])
    def test_sampling_interval(self, interval: float) -> None:
        population = cells()
        call = lambda: population.record("v", sampling_interval=interval)  # noqa: E731
        refused(call, ValueError, "sampling_interval", f"{interval!r}", "0.1 ms")

    @pytest.mark.parametrize("interval", ["a", NAN])
    def test_sampling_interval_that_is_no_number(self, interval: Any) -> None:
        population = cells()
        call = lambda: population.record("v", sampling_interval=interval)  # noqa: E731
        error = TypeError if isinstance(interval, str) else ValueError
        refused(call, error, "sampling_interval", f"{interval!r}")

    def test_unknown_data(self) -> None:
        population = cells()
        population.record("v")
        sim.run(1.0)
        refused(lambda: population.get_data("foo"), errors.RecordingError, "foo", "isyn_exc")

    def test_two_sampling_intervals(self) -> None:
        population = cells()
        population.record("v", sampling_interval=0.5)
        call = lambda: population.record("isyn_exc", sampling_interval=1.0)  # noqa: E731
        refused(call, ValueError, "sampling interval")


class TestCurrentSources:
    def test_values(self) -> None:
        error = errors.InvalidParameterValueError
        refused(lambda: sim.DCSource(amplitude=NAN), error, "amplitude", "nan", "DCSource")
        refused(lambda: sim.NoisyCurrentSource(stdev=-1.0), error, "stdev", "-1")
        refused(lambda: sim.NoisyCurrentSource(dt=0.15), error, "dt", "0.15", "0.1 ms")
        refused(lambda: sim.DCSource(amplitud=1.0), errors.NonExistentParameterError, "amplitud")

    def test_steps(self) -> None:
        make = sim.StepCurrentSource
        refused(
            lambda: make(times=[1.0, 2.0], amplitudes=[1.0]),
            ValueError,
            "times",
            "amplitudes, 1",
            "are 2",
        )
        refused(lambda: make(times=[-1.0], amplitudes=[1.0]), ValueError, "negative", "-1 ms")
        refused(
            lambda: make(times=[3.0, 2.0], amplitudes=[1.0, 2.0]), ValueError, "increasing", "2 ms"
        )


NAMES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "parameter of a cell type": (
        *(lambda: sim.HH_cond_exp(gbar_na=20.0), errors.NonExistentParameterError, "'gbar_Na'"),
    ),
    "parameter to set": (
        *(lambda: cells().set(taum=10.0), errors.NonExistentParameterError, "'tau_m'"),
    ),
    "parameter to get": (
        *(lambda: cells().get("tau_syn"), errors.NonExistentParameterError, "'tau_syn_I'"),
    ),
    "parameter of a synapse type": (
        *(lambda: sim.StaticSynapse(wieght=1.0), errors.NonExistentParameterError, "'weight'"),
    ),
    "parameter of a current source": (
        *(lambda: sim.DCSource(amplitud=1.0), errors.NonExistentParameterError, "'amplitude'"),
    ),
    "variable": (*(lambda: cells().record("isyn_ex"), errors.RecordingError, "'isyn_exc'"),),
}


@pytest.mark.parametrize("what", NAMES)
def test_unknown_names_come_with_a_suggestion(what: str) -> None:
    call, error, name = NAMES[what]
    with pytest.raises(error, match=f"Did you mean {name}\\?"):
        call()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: sim.FixedProbabilityConnector(1.5), "p_connect = 1.5: must be from 0 to 1"),
        (lambda: sim.FixedProbabilityConnector(-0.1), "p_connect = -0.1"),
        (lambda: sim.FixedProbabilityConnector("a"), "p_connect = 'a'"),
        (lambda: sim.FixedNumberPreConnector(-1), "n = -1: must be 0 to "),
        (lambda: sim.FixedTotalNumberConnector(10**400), ": must be 0 to "),
    ],
)
def test_parameters_of_connectors(make: Callable[[], Any], words: str) -> None:
    refused(make, errors.InvalidParameterValueError, words)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: sim.Population(2, None), TypeError, "must be a cell type"),
        (lambda: cells()[10:12], errors.InvalidDimensionsError, "has 4 cells, has none"),
        (lambda: cells().sample(5), errors.InvalidDimensionsError, "n = 5: must be"),
        (lambda: cells().nearest((0, 0)), errors.InvalidDimensionsError, "three numbers"),
        (lambda: cells() + 3, TypeError, "must be a Population"),
        (
            lambda: sim.Projection(cells(), cells(), sim.AllToAllConnector(), space=3),
            *(TypeError, "space = 3: must be"),
        ),
    ],
)
def test_groups_of_cells(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_variables_that_were_not_recorded() -> None:
    population = cells()
    population.record("spikes")
    sim.run(1.0)
    with pytest.warns(UserWarning, match="v of cells was not recorded"):
        population.get_data("v")
