"""Networks as pruned fixed-point tables for hardware, with proof of what they compute.

    from pynn_sparse import export

    tables = export.lower(sim, target="asic", prune=export.Prune(fraction=0.7))
    tables.save("out/")

The stages, each of which can be used alone: `capture`, `legalise`, `prune`, `quantise`, `place` (on
cores), `pack` (into words); `lower` goes through all of these, and gives `Tables`. `emit` makes
files of them, which `Tables.save` writes and `load` reads; `verify` says whether they are right.
"""

from .cosimulation.replayed import Replayed
from .cosimulation.routers import Mesh, Noc, Tree
from .errors import DamagedTablesError, ExportError, LimitsError, Violation
from .folder.writing import emit
from .lower import lower, pack, place
from .models import golden
from .nets.floatnet import FloatNet
from .nets.minifloat import Minifloat
from .nets.number_formats import Quantise
from .registry import TARGETS, find, register
from .stages.capture import capture
from .stages.legalise import APPROXIMATIONS, legalise
from .stages.prune import Prune, prune
from .stages.quantise import quantise
from .stages.regrow import prune_and_regrow
from .stages.resample import resample
from .sweep import Sweep, distance_from, sweep
from .tables import Tables, load
from .target import Target
from .verification.compare import Tolerance
from .verification.verify import Report, verify

__all__ = [
    "APPROXIMATIONS",
    "TARGETS",
    "DamagedTablesError",
    "ExportError",
    "FloatNet",
    "LimitsError",
    "Mesh",
    "Minifloat",
    "Noc",
    "Prune",
    "Quantise",
    "Replayed",
    "Report",
    "Sweep",
    "Tables",
    "Target",
    "Tolerance",
    "Tree",
    "Violation",
    "capture",
    "distance_from",
    "emit",
    "find",
    "golden",
    "legalise",
    "load",
    "lower",
    "pack",
    "place",
    "prune",
    "prune_and_regrow",
    "quantise",
    "register",
    "resample",
    "sweep",
    "verify",
]
