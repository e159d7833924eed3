"""Connectors that draw nothing: all pairs of cells, pairs of the same number, and none."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from pynn_sparse.engine.building import connect

from ... import connectors as upstream
from . import arguments
from .arguments import Checked
from .bulk import MakeRows, not_connected
from .rule import Rule


class AllToAllConnector(Rule, upstream.AllToAllConnector):
    __doc__ = f"""{upstream.AllToAllConnector.__doc__}
    With allow_self_connections='NoMutual' a cell is connected neither to itself nor to a cell that
    is connected to it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = self._checked(args, kwargs)
        allowed = given.pop("allow_self_connections", True)
        # Upstream's constructor takes Booleans only, but its `connect` knows the word.
        upstream.AllToAllConnector.__init__(self, **given)
        self.allow_self_connections = allowed

    def expected(self, n_pre: int, n_post: int) -> float:
        """All pairs of cells."""
        return float(n_pre) * n_post

    def rows(self, projection: Any) -> MakeRows | None:
        """All pairs, but for those of a cell with itself."""
        if self.allow_self_connections == "NoMutual":
            return None
        n_pre, n_post = projection.shape
        skip = not_connected(self, projection)
        return partial(connect.all_to_all, n_pre, n_post, skip_self=skip)


class OneToOneConnector(Rule, upstream.OneToOneConnector):
    __doc__ = upstream.OneToOneConnector.__doc__
    # They are few, and the engine may draw Poisson sources at their targets.
    on_host = True

    def expected(self, n_pre: int, n_post: int) -> float:
        """As many as there are cells on both sides."""
        return float(min(n_pre, n_post))

    def rows(self, projection: Any) -> MakeRows:
        """Cell i to cell i."""
        return partial(connect.one_to_one, *projection.shape)

    def by_column(self, projection: Any) -> None:
        """Connect cell i to cell i, without looking at the pairs that are not connected."""
        n_pre, n_post = projection.shape
        same = ([i] if i < n_pre else [] for i in range(n_post))
        self._standard_connect(projection, lambda: same)


class SmallWorldConnector(Checked, upstream.SmallWorldConnector):
    """A connector that PyNN declares and no backend has. Raises NotImplementedError."""

    arguments: ClassVar = {"rewiring": arguments.probability}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._checked(args, kwargs)
        raise NotImplementedError(
            "SmallWorldConnector: PyNN only declares it; must be made otherwise, such as by "
            "networkx.watts_strogatz_graph, and given to FromListConnector or ArrayConnector"
        )
