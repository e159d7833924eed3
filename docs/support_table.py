"""Writes support.md: which of PyNN's standard models each backend has, read from their code.

python docs/support_table.py
"""

from __future__ import annotations

import ast
from pathlib import Path

import pyNN
import pyNN.sparse
from pyNN import connectors, standardmodels
from pyNN.standardmodels import cells, electrodes, receptors, synapses

PAGE = Path(__file__).with_name("support.md")
OTHERS = ("nest", "neuron", "brian2")
# pynn_genn is not on PyPI and not made for PyNN 0.13: its classes, as of this commit.
GENN_COMMIT = "4415114beb7f37d4e6fe045e5a3fff4090dc75dd"
GENN = frozenset(
    """
    IF_curr_alpha IF_curr_exp IF_cond_alpha IF_cond_exp IF_facets_hardware1 HH_cond_exp
    IF_cond_exp_gsfa_grr SpikeSourcePoisson SpikeSourcePoissonRefractory SpikeSourceArray
    SpikeSourceGamma SpikeSourceInhGamma EIF_cond_alpha_isfa_ista EIF_cond_exp_isfa_ista Izhikevich
    GIF_cond_exp StaticSynapse TsodyksMarkramSynapse STDPMechanism AdditiveWeightDependence
    MultiplicativeWeightDependence AdditivePotentiationMultiplicativeDepression
    GutigWeightDependence SpikePairRule Vogels2011Rule DCSource StepCurrentSource ACSource
    NoisyCurrentSource
    """.split()
)
KINDS = {
    "Cell types": (cells, standardmodels.StandardCellType),
    "Membranes of `PointNeuron`": (cells, standardmodels.StandardCellTypeComponent),
    "Receptors of `PointNeuron`": (receptors, standardmodels.StandardPostSynapticResponse),
    "Synapse types": (synapses, standardmodels.StandardSynapseType),
    "Timing rules of `STDPMechanism`": (synapses, standardmodels.STDPTimingDependence),
    "Weight rules of `STDPMechanism`": (synapses, standardmodels.STDPWeightDependence),
    "Current sources": (electrodes, standardmodels.StandardCurrentSource),
}
HEAD = """# Which backend has what

PyNN 0.13's standard models, as this backend has them and as the code of the other backends does.
The table is made by `docs/support_table.py` from the installed PyNN, and a test compares the two.
`pynn_genn` is another project, for older versions of PyNN; its column is that of
[its last commit](https://github.com/genn-team/pynn_genn/tree/{commit}).
That a backend has a model does not say that all of it works there; [](features.md) says what holds
here, and [](validation.md) how it was compared.

Weights and states of synapses are recorded over time (`Projection.record`) here; a `Projection` of
PyNN's own backends has no such method.
"""

# What connectors are derived from.
BASES = ("MapConnector", "FixedNumberConnector")
CONNECTORS = """Connectors are PyNN's own code, on every backend. This one has all of them;
`SmallWorldConnector` raises `NotImplementedError` on every backend, because PyNN's own code does.
[](features.md) says what is special about them here."""


def defined(kind: tuple[object, type]) -> list[str]:
    """Names of the classes of a kind that PyNN defines."""
    module, base = kind
    return [
        name
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, base) and each is not base
    ]


def of_backend(name: str) -> set[str]:
    """Classes in the standard models of a backend of PyNN, without importing its simulator."""
    folder = Path(pyNN.__file__).parent / name / "standardmodels"
    found: set[str] = set()
    for file in folder.glob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if "ModelNotAvailable" not in bases:
                    found.add(node.name)
    return found


def of_sparse() -> set[str]:
    """Names that `pyNN.sparse` has, and means."""
    return {
        name
        for name, each in vars(pyNN.sparse).items()
        if not (isinstance(each, type) and issubclass(each, standardmodels.ModelNotAvailable))
    }


def page() -> str:
    """The whole page."""
    columns = [of_sparse(), *map(of_backend, OTHERS), GENN]
    lines = [HEAD.format(commit=GENN_COMMIT)]
    head = ("", "sparse", *OTHERS, "genn")
    for title, kind in KINDS.items():
        names = [name for name in defined(kind) if not name.startswith("Standard")]
        rows = [
            (f"`{name}`", *("yes" if name in each else "no" for each in columns)) for name in names
        ]
        lines += [f"## {title}", "", _row(head), _row(("---",) * len(head)), *map(_row, rows), ""]
    known = [name for name in defined((connectors, connectors.Connector)) if name not in BASES]
    made = [name for name in known if name in columns[0]]
    lines += ["## Connectors", "", CONNECTORS, "", *(f"- `{name}`" for name in made), ""]
    return "\n".join(lines)


def _row(cells_: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells_) + " |"


if __name__ == "__main__":
    PAGE.write_text(page())
