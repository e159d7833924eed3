"""Parameters and values of synapses."""
