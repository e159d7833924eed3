#!/usr/bin/env bash
# nir 1.0.8 refuses valid graphs with grouped convolutions or with kernels that are not square.
#
# The types of a nir.Conv2d or nir.Conv1d are worked out from the shape of its weights, wrongly in two cases:
#   - groups: the number of input channels is taken as that of one group. A depthwise convolution of four
#     channels, with weights (4, 1, 3, 3) and groups = 4, counts as one with a single input channel;
#   - a kernel of 3 x 5: the output's width is that of a kernel which is 3 wide, so 6 where 4 is right.
# NIRGraph then raises "type mismatch" for input and output nodes of the right shapes, when the graph is made and
# when a file is read. With rectangular strides, dilations and paddings the types are right.
# Such a graph can be made, written and read with type_check=False, with wrong types in the node.
# The script prints the types that nir finds beside those of the definition, and fails once they agree.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check nir==1.0.8 numpy==2.4.6 h5py==3.16.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import nir
import numpy as np

for package in ("nir", "numpy"):
    print(package, version(package))


def graph(conv, before, after, **options):
    nodes = {
        "input": nir.Input({"input": np.array(before)}),
        "conv": conv,
        "output": nir.Output({"output": np.array(after)}),
    }
    return nir.NIRGraph(nodes, [("input", "conv"), ("conv", "output")], **options)


def conv2d(size, shape, stride=1, padding=0, dilation=1, groups=1):
    bias = np.zeros(shape[0])
    return nir.Conv2d(size, np.ones(shape), stride, padding, dilation, groups, bias)


def types(node):
    return tuple(node.input_type["input"].tolist()), tuple(node.output_type["output"].tolist())


# node, right input, right output, what nir 1.0.8 makes of them once written and read
cases = {
    "depthwise 2-D": (
        lambda: conv2d((8, 8), (4, 1, 3, 3), groups=4),
        ((4, 8, 8), (4, 6, 6)),
        ((1, 8, 8), (4, 6, 6)),
    ),
    "depthwise 1-D": (
        lambda: nir.Conv1d(16, np.ones((4, 1, 3)), 1, 0, 1, 4, np.zeros(4)),
        ((4, 16), (4, 14)),
        ((1, 16), (4, 14)),
    ),
    "kernel 3 x 5": (
        lambda: conv2d((8, 8), (4, 2, 3, 5)),
        ((2, 8, 8), (4, 6, 4)),
        ((2, 8, 8), (4, 6, 6)),
    ),
    "stride, padding, dilation": (
        lambda: conv2d((9, 12), (4, 2, 3, 3), stride=(1, 2), padding=(0, 1), dilation=(2, 1)),
        ((2, 9, 12), (4, 5, 6)),
        ((2, 9, 12), (4, 5, 6)),
    ),
}
for name, (make, right, expected) in cases.items():
    try:
        graph(make(), *right)
        checked = "accepted"
    except ValueError as error:
        checked = f"ValueError: {error}"
    nir.write("a.nir", graph(make(), *right, type_check=False))
    found = types(nir.read("a.nir", type_check=False).nodes["conv"])
    print(f"{name}: right {right}, nir {found}; type_check: {checked}")
    assert found == expected, found
    assert (checked == "accepted") == (expected == right), checked
PYTHON
