"""Networks as pruned fixed-point tables for hardware, with proof of what they compute.

    from pynn_sparse import export

    tables = export.lower(sim, target="asic", prune=export.Prune(fraction=0.7))
    tables.save("out/")

The stages, each of which can be used alone: `capture`, `legalise`, `prune`, `quantise`, `place` (on
cores), `pack` (into words); `lower` goes through all of these, and gives `Tables`. `emit` makes
files of them, which `Tables.save` writes and `load` reads; `verify` says whether they are right.
"""

from .capture import capture
from .errors import DamagedTablesError, ExportError, LimitsError, Violation
from .files import emit, load
from .floatnet import FloatNet
from .legalise import APPROXIMATIONS, legalise
from .minifloat import Minifloat
from .number_formats import Quantise
from .prune import Prune, prune
from .quantise import quantise
from .regrow import prune_and_regrow
from .resample import resample
from .sweep import Sweep, distance_from, sweep
from .tables import Tables, lower, pack, place
from .targets import TARGETS, find
from .verify import Report, verify

__all__ = [
    "APPROXIMATIONS",
    "TARGETS",
    "DamagedTablesError",
    "ExportError",
    "FloatNet",
    "LimitsError",
    "Minifloat",
    "Prune",
    "Quantise",
    "Report",
    "Sweep",
    "Tables",
    "Violation",
    "capture",
    "distance_from",
    "emit",
    "find",
    "legalise",
    "load",
    "lower",
    "pack",
    "place",
    "prune",
    "prune_and_regrow",
    "quantise",
    "resample",
    "sweep",
    "verify",
]
