"""Groups of cells: populations, views of them, and assemblies of both."""

from .assembly import Assembly
from .population import Population
from .view import PopulationView

__all__ = ["Assembly", "Population", "PopulationView"]
