"""Connectors: which cells a projection connects, one class for each rule.

They are PyNN's own. Random numbers are drawn in PyNN's order, so that a seed of `NumpyRNG` gives
the network that it gives with PyNN's other backends; `rule.py` says what a connector has beside.
"""

from ...core import IndexBasedExpression
from .all_pairs import AllToAllConnector, OneToOneConnector, SmallWorldConnector
from .by_number import (
    FixedNumberPostConnector,
    FixedNumberPreConnector,
    FixedTotalNumberConnector,
)
from .by_probability import (
    DisplacementDependentProbabilityConnector,
    DistanceDependentProbabilityConnector,
    FixedProbabilityConnector,
    IndexBasedProbabilityConnector,
)
from .convolution import ConvolutionConnector, PoolDenseConnector
from .lists import (
    ArrayConnector,
    CloneConnector,
    CSAConnector,
    FromFileConnector,
    FromListConnector,
)

__all__ = [
    "AllToAllConnector",
    "ArrayConnector",
    "CSAConnector",
    "CloneConnector",
    "ConvolutionConnector",
    "DisplacementDependentProbabilityConnector",
    "DistanceDependentProbabilityConnector",
    "FixedNumberPostConnector",
    "FixedNumberPreConnector",
    "FixedProbabilityConnector",
    "FixedTotalNumberConnector",
    "FromFileConnector",
    "FromListConnector",
    "IndexBasedExpression",
    "IndexBasedProbabilityConnector",
    "OneToOneConnector",
    "PoolDenseConnector",
    "SmallWorldConnector",
]
