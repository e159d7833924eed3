"""Connections and values made in bulk."""
