"""What export raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ExportError(ValueError):
    """What was asked of the export cannot be done; says what would be valid."""


class DamagedTablesError(ExportError):
    """A folder of tables is not as it was written, or of another version."""


def accepting(name: str) -> str:
    """What to write to have an approximation accepted, in a script and in a command."""
    return f'accept=["{name}"] (--accept {name})'


@dataclass(frozen=True)
class Violation:
    """A limit of a target that a network does not keep.

    Attributes:
        where: label of the population or projection, or "network".
        what: the quantity, with how many are concerned.
        limit: what the target has.
        remedy: what to do.
        accept: name of the approximation that `lower(accept=...)` may allow, or "".
        stops: whether nothing can be said of further limits as long as this one is broken.
    """

    where: str
    what: str
    limit: str
    remedy: str
    accept: str = ""
    stops: bool = False

    def __str__(self) -> str:
        may = f"; or {accepting(self.accept)}" if self.accept else ""
        return f"{self.where}: {self.what}; limit: {self.limit}; remedy: {self.remedy}{may}"


class LimitsError(ExportError):
    """The network breaks limits of the target; `violations` has all of them."""

    def __init__(self, target: str, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        lines = "\n".join(f"  {violation}" for violation in violations)
        super().__init__(f"{len(violations)} limit(s) of {target} are broken:\n{lines}")
