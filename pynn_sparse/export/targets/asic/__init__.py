"""A core of our own in Verilog, for an ASIC or FPGA."""

TARGETS = {"asic": "pynn_sparse.export.targets.asic.target:Asic"}
