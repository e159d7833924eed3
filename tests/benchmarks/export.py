"""Times the export of a network with a million synapses.

    python tests/benchmarks/export.py [TARGET ...]

Prints seconds for lowering, with a quarter of the synapses pruned, saving, loading and verifying,
and the synaptic events per second of the integer model.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "export"))
from export_networks import random_float

from pynn_sparse import export


def timed(name: str, action: Callable[[], Any]) -> Any:
    begin = time.perf_counter()
    result = action()
    print(f"  {name:8} {time.perf_counter() - begin:6.2f} s")
    return result


def main() -> None:
    net = random_float(0, n=4000, density=0.0417, dt=0.1)
    print(f"{net.n_synapses} synapses")
    for target in sys.argv[1:] or ["asic", "loihi1"]:
        print(target)
        rule = export.Prune(fraction=0.25)
        tables = timed("lower", partial(export.lower, net, target, rule))
        with tempfile.TemporaryDirectory() as folder:
            timed("save", partial(tables.save, folder))
            tables = timed("load", partial(export.load, folder))
        timed("verify", partial(export.verify, tables))
        begin = time.perf_counter()
        trace = tables.trace(30.0)
        rate = trace.synaptic_events / (time.perf_counter() - begin)
        print(f"  {trace.synaptic_events} synaptic events, {rate / 1e6:.0f} million per second")


if __name__ == "__main__":
    main()
