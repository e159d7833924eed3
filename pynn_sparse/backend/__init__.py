"""The PyNN API on the sparse-event engine; this package is imported as `pyNN.sparse`."""

from .. import errors, random, space
from ..network import Network
from ..random import GSLRNG, NumpyRNG, RandomDistribution
from ..space import Space
from ..standardmodels import StandardCellType
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
from .native import native_cell_type
from .nestml import nestml_cell_type
from .populations import Assembly, Population, PopulationView
from .procedural_api import connect, create, record, record_gsyn, record_v, set
from .projections import Projection
from .random import NativeRNG
from .sonata import from_sonata, to_sonata
from .standardmodels.cells import *  # noqa: F403
from .standardmodels.electrodes import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from .standardmodels.receptors import *  # noqa: F403
from .standardmodels.synapses import *  # noqa: F403


def list_standard_models() -> list[str]:
    """Names of the standard cell types that this backend offers."""
    return [
        name
        for name, item in globals().items()
        if isinstance(item, type)
        and issubclass(item, StandardCellType)
        and item is not StandardCellType
    ]
