"""IBM TrueNorth."""

TARGETS = {"truenorth": "pynn_sparse.export.targets.truenorth.target:TrueNorth"}
