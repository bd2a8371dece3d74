"""Where a transfer lasso is something simpler: a lasso, least squares, a fit in a box."""

from __future__ import annotations

import numpy as np

from tlstat.testing.transfer_lasso.problems import RegressionProblem
from tlstat.testing.transfer_lasso.subjects import Subject, at_columns, require, same

Case = RegressionProblem
# sources below it are zero to any solution, and too small for methods with bounds
TINIEST = 1e-200


def zero_source(subject: Subject, case: Case) -> None:
    """Levels add up where each column has one weight."""
    one = case.replace(source_coef=case.zero, source_weights=case.weights)
    lasso = one.replace(l1=case.l1 + case.l2, l2=0.0)
    same(subject, one, subject(lasso), subject(one), "source zero")


def no_l1(subject: Subject, case: Case) -> None:
    level, b0 = case.l1 + case.l2, case.source_coef
    case = case.replace(l1=0.0, l2=level)
    rest = case.replace(
        y=case.y - case.X @ b0,
        l1=level,
        l2=0.0,
        source_coef=case.zero,
        weights=case.source_weights,
        source_weights=case.weights,
    )
    same(subject, case, b0 + subject(rest), subject(case), "l1 = 0")


def no_l2(subject: Subject, case: Case) -> None:
    case = case.replace(l1=case.l1 + case.l2, l2=0.0)
    lasso = case.replace(source_coef=case.zero)
    same(subject, case, subject(lasso), subject(case), "l2 = 0")


def fit_in_box(case: Case, fixed: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """Least squares with ``moving`` coordinates between 0 and the source, others ``fixed``.

    A bounded-variable active-set method on columns of length one.
    """
    from scipy.optimize import lsq_linear

    root = np.sqrt(case.share)
    length = np.sqrt(case.curvature)
    moving = moving & (np.abs(case.source_coef) > TINIEST)
    coef = np.where(moving, 0.0, fixed)
    seen = moving & (length > 0)
    if not np.any(seen):
        return coef
    b0, unit = case.source_coef[seen], length[seen]
    rest = root * (case.y - case.X @ coef)
    size = float(np.linalg.norm(rest)) or 1.0
    columns = root[:, None] * case.X[:, seen] / unit
    ends = np.minimum(b0, 0) * unit / size, np.maximum(b0, 0) * unit / size
    best = lsq_linear(columns, rest / size, ends, method="bvls", tol=1e-15).x
    coef[seen] = best * size / unit
    return coef


def box(subject: Subject, case: Case) -> None:
    """Far beyond every level, the penalty only says: between 0 and the source."""
    case = case.replace(weights=None, source_weights=None)
    best = fit_in_box(case, case.zero, case.source_coef != 0)
    pull = float(np.max(np.abs(case.correlations(best))))
    level = 2 * pull + 0.1 * (case.l1 + case.l2)
    case = case.replace(l1=level, l2=level)
    same(subject, case, best, subject(case), "large l1 = l2")


def least_squares(subject: Subject, case: Case) -> None:
    """With levels of 1e-9 no fit is further away than they can pay for."""
    tiny = 1e-9 * (case.l1 + case.l2)
    case = case.replace(l1=tiny / 2, l2=tiny / 2)
    root, length = np.sqrt(case.share), np.sqrt(case.curvature)
    columns = root[:, None] * case.X / np.where(length > 0, length, 1.0)
    scaled = np.linalg.lstsq(columns, root * case.y, rcond=1e-13)[0]
    free = scaled / np.where(length > 0, length, 1.0)
    coef = subject(case)
    apart = case.norm(case.X @ (coef - free))
    # |Xd|^2/2 is what the penalty saves, at most (a + c)|d|, and the tolerance
    paid = (case.a + case.c) @ np.abs(coef - free) + subject.slack(case, coef, free)
    allowed = np.sqrt(2 * paid)
    require(apart <= allowed, f"the fit is {apart:.3g} from least squares, {allowed:.3g} allowed")


def unseen_column(subject: Subject, case: Case) -> None:
    """The penalty alone decides about a column of zeros, and nothing else notices it."""
    j = case.seed % case.p
    X = case.X.copy()
    X[:, j] = 0.0
    case = case.replace(X=X)
    coef, b0 = subject(case), case.source_coef
    low, high = sorted((0.0, float(b0[j])))
    a, c = float(case.a[j]), float(case.c[j])
    best = float(np.clip(coef[j], low, high)) if a == c else (0.0 if a > c else float(b0[j]))
    paid = a * abs(coef[j]) + c * abs(coef[j] - b0[j]) - a * abs(best) - c * abs(best - b0[j])
    slack = subject.slack(case, coef)
    require(paid <= slack, f"zero column {j}: {coef[j]:.6g} costs {paid:.3g} more than {best:.6g}")
    if case.p == 1:
        return
    kept = np.arange(case.p) != j
    fewer = case.replace(X=X[:, kept], source_coef=b0[kept], **at_columns(case, kept))
    same(subject, fewer, coef[kept], subject(fewer), f"without the zero column {j}")
