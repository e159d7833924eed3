"""Spikes of tables on their way through the network on chip, and what that does to them."""
