"""An exact active-set method for problems at which coordinate descent stalls.

Nearly collinear columns make descent slow and a Gram matrix singular in floating point. Here the
minimiser of the piecewise quadratic objective is found by moving from piece to piece: on the
coordinates off both knots a least-squares problem is solved by a singular value decomposition of
the columns themselves (no squared condition number); a coordinate that meets a knot stays there;
the knot with the largest violation is released. Every step descends, so that it ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from tlstat.transfer_lasso.penalty import subdifferential
from tlstat.transfer_lasso.problem import Problem, dense_columns
from tlstat.transfer_lasso.solver import best_intercept

__all__ = ["polish"]

Array = np.ndarray

MOST_FREE = 300
_STEPS = 200
_NEWTON_STEPS = 20
_RANK = 1e-13


_BLOCK = 64  # columns of a design that are looked at together


@dataclass
class _Fit:
    """Least squares ``|A b - z|^2 / 2``: weighted, centred columns of length one, ridge below.

    The design stays as it is, dense or sparse: columns of ``A`` are formed when they are asked for.
    """

    X: Any
    mean: Array
    root: Array
    size: Array
    ridge: float
    z: Array  # (n,)
    low: Array  # (p,), what the ridge's rows aim at

    @classmethod
    def of(cls, problem: Problem, h: Array, target: Array) -> _Fit:
        p, ridge = problem.X.shape[1], math.sqrt(problem.nu + problem.mu)
        mean, centre = np.zeros(p), 0.0
        if problem.fit_intercept:
            mean = np.asarray(problem.X.T @ h).ravel() / h.sum()
            centre = h @ target / h.sum()
        root = np.sqrt(h)
        low = problem.mu * problem.b0 / ridge if ridge > 0 else np.zeros(p)
        fit = cls(problem.X, mean, root, np.ones(p), ridge, root * (target - centre), low)
        blocks = (np.arange(k, min(k + _BLOCK, p)) for k in range(0, p, _BLOCK))
        size = np.concatenate([np.linalg.norm(fit.columns(block), axis=0) for block in blocks])
        fit.size = np.where(size > 0, size, 1.0)
        return fit

    def columns(self, F: Array) -> Array:
        """Columns of ``A``; of the ridge's rows those that are not zero."""
        top = self.root[:, None] * (dense_columns(self.X, F) - self.mean[F])
        below = self.ridge * np.eye(F.size if self.ridge > 0 else 0, F.size)
        return np.vstack([top, below]) / self.size[F]

    def residual(self, b: Array) -> tuple[Array, Array]:
        """``z - A b``: on the rows of the design, and on those of the ridge."""
        b = b / self.size
        eta = np.asarray(self.X @ b).ravel() - self.mean @ b
        return self.z - self.root * eta, self.low - self.ridge * b

    def correlate(self, top: Array, below: Array) -> Array:
        """``A'r``."""
        weighted = self.root * top
        w = np.asarray(self.X.T @ weighted).ravel() - self.mean * weighted.sum()
        return (w + self.ridge * below) / self.size


@dataclass
class _Pieces:
    """A fit plus the penalty, and the piece that every ``b_j`` is in.

    ``slope`` is that of the penalty on the piece of a coordinate that is ``free`` to move.
    """

    fit: _Fit
    a: Array
    c: Array
    b0: Array
    b: Array
    free: Array
    slope: Array

    @classmethod
    def at(cls, fit: _Fit, a: Array, c: Array, b0: Array, b: Array) -> _Pieces:
        free = ((b != 0) & (b != b0)) | (a + c == 0)
        low, high = subdifferential(b, a, c, b0)
        return cls(fit, a, c, b0, b, free, (low + high) / 2)

    def directions(self, F: Array) -> tuple[Array, Array]:
        """Downhill along which the fit does not change, and to the minimiser on the pieces."""
        U, S, V = np.linalg.svd(self.fit.columns(F), full_matrices=False)
        kept = max(S[0], 1e-300) * _RANK < S
        U, S, V = U[:, kept], S[kept], V[kept]
        g = self.slope[F]
        null = V.T @ (V @ g) - g
        if S.size == F.size or np.linalg.norm(null) <= 1e-14 * np.linalg.norm(g):
            null = np.zeros(F.size)
        top, below = self.fit.residual(self.b)
        r = np.concatenate([top, below[F] if self.fit.ridge > 0 else []])
        return null, V.T @ ((U.T @ r) / S - (V @ g) / S**2)

    def move(self, F: Array, d: Array, end: float) -> bool:
        """Go to the first knot on the way, if there is one before ``end`` times ``d``."""
        first, hit, knot = end, -1, 0.0
        for j, step in zip(F, d, strict=True):
            if self.a[j] + self.c[j] == 0:
                continue
            for place in (0.0, self.b0[j]):
                way = place - self.b[j]
                if way * step > 0 and way / step < first:
                    first, hit, knot = way / step, j, place
        if hit >= 0:
            self.b[F] += first * d
            self.b[hit], self.free[hit] = knot, False
        return hit >= 0

    def release(self) -> bool:
        """Free the coordinate at a knot whose subgradient condition is most violated."""
        w = self.fit.correlate(*self.fit.residual(self.b))
        low, high = subdifferential(self.b, self.a, self.c, self.b0)
        over, under = w - high, low - w
        excess = np.where(self.free, -np.inf, np.maximum(over, under))
        j = int(np.argmax(excess))
        if excess[j] <= 1e-15 * (self.a[j] + self.c[j]):
            return False
        self.free[j] = True
        self.slope[j] = high[j] if over[j] > under[j] else low[j]
        return True

    def solve(self) -> None:
        for _ in range(_STEPS):
            F = np.flatnonzero(self.free)
            if F.size > MOST_FREE:
                return
            if F.size:
                null, step = self.directions(F)
                # between knots a coordinate stays on its piece, so slopes need no update
                if self.move(F, null, np.inf) or self.move(F, step, 1.0):
                    continue
                self.b[F] += step
            if not self.release():
                return


def _quadratic(problem: Problem, h: Array, target: Array, coef: Array) -> Array:
    """Minimise ``sum_i h_i (target_i - eta_i)^2 / 2`` plus the penalty, from ``coef``."""
    fit = _Fit.of(problem, h, target)
    size = fit.size
    pieces = _Pieces.at(fit, problem.a / size, problem.c / size, problem.b0 * size, coef * size)
    pieces.solve()
    b = pieces.b / size
    at_source = pieces.b == pieces.b0
    return np.where(at_source, problem.b0, b)


def polish(problem: Problem, coef: Array, intercept: float = 0.0) -> Array:
    """Coefficients of a lower objective, exact up to rounding where the method can be applied.

    Parameters
    ----------
    problem : Problem
    coef : array, shape (p,)
        Where another method stopped.
    intercept : float
        The intercept there.

    Returns
    -------
    array, shape (p,)
        ``coef`` itself where more than 300 coordinates are off both knots.
    """
    free = (coef != 0) & (coef != problem.b0)
    if np.count_nonzero(free) > MOST_FREE:
        return coef
    if problem.loss == "squared":
        found = _quadratic(problem, problem.share, problem.y, coef)
        return found if np.all(np.isfinite(found)) else coef
    return _newton(problem, coef, intercept)


def _newton(problem: Problem, coef: Array, intercept: float) -> Array:
    """Newton's method, each model solved as above; ends when the objective no longer descends."""
    now = problem.primal(coef, intercept)
    for _ in range(_NEWTON_STEPS):
        eta = problem.linear(coef, intercept)
        mean = expit(eta)
        h = problem.share * np.maximum(mean * (1 - mean), 1e-12)
        target = eta + problem.residual(eta) / np.where(h > 0, h, 1.0)
        found = _quadratic(problem, h, target, coef)
        for _ in range(30):
            offset = (
                best_intercept(problem, problem.linear(found)) if problem.fit_intercept else 0.0
            )
            value = problem.primal(found, offset)
            if value < now or not np.any(found != coef):
                break
            found = (found + coef) / 2
        if not value < now:
            break
        coef, intercept, now = found, offset, value
    return coef
