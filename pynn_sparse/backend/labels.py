"""Labels of populations and projections, which their parts of the network have, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .doors.arguments import check_label


class Label:
    """A label that is handed on to blocks or tables whenever it is set.

    Args:
        parts: what an object has in the network by now.
    """

    def __init__(self, parts: Callable[[Any], Iterable[Any]]) -> None:
        self._parts = parts

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        try:
            return instance.__dict__[self._name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__} has no {self._name} yet") from None

    def __set__(self, instance: Any, label: Any) -> None:
        # PyNN's constructor gives None before it thinks of a label.
        if label is not None or self._name in instance.__dict__:
            check_label(label)
        instance.__dict__[self._name] = label
        for part in self._parts(instance):
            part.label = label
