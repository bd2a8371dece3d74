"""Solve one problem and certify the answer by its duality gap."""

from __future__ import annotations

import functools
import threading
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.transfer_lasso.problem import Problem, check_vector, dense_columns, is_sparse, prepare

__all__ = ["Solution", "solve"]

OVERFLOW = "X has entries whose squares overflow; scale its columns"
NO_FLOOR = "the objective at zero overflows; scale y, source_coef or the penalty"


@dataclass(frozen=True)
class Solution:
    """A minimiser with its certificate.

    Attributes
    ----------
    coef : array, shape (p,)
    intercept : float
    gap : float
        Relative duality gap: ``(P - D) / P``; an objective below 1e-10 of that at zero counts as
        that. Columns that are certified to stay add nothing, so that it can be below the gap that
        `duality_gap` finds, which scales the residual until all columns are feasible.
    primal : float
        The objective ``P``.
    n_iter : int
        Rounds of working sets.
    converged : bool
        ``gap <= tol``.
    active : array of int
        Coordinates off both knots, 0 and the source coefficient.
    """

    coef: np.ndarray
    intercept: float
    gap: float
    primal: float
    n_iter: int
    converged: bool
    active: np.ndarray


def _writeable(x: np.ndarray) -> np.ndarray:
    """The same memory, not marked read-only (as joblib's maps are): one compiled type less.

    The kernels never write to the design.
    """
    if x.flags.writeable:
        return x
    interface = dict(x.__array_interface__)
    interface["data"] = (interface["data"][0], False)

    class _Memory:
        __array_interface__ = interface
        owner = x

    return np.asarray(_Memory())


def compiled_design(X: Any) -> Any:
    """The design as the kernels want it, first axis 1; a copy only of a C-ordered matrix."""
    from tlstat.transfer_lasso.kernels import Design

    n, p = X.shape
    if is_sparse(X):
        return Design(
            np.empty((1, 0, 0)),
            _writeable(X.data),
            _writeable(X.indices.astype(np.int32, copy=False)),
            _writeable(X.indptr.astype(np.int64, copy=False)),
            True,
            n,
            p,
        )
    return Design(
        _writeable(np.asfortranarray(X)).T[None],
        np.empty(0),
        np.empty(0, dtype=np.int32),
        np.empty(0, dtype=np.int64),
        False,
        n,
        p,
    )


class _OneBlasThread:
    """A context in which BLAS starts no threads: on matrices as small as here they only wait.

    The limit holds for all threads of the process, so that the first sets it and the last one out
    puts back what was.
    """

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    @functools.cached_property
    def _libraries(self) -> Any:
        import scipy.linalg  # noqa: F401  (its BLAS is the one that compiled code calls)
        import threadpoolctl

        return threadpoolctl.ThreadpoolController()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit = self._libraries.limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


one_blas_thread = _OneBlasThread()


def free_basis(problem: Problem, free: np.ndarray) -> np.ndarray:
    """Rows spanning intercept and the columns ``free``, orthonormal under the weights of rows."""
    n = len(problem.y)
    columns = [np.ones((n, 1))] if problem.fit_intercept else []
    if len(free):
        columns.append(dense_columns(problem.X, free))
    if not columns:
        return np.empty((0, n))
    root = np.sqrt(problem.share)
    left, singular, _ = np.linalg.svd(root[:, None] * np.hstack(columns), full_matrices=False)
    left = left[:, singular > 1e-12 * singular[0]]
    basis = np.divide(left.T, root, out=np.zeros((left.shape[1], n)), where=root > 0)
    return np.ascontiguousarray(basis)


def solve(
    X: Any,
    y: Any,
    l1: float,
    l2: float,
    *,
    source_coef: Any = None,
    weights: Any = None,
    source_weights: Any = None,
    nu: float = 0.0,
    mu: float = 0.0,
    loss: str = "squared",
    sample_weight: Any = None,
    coef_init: Any = None,
    tol: float = 1e-6,
    max_iter: int = 100,
    fit_intercept: bool = False,
) -> Solution:
    """Minimise the transfer-lasso objective to a certified relative duality gap.

    Parameters
    ----------
    X, y, l1, l2, source_coef, weights, source_weights, nu, mu, loss, sample_weight, fit_intercept
        The problem, as in `tlstat.transfer_lasso.problem.prepare`.
    coef_init : array, shape (p,), optional
        Where to start; zero by default.
    tol : float
        Relative duality gap at which to stop.
    max_iter : int
        Rounds of working sets.

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        Bad input, before any work.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        The gap is still above ``tol`` after ``max_iter`` rounds.
    """
    problem = prepare(
        X,
        y,
        l1,
        l2,
        source_coef=source_coef,
        weights=weights,
        source_weights=source_weights,
        nu=nu,
        mu=mu,
        loss=loss,
        sample_weight=sample_weight,
        fit_intercept=fit_intercept,
    )
    check_control(tol, max_iter)
    p = problem.X.shape[1]
    start = np.zeros(p) if coef_init is None else check_vector(coef_init, "coef_init", p, "column")
    solution = run(problem, start, tol, max_iter)
    if not solution.converged:
        warn_unconverged(solution.gap, tol, max_iter, solution.n_iter < max_iter)
    return solution


def check_control(tol: Any, max_iter: Any) -> None:
    """Raise an InputError unless both are in range."""
    if not (isinstance(tol, int | float | np.number) and 0 < tol < 1):
        raise InputError(f"tol is {tol!r}; expected a number above 0 and below 1")
    if not (isinstance(max_iter, int | np.integer) and max_iter >= 1):
        raise InputError(f"max_iter is {max_iter!r}; expected an integer of at least 1")


def warn_unconverged(gap: float, tol: float, max_iter: int, stalled: bool = False) -> None:
    from sklearn.exceptions import ConvergenceWarning

    if stalled:
        where, advice = "where rounding stops the solver", "raise tol"
    else:
        where, advice = f"after max_iter={max_iter} rounds", "raise max_iter, raise tol"
    warnings.warn(
        f"the relative duality gap is {gap:.2g} {where}, above tol={tol:.2g}: {advice}, or scale "
        "the columns of X alike",
        ConvergenceWarning,
        stacklevel=3,
    )


def run(problem: Problem, start: np.ndarray, tol: float, max_iter: int) -> Solution:
    """Solve a checked problem from ``start``."""
    coefs, report = walk(problem, np.ones(1), np.ones(1), start, tol, max_iter)
    intercept, gap, primal, rounds = report[0]
    return Solution(
        coefs[0],
        float(intercept),
        float(gap),
        float(primal),
        int(rounds),
        bool(gap <= tol),
        np.flatnonzero((coefs[0] != 0) & (coefs[0] != problem.b0)),
    )


def walk(
    problem: Problem,
    l1s: np.ndarray,
    l2s: np.ndarray,
    start: np.ndarray,
    tol: float,
    max_iter: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Solve at all multiples ``l1s`` and ``l2s`` of the penalty, one after the other.

    Where descent stalls an exact method takes over. Returns the coefficients (points, p) and the
    intercept, relative gap, objective and rounds (points, 4).
    """
    parts = []
    for part in _same_free(problem, l1s, l2s):
        parts.append(_descend(problem, l1s[part], l2s[part], start, tol, max_iter))
        start = parts[-1][0][-1]
    coefs, report = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    for k in np.flatnonzero(~(report[:, 1] <= tol) & (report[:, 3] < max_iter)):
        from tlstat.transfer_lasso.polish import polish

        here = replace(problem, a=l1s[k] * problem.a, c=l2s[k] * problem.c)
        exact = polish(here, coefs[k], report[k, 0])
        again, certified = _descend(here, np.ones(1), np.ones(1), exact, tol, 1)
        if certified[0, 1] < report[k, 1]:
            coefs[k], report[k, :3] = again[0], certified[0, :3]
    return coefs, report


def _same_free(problem: Problem, l1s: np.ndarray, l2s: np.ndarray) -> list[slice]:
    """Stretches of a path with the same unpenalised columns: these change where a level is 0."""
    kinds = np.column_stack([l1s > 0, l2s > 0])
    cuts = np.flatnonzero(np.any(kinds[1:] != kinds[:-1], axis=1)) + 1
    edges = [0, *cuts.tolist(), len(l1s)]
    return [slice(low, high) for low, high in zip(edges[:-1], edges[1:], strict=True)]


def best_intercept(problem: Problem, eta: np.ndarray) -> float:
    """The intercept that fits best on top of ``eta``."""
    from tlstat.transfer_lasso import kernels_entry

    return float(
        kernels_entry.centre(problem.loss == "logistic", problem.y, problem.share, eta.copy())
    )


def _descend(
    problem: Problem,
    l1s: np.ndarray,
    l2s: np.ndarray,
    start: np.ndarray,
    tol: float,
    max_iter: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Points of a path that have the same unpenalised columns."""
    from tlstat.transfer_lasso import kernels_entry

    with np.errstate(over="ignore", invalid="ignore"):
        floor = problem.floor
    if not np.isfinite(floor):
        raise InputError(NO_FLOOR)
    free = replace(problem, a=l1s[0] * problem.a, c=l2s[0] * problem.c).unpenalised
    design = compiled_design(problem.X)
    coefs, report = np.empty((1, len(l1s), design.p)), np.empty((1, len(l1s), 4))
    # one layout and type each: another would be compiled anew, for a minute
    y, share, a, c, b0, begin = (
        _writeable(np.ascontiguousarray(x))
        for x in (problem.y, problem.share, problem.a, problem.c, problem.b0, start)
    )
    with one_blas_thread:
        finite = kernels_entry.walk(
            design,
            problem.loss == "logistic",
            y[None],
            share,
            free_basis(problem, free),
            problem.fit_intercept,
            a[None],
            c[None],
            b0[None] + 0.0,  # no negative zero
            problem.nu,
            problem.mu,
            np.ascontiguousarray(l1s, dtype=float),
            np.ascontiguousarray(l2s, dtype=float),
            begin[None] + 0.0,
            float(tol),
            np.array([floor]),
            int(max_iter),
            coefs,
            report,
        )
    if not finite:
        raise InputError(OVERFLOW)
    coefs, report = coefs[0], report[0]
    report[:, 1] = relative(report[:, 1], report[:, 2], floor)
    return coefs, report


def relative(gap: np.ndarray, primal: np.ndarray, floor: Any) -> np.ndarray:
    """The gap over the objective; 0 where both are, NaN where something overflowed."""
    scale = np.maximum(primal, floor)
    with np.errstate(invalid="ignore"):
        return np.where(scale == 0, 0.0, gap / np.where(scale == 0, 1.0, scale))
