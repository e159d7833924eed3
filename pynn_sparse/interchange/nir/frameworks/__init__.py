"""Programs that write NIR: a file for each, with how its neurons are stepped."""

from ..framework import Framework
from .lava_dl import LAVA_DL
from .literal import LITERAL
from .norse import NORSE
from .rockpool import ROCKPOOL
from .sinabs import SINABS
from .snntorch import SNNTORCH
from .spikingjelly import SPIKINGJELLY
from .spyx import SPYX

FRAMEWORKS: dict[str, Framework] = {
    each.name: each
    for each in (SNNTORCH, NORSE, SPIKINGJELLY, SINABS, ROCKPOOL, SPYX, LAVA_DL, LITERAL)
}

__all__ = ["FRAMEWORKS", "Framework"]
