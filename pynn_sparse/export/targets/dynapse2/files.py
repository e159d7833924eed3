"""``dynapse2.json``: tables of DYNAP-SE2 by the names that rockpool and samna have for them.

=================== ===================================================================
``neurons``         chip, core, neuron, population, cell; ``synapses`` and ``destinations``
                    have the fields of ``Dynapse2Synapse`` and ``Dynapse2Destination``
``inputs``          population, cell, and destinations of each source; ``later``, steps
                    that a spike is held back
``cores``           chip, core, fine values of the base currents, currents in ampere
=================== ===================================================================

Words that are empty are left out.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .subsets import BASES
from .words import CORES, FIRST_CHIP, SYNAPSES, WORDS

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
DENDRITES = {8: "ampa", 4: "gaba"}
# Of the chip's circuits, as in rockpool's ``lookup.defaults``: farad, volt.
CAPACITANCE = {"mem": 3e-12, "ampa": 24.5e-12, "gaba": 25e-12, "ref": 1.5e-12}
THERMAL_VOLTAGE, SLOPE, CUT_OFF = 25e-3, (0.75 + 0.66) / 2, 0.7
BASE_NAMES = [f"SYAM_W{k}_P" for k in range(BASES)]


def dynapse2_json(tables: Any) -> bytes:
    """The file."""
    table = {name: each.layout.decode(each.words) for name, each in tables.memories.items()}
    names = _names(tables)
    n, inputs = len(table["neurons"]["core"]), table["inputs"]
    neurons = []
    for index in range(n):
        core = int(table["neurons"]["core"][index])
        cam = np.arange(index * SYNAPSES, (index + 1) * SYNAPSES)
        sram = np.arange(index * WORDS, (index + 1) * WORDS)
        neurons.append(
            names[index]
            | {"chip": core // CORES, "core": core % CORES}
            | {"neuron": int(table["neurons"]["neuron"][index])}
            | {"synapses": _synapses(table["cam"], cam[table["cam"]["mask"][cam] != 0])}
            | {"destinations": _routes(table["sram"], sram[table["sram"]["cores"][sram] != 0])}
        )
    sources = [
        names[n + int(source)]
        | {"later": int(inputs["later"][word]), "destination": _routes(inputs, [word])[0]}
        for word, source in enumerate(inputs["source"])
    ]
    contents = {
        "interface_x": 0,
        "chip_x": [FIRST_CHIP + chip for chip in range(tables.target.chips)],
        "time_step_ms": tables.dt,
        "cores": _cores(tables),
        "inputs": sources,
        "neurons": neurons,
    }
    return (json.dumps(contents, sort_keys=True, allow_nan=False) + "\n").encode()


def _names(tables: Any) -> list[dict[str, Any]]:
    return [
        {"population": each.label, "cell": cell}
        for each in tables.frame.axons
        for cell in range(each.size)
    ]


def _synapses(cam: dict[str, Integers], words: Integers) -> list[dict[str, Any]]:
    return [
        {
            "tag": int(cam["tag"][word]),
            "weight": _bits(cam["mask"][word]),
            "dendrite": DENDRITES[int(cam["dendrite"][word])],
            "precise_delay": bool(cam["precise_delay"][word]),
            "mismatched_delay": bool(cam["mismatched_delay"][word]),
            "stp": bool(cam["stp"][word]),
        }
        for word in words
    ]


def _routes(sram: dict[str, Integers], words: Any) -> list[dict[str, Any]]:
    return [
        {
            "tag": int(sram["tag"][word]),
            "core": _bits(sram["cores"][word]),
            "x_hop": int(sram["x_hop"][word]),
            "y_hop": int(sram["y_hop"][word]),
        }
        for word in words
    ]


def _bits(mask: Any) -> list[bool]:
    return [bool(mask >> k & 1) for k in range(4)]


def _cores(tables: Any) -> list[dict[str, Any]]:
    """Of each core the fine values, and the currents of its time constants."""
    fixed, dt = tables.fixed, tables.dt
    registers, semantics = fixed.profiles, fixed.semantics
    current = semantics.amount(registers.current_decay, semantics.current_decay_offset)
    amounts = {
        "Itau_mem": ("mem", semantics.amount(registers.voltage_decay)),
        "Itau_ampa": ("ampa", current[:, 0]),
        "Itau_gaba": ("gaba", current[:, -1]),
    }
    currents = {
        name: THERMAL_VOLTAGE * CAPACITANCE[part] / (SLOPE * _tau(amount, dt))
        for name, (part, amount) in amounts.items()
    }
    return [
        {
            "chip": core // CORES,
            "core": core % CORES,
            "fine_value": {
                name: int(value)
                for name, value in zip(BASE_NAMES, registers.base[core], strict=True)
            },
            "ampere": {name: float(f"{each[core]:.6g}") for name, each in currents.items()}
            | _refractory(int(registers.refractory[core]) * dt * 1e-3),
        }
        for core in range(len(registers.bias))
    ]


def _tau(amount: Floats, dt: float) -> Floats:
    """Time constant, s, of a decay by this share in a step of dt ms."""
    return np.asarray(-dt * 1e-3 / np.log1p(-np.minimum(amount, 1 - 1e-12)))


def _refractory(period: float) -> dict[str, float]:
    """The current of a refractory period, s; none where there is none."""
    return {"Iref": float(f"{CUT_OFF * CAPACITANCE['ref'] / period:.6g}")} if period else {}
