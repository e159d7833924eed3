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
    """A step without branches, but for many spikes, so that loops over neurons vectorise."""
    lines = [
        "clock = clock + 1",
        "restarts: float = 1 if clock >= period else 0",
        "clock = 0 if restarts > 0 else clock",
        "v = v_start if restarts > 0 else v",
        *(f"{name} = 0 if restarts > 0 else {name}" for name in ("i", "over") if name in state),
        "works: float = 1 if clock >= 0 else 0",
        "works = works if clock < steps else 0",
    ]
    return "\n".join([*lines, *_Step(structure).lines])


class _Step:
    """Lines of a step, which changes nothing where `works` is 0."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.lines = ["u: float = arrived + current + bias"]
        drive = self._current() if structure.synapse else "u"
        if structure.reset == "subtract_again":
            self.lines += ["again: float = 1 if v > threshold else 0"]
        left = self._rounded("left", "decay * v")
        self.lines += [f"next_v: float = {left} + gain * {drive} + constant"]
        if structure.reset == "subtract_next":
            self.lines += ["next_v = next_v - over * threshold"]
        if structure.reset == "blank":
            self.lines += ["next_v = 0 if over > 0 else next_v"]
        if structure.spiking:
            self._spike()
        if structure.synapse:
            self._keep("i", "next_i")
        self._keep("v", "next_v")

    def _keep(self, name: str, value: str) -> None:
        self.lines += [f"{name} = {value} if works > 0 else {name}"]

    def _rounded(self, name: str, formula: str) -> str:
        """What has the value of a formula, rounded towards 0 where numbers are whole."""
        if not self.structure.rounds:
            return formula
        self.lines += [
            f"{name}: float = {formula} / whole",
            f"{name} = whole * floor({name}) if {name} > 0 else -whole * floor(-{name})",
        ]
        return name

    def _current(self) -> str:
        """The current after the step."""
        if self.structure.synapse == "decay_first":
            left = self._rounded("left_of_i", "decay_syn * i")
            added = self._rounded("added", "jump * u")
            self.lines += [f"next_i: float = {left} + {added}"]
        else:
            left = self._rounded("left_of_i", "decay_syn * (i + jump * u)")
            self.lines += [f"next_i: float = {left}"]
        return "next_i"

    def _spike(self) -> None:
        """Spikes, and what they leave."""
        kind, fires = self.structure.reset, self.structure.fires
        test = "next_v - again * threshold" if kind == "subtract_again" else "next_v"
        self.lines += [f"fires: float = works if {test} {fires} threshold else 0"]
        if self.structure.spikes == "many":
            self._many()
        else:
            self.lines += ["emit_spike(fires)"]
            if kind in ("subtract_next", "blank"):
                self._keep("over", "fires")
            elif kind != "none":
                after = "v_reset" if kind == "value" else "next_v - threshold"
                self.lines += [f"next_v = {after} if fires > 0 else next_v"]
        self.lines += ["next_v = max(next_v, least_v)"]

    def _many(self) -> None:
        # Nested, so that few comparisons are made where few spikes are fired.
        spikes = ["n: float = floor(next_v / threshold)", "next_v = next_v - n * threshold"]
        spikes += [f"if n > {MOST_SPIKES}:", f"    {COUNTED} = {COUNTED} + n - {MOST_SPIKES}"]
        for k in range(1, MOST_SPIKES + 1):
            spikes += [f"if n >= {k}:", "    emit_spike()"]
        self.lines += ["if fires > 0:", *(f"    {line}" for line in spikes)]
