"""What is target data worth? Minimax rates, and minimax risk as a number (arXiv:2002.04747).

A classifier for a target law ``Q`` is learnt from ``n_P`` points of a source ``P`` and ``n_Q`` of
``Q`` itself. The transfer exponent ``rho`` says how a small excess risk under ``P`` bounds that
under ``Q``; the Bernstein exponents ``beta_P`` and ``beta_Q`` how noisy each is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_LAZY = {
    "PowerThresholds": "models",
}

__all__ = [
    "PowerThresholds",
]

if TYPE_CHECKING:
    from tlstat.minimax.models import PowerThresholds
else:

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LAZY})
