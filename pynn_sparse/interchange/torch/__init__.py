"""PyTorch: modules that `torch.fx` can trace, as graphs of layers.

torch is imported only for modules of it, which cannot be there without it. Files that torch saves
are not read: they can contain programs.
"""

from .tracing import is_model, read

__all__ = ["is_model", "read"]
