"""ONNX: ordinary networks that programs for training export, as graphs of layers.

Reading needs the package onnx, which parses files; nothing in them is executed.
"""

from .file import is_model, read

__all__ = ["is_model", "read"]
