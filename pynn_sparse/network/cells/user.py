"""Neuron models that users define by formulas; the C++ of the step is written from them.

In each time step, unless the definition has a program of its own: the equations are integrated (or
the update is done), what arrived is taken up, and then, if the neuron is not refractory, the
threshold is looked at, what an event carries is computed, and the reset done. While it is
refractory, the variables that `held` names stay as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import ModelError, ParameterError
from ..evaluation import Function, callable_of, evaluate
from ..expressions import Scope
from ..model import NUMBER, SENT, Model, Values
from ..time import TimeGrid
from .definition import CURRENT, EMIT, STEP_LENGTH, Definition, check_names
from .leaky import FIRST_STEP
from .writer import Writer

__all__ = ["CURRENT", "Definition", "user_model"]

COUNTDOWN, INTEGRATION = "refractory steps", "integration step"  # no user's names: with spaces
STEPS = "steps"  # the function of host formulas


def user_model(definition: Definition) -> Model:
    """The model of a definition. Raises `ModelError` that names the part that is wrong."""
    d = definition
    check_names(d)
    _check_host_formulas(d)
    writer = Writer(d)
    source = writer.source()
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    name = f"{d.name}_{digest}"  # models of one name may differ
    names = {"refractory": COUNTDOWN, "integration": INTEGRATION, "sent": SENT}
    extra = {names[each]: FIRST_STEP * (each == "integration") for each in writer.extra_state}
    most = d.graded.most if d.graded else float(max(1, d.program.count(EMIT)))
    propagators = writer.integrator.propagators
    propagated = {each: f"propagator {each}" for each in propagators.fields}
    countdown = (COUNTDOWN,) if writer.extra_parameters else ()

    def derive(p: Values, grid: TimeGrid) -> dict[str, Any]:
        values = _derived(d, p, grid)
        factors = propagators.computed({**values, STEP_LENGTH: grid.dt}, grid.dt)
        steps = grid.at_least(p[d.refractory]).astype(float) if d.refractory else 0.0
        return {
            **{each: values[each] for each in (*d.parameters, *d.derived)},
            **{propagated[each]: value for each, value in factors.items()},
            **dict.fromkeys(countdown, steps),
            STEP_LENGTH: grid.dt,
        }

    def start(p: Values, grid: TimeGrid) -> dict[str, Any]:
        values = computed_values(d.initial, _derived(d, p, grid), d.functions, grid)
        return {each: values[each] for each in d.initial}

    def outputs(p: Values, grid: TimeGrid) -> dict[str, Any]:
        state = {each: p[each] for each in d.state}
        known = {**_derived(d, p, grid), **state, CURRENT: 0.0}
        values = computed_values(d.outputs, known, d.functions, grid)
        return {each: values[each] for each in d.outputs}

    return Model(
        name=name,
        state={**d.state, **dict.fromkeys(d.outputs, 0.0), **extra},
        derived=(*d.parameters, *d.derived, *propagated.values(), *countdown, STEP_LENGTH),
        derive=derive,
        start=start if d.initial else None,
        outputs=outputs if d.outputs else None,
        receptors=tuple(d.receptors),
        constraints={**dict.fromkeys(d.infinite, NUMBER), **d.constraints},
        infinite=d.infinite,
        recordable=(*d.state, *d.outputs),
        double_only=True,
        monotone=False,  # users' formulas may have poles and requirements
        most_spikes=lambda *_: most,
        graded=d.graded,
        source=source.replace(f"struct {d.name} ", f"struct {name} "),
    )


def _check_host_formulas(d: Definition) -> None:
    functions = {STEPS: 1, **{name: len(each.arguments) for name, each in d.functions.items()}}
    known = {*d.parameters, STEP_LENGTH}
    for name, formula in (*d.derived.items(), *d.requirements.items(), *d.initial.items()):
        Scope(known, f"{d.name}: {name}", functions).cpp(formula)
        known.add(name)
    unknown = [name for name in d.initial if name not in d.state]
    if unknown:
        raise ModelError(f"{d.name}: initial: {unknown[0]!r} is not a state variable")


def _derived(d: Definition, p: Values, grid: TimeGrid) -> dict[str, Any]:
    own = {each: p[each] for each in d.parameters}
    values = computed_values(d.derived, own, d.functions, grid)
    for text, formula in d.requirements.items():
        if not np.all(_evaluate(formula, values, d.functions, grid)):
            raise ParameterError(f"{d.name}: {text}: does not hold for these parameters")
    return values


def computed_values(
    formulas: Mapping[str, str],
    values: Mapping[str, Any],
    functions: Mapping[str, Function],
    grid: TimeGrid,
) -> dict[str, Any]:
    """`values`, and those of formulas of them and of what comes before."""
    known = dict(values)
    for name, formula in formulas.items():
        try:
            known[name] = _evaluate(formula, known, functions, grid)
        except (ModelError, ParameterError) as error:
            raise type(error)(f"{name}: {error}") from error
    return known


def _evaluate(
    formula: str, values: Mapping[str, Any], functions: Mapping[str, Function], grid: TimeGrid
) -> Any:
    own: dict[str, Any] = {STEPS: lambda x: grid.at_least(x).astype(float), STEP_LENGTH: grid.dt}
    for name, function in functions.items():
        own[name] = callable_of(name, function, own)
    return evaluate(formula, {**own, **values})
