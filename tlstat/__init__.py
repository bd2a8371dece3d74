"""tlstat: the statistical theory of transfer learning, made checkable.

A theorem is an object, a model is a simulation with known truth, and an honest
statistical test says SUPPORTED, REFUTED or INCONCLUSIVE.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# name -> module: loaded on first use, so that `import tlstat` stays light
_LAZY = {
    "study": "tlstat.montecarlo.study",
    "Study": "tlstat.montecarlo.study",
    "Exact": "tlstat.montecarlo.study",
    "grid": "tlstat.montecarlo.design",
    "geometric": "tlstat.montecarlo.design",
    "inner": "tlstat.montecarlo.design",
    "paired": "tlstat.montecarlo.design",
    "Results": "tlstat.montecarlo.results",
    "run": "tlstat.montecarlo.run",
    "verify": "tlstat.verification",
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

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module 'tlstat' has no attribute {name!r}")
        value = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted([*globals(), *_LAZY])
