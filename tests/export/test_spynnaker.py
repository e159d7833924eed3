"""SpiNNaker: words, scales and keys against sPyNNaker on virtual boards.

sPyNNaker 1!7.4.1 with PyNN 0.13.0; PYNN_SPARSE_SPYNNAKER may name a Python that has them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_networks import arrays_in, random_float
from references import python_with, run_reference
from spinnaker_networks import BOTH, constant, documented, drawn, fitting, manifold, with_words

from pynn_sparse import export
from pynn_sparse.export.nets.floatnet import FloatNet
from pynn_sparse.export.targets.spinnaker.target import regions


def cases(target: str) -> dict[str, tuple[FloatNet, Any, export.Prune | None]]:
    def found(**options: Any) -> Any:
        return export.find(target, **options)

    return {
        "documented": (documented(), found(), None),
        "small": (fitting(1, 32), found(), None),
        "pruned": (fitting(2, 32), found(), export.Prune(fraction=0.4)),
        "manifold": (manifold(), found(), None),
        "64 neurons on a core": (manifold(4, 300), found(neurons_per_core=64), None),
        "half a millisecond": (fitting(3, 150, dt=0.5), found(), None),
        "constant": (constant(0.1, 4096), found(), None),
        "sigma": (
            random_float(6, n=256, density=0.3),
            found(ring_buffer_sigma=2, spikes_per_second=7),
            None,
        ),
        "given sum": (fitting(7, 40), found(max_expected_summed_weight=3.3), None),
    } | {
        f"drawn {seed}": (drawn(seed)[0], found(neurons_per_core=drawn(seed)[1]), None)
        for seed in range(12)
    }


def in_reference(script: str, target: str, folder: Path, names: tuple[str, ...] = ()) -> Any:
    """Name -> (tables, our regions, what sPyNNaker has), of the networks in `cases`."""
    python = python_with("spynnaker", "PYNN_SPARSE_SPYNNAKER")
    made = {}
    for name, (net, options, prune) in cases(target).items():
        if not names or name in names:
            made[name] = export.lower(net, options, prune=prune)
            made[name].save(folder / name)
    run_reference(python, script, 10, [folder / name for name in made])
    return {
        name: (tables, regions(tables.memories), arrays_in(folder / name / "reference.npz"))
        for name, tables in made.items()
    }


def compared(
    tables: export.Tables, mine: dict[str, Any], reference: dict[str, Any], in_order: bool
) -> int:
    """Compare all regions of all cores, and the keys; how many cores had `neuron_params`.

    With `in_order` false, synapses may have another order within their rows.
    """
    place = {cells.label: i for i, cells in enumerate(tables.net.cells)}
    number = [place[each.label] for each in tables.frame.axons]
    cores = tables.memories["cores"].layout.decode(tables.memories["cores"].words)
    written, blocks = 0, []
    for core, (population, first) in enumerate(
        zip(cores["population"].tolist(), cores["first"].tolist(), strict=True)
    ):
        name = f"{number[population]}/{first}"
        for region in ("PopTable", "SynapseParams", "SynBlocks", "neuron_params"):
            wanted, found = reference[f"{name}/{region}"], mine[f"{core}/{region}"]
            if region == "SynBlocks":
                blocks.append(wanted)
                if not in_order:
                    continue
            if region == "neuron_params" and not len(wanted):
                continue
            written += region == "neuron_params"
            np.testing.assert_array_equal(found, wanted, err_msg=f"{name}/{region}")
    limbs = np.concatenate(blocks).astype(np.uint64).reshape(-1, 1)
    theirs, ours = synapses_of(with_words(tables, "synapses", limbs)), synapses_of(tables)
    np.testing.assert_array_equal(theirs, ours)
    keys = tables.memories["keys"].layout.decode(tables.memories["keys"].words)
    keys["population"] = np.array(number)[keys["population"]]
    rows = np.stack(list(keys.values()), axis=1)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    np.testing.assert_array_equal(rows, reference["keys"])
    parameters = tables.memories["parameters"]
    shifts = parameters.layout.decode(parameters.words)
    scales = np.stack([shifts["shift_excitatory"], shifts["shift_inhibitory"]], axis=1)
    for population, row in zip(cores["population"].tolist(), scales, strict=True):
        np.testing.assert_array_equal(reference[f"{number[population]}/scales"], 2.0 ** (15 - row))
    return written


def synapses_of(tables: export.Tables) -> Any:
    """Source, target, delay, projection and weight of all synapses, in this order."""
    fixed = tables.fixed
    columns = fixed.source, fixed.target, fixed.hop, fixed.format, fixed.weight
    return np.stack(columns)[:, np.lexsort(columns[::-1])]


@pytest.mark.slow
@pytest.mark.parametrize("target", BOTH)
def test_spynnaker_loads_the_same_words(target: str, tmp_path: Path) -> None:
    """Every word of each core, for all networks in `cases`."""
    written = 0
    for each in in_reference("spynnaker_stable_run.py", target, tmp_path).values():
        written += compared(*each, in_order=True)
    assert written > 20


@pytest.mark.slow
def test_spynnaker_as_it_is_loads_the_same_rows(tmp_path: Path) -> None:
    """Without a stable sort, rows have the same synapses in NumPy's order."""
    names = ("documented", "manifold")
    found = in_reference("spynnaker_run.py", "spinnaker1", tmp_path, names)
    for each in found.values():
        compared(*each, in_order=False)
    compared(*found["documented"], in_order=True)


@pytest.mark.slow
def test_other_words_than_spynnakers_are_noticed(tmp_path: Path) -> None:
    (each,) = in_reference("spynnaker_run.py", "spinnaker1", tmp_path, ("documented",)).values()
    tables, mine, reference = each
    for region in ("PopTable", "SynBlocks", "SynapseParams"):
        wrong = mine[f"0/{region}"].copy()
        wrong[3] ^= 1
        with pytest.raises(AssertionError, match=region):
            compared(tables, {**mine, f"0/{region}": wrong}, reference, in_order=True)
