"""Exact levels: from where on the estimate is zero, the source, or its limit.

A knot is optimal where minus the gradient of the fit there, ``w = X'r/n``, is a subgradient of the
penalty; how large a level must be for that is a formula. Far above it a knot is held by a margin,
and a gap of G leaves no more than G over the margin. Directly at it, laws ask for knots bit for
bit, which solvers that move from knot to knot return and interior-point methods do not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tlstat.testing.transfer_lasso.problems import RegressionProblem
from tlstat.testing.transfer_lasso.reductions import TINIEST, fit_in_box
from tlstat.testing.transfer_lasso.subjects import Subject, best_move, require

Case = RegressionProblem
ABOVE, BELOW = 1 + 1e-6, 1 - 1e-3


def _largest_ratio(pulls: np.ndarray, weights: np.ndarray) -> float:
    ratio = np.where(pulls > 0, np.inf, 0.0)
    np.divide(pulls, weights, out=ratio, where=weights > 0)
    return max(0.0, float(np.max(ratio)))


def zero_level(case: Case) -> float:
    """The smallest ``l1`` at which the estimate is zero."""
    b0, c = case.source_coef, case.c
    w = case.correlations(case.zero)
    held = np.where(b0 != 0, np.abs(np.sign(b0) * w + c), np.abs(w) - c)
    return _largest_ratio(held, case.u)


def source_level(case: Case) -> float:
    """The smallest ``l2`` at which the estimate is the source."""
    b0, a = case.source_coef, case.a
    w = case.correlations(b0)
    held = np.where(b0 != 0, np.abs(np.sign(b0) * w - a), np.abs(w) - a)
    return _largest_ratio(held, case.v)


def limit(case: Case) -> np.ndarray:
    """The estimate for large ``lam``: the knot that weighs more, between them least squares."""
    fixed = np.where(case.a >= case.c, 0.0, case.source_coef)
    return fit_in_box(case, fixed, case.a == case.c)


def limit_level(case: Case, knot: np.ndarray) -> float:
    """The smallest multiple of both levels from which on the limit is optimal."""
    b0, w = case.source_coef, case.correlations(knot)
    right = case.a * np.where(knot >= 0, 1, -1) + case.c * np.where(knot >= b0, 1, -1)
    left = case.a * np.where(knot > 0, 1, -1) + case.c * np.where(knot > b0, 1, -1)
    room = np.where(w > 0, right, -left)
    # inside a box both slopes are 0, and so is w but for rounding
    return _largest_ratio(np.where(room > 0, np.abs(w), 0.0), room)


def _without_subnormals(case: Case) -> Case:
    """A source of 1e-310 has a level of its own, which no solution can show."""
    b0 = case.source_coef
    return case.replace(source_coef=np.where(np.abs(b0) < TINIEST, 0.0, b0))


def _sharp(case: Case, level: float, knot: np.ndarray, weights: np.ndarray) -> bool:
    """Whether a millionth of a level is more than rounding."""
    penalised = weights > 0
    if not (0 < level < np.inf and np.all(penalised)):
        return False
    rounding = case.correlation_size(knot) + case.a + case.c
    return bool(1e-6 * level > 1e-12 * float(np.max(rounding / weights)))


def _leaves(subject: Subject, case: Case, knot: np.ndarray, what: str) -> None:
    """The estimate is at least as good as the best move of one coordinate from the knot."""
    coef = subject(case)
    best, j, value = best_move(case, knot)
    found, slack = case.objective(coef), subject.slack(case, coef, knot)
    require(
        found <= best + slack,
        f"{what}: objective {found:.9g}, with coordinate {j} at {value:.6g} it is {best:.9g}",
    )


def _stays(subject: Subject, case: Case, knot: np.ndarray, what: str) -> None:
    coef = subject(case)
    require(np.array_equal(coef, knot), f"{what}: {coef.tolist()}, not exactly {knot.tolist()}")


def at_zero_level(subject: Subject, case: Case) -> None:
    case = _without_subnormals(case)
    level, knot = zero_level(case), case.zero
    if _sharp(case, level, knot, case.u):
        _stays(subject, case.replace(l1=ABOVE * level), knot, "l1 just above its level")
        _leaves(subject, case.replace(l1=BELOW * level), knot, "l1 just below its level")


def at_source_level(subject: Subject, case: Case) -> None:
    case = _without_subnormals(case)
    level, knot = source_level(case), case.source_coef
    if _sharp(case, level, knot, case.v):
        _stays(subject, case.replace(l2=ABOVE * level), knot, "l2 just above its level")
        _leaves(subject, case.replace(l2=BELOW * level), knot, "l2 just below its level")


def at_lam_level(subject: Subject, case: Case) -> None:
    """``lam_max``: exact but for alpha = 1/2, where the fit is compared instead of knots."""
    case = _without_subnormals(case)
    knot = limit(case)
    level = limit_level(case, knot)
    apart = np.abs(case.a - case.c)
    if np.any(apart > 0) and not _sharp(case, level, knot, apart[apart > 0].min() + case.zero):
        return
    if not (0 < level < np.inf) or np.any(case.a + case.c == 0):
        return
    above = case.replace(l1=ABOVE * level * case.l1, l2=ABOVE * level * case.l2)
    if np.all(apart > 0):
        _stays(subject, above, knot, "lam just above its level")
    else:
        coef = subject(above)
        worse = above.objective(coef) - above.objective(knot)
        slack = subject.slack(above, coef, knot)
        require(worse <= slack, f"lam just above its level: {worse:.3g} above the fit in the box")
    below = case.replace(l1=BELOW * level * case.l1, l2=BELOW * level * case.l2)
    _leaves(subject, below, knot, "lam just below its level")


def middle_interval(subject: Subject, case: Case) -> None:
    """Sources of the wrong sign and alpha < 1/2: zero on an interval of lam, not beyond it."""
    case = case.replace(weights=None, source_weights=None)
    w = case.correlations(case.zero)
    largest = float(np.max(np.abs(w)))
    seen = np.abs(w) > 1e-3 * largest
    if largest == 0 or largest <= 1e-9 * float(np.max(case.correlation_size(case.zero))):
        return
    size = np.abs(case.source_coef) + float(np.max(np.abs(case.source_coef)))
    size = np.where(size > TINIEST, size, largest / float(np.max(case.curvature)))
    case = case.replace(source_coef=np.where(seen, -np.sign(w) * size, 0.0))
    tilt = float(np.min(np.abs(w[seen]))) / (2 * largest)

    def at(lam: float) -> Case:
        return case.replace(l1=lam * (1 - tilt) / 2, l2=lam * (1 + tilt) / 2)

    _leaves(subject, at(BELOW * largest), case.zero, "before the interval")
    _stays(subject, at(ABOVE * largest), case.zero, "where the interval begins")
    _stays(subject, at(2 * largest / ABOVE), case.zero, "where the interval ends")
    _leaves(subject, at(2 * largest / BELOW), case.zero, "beyond the interval")


def _large(
    subject: Subject,
    case: Case,
    name: str,
    level: Callable[[Case], float],
    knot: np.ndarray,
    weights: np.ndarray,
) -> None:
    """A margin above its level a knot costs less than any other point by margin times distance."""
    least = level(case)
    rounding = 1e-12 * float(np.max(case.correlation_size(knot))) + 1e-12 * (case.l1 + case.l2)
    if not np.isfinite(least):
        return
    for times in (0.1, 2.0, 1e3, 1e6):
        margin = times * (least + case.l1 + case.l2)
        held = case.replace(**{name: least + margin})
        coef = subject(held)
        away = float(weights @ np.abs(coef - knot))
        allowed = subject.slack(held, coef, knot) / max(margin - rounding, 0.1 * margin)
        what = f"{name} = {least + margin:.6g} is above the exact {least:.6g}"
        require(away <= allowed, f"{what}, but the estimate is {away:.3g} away")


def large_l2(subject: Subject, case: Case) -> None:
    _large(subject, case, "l2", source_level, case.source_coef, case.v)


def large_l1(subject: Subject, case: Case) -> None:
    _large(subject, case, "l1", zero_level, case.zero, case.u)


def own_source(subject: Subject, case: Case) -> None:
    """The lasso at l0 as its own source on the same data stays if and only if |l0 - l1| <= l2."""
    plain = case.replace(source_coef=case.zero, weights=None, source_weights=None, l2=0.0)
    lasso = plain.replace(l1=0.4 * zero_level(plain))
    if lasso.l1 == 0:
        return
    source = subject(lasso)
    moved = float(np.sqrt(2 * subject.slack(lasso, source)))
    # a gap leaves the correlations of a lasso this far from +-l0 on its support
    error = moved * float(np.sqrt(np.max(case.curvature)))
    l1 = lasso.l1 * case.rng.uniform(0, 2)
    apart = abs(lasso.l1 - l1)
    own = lasso.replace(source_coef=source, l1=l1)
    stays = own.replace(l2=(apart + error) * ABOVE + 1e-3 * error)
    if np.any(source != 0) and apart > 1e3 * error:
        _stays(subject, stays, source, f"l0 = {lasso.l1:.6g}, l1 = {l1:.6g}, l2 = {stays.l2:.6g}")
        leaves = own.replace(l2=(apart - error) * BELOW)
        _leaves(subject, leaves, source, f"l2 = {leaves.l2:.6g} is less than |l0 - l1|")
