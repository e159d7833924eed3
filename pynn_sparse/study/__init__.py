"""Pruning in space and time, and bits, against accuracy: `pynn-sparse prune-study`."""
