"""Where arguments of the export are checked."""

from __future__ import annotations

from ..door import Door
from .errors import ExportError

door = Door(ExportError)
