"""SpiNNaker 1 and 2."""

TARGETS = {
    "spinnaker1": "pynn_sparse.export.targets.spinnaker.target:Spinnaker1",
    "spinnaker2": "pynn_sparse.export.targets.spinnaker.target:Spinnaker2",
}
