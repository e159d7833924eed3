"""PyNN's standard models on this engine."""
