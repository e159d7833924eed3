"""Groups of cells: populations, views of them, and assemblies of both."""

from .assembly import Assembly
from .population import Population
from .view import PopulationView

# PyNN's `Network.sim` takes the package that a population's module is in for the backend.
for each in (Assembly, Population, PopulationView):
    each.__module__ = __name__

__all__ = ["Assembly", "Population", "PopulationView"]
