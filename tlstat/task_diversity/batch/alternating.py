"""Alternating minimisation of ``sum_j |y_j - X_j U w_j|^2``: exact steps, or gradient steps in U.

AltMin and AltMinGD of arXiv:2105.08306, here on all samples in every iteration. The published
analysis splits them, and starts from the method of moments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.task_diversity.batch.regression import Problem, inverse
from tlstat.task_diversity.subspace import orthonormalise, squared_distance

__all__ = ["Fit", "alternating_gradient", "alternating_minimisation"]

Array = Any

_DIRECT = 512  # largest d r for which the system in vec(U) is formed and factorised
# conjugate gradients stop at this share of the step, or at rounding: a more exact solution moves
# the iterates, not the point where they settle
_CG_SHARE, _CG_ROUNDING = 1e-4, 1e-13


@dataclass(frozen=True, eq=False)
class Fit:
    """A representation with its heads.

    Attributes
    ----------
    B : array, shape (..., d, r)
        Orthonormal columns.
    heads : array, shape (..., t, r)
        Least squares on ``B``.
    change : array, shape (...)
        What the last iteration moved, as ``|sin|_F`` between the representations before and after
        it; for `factored_descent` the size of the Newton-like step that is left.
    converged : array of bool, shape (...)
    n_iter : int
        Iterations made, of all replicates together.
    """

    B: Array
    heads: Array
    change: Array
    converged: Array
    n_iter: int


def alternating_minimisation(
    S: Any, q: Array, start: Array, *, n_iter: int = 100, tol: float = 1e-8
) -> Fit:
    """ERM by exact alternation: heads given ``U``, ``U`` given heads, QR (AltMin).

    Parameters
    ----------
    S : array, shape (..., t, d, d), or Factored
    q : array, shape (..., t, d)
    start : array, shape (..., d, r)
        For instance `spectral_start` or `u_statistic`.
    n_iter : int
        Most iterations. Few are needed for n well above r, over 40 at n near 2r.
    tol : float
        Replicates whose representation moves by less (``|sin|_F``) have converged; the iterations
        end when all have.

    Raises
    ------
    InputError
        For shapes that do not fit, fewer tasks than ``r``, fewer samples a task than ``r``.

    Notes
    -----
    At ``n <= r`` samples a task every representation fits exactly and ``start`` comes back: least
    squares does not identify ``B`` there, the method of moments does.
    """
    problem = _problem(S, q, start, n_iter)
    solve = _direct if not problem.factored and problem.d * start.shape[-1] <= _DIRECT else _cg

    def step(B: Array) -> Array:
        return orthonormalise(solve(problem, B, problem.evaluate(B)[0]))

    return _iterate(problem, q, start, step, n_iter, tol)


def alternating_gradient(
    S: Any, q: Array, start: Array, *, n_iter: int = 30, tol: float = 0.0, step: float = 0.5
) -> Fit:
    """Exact heads and one gradient step in ``U`` (AltMinGD).

    ``U <- QR(U - eta (1/t) sum_j (S_j U w_j - q_j) w_j')``, ``eta = step / lambda_max(W'W/t)``.

    Parameters
    ----------
    S, q, start, n_iter, tol
        As in `alternating_minimisation`.
    step : float
        Above 0; below 2 over the largest eigenvalue of the ``S_j`` it does not diverge.
    """
    problem = _problem(S, q, start, n_iter)
    xp = namespace(q)

    def move(B: Array) -> Array:
        W, _, gradient = problem.evaluate(B)
        top = xp.linalg.eigvalsh(W.mT @ W)[..., -1, None, None]
        return orthonormalise(B - step * gradient / top)

    return _iterate(problem, q, start, move, n_iter, tol)


def _problem(S: Any, q: Array, start: Array, n_iter: int) -> Problem:
    problem = Problem(S, q / responses_scale(q))
    problem.check(start)
    if problem.t < start.shape[-1]:
        raise InputError(
            f"{problem.t} tasks cannot span a representation of rank r = {start.shape[-1]}; "
            "expected at least r tasks"
        )
    if isinstance(n_iter, bool) or not n_iter >= 1:
        raise InputError(f"n_iter is {n_iter!r}; expected a positive integer")
    return problem


def responses_scale(q: Array) -> Array:
    """Largest entry of ``q``, shape (..., 1, 1); the span does not depend on the scale."""
    xp = namespace(q)
    size = xp.max(xp.max(abs(q), axis=-1), axis=-1)[..., None, None]
    return xp.where(size > 0, size, 1.0)


def _iterate(problem: Problem, q: Array, start: Array, step: Any, n_iter: int, tol: float) -> Fit:
    B, done = orthonormalise(start), 0
    change = converged = None
    while done < n_iter:
        done += 1
        new = step(B)
        change = squared_distance(new, B) ** 0.5
        B, converged = new, change <= tol
        if bool(converged.all()):
            break
    return Fit(B, responses_scale(q) * problem.evaluate(B)[0], change, converged, done)


# --- U given the heads: sum_j S_j U w_j w_j' = sum_j q_j w_j' ------------------------------------


def _direct(problem: Problem, B: Array, W: Array) -> Array:
    xp = namespace(B)
    d, r = problem.d, B.shape[-1]
    lead = tuple(problem.q.shape[:-2])
    pairs = (W[..., :, None] * W[..., None, :]).reshape((*lead, problem.t, r * r))
    H = pairs.mT @ problem.rows.reshape((*lead, problem.t, d * d))
    axes = (*range(len(lead)), *(len(lead) + k for k in (2, 0, 3, 1)))
    H = xp.permute_dims(H.reshape((*lead, r, r, d, d)), axes).reshape((*lead, d * r, d * r))
    # a proximal term of the size of rounding: heads that span too little leave U where it was
    trace = (H * xp.eye(d * r, dtype=H.dtype, device=H.device)).sum((-2, -1))
    ridge = (1e-14 * trace / (d * r) + np.finfo(float).tiny)[..., None, None]
    H = H + ridge * xp.eye(d * r, dtype=H.dtype, device=H.device)
    right = problem.q.mT @ W + ridge * B
    return xp.linalg.solve(H, right.reshape((*lead, d * r, 1))).reshape(right.shape)


def _cg(problem: Problem, B: Array, W: Array) -> Array:
    """Conjugate gradients from ``B``, preconditioned by ``(W'W/t)^-1 (x) (mean S)^-1``."""
    xp = namespace(B)
    left, right = preconditioner(problem, W)

    U = B
    residual = problem.q.mT @ W - problem.normal(U, W)
    z = left @ residual @ right
    p, rz = z, _dot(residual, z)
    all_of_it = problem.q.mT @ W
    floor = _CG_ROUNDING**2 * _dot(all_of_it, left @ all_of_it @ right)
    goal = xp.maximum(_CG_SHARE**2 * rz, floor)
    for _ in range(10 * problem.d * B.shape[-1]):
        if bool((rz <= goal).all()):
            break
        Hp = problem.normal(p, W)
        curve = _dot(p, Hp)
        alpha = xp.where(curve > 0, rz / xp.where(curve > 0, curve, 1.0), 0.0)
        U = U + alpha * p
        residual = residual - alpha * Hp
        z = left @ residual @ right
        new = _dot(residual, z)
        p = z + xp.where(rz > 0, new / xp.where(rz > 0, rz, 1.0), 0.0) * p
        rz = new
    return U


def preconditioner(problem: Problem, W: Array) -> tuple[Array, Array]:
    """Inverses of ``(1/t) sum S_j``, computed once a problem, and of ``W'W``."""
    return problem.mean_inverse, inverse(W.mT @ W)


def _dot(a: Array, b: Array) -> Array:
    return (a * b).sum((-2, -1))[..., None, None]
