"""BrainChip Akida."""

TARGETS = {"akida": "pynn_sparse.export.targets.akida.target:Akida"}
