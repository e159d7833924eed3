"""Neurons on a device: their states, the currents into them, and their spikes."""
