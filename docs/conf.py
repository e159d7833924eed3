"""Sphinx configuration."""

import pynn_sparse

project = "PyNN-sparse"
author = "the PyNN-sparse developers"
release = pynn_sparse.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"PyNN-sparse {release}"
autodoc_typehints = "description"
autodoc_member_order = "bysource"
