"""Intel Loihi 1 and 2."""

TARGETS = {
    "loihi1": "pynn_sparse.export.targets.loihi.target:Loihi1",
    "loihi2": "pynn_sparse.export.targets.loihi.target:Loihi2",
}
