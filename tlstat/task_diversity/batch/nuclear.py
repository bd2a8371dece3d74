"""Least squares with a nuclear-norm penalty, with a duality gap::

    min_Theta  P(Theta) = (1/2t) sum_j (theta_j'S_j theta_j - 2 q_j'theta_j + y2_j) + lam |Theta|_*

FISTA with restarts; its steps are singular-value thresholds. The gap bounds what is left: with
``e = y - X theta`` the residuals and ``c <= 1`` such that ``c |grad|_2 <= lam``, the point ``c e``
is dual feasible, and ::

    gap = lam |Theta|_* + c <grad, Theta> + (1 - c)^2 (1/2t) sum_j |e_j|^2/n.

High-dimensional linear representations of arXiv:2002.09434.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.task_diversity.batch.regression import Problem
from tlstat.task_diversity.subspace import check_rank

__all__ = ["NuclearFit", "lambda_max", "nuclear_norm"]

Array = Any

_CHECK_EVERY = 10


@dataclass(frozen=True, eq=False)
class NuclearFit:
    """Minimisers with their certificates.

    Attributes
    ----------
    theta : array, shape (..., t, d)
        Coefficients of the tasks.
    gap : array, shape (...)
        Duality gap divided by ``P(0)``: the objective is at most that far above its minimum.
    objective : array, shape (...)
        ``P(theta)``.
    rank : array of int, shape (...)
        Singular values of ``theta`` above 0.
    converged : array of bool, shape (...)
    n_iter : int
    """

    theta: Array
    gap: Array
    objective: Array
    rank: Array
    converged: Array
    n_iter: int

    def basis(self, r: int) -> Array:
        """The first ``r`` right singular vectors of ``theta``: a representation (..., d, r)."""
        check_rank(r, self.theta.shape[-1])
        xp = namespace(self.theta)
        return xp.linalg.svd(self.theta, full_matrices=self.theta.shape[-2] < r)[2][..., :r, :].mT


def lambda_max(q: Array) -> Array:
    """The smallest ``lam`` at which the solution is zero, ``|q|_2/t``, shape (...)."""
    return namespace(q).linalg.svdvals(q)[..., 0] / q.shape[-2]


def nuclear_norm(
    S: Any, q: Array, lam: Any, y2: Array, *, n_iter: int = 5000, tol: float = 1e-6
) -> NuclearFit:
    """Multi-task least squares with the penalty ``lam |Theta|_*``.

    Parameters
    ----------
    S : array, shape (..., t, d, d), or Factored
    q : array, shape (..., t, d)
    lam : float or array, shape (...)
        Above 0; `lambda_max` gives the scale.
    y2 : array, shape (..., t)
        ``|y_j|^2/n``: it makes the objective that of the data, and the gap a bound.
    n_iter : int
        Most iterations.
    tol : float
        Gap, as a share of ``P(0)``, at which a replicate is done.

    Raises
    ------
    InputError
        For shapes that do not fit, or ``lam`` that is not a finite number above 0.
    """
    problem = Problem(S, q)
    xp = namespace(q)
    lead = tuple(q.shape[:-2])
    level = xp.zeros(lead, dtype=q.dtype, device=q.device) + lam
    if not bool((xp.isfinite(level) & (level > 0)).all()):
        raise InputError(f"lam is {lam!r}; expected finite numbers above 0")
    if tuple(y2.shape) != tuple(q.shape[:-1]):
        raise InputError(f"y2 has shape {tuple(y2.shape)}; expected {tuple(q.shape[:-1])}")
    curve = _curvature(problem)[..., None, None] / problem.t
    best = theta = point = xp.zeros_like(q)
    best_gap = xp.full(lead, xp.inf, dtype=q.dtype, device=q.device)
    objective, momentum = best_gap, xp.ones_like(curve)
    scale = y2.sum(-1) / (2 * problem.t) + np.finfo(float).tiny
    done = 0
    for done in range(int(n_iter) + 1):
        if done % _CHECK_EVERY == 0 or done == n_iter:
            gap, value = _gap(problem, theta, y2, level)
            better = gap / scale < best_gap
            best_gap = xp.where(better, gap / scale, best_gap)
            objective = xp.where(better, value, objective)
            best = xp.where(better[..., None, None], theta, best)
            if bool((best_gap <= tol).all()) or done == n_iter:
                break
        gradient = (_products(problem, point) - q) / problem.t
        new = _shrink(point - gradient / curve, (level[..., None, None] / curve)[..., 0])
        uphill = ((point - new) * (new - theta)).sum((-2, -1))[..., None, None] > 0
        momentum = xp.where(uphill, 1.0, momentum)
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        ratio = xp.where(uphill, 0.0, (momentum - 1) / following)
        theta, point, momentum = new, new + ratio * (new - theta), following
    values = xp.linalg.svdvals(best)
    rank = (values > 1e-9 * values[..., :1] + 1e-300).sum(-1)
    return NuclearFit(best, best_gap, objective, rank, best_gap <= tol, done)


def _products(problem: Problem, theta: Array) -> Array:
    """``S_j theta_j``, shape (..., t, d)."""
    e = problem.rows @ theta[..., None]
    return (problem.rows.mT @ e if problem.factored else e)[..., 0]


def _gap(problem: Problem, theta: Array, y2: Array, level: Array) -> tuple[Array, Array]:
    xp = namespace(theta)
    t = problem.t
    products = _products(problem, theta)
    gradient = (products - problem.q) / t
    size = xp.linalg.svdvals(gradient)[..., 0]
    c = xp.where(size > level, level / xp.where(size > level, size, 1.0), 1.0)
    norm = xp.linalg.svdvals(theta).sum(-1)
    squares = (y2 + (theta * (products - 2 * problem.q)).sum(-1)).sum(-1) / t
    squares = xp.where(squares > 0, squares, 0.0)
    inner = (gradient * theta).sum((-2, -1))
    gap = level * norm + c * inner + (1 - c) ** 2 * squares / 2
    return xp.where(gap > 0, gap, 0.0), squares / 2 + level * norm


def _shrink(theta: Array, threshold: Array) -> Array:
    """Soft threshold of the singular values, by the eigenvalues of the smaller Gram matrix."""
    xp = namespace(theta)
    wide = theta.shape[-2] < theta.shape[-1]
    A = theta.mT if wide else theta
    values, vectors = xp.linalg.eigh(A.mT @ A)
    s = xp.where(values > 0, values, 0.0) ** 0.5
    keep = xp.where(s > threshold, 1 - threshold / xp.where(s > threshold, s, 1.0), 0.0)
    out = A @ ((vectors * keep[..., None, :]) @ vectors.mT)
    return out.mT if wide else out


def _curvature(problem: Problem) -> Array:
    """Largest eigenvalue of any ``S_j``, shape (...)."""
    xp = namespace(problem.q)
    if problem.factored:
        return xp.max(xp.linalg.svdvals(problem.rows)[..., 0], axis=-1) ** 2
    return xp.max(xp.linalg.eigvalsh(problem.rows)[..., -1], axis=-1)
