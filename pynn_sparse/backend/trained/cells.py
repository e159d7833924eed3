"""Cell types of trained networks: one for each combination of a rule's switches."""

from __future__ import annotations

from functools import lru_cache

from pynn_sparse.interchange.layers.programs import DEFAULTS, Structure, definition

from ..native import NativeCell, cell_type


@lru_cache
def cell_type_of(structure: Structure) -> type[NativeCell]:
    """The cell type whose step is that of a rule; networks share it, and its compiled kernel."""
    model = definition(structure)
    defaults = {name: DEFAULTS[name] for name in model.parameters}
    return cell_type(model, defaults, {}, conductance_based=False, injectable=True)
