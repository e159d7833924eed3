"""Neuron models that users define by formulas; the C++ of the step is written here.

In each time step: the equations are integrated (or the update is done), what arrived is taken up,
and then, if the neuron is not refractory, the threshold is looked at and the reset done. While it
is refractory, the variables that `held` names stay as they are.
"""

from __future__ import annotations

import hashlib
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import ModelError
from ..expressions import CONSTANTS, FUNCTIONS, Scope, variable
from ..model import Check, Model, Values
from ..time import TimeGrid
from .leaky import FIRST_STEP

CURRENT, STEP_LENGTH, WEIGHT = "current", "dt", "weight"
RESERVED = (CURRENT, STEP_LENGTH, WEIGHT, *CONSTANTS, *FUNCTIONS)
COUNTDOWN, INTEGRATION = "refractory steps", "integration step"  # no user's names: with spaces


@dataclass(frozen=True)
class Definition:
    """A user's model.

    Attributes:
        name: of the model.
        parameters: names.
        state: name -> initial value.
        intermediates: name -> formula of parameters, state, `current` (nA), `dt` (ms) and what
            comes before it.
        equations: state -> formula of its derivative, per ms; states without one only change by
            statements.
        update: statements done once a time step, instead of equations or after them.
        threshold: condition for a spike; "" for neurons that never fire.
        reset: statements done at a spike.
        receptors: name -> statements that take up `weight`, the sum of what arrived in a step.
        refractory: parameter that holds the refractory period (ms), "" for none.
        held: states that keep their value while the neuron is refractory.
        tolerance: of the integration, absolute and relative, in the units of the states.
        constraints: of parameters.
    """

    name: str
    parameters: tuple[str, ...]
    state: Mapping[str, float]
    intermediates: Mapping[str, str] = field(default_factory=dict)
    equations: Mapping[str, str] = field(default_factory=dict)
    update: str = ""
    threshold: str = ""
    reset: str = ""
    receptors: Mapping[str, str] = field(default_factory=dict)
    refractory: str = ""
    held: tuple[str, ...] = ()
    tolerance: float = 1e-6
    constraints: Mapping[str, Check] = field(default_factory=dict)


def user_model(definition: Definition) -> Model:
    """The model of a definition. Raises `ModelError` that names the part that is wrong."""
    _check_names(definition)
    source = _Writer(definition).source()
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    name = f"{definition.name}_{digest}"  # models of one name may differ
    extra = {COUNTDOWN: 0.0, INTEGRATION: FIRST_STEP}
    refractory = definition.refractory

    def derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
        steps = grid.at_least(p[refractory]).astype(float) if refractory else 0.0
        own = {each: p[each] for each in definition.parameters}
        return {**own, COUNTDOWN: steps, STEP_LENGTH: grid.dt}

    return Model(
        name=name,
        state={**definition.state, **extra},
        derived=(*definition.parameters, COUNTDOWN, STEP_LENGTH),
        derive=derive,
        receptors=tuple(definition.receptors),
        constraints=definition.constraints,
        recordable=tuple(definition.state),
        double_only=True,
        source=source.replace(f"struct {definition.name} ", f"struct {name} "),
    )


def _check_names(d: Definition) -> None:
    if not re.fullmatch(r"[A-Za-z]\w*", d.name, re.ASCII):
        raise ModelError(f"name = {d.name!r}: must be an identifier")
    if not d.state:
        raise ModelError(f"{d.name}: there are no state variables")
    seen: set[str] = set()
    for name in (*d.parameters, *d.state, *d.intermediates):
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or keyword.iskeyword(name):
            raise ModelError(f"{d.name}: {name!r} is not a name: must be an identifier")
        if name in RESERVED:
            raise ModelError(f"{d.name}: the name {name!r} has a meaning of its own")
        if name in seen:
            raise ModelError(f"{d.name}: the name {name!r} is used twice")
        seen.add(name)
    for part, names in (("equations", d.equations), ("held", d.held)):
        for name in names:
            if name not in d.state:
                raise ModelError(
                    f"{d.name}: {part}: {name!r} is not a state variable: {', '.join(d.state)}"
                )
    if d.refractory and d.refractory not in d.parameters:
        raise ModelError(
            f"{d.name}: refractory = {d.refractory!r}: must be the name of a parameter, of: "
            f"{', '.join(d.parameters)}"
        )
    if not d.tolerance > 0:
        raise ModelError(f"{d.name}: tolerance = {d.tolerance!r}: must be greater than 0")


class _Writer:
    """Writes the structure of a model in C++."""

    def __init__(self, definition: Definition) -> None:
        self.d = definition
        self._basic = {*definition.parameters, *definition.state, CURRENT, STEP_LENGTH}
        self._all = {*self._basic, *definition.intermediates}

    def _scope(self, where: str, *more: str) -> Scope:
        return Scope({*self._all, *more}, f"{self.d.name}: {where}")

    def _intermediates(self) -> list[str]:
        lines, known = [], set(self._basic)
        for name, formula in self.d.intermediates.items():
            written = Scope(known, f"{self.d.name}: {name}").cpp(formula)
            lines.append(f"[[maybe_unused]] const double {variable(name)} = {written};")
            known.add(name)
        return lines

    def _statements(self, where: str, text: str, *more: str) -> list[str]:
        """Statements in a block of their own, after what they may refer to."""
        if not text.strip():
            return []
        written = self._scope(where, *more).statements(text, list(self.d.state))
        return ["{", *self._intermediates(), *written, "}"]

    def _integration(self) -> list[str]:
        if not self.d.equations:
            return []
        names, n = list(self.d.equations), len(self.d.equations)
        ones = ", ".join(["1"] * n)
        return [
            f"double y[] = {{{', '.join(map(variable, names))}}};",
            f"constexpr double scale[] = {{{ones}}};",
            "const auto slopes = [&](const double* y, double* dydt) {",
            *(f"const double {variable(name)} = y[{k}];" for k, name in enumerate(names)),
            *self._intermediates(),
            *(
                f"dydt[{k}] = {self._scope(f'd{name}/dt').cpp(formula)};"
                for k, (name, formula) in enumerate(self.d.equations.items())
            ),
            "};",
            f"for (double t = 0; t < {variable(STEP_LENGTH)};)",
            f"  advance_adaptively<{n}>(slopes, scale, {{{self.d.tolerance!r}, "
            f"{self.d.tolerance!r}}}, {variable(STEP_LENGTH)}, t, s.integration, y);",
            *(f"{variable(name)} = y[{k}];" for k, name in enumerate(names)),
        ]

    def _arrivals(self) -> list[str]:
        lines = []
        for k, (name, text) in enumerate(self.d.receptors.items()):
            body = self._statements(f"receptor {name}", text, WEIGHT)
            lines += ["{", f"const double {variable(WEIGHT)} = input[{k}];", *body, "}"]
        return lines

    def _threshold(self) -> list[str]:
        if not self.d.threshold:
            return ["constexpr bool fires = false;"]
        condition = self._scope("threshold").cpp(self.d.threshold)
        return [
            "bool fires = false;",
            "{",
            *self._intermediates(),
            f"fires = s.refractory == 0 && {condition};",
            "}",
            "if (fires) {",
            *self._statements("reset", self.d.reset),
            "}",
        ]

    def _step(self) -> list[str]:
        state = [*self.d.state]
        held = [
            f"if (s.refractory > 0) {variable(name)} = s.{variable(name)};" for name in self.d.held
        ]
        return [
            *(f"const double {variable(name)} = p.{variable(name)};" for name in self.d.parameters),
            f"const double {variable(STEP_LENGTH)} = p.{variable(STEP_LENGTH)};",
            *(f"double {variable(name)} = s.{variable(name)};" for name in state),
            *self._integration(),
            *self._statements("update", self.d.update),
            *self._arrivals(),
            *held,
            *self._threshold(),
            "s.refractory = fires ? p.n_refractory : s.refractory > 0 ? s.refractory - 1 : 0.0;",
            *(f"s.{variable(name)} = {variable(name)};" for name in state),
            "return fires;",
        ]

    def source(self) -> str:
        """The header of the model."""
        names = [*map(variable, self.d.parameters), "n_refractory", variable(STEP_LENGTH)]
        state = [*map(variable, self.d.state), "refractory", "integration"]
        return "\n".join(
            [
                "#pragma once",
                '#include "cell.h"',
                '#include "rkf45.h"',
                "template <class real>",
                f"struct {self.d.name} {{",
                "using scalar = double;",
                f"static constexpr int32 n_receptor = {len(self.d.receptors)};",
                "static constexpr bool substepped = false;",
                f"struct State {{ double {', '.join(state)}; }};",
                f"struct Params {{ double {', '.join(names)}; }};",
                "DEVICE static int32 step(const Now&, const Params& p, State& s,",
                "    [[maybe_unused]] const double* input,",
                f"    [[maybe_unused]] double {variable(CURRENT)}) {{",
                *self._step(),
                "}",
                "};",
                "",
            ]
        )
