"""User-defined neuron models, for every device from one definition."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import quantities as pq

from pynn_sparse.errors import ModelError
from pynn_sparse.network import Model
from pynn_sparse.network.cells.user import CURRENT, Definition, user_model
from pynn_sparse.network.model import Graded

from ..standardmodels import StandardCellType, build_translations
from .doors.checked import Checked
from .doors.checks import as_flag
from .doors.parameters import shown
from .doors.plain import NotNumbersError, number_of

Numbers = Mapping[str, Any]  # name -> number, or (number, unit)
MOST_LEVELS = 2**24  # of a value that an event carries, beside 0 and the sign


class NativeCell(Checked, StandardCellType):
    """What the cell types that `native_cell_type` makes have in common."""

    model: Model
    default_initial_values: dict[str, float]
    signed_receptors: tuple[str, ...] = ()
    weight_unit = "dimensionless"  # formulas of receptors say what weights are


def native_cell_type(
    name: str,
    *,
    parameters: Numbers,
    state: Numbers,
    equations: str = "",
    update: str = "",
    threshold: str = "",
    reset: str = "",
    send: str = "",
    unit: float | None = None,
    limit: float | None = None,
    receptors: Mapping[str, str] | None = None,
    refractory: str = "",
    held: tuple[str, ...] = (),
    conductance_based: bool = True,
    signed: tuple[str, ...] = (),
    tolerance: float = 1e-6,
) -> type[NativeCell]:
    """A cell type defined by formulas, compiled for the device at hand when it is first run.

    Its parameters can be set, and its state variables initialized and recorded, like those of any
    other cell type.

    Args:
        name: of the type.
        parameters: name -> default value, or (value, unit).
        state: name -> initial value, or (value, unit), of each variable.
        equations: lines `dv/dt = ...` per ms, and `x = ...` for what they have in common. Besides
            parameters and state variables, `current` is the injected current in nA and `dt` the
            time step in ms.
        update: assignments done once a time step, after integration.
        threshold: condition for a spike, looked at at the end of each time step.
        reset: assignments done at a spike.
        send: formula of the value that an event carries, by which the weights of its synapses are
            multiplied; it is computed before the reset. Without it, events are spikes. Recorded
            spike trains have the values as their array annotation `value`.
        unit: with `send`, the resolution of that value, which is rounded to the nearest multiple,
            half ones to even multiples. Sums of input are exact, and so the same on every device.
        limit: with `send`, the greatest size of that value, at most 2^24 times `unit`. A run in
            which it is exceeded raises `pynn_sparse.errors.EventOverflowError`.
        receptors: name -> assignments that take up `weight`, the sum of what arrives in a time
            step; by default there are none.
        refractory: the parameter that is the refractory period, in ms.
        held: state variables that do not change while the neuron is refractory.
        conductance_based: whether weights are conductances; if not, those of a receptor called
            inhibitory are negative.
        signed: receptors that take weights of both signs, in one projection.
        tolerance: absolute and relative, of the adaptive integration (Fehlberg's method of orders 4
            and 5), in the units of the state variables.

    Raises `pynn_sparse.errors.ModelError`, a ValueError, for what is not a model.
    """
    if not isinstance(name, str):
        raise ModelError(f"native_cell_type: name = {shown(name)}: must be a string")
    texts = {"equations": equations, "update": update, "reset": reset}
    texts |= {"threshold": threshold, "refractory": refractory, "send": send}
    for option, text in texts.items():
        if not isinstance(text, str):
            raise ModelError(f"{name}: {option} = {shown(text)}: must be a string")
    if receptors is None:
        receptors = {}
    mappings = {"parameters": parameters, "state": state, "receptors": receptors}
    for option, mapping in mappings.items():
        if not isinstance(mapping, Mapping) or not all(isinstance(each, str) for each in mapping):
            raise ModelError(f"{name}: {option} = {shown(mapping)}: must be a dict by name")
    for each, text in receptors.items():
        if not isinstance(text, str):
            raise ModelError(f"{name}: receptors: {each} = {shown(text)}: must be a string")
    if not are_names(held):
        raise ModelError(f"{name}: held = {shown(held)}: must be a tuple of state variables")
    unknown = [each for each in signed if each not in receptors] if are_names(signed) else [signed]
    if unknown:
        raise ModelError(
            f"{name}: signed = {shown(signed)}: must be a tuple of receptors, of: "
            f"{', '.join(receptors)}"
        )
    graded = _graded(name, send, unit, limit)
    tolerance = checked_tolerance(name, tolerance)
    conductance_based = checked_kind(name, conductance_based)
    intermediates, derivatives = _parsed(name, equations)
    values = {
        part: numbers_given(name, part, given)
        for part, given in (("parameters", parameters), ("state", state))
    }
    definition = Definition(
        name=name,
        parameters=tuple(values["parameters"][0]),
        state=values["state"][0],
        intermediates=intermediates,
        equations=derivatives,
        update=update,
        threshold=threshold,
        reset=reset,
        receptors=dict(receptors),
        refractory=refractory,
        held=tuple(held),
        tolerance=tolerance,
        send=send,
        graded=graded,
    )
    units = values["parameters"][1] | values["state"][1]
    return cell_type(
        definition,
        values["parameters"][0],
        units,
        conductance_based=conductance_based,
        injectable=CURRENT in equations + update,
        signed=tuple(signed),
    )


def are_names(names: Any) -> bool:
    """Whether it is a tuple or list of strings."""
    return isinstance(names, (tuple, list)) and all(isinstance(each, str) for each in names)


def _graded(name: str, send: str, unit: Any, limit: Any) -> Graded | None:
    """What is said of values that events carry. Raises ModelError."""
    given = {"unit": unit, "limit": limit}
    if not send.strip():
        for option, value in given.items():
            if value is not None:
                raise ModelError(
                    f"{name}: {option} = {shown(value)}: is that of a value, and there is no `send`"
                )
        return None
    numbers = {}
    for option, value in given.items():
        try:
            numbers[option] = number_of(value)
        except NotNumbersError:
            numbers[option] = math.nan
        if not 0 < numbers[option] < math.inf:
            raise ModelError(
                f"{name}: {option} = {shown(value)}: must be a number above 0, where events carry "
                f"a value (send = {send!r})"
            )
    levels = numbers["limit"] / numbers["unit"]
    if not 1 <= levels <= MOST_LEVELS:
        raise ModelError(
            f"{name}: limit = {shown(limit)}: must be from 1 to {MOST_LEVELS} times the unit, "
            f"{numbers['unit']:g}"
        )
    return Graded(**numbers)


def checked_tolerance(name: str, tolerance: Any) -> float:
    """The tolerance of adaptive integration. Raises ModelError."""
    try:
        number = number_of(tolerance)
    except NotNumbersError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ModelError(f"{name}: tolerance = {shown(tolerance)}: must be a number above 0")
    return number


def checked_kind(name: str, conductance_based: Any) -> bool:
    """Whether weights are conductances. Raises ModelError."""
    try:
        return as_flag("conductance_based", conductance_based)
    except TypeError as error:
        raise ModelError(f"{name}: {error}") from error


def cell_type(
    definition: Definition,
    defaults: Mapping[str, float],
    units: Mapping[str, str],
    *,
    conductance_based: bool,
    injectable: bool,
    initial: Mapping[str, float] | None = None,
    signed: tuple[str, ...] = (),
) -> type[NativeCell]:
    """The cell type of a definition; `initial` are initial values for default parameters.

    Weights of the receptors `signed` may have both signs.
    """
    recordable = (*definition.state, *definition.outputs)
    attributes = {
        "__doc__": f"{definition.name}, a user-defined model.",
        "model": user_model(definition),
        "default_parameters": dict(defaults),
        "default_initial_values": dict(initial or definition.state),
        "units": {name: units.get(name, "") for name in (*defaults, *recordable)},
        "recordable": ["spikes", *recordable],
        "receptor_types": tuple(definition.receptors),
        "translations": build_translations(*((each, each) for each in defaults)),
        "conductance_based": conductance_based,
        "injectable": injectable,
        "signed_receptors": signed,
    }
    return type(definition.name, (NativeCell,), attributes)


def numbers_given(name: str, part: str, given: Numbers) -> tuple[dict[str, float], dict[str, str]]:
    """Values and units of a part of a model. Raises ModelError for what is no number."""
    values, units = {}, {}
    for each, value in given.items():
        number, unit = value if isinstance(value, tuple) and len(value) == 2 else (value, "")
        must = "must be a finite number, or (number, unit) with a unit of the package quantities"
        try:
            values[each] = number_of(number)
        except NotNumbersError as error:
            raise ModelError(f"{name}: {part}: {each} = {shown(value)}: {must}") from error
        if not (math.isfinite(values[each]) and _is_unit(unit)):
            raise ModelError(f"{name}: {part}: {each} = {shown(value)}: {must}")
        units[each] = unit
    return values, units


def _is_unit(unit: Any) -> bool:
    try:
        return isinstance(unit, str) and (not unit or bool(pq.unit_registry[unit]))
    except Exception:  # of several kinds
        return False


def _parsed(name: str, equations: str) -> tuple[dict[str, str], dict[str, str]]:
    """Formulas of intermediate values, and of derivatives, by name."""
    intermediates: dict[str, str] = {}
    derivatives: dict[str, str] = {}
    for line in filter(None, (each.split("#")[0].strip() for each in equations.splitlines())):
        left, equals, formula = line.partition("=")
        derivative = re.fullmatch(r"d(\w+)\s*/\s*dt\s*", left)
        plain = re.fullmatch(r"(\w+)\s*", left)
        if not equals or formula.startswith("=") or not (derivative or plain):
            raise ModelError(f"{name}: equations: {line!r}: must be dv/dt = ... or x = ...")
        which = derivatives if derivative else intermediates
        target = (derivative or plain)[1]  # type: ignore[index]
        if target in which:
            raise ModelError(f"{name}: equations: {left.strip()} is given twice")
        which[target] = formula
    return intermediates, derivatives
