"""Norse's trained Braille network by each rule; docs/nir/index.md shows the table.

The file is in Norse's wheel, and has its licence (LGPL): `pip install --no-deps norse==1.1.0`.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyNN.sparse as sim
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "nir" / "index.md"
RULES = {
    '`"snntorch", reset="value"`': {"rule": "snntorch", "reset": "value"},
    '`"norse"`': {"rule": "norse"},
    '`"spikingjelly"`': {"rule": "spikingjelly"},
    '`"literal"`': {"rule": "literal"},
    '`"snntorch"`': {"rule": "snntorch"},
    '`"snntorch", reset="blank"`': {"rule": "snntorch", "reset": "blank"},
    '`"spyx"`': {"rule": "spyx"},
    '`"sinabs", spikes="one"`': {"rule": "sinabs", "spikes": "one"},
    '`"rockpool", spikes="one"`': {"rule": "rockpool", "spikes": "one"},
}


def rows(path: Path) -> list[str]:
    """For each rule: spikes, bins that differ, and samples with the same answer."""
    inputs = np.random.default_rng(1).random((100, 256, 12)) < 0.05
    sim.setup(timestep=0.1)
    nets = {name: sim.nir_network(path, dt=1e-4, **words) for name, words in RULES.items()}
    found = []
    for name, net in nets.items():
        spikes = net.present(inputs)
        answer = spikes.sum(axis=1).argmax(axis=1)
        if not found:
            first, expected = spikes, answer
        differ, same = (spikes != first).sum(), (answer == expected).sum()
        found.append(f"| {name} | {spikes.sum():,} | {differ:,} | {same} |")
    return found


@pytest.mark.filterwarnings("ignore:.*has no v_reset")
def test_the_table_of_rules() -> None:
    found = find_spec("norse")
    if found is None or found.origin is None:
        pytest.skip("Norse, whose wheel has the file, is not installed")
    path = Path(found.origin).parent / "torch" / "utils" / "test" / "braille.nir"
    table = re.findall(r'^\| `"\w+"[^|]*`.*$', PAGE.read_text(), re.MULTILINE)
    assert rows(path) == table
