"""The step of a layer's neurons as a model, for each combination of switches.

State: `v`; `i`, the current, where there is a synapse; `over`, what a spike leaves for the next
step; and `clock`, the number of the layer's step, below 0 before the layer begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ...network.cells.definition import Definition
from .rule import Rule

RECEPTOR = "input"
# What neurons of any structure have, and other cell types do not.
LAYER_PARAMETERS = frozenset("decay gain constant bias v_start skew steps period".split())
MOST_SPIKES = 32  # of a neuron in a step
COUNTED = "lost"  # spikes beyond that, which must not be


@dataclass(frozen=True)
class Structure:
    """What makes a difference to the formulas.

    Attributes:
        spiking: whether there is a threshold.
        synapse: "", "decay_first" or "decay_last".
        fires: ">" or ">=", "" without a threshold.
        reset: as of `Rule`, or "none".
        spikes: "one" or "many".
        rounds: whether v and the current are whole multiples of a number.
    """

    spiking: bool
    synapse: str = ""
    fires: str = ""
    reset: str = "none"
    spikes: str = "one"
    rounds: bool = False

    @classmethod
    def of(cls, rule: Rule, spiking: bool, synapse: bool, resets: bool = True) -> Structure:
        """That of neurons, by a complete rule."""
        current = str(rule.current) if synapse else ""
        if not spiking:
            return cls(False, current, rounds=rule.rounds)
        reset = str(rule.reset) if resets else "none"
        spikes = str(rule.spikes) if resets else "one"
        return cls(True, current, str(rule.fires), reset, spikes, rule.rounds)


@lru_cache
def definition(structure: Structure) -> Definition:
    """The model of neurons with that structure."""
    words = [structure.synapse, structure.reset if structure.spiking else "", structure.spikes]
    name = "Spiking" if structure.spiking else "Integrating"
    name += "".join(word.title().replace("_", "") for word in words if word not in ("", "one"))
    name += "Whole" if structure.rounds else ""
    parameters = ["decay", "gain", "constant", "bias", "v_start", "skew", "steps", "period"]
    state = {"v": 0.0, "clock": -1.0}
    if structure.synapse:
        parameters += ["decay_syn", "jump"]
        state["i"] = 0.0
    if structure.spiking:
        parameters += ["threshold", "v_reset", "least_v"]
    if structure.rounds:
        parameters += ["whole"]
    if structure.reset in ("subtract_next", "blank"):
        state["over"] = 0.0
    if structure.spikes == "many":
        state[COUNTED] = 0.0
    return Definition(
        name=name,
        parameters=tuple(parameters),
        state=state,
        receptors={RECEPTOR: ""},
        inputs={"arrived": {RECEPTOR: 1.0}},
        initial={"v": "v_start", "clock": "-skew - 1"},
        program=_program(structure, state),
        infinite=("steps", "period", "least_v"),
    )


DEFAULTS = {
    "decay": 0.0,
    "gain": 1.0,
    "constant": 0.0,
    "bias": 0.0,
    "v_start": 0.0,
    "skew": 0.0,
    "steps": float("inf"),
    "period": float("inf"),
    "decay_syn": 0.0,
    "jump": 1.0,
    "threshold": 1.0,
    "v_reset": 0.0,
    "least_v": -float("inf"),
    "whole": 1.0,
}


def _program(structure: Structure, state: dict[str, float]) -> str:
    restart = ["clock = 0", "v = v_start"]
    restart += [f"{name} = 0" for name in ("i", "over") if name in state]
    lines = [
        "clock = clock + 1",
        "if clock >= period:",
        *_indented(restart),
        "if clock >= 0 and clock < steps:",
        *_indented(_step(structure)),
    ]
    return "\n".join(lines)


def _step(structure: Structure) -> list[str]:
    lines = ["u: float = arrived + current + bias"]
    drive = "i" if structure.synapse else "u"

    def rounded(name: str, formula: str) -> str:
        """What has the value of a formula, rounded towards 0 where numbers are whole."""
        if not structure.rounds:
            return formula
        lines.append(f"{name}: float = {formula} / whole")
        lines.append(f"{name} = whole * floor({name}) if {name} > 0 else -whole * floor(-{name})")
        return name

    if structure.synapse == "decay_first":
        left, added = rounded("left_of_i", "decay_syn * i"), rounded("added", "jump * u")
        lines += [f"i = {left} + {added}"]
    elif structure.synapse:
        lines += [f"i = {rounded('left_of_i', 'decay_syn * (i + jump * u)')}"]
    if structure.reset == "subtract_again":
        lines += ["again: float = 1 if v > threshold else 0"]
    lines += [f"v = {rounded('left', 'decay * v')} + gain * {drive} + constant"]
    if structure.reset == "subtract_next":
        lines += ["v = v - over * threshold", "over = 0"]
    if structure.reset == "blank":
        lines += ["if over > 0:", "    v = 0", "over = 0"]
    if structure.spiking:
        test = "v - again * threshold" if structure.reset == "subtract_again" else "v"
        lines += [f"if {test} {structure.fires} threshold:", *_indented(_spike(structure))]
        lines += ["v = max(v, least_v)"]
    return lines


def _spike(structure: Structure) -> list[str]:
    if structure.spikes == "many":
        # Nested, so that few comparisons are made where few spikes are fired.
        lines = ["n: float = floor(v / threshold)", "v = v - n * threshold"]
        lines += [f"if n > {MOST_SPIKES}:", f"    {COUNTED} = {COUNTED} + n - {MOST_SPIKES}"]
        for k in range(1, MOST_SPIKES + 1):
            lines += [f"if n >= {k}:", "    emit_spike()"]
        return lines
    resets = {
        "none": [],
        "value": ["v = v_reset"],
        "subtract": ["v = v - threshold"],
        "subtract_again": ["v = v - threshold"],
        "subtract_next": ["over = 1"],
        "blank": ["over = 1"],
    }
    return ["emit_spike()", *resets[structure.reset]]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
