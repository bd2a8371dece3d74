"""Least squares in the moments ``S`` and ``q``: heads given a representation, losses, gradients.

With ``S`` an array an operation costs ``t d^2 r``, with its factors (n < d/2) ``t n d r``: no
matrix (dr)x(dr), and none of d x d a task, is ever formed for them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.task_diversity.moments import Factored

__all__ = ["Problem", "fit_heads", "fit_target", "oracle", "profile_loss", "single_task"]

Array = Any


class Problem:
    """The least-squares problem ``min sum_j (w_j'U'S_jUw_j - 2 q_j'Uw_j)``, its parts cached.

    Parameters
    ----------
    S : array, shape (..., t, d, d), or Factored
    q : array, shape (..., t, d)
    """

    def __init__(self, S: Any, q: Array) -> None:
        self.q = q
        self.factored = isinstance(S, Factored)
        self.rows = S.root if isinstance(S, Factored) else S
        *lead, t, d = q.shape
        if self.rows.ndim != q.ndim + 1 or tuple(self.rows.shape[:-2]) != (*lead, t):
            raise InputError(f"S has shape {tuple(S.shape)} and q {tuple(q.shape)}; expected one t")
        if self.rows.shape[-1] != d:
            raise InputError(f"S has shape {tuple(S.shape)}, q {tuple(q.shape)}; expected one d")
        self.t, self.d, self.k = t, d, self.rows.shape[-2]
        self.flat = self.rows.reshape((*lead, t * self.k, d))

    def check(self, U: Array) -> None:
        """Raise if ``U`` does not fit, or no head can be fitted on it."""
        r = U.shape[-1]
        if U.shape[-2] != self.d:
            raise InputError(f"start has shape {tuple(U.shape)}; expected (..., {self.d}, r)")
        if self.k < r:
            raise InputError(
                f"{self.k} samples a task cannot fit heads of r = {r}; expected n >= r"
            )

    def apply(self, U: Array) -> Array:
        """``S_j U`` (..., t, d, r), or ``F_j U`` (..., t, k, r) for factors."""
        out = self.flat @ U
        return out.reshape((*out.shape[:-2], self.t, self.k, U.shape[-1]))

    def gram(self, U: Array, Z: Array) -> Array:
        """``U'S_jU`` (..., t, r, r) given ``Z = apply(U)``."""
        return Z.mT @ Z if self.factored else U.mT[..., None, :, :] @ Z

    def gather(self, Z: Array, W: Array, V: Array) -> Array:
        """``sum_j S_j U w_j v_j'`` (..., d, r) given ``Z = apply(U)``."""
        e = (Z @ W[..., None])[..., 0]
        if self.factored:
            e = (e[..., None, :] @ self.rows)[..., 0, :]
        return e.mT @ V

    def normal(self, D: Array, W: Array) -> Array:
        """``sum_j S_j D w_j w_j'`` (..., d, r) for any ``D``: the normal equations of ``U``."""
        e = self.rows @ (W @ D.mT)[..., None]
        if self.factored:
            e = self.rows.mT @ e
        return e[..., 0].mT @ W

    def heads(self, U: Array, Z: Array) -> tuple[Array, Array]:
        """Best heads ``w_j`` (..., t, r) and ``U'q_j``."""
        xp = namespace(U)
        b, gram = self.q @ U, self.gram(U, Z)
        eye = xp.eye(U.shape[-1], dtype=U.dtype, device=U.device)
        trace = (gram * eye).sum((-2, -1))[..., None, None]
        # a ridge of the size of rounding, for tasks with too few samples
        safe = gram + (1e-13 * trace + np.finfo(float).tiny) * eye
        return xp.linalg.solve(safe, b[..., None])[..., 0], b

    def evaluate(self, U: Array, active: Array | None = None) -> tuple[Array, Array, Array]:
        """Best heads with the loss and its gradient, up to factors.

        Heads (..., t, r), ``sum_j w_j'U'q_j`` (...) and ``sum_j (S_jUw_j - q_j) w_j'`` (..., d, r).
        Replicates that are not ``active`` (...) may be left out; theirs mean nothing then.
        """
        if namespace(U) is np:
            return self._evaluate_compiled(U, active)
        Z = self.apply(U)
        W, b = self.heads(U, Z)
        return W, (W * b).sum((-2, -1)), self.gather(Z, W, W) - self.q.mT @ W

    def _evaluate_compiled(self, U: Array, active: Array | None) -> tuple[Array, Array, Array]:
        from tlstat.task_diversity.batch.kernels import evaluate

        lead, r = self.q.shape[:-2], U.shape[-1]
        count = int(np.prod(lead))
        rows = np.ascontiguousarray(self.rows).reshape(count, self.t, self.k, self.d)
        q = np.ascontiguousarray(self.q).reshape(count, self.t, self.d)
        UT = np.ascontiguousarray(np.broadcast_to(U.mT, (*lead, r, self.d)))
        UT = UT.reshape(count, r, self.d)
        W, gradient = np.zeros((count, self.t, r)), np.zeros((count, r, self.d))
        value = np.zeros(count)
        for i in range(count) if active is None else np.flatnonzero(active):
            value[i] = evaluate(rows[i], q[i], UT[i], self.factored, W[i], gradient[i])
        shape = (*lead, r, self.d)
        return W.reshape((*lead, self.t, r)), value.reshape(lead), gradient.reshape(shape).mT

    def mean(self) -> Array:
        """``(1/t) sum_j S_j``, shape (..., d, d)."""
        if self.factored:
            return self.flat.mT @ self.flat / self.t
        return self.rows.sum(-3) / self.t

    @cached_property
    def mean_inverse(self) -> Array:
        """Inverse of `mean`."""
        return inverse(self.mean())


def inverse(A: Array) -> Array:
    """Inverse of positive semi-definite matrices, eigenvalues floored."""
    xp = namespace(A)
    values, vectors = xp.linalg.eigh(A)
    floor = 1e-10 * values[..., -1:] + 1e-100  # zero matrices too
    return (vectors / xp.maximum(values, floor)[..., None, :]) @ vectors.mT


def fit_heads(S: Any, q: Array, B: Array) -> Array:
    """Least-squares heads ``(B'S_jB)^-1 B'q_j`` on the representation ``B``.

    Parameters
    ----------
    S : array, shape (..., t, d, d), or Factored
    q : array, shape (..., t, d)
    B : array, shape (..., d, r)

    Returns
    -------
    array, shape (..., t, r)

    Raises
    ------
    InputError
        For shapes that do not fit, or fewer samples a task than ``r``.
    """
    problem = Problem(S, q)
    problem.check(B)
    return problem.evaluate(B)[0]


def fit_target(B: Array, S: Any, q: Array) -> Array:
    """Coefficients ``B w_j`` of least squares on the representation, shape (..., t, d).

    The target's moments are those of a sample with heads of its own:
    ``sample_moments(model, m, rng, size, heads=alpha_0[:, None])``.
    """
    return fit_heads(S, q, B) @ B.mT


def oracle(S: Any, q: Array, B: Array) -> Array:
    """`fit_target` on the true representation: what no estimate of ``B`` can improve on.

    Its risk is ``sigma^2 r/(m - r - 1)`` for Gaussian covariates.
    """
    return fit_target(B, S, q)


def single_task(S: Any, q: Array) -> Array:
    """Least squares on each task alone, of minimum norm where it is not unique: ``S^+ q``.

    Parameters
    ----------
    S : array, shape (..., t, d, d), or Factored
    q : array, shape (..., t, d)

    Returns
    -------
    array, shape (..., t, d)
    """
    xp = namespace(q)
    if isinstance(S, Factored):
        # F = U diag(s) V': S^+ q = V diag(1/s^2) V' q, without squaring for the rank
        _, s, Vh = xp.linalg.svd(S.root, full_matrices=False)
        values, vectors = s**2, Vh.mT
    else:
        values, vectors = xp.linalg.eigh(S)
    floor = xp.max(values, axis=-1, keepdims=True)
    keep = values > 1e-13 * S.shape[-1] * floor
    inverse = xp.where(keep, 1 / xp.where(keep, values, 1.0), 0.0)
    return (vectors @ (inverse[..., None] * (vectors.mT @ q[..., None])))[..., 0]


def profile_loss(S: Any, q: Array, B: Array, y2: Array | None = None) -> Array:
    """``(1/2N) sum_j min_w |y_j - X_jBw|^2``, shape (...).

    Without ``y2`` (..., t) it misses the constant ``sum_j |y_j|^2/(2N)``.
    """
    problem = Problem(S, q)
    problem.check(B)
    fitted = problem.evaluate(B)[1]
    squares = 0.0 if y2 is None else y2.sum(-1)
    return (squares - fitted) / (2 * problem.t)
