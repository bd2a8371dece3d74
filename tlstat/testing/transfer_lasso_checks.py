"""What the laws of l1-transfer estimators check; nothing here shares code with a solver.

A solution may be off by a relative duality gap ``tol``. Its objective is then above the optimum by
at most ``G = tol P``, its fit off by at most ``sqrt(2 n G)``: laws compare with these margins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
ROUNDING = 1e-12


@dataclass(frozen=True)
class Subject:
    """A solver ``(X, y, l1, l2, source_coef) -> coef`` with the gap that it promises."""

    solve: Callable[..., np.ndarray]
    tol: float

    def __call__(self, case: Any) -> np.ndarray:
        """Coefficients for a problem; what is returned must be p finite numbers."""
        X, y, b0 = case.X.copy(), case.y.copy(), case.source_coef.copy()
        coef = np.asarray(self.solve(X, y, case.l1, case.l2, b0))
        require(coef.shape == (case.p,), f"coefficients of shape {coef.shape}, not {(case.p,)}")
        require(np.all(np.isfinite(coef)), f"coefficients {coef.tolist()} are not finite")
        return coef

    def slack(self, case: Any) -> float:
        """How far an objective may be above the optimum."""
        zero = case.objective(np.zeros(case.p))
        lowest = min(zero, case.objective(case.source_coef))
        return self.tol * lowest + ROUNDING * zero


def require(ok: Any, message: str) -> None:
    if not ok:
        raise AssertionError(message)


def _same(subject: Subject, case: Any, found: Array, expected: Array, what: str) -> None:
    """Two solutions of one problem: equal objectives and fits."""
    slack = subject.slack(case)
    gap = case.objective(found) - case.objective(expected)
    require(abs(gap) <= 2 * slack, f"{what}: objectives differ by {gap:.3g}")
    apart = float(np.linalg.norm(case.X @ (found - expected)))
    allowed = 2 * np.sqrt(2 * case.n * slack) + ROUNDING * np.linalg.norm(case.y)
    require(apart <= 2 * allowed, f"{what}: fits are {apart:.3g} apart, {allowed:.3g} allowed")


def arguments(subject: Subject, case: Any) -> None:
    X, y, b0 = case.X.copy(), case.y.copy(), case.source_coef.copy()
    subject.solve(X, y, case.l1, case.l2, b0)
    for name, now, before in (("X", X, case.X), ("y", y, case.y), ("b0", b0, case.source_coef)):
        require(np.array_equal(now, before), f"{name} was changed")


def coordinates(subject: Subject, case: Any) -> None:
    """The best move of every coordinate, among its knots and stationary points, gains nothing."""
    coef = subject(case)
    here, slack = case.objective(coef), subject.slack(case)
    for j in range(case.p):
        column = case.X[:, j]
        h = float(column @ column) / case.n
        z = float(column @ (case.y - case.X @ coef)) / case.n + h * coef[j]
        pulls = [i * case.l1 + k * case.l2 for i in (-1, 1) for k in (-1, 1)]
        for value in (0.0, case.source_coef[j], *((z + pull) / h for pull in pulls)):
            moved = coef.copy()
            moved[j] = value
            gain = here - case.objective(moved)
            require(gain <= slack, f"coordinate {j} at {coef[j]:.6g}: {value:.6g} gains {gain:.3g}")


def gap(subject: Subject, case: Any) -> None:
    coef = subject(case)
    a, c, b0, n = case.l1, case.l2, case.source_coef, case.n
    theta = (case.y - case.X @ coef) / n
    w = case.X.T @ theta
    over = float(np.max(np.abs(w), initial=0.0))
    shrink = min(1.0, (a + c) / over) if over > 0 else 1.0
    theta, w = theta * shrink, w * shrink
    # sup_b wb - a|b| - c|b - b0| is reached at a knot where |w| <= a + c
    conjugate = np.maximum(-c * np.abs(b0), w * b0 - a * np.abs(b0))
    dual = float(case.y @ theta - n / 2 * theta @ theta - np.sum(conjugate))
    found = case.objective(coef) - dual
    # one scaling of the residual loses no more than the square root of the gap
    scale = case.objective(np.zeros(case.p))
    allowed = subject.slack(case) + 10 * np.sqrt(subject.slack(case) * scale)
    require(found >= -ROUNDING * scale, f"the duality gap is negative: {found:.3g}")
    require(found <= allowed, f"the duality gap is {found:.3g}, {allowed:.3g} allowed")


def ends(subject: Subject, case: Any) -> None:
    found, slack = case.objective(subject(case)), subject.slack(case)
    for name, end in (("zero", np.zeros(case.p)), ("the source", case.source_coef)):
        value = case.objective(end)
        require(found <= value + slack, f"objective {found:.6g}, at {name} it is {value:.6g}")


def permutation(subject: Subject, case: Any) -> None:
    order = case.rng.permutation(case.p)
    moved = case.replace(X=case.X[:, order], source_coef=case.source_coef[order])
    back = np.empty(case.p)
    back[order] = subject(moved)
    _same(subject, case, back, subject(case), "columns permuted")


def sign_flip(subject: Subject, case: Any) -> None:
    flip = case.rng.choice([-1.0, 1.0], size=case.p)
    flip[0] = -1.0
    moved = case.replace(X=case.X * flip, source_coef=case.source_coef * flip)
    _same(subject, case, flip * subject(moved), subject(case), "columns flipped")


def negation(subject: Subject, case: Any) -> None:
    moved = case.replace(y=-case.y, source_coef=-case.source_coef)
    _same(subject, case, -subject(moved), subject(case), "response and source negated")


def scaling(subject: Subject, case: Any) -> None:
    k = 2.5
    moved = case.replace(
        y=k * case.y, source_coef=k * case.source_coef, l1=k * case.l1, l2=k * case.l2
    )
    _same(subject, case, subject(moved) / k, subject(case), "all times 2.5")


def units(subject: Subject, case: Any) -> None:
    k = 2.5
    moved = case.replace(
        X=k * case.X, source_coef=case.source_coef / k, l1=k * case.l1, l2=k * case.l2
    )
    _same(subject, case, k * subject(moved), subject(case), "columns times 2.5")


def rotation(subject: Subject, case: Any) -> None:
    Q = np.linalg.qr(case.rng.normal(size=(case.n, case.n)))[0]
    moved = case.replace(X=Q @ case.X, y=Q @ case.y)
    _same(subject, case, subject(moved), subject(case), "rows rotated")


def duplication(subject: Subject, case: Any) -> None:
    moved = case.replace(X=np.repeat(case.X, 2, axis=0), y=np.repeat(case.y, 2))
    _same(subject, case, subject(moved), subject(case), "rows doubled")


def reflection(subject: Subject, case: Any) -> None:
    b0 = case.source_coef
    mirrored = case.replace(y=case.X @ b0 - case.y, l1=case.l2, l2=case.l1)
    _same(subject, case, b0 - subject(mirrored), subject(case), "reflected at the source")


def zero_source(subject: Subject, case: Any) -> None:
    case = case.replace(source_coef=np.zeros(case.p))
    lasso = case.replace(l1=case.l1 + case.l2, l2=0.0)
    _same(subject, case, subject(lasso), subject(case), "source zero")


def no_l1(subject: Subject, case: Any) -> None:
    level = case.l1 + case.l2
    case = case.replace(l1=0.0, l2=level)
    b0 = case.source_coef
    rest = case.replace(y=case.y - case.X @ b0, l1=level, l2=0.0, source_coef=np.zeros(case.p))
    _same(subject, case, b0 + subject(rest), subject(case), "l1 = 0")


def no_l2(subject: Subject, case: Any) -> None:
    case = case.replace(l1=case.l1 + case.l2, l2=0.0)
    lasso = case.replace(source_coef=np.zeros(case.p))
    _same(subject, case, subject(lasso), subject(case), "l2 = 0")


def source_level(case: Any) -> float:
    """The smallest ``l2`` at which the estimate is the source."""
    b0 = case.source_coef
    w = case.X.T @ (case.y - case.X @ b0) / case.n
    held = np.where(b0 != 0, np.abs(np.sign(b0) * w - case.l1), np.abs(w) - case.l1)
    return max(0.0, float(np.max(held)))


def zero_level(case: Any) -> float:
    """The smallest ``l1`` at which the estimate is zero."""
    b0 = case.source_coef
    w = case.X.T @ case.y / case.n
    held = np.where(b0 != 0, np.abs(np.sign(b0) * w + case.l2), np.abs(w) - case.l2)
    return max(0.0, float(np.max(held)))


def _held(subject: Subject, case: Any, margin: float, knot: Array, what: str) -> None:
    """A margin above its level a knot costs less than any other point by margin times distance."""
    away = float(np.sum(np.abs(subject(case) - knot)))
    require(away <= subject.slack(case) / margin + ROUNDING, f"{what}, but {away:.3g} away from it")


def large_l2(subject: Subject, case: Any) -> None:
    level = source_level(case)
    for margin in (1e-3 * level + 1e-6, level + 1.0, 1e3 * (level + 1)):
        held = case.replace(l2=level + margin)
        _held(subject, held, margin, case.source_coef, f"l2 = {held.l2:.6g} holds the source")


def large_l1(subject: Subject, case: Any) -> None:
    level = zero_level(case)
    for margin in (1e-3 * level + 1e-6, level + 1.0, 1e3 * (level + 1)):
        held = case.replace(l1=level + margin)
        _held(subject, held, margin, np.zeros(case.p), f"l1 = {held.l1:.6g} holds zero")


def _left(subject: Subject, case: Any, slope: float, knot: Array, what: str) -> None:
    """A slope at the knot pays for a move, unless the gain is below the tolerance."""
    h = float(np.max(np.sum(case.X**2, axis=0))) / case.n
    away = np.abs(case.source_coef[case.source_coef != 0])
    room = min(slope / h, float(np.min(away, initial=np.inf)))
    gain = slope * room - h * room**2 / 2
    if gain > 2 * subject.slack(case):
        require(np.any(subject(case) != knot), what)


def below_l2(subject: Subject, case: Any) -> None:
    level = source_level(case)
    if level > 0:
        low = case.replace(l2=0.9 * level)
        _left(subject, low, 0.1 * level, case.source_coef, "the source does not move")


def below_l1(subject: Subject, case: Any) -> None:
    level = zero_level(case)
    if level > 0:
        low = case.replace(l1=0.9 * level)
        _left(subject, low, 0.1 * level, np.zeros(case.p), "the estimate stays zero")


def box(subject: Subject, case: Any) -> None:
    """Far beyond every level, the penalty only says: between 0 and the source."""
    from scipy.optimize import lsq_linear

    b0 = case.source_coef
    moving = b0 != 0
    best = np.zeros(case.p)
    if np.any(moving):
        ends = np.minimum(b0, 0)[moving], np.maximum(b0, 0)[moving]
        best[moving] = lsq_linear(case.X[:, moving], case.y, ends, method="bvls", tol=1e-14).x
    level = 2 * float(np.max(np.abs(case.X.T @ (case.y - case.X @ best)))) / case.n + 0.1
    case = case.replace(l1=level, l2=level)
    _same(subject, case, best, subject(case), "large l1 = l2")


def least_squares(subject: Subject, case: Any) -> None:
    tiny = 1e-9 * (case.l1 + case.l2)
    case = case.replace(l1=tiny / 2, l2=tiny / 2)
    fitted = case.X @ np.linalg.lstsq(case.X, case.y, rcond=None)[0]
    apart = float(np.linalg.norm(case.X @ subject(case) - fitted))
    scale = float(np.linalg.norm(case.y)) + 1
    allowed = np.sqrt(2 * case.n * subject.slack(case)) + 1e-6 * scale
    require(apart <= allowed, f"the fit is {apart:.3g} from that of least squares")


def own_source(subject: Subject, case: Any) -> None:
    none = case.replace(source_coef=np.zeros(case.p), l2=0.0)
    none = none.replace(l1=0.4 * zero_level(none))
    if not none.l1 > 0:
        return
    source = subject(none)
    l1 = none.l1 * case.rng.uniform(0, 2)
    apart = abs(none.l1 - l1)
    own = none.replace(source_coef=source, l1=l1, l2=apart * 1.1 + 1e-3 * none.l1)
    moved = case.X @ (subject(own) - source)
    allowed = 2 * np.sqrt(2 * case.n * (subject.slack(own) + subject.slack(none)))
    require(np.linalg.norm(moved) <= 2 * allowed + 1e-9, "the lasso leaves itself as source")


def _value(subject: Subject, case: Any) -> float:
    return float(case.objective(subject(case)))


def concave(subject: Subject, case: Any) -> None:
    other = case.replace(l1=case.l2, l2=2 * case.l1 + 0.1)
    middle = case.replace(l1=(case.l1 + other.l1) / 2, l2=(case.l2 + other.l2) / 2)
    mean = (_value(subject, case) + _value(subject, other)) / 2
    slack = subject.slack(case) + subject.slack(other)
    found = _value(subject, middle)
    require(found >= mean - slack, f"value {found:.6g} between levels of mean value {mean:.6g}")


def lipschitz(subject: Subject, case: Any) -> None:
    other = case.replace(source_coef=case.source_coef + case.rng.normal(size=case.p))
    apart = abs(_value(subject, case) - _value(subject, other))
    limit = case.l2 * float(np.sum(np.abs(case.source_coef - other.source_coef)))
    slack = subject.slack(case) + subject.slack(other)
    require(apart <= limit + slack, f"values {apart:.6g} apart for sources that allow {limit:.6g}")


def monotone(subject: Subject, case: Any) -> None:
    """Adding two optimality inequalities: the norm changes against its level."""
    here = subject(case)
    for name, centre in (("l1", np.zeros(case.p)), ("l2", case.source_coef)):
        step = 0.3 * (case.l1 + case.l2)
        more = case.replace(**{name: getattr(case, name) + step})
        growth = float(np.sum(np.abs(subject(more) - centre)) - np.sum(np.abs(here - centre)))
        slack = (subject.slack(case) + subject.slack(more)) / step
        require(growth <= slack, f"the norm grows by {growth:.3g} with {name}")


def non_expansive(subject: Subject, case: Any) -> None:
    other = case.replace(y=case.y + case.rng.normal(size=case.n))
    fits = case.X @ (subject(case) - subject(other))
    left, right = float(fits @ fits), float(fits @ (case.y - other.y))
    slack = subject.slack(case) + subject.slack(other)
    allowed = 4 * np.sqrt(2 * case.n * slack) * np.linalg.norm(case.y - other.y) + case.n * slack
    require(left <= right + allowed, f"|change of fit|^2 = {left:.6g} > {right:.6g}")


def orthogonal_response(subject: Subject, case: tuple[float, float, float, int]) -> None:
    """``X'y = 0`` exactly, ``l2 > l1``: each coordinate goes towards its source."""
    from tlstat.testing.transfer_lasso import RegressionProblem

    l1, l2, b0, p = case
    n = 2 * p
    X = np.zeros((n, p))
    X[2 * np.arange(p), np.arange(p)] = X[2 * np.arange(p) + 1, np.arange(p)] = np.sqrt(n / 2)
    y = np.tile([1.0, -1.0], p)
    problem = RegressionProblem(X, y, l1, l2, np.full(p, b0), np.zeros(p))
    coordinates(subject, problem)
