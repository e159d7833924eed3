"""The PyNN API on the sparse-event engine; this package is imported as `pyNN.sparse`.

What only some scripts need is imported when they first ask for it.
"""

import importlib as _importlib
import typing as _typing

from pynn_sparse.later import later as _later

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
from .dialects import foreign as _foreign
from .dialects import (
    name,
    set_allow_delay_extensions,
    set_number_of_neurons_per_core,
    set_number_of_synapse_cores,
)
from .mpi import ask_once as _ask_once
from .native_rng import NativeRNG
from .populations import Assembly, Population, PopulationView
from .procedural_api import connect, create, record, record_gsyn, record_v, set
from .projections import Projection
from .recording import Recorder
from .serialization import offer_exporter as _offer_exporter
from .simulator import state
from .standardmodels.cells import *  # noqa: F403
from .standardmodels.electrodes import ACSource, DCSource, NoisyCurrentSource, StepCurrentSource
from .standardmodels.receptors import *  # noqa: F403
from .standardmodels.synapses import *  # noqa: F403

if _typing.TYPE_CHECKING:
    from .checkpoint import load_state, save_state
    from .description import describe_network
    from .dry_run import dry_run_report
    from .native import native_cell_type
    from .native_synapses import native_synapse_type
    from .nestml import nestml_cell_type, nestml_synapse_type
    from .sonata import from_sonata, to_sonata
    from .structural import (
        DistanceDependentFormation,
        LastNeuronSelection,
        RandomByWeightElimination,
        RandomSelection,
        StructuralMechanismStatic,
        StructuralMechanismSTDP,
    )
    from .trained import EGRU, convert, egru_network, latency_curve, nir_network, present, to_nir

_ask_once()
_offer_exporter()


def list_standard_models() -> list[str]:
    """Names of the standard cell types that this backend offers."""
    return [
        model
        for model, item in globals().items()
        if model not in _LATER
        and isinstance(item, type)
        and issubclass(item, StandardCellType)
        and item is not StandardCellType
    ]


_LATER = {
    **dict.fromkeys(
        (
            *("DistanceDependentFormation", "LastNeuronSelection", "RandomByWeightElimination"),
            *("RandomSelection", "StructuralMechanismSTDP", "StructuralMechanismStatic"),
        ),
        ".structural",
    ),
    "EGRU": ".trained",
    "convert": ".trained",
    "describe_network": ".description",
    "dry_run_report": ".dry_run",
    "egru_network": ".trained",
    "from_sonata": ".sonata",
    "latency_curve": ".trained",
    "load_state": ".checkpoint",
    "native_cell_type": ".native",
    "native_synapse_type": ".native_synapses",
    "nestml_cell_type": ".nestml",
    "nestml_synapse_type": ".nestml",
    "nir_network": ".trained",
    "present": ".trained",
    "save_state": ".checkpoint",
    "to_nir": ".trained",
    "to_sonata": ".sonata",
}
_MODULES_LATER = ["extra_models", *(each.removeprefix(".") for each in _LATER.values())]
_found = _later(__name__, _LATER)
__all__ = sorted([*(each for each in globals() if not each.startswith("_")), *_LATER])


def __getattr__(attribute: str) -> _typing.Any:
    if attribute in _LATER:
        return _found(attribute)
    if attribute in _MODULES_LATER:
        return _importlib.import_module(f"{__name__}.{attribute}")
    raise _foreign(__name__, attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
