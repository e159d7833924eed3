#!/usr/bin/env bash
# sPyNNaker's ConvolutionConnector documents padding=True as "automatic padding ... based on the kernel shape". It is
# taken for the number 1, since True is an integer in Python: a kernel of 5 x 5 shrinks the image, and padding=2 keeps it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'sPyNNaker==1!7.4.1' 'PyNN==0.13.0' 'numpy==2.4.6'
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from spynnaker.pyNN.models.neural_projections.connectors import ConvolutionConnector

print("sPyNNaker", version("sPyNNaker"))
text = " ".join(ConvolutionConnector.__init__.__doc__.split())
assert "If True, automatic padding will be used based on the kernel shape" in text, text
kernel, image = np.ones((5, 5)), (10, 10)
shapes = {
    padding: tuple(map(int, ConvolutionConnector(kernel, padding=padding).get_post_shape(image)))
    for padding in (0, 2, True)
}
print("rows and columns of the target, by padding:", shapes)
assert shapes[2] == image
assert shapes[True] == (8, 8) == tuple(
    map(int, ConvolutionConnector(kernel, padding=1).get_post_shape(image))
)
print("padding=True does what padding=1 does")
PYTHON
