"""The built-in models, one file each; the step of each is in `cuda/cells/<name>.h`."""

from .if_cond_alpha import IF_COND_ALPHA
from .if_cond_exp import IF_COND_EXP
from .if_curr_alpha import IF_CURR_ALPHA
from .if_curr_delta import IF_CURR_DELTA
from .if_curr_exp import IF_CURR_EXP
from .izhikevich import IZHIKEVICH
from .spike_source_array import SPIKE_SOURCE_ARRAY
from .spike_source_poisson import SPIKE_SOURCE_POISSON

BUILT_IN = (
    IF_CURR_EXP,
    IF_CURR_ALPHA,
    IF_CURR_DELTA,
    IF_COND_EXP,
    IF_COND_ALPHA,
    IZHIKEVICH,
    SPIKE_SOURCE_ARRAY,
    SPIKE_SOURCE_POISSON,
)

__all__ = ["BUILT_IN", *(model.name.upper() for model in BUILT_IN)]
