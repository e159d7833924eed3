"""Files of RANC, from the memories of the target `truenorth`.

``csram_NNN.mem`` and ``tc_NNN.mem`` are read by the cores' ``$readmemb``, and numbered by place in
the grid; ``ranc.json`` has the parameters of its Verilog. `simulator_input` is what its C++
simulator reads, and `packets` what a host sends for spikes of sources.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...hardware import Memory
from ...nets.layout import Layout, Limbs
from .map import TYPES
from .words import LEAK_BITS, POTENTIAL_BITS, WEIGHT_BITS, Grid

Integers = NDArray[np.int64]
TICKS = 16  # slots of a scheduler


def ranc_files(memories: Mapping[str, Memory], axons: int, columns: int) -> dict[str, bytes]:
    """Name -> contents."""
    files = {}
    for name, memory, size in (
        ("csram", memories["csram"], columns),
        ("tc", memories["types"], axons),
    ):
        lines = _binary(memory.words, memory.layout.width)
        for core in range(len(lines) // size):
            text = "\n".join([*lines[core * size : (core + 1) * size], ""])
            files[f"{name}_{core:03d}.mem"] = text.encode()
    parameters = ranc_parameters(memories, axons, columns)
    files["ranc.json"] = (json.dumps(parameters, indent=1) + "\n").encode()
    return files


def _binary(words: Limbs, width: int) -> list[str]:
    """A text of binary digits for each word."""
    octets = np.ascontiguousarray(words[:, ::-1]).astype(">u8").view(np.uint8)
    bits = np.unpackbits(octets.reshape(len(words), -1), axis=1)[:, -width:] + np.uint8(ord("0"))
    return [row.tobytes().decode() for row in bits]


def _grid(memories: Mapping[str, Memory], columns: int) -> Grid:
    return Grid.of(len(memories["csram"].words) // columns)


def ranc_parameters(memories: Mapping[str, Memory], axons: int, columns: int) -> dict[str, int]:
    """Parameters of RANC's ``RANCNetworkGrid``."""
    grid, width = _grid(memories, columns), memories["csram"].layout
    dy, dx = width.lsb("dy"), width.lsb("dx")
    return {
        "GRID_DIMENSION_X": grid.x,
        "GRID_DIMENSION_Y": grid.y,
        "OUTPUT_CORE_X_COORDINATE": grid.x - 1,
        "OUTPUT_CORE_Y_COORDINATE": grid.y - 1,
        "NUM_OUTPUTS": axons,
        "NUM_NEURONS": columns,
        "NUM_AXONS": axons,
        "NUM_TICKS": TICKS,
        "NUM_WEIGHTS": TYPES,
        "NUM_RESET_MODES": 2,
        "POTENTIAL_WIDTH": POTENTIAL_BITS,
        "WEIGHT_WIDTH": WEIGHT_BITS,
        "LEAK_WIDTH": LEAK_BITS,
        "THRESHOLD_WIDTH": POTENTIAL_BITS,
        "DX_MSB": width.lsb("reset_mode") - 1,
        "DX_LSB": dx,
        "DY_MSB": dx - 1,
        "DY_LSB": dy,
    }


def packets(memories: Mapping[str, Memory], events: Integers, first_source: int) -> Integers:
    """What a host sends for spikes of sources: step, core, axon and tick, [n, 4].

    Packets of step s are sent after tick s has begun, and before tick s + 1.

    Args:
        memories: of the tables; the host needs `inputs`.
        events: (step, axon of the network), [m, 2].
        first_source: axon of the first source, the number of neurons.
    """
    inputs = memories["inputs"].layout.decode(memories["inputs"].words)
    spikes = np.unique(events, axis=0)
    begin, end = (
        np.searchsorted(inputs["source"], spikes[:, 1] - first_source, side)
        for side in ("left", "right")
    )
    count = end - begin
    entry = np.arange(count.sum()) + np.repeat(begin - (np.cumsum(count) - count), count)
    step = np.repeat(spikes[:, 0], count)
    return np.column_stack([step, *(inputs[name][entry] for name in ("core", "axon", "tick"))])


def simulator_input(
    tables: Any, events: Integers, steps: int, trace: bool = False
) -> dict[str, dict[str, Any]]:
    """Contents of ``input.json`` and ``config.json`` for RANC's C++ simulator.

    Its line t of spikes has those that the output bus got in tick t.

    Args:
        tables: of the target `truenorth`.
        events: (step, axon) of the sources' spikes, see `Tables.events`.
        steps: ticks.
        trace: whether it shall write all potentials to its trace.
    """
    memories, target = tables.memories, tables.target
    grid = _grid(memories, target.neurons)
    values = memories["csram"].layout.decode(memories["csram"].words)
    kinds = memories["types"].layout.decode(memories["types"].words)["type"].tolist()
    bits = [list(map(int, line)) for line in _binary(*_connections(memories, target.axons))]
    cores = []
    for core in range(grid.places):
        words = range(core * target.neurons, (core + 1) * target.neurons)
        cores.append(
            {
                "coordinates": [core % grid.x, core // grid.x],
                "axons": kinds[core * target.axons : (core + 1) * target.axons],
                "connections": [bits[word][::-1] for word in words],
                "neurons": [_neuron(values, word) for word in words],
            }
        )
    sent: list[list[dict[str, Any]]] = [[] for _ in range(steps + 1)]
    for step, core, axon, tick in packets(memories, events, tables.fixed.n_neurons).tolist():
        if step <= steps:
            sent[step].append(
                {
                    "destination_core": [core % grid.x, core // grid.x],
                    "destination_axon": axon,
                    "destination_tick": tick,
                }
            )
    bus = {"coordinates": [grid.x - 1, grid.y - 1], "num_outputs": target.axons}
    config = {
        "num_neurons": target.neurons,
        "num_axons": target.axons,
        "num_cores_x": grid.x,
        "num_cores_y": grid.y,
        "num_weights": TYPES,
        "max_tick_offset": TICKS,
        "neuron_block_trace_verbosity": int(trace),
        "core_controller_trace_verbosity": 0,
        "scheduler_trace_verbosity": 0,
        "neuron_reset_type": 0,
    }
    return {
        "input.json": {"packets": sent, "output_bus": bus, "cores": cores},
        "config.json": config,
    }


def _connections(memories: Mapping[str, Memory], axons: int) -> tuple[Limbs, int]:
    """Words of the synapses' bits alone."""
    memory = memories["csram"]
    values = memory.layout.decode(memory.words)
    fields = tuple(each for each in memory.layout.fields if each.name.startswith("axons_"))
    layout = Layout("synapses", fields)
    return layout.encode({each.name: values[each.name] for each in fields}), axons


def _neuron(values: Mapping[str, Integers], word: int) -> dict[str, Any]:
    def value(name: str) -> int:
        return int(values[name][word])

    return {
        "reset_potential": value("reset"),
        "weights": [value(f"weight_{kind}") for kind in range(TYPES)],
        "leak": value("leak"),
        "positive_threshold": value("threshold"),
        "negative_threshold": value("floor"),
        "destination_core_offset": [value("dx"), value("dy")],
        "destination_axon": value("axon"),
        "destination_tick": value("tick"),
        "current_potential": value("potential"),
        "reset_mode": value("reset_mode"),
    }
