"""tinyODIN."""

TARGETS = {"odin": "pynn_sparse.export.targets.odin.target:Odin"}
