#!/usr/bin/env bash
# PyNN 0.13.0 writes SONATA files in which weights get lost and edges point at the wrong cells.
#
# A projection of 40,000 connections, each of a weight of its own, goes from PyNN's mock simulator through
# pyNN.serialization.export_to_sonata, without a warning:
#   - `edge_group_index` has 16 bits and stops at 32,767, so that the connections from number 32,768 on
#     all refer to one row: 7,232 have the weight of another. import_from_sonata of the same PyNN
#     then stops with h5py's "Indexing elements must be in increasing order";
#   - `source_node_id` and `target_node_id` are numbers of cells in the simulation, not in the
#     population: libsonata, which takes ids for places, finds targets beyond the population's end;
#   - weights and delays lie under `dynamics_params` as `weight` and `delay`, where libsonata finds no
#     attribute `syn_weight` or `delay`, and there are no edge indices.
# The script prints what it sees, and fails once any of it is otherwise.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
  PyNN==0.13.0 neo==0.14.6 lazyarray==0.7.0 quantities==0.16.4 numpy==2.4.6 h5py==3.16.0 libsonata==0.2.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import warnings
from importlib.metadata import version
from pathlib import Path

import h5py
import libsonata
import numpy as np
import pyNN.mock as sim
from pyNN.network import Network
from pyNN.serialization import export_to_sonata, import_from_sonata

warnings.simplefilter("ignore")
logging.disable()
for package in ("PyNN", "h5py", "numpy", "libsonata"):
    print(package, version(package))

SIZE = 200
sim.setup(timestep=0.1)
pre = sim.Population(SIZE, sim.IF_curr_exp(), label="pre")
post = sim.Population(SIZE, sim.IF_curr_exp(), label="post")
rows = [(i, j, float(i * SIZE + j), 1.0) for i in range(SIZE) for j in range(SIZE)]
connector = sim.FromListConnector(rows, column_names=["weight", "delay"])
projection = sim.Projection(pre, post, connector, sim.StaticSynapse(), label="all")
export_to_sonata(Network(pre, post, projection), "net")


(path,) = Path("net/networks").glob("edges_*.h5")
with h5py.File(path) as file:
    group = file["edges/all"]
    index, weight = group["edge_group_index"], group["0/dynamics_params/weight"][()]
    source, target = group["source_node_id"][()], group["target_node_id"][()]
    expected = (source - source.min()) * float(SIZE) + (target - target.min())
    greatest, dtype = int(index[()].max()), str(index.dtype)
    wrong = int((weight[index[()]] != expected).sum())
    print(f"edge_group_index: {dtype}, at most {greatest}, for rows 0 to {len(index) - 1}")
    print(f"{len(index)} connections written, of which {wrong} have another weight in the file")
try:
    import_from_sonata("net/circuit_config.json", sim)
    read = "read without an error"
except TypeError as error:
    read = f"TypeError: {error}"
print(f"import_from_sonata: {read}")

edges = libsonata.EdgeStorage(str(path)).open_population("all")
nodes = libsonata.NodeStorage("net/networks/nodes_post.h5").open_population("post")
targets = edges.target_nodes(edges.select_all())
print(f"libsonata: targets {targets.min()} to {targets.max()} in a population of {nodes.size} nodes")
print(f"libsonata: attributes {sorted(edges.attribute_names)}, "
      f"dynamics_params {sorted(edges.dynamics_attribute_names)}")
try:
    edges.afferent_edges([0])
    indexed = True
except libsonata.SonataError as error:
    indexed = False
    print(f"libsonata: afferent_edges: {error}")

assert (greatest, dtype) == (32767, "int16")
assert wrong == SIZE * SIZE - 32768 and read.startswith("TypeError")
assert targets.min() > 0 and targets.max() >= nodes.size == SIZE
assert not edges.attribute_names and not indexed
print("as described")
PYTHON
