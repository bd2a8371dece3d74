"""Theorems as objects, claims about them, and the judge that decides between them and the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".bound": ("Assumption", "Bound", "NumericExponent", "Source"),
    ".claims": ("Claim", "at_least", "at_most", "between", "equals", "ordered", "rate"),
    ".judge": ("judge",),
    ".verdict": ("Status", "Verdict", "Verdicts"),
}

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
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
