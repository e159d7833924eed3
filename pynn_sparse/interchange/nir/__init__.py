"""NIR: networks that programs for training exchange, read by the rule of the one that wrote them.

NIR (Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9) describes layers in continuous time. How
they are stepped it does not say; `frameworks` says what each program does. Reading needs h5py.
"""

from .file import Source, read
from .frameworks import FRAMEWORKS, Framework
from .rules import Reading, reading_of
from .sidecar import sidecar_of

__all__ = ["FRAMEWORKS", "Framework", "Reading", "Source", "read", "reading_of", "sidecar_of"]
