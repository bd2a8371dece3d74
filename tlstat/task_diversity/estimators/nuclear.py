"""Nuclear-norm regularised least squares of one problem, with a duality gap."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.batch.nuclear import NuclearFit
from tlstat.task_diversity.data import TaskWarning, check_tasks

__all__ = ["nuclear_norm"]


def nuclear_norm(
    X: Sequence[Any],
    y: Sequence[Any],
    lam: float,
    *,
    n_iter: int = 20_000,
    tol: float = 1e-8,
) -> NuclearFit:
    """Minimise ``(1/2N) sum_j |y_j - X_j theta_j|^2 + lam |Theta|_*`` by FISTA.

    Parameters
    ----------
    X : sequence of array_like, shapes (n_j, d)
    y : sequence of array_like, shapes (n_j,)
    lam : float
        Above 0.
    n_iter : int
    tol : float
        Duality gap, as a share of the objective at zero, to stop at.

    Returns
    -------
    NuclearFit
        ``theta`` (t, d); ``basis(r)`` is a representation.

    Raises
    ------
    InputError
        As `data.check_tasks`, or for ``lam`` that is not a finite number above 0.

    Warns
    -----
    TaskWarning
        If the gap is above ``tol`` after ``n_iter`` iterations.
    """
    X, y = check_tasks(X, y)
    if not 0 < lam < np.inf:
        raise InputError(f"lam is {lam!r}; expected a finite number above 0")
    total = sum(map(len, y))
    shape = (len(X), X[0].shape[1])
    curve = max(float(np.linalg.norm(rows, 2)) ** 2 for rows in X) / total
    at_zero = max(sum(float(out @ out) for out in y) / (2 * total), np.finfo(float).tiny)
    theta = point = np.zeros(shape)
    momentum, done, gap, value = 1.0, 0, np.inf, np.inf
    while True:
        gap, value = _gap(X, y, theta, lam, total)
        if gap <= tol * at_zero or curve == 0 or done == n_iter:
            break
        new = _threshold(point + _correlations(X, y, point)[0] / (total * curve), lam / curve)
        if np.sum((point - new) * (new - theta)) > 0:
            momentum, point = 1.0, new
        else:
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            point = new + (momentum - 1) / following * (new - theta)
            momentum = following
        theta, done = new, done + 1
    if gap > tol * at_zero:
        warnings.warn(
            f"duality gap {gap / at_zero:.1e} after {n_iter} iterations (tol {tol:g})",
            TaskWarning,
            stacklevel=2,
        )
    s = np.linalg.svd(theta, compute_uv=False)
    rank = np.array(int(np.sum(s > 1e-9 * s[0])) if s[0] > 0 else 0)
    relative = np.array(gap / at_zero)
    return NuclearFit(theta, relative, np.array(value), rank, relative <= tol, done)


def _correlations(
    X: list[np.ndarray], y: list[np.ndarray], theta: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """``X_j'e_j`` as rows, and the residuals ``e_j = y_j - X_j theta_j``."""
    rest = [out - rows @ b for rows, out, b in zip(X, y, theta, strict=True)]
    return np.stack([rows.T @ e for rows, e in zip(X, rest, strict=True)]), rest


def _gap(
    X: list[np.ndarray], y: list[np.ndarray], theta: np.ndarray, lam: float, total: int
) -> tuple[float, float]:
    """Primal minus dual at the scaled residuals, and the primal."""
    correlations, rest = _correlations(X, y, theta)
    size = float(np.linalg.norm(correlations, 2)) / total
    c = min(1.0, lam / size) if size > 0 else 1.0
    squares = sum(float(e @ e) for e in rest)
    primal = squares / (2 * total) + lam * float(np.linalg.norm(theta, "nuc"))
    inner = sum(float(e @ out) for e, out in zip(rest, y, strict=True))
    dual = (c * inner - c**2 * squares / 2) / total
    return primal - dual, primal


def _threshold(theta: np.ndarray, level: float) -> np.ndarray:
    left, s, right = np.linalg.svd(theta, full_matrices=False)
    return np.asarray((left * np.maximum(s - level, 0)) @ right)
