"""tlstat: the statistical theory of transfer learning, made checkable.

A theorem is an object, a model is a simulation with known truth, and an honest
statistical test says SUPPORTED, REFUTED or INCONCLUSIVE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

__version__ = "0.1.0"

_MODULES = {
    ".montecarlo.design": ("geometric", "grid", "inner", "paired"),
    ".montecarlo.results": ("Results",),
    ".montecarlo.run": ("run",),
    ".montecarlo.study": ("Exact", "Study", "study"),
    ".verification": ("verify",),
}

__all__ = [
    "Exact",
    "Results",
    "Study",
    "geometric",
    "grid",
    "inner",
    "paired",
    "run",
    "study",
    "verify",
]

if TYPE_CHECKING:
    from tlstat.montecarlo.design import geometric, grid, inner, paired
    from tlstat.montecarlo.results import Results
    from tlstat.montecarlo.run import run
    from tlstat.montecarlo.study import Exact, Study, study
    from tlstat.verification import verify
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
