"""SynSense Xylo."""

TARGETS = {"xylo": "pynn_sparse.export.targets.xylo.target:Xylo"}
