"""Writes the C++ of a user's model: the header that built-in models have in `cuda/cells`."""

from __future__ import annotations

from collections.abc import Sequence

from ..expressions import Scope, user_function, variable
from .definition import CURRENT, STEP_LENGTH, TIME, WEIGHT, Definition
from .integration import Integrator


class Writer:
    """Writes the structure of a model in C++."""

    def __init__(self, definition: Definition) -> None:
        self.d = d = definition
        self._basic = {*d.parameters, *d.derived, *d.state, CURRENT, STEP_LENGTH}
        if d.program:
            self._basic |= {TIME}
        self._all = {*self._basic, *d.intermediates}
        self._arity = {name: len(each.arguments) for name, each in d.functions.items()}
        for name in d.equations:
            self._derivative(name)  # raises for what is no formula, which others take for granted
        self.integrator = Integrator(d, self._intermediates, self._derivative)

    def _scope(self, where: str, *more: str) -> Scope:
        return Scope({*self._all, *more}, f"{self.d.name}: {where}", self._arity)

    def _intermediates(self) -> list[str]:
        lines, known = [], set(self._basic)
        for name, formula in self.d.intermediates.items():
            written = Scope(known, f"{self.d.name}: {name}", self._arity).cpp(formula)
            lines.append(f"[[maybe_unused]] const double {variable(name)} = {written};")
            known.add(name)
        return lines

    def _derivative(self, name: str) -> str:
        return self._scope(f"d{name}/dt").cpp(self.d.equations[name])

    def _statements(self, where: str, text: str, *more: str) -> list[str]:
        """Statements in a block of their own, after what they may refer to."""
        if not text.strip():
            return []
        written = self._scope(where, *more).statements(text, list(self.d.state))
        return ["{", *self._intermediates(), *written, "}"]

    def _arrivals(self) -> list[str]:
        lines = []
        for k, (name, text) in enumerate(self.d.receptors.items()):
            body = self._statements(f"receptor {name}", text, WEIGHT)
            lines += ["{", f"const double {variable(WEIGHT)} = input[{k}];", *body, "}"]
        return lines

    def _sending(self, fires: str = "") -> list[str]:
        """What an event carries, for `sent`; where a condition holds, if there is one."""
        if not self.d.send:
            return []
        value = f"next_sent(s.sent, {self._scope('send').cpp(self.d.send)}, limit)"
        if fires:
            value = f"chosen({fires}, {value}, s.sent)"
        return ["{", *self._intermediates(), f"s.sent = {value};", "}"]

    def _emitting(self, names: Sequence[str]) -> list[str]:
        """A spike, or one where a variable is greater than 0, without a branch."""
        if not names:
            return ["++spikes;", *self._sending()]
        fires = f"({variable(names[0])} > 0)"
        return [f"spikes += {fires};", *self._sending(fires)]

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
            *self._sending(),
            *self._statements("reset", self.d.reset),
            "}",
        ]

    def _parts(self) -> list[str]:
        """A time step by equations, threshold and reset."""
        held = [
            f"if (s.refractory > 0) {variable(name)} = s.{variable(name)};" for name in self.d.held
        ]
        return [
            *self.integrator.integrate(list(self.d.equations)),
            *self._statements("update", self.d.update),
            *self._arrivals(),
            *held,
            *self._threshold(),
            "s.refractory = fires ? p.n_refractory : s.refractory > 0 ? s.refractory - 1 : 0.0;",
            "const int32 spikes = fires;",
        ]

    def _inputs(self) -> list[str]:
        place = {name: k for k, name in enumerate(self.d.receptors)}
        lines = []
        for name, factors in self.d.inputs.items():
            terms = [f"{factor!r} * input[{place[each]}]" for each, factor in factors.items()]
            lines.append(f"[[maybe_unused]] const double {variable(name)} = {' + '.join(terms)};")
        return lines

    def _program(self) -> list[str]:
        """A time step by statements."""
        d = self.d
        actions = {
            "integrate_odes": lambda names: self.integrator.integrate(names or list(d.equations)),
            "advance_convolutions": lambda _: [
                f"{variable(name)} = next_{name};" for name in d.convolutions
            ],
            "emit_spike": self._emitting,
        }
        scope = Scope({*self._basic, *d.inputs}, d.name, self._arity, actions)
        return [
            f"[[maybe_unused]] const double {variable(TIME)} = "
            f"double(now.step + 1) * {variable(STEP_LENGTH)};",
            *self._inputs(),
            *self.integrator.convolutions(),
            "int32 spikes = 0;",
            *scope.statements(d.program, list(d.state)),
            *(f"s.{variable(name)} = {scope.cpp(f)};" for name, f in d.outputs.items()),
        ]

    def _functions(self) -> list[str]:
        lines = []
        for name, function in self.d.functions.items():
            scope = Scope(function.arguments, f"{self.d.name}: {name}()", self._arity)
            arguments = ", ".join(f"double {variable(each)}" for each in function.arguments)
            lines += [
                f"DEVICE static double {user_function(name)}({arguments}) {{",
                *scope.statements(function.body, (), returns=True),
                "}",
            ]
        return lines

    def _step(self) -> list[str]:
        d = self.d
        given = (*d.parameters, *d.derived, STEP_LENGTH)
        return [
            *(
                f"[[maybe_unused]] const double {variable(name)} = p.{variable(name)};"
                for name in given
            ),
            *(f"double {variable(name)} = s.{variable(name)};" for name in d.state),
            *(self._program() if d.program else self._parts()),
            *(f"s.{variable(name)} = {variable(name)};" for name in d.state),
            "return spikes;",
        ]

    @property
    def extra_state(self) -> tuple[str, ...]:
        """Fields of the state besides the user's."""
        sent = ("sent",) if self.d.send else ()
        if not self.d.program:
            return "refractory", "integration", *sent
        return ("integration", *sent) if self.integrator.numeric else sent

    @property
    def extra_parameters(self) -> tuple[str, ...]:
        """Fields of the parameters besides the user's and what is derived from them."""
        return ("n_refractory",) if not self.d.program else ()

    def _graded(self) -> list[str]:
        graded = self.d.graded
        if graded is None:
            return []
        return [
            f"static constexpr double unit = {graded.unit!r}, limit = {graded.limit!r};",
            "DEVICE static double sent(const State& s) { return s.sent; }",
        ]

    def source(self) -> str:
        """The C++ of the model."""
        d = self.d
        step = self._step()  # before the parameters: it decides about propagators
        parameters = [
            *map(variable, (*d.parameters, *d.derived)),
            *self.integrator.propagators.fields,
            *self.extra_parameters,
            variable(STEP_LENGTH),
        ]
        state = [*map(variable, (*d.state, *d.outputs)), *self.extra_state]
        asked = "Now" if d.program else "Setting"  # programs may look at the time
        return "\n".join(
            [
                '#include "core/cell.h"',
                '#include "membranes/rkf45.h"',
                "template <class real>",
                f"struct {d.name} {{",
                "using scalar = double;",
                f"static constexpr int32 n_receptor = {len(d.receptors)};",
                "static constexpr bool substepped = false;",
                f"struct State {{ double {', '.join(state)}; }};",
                f"struct Params {{ double {', '.join(parameters)}; }};",
                *self._functions(),
                *self._graded(),
                f"DEVICE static int32 step([[maybe_unused]] const {asked}& now, const Params& p,",
                "    State& s, [[maybe_unused]] const double* input,",
                f"    [[maybe_unused]] double {variable(CURRENT)}) {{",
                *step,
                "}",
                "};",
                "",
            ]
        )
