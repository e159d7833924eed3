"""Sphinx configuration."""

import os

import pynn_sparse

project = "PyNN-sparse"
author = "the PyNN-sparse developers"
release = pynn_sparse.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"PyNN-sparse {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path = []
autodoc_typehints = "description"
autodoc_member_order = "bysource"

# Tutorials are executed at each build, and say nothing on standard error.
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_output_stderr = "warn"
nb_merge_streams = True
os.environ |= {"PYNEST_QUIET": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
