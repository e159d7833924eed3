"""Runs a script, of which process 0 alone prints: `first_speaks.py SCRIPT ARGUMENTS`.

What the script draws without a seed is the same in each run.
"""

from __future__ import annotations

import os
import random
import runpy
import sys

import numpy as np


def main(script: str, *arguments: str) -> None:
    if os.environ.get("OMPI_COMM_WORLD_RANK", "0") != "0":
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    np.random.seed(1)  # noqa: NPY002 - what scripts use
    random.seed(1)
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(script)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
