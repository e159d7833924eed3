"""Rules of synapses by formulas, and each as a plain statement of what spikes do in their order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyNN.sparse as sim

LIMITS = {"w_min": 0.05, "w_max": 1.0}
PAIR = {"tau_plus": (15.0, "ms"), "tau_minus": (25.0, "ms"), "A_plus": 0.05, "A_minus": 0.04}
Names = dict[str, Any]


def pair(**more: Any) -> Any:
    """Additive plasticity by all pairs of spikes, or with `nearest` by nearest ones."""
    return sim.native_synapse_type(
        "Pair",
        parameters=PAIR | LIMITS,
        pre_traces={"x": "tau_plus"},
        post_traces={"y": "tau_minus"},
        on_post="weight += A_plus * (w_max - w_min) * x",
        on_pre="weight -= A_minus * (w_max - w_min) * y",
        limits=("w_min", "w_max"),
        **more,
    )


# Pfister and Gerstner (2006), with parameters of their order of magnitude.
TRIPLET = PAIR | {"tau_x": (101.0, "ms"), "tau_y": (114.0, "ms"), "A3_plus": 0.06, "A3_minus": 0.01}


def triplet() -> Any:
    """Plasticity by pairs and triplets of spikes, as NEST's stdp_triplet_synapse."""
    return sim.native_synapse_type(
        "Triplet",
        parameters=TRIPLET | LIMITS,
        pre_traces={"r1": "tau_plus", "r2": "tau_x"},
        post_traces={"o1": "tau_minus", "o2": "tau_y"},
        on_post="weight += r1 * (A_plus + A3_plus * o2)",
        on_pre="weight -= o1 * (A_minus + A3_minus * r2)",
        limits=("w_min", "w_max"),
    )


def eligible() -> Any:
    """Pairs leave an eligibility, of which the weight takes its part in the course of time."""
    return sim.native_synapse_type(
        "Eligible",
        parameters=PAIR | LIMITS | {"tau_c": (50.0, "ms"), "rate": 0.02},
        state={"c": 0.0, "n": 0.0},
        pre_traces={"x": "tau_plus"},
        post_traces={"y": "tau_minus"},
        between="""
            left: float = exp(-elapsed / tau_c)
            weight += rate * tau_c * c * (1 - left)
            c *= left
        """,
        on_post="c += A_plus * x",
        on_pre="""
            c -= A_minus * y
            if interval < 20:
                n += 1
        """,
        limits=("w_min", "w_max"),
    )


@dataclass
class Course:
    """One synapse, event by event, in Python's numbers; `p` are parameters.

    `rule` names what spikes do; states are attributes of `s`.
    """

    rule: str
    p: Names
    weight: float
    s: Names = field(default_factory=lambda: {"c": 0.0, "n": 0.0})

    def limit(self, old: float) -> None:
        if self.weight != old:
            self.weight = min(max(self.weight, self.p["w_min"]), self.p["w_max"])

    def post(self, pre: Callable[[str], float], post: Callable[[str], float]) -> None:
        """`pre` and `post` give what is left of past spikes, by the name of a time constant."""
        p, old = self.p, self.weight
        if self.rule in ("Pair", "Nearest"):
            self.weight += p["A_plus"] * (p["w_max"] - p["w_min"]) * pre("tau_plus")
        elif self.rule == "Triplet":
            self.weight += pre("tau_plus") * (p["A_plus"] + p["A3_plus"] * post("tau_y"))
        else:
            self.s["c"] += p["A_plus"] * pre("tau_plus")
        self.limit(old)

    def pre(
        self, pre: Callable[[str], float], post: Callable[[str], float], interval: float
    ) -> None:
        p, old = self.p, self.weight
        if self.rule in ("Pair", "Nearest"):
            self.weight -= p["A_minus"] * (p["w_max"] - p["w_min"]) * post("tau_minus")
        elif self.rule == "Triplet":
            self.weight -= post("tau_minus") * (p["A_minus"] + p["A3_minus"] * pre("tau_x"))
        else:
            self.s["c"] -= p["A_minus"] * post("tau_minus")
            self.s["n"] += interval < 20
        self.limit(old)

    def elapse(self, elapsed: float) -> None:
        if self.rule == "Eligible" and elapsed > 0:
            old, left = self.weight, math.exp(-elapsed / self.p["tau_c"])
            self.weight += self.p["rate"] * self.p["tau_c"] * self.s["c"] * (1 - left)
            self.s["c"] *= left
            self.limit(old)

    def run(
        self, pre: Sequence[int], post: Sequence[int], until: int, dt: float, since: int = 0
    ) -> float:
        """Spikes by the steps in which they come to the synapse, ascending."""
        now = since
        nearest = self.rule == "Nearest"

        def left(spikes: Sequence[int], at: int) -> Callable[[str], float]:
            past = [each for each in spikes if each < at][-1 if nearest else 0 :]
            return lambda tau: sum(math.exp(-(at - each) * dt / self.p[tau]) for each in past)

        for at in sorted({each for each in (*pre, *post) if since < each <= until}):
            self.elapse((at - now) * dt)
            now = at
            if at in post:
                self.post(left(pre, at), left(post, at))
            if at in pre:
                before = [each for each in pre if each < at]
                interval = (at - before[-1]) * dt if before else math.inf
                self.pre(left(pre, at), left(post, at), interval)
        self.elapse((until - now) * dt)
        return self.weight


REWARDED = PAIR | {"tau_c": (200.0, "ms"), "tau_n": (50.0, "ms"), "b": 0.01}


def rewarded() -> Any:
    """Pairs of spikes leave an eligibility, which dopamine makes a change of the weight.

    Izhikevich (2007), doi:10.1093/cercor/bhl152, as NEST's stdp_dopamine_synapse: the change per ms
    is the eligibility times what dopamine exceeds its baseline `b` by, integrated exactly.
    """
    return sim.native_synapse_type(
        "Rewarded",
        parameters=REWARDED | LIMITS,
        state={"c": 0.0},
        pre_traces={"x": "tau_plus"},
        post_traces={"y": "tau_minus"},
        modulator_traces={"n": "tau_n"},
        between="""
            rate: float = 1 / tau_c + 1 / tau_n
            weight += c * (n / tau_n * (1 - exp(-elapsed * rate)) / rate
                           - b * tau_c * (1 - exp(-elapsed / tau_c)))
            c *= exp(-elapsed / tau_c)
        """,
        on_post="c += A_plus * x",
        on_pre="c -= A_minus * y",
        limits=("w_min", "w_max"),
    )
