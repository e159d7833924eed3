"""Scripts for sPyNNaker run after a change of the import; what is its own alone says so."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib
import numpy as np
import pyNN.sparse as sim
import pytest
from pyNN.sparse.dialects import FOREIGN, OF_THE_MACHINE
from pyNN.utility.plotting import Figure, Panel

import pynn_sparse

MACHINE = {"n_boards_required": 2, "time_scale_factor": 10, "n_chips_required": 4}


@pytest.mark.filterwarnings("ignore:.*no effect here:UserWarning")
@pytest.mark.filterwarnings("ignore:Passing celltype class:DeprecationWarning")
def test_a_script_in_its_dialect(tmp_path: Any) -> None:
    matplotlib.use("Agg")
    sim.setup(timestep=1.0, min_delay=1.0, **MACHINE)
    sim.set_number_of_neurons_per_core(sim.IF_curr_exp, 50)
    parameters = {"cm": 0.25, "tau_m": 20.0, "tau_refrac": 2.0, "v_thresh": -50.0}
    cells = sim.Population(100, sim.IF_curr_exp, parameters, label="cells", neurons_per_core=10)
    noise = sim.Population(
        100,
        sim.SpikeSourcePoisson(rate=200.0),
        additional_parameters={"seed": 3, "max_rate": 300},
    )
    plastic = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(A_plus=0.01, A_minus=0.01),
        weight_dependence=sim.AdditiveWeightDependence(w_min=0, w_max=2.0),
        weight=1.0,
    )
    sim.Projection(noise, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=5.0, delay=1.0))
    learnt = sim.Projection(
        cells, cells, sim.FixedProbabilityConnector(0.1), plastic, receptor_type="excitatory"
    )
    cells.record("all")
    sim.run(100)
    spikes, v = cells.get_data("spikes"), cells.get_data("v")
    assert sum(cells.get_spike_counts().values()) > 100
    assert len(learnt.get(["weight"], "list")) == len(learnt) > 500
    figure = Figure(
        Panel(spikes.segments[0].spiketrains, markersize=0.2, xlim=(0, 100)),
        Panel(v.segments[0].filter(name="v")[0], data_labels=[cells.label], xlim=(0, 100)),
        title="cells",
        annotations=f"Simulated with {sim.name()}",
    )
    figure.save(str(tmp_path / "figure.png"))
    assert (tmp_path / "figure.png").stat().st_size > 1000
    sim.end()


def test_what_has_no_effect_is_said_once_after_each_setup() -> None:
    for _ in range(2):
        sim.setup(timestep=1.0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sim.set_number_of_neurons_per_core(sim.IF_curr_exp, 50)
            sim.set_number_of_neurons_per_core(sim.IF_cond_exp, 50)
            sim.set_number_of_synapse_cores(sim.IF_cond_exp, 2)
            sim.set_allow_delay_extensions(sim.IF_cond_exp)
        names = ("neurons_per_core", "synapse_cores", "delay_extensions")
        for warning, name in zip(caught, names, strict=True):
            assert f"{name} (sPyNNaker's) has no effect" in str(warning.message)
            assert warning.filename == __file__


@pytest.mark.parametrize("argument", sorted(OF_THE_MACHINE))
def test_arguments_of_the_machine_are_accepted_with_a_warning(argument: str) -> None:
    for arguments in ({argument: 1}, {"additional_parameters": {argument: 1}}):
        sim.setup(timestep=1.0)
        with pytest.warns(UserWarning, match=f"{argument} .*has no effect here"):
            sim.Population(2, sim.IF_curr_exp(), **arguments)


def spikes(**additional: Any) -> list[Any]:
    sim.setup(timestep=1.0)
    sim.Population(3, sim.IF_curr_exp())
    sources = [sim.Population(10, sim.SpikeSourcePoisson(rate=100.0)) for _ in range(2)]
    sources.append(sim.Population(10, sim.SpikeSourcePoisson(rate=100.0), **additional))
    for source in sources:
        source.record("spikes")
    sim.run(200.0)
    return [
        [train.magnitude.tolist() for train in source.get_data().segments[0].spiketrains]
        for source in sources
    ]


def test_the_seed_of_a_population_decides_its_spikes() -> None:
    plain, first, second = spikes(), spikes(seed=1), spikes(seed=2)
    assert plain[:2] == first[:2] == second[:2]
    assert plain[2] != first[2] != second[2] != plain[2]
    assert spikes(additional_parameters={"seed": 1}) == first


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": -1}, ValueError, "seed = -1: must be an integer, 0 or greater"),
        ({"seed": "a"}, ValueError, "seed = 'a': must be an integer, 0 or greater"),
        ({"labell": "x"}, TypeError, "no argument 'labell'. Did you mean 'label'"),
        ({"additional_parameters": {"x": 1}}, TypeError, "no argument 'x'"),
    ],
)
def test_wrong_arguments_of_a_population(
    arguments: Any, error: type[Exception], message: str
) -> None:
    sim.setup(timestep=1.0)
    with pytest.raises(error, match=message):
        sim.Population(2, sim.IF_curr_exp(), **arguments)
    assert sim.simulator.state.network.size == 0


@pytest.mark.parametrize("name", sorted(FOREIGN))
def test_names_of_another_backend_say_whose_they_are(name: str) -> None:
    owner, nearest = FOREIGN[name]
    for module in (sim, pynn_sparse):
        with pytest.raises(AttributeError) as error:
            getattr(module, name)
        assert f"it is {owner}'s own" in str(error.value)
    for word in nearest.replace("(", " ").replace(",", " ").split():
        if word.startswith("sim."):
            _resolve(word)


def _resolve(path: str) -> None:
    """What a piece of advice names exists."""
    found: Any = sim
    for part in path.split(".")[1:]:
        found = getattr(found, part)


def test_record_all_is_everything_that_can_be_recorded() -> None:
    for cell in (sim.IF_cond_exp(), sim.EIF_cond_exp_isfa_ista(), sim.SpikeSourcePoisson()):
        sim.setup(timestep=0.1)
        population = sim.Population(3, cell)
        population[:2].record("all")
        sim.run(1.0)
        segment = population.get_data().segments[0]
        found = {signal.name for signal in segment.analogsignals}
        assert found | {"spikes"} == set(population.celltype.recordable)
        assert len(segment.spiketrains) == 2
        assert all(np.shape(signal)[1] == 2 for signal in segment.analogsignals)


def test_synaptic_currents_by_the_names_of_conductances() -> None:
    sim.setup(timestep=0.1)
    noise = sim.Population(5, sim.SpikeSourcePoisson(rate=1000.0))
    cells = sim.Population(5, sim.IF_curr_exp())
    sim.Projection(noise, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0, delay=1.0))
    cells.record(["isyn_exc", "isyn_inh"])
    with pytest.warns(UserWarning, match="gsyn_... of IF_curr_exp .* is taken as isyn_..., in nA"):
        cells.record(["gsyn_exc", "gsyn_inh"])
    sim.run(20.0)
    segment = cells.get_data().segments[0]
    signal = {each.name: each for each in segment.analogsignals}
    for receptor in ("exc", "inh"):
        ours, theirs = signal[f"isyn_{receptor}"], signal[f"gsyn_{receptor}"]
        np.testing.assert_array_equal(ours, theirs)
        assert ours.units == theirs.units
    assert signal["gsyn_exc"].max() > 0


def test_a_cell_type_without_parameters_has_the_defaults() -> None:
    sim.setup(timestep=0.1)
    population = sim.Population(3, sim.IF_curr_exp, label="cells")
    assert population.get("tau_m") == sim.IF_curr_exp.default_parameters["tau_m"]


def test_record_all_of_an_assembly() -> None:
    sim.setup(timestep=0.1)
    parts = [sim.Population(2, sim.IF_cond_exp()), sim.Population(2, sim.IF_curr_exp())]
    sim.Assembly(*parts).record("all")
    sim.run(1.0)
    for part in parts:
        names = {signal.name for signal in part.get_data().segments[0].analogsignals}
        assert names | {"spikes"} == set(part.celltype.recordable)
