"""What `import pyNN.sparse` imports, beyond what any backend of PyNN does: modules are counted."""

from __future__ import annotations

import subprocess
import sys

# Of other packages, beyond what pyNN.common imports.
FEW = {"concurrent.futures.thread", "_queue", "queue"}
LATER = (
    *("pynn_sparse.bench", "pynn_sparse.compare", "pynn_sparse.export", "pynn_sparse.interchange"),
    *("pynn_sparse.engine.engine", "pynn_sparse.engine.plan", "pynn_sparse.engine.layout"),
    *("pynn_sparse.engine.devices.gpu", "pynn_sparse.network.expressions"),
    *("pyNN.sparse.checkpoint", "pyNN.sparse.description", "pyNN.sparse.native"),
    *("pyNN.sparse.nestml", "pyNN.sparse.sonata", "pyNN.serialization"),
    *("pyNN.sparse.structural", "pyNN.sparse.neuromodulation"),
)
MOST = 148


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout


def test_nothing_is_imported_before_it_is_needed() -> None:
    names = run(
        "import sys, pyNN.common, pyNN.network\n"
        "before = set(sys.modules)\n"
        "import pyNN.sparse\n"
        "print(*set(sys.modules) - before)"
    ).split()
    assert "pyNN.sparse.simulator" in names
    assert {name for name in names if not name.startswith(("pynn_sparse", "pyNN."))} <= FEW
    assert not [name for name in names if f"{name}.".startswith(tuple(f"{x}." for x in LATER))]
    assert len(names) <= MOST


def test_names_that_are_imported_later_are_there() -> None:
    run(
        "from pyNN.sparse import *\n"
        "import pyNN.sparse as sim\n"
        "assert to_sonata is sim.to_sonata and save_state is sim.checkpoint.save_state\n"
        "assert sim.nestml.nestml_cell_type is sim.nestml_cell_type\n"
        "assert all(hasattr(sim, name) for name in sim.__all__)\n"
        "assert all(name in dir(sim) and name in sim.__all__ for name in sim._LATER)"
    )


def test_pynns_exporter_gives_way_whenever_it_is_imported() -> None:
    first, then = "import pyNN.serialization as pynns", "import pyNN.sparse as sim"
    for lines in ((first, then), (then, first)):
        run(
            "\n".join(lines) + "\n"
            "import sys\n"
            "from pyNN.serialization import sonata\n"
            "from pyNN.sparse.sonata.upstream import export_to_sonata as ours\n"
            "assert pynns.export_to_sonata is sonata.export_to_sonata is ours\n"
            "assert 'Waiting' not in str(sys.meta_path)"
        )


def test_looking_for_pynns_exporter_is_not_importing_it() -> None:
    run(
        "import pyNN.sparse, sys\n"
        "from importlib.util import find_spec\n"
        "assert find_spec('pyNN.serialization') and 'pyNN.serialization' not in sys.modules\n"
        "from pyNN.serialization import export_to_sonata\n"
        "from pyNN.sparse.sonata.upstream import export_to_sonata as ours\n"
        "assert export_to_sonata is ours"
    )
