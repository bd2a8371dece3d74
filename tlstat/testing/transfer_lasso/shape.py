"""How values, norms and fits change with levels, source and response."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.testing.transfer_lasso.problems import RegressionProblem
from tlstat.testing.transfer_lasso.subjects import Subject, require

Case = RegressionProblem


def _value(subject: Subject, case: Case) -> tuple[float, float]:
    """The objective that is reached, and how far it may be above the optimum."""
    coef = subject(case)
    return case.objective(coef), subject.slack(case, coef)


def concave(subject: Subject, case: Case) -> None:
    """The least of functions that are linear in the levels: on short and on long segments."""
    for other in (
        case.replace(l1=case.l2, l2=2 * case.l1 + 0.1 * case.l2),
        case.replace(l1=1.2 * case.l1, l2=case.l2),
        case.replace(l1=case.l1, l2=1.2 * case.l2),
    ):
        middle = case.replace(l1=(case.l1 + other.l1) / 2, l2=(case.l2 + other.l2) / 2)
        ends = [_value(subject, case), _value(subject, other)]
        mean = sum(value for value, _ in ends) / 2
        slack = sum(slack for _, slack in ends)
        found = _value(subject, middle)[0]
        require(found >= mean - slack, f"value {found:.9g} between levels of mean {mean:.9g}")


def lipschitz(subject: Subject, case: Case) -> None:
    """In ``sum c_j |b0_j|``, for sources that are near and far, and up to zero."""
    b0 = case.source_coef
    size = float(np.max(np.abs(b0))) or 1.0
    here, slack = _value(subject, case)
    one = np.arange(case.p) == case.seed % case.p
    for source in (
        b0 + size * case.rng.normal(size=case.p),
        b0 + 1e-3 * size * case.rng.normal(size=case.p),
        np.where(one, 1e-6 * size, b0),
        np.where(one, 0.0, b0),
    ):
        other = case.replace(source_coef=source)
        value, more = _value(subject, other)
        apart, limit = abs(here - value), float(case.c @ np.abs(b0 - source))
        require(
            apart <= limit + slack + more,
            f"values are {apart:.6g} apart for sources that allow {limit:.6g}",
        )


def monotone(subject: Subject, case: Case) -> None:
    """Adding two optimality inequalities: each norm falls with its level."""
    here = subject(case)
    for name, centre, w in (("l1", case.zero, case.u), ("l2", case.source_coef, case.v)):
        for share in (0.3, 2.0):
            step = share * (case.l1 + case.l2)
            more = case.replace(**{name: getattr(case, name) + step})
            there = subject(more)
            growth = float(w @ np.abs(there - centre) - w @ np.abs(here - centre))
            slack = subject.slack(case, here) + subject.slack(more, there)
            require(growth <= slack / step, f"the norm grows by {growth:.3g} with {name}")


def non_expansive(subject: Subject, case: Case) -> None:
    """``|change of fit|^2 <= <change of fit, change of y>``, for changes small and large."""
    here = subject(case)
    size = float(np.max(np.abs(case.y))) or 1.0
    for share in (1.0, 0.05):
        change = share * size * case.rng.normal(size=case.n)
        other = case.replace(y=case.y + change)
        there = subject(other)
        fits = case.X @ (there - here)
        left, right = float(case.share @ fits**2), float(case.share @ (fits * change))
        slack: Any = subject.slack(case, here) + subject.slack(other, there)
        # of two fits that are each off by sqrt(2 G)
        allowed = 2 * np.sqrt(2 * slack) * (2 * case.norm(fits) + case.norm(change)) + 8 * slack
        require(left <= right + allowed, f"|change of fit|^2 = {left:.6g} > {right:.6g}")
