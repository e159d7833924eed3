"""The PyNN API on the sparse-event engine; this package is imported as `pyNN.sparse`.

What only some scripts need is imported when they first ask for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pynn_sparse.later import later

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
from .dialects import (
    foreign,
    name,
    set_allow_delay_extensions,
    set_number_of_neurons_per_core,
    set_number_of_synapse_cores,
)
from .mpi import ask_once
from .native_rng import NativeRNG
from .populations import Assembly, Population, PopulationView
from .procedural_api import connect, create, record, record_gsyn, record_v, set
from .projections import Projection
from .recording import Recorder
from .serialization import offer_exporter
from .simulator import state
from .standardmodels.cells import *  # noqa: F403
from .standardmodels.electrodes import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from .standardmodels.receptors import *  # noqa: F403
from .standardmodels.synapses import *  # noqa: F403

if TYPE_CHECKING:
    from .checkpoint import load_state, save_state
    from .description import describe_network
    from .native import native_cell_type
    from .nestml import nestml_cell_type
    from .sonata import from_sonata, to_sonata
    from .trained import EGRU, convert, egru_network, latency_curve, nir_network, present, to_nir

ask_once()
offer_exporter()


def list_standard_models() -> list[str]:
    """Names of the standard cell types that this backend offers."""
    return [
        model
        for model, item in globals().items()
        if model not in LATER
        and isinstance(item, type)
        and issubclass(item, StandardCellType)
        and item is not StandardCellType
    ]


LATER = {
    "EGRU": ".trained",
    "convert": ".trained",
    "describe_network": ".description",
    "egru_network": ".trained",
    "from_sonata": ".sonata",
    "latency_curve": ".trained",
    "load_state": ".checkpoint",
    "native_cell_type": ".native",
    "nestml_cell_type": ".nestml",
    "nir_network": ".trained",
    "present": ".trained",
    "save_state": ".checkpoint",
    "to_nir": ".trained",
    "to_sonata": ".sonata",
}
MODULES_LATER = [each.removeprefix(".") for each in LATER.values()]
_found = later(__name__, LATER)
__all__ = sorted([*(each for each in globals() if not each.startswith("_")), *LATER])


def __getattr__(attribute: str) -> Any:
    if attribute in LATER:
        return _found(attribute)
    if attribute in MODULES_LATER:
        return import_module(f"{__name__}.{attribute}")
    raise foreign(__name__, attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *LATER})
