"""What a neuron model of a user's consists of, and whether its names make sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import ModelError
from ..evaluation import Function
from ..expressions import CONSTANTS, FUNCTIONS, check_identifiers, check_model_name
from ..model import Check, Graded

CURRENT, STEP_LENGTH, WEIGHT = "current", "dt", "weight"
TIME = "t"  # in `program` only
EMIT = "emit_spike("
RESERVED = (CURRENT, STEP_LENGTH, WEIGHT, *CONSTANTS, *FUNCTIONS)


@dataclass(frozen=True)
class Definition:
    """A user's model.

    A time step is either what `update`, `threshold` and `reset` say, or `program`.

    Attributes:
        name: of the model.
        parameters: names.
        state: name -> initial value.
        intermediates: name -> formula of parameters, state, `current` (nA), `dt` (ms) and what
            comes before it, for use in `equations`.
        equations: state -> formula of its derivative, per ms; states without one only change by
            statements.
        exact: whether linear equations with constant coefficients are solved exactly.
        update: statements done once a time step, instead of equations or after them.
        threshold: condition for a spike; "" for neurons that never fire.
        reset: statements done at a spike.
        receptors: name -> statements that take up `weight`, the sum of what arrived in a step.
        refractory: parameter that holds the refractory period (ms), "" for none.
        held: states that keep their value while the neuron is refractory.
        tolerance: of the integration, absolute and relative, in the units of the states.
        constraints: of parameters.
        send: formula of what an event carries, before the reset; "" for spikes.
        graded: resolution and limit of that value.

        program: statements of a whole time step, at whose end it is `t` ms. They may call
            `integrate_odes(x, ...)`, of all equations or of some states', the others being
            constant; `advance_convolutions()`; and `emit_spike()`, or `emit_spike(x)` to fire where
            the variable x is greater than 0, which the compiler can vectorise.
        derived: name -> formula of parameters, `dt` and what comes before it, computed when
            parameters are set. Besides `functions` there is `steps(x)`, the number of time steps
            that last x ms.
        initial: state -> formula, as those of `derived`, of its initial value.
        convolutions: states whose equations are solved over every step, whatever `program` does;
            their new values take effect by `advance_convolutions()`.
        inputs: name -> {receptor: factor}, for the sum of what arrived; for use in `program`.
        outputs: name -> formula that is computed at the end of a step, to be recorded.
        functions: name -> function that formulas may call.
        requirements: text -> condition, of what `derived` may use and gives, that must hold.
        infinite: parameters that may be infinite.
    """

    name: str
    parameters: tuple[str, ...]
    state: Mapping[str, float]
    intermediates: Mapping[str, str] = field(default_factory=dict)
    equations: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False
    update: str = ""
    threshold: str = ""
    reset: str = ""
    receptors: Mapping[str, str] = field(default_factory=dict)
    refractory: str = ""
    held: tuple[str, ...] = ()
    tolerance: float = 1e-6
    constraints: Mapping[str, Check] = field(default_factory=dict)
    send: str = ""
    graded: Graded | None = None
    program: str = ""
    derived: Mapping[str, str] = field(default_factory=dict)
    initial: Mapping[str, str] = field(default_factory=dict)
    convolutions: tuple[str, ...] = ()
    inputs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    requirements: Mapping[str, str] = field(default_factory=dict)
    infinite: tuple[str, ...] = ()


def check_names(d: Definition) -> None:
    """Raise `ModelError` for a name that is none, is used twice, or does not exist."""
    check_model_name(d.name)
    if not d.state:
        raise ModelError(f"{d.name}: there are no state variables")
    own = *d.parameters, *d.derived, *d.state, *d.intermediates, *d.inputs
    check_identifiers(d.name, own, RESERVED)
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
    if d.send and d.program.count(EMIT) > 1:
        raise ModelError(
            f"{d.name}: emit_spike comes more than once: a step sends one graded event"
        )
    if not d.tolerance > 0:
        raise ModelError(f"{d.name}: tolerance = {d.tolerance!r}: must be greater than 0")
