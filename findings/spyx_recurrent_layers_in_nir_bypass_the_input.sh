#!/usr/bin/env bash
# Spyx 1.0.0 writes recurrent layers to NIR with the input leading to the recurrent weights, not to the neurons.
#
# RLIF computes v = beta v + x + W z - threshold z. Its file has the edges input -> w_rec -> lif -> w_rec, and none from the
# input to lif: by NIR's meaning of edges the neurons get W (x + z). Besides, LIF nodes have r = beta and tau = dt / (1 - beta),
# so that by NIR's equation, stepped with the dt of the file, x counts beta (1 - beta) times and not once. A reader
# that takes the file at its word computes another network; Spyx's own reader undoes both.
# The script prints edges and r, and fails once they are as NIR means them.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check spyx==1.0.0 jax==0.10.2 flax==0.12.8 nir==1.0.8
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from flax import nnx
from spyx import nn
from spyx.nir import to_nir

for package in ("spyx", "jax", "flax", "nir", "numpy"):
    print(package, version(package))

rngs = nnx.Rngs(0)
net = nn.Sequential(nnx.Linear(3, 4, use_bias=False, rngs=rngs), nn.RLIF((4,), beta=0.75, rngs=rngs))
graph = to_nir(net, {"input": np.array([3])}, {"output": np.array([4])})
inner = next(node for node in graph.nodes.values() if hasattr(node, "nodes"))
kinds = {name: type(node).__name__ for name, node in inner.nodes.items()}
edges = sorted((kinds[a], kinds[b]) for a, b in inner.edges)
print("edges of the layer:", edges)
assert ("Input", "Linear") in edges, edges
assert ("Input", "LIF") not in edges, edges
lif = next(node for node in inner.nodes.values() if type(node).__name__ == "LIF")
print("beta 0.75: r =", lif.r.tolist(), "tau =", lif.tau.tolist(), "with dt = 1")
factor = lif.r / lif.tau  # of the input, in a step of dt = 1
print("an input counts r dt / tau =", factor.tolist(), "times by the file, once in Spyx")
assert np.allclose(factor, 0.1875), factor
PYTHON
