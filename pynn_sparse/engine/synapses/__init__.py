"""Synapses on a device: how they are stored, arranged and delivered."""
