"""SynSense DYNAP-SE2."""

TARGETS = {"dynapse2": "pynn_sparse.export.targets.dynapse2.target:Dynapse2"}
