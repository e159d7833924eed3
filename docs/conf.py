"""Sphinx configuration."""

import os
import re
from typing import Any

from pyNN.models import BaseModelType

import pynn_sparse

project = "PyNN-sparse"
author = copyright = "the PyNN-sparse developers"
release = pynn_sparse.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"PyNN-sparse {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
suppress_warnings = ["ref.python"]  # PyNN and the engine both have a `Network`

# Tutorials are executed at each build, and say nothing on standard error.
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_output_stderr = "warn"
nb_merge_streams = True
os.environ |= {"PYNEST_QUIET": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def describe_model(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Add parameters, variables and receptors to the descriptions of PyNN's models.

    What looks like a reference in PyNN's docstrings has no target there.
    """
    lines[:] = [
        re.sub(r"`([^`]+)`_", r"\1", line).replace("lambda_", "``lambda_``") for line in lines
    ]
    if not (isinstance(obj, type) and issubclass(obj, BaseModelType)):
        return
    units = getattr(obj, "units", None) or {}

    def listed(values: dict[str, Any]) -> str:
        return ", ".join(
            f"``{key} = {values[key]}`` {units.get(key, '')}".rstrip() for key in values
        )

    for head, values in (
        ("Parameters", getattr(obj, "default_parameters", {})),
        ("Variables in the beginning", getattr(obj, "default_initial_values", {})),
    ):
        if values:
            lines += ["", f":{head}: {listed(values)}"]
    for head, attribute in (("Can be recorded", "recordable"), ("Receptors", "receptor_types")):
        names = getattr(obj, attribute, ())
        if isinstance(names, (list, tuple)) and names:
            lines += ["", f":{head}: " + ", ".join(f"``{each}``" for each in names)]


def setup(app: Any) -> None:
    """Sphinx calls this."""
    app.connect("autodoc-process-docstring", describe_model)
