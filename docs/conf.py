"""Sphinx settings: furo, MyST for text and notebooks, API pages from the docstrings."""

import shutil
from pathlib import Path

from tlstat import __version__

# Sphinx reads nothing outside its folder
HERE = Path(__file__).parent
for notebook in (HERE.parent / "notebooks").glob("*.ipynb"):
    (HERE / "_notebooks").mkdir(exist_ok=True)
    shutil.copy(notebook, HERE / "_notebooks")

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
# written by scikit-learn, with links into its own pages
autodoc_default_options = {
    "exclude-members": "set_fit_request, set_predict_request, set_score_request"
}
napoleon_google_docstring = False
# attributes in a class's docstring must not collide with those that autodoc finds
napoleon_use_ivar = True
myst_enable_extensions = ["dollarmath", "colon_fence"]
# notebooks are executed by `make notebooks` and shown as stored
nb_execution_mode = "off"
# napoleon links every word of a type or shape, as S in "shape (S, A)": one may have two targets
suppress_warnings = ["ref.python"]
exclude_patterns = ["_build"]
