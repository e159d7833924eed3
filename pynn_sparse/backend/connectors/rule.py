"""Connection rules: what this backend has to know of a connector, beside PyNN's `connect`.

A rule is PyNN's connector of the same name with `Rule` in front, and two hooks:

- `expected(n_pre, n_post)`: how many synapses it is going to make, 0.0 where that is not known
  beforehand; more than there is memory for are refused before any is made;
- `rows(projection)`: what makes all connections at once, a `functools.partial` of a function such
  as those of `engine/building/connect.py`, of the builder (threads of the host, or a GPU) and of
  the targets that connections are wanted `onto`; None where these connections are made column by
  column. Seeds are drawn here, once. Processes that simulate together compare its arguments, and
  make their own part each.

A class that lacks one is refused when it is defined. `by_column(projection)` makes connections that
`rows` does not; by default that is PyNN's `connect`. Connectors that inherit from PyNN's
classes alone, such as a user's with its own `connect`, are known by the nearest of these classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ... import connectors as upstream
from .bulk import connect_in_bulk
from .by_column import ByColumn

HOOKS: Mapping[str, str] = MappingProxyType(
    {
        "expected": "expected(n_pre, n_post), the number of synapses that it is going to make",
        "rows": "rows(projection), what makes all connections at once, or None",
    }
)
_rules: dict[type, type[Rule]] = {}  # of classes of PyNN, and of the rules themselves


class Rule(ByColumn):
    """A connector whose connections the engine can make, in bulk.

    Attributes:
        keeps_order: whether users see connections in the order in which they were made, instead of
            that of targets and sources. It costs four bytes a synapse.
        on_host: whether connections are always made on the host, since the engine looks at each.
    """

    keeps_order: ClassVar[bool] = False
    on_host: ClassVar[bool] = False

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if not issubclass(cls, upstream.Connector):  # what several rules share
            return
        for hook, what in HOOKS.items():
            if not callable(getattr(cls, hook, None)):
                raise TypeError(f"{cls.__name__} is a connection rule that lacks the hook {what}")
        of_pynn = next(each for each in cls.__mro__ if each.__module__ == upstream.__name__)
        _rules[cls] = cls
        if of_pynn is not upstream.Connector and of_pynn.__name__ == cls.__name__:
            _rules[of_pynn] = cls

    def connect(self, projection: Any) -> None:
        """Connect the cells of a projection."""
        if not connect_in_bulk(self, projection):
            projection._require_memory()
            self.by_column(projection)

    def by_column(self, projection: Any) -> None:
        """Connect them as PyNN does, with its random numbers."""
        super().connect(projection)  # type: ignore[misc]


def keeps_order(connector: Any) -> bool:
    """Whether that is so for the nearest rule, or class of PyNN, that a connector inherits from."""
    mro = type(connector).__mro__
    return next((_rules[cls].keeps_order for cls in mro if cls in _rules), False)


def check_connects(connector: upstream.Connector) -> None:
    """Raise NotImplementedError for a connector of a class without the method that connects."""
    cls = type(connector)
    if cls.connect is upstream.Connector.connect:
        raise NotImplementedError(
            f"{cls.__name__} is a connector that lacks the hook connect(projection): must have a "
            "method that makes the connections"
        )
