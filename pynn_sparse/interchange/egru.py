"""Event-based gated recurrent units: their step, and the weights of trained layers.

Subramoney, Nazeer, Schöne, Mayr, Kappel (2023), "Efficient recurrent architectures through activity
sparsity and sparse back-propagation through time", ICLR, as the authors' program computes it
(evnn_pytorch 0.2.0): what a unit sends, y, is its state where that is above its threshold.

    z = sigmoid(W_z x_t + R_z y_{t-1} + b_z)
    r = sigmoid(W_r x_t + R_r y_{t-1} + b_r)
    g = tanh(W_g x_t + b_g + r (R_g y_{t-1} + b_h))
    c = z c_{t-1} + (1 - z) g
    y_t = c,  c_t = c - theta    where c > theta, else  y_t = 0,  c_t = c

The paper has the gate z the other way round, and takes the threshold once. A threshold is between 0
and 1, as in that program; then c is between -1 and 1, and so is y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError
from ..network.cells.definition import Definition
from ..network.model import Constraint, Graded

UNIT, LIMIT = 2.0**-20, 1.0  # of what units send
GATES = ("update", "reset", "candidate")  # the order of weights
RECURRENT = "recurrent"  # the receptor for the candidate's recurrent input, which r multiplies
RECEPTORS = (*GATES, RECURRENT)

_BETWEEN = Constraint(lambda x: (x >= 0) & (x <= 1), "between 0 and 1")
_STEPS = Constraint(lambda x: x >= 0, "0 or greater")
_PERIOD = Constraint(lambda x: x >= 1, "1 or greater")

# Without branches, so that the loop over units is vectorised.
_PROGRAM = """
clock = clock + 1
goes_on: float = 1 if clock < period else 0
clock = goes_on * clock
begun: float = 1 if clock >= 0 else 0
before: float = goes_on * c
z: float = 1 / (1 + exp(-(b_update + in_update)))
r: float = 1 / (1 + exp(-(b_reset + in_reset)))
h: float = b_recurrent + in_recurrent
g: float = 1 - 2 / (exp(2 * (b_candidate + in_candidate + r * h)) + 1)
after: float = zoneout * before + (1 - zoneout) * (z * before + (1 - z) * g)
c = after if begun > 0 else before
fires: float = begun if c > theta else 0
y = fires * c
trace = 0.9 * goes_on * trace + 0.1 * y
emit_spike(fires)
c = c - fires * theta
"""

DEFAULTS = {
    **{f"b_{name}": 0.0 for name in RECEPTORS},
    "theta": 0.3,
    "zoneout": 0.0,
    "skew": 0.0,
    "period": float("inf"),
}


def definition() -> Definition:
    """The model of the units."""
    return Definition(
        name="EGRU",
        parameters=tuple(DEFAULTS),
        state={"c": 0.0, "y": 0.0, "trace": 0.0, "clock": -1.0},
        receptors=dict.fromkeys(RECEPTORS, ""),
        inputs={f"in_{name}": {name: 1.0} for name in RECEPTORS},
        initial={"clock": "-skew - 1"},
        program=_PROGRAM,
        send="c",
        graded=Graded(UNIT, LIMIT),
        constraints={"theta": _BETWEEN, "zoneout": _BETWEEN, "skew": _STEPS, "period": _PERIOD},
        infinite=("period",),
    )


@dataclass(frozen=True)
class Layer:
    """A trained layer of n units with m inputs.

    Attributes:
        name: what its weights' names begin with; "egru" where they begin with nothing.
        kernel: W, float64 `[m, 3 n]`, of update, reset and candidate.
        recurrent_kernel: R, float64 `[n, 3 n]`.
        bias, recurrent_bias: float64 `[3 n]`.
        threshold: float64 `[n]`.
    """

    name: str
    kernel: NDArray[np.float64]
    recurrent_kernel: NDArray[np.float64]
    bias: NDArray[np.float64]
    recurrent_bias: NDArray[np.float64]
    threshold: NDArray[np.float64]

    @property
    def size(self) -> int:
        """n."""
        return len(self.threshold)

    @property
    def parameters(self) -> dict[str, NDArray[np.float64]]:
        """Those of the cells, `[n]` each."""
        given, recurrent = np.split(self.bias, 3), np.split(self.recurrent_bias, 3)
        return {
            "b_update": given[0] + recurrent[0],
            "b_reset": given[1] + recurrent[1],
            "b_candidate": given[2],
            "b_recurrent": recurrent[2],
            "theta": self.threshold,
        }


# Name of an array -> that of the authors' program, and of its `to_native_weights`, which are
# transposed.
NAMES = {
    "kernel": "weight_ih_l0",
    "recurrent_kernel": "weight_hh_l0",
    "bias": "bias_ih_l0",
    "recurrent_bias": "bias_hh_l0",
    "thr": "thr",
}


def layers_of(weights: Mapping[str, NDArray[Any]]) -> list[Layer]:
    """The layers of a state dictionary, in its order, each found by its recurrent weights.

    Names are those of evnn_pytorch's `EGRU`, after the name of a layer: kernel, recurrent_kernel,
    bias, recurrent_bias and thr, or weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 and thr with
    matrices [3 n, m]; gates are in the order update (z), reset (r), candidate. A threshold is
    brought between 0 and 1, as that program does before each pass.

    Raises `GraphError` where there is no layer, or an array is missing or has a wrong shape or
    values that are not finite.
    """
    found = []
    for name in weights:
        for key in (NAMES["recurrent_kernel"], "recurrent_kernel"):
            if name == key or name.endswith(f".{key}"):
                prefix = name.removesuffix(key)
                found.append(_layer(weights, prefix, native=key != "recurrent_kernel"))
    if not found:
        raise GraphError(
            "weights have no layer of EGRU: must have an array of numbers whose name ends in "
            f"recurrent_kernel or weight_hh_l0, but have {', '.join(weights) or 'none at all'}"
        )
    return found


def _layer(weights: Mapping[str, NDArray[Any]], prefix: str, native: bool) -> Layer:
    values = {}
    for name, other in NAMES.items():
        key = prefix + (other if native else name)
        if key not in weights:
            raise GraphError(
                f"{key} is missing, or no array: must be there, since a layer of EGRU has "
                f"arrays of numbers, {', '.join(NAMES)}"
            )
        values[name] = np.asarray(weights[key], np.float64)
        if native:
            values[name] = values[name].T
        if not np.isfinite(values[name]).all():
            raise GraphError(f"{key} has values that are not finite: must be finite numbers")
    n = values["recurrent_kernel"].shape[0] if values["recurrent_kernel"].ndim else 0
    m = values["kernel"].shape[0] if values["kernel"].ndim else 0
    shapes = {
        "recurrent_kernel": (n, 3 * n),  # which says how many units there are
        "kernel": (m, 3 * n),
        **dict.fromkeys(("bias", "recurrent_bias"), (3 * n,)),
        "thr": (n,),
    }
    for name, shape in shapes.items():
        if values[name].shape != shape or 0 in shape:
            key = prefix + (NAMES[name] if native else name)
            has = values[name].T.shape if native else values[name].shape
            wanted = shape[::-1] if native else shape
            raise GraphError(f"{key} has the shape {has}: must be {wanted} for {n} units")
    values["thr"] = np.clip(values["thr"], 0.0, 1.0)
    return Layer(prefix.removesuffix(".") or "egru", *values.values())
