"""How the equations of a user's model are integrated over a time step, in C++.

Equations that are linear are solved exactly, if the definition wants that. All others are
integrated adaptively, and with them the linear ones that they depend on, whose values within the
step they need.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..expressions import variable
from ..linear import CONSTANT, Form, LinearSystem, linear_form, uses
from .definition import CURRENT, STEP_LENGTH, TIME, Definition


def exact_system(d: Definition) -> LinearSystem:
    """The equations that can be solved exactly, independent of all others."""
    variables = {*d.state, CURRENT, TIME}
    rows: dict[str, Form] = {}
    for name, formula in d.equations.items() if d.exact else ():
        form = linear_form(formula, variables, d.intermediates)
        if form is not None:
            rows[name] = form
    while True:
        others = {TIME, *(name for name in d.equations if name not in rows)}
        kept = {name: form for name, form in rows.items() if not others & form.keys()}
        if len(kept) == len(rows):
            return LinearSystem(rows)
        rows = kept


class Propagators:
    """The factors of exact solutions: fields of the kernel's parameters."""

    def __init__(self, system: LinearSystem) -> None:
        self.system = system
        self._fields: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of all of them."""
        return tuple(f"x{k}" for k in range(sum(map(len, self._fields.values()))))

    def new_value(self, name: str, active: Collection[str]) -> str:
        """A variable's value after a step in which `active` ones change, in C++."""
        reached = self.system.reached(name, active)
        key = name, tuple(sorted({name, *reached} & set(active)))
        if key not in self._fields:
            first = len(self.fields)
            self._fields[key] = {each: f"x{first + k}" for k, each in enumerate(reached)}
        terms = [] if name in reached else [variable(name)]
        for each, number in self._fields[key].items():
            terms.append(f"p.{number}" + ("" if each == CONSTANT else f" * {variable(each)}"))
        total = " + ".join(terms)
        if self.system.is_timer(name, active):
            return f"zero_if_near({total}, {variable(STEP_LENGTH)})"
        return total

    def computed(self, values: Mapping[str, Any], h: float) -> dict[str, Any]:
        """Their values, for values of parameters and what is derived from them."""
        result = {}
        for (name, active), numbers in self._fields.items():
            factors = self.system.propagators(name, active, values, h)
            result.update({numbers[each]: factor for each, factor in factors.items()})
        return result


class Integrator:
    """Writes the integration of equations."""

    def __init__(
        self,
        definition: Definition,
        intermediates: Callable[[], list[str]],
        derivative: Callable[[str], str],
    ) -> None:
        self.d = definition
        self.propagators = Propagators(exact_system(definition))
        self.exact = tuple(self.propagators.system.rows)
        self.numeric = tuple(name for name in definition.equations if name not in self.exact)
        self._intermediates, self._derivative = intermediates, derivative

    def convolutions(self) -> list[str]:
        """Their values at the end of the step, as constants."""
        return self._new_values(self.d.convolutions, self.d.convolutions)

    def integrate(self, wanted: Collection[str]) -> list[str]:
        """Integration of some equations; the others' variables but convolutions are constant."""
        wanted = [name for name in wanted if name not in self.d.convolutions]
        changing = [*wanted, *self.d.convolutions]
        exact = [name for name in wanted if name in self.exact]
        return [
            "{",
            *self._new_values(exact, changing),
            *self._adaptive([name for name in wanted if name in self.numeric], changing),
            *(f"{variable(name)} = next_{name};" for name in exact),
            "}",
        ]

    def _new_values(self, names: Collection[str], active: Collection[str]) -> list[str]:
        return [
            f"const double next_{name} = {self.propagators.new_value(name, active)};"
            for name in names
        ]

    def _needed(self, numeric: list[str], changing: list[str]) -> list[str]:
        """The numeric variables, and linear ones that they depend on."""
        needed, todo = list(numeric), list(numeric)
        while todo:
            names = uses(self.d.equations[todo.pop(0)], self.d.intermediates)
            new = [name for name in changing if name in names and name not in needed]
            needed += new
            todo += new
        return needed

    def _adaptive(self, numeric: list[str], changing: list[str]) -> list[str]:
        if not numeric:
            return []
        names = self._needed(numeric, changing)
        n, step, tolerance = len(names), variable(STEP_LENGTH), repr(self.d.tolerance)
        return [
            f"double y[] = {{{', '.join(map(variable, names))}}};",
            f"constexpr double scale[] = {{{', '.join(['1'] * n)}}};",
            "const auto slopes = [&](const double* y, double* dydt) {",
            *(f"const double {variable(name)} = y[{k}];" for k, name in enumerate(names)),
            *self._intermediates(),
            *(f"dydt[{k}] = {self._derivative(name)};" for k, name in enumerate(names)),
            "};",
            "int32 left = kMostSteps;",
            f"for (double t = 0; t < {step};)",
            f"  advance_adaptively<{n}>(slopes, scale, {{{tolerance}, {tolerance}}}, {step}, t, "
            "s.integration, left, y);",
            *(f"{variable(name)} = y[{names.index(name)}];" for name in numeric),
        ]
