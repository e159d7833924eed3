"""Rules of synapses that users define by formulas; the C++ of the structure is written from them.

Spikes of both sides are taken up in the order in which they come to the synapse, as
`cuda/synapses/formulas.h` says.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ModelError, ParameterError
from ..evaluation import evaluate
from ..expressions import (
    CONSTANTS,
    FUNCTIONS,
    Scope,
    check_identifiers,
    check_model_name,
    variable,
)
from ..model import POSITIVE, Values
from ..time import TimeGrid
from .dynamics import MOST_COLUMNS, MOST_STATES, MOST_VARIABLES, Dynamics, Trace, Traces

WEIGHT, STEP_LENGTH, INTERVAL, ELAPSED, SPIKES = "weight dt interval elapsed spikes".split()
RESERVED = (WEIGHT, STEP_LENGTH, INTERVAL, ELAPSED, SPIKES, "delay", *CONSTANTS, *FUNCTIONS)


@dataclass(frozen=True)
class Definition:
    """A rule of a user's.

    Attributes:
        name: of the rule.
        parameters: names.
        state: name -> value at time 0, of variables of each synapse.
        pre_traces, post_traces: name -> parameter that is its time constant (ms).
        nearest: those traces that follow the last spike alone.
        modulator_traces: the same for a population whose spikes modulate the synapses.
        post_variables: the target's, to be read by `on_pre`.
        on_pre, on_post: statements done at a spike of the source and of the target.
        on_modulator: statements done at `spikes` of the modulator that come at the same time.
        between: statements done before these, for the `elapsed` ms since the last spike.
        transmit: formula of what a spike transmits; "" for the weight.
        most: how many times the weight that is at most.
        limits: parameters between which the weight is kept; () where it does not change.
        requirements: text -> condition on parameters that must hold.
    """

    name: str
    parameters: tuple[str, ...]
    state: Mapping[str, float] = field(default_factory=dict)
    pre_traces: Mapping[str, str] = field(default_factory=dict)
    post_traces: Mapping[str, str] = field(default_factory=dict)
    nearest: tuple[str, ...] = ()
    modulator_traces: Mapping[str, str] = field(default_factory=dict)
    post_variables: tuple[str, ...] = ()
    on_pre: str = ""
    on_post: str = ""
    on_modulator: str = ""
    between: str = ""
    transmit: str = ""
    most: float = 1.0
    limits: tuple[str, ...] = ()
    requirements: Mapping[str, str] = field(default_factory=dict)

    @property
    def modulated(self) -> bool:
        """Whether there is a population that modulates the synapses."""
        return bool(self.modulator_traces or self.on_modulator.strip())


def rule_of_formulas(definition: Definition) -> Dynamics:
    """The dynamics of a definition. Raises `ModelError` that names the part that is wrong."""
    d = definition
    _check(d)
    written = _Writer(d).source()
    digest = hashlib.sha256(written.encode()).hexdigest()[:7]
    kind = f"{d.name}_{digest}"  # its number, see `number_of`; rules of one name may differ
    taus = tuple(dict.fromkeys(_traces(d).values()))

    def of(values: Values, named: Mapping[str, str]) -> Traces:
        return tuple(
            Trace(float(np.max(values[tau])), name in d.nearest) for name, tau in named.items()
        )

    def traces(values: Values) -> tuple[Traces, Traces]:
        return of(values, d.pre_traces), of(values, d.post_traces)

    def modulation(values: Values) -> Traces:
        return of(values, d.modulator_traces)

    def check_all(values: Values) -> None:
        _check_common(d.name, values, taus)
        if d.limits:
            _check_limits(values, *d.limits)
        for text, formula in d.requirements.items():
            if not np.all(evaluate(formula, dict(values))):
                raise ParameterError(f"{d.name}: {text}: does not hold for these parameters")

    def derive(values: Values, grid: TimeGrid) -> dict[str, Any]:
        return {**{name: values[name] for name in d.parameters}, STEP_LENGTH: grid.dt}

    return Dynamics(
        name=d.name,
        parameters=d.parameters,
        columns=(*d.parameters, STEP_LENGTH),
        derive=derive,
        kinds=(kind,),
        state=dict(d.state),
        constraints=dict.fromkeys(taus, POSITIVE),
        check_all=check_all,
        learns=True,
        traces=traces,
        modulation=modulation if d.modulated else None,
        post_variables=d.post_variables,
        limits=d.limits,
        greatest_weight=lambda values: float(np.max(values[d.limits[1]])) if d.limits else 0.0,
        most=lambda values: d.most,
        source=written.replace(f"struct {d.name} ", f"struct {kind} "),
    )


def _check_common(rule: str, values: Values, taus: tuple[str, ...]) -> None:
    """Traces belong to neurons, so that all synapses of a projection share them."""
    for name in taus:
        low, high = np.min(values[name], initial=np.inf), np.max(values[name], initial=-np.inf)
        if low < high:
            raise ParameterError(
                f"{name} = {low:g} .. {high:g}: must be one number for all connections, since it "
                f"is the time constant of a trace of {rule}"
            )


def _check_limits(values: Values, lower: str, upper: str) -> None:
    low, high = np.broadcast_arrays(values[lower], values[upper])
    bad = ~((low >= 0) & (low < high))
    if bad.any():
        raise ParameterError(
            f"{lower} = {low[bad][0]:g}, {upper} = {high[bad][0]:g}: must be 0 <= {lower} < "
            f"{upper}; the sign of inhibitory currents is put in by the backend"
        )


def _traces_of(d: Definition) -> tuple[str, ...]:
    return (*d.pre_traces, *d.post_traces, *d.modulator_traces)


def _traces(d: Definition) -> dict[str, str]:
    """All traces, with their time constants."""
    return {**d.pre_traces, **d.post_traces, **d.modulator_traces}


def _check(d: Definition) -> None:
    """Raise `ModelError` for names that are none, are used twice, or do not exist."""
    check_model_name(d.name)
    own = *d.parameters, *d.state, *_traces_of(d), *d.post_variables
    check_identifiers(d.name, own, RESERVED)
    traces = _traces(d)
    for name, tau in traces.items():
        _check_among(f"{d.name}: the time constant of the trace {name}", tau, d.parameters)
    for name in d.nearest:
        _check_among(f"{d.name}: nearest", name, {**d.pre_traces, **d.post_traces})
    for name in d.limits:
        _check_among(f"{d.name}: limits", name, d.parameters)
    for what, n, most in (
        ("parameters", len(d.parameters), MOST_COLUMNS - 1),
        ("state variables", len(d.state), MOST_STATES),
        ("post_variables", len(d.post_variables), MOST_VARIABLES),
    ):
        if n > most:
            raise ModelError(f"{d.name}: {n} {what}: must be at most {most}")
    statements = d.on_pre, d.on_post, d.on_modulator, d.between
    changes = any(WEIGHT in _assigned(text) for text in statements)
    if changes and len(d.limits) != 2:
        raise ModelError(
            f"{d.name}: limits = {d.limits!r}: must be the names of two parameters between which "
            "the weight stays, such as ('w_min', 'w_max'), since the weight changes"
        )
    if not changes and d.limits:
        raise ModelError(
            f"{d.name}: limits = {d.limits!r}: nothing changes the weight: must be left out"
        )


def _check_among(what: str, name: str, known: Any) -> None:
    if name not in known:
        Scope(known, what).cpp(name)  # raises, with what was meant
        raise ModelError(f"{what}: {name!r} must be one of {', '.join(known)}")


def _assigned(text: str) -> set[str]:
    """Names that statements assign; none where they are no statements."""
    try:
        tree = ast.parse(inspect.cleandoc(text))
    except SyntaxError:
        return set()
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


class _Writer:
    """Writes the structure of a rule in C++."""

    def __init__(self, definition: Definition) -> None:
        self.d = definition
        self._basic = (WEIGHT, STEP_LENGTH, *definition.parameters, *definition.state)
        self._of_side = {
            "source": definition.pre_traces,
            "target": definition.post_traces,
            "modulator": definition.modulator_traces,
        }
        self._column = {
            name: number for number, name in enumerate((*definition.parameters, STEP_LENGTH))
        }

    def _parameters(self) -> list[str]:
        return [
            f"[[maybe_unused]] const double {variable(name)} = e.parameter({number});"
            for name, number in self._column.items()
        ]

    def _states(self, constant: str = "") -> list[str]:
        return [
            f"[[maybe_unused]] {constant}double& {variable(name)} = state[{number}];"
            for number, name in enumerate(self.d.state)
        ]

    def _traces(self, sides: Iterable[str]) -> list[str]:
        return [
            f"[[maybe_unused]] const double {variable(name)} = {side}[{number}];"
            for side in sides
            for number, name in enumerate(self._of_side[side])
        ]

    def _variables(self) -> list[str]:
        return [
            f"[[maybe_unused]] const double {variable(name)} = e.variable({number});"
            for number, name in enumerate(self.d.post_variables)
        ]

    def _function(
        self,
        name: str,
        text: str,
        sides: tuple[str, ...],
        more: tuple[str, ...] = (),
        variables: tuple[str, ...] = (),
    ) -> list[str]:
        """Statements as a function; they may use traces of `sides`, and the numbers `more`."""
        traces = [each for side in sides for each in self._of_side[side]]
        known = {*self._basic, *more, *traces, *variables}
        scope = Scope(known, f"{self.d.name}: {name}")
        body = scope.statements(text, (WEIGHT, *self.d.state)) if text.strip() else []
        arguments = [
            "const Event& e",
            f"double& {variable(WEIGHT)}",
            "double* state",
            *(f"const double* {side}" for side in sides),
            *(f"double {variable(each)}" for each in more),
        ]
        before = [*self._parameters(), *self._states(), *self._traces(sides)]
        before += self._variables() if variables else []
        return [
            "template <class Event>",
            f"DEVICE static void {name}(",
            ",\n".join(f"[[maybe_unused]] {each}" for each in arguments),
            ") {",
            *(before if body else []),
            *body,
            "}",
        ]

    def _limit(self) -> list[str]:
        weight = variable(WEIGHT)
        low, high = (self._column[name] for name in self.d.limits) if self.d.limits else (0, 0)
        lines = [
            f"const double low = e.parameter({low}), high = e.parameter({high});",
            f"if ({weight} > high) {weight} = high;",
            f"if ({weight} < low) {weight} = low;",
        ]
        return [
            "template <class Event>",
            "DEVICE static void limit([[maybe_unused]] const Event& e, "
            f"[[maybe_unused]] double& {weight}) {{",
            *(lines if self.d.limits else []),
            "}",
        ]

    def _transmitted(self) -> list[str]:
        weight, formula = variable(WEIGHT), self.d.transmit.strip()
        lines = [f"return {weight};"]
        if formula:
            written = Scope(self._basic, f"{self.d.name}: transmit").cpp(formula)
            lines = [
                *self._parameters(),
                *self._states("const "),
                f"const double value = {written}, most = {self.d.most!r} * {weight};",
                "return value > most ? most : value < 0 ? 0.0 : value;",
            ]
        return [
            "template <class Event>",
            "DEVICE static double transmitted([[maybe_unused]] const Event& e, "
            f"[[maybe_unused]] double {weight}, [[maybe_unused]] const double* state) {{",
            *lines,
            "}",
        ]

    def _numbers(self) -> list[str]:
        d = self.d

        def flag(value: bool) -> str:
            return "true" if value else "false"

        def bits(traces: Mapping[str, str]) -> int:
            return sum(1 << number for number, name in enumerate(traces) if name in d.nearest)

        return [
            f"static constexpr int32 n_state = {len(d.state)}, n_source = {len(d.pre_traces)}, "
            f"n_target = {len(d.post_traces)}, n_modulator = {len(d.modulator_traces)};",
            f"static constexpr uint32 nearest_source = {bits(d.pre_traces)}, "
            f"nearest_target = {bits(d.post_traces)};",
            f"static constexpr bool has_between = {flag(bool(d.between.strip()))}, "
            f"modulated = {flag(d.modulated)};",
        ]

    def source(self) -> str:
        """The C++ of the rule."""
        d, every = self.d, ("source", "target", "modulator")
        return "\n".join(
            [
                '#include "synapses/formulas.h"',
                f"struct {d.name} {{",
                *self._numbers(),
                "template <class Event>",
                "DEVICE static double step(const Event& e) { "
                f"return e.parameter({self._column[STEP_LENGTH]}); }}",
                *self._function("between", d.between, ("modulator",), (ELAPSED,)),
                *self._function("on_modulator", d.on_modulator, ("modulator",), (SPIKES,)),
                *self._function("on_post", d.on_post, every),
                *self._function("on_pre", d.on_pre, every, (INTERVAL,), d.post_variables),
                *self._limit(),
                *self._transmitted(),
                "};",
                "",
            ]
        )
