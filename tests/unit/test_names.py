"""Every public name that PyNN's other backends have is here, or has a reason not to be."""

from __future__ import annotations

import ast
import copy
import pickle
from pathlib import Path

import pyNN
import pyNN.random
import pyNN.sparse as sim
import pytest
from pyNN.sparse.dialects import FOREIGN

HERE = Path(pyNN.__file__).parent
PEERS = ("nest", "neuron", "brian2", "mock")

NOT_NAMES = {
    "modules and functions of other packages that leak out": """
        arccos arcsin arctan arctan2 ceil copy cos cosh csa datetime deepcopy defaultdict e exp fabs
        floor fmod h hypot ldexp log log10 logger logging maximum minimum modf namedtuple neo np
        numpy os pi power pq repeat sin sinh sqrt tan tanh warn warnings brian2 nest MPI reduce mV
        ms nA nS uS ReferenceMaps itertools math copy2 inspect haveCSA Hz kHz siemens nF
    """,
    "modules of PyNN's, to be had from it": """
        cells conversion core descriptions electrodes models nineml receptors synapses ion_channels
        common filter
    """,
    "helpers of the other backends": """
        DataCache DefaultCSAConnector MPI_ROOT MockCurrentSource Multimeter NESTConnectorMixin
        NestStandardCurrentSource RecordingDevice SpikeDetector Variable
        adjust_spike_times_backward adjust_spike_times_forward filter_by_variables gather_array
        gather_blocks gather_dict get_io get_mpi_comm make_sli_compatible mpi_sum
        remove_duplicate_spiketrains rename_existing safe_makedirs unsupported
        BaseSynapse BretteGerstnerIF BretteGerstnerIFStandardReceptors Connection GIFNeuron
        GapJunction GapJunctionPresynaptic GsfaGrrIF Izhikevich_ ModelNotAvailable
        NeuronCurrentSource NeuronTemplate RandomGammaSpikeSource
        RandomPoissonRefractorySpikeSource RandomSpikeSource SingleCompartmentTraub StandardIF
        StandardIFStandardReceptors VectorSpikeSource base_cells standard
        AdaptiveNeuronGroup AdaptiveNeuronGroup2 BiophysicalNeuronGroup Brian2CurrentSource
        IzhikevichNeuronGroup NonStreamableCurrentSource PoissonGroup SpikeGeneratorGroup
        StreamableCurrentSource ThresholdNeuronGroup conductance_based_alpha_synapses
        conductance_based_exponential_synapses conductance_based_synapse_translations
        conductance_based_variable_translations current_based_alpha_synapses
        current_based_exponential_synapses current_based_synapse_translations
        current_based_variable_translations update_currents voltage_step_synapses
    """,
    "cells of several compartments, which are not simulated here": """
        LabelledLocations LocationGenerator Morphology NeuriteDistribution PassiveLeakHH
    """,
}
REASONS = {name: why for why, names in NOT_NAMES.items() for name in names.split()}


def public_names(path: Path) -> set[str]:
    """Names that a module of PyNN's defines, read from its source: not all can be imported."""
    if path.is_dir():
        path /= "__init__.py"
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names |= _imported(path, node)
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.add(node.name)
    return {name for name in names if not name.startswith("_")}


def _imported(path: Path, node: ast.ImportFrom) -> set[str]:
    if [each.name for each in node.names] != ["*"]:
        return {each.asname or each.name for each in node.names}
    folder = path.parent
    for _ in range(node.level - 1):
        folder = folder.parent
    module = folder.joinpath(*(node.module or "").split("."))
    assert node.level
    if (module / "__init__.py").exists():
        return public_names(module)
    return public_names(module.with_suffix(".py"))


@pytest.mark.parametrize("peer", PEERS)
def test_names_of_other_backends_are_here(peer: str) -> None:
    names = public_names(HERE / peer)
    assert {"Population", "Projection", "IF_curr_exp", "setup", "random"} <= names
    missing = {name for name in names if not hasattr(sim, name)}
    assert missing <= {*REASONS, *FOREIGN}


def test_names_of_the_backends_that_can_be_imported() -> None:
    """The same for names as Python sees them."""
    for peer in (pytest.importorskip("pyNN.nest"), pytest.importorskip("pyNN.mock")):
        names = {name for name in dir(peer) if not name.startswith("_")}
        missing = {name for name in names if not hasattr(sim, name)}
        assert missing <= {*REASONS, *FOREIGN}


def test_reasons_are_needed() -> None:
    assert not [name for name in FOREIGN if hasattr(sim, name)]


def test_random_is_pynns() -> None:
    assert sim.random is pyNN.random
    distribution = sim.random.RandomDistribution("normal", mu=0.5, sigma=0.1)
    assert isinstance(distribution.next(), float)
    assert sim.random.NumpyRNG is sim.NumpyRNG
    for module in ("space", "errors"):
        assert getattr(sim, module) is getattr(pyNN, module)


def test_generators_survive_a_pickle_and_a_copy() -> None:
    rng = sim.NativeRNG(seed=5)
    rng.next(3)
    restored, copied = pickle.loads(pickle.dumps(rng)), copy.deepcopy(rng)
    expected = rng.next(4).tolist()
    assert restored.next(4).tolist() == expected
    assert copied.next(4).tolist() == expected


def test_sequences_are_parameters() -> None:
    sim.setup(timestep=0.1)
    times = [sim.Sequence([1.0, 2.0]), sim.Sequence([3.0])]
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=times))
    source.record("spikes")
    cell = sim.GIF_cond_exp(tau_eta=sim.ArrayParameter([1.0, 10.0, 100.0]))
    sim.Population(1, cell)
    sim.run(5.0)
    trains = source.get_data().segments[0].spiketrains
    assert [train.magnitude.tolist() for train in trains] == [[1.0, 2.0], [3.0]]
