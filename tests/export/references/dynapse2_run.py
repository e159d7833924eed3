"""Reads DYNAP-SE2's tables of folders with rockpool's reader of its memories; needs rockpool, jax.

    python dynapse2_run.py 0 FOLDER...

reads `dynapse2.json` and writes `reference.npz` with a row for each synapse that the reader finds
in CAM: `synapses` [n, 7], whether it is one between neurons, its tag, chip, core and neuron,
dendrite, mask; and `weight` [n], the base currents that the mask selects.
"""

import json
import sys
from pathlib import Path

import no_samna  # noqa: F401
import numpy as np
from rockpool.devices.dynapse.dynapsim_net.from_config.memory import MemorySE2
from rockpool.devices.dynapse.quantization import WeightHandler
from rockpool.devices.dynapse.samna_alias import Dynapse2Destination, Dynapse2Synapse
from rockpool.devices.dynapse.samna_alias.definitions import Dendrite


class Reader(MemorySE2):
    """Keeps what the original makes matrices of: synapses of inputs, then those of neurons."""

    def fill_weight_matrix(self, shape, synapses, locations, post_idx_map):
        self.found = [*getattr(self, "found", []), (synapses, locations)]
        return super().fill_weight_matrix(shape, synapses, locations, post_idx_map)


def run(folder):
    tables = json.loads((folder / "dynapse2.json").read_text())
    lists = {"synapses": [], "syn_addresses": [], "destinations": [], "dest_addresses": []}
    for neuron in tables["neurons"]:
        address = [neuron["chip"], neuron["core"], neuron["neuron"]]
        for word in neuron["synapses"]:
            dendrite = Dendrite[word.pop("dendrite")]
            lists["synapses"].append(Dynapse2Synapse(dendrite=dendrite, **word))
            lists["syn_addresses"].append(address)
        for word in neuron["destinations"]:
            lists["destinations"].append(Dynapse2Destination(**word))
            lists["dest_addresses"].append(address)
    reader = Reader()
    reader.get_weights(**lists)
    bases = {
        (core["chip"], core["core"]): [core["fine_value"][f"SYAM_W{k}_P"] for k in range(4)]
        for core in tables["cores"]
    }
    rows, weights = [], []
    for recurrent, (synapses, locations) in enumerate(reader.found):
        for synapse, location in zip(synapses, locations, strict=True):
            chip, core, neuron = reader.decode_hash(location)
            mask = WeightHandler.bit2int_mask(4, np.array(synapse.weight))
            code = np.array(bases[chip, core])
            rows.append([recurrent, synapse.tag, chip, core, neuron, synapse.dendrite, int(mask)])
            weights.append(WeightHandler.restore_weight_matrix(4, code, np.array([mask]))[0])
    np.savez(folder / "reference.npz", synapses=np.array(rows), weight=np.array(weights))


if __name__ == "__main__":
    for each in sys.argv[2:]:
        run(Path(each))
