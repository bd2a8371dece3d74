"""ERM of one problem by alternating minimisation, on the raw data."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.linalg

from tlstat.errors import InputError
from tlstat.task_diversity.batch.alternating import Fit
from tlstat.task_diversity.data import TaskWarning, check_identifiable, check_tasks
from tlstat.task_diversity.estimators.spectral import method_of_moments, u_statistic

__all__ = ["alternating_gradient", "alternating_minimisation"]

Tasks = list[np.ndarray]


def alternating_minimisation(
    X: Sequence[Any],
    y: Sequence[Any],
    r: int,
    *,
    start: Any = None,
    n_iter: int = 200,
    tol: float = 1e-8,
) -> Fit:
    """ERM: minimise ``sum_j |y_j - X_j B w_j|^2`` by exact steps in the heads and in ``B``.

    Parameters
    ----------
    X : sequence of array_like, shapes (n_j, d)
    y : sequence of array_like, shapes (n_j,)
    r : int
    start : array_like, shape (d, r), optional
        `u_statistic` by default.
    n_iter : int
    tol : float
        Ends when ``B`` moves by less, as ``|sin Theta|_F``.

    Returns
    -------
    Fit
        ``B`` (d, r) and ``heads`` (t, r).

    Raises
    ------
    InputError
        As `data.check_tasks`, and if no task has more than ``r`` samples (not identifiable).

    Warns
    -----
    TaskWarning
        Tasks with ``n_j <= r``: they are fitted exactly by almost any ``B``, so the others alone
        decide; and if ``n_iter`` did not suffice.
    """
    return _alternate(X, y, r, start, n_iter, tol, _exact)


def alternating_gradient(
    X: Sequence[Any],
    y: Sequence[Any],
    r: int,
    *,
    start: Any = None,
    n_iter: int = 200,
    tol: float = 1e-8,
    step: float = 0.5,
) -> Fit:
    """As `alternating_minimisation` with one gradient step in ``B`` (AltMinGD).

    Parameters
    ----------
    step : float
        Over the largest eigenvalue of ``W'W/t``: the step. For covariates of covariance I; with
        others it has to be below 2 over their largest eigenvalue.
    """

    def move(X: Tasks, y: Tasks, B: np.ndarray, W: np.ndarray) -> np.ndarray:
        n = np.mean([len(out) for out in y])
        gradient = np.zeros_like(B)
        for rows, out, w in zip(X, y, W, strict=True):
            gradient += np.outer(rows.T @ (rows @ (B @ w) - out), w) / n
        return np.asarray(B - step * gradient / np.linalg.eigvalsh(W.T @ W)[-1])

    return _alternate(X, y, r, start, n_iter, tol, move)


def _alternate(
    X: Sequence[Any],
    y: Sequence[Any],
    r: int,
    start: Any,
    n_iter: int,
    tol: float,
    move: Callable[[Tasks, Tasks, np.ndarray, np.ndarray], np.ndarray],
) -> Fit:
    X, y = check_tasks(X, y, r)
    if isinstance(n_iter, bool) or not n_iter >= 1:
        raise InputError(f"n_iter is {n_iter!r}; expected a positive integer")
    rows, out = informative(X, y, r)
    B = first_basis(rows, out, r, start)
    change, done = np.inf, 0
    while done < n_iter and change > tol:
        W = _heads(rows, out, B)
        new = np.linalg.qr(move(rows, out, B, W))[0]
        rest = new - B @ (B.T @ new)
        change, B, done = float(np.linalg.norm(rest)), new, done + 1
    if change > tol:
        warnings.warn(
            f"the representation moves by {change:.1e} after {n_iter} iterations (tol {tol:g})",
            TaskWarning,
            stacklevel=3,
        )
    return Fit(B, _heads(X, y, B), np.array(change), np.array(change <= tol), done)


def informative(X: Tasks, y: Tasks, r: int) -> tuple[Tasks, Tasks]:
    """The tasks with more than ``r`` samples, with a warning if there are others."""
    n = np.array([len(out) for out in y])
    check_identifiable(n, r)
    keep = np.flatnonzero(n > r)
    if len(keep) < r:
        raise InputError(
            f"{len(keep)} tasks have more than r = {r} samples; expected at least r of them, "
            "or use the method of moments"
        )
    if len(keep) < len(n):
        warnings.warn(
            f"{len(n) - len(keep)} of {len(n)} tasks have at most r = {r} samples, too few to "
            "inform least squares about the representation: the others decide",
            TaskWarning,
            stacklevel=4,
        )
    return [X[j] for j in keep], [y[j] for j in keep]


def first_basis(X: Tasks, y: Tasks, r: int, start: Any) -> np.ndarray:
    """The start, orthonormalised; the U-statistic where none is given."""
    if start is None:
        return u_statistic(X, y, r) if max(map(len, y)) > 1 else method_of_moments(X, y, r)
    B = np.asarray(start, dtype=float)
    if B.shape != (X[0].shape[1], r) or not np.all(np.isfinite(B)):
        raise InputError(f"start has shape {B.shape}; expected finite, {(X[0].shape[1], r)}")
    return np.asarray(np.linalg.qr(B)[0])


def _heads(X: Tasks, y: Tasks, B: np.ndarray) -> np.ndarray:
    fits = [np.linalg.lstsq(rows @ B, out, rcond=None)[0] for rows, out in zip(X, y, strict=True)]
    return np.stack(fits)


def _exact(X: Tasks, y: Tasks, B: np.ndarray, W: np.ndarray) -> np.ndarray:
    d, r = B.shape
    H, right = np.zeros((r, d, r, d)), np.zeros((r, d))
    for rows, out, w in zip(X, y, W, strict=True):
        H += np.outer(w, w)[:, None, :, None] * (rows.T @ rows)[None, :, None, :]
        right += np.outer(w, rows.T @ out)
    # columns of any scale; where some have no variance, the solution nearest to B
    residual = (right - np.einsum("aibk,kb->ai", H, B)).ravel()
    flat = H.reshape(r * d, r * d)
    size = np.sqrt(np.diag(flat))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    scaled = scale[:, None] * flat * scale
    step = scale * scipy.linalg.lstsq(scaled, scale * residual, cond=1e-13)[0]
    return np.asarray(B + step.reshape(r, d).T)
