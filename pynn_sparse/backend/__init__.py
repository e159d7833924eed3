"""The PyNN API on the sparse-event engine; this package is imported as `pyNN.sparse`."""

from typing import NoReturn

from .. import errors, random, space
from ..connectors import Connector, FixedNumberConnector, MapConnector
from ..network import Network
from ..parameters import ArrayParameter, LazyArray, ParameterSpace, Sequence
from ..random import GSLRNG, AbstractRNG, NumpyRNG, RandomDistribution
from ..recording import files
from ..space import Space
from ..standardmodels import (
    StandardCellType,
    StandardCurrentSource,
    StandardSynapseType,
    build_translations,
)
from .checkpoint import load_state, save_state
from .connectors import *  # noqa: F403
from .control import (
    end,
    get_current_time,
    get_max_delay,
    get_min_delay,
    get_time_step,
    initialize,
    num_processes,
    rank,
    reset,
    run,
    run_for,
    run_until,
    setup,
)
from .description import describe_network
from .dialects import (
    foreign,
    name,
    set_allow_delay_extensions,
    set_number_of_neurons_per_core,
    set_number_of_synapse_cores,
)
from .mpi import ask_once
from .native import native_cell_type
from .native_rng import NativeRNG
from .nestml import nestml_cell_type
from .populations import Assembly, Population, PopulationView
from .procedural_api import connect, create, record, record_gsyn, record_v, set
from .projections import Projection
from .recording import Recorder
from .simulator import state
from .sonata import from_sonata, to_sonata
from .standardmodels.cells import *  # noqa: F403
from .standardmodels.electrodes import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from .standardmodels.receptors import *  # noqa: F403
from .standardmodels.synapses import *  # noqa: F403

ask_once()


def list_standard_models() -> list[str]:
    """Names of the standard cell types that this backend offers."""
    return [
        model
        for model, item in globals().items()
        if isinstance(item, type)
        and issubclass(item, StandardCellType)
        and item is not StandardCellType
    ]


def __getattr__(attribute: str) -> NoReturn:
    raise foreign(__name__, attribute)
