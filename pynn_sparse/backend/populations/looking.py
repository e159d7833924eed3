"""Methods of populations, views and assemblies that PyNN has, with their arguments checked."""

from __future__ import annotations

from typing import Any

from ...core import deprecated
from .. import simulator
from ..doors.arguments import TEMPLATE_ENGINE, check_description, check_file, check_name
from ..doors.checks import as_flag
from ..doors.parameters import shown

DEFAULT = object()  # the template that a class has of its own


class Looking:
    """What does not change cells, and PyNN's old names for what does."""

    def get_spike_counts(self, gather: bool = True) -> Any:
        """Number of spikes of each cell; see `pyNN.common.BasePopulation`."""
        return super().get_spike_counts(as_flag("gather", gather))  # type: ignore[misc]

    def mean_spike_count(self, gather: bool = True) -> float:
        """Mean number of spikes of a cell; see `pyNN.common.BasePopulation`."""
        counts = self.get_spike_counts(as_flag("gather", gather))
        return sum(counts.values()) / len(counts) if counts else 0.0

    def find_units(self, variable: Any) -> Any:
        """Units of a variable or parameter, by its name; see `pyNN.common.BasePopulation`."""
        name = getattr(variable, "name", variable)
        check_name("variable", name)
        groups = getattr(self, "populations", [self])
        found = {group.celltype.units.get(name) for group in groups}
        if len(found) != 1 or None in found:
            known = sorted(set.intersection(*(set(each.celltype.units) for each in groups)))
            raise ValueError(f"variable = {shown(name)}: must be one of {', '.join(known)}")
        return found.pop()

    def describe(self, template: Any = DEFAULT, engine: Any = "default") -> Any:
        """A description of the cells; see `pyNN.common.BasePopulation.describe`."""
        check_description(None if template is DEFAULT else template, engine)
        given = {} if template is DEFAULT else {"template": template}
        try:
            return super().describe(**given, engine=engine)  # type: ignore[misc]
        except KeyError as error:
            raise ValueError(f"engine = {shown(engine)}: must be {TEMPLATE_ENGINE}") from error

    def save_positions(self, file: Any) -> None:
        """Write the cells' positions to a file; see `pyNN.common.BasePopulation`."""
        check_file(file)
        if simulator.state.mpi_rank == 0:  # PyNN has other processes empty the file, at any time
            super().save_positions(file)  # type: ignore[misc]
        else:  # which may be drawn at random, and have to be on all
            _ = self.positions  # type: ignore[attr-defined]

    @deprecated("set(parametername=value_array)")  # type: ignore[untyped-decorator]
    def tset(self, parametername: str, value_array: Any) -> None:
        """Set a parameter to a value for each cell."""
        check_name("parametername", parametername)
        self.set(**{parametername: value_array})  # type: ignore[attr-defined]

    @deprecated("set(parametername=rand_distr)")  # type: ignore[untyped-decorator]
    def rset(self, parametername: str, rand_distr: Any) -> None:
        """Set a parameter to values that are drawn from a distribution."""
        check_name("parametername", parametername)
        self.set(**{parametername: rand_distr})  # type: ignore[attr-defined]
