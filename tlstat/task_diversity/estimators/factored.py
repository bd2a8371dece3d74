"""LF-FO of arXiv:2002.11684 as published: L-BFGS on the factored loss of one problem."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from tlstat.errors import InputError
from tlstat.task_diversity.batch.alternating import Fit
from tlstat.task_diversity.data import TaskWarning, check_identifiable, check_tasks

__all__ = ["factored_descent", "factored_loss"]

_FTOL = 1e7 * np.finfo(float).eps


class _Loss:
    """The loss and its gradient in ``(U, V)`` as one vector; rows of a task are consecutive."""

    def __init__(self, X: list[np.ndarray], y: list[np.ndarray], r: int) -> None:
        self.X, self.y, self.r = np.concatenate(X), np.concatenate(y), r
        n = np.array([len(out) for out in y])
        self.first = np.concatenate([[0], np.cumsum(n)[:-1]])
        self.task = np.repeat(np.arange(len(n)), n)
        self.d, self.t = self.X.shape[1], len(n)

    def split(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cut = self.d * self.r
        return x[:cut].reshape(self.d, self.r), x[cut:].reshape(self.t, self.r)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        U, V = self.split(x)
        Z, spread = self.X @ U, V[self.task]
        e = (Z * spread).sum(axis=1) - self.y
        skew = U.T @ U - V.T @ V
        total = len(self.y)
        value = e @ e / (2 * total) + (skew**2).sum() / 8
        gU = self.X.T @ (e[:, None] * spread) / total + U @ skew / 2
        gV = np.add.reduceat(e[:, None] * Z, self.first) / total - V @ skew / 2
        return float(value), np.concatenate([gU.ravel(), gV.ravel()])


def factored_loss(X: Sequence[Any], y: Sequence[Any], U: Any, V: Any) -> float:
    """``(1/2N) sum_j |y_j - X_jUv_j|^2 + (1/8) |U'U - V'V|_F^2``.

    Parameters
    ----------
    X : sequence of array_like, shapes (n_j, d)
    y : sequence of array_like, shapes (n_j,)
    U : array_like, shape (d, r)
    V : array_like, shape (t, r)
    """
    X, y = check_tasks(X, y)
    U, V = np.asarray(U, dtype=float), np.asarray(V, dtype=float)
    return _Loss(X, y, U.shape[1])(np.concatenate([U.ravel(), V.ravel()]))[0]


def factored_descent(
    X: Sequence[Any],
    y: Sequence[Any],
    r: int,
    *,
    seed: Any = 0,
    start: tuple[Any, Any] | None = None,
    n_iter: int = 1000,
    tol: float = 1e-5,
    allow_unidentified: bool = False,
) -> Fit:
    """Minimise the factored loss by scipy's L-BFGS from normal numbers, as published.

    Parameters
    ----------
    X : sequence of array_like, shapes (n_j, d)
    y : sequence of array_like, shapes (n_j,)
    r : int
    seed : int or numpy.random.Generator
        Of the start, ``N(0, 1)`` entries in ``U`` and ``V``.
    start : pair of array_like, shapes (d, r) and (t, r), optional
        ``U`` and ``V`` to start from instead.
    n_iter : int
        Most iterations (1000 as published).
    tol : float
        Largest entry of the gradient to stop at (scipy's default).
    allow_unidentified : bool
        Run where no task has more than ``r`` samples, as the published Figure 1 does: what comes
        out is about the start.

    Returns
    -------
    Fit
        ``B``: left singular vectors of ``U``. ``heads`` are those on ``B``, and ``change`` is the
        largest entry of the gradient.

    Raises
    ------
    InputError
        As `data.check_tasks`, and if no task has more than ``r`` samples.

    Warns
    -----
    TaskWarning
        If it did not converge within ``n_iter``.

    Notes
    -----
    The start and ``tol`` suppose covariates and responses of order 1: standardise others. A bad
    optimum is rare but not impossible, and depends on ``seed``.
    """
    X, y = check_tasks(X, y, r)
    if not allow_unidentified:
        check_identifiable([len(out) for out in y], r)
    loss = _Loss(X, y, r)
    size = (loss.d + loss.t) * r
    if start is None:
        x = np.random.default_rng(seed).standard_normal(size)
    else:
        U, V = (np.asarray(part, dtype=float) for part in start)
        if U.shape != (loss.d, r) or V.shape != (loss.t, r):
            raise InputError(
                f"start has shapes {U.shape} and {V.shape}; expected {(loss.d, r)}, {(loss.t, r)}"
            )
        x = np.concatenate([U.ravel(), V.ravel()])
    # the stop on the decrease of the loss is scipy's own at the default tol, and scales with it
    options: Any = {"maxiter": n_iter, "maxfun": 10 * n_iter, "gtol": tol}
    options["ftol"] = _FTOL * (tol / 1e-5) ** 2
    found = minimize(loss, x, jac=True, method="L-BFGS-B", options=options)
    slope = float(np.abs(found.jac).max())
    if found.nit >= n_iter:
        warnings.warn(
            f"L-BFGS used its {n_iter} iterations; gradient {slope:.1e}, tol {tol:g}",
            TaskWarning,
            stacklevel=2,
        )
    U, V = loss.split(found.x)
    left, s, right = np.linalg.svd(U, full_matrices=False)
    heads = V @ right.T * s
    return Fit(left, heads, np.array(slope), np.array(found.status == 0), int(found.nit))
