"""LF-FO: first-order minimisation of the factored loss of arXiv:2002.11684, many problems at once::

    min_{U, V}  (1/2N) sum_j |y_j - X_j U v_j|^2 + (1/8) |U'U - V'V|_F^2

The second term is zero at some factors of every product ``U V'``, so the minimum is that of the
first term, and the heads can be eliminated: what is left, ``phi(U) = min_V``, depends on the span
of ``U`` alone. L-BFGS on ``phi``, preconditioned by ``(mean S)^-1 (x) (W'W/t)^-1``, reaches the
same value in tens of passes over the data where L-BFGS on ``(U, V)`` needs hundreds.
"""

from __future__ import annotations

from typing import Any

from tlstat.backend import namespace
from tlstat.task_diversity.batch.alternating import (
    Fit,
    _dot,
    _problem,
    preconditioner,
    responses_scale,
)
from tlstat.task_diversity.batch.regression import Problem
from tlstat.task_diversity.subspace import orthonormalise

__all__ = ["balanced", "factored_descent", "factored_loss"]

Array = Any

_ARMIJO = 1e-4
_ROUNDING = 1e-14  # of the loss: below it a rise is no rise


def factored_descent(
    S: Any, q: Array, start: Array, *, n_iter: int = 200, tol: float = 1e-6, memory: int = 8
) -> Fit:
    """Minimise the factored loss over ``U`` and ``V``; the representation is the span of ``U``.

    Parameters
    ----------
    S : array, shape (..., t, d, d), or Factored
    q : array, shape (..., t, d)
    start : array, shape (..., d, r)
        `spectral_start`, or normal numbers as published (which ends in a bad optimum at times).
    n_iter : int
        Most passes over the data.
    tol : float
        A replicate has converged when the preconditioned gradient, about the sine that is left
        to the optimum, is below it.
    memory : int
        Pairs of differences that the metric is made of.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        As `alternating_minimisation`; at ``n <= r`` it also returns ``start``.
    """
    problem = _problem(S, q, start, n_iter)
    xp = namespace(q)
    lead = tuple(q.shape[:-2])
    point = orthonormalise(start) + xp.zeros((*lead, 1, 1), dtype=q.dtype, device=q.device)
    value, gradient, W = _evaluate(problem, point)
    pairs: list[tuple[Array, Array, Array]] = []
    direction, change = _direction(problem, gradient, W, pairs)
    length = xp.ones_like(value)
    passes = 1
    while passes < n_iter:
        active = change > tol
        if not bool(active.any()):
            break
        slope = _dot(gradient, direction)
        trial = point + xp.where(active, length, 0.0) * direction
        new_value, new_gradient, new_W = _evaluate(problem, trial, active[..., 0, 0])
        passes += 1
        allowed = value + _ARMIJO * length * slope + _ROUNDING * abs(value)
        accepted = new_value <= allowed  # not for NaN
        difference, curve = trial - point, new_gradient - gradient
        sy = _dot(difference, curve)
        useful = accepted & active & (sy > 1e-12 * _dot(curve, curve) ** 0.5 * _norm(difference))
        # a pair with weight 0 leaves the metric of its replicate alone
        weight = xp.where(useful, 1 / xp.where(useful, sy, 1.0), 0.0)
        pairs = [*pairs, (_keep(useful, difference), _keep(useful, curve), weight)][-memory:]
        take = accepted & active
        point, value = xp.where(take, trial, point), xp.where(take, new_value, value)
        gradient, W = xp.where(take, new_gradient, gradient), xp.where(take, new_W, W)
        moved, left = _direction(problem, gradient, W, pairs)
        direction = xp.where(take, moved, direction)
        change = xp.where(take, left, change)
        length = xp.where(take, 1.0, length / 4)
    B = orthonormalise(point)
    heads = responses_scale(q) * problem.evaluate(B)[0]
    change = change[..., 0, 0]
    return Fit(B, heads, change, change <= tol, passes)


def _evaluate(
    problem: Problem, U: Array, active: Array | None = None
) -> tuple[Array, Array, Array]:
    """``phi`` without its constant, its gradient and the heads."""
    W, fitted, gradient = problem.evaluate(U, active)
    return -fitted[..., None, None] / (2 * problem.t), gradient / problem.t, W


def _direction(
    problem: Problem, gradient: Array, W: Array, pairs: list[tuple[Array, Array, Array]]
) -> tuple[Array, Array]:
    """Two-loop recursion of L-BFGS from the preconditioner, and the size of its own step."""
    left, right = preconditioner(problem, W)
    right = problem.t * right
    plain = left @ gradient @ right
    g, kept = gradient, []
    for s, y, weight in reversed(pairs):
        a = weight * _dot(s, g)
        g = g - a * y
        kept.append(a)
    z = left @ g @ right
    for (s, y, weight), a in zip(pairs, reversed(kept), strict=True):
        z = z + (a - weight * _dot(y, z)) * s
    downhill = _dot(gradient, z) > 0
    return -namespace(z).where(downhill, z, plain), _norm(plain)


def _norm(x: Array) -> Array:
    return _dot(x, x) ** 0.5


def _keep(mask: Array, x: Array) -> Array:
    return namespace(x).where(mask, x, 0.0)


def factored_loss(S: Any, q: Array, y2: Array, U: Array, V: Array) -> Array:
    """The factored loss as published, shape (...).

    Parameters
    ----------
    S, q : as in `factored_descent`
    y2 : array, shape (..., t)
        ``|y_j|^2/n``.
    U : array, shape (..., d, r)
    V : array, shape (..., t, r)
    """
    problem = Problem(S, q)
    Z = problem.apply(U)
    fit = (problem.gram(U, Z) * (V[..., :, None] * V[..., None, :])).sum((-2, -1))
    loss = (y2 - 2 * ((q @ U) * V).sum(-1) + fit).sum(-1) / (2 * problem.t)
    return loss + ((U.mT @ U - V.mT @ V) ** 2).sum((-2, -1)) / 8


def balanced(B: Array, heads: Array) -> tuple[Array, Array]:
    """Factors ``U`` (..., d, r), ``V`` (..., t, r) of ``B A'`` with ``U'U = V'V``."""
    xp = namespace(B)
    root_q, root = xp.linalg.qr(heads)
    left, s, right = xp.linalg.svd(root.mT)  # A' = root' root_q', B A' = (B left) s (right root_q')
    return B @ left * s[..., None, :] ** 0.5, root_q @ right.mT * s[..., None, :] ** 0.5
