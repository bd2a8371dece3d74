"""What a law holds in its hands: a solver, what it takes, and the gap that it promises.

A solution may be off by a relative duality gap ``tol``. Its objective is then above the optimum by
at most ``G = tol P``, and its fit off by at most ``sqrt(2 G)`` in root mean square, because the
objective is strongly convex in the fit: laws compare with these margins.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.testing.transfer_lasso.problems import WEIGHTS, RegressionProblem

OPTIONS = (*WEIGHTS, "fit_intercept")
# of an objective in which nothing cancels; several hundred roundings
ROUNDING = 1e-13
# the objective may be 0; a relative gap is then one of this part of the objective at zero
FLOOR = 1e-10
UNDERFLOW = 1e-290


def require(ok: Any, message: str) -> None:
    """Raise ``AssertionError`` with a message unless ``ok``."""
    if not ok:
        raise AssertionError(message)


@dataclass(frozen=True)
class Subject:
    """A solver ``(X, y, l1, l2, source_coef, **options) -> coef`` and its promise."""

    solve: Callable[..., np.ndarray]
    tol: float

    def __call__(self, case: RegressionProblem, **more: Any) -> np.ndarray:
        """Coefficients for a problem; what is returned must be p finite numbers."""
        X, y, b0 = case.X.copy(), case.y.copy(), case.source_coef.copy()
        options = {name: value.copy() for name, value in case.options.items()}
        coef = np.asarray(self.solve(X, y, case.l1, case.l2, b0, **options, **more))
        require(coef.shape == (case.p,), f"coefficients of shape {coef.shape}, not {(case.p,)}")
        require(np.all(np.isfinite(coef)), f"coefficients {coef.tolist()} are not finite")
        return coef

    def slack(self, case: RegressionProblem, *coefs: np.ndarray) -> float:
        """How far the objective may be above its optimum, with rounding at ``coefs``."""
        zero = case.objective(case.zero)
        lowest = max(min(zero, case.objective(case.source_coef)), FLOOR * zero)
        rounding = sum(case.magnitude(coef) for coef in coefs) + zero
        return self.tol / (1 - self.tol) * lowest + ROUNDING * rounding + UNDERFLOW


def at_columns(case: RegressionProblem, columns: np.ndarray) -> dict[str, Any]:
    """The weights of some columns, as far as there are any."""
    given = {name: case.options.get(name) for name in ("weights", "source_weights")}
    return {name: w[columns] for name, w in given.items() if w is not None}


def same(
    subject: Subject, case: RegressionProblem, found: np.ndarray, expected: np.ndarray, what: str
) -> None:
    """Two solutions of one problem: equal objectives and fits, for there may be many minimisers."""
    slack = subject.slack(case, found, expected, case.source_coef)
    gap = case.objective(found) - case.objective(expected)
    require(abs(gap) <= slack, f"{what}: objectives differ by {gap:.3g}, {slack:.3g} allowed")
    apart, allowed = case.norm(case.X @ (found - expected)), 2 * np.sqrt(2 * slack)
    require(apart <= allowed, f"{what}: fits are {apart:.3g} apart, {allowed:.3g} allowed")


def best_move(case: RegressionProblem, coef: np.ndarray) -> tuple[float, int, float]:
    """The lowest objective that one coordinate alone can reach, which one, and where.

    Candidates are the knots and the stationary points of the four slopes of the penalty, so that
    nothing is shared with a proximal map.
    """
    w, H, a, c = case.correlations(coef), case.curvature, case.a, case.c
    best = (np.inf, -1, 0.0)
    for j in range(case.p):
        values = [0.0, float(case.source_coef[j])]
        if H[j] > 0:
            pulls = (i * a[j] + k * c[j] for i in (-1, 1) for k in (-1, 1))
            values += [float(coef[j] + (w[j] + pull) / H[j]) for pull in pulls]
        for value in values:
            moved = coef.copy()
            moved[j] = value
            best = min(best, (case.objective(moved), j, value))
    return best


def taken_options(estimator: Any) -> tuple[str, ...]:
    """Which of the options a function, or an estimator by parameters and ``fit``, accepts.

    A function with ``**options`` accepts all of them.
    """
    known = set(estimator.get_params()) if hasattr(estimator, "get_params") else set()
    target = estimator.fit if hasattr(estimator, "get_params") else estimator
    parameters = inspect.signature(target).parameters
    if not known and any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return OPTIONS
    known |= set(parameters)
    return tuple(name for name in OPTIONS if name in known)


def as_solver(estimator: Any, tol: float) -> tuple[Callable[..., np.ndarray], tuple[str, ...]]:
    """A function ``(X, y, l1, l2, source_coef, **options) -> coef``, and the options it takes.

    Raises
    ------
    InputError
        If it is neither callable nor an estimator with ``lam``, ``alpha`` and ``source_coef``.
    """
    if isinstance(estimator, type):
        estimator = estimator()
    if not hasattr(estimator, "get_params"):
        if not callable(estimator):
            raise InputError(
                f"estimator is {estimator!r}; expected a function (X, y, l1, l2, source_coef) or "
                "an estimator with the parameters lam, alpha and source_coef"
            )
        return estimator, taken_options(estimator)
    known = estimator.get_params()
    missing = [name for name in ("lam", "alpha", "source_coef") if name not in known]
    if missing:
        raise InputError(f"estimator {estimator!r} has no parameter {', '.join(missing)}")

    def fit(X: Any, y: Any, l1: float, l2: float, source_coef: Any, **options: Any) -> np.ndarray:
        from sklearn.base import clone

        lam = l1 + l2
        given = {"fit_intercept": False, "tol": tol, **options}
        of_fit = {name: value for name, value in options.items() if name == "sample_weight"}
        fresh = clone(estimator).set_params(
            lam=lam,
            alpha=l1 / lam if lam > 0 else 1.0,
            source_coef=source_coef,
            **{name: value for name, value in given.items() if name in known},
        )
        return np.asarray(fresh.fit(X, y, **of_fit).coef_, dtype=float)

    return fit, taken_options(estimator)
