"""What is target data worth? Minimax rates, and minimax risk as a number (arXiv:2002.04747).

A classifier for a target law ``Q`` is learnt from ``n_P`` points of a source ``P`` and ``n_Q`` of
``Q`` itself. The transfer exponent ``rho`` says how a small excess risk under ``P`` bounds that
under ``Q``; the Bernstein exponents ``beta_P`` and ``beta_Q`` how noisy each is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_LAZY = {
    "ExcessTable": "exponents",
    "ExponentCheck": "exponents",
    "FiniteClass": "models",
    "GaussianHalfSpaces": "models",
    "GaussianTransfer": "models",
    "HalfPlanes": "models",
    "Hypercube": "models",
    "Intervals": "models",
    "ParallelThresholds": "models",
    "PowerThresholds": "models",
    "ShiftedCentre": "models",
    "Stumps": "models",
    "check_bernstein": "exponents",
    "check_exponents": "exponents",
    "check_marginal_exponent": "exponents",
    "check_transfer_exponent": "exponents",
    "smallest_transfer_exponent": "exponents",
}

__all__ = [
    "ExcessTable",
    "ExponentCheck",
    "FiniteClass",
    "GaussianHalfSpaces",
    "GaussianTransfer",
    "HalfPlanes",
    "Hypercube",
    "Intervals",
    "ParallelThresholds",
    "PowerThresholds",
    "ShiftedCentre",
    "Stumps",
    "check_bernstein",
    "check_exponents",
    "check_marginal_exponent",
    "check_transfer_exponent",
    "smallest_transfer_exponent",
]

if TYPE_CHECKING:
    from tlstat.minimax.exponents import (
        ExcessTable,
        ExponentCheck,
        check_bernstein,
        check_exponents,
        check_marginal_exponent,
        check_transfer_exponent,
        smallest_transfer_exponent,
    )
    from tlstat.minimax.models import (
        FiniteClass,
        GaussianHalfSpaces,
        GaussianTransfer,
        HalfPlanes,
        Hypercube,
        Intervals,
        ParallelThresholds,
        PowerThresholds,
        ShiftedCentre,
        Stumps,
    )
else:

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LAZY})
