"""The built-in models, one file each; the step of each is in `cuda/cells/<name>.h`."""

from .adaptive_exponential import EIF_COND_ALPHA_ISFA_ISTA, EIF_COND_EXP_ISFA_ISTA
from .gif_cond_exp import GIF_COND_EXP
from .hh_cond_exp import HH_COND_EXP
from .if_cond_alpha import IF_COND_ALPHA
from .if_cond_exp import IF_COND_EXP
from .if_cond_exp_gsfa_grr import IF_COND_EXP_GSFA_GRR
from .if_curr_alpha import IF_CURR_ALPHA
from .if_curr_delta import IF_CURR_DELTA
from .if_curr_exp import IF_CURR_EXP
from .if_facets_hardware1 import IF_FACETS_HARDWARE1
from .izhikevich import IZHIKEVICH
from .renewal import SPIKE_SOURCE_GAMMA, SPIKE_SOURCE_POISSON_REFRACTORY
from .spike_source_array import SPIKE_SOURCE_ARRAY
from .spike_source_inh_gamma import SPIKE_SOURCE_INH_GAMMA
from .spike_source_poisson import SPIKE_SOURCE_POISSON

BUILT_IN = (
    IF_CURR_EXP,
    IF_CURR_ALPHA,
    IF_CURR_DELTA,
    IF_COND_EXP,
    IF_COND_ALPHA,
    IF_COND_EXP_GSFA_GRR,
    IF_FACETS_HARDWARE1,
    IZHIKEVICH,
    HH_COND_EXP,
    EIF_COND_EXP_ISFA_ISTA,
    EIF_COND_ALPHA_ISFA_ISTA,
    GIF_COND_EXP,
    SPIKE_SOURCE_ARRAY,
    SPIKE_SOURCE_POISSON,
    SPIKE_SOURCE_POISSON_REFRACTORY,
    SPIKE_SOURCE_GAMMA,
    SPIKE_SOURCE_INH_GAMMA,
)

__all__ = [
    "BUILT_IN",
    "EIF_COND_ALPHA_ISFA_ISTA",
    "EIF_COND_EXP_ISFA_ISTA",
    "GIF_COND_EXP",
    "HH_COND_EXP",
    "IF_COND_ALPHA",
    "IF_COND_EXP",
    "IF_COND_EXP_GSFA_GRR",
    "IF_CURR_ALPHA",
    "IF_CURR_DELTA",
    "IF_CURR_EXP",
    "IF_FACETS_HARDWARE1",
    "IZHIKEVICH",
    "SPIKE_SOURCE_ARRAY",
    "SPIKE_SOURCE_GAMMA",
    "SPIKE_SOURCE_INH_GAMMA",
    "SPIKE_SOURCE_POISSON",
    "SPIKE_SOURCE_POISSON_REFRACTORY",
]
