"""Theorems as objects, claims about them, and the judge that decides between them and the data."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_MODULES = {
    "bound": ("Assumption", "Bound", "NumericExponent", "Source"),
    "claims": ("Claim", "at_least", "at_most", "between", "equals", "ordered", "rate"),
    "judge": ("judge",),
    "verdict": ("Status", "Verdict", "Verdicts"),
}
# name -> module: loaded on first use, so that sympy loads only with the first bound
_LAZY = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}

__all__ = [
    "Assumption",
    "Bound",
    "Claim",
    "NumericExponent",
    "Source",
    "Status",
    "Verdict",
    "Verdicts",
    "at_least",
    "at_most",
    "between",
    "equals",
    "judge",
    "ordered",
    "rate",
]

if TYPE_CHECKING:
    from tlstat.theory.bound import Assumption, Bound, NumericExponent, Source
    from tlstat.theory.claims import Claim, at_least, at_most, between, equals, ordered, rate
    from tlstat.theory.judge import judge
    from tlstat.theory.verdict import Status, Verdict, Verdicts
else:

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module 'tlstat.theory' has no attribute {name!r}")
        value = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted([*globals(), *_LAZY])
