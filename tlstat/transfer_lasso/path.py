"""Paths over ``lam`` and over ``alpha``, and the exact end of the ``lam`` path.

The penalty is ``lam (alpha |b|_1 + (1 - alpha) |b - b0|_1)``. For large ``lam`` the solution stays
at its limit: 0 where ``alpha u_j > (1 - alpha) v_j``, the source where it is less, and between
the two (the best fit in the box of 0 and b0) where they are equal, as they all are at
``alpha = 1/2``. ``lambda_max`` is the smallest ``lam`` from which on this is so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.transfer_lasso.penalty import subdifferential
from tlstat.transfer_lasso.problem import Problem, check_level, check_vector, prepare
from tlstat.transfer_lasso.solver import best_intercept, check_control, run, walk, warn_unconverged

__all__ = ["Path", "alpha_path", "l1_max", "l2_max", "lambda_max", "transfer_lasso_path"]


# the fit in the box is an end of the path: as exact as floating point allows
_TIGHT = 1e-14


@dataclass(frozen=True)
class Path:
    """Solutions along a path, one row a point.

    Attributes
    ----------
    lams, alphas : array, shape (k,)
    coefs : array, shape (k, p)
    intercepts : array, shape (k,)
    gaps : array, shape (k,)
        Relative duality gaps.
    primals : array, shape (k,)
        Objectives.
    n_iter : array of int, shape (k,)
        Rounds of working sets.
    converged : array of bool, shape (k,)
    """

    lams: np.ndarray
    alphas: np.ndarray
    coefs: np.ndarray
    intercepts: np.ndarray
    gaps: np.ndarray
    primals: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray


def transfer_lasso_path(
    X: Any,
    y: Any,
    *,
    lams: Any = None,
    alpha: float = 0.75,
    source_coef: Any = None,
    tol: float = 1e-6,
    n_lams: int = 50,
    lam_ratio: float = 1e-2,
    max_iter: int = 100,
    coef_init: Any = None,
    **options: Any,
) -> Path:
    """Solutions along a decreasing sequence of ``lam``, each started from the one before.

    Parameters
    ----------
    X : array or scipy.sparse matrix, shape (n, p)
    y : array, shape (n,)
    lams : array, shape (k,), optional
        In any order; solved and returned in decreasing order. By default ``n_lams`` values,
        evenly spaced on the logarithm from `lambda_max` to ``lam_ratio`` of it; where that is 0,
        which is to say that the limit is the solution at every ``lam``, the one value 0.
    alpha : float
        In [0, 1]: 1 is the lasso, 0 penalises the change alone. At 1/2 the limit of large
        ``lam`` is a whole box, and for ``n < p`` the solution is not unique.
    source_coef : array, shape (p,), optional
        Zero by default: the lasso at ``lam``.
    tol : float
        Relative duality gap of every point.
    max_iter : int
        Rounds of working sets a point.
    coef_init : array, shape (p,), optional
        Where the first point starts; by default the limit of large ``lam``.
    **options
        weights, source_weights, nu, mu, loss, sample_weight, fit_intercept: as in
        `tlstat.transfer_lasso.problem.prepare`.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        Bad input, before any work.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        A point did not reach ``tol`` within ``max_iter`` rounds.
    """
    check_control(tol, max_iter)
    alpha = check_alpha(alpha)
    unit = prepare(X, y, 1.0, 1.0, source_coef=source_coef, **options)
    start, largest = limit(at_levels(unit, 1.0, alpha))
    grid = _grid(lams, largest, n_lams, lam_ratio)
    if coef_init is not None:
        start = check_vector(coef_init, "coef_init", len(start), "column")
    path = follow(unit, grid, np.full(len(grid), alpha), start, tol, max_iter)
    return _told(path, tol, max_iter)


def alpha_path(
    X: Any,
    y: Any,
    *,
    lam: float,
    alphas: Any = None,
    source_coef: Any = None,
    tol: float = 1e-6,
    max_iter: int = 100,
    **options: Any,
) -> Path:
    """Solutions along ``alpha`` at one ``lam``, each started from the one before.

    Parameters
    ----------
    lam : float
    alphas : array, shape (k,), optional
        In [0, 1], solved in the given order; 21 values from 1 (lasso) to 0 by default.
    X, y, source_coef, tol, max_iter, **options
        As in `transfer_lasso_path`.

    Returns
    -------
    Path
    """
    check_control(tol, max_iter)
    grid = check_alphas(np.linspace(1, 0, 21) if alphas is None else alphas)
    lams = np.full(len(grid), check_level(lam, "lam"))
    unit = prepare(X, y, 1.0, 1.0, source_coef=source_coef, **options)
    path = follow(unit, lams, grid, np.zeros(unit.X.shape[1]), tol, max_iter)
    return _told(path, tol, max_iter)


def lambda_max(
    X: Any, y: Any, alpha: float = 0.75, source_coef: Any = None, **options: Any
) -> float:
    """The smallest ``lam`` from which on the solution is its limit of large ``lam``.

    Parameters
    ----------
    X, y, alpha, source_coef, **options
        As in `transfer_lasso_path`.

    Returns
    -------
    float
        Exact for ``alpha != 1/2``; to the solver's precision where a box is fitted. For
        ``alpha < 1/2`` the solution may be 0 on an interval below it and not 0 in between.
    """
    alpha = check_alpha(alpha)
    return limit(prepare(X, y, alpha, 1 - alpha, source_coef=source_coef, **options))[1]


def l1_max(X: Any, y: Any, l2: float, source_coef: Any = None, **options: Any) -> float:
    """The smallest ``l1`` at which 0 is the solution, given ``l2``."""
    problem = prepare(X, y, 1.0, l2, source_coef=source_coef, **options)
    return _smallest(problem, np.zeros(problem.X.shape[1]), problem.a, problem.c)


def l2_max(X: Any, y: Any, l1: float, source_coef: Any = None, **options: Any) -> float:
    """The smallest ``l2`` at which the source is the solution, given ``l1``."""
    problem = prepare(X, y, l1, 1.0, source_coef=source_coef, **options)
    return _smallest(problem, problem.b0, problem.c, problem.a)


def _number(value: Any) -> float:
    """NaN, which is in no range, for what is no number."""
    try:
        return float(value) if np.ndim(value) == 0 and not np.iscomplexobj(value) else np.nan
    except (TypeError, ValueError):
        return np.nan


def check_alpha(value: Any, name: str = "alpha") -> float:
    """A number in [0, 1]."""
    number = _number(value)
    if not 0 <= number <= 1:
        raise InputError(f"{name} is {value!r}; expected a number in [0, 1]")
    return number


def check_alphas(values: Any) -> np.ndarray:
    """Some numbers in [0, 1]."""
    given = np.atleast_1d(np.asarray(values, dtype=object))
    if given.ndim != 1 or given.size == 0:
        raise InputError(f"alphas is {values!r}; expected numbers in [0, 1]")
    return np.array([check_alpha(alpha, "alphas") for alpha in given])


def check_share(value: Any, name: str) -> float:
    """A number above 0 and below 1."""
    number = _number(value)
    if not 0 < number < 1:
        raise InputError(f"{name} is {value!r}; expected a number above 0 and below 1")
    return number


def _lams(lams: Any, name: str) -> np.ndarray:
    try:
        grid = np.atleast_1d(np.asarray(lams, dtype=float))
    except (TypeError, ValueError):
        raise InputError(f"{name} is {lams!r}; expected numbers") from None
    if grid.ndim != 1 or grid.size == 0 or not np.all(np.isfinite(grid)) or np.any(grid < 0):
        raise InputError(f"{name} is {lams!r}; expected finite numbers, 0 or above")
    return grid


def _grid(lams: Any, largest: float, n_lams: int, ratio: float) -> np.ndarray:
    if lams is not None:
        return np.sort(_lams(lams, "lams"))[::-1].copy()
    if not (isinstance(n_lams, int | np.integer) and n_lams >= 1):
        raise InputError(f"n_lams is {n_lams!r}; expected an integer of at least 1")
    ratio = check_share(ratio, "lam_ratio")
    if largest == 0:  # the limit is optimal for every lam
        return np.zeros(1)
    return largest * np.geomspace(1, ratio, n_lams)


def follow(
    unit: Problem,
    lams: np.ndarray,
    alphas: np.ndarray,
    start: np.ndarray,
    tol: float,
    max_iter: int,
) -> Path:
    """Solutions at ``lams`` and ``alphas``, one after the other; ``unit`` has ``l1 = l2 = 1``."""
    coefs, report = walk(unit, lams * alphas, lams * (1 - alphas), start, tol, max_iter)
    intercepts, gaps, primals, rounds = report.T
    return Path(lams, alphas, coefs, intercepts, gaps, primals, rounds.astype(int), gaps <= tol)


def _told(path: Path, tol: float, max_iter: int) -> Path:
    """The path, with a warning where it did not converge."""
    if not np.all(path.converged):
        worst = int(np.argmax(path.gaps))
        stalled = bool(path.n_iter[worst] < max_iter)
        warn_unconverged(float(path.gaps[worst]), tol, max_iter, stalled)
    return path


def at_levels(unit: Problem, lam: float, alpha: float) -> Problem:
    """The problem at ``lam`` and ``alpha``; ``unit`` has ``l1 = l2 = 1``."""
    return replace(unit, a=lam * alpha * unit.a, c=lam * (1 - alpha) * unit.c)


def _correlations(problem: Problem, coef: np.ndarray) -> np.ndarray:
    """``X_j'residual`` at ``coef`` and the best intercept, less the ridge terms' gradient."""
    eta = problem.linear(coef)
    if problem.fit_intercept:
        eta = eta + best_intercept(problem, eta)
    w = np.asarray(problem.X.T @ problem.residual(eta)).ravel()
    return w - problem.nu * coef - problem.mu * (coef - problem.b0)


def _smallest(problem: Problem, coef: np.ndarray, pull: np.ndarray, other: np.ndarray) -> float:
    """Smallest multiple of ``pull`` (towards ``coef``) that holds ``coef`` against ``other``."""
    w = _correlations(problem, coef)
    # towards the other knot the other weight helps, away from it it resists
    towards = np.where(coef == 0, np.sign(problem.b0), -np.sign(problem.b0))
    e = np.where(problem.b0 == 0, np.abs(w) - other, np.abs(towards * w + other))
    if np.any((pull == 0) & (e > 0)):
        return np.inf
    return float(np.max(np.divide(e, pull, out=np.zeros_like(e), where=pull > 0), initial=0.0))


def limit(unit: Problem) -> tuple[np.ndarray, float]:
    """The limit of large ``lam`` and the smallest ``lam`` that holds it; ``unit`` has ``lam`` 1."""
    # equal but for the rounding of alpha u and (1 - alpha) v
    equal = np.abs(unit.a - unit.c) <= 1e-14 * (unit.a + unit.c)
    unit = replace(unit, a=np.where(equal, unit.c, unit.a))
    at_source = (unit.c > unit.a) & (unit.b0 != 0)
    between = equal & (unit.b0 != 0)
    free = unit.a + unit.c == 0
    coef = np.where(at_source, unit.b0, 0.0)
    if np.any(between | free):
        coef = _box_fit(unit, coef, between | free)
    w = _correlations(unit, coef)
    low, high = subdifferential(coef, unit.a, unit.c, unit.b0)
    e = np.where(w > 0, w, -w)
    room = np.where(w > 0, high, -low)
    # inside its box a coordinate is fitted, so its correlation is 0 (but for rounding)
    held = (room > 0) & ~free
    return coef, float(np.max(np.divide(e, room, out=np.zeros_like(e), where=held), initial=0.0))


def _box_fit(unit: Problem, coef: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """The best fit with ``moving`` coordinates between 0 and ``b0`` (or free), others fixed.

    The penalty ``level (|b| + |b - b0|)`` is constant in the box, so for a ``level`` that is high
    enough its minimiser is the fit in the box.
    """
    free = unit.a + unit.c == 0
    to_zero = (moving | (coef == 0)) & ~free
    to_source = (moving | ((coef != 0) & (coef == unit.b0))) & ~free
    level = 2 * float(np.max(np.abs(_correlations(unit, coef)), initial=0.0))
    low, high = np.minimum(unit.b0, 0), np.maximum(unit.b0, 0)
    while True:
        problem = replace(unit, a=level * to_zero, c=level * to_source)
        fitted = run(problem, coef, _TIGHT, 200).coef
        inside = np.where(moving, (low <= fitted) & (fitted <= high), fitted == coef)
        if np.all(inside | free):
            return fitted
        level *= 4
