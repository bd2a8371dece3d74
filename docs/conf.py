"""Sphinx settings: furo, MyST for text and notebooks, API pages from the docstrings."""

from tlstat import __version__

project = "tlstat"
author = "The tlstat developers"
release = version = __version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
html_theme = "furo"
html_title = "tlstat"
autosummary_generate = True
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
myst_enable_extensions = ["dollarmath", "colon_fence"]
# notebooks are executed by `make notebooks` and shown as stored
nb_execution_mode = "off"
exclude_patterns = ["_build"]
