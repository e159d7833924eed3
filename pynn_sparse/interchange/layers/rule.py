"""How neurons are stepped: what files of parameters in continuous time do not say.

A step is, with the input u that arrives in it, and a constant:

    i = decay_syn * i + jump * u   (or decay_syn * (i + jump * u)); without a synapse, i = u
    v = decay * v + gain * i + constant
    a spike if v > v_threshold (or v >= v_threshold), and the reset
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...door import Door, is_integer, is_number
from ...errors import GraphError
from .graph import Neurons

door = Door(GraphError)
Numbers = Mapping[str, NDArray[np.float64]]

# Switch -> the words that it may have, and whether it may be a number instead.
CHOICES: dict[str, tuple[tuple[Any, ...], bool]] = {
    "decay": (("euler", "exponential"), False),
    "gain": (("file", "one", "one_minus_decay"), True),
    "jump": (("file", "one"), True),
    "current": (("decay_first", "decay_last"), False),
    "fires": ((">", ">="), False),
    "reset": (("value", "subtract", "subtract_next", "subtract_again", "blank"), False),
    "spikes": (("one", "many"), False),
    "leak": (("file", "none"), False),
    "v_start": (("v_leak", "v_reset"), True),
    "least_v": (("none", "minus_threshold"), True),
    "output_delay": ((0, 1), False),
    "whole": (("none",), True),
}
# How the switches are explained where one is missing.
MEANINGS = {
    "dt": "how long a step lasts, in the unit of the file's times",
    "decay": "what is left after a step: 'euler', 1 - dt/tau, or 'exponential', exp(-dt/tau)",
    "gain": "what input adds to v: 'file', r dt/tau, or 'one', or 'one_minus_decay', or a number",
    "jump": "what input adds to the current: 'file', w_in dt/tau_syn, or 'one', or a number",
    "current": "whether the current decays before input is added ('decay_first'), or after",
    "fires": "whether a neuron fires at v '>' or '>=' its threshold",
    "reset": "what a spike does to v: 'value', it becomes v_reset; 'subtract', the threshold is "
    "taken away at once; 'subtract_next', in the next step; 'subtract_again', at once, and once "
    "more in the next step if v is still above; 'blank', v is 0 in the next step, whatever arrives",
    "spikes": "whether a neuron fires 'one' spike in a step, or 'many'",
    "leak": "whether v_leak is used ('file') or taken for 0 ('none')",
    "v_start": "v before the first step: 'v_leak', 'v_reset' or a number",
    "least_v": "the least v: 'none', 'minus_threshold' or a number",
    "output_delay": "steps between a spike and its effect on the next layer, 0 or 1",
}
# What NIR's equations mean by what other programs do otherwise.
UNLIKE_NIR = {"fires": ">", "reset": "value", "spikes": "one", "output_delay": 0, "whole": "none"}
# Names of `step_of`.
NUMBERS = tuple(
    "decay gain constant decay_syn jump v_start threshold v_reset least_v whole".split()
)
INTEGRATORS = ("I", "IF")  # v does not leak
CUBA = ("CubaLI", "CubaLIF")
DECAYS = 4096  # what is left after a step, in units of what there was, where numbers are whole


@dataclass(frozen=True)
class Rule:
    """How neurons are stepped; `None` is for what nobody has said.

    Attributes:
        dt: how long a step lasts, in the unit of the graph's times (s in NIR).
        decay: "euler", 1 - dt/tau is left of v after a step (and 1 - dt/tau_syn of the current), or
            "exponential", exp(-dt/tau).
        gain: factor of the input to v: "file", r dt/tau (r dt for IF and I); "one";
            "one_minus_decay"; or a number.
        jump: factor of the input to the current: "file", w_in dt/tau_syn; "one"; or a number.
        current: "decay_first", the current decays, and then input is added; "decay_last", input is
            added, and then both decay. v sees the current after that.
        fires: ">" or ">=".
        reset: "value": v becomes v_reset. "subtract": the threshold is taken from v at once, or
            "subtract_next", in the next step, after v decayed. "subtract_again": at once, and where
            v was still above the threshold, the next step's test is done after a second
            subtraction. "blank": in the next step v is 0, and its input is lost.
        spikes: "one" spike in a step at most; or "many", as often as the threshold goes into v.
        leak: "file", v decays to v_leak; "none", to 0.
        v_start: v before the first step: "v_leak", "v_reset" (each 0 for neurons without it) or a
            number.
        least_v: v is at least this after the reset: "none", "minus_threshold" or a number.
        output_delay: how many steps a spike comes later to other layers and outputs, 0 or 1.
        whole: "none", or a number of which v and the current are whole multiples: what is left of
            them, and what input adds to the current, is rounded to one, towards 0; decays have 12
            binary digits.
    """

    dt: float | None = None
    decay: str | None = None
    gain: str | float | None = None
    jump: str | float | None = None
    current: str | None = None
    fires: str | None = None
    reset: str | None = None
    spikes: str | None = None
    leak: str | None = None
    v_start: str | float | None = None
    least_v: str | float | None = None
    output_delay: int | None = None
    whole: str | float = "none"

    def __post_init__(self) -> None:
        if self.dt is not None:
            must = f"a number above 0, {MEANINGS['dt']}"
            door.number("dt", self.dt, must, lambda number: number > 0)
        for name, (words, number) in CHOICES.items():
            value = getattr(self, name)
            word = (isinstance(value, str) or is_integer(value)) and value in words
            if not (word or value is None) and not (number and is_number(value)):
                more = " or a number" if number else ""
                raise door.refused(name, value, f"one of {', '.join(map(repr, words))}{more}")
        if self.rounds and float(self.whole) <= 0:
            raise door.refused("whole", self.whole, "'none' or a number above 0")

    def with_switches(self, switches: Mapping[str, Any]) -> Rule:
        """With some that are said anew; None is not said. Raises GraphError for unknown names."""
        names = [each.name for each in fields(self)]
        for name in switches:
            if name not in names:
                raise GraphError(f"{name!r} is no switch of a rule: must be of {', '.join(names)}")
        return replace(self, **{name: v for name, v in switches.items() if v is not None})

    @property
    def rounds(self) -> bool:
        """Whether v and the current are whole multiples of a number."""
        return not isinstance(self.whole, str)

    def missing(self, neurons: Neurons) -> list[str]:
        """What such neurons need that is not said."""
        needed = {"dt", "fires", "reset", "spikes", "least_v", "v_start", "output_delay"}
        if not neurons.spiking:
            needed = {"dt", "v_start"}
        if neurons.kind == "Threshold":
            needed = {"fires", "output_delay"}
        else:
            needed |= {"gain"}
        if neurons.kind not in (*INTEGRATORS, "Threshold"):
            needed |= {"decay", "leak"}
        if neurons.kind in CUBA:
            needed |= {"jump", "current"}
        return [name for name in MEANINGS if name in needed and getattr(self, name) is None]


def step_of(rule: Rule, neurons: Neurons) -> dict[str, NDArray[np.float64]]:
    """Numbers of a step, each of the shape of the neurons' values.

    Times and r of files are often of single precision, so that 1 comes out as 0.99999994. What is
    as near as that to a number of 16 binary digits is taken for it: ties between v and threshold
    are then what they were.

    Raises GraphError for a time constant that is no time, or is too short for dt.
    """
    found = _by_values(rule, neurons)
    return found | {name: np.asarray(each) for name, each in neurons.exact.items() if name in found}


def _by_values(rule: Rule, neurons: Neurons) -> dict[str, NDArray[np.float64]]:
    p = {name: np.asarray(value) for name, value in neurons.values.items()}
    kind, dt = neurons.kind, rule.dt
    single = any(value.dtype.itemsize < 8 for value in p.values())
    zero = np.zeros(())

    def tidy(value: Any) -> NDArray[np.float64]:
        return nearby(np.asarray(value, np.float64), 2.0**-21 if single else 2.0**-48)

    if kind == "Threshold":
        step = {"decay": zero, "gain": zero + 1.0, "constant": zero, "threshold": p["threshold"]}
        return step | {"v_reset": zero, "v_start": zero, "least_v": zero - np.inf}
    assert dt is not None
    r = np.asarray(p["r"], np.float64)
    v_leak = np.asarray(p.get("v_leak", zero), np.float64)
    v_reset = np.asarray(p.get("v_reset", zero), np.float64)
    if kind in INTEGRATORS:
        decay, literal = zero + 1.0, r * dt
    else:
        tau = _time(p, "tau_mem" if kind in CUBA else "tau", dt, rule)
        decay, literal = tidy(_decay(tau, dt, rule)), r * dt / tau
    gains = {"file": literal, "one": zero + 1.0, "one_minus_decay": 1.0 - decay}
    gain = tidy(_chosen(rule.gain, gains))
    step = {"decay": decay, "gain": gain}
    step["constant"] = (1.0 - decay) * v_leak if rule.leak == "file" else zero
    if kind in CUBA:
        tau_syn = _time(p, "tau_syn", dt, rule)
        step["decay_syn"] = tidy(_decay(tau_syn, dt, rule))
        w_in = np.asarray(p["w_in"], np.float64)
        jumps = {"file": w_in * dt / tau_syn, "one": zero + 1.0}
        step["jump"] = tidy(_chosen(rule.jump, jumps))
    if rule.rounds:
        step["whole"] = np.full((), float(rule.whole))
    starts = {"v_leak": v_leak, "v_reset": v_reset}
    step["v_start"] = _chosen(rule.v_start, starts)
    if neurons.spiking:
        step["threshold"] = threshold = np.asarray(p["v_threshold"], np.float64)
        least = {"none": zero - np.inf, "minus_threshold": -threshold}
        step["v_reset"] = v_reset
        step["least_v"] = _chosen(rule.least_v, least)
    return step


def _chosen(switch: str | float | None, meanings: Numbers) -> NDArray[np.float64]:
    """The numbers that a switch stands for."""
    assert switch is not None
    return meanings[switch] if isinstance(switch, str) else np.full((), float(switch))


def _time(p: Numbers, name: str, dt: float, rule: Rule) -> NDArray[np.float64]:
    """A time constant that a step of dt can be taken with."""
    tau = np.asarray(p[name], np.float64)
    if not (tau > 0).all():
        raise GraphError(f"{name} = {tau[~(tau > 0)].flat[0]:g}: must be above 0")
    if rule.decay == "euler" and (tau < dt * (1 - 1e-6)).any():
        raise GraphError(
            f"{name} = {tau.min():g}: is shorter than dt = {dt:g}, so that 1 - dt/{name} is below "
            "0; dt is another one, or the file has times in another unit"
        )
    return tau


def _decay(tau: NDArray[np.float64], dt: float, rule: Rule) -> NDArray[np.float64]:
    left = np.maximum(1.0 - dt / tau, 0.0) if rule.decay == "euler" else np.exp(-dt / tau)
    return np.rint(left * DECAYS) / DECAYS if rule.rounds else left


def nearby(value: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """The number of 16 binary digits that is within a relative tolerance, or else the same."""
    mantissa, exponent = np.frexp(value)
    short = np.ldexp(np.round(np.ldexp(mantissa, 16)), exponent - 16)
    return np.where(np.abs(short - value) <= tolerance * np.abs(value), short, value)
