"""Many problems at once: compiled on threads for numpy arrays, batched for torch tensors::

    minimise   1/(2n) sum_i (y_i - x_i'b)^2 + sum_j (l1 u_j |b_j| + l2 v_j |b_j - b0_j|)
               + nu/2 |b|^2 + mu/2 |b - b0|^2,          one problem a row of ``y``.

numpy arrays go to the solver of single problems, one thread a core. Tensors (CPU or CUDA) are
solved together by accelerated proximal gradient steps with restarts (O'Donoghue and Candes
2015); problems that are certified leave the batch. Both stop on the same duality gap.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.transfer_lasso.problem import _FLOOR, Problem
from tlstat.transfer_lasso.solver import (
    NO_FLOOR,
    OVERFLOW,
    check_control,
    one_blas_thread,
    relative,
    run,
    warn_unconverged,
)

__all__ = ["BatchSolution", "solve_batch"]

Array = Any

_CHECK_EVERY = 20


@dataclass(frozen=True)
class BatchSolution:
    """Minimisers of B problems with their certificates, as arrays of the kind that came in.

    Attributes
    ----------
    coef : array, shape (B, p)
    gap : array, shape (B,)
        Relative duality gaps.
    primal : array, shape (B,)
        Objectives.
    converged : array of bool, shape (B,)
    """

    coef: Array
    gap: Array
    primal: Array
    converged: Array


def solve_batch(
    X: Array,
    y: Array,
    l1: Any,
    l2: Any,
    source_coef: Array | None = None,
    *,
    weights: Array | None = None,
    source_weights: Array | None = None,
    nu: float = 0.0,
    mu: float = 0.0,
    tol: float = 1e-6,
    max_iter: int | None = None,
    n_jobs: int | None = None,
) -> BatchSolution:
    """Solve B transfer-lasso problems with the squared loss.

    Parameters
    ----------
    X : array or tensor, shape (n, p) or (B, n, p)
        One design for all, or one a problem.
    y : array or tensor, shape (B, n)
    l1, l2 : float or array, shape (B,)
    source_coef : array, shape (p,) or (B, p), optional
        Zero by default.
    weights, source_weights : array, shape (p,) or (B, p), optional
        ``u`` and ``v``; ones by default.
    nu, mu : float
        Ridge terms towards 0 and towards the source.
    tol : float
        Relative duality gap at which a problem is done.
    max_iter : int, optional
        Rounds of working sets (100) for numpy, gradient steps (20,000) for torch.
    n_jobs : int, optional
        Threads, for numpy; one a core by default.

    Returns
    -------
    BatchSolution

    Raises
    ------
    InputError
        Bad input, before any work (NaN in a numpy design: while it is worked on, and no answer is
        given); for tensors also coefficients without any penalty.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        Some problem did not reach ``tol``.
    """
    torch: Any = sys.modules.get("torch")  # a tensor cannot exist before torch was imported
    tensors = torch is not None and isinstance(X, torch.Tensor)
    most = max_iter if max_iter is not None else (20_000 if tensors else 100)
    check_control(tol, most)
    if n_jobs is not None and not (isinstance(n_jobs, int) and n_jobs >= 1):
        raise InputError(f"n_jobs is {n_jobs!r}; expected an integer of at least 1")
    xp = torch if tensors else np
    like = {"dtype": xp.float64, **({"device": X.device} if tensors else {})}
    try:
        X, y = (_array(xp, like, x) for x in (X, y))
    except (TypeError, ValueError):
        raise InputError("X and y must be arrays of real numbers; a design is dense here") from None
    if (
        X.ndim not in (2, 3)
        or y.ndim != 2
        or X.shape[-2] != y.shape[1]
        or 0 in (*X.shape, *y.shape)
    ):
        raise InputError(
            f"X has shape {tuple(X.shape)} and y {tuple(y.shape)}; "
            "expected (n, p) or (B, n, p), and (B, n)"
        )
    if X.ndim == 3 and X.shape[0] != y.shape[0]:
        raise InputError(f"X holds {X.shape[0]} designs and y {y.shape[0]} responses")
    size, p = y.shape[0], X.shape[-1]
    columns = {
        "source_coef": _columns(xp, like, source_coef, "source_coef", 0.0, size, p),
        "weights": _columns(xp, like, weights, "weights", 1.0, size, p),
        "source_weights": _columns(xp, like, source_weights, "source_weights", 1.0, size, p),
    }
    levels = [_level(xp, like, value, name, size) for name, value in (("l1", l1), ("l2", l2))]
    for name, value in (("nu", nu), ("mu", mu)):
        if not (isinstance(value, int | float | np.number) and 0 <= value < np.inf):
            raise InputError(f"{name} is {value!r}; expected a finite number, 0 or above")
    # a design in numpy is looked at by the threads, which read it anyway
    for name, value in ((("X", X),) if tensors else ()) + (("y", y), *columns.items()):
        _check_finite(xp, value, name)
    for name in ("weights", "source_weights"):
        if bool((columns[name] < 0).any()):
            raise InputError(f"{name} has negative entries; expected 0 or above")
    a = levels[0][:, None] * columns["weights"]
    c = levels[1][:, None] * columns["source_weights"]
    if tensors and nu + mu == 0 and bool((a + c == 0).any()):
        raise InputError("a coefficient has no penalty; the batched solver needs l1 u + l2 v > 0")
    solve = _accelerated if tensors else _threads
    answer = solve(X, y, a, c, columns["source_coef"], float(nu), float(mu), tol, most, n_jobs)
    if not bool(answer.converged.all()):
        warn_unconverged(float(answer.gap.max()), tol, most)
    return answer


def _array(xp: Any, like: dict[str, Any], value: Any) -> Array:
    # a tensor that asks for gradients: the solver has none
    return xp.asarray(value.detach() if hasattr(value, "detach") else value, **like)


def _check_finite(xp: Any, value: Array, name: str) -> None:
    if not bool(xp.isfinite(value).all()):
        raise InputError(f"{name} has NaN or infinite entries; expected finite numbers")


def _columns(
    xp: Any, like: dict[str, Any], value: Any, name: str, default: float, size: int, p: int
) -> Array:
    if value is None:
        return xp.full((size, p), default, **like)
    x = _array(xp, like, value)
    if tuple(x.shape) not in ((p,), (size, p)):
        raise InputError(f"{name} has shape {tuple(x.shape)}; expected ({p},) or ({size}, {p})")
    return xp.broadcast_to(x, (size, p))


def _level(xp: Any, like: dict[str, Any], value: Any, name: str, size: int) -> Array:
    x = _array(xp, like, value)
    if tuple(x.shape) not in ((), (size,)) or not bool((xp.isfinite(x) & (x >= 0)).all()):
        raise InputError(f"{name} is {value!r}; expected finite numbers, 0 or above: one or {size}")
    return xp.broadcast_to(x, (size,))


# --- numpy: the compiled solver of single problems, on threads -----------------------------------


def _threads(
    X: Array,
    y: Array,
    a: Array,
    c: Array,
    b0: Array,
    nu: float,
    mu: float,
    tol: float,
    most: int,
    n_jobs: int | None,
) -> BatchSolution:
    from tlstat.transfer_lasso import kernels, kernels_entry

    size, n = y.shape
    p = X.shape[-1]
    share, basis, empty = np.full(n, 1 / n), np.empty((0, n)), np.empty(0)
    index = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
    coefs, report = np.empty((size, 1, p)), np.empty((size, 1, 4))
    with np.errstate(over="ignore", invalid="ignore"):
        at_zero = np.sum(c * np.abs(b0), axis=1) + mu / 2 * np.sum(b0**2, axis=1)
        floors = _FLOOR * (np.sum(y**2, axis=1) / (2 * n) + at_zero)
    if not np.all(np.isfinite(floors)):
        raise InputError(NO_FLOOR)
    one = np.ones(1)

    def work(part: slice) -> None:
        stack = X[None] if X.ndim == 2 else X[part]
        dense = np.ascontiguousarray(np.swapaxes(stack, 1, 2))
        finite = kernels_entry.walk(
            kernels.Design(dense, empty, *index, False, n, p),
            False,
            np.ascontiguousarray(y[part]),
            share,
            basis,
            False,
            np.ascontiguousarray(a[part]),
            np.ascontiguousarray(c[part]),
            np.ascontiguousarray(b0[part]) + 0.0,
            nu,
            mu,
            one,
            one,
            np.zeros((len(y[part]), p)),
            float(tol),
            floors[part],
            int(most),
            coefs[part],
            report[part],
        )
        if not finite:
            _check_finite(np, dense, "X")
            raise InputError(OVERFLOW)

    jobs = min(n_jobs or os.cpu_count() or 1, size)
    # a few chunks a thread: their designs are copied one chunk at a time
    width = -(-size // (4 * jobs)) if X.ndim == 3 else -(-size // jobs)
    parts = [slice(start, min(start + width, size)) for start in range(0, size, width)]
    with one_blas_thread:
        if jobs == 1:
            for part in parts:
                work(part)
        else:
            with ThreadPoolExecutor(jobs) as pool:
                list(pool.map(work, parts))
    gap, primal = report[:, 0, 1], report[:, 0, 2]
    gap = relative(gap, primal, floors)
    for k in np.flatnonzero(~(gap <= tol) & (report[:, 0, 3] < most)):  # stalled
        design = X if X.ndim == 2 else X[k]
        one_of = Problem(design, y[k], a[k], c[k], b0[k], nu, mu, "squared", share, False)
        solution = run(one_of, coefs[k, 0], tol, most)
        coefs[k, 0], gap[k], primal[k] = solution.coef, solution.gap, solution.primal
    return BatchSolution(coefs[:, 0], gap, primal, gap <= tol)


# --- torch: all problems together ----------------------------------------------------------------


@dataclass
class _Batch:
    """The problems that are not certified yet; ``rows`` are their places in the answer."""

    X: Array  # (1, n, p) or (B, n, p)
    y: Array
    a: Array
    c: Array
    b0: Array
    nu: float
    mu: float
    rows: Array

    def times(self, b: Array) -> Array:
        if self.X.shape[0] == 1:
            return b @ self.X[0].T
        return (self.X @ b[:, :, None])[:, :, 0]

    def correlate(self, v: Array) -> Array:
        if self.X.shape[0] == 1:
            return v @ self.X[0]
        return (v[:, None, :] @ self.X)[:, 0]

    def keep(self, mask: Array) -> _Batch:
        X = self.X if self.X.shape[0] == 1 else self.X[mask]
        y, a, c, b0 = self.y[mask], self.a[mask], self.c[mask], self.b0[mask]
        return _Batch(X, y, a, c, b0, self.nu, self.mu, self.rows[mask])

    def prox(self, top: Array, bottom: Array) -> Array:
        """Minimiser of ``bottom b^2/2 - top b + a|b| + c|b - b0|``: a median, without branches."""
        outer, middle = self.a + self.c, self.b0.sign() * (self.a - self.c)
        zero = self.b0.new_zeros(())
        k1, k2 = self.b0.minimum(zero), self.b0.maximum(zero)
        # max(L, .) of what lies below, min(R, .) of what lies above: the knots stay exact
        inside = ((top - middle) / bottom).clamp(k1, k2)
        return inside.maximum((top - outer) / bottom).minimum((top + outer) / bottom)

    def primal(self, b: Array, residual: Array) -> Array:
        shift = b - self.b0
        terms = self.a * b.abs() + self.c * shift.abs()
        terms = terms + (self.nu * b**2 + self.mu * shift**2) / 2
        return (residual**2).sum(1) / (2 * self.y.shape[1]) + terms.sum(1)

    def gap(self, b: Array, residual: Array) -> Array:
        """The sum of Fenchel's inequalities: non-negative, no cancellation."""
        n = self.y.shape[1]
        w = self.correlate(residual) / n
        outer, q = self.a + self.c, self.nu + self.mu
        if q > 0:
            best = self.prox(w + self.mu * self.b0, w.new_full((), q))
            left = w - self.nu * best - self.mu * (best - self.b0)
            terms = self._piecewise(b, left.clamp(-outer, outer)) + q / 2 * (b - best) ** 2
            return terms.sum(1)
        ratio = (outer / w.abs().clamp_min(1e-300)).clamp_max(1.0)
        scale = ratio.min(1, keepdim=True).values
        terms = self._piecewise(b, (scale * w).clamp(-outer, outer))
        return (1 - scale[:, 0]) ** 2 * (residual**2).sum(1) / (2 * n) + terms.sum(1)

    def _piecewise(self, b: Array, w: Array) -> Array:
        zero = b.new_zeros(())
        outer, middle = self.a + self.c, self.b0.sign() * (self.a - self.c)
        k1, k2 = self.b0.minimum(zero), self.b0.maximum(zero)
        above = (outer - w) * (b - k2) + (middle - w).clamp_min(0) * (k2 - k1)
        below = (outer + w) * (k1 - b) + (w - middle).clamp_min(0) * (k2 - k1)
        between = ((middle - w) * (b - k1)).maximum((w - middle) * (k2 - b))
        return above.where(b >= k2, below.where(b <= k1, between)).clamp_min(0)


def _largest_curvature(batch: _Batch) -> Array:
    """Largest eigenvalue of ``X'X/n`` of each problem, a little above, by power iteration."""
    n, p = batch.y.shape[1], batch.X.shape[-1]
    shared = batch.X.shape[0] == 1
    # a fixed start with a component in every direction, for results that can be repeated
    start = 1 + 0.1 * batch.y.new_tensor(np.cos(np.arange(1.0, p + 1)))
    first = batch.a[:1]
    one = _Batch(batch.X, batch.y[:1], first, first, first, 0.0, 0.0, batch.rows[:1])
    work, vector = (one, start[None]) if shared else (batch, start.expand(len(batch.y), p))
    size = vector.norm(dim=1)
    for _ in range(40):
        vector = work.correlate(work.times(vector / size[:, None].clamp_min(1e-300))) / n
        size = vector.norm(dim=1)
    return (1.05 * size).clamp_min(1e-300).expand(len(batch.y)).clone()


def _accelerated(
    X: Array,
    y: Array,
    a: Array,
    c: Array,
    b0: Array,
    nu: float,
    mu: float,
    tol: float,
    most: int,
    n_jobs: int | None,
) -> BatchSolution:
    import torch

    size, n = y.shape
    rows = torch.arange(size, device=y.device)
    batch = _Batch(X[None] if X.ndim == 2 else X, y, a, c, b0, nu, mu, rows)
    coef, gap = torch.zeros_like(b0), y.new_full((size,), torch.inf)
    primal = y.new_zeros(size)
    curve = _largest_curvature(batch)
    b = torch.zeros_like(b0)
    floor = _FLOOR * batch.primal(b, y)
    point, momentum = b, y.new_ones(len(y), 1)
    value = primal.new_full((size,), torch.inf)
    for step in range(most + 1):
        if step % _CHECK_EVERY == 0 or step == most:
            residual = batch.y - batch.times(b)
            now = batch.primal(b, residual)
            scale = now.maximum(floor[batch.rows])
            gaps = batch.gap(b, residual)
            relative = torch.where(scale > 0, gaps / scale.clamp_min(1e-300), 0 * gaps)
            better = relative < gap[batch.rows]
            at = batch.rows[better]
            coef[at], gap[at], primal[at] = b[better], relative[better], now[better]
            going = relative > tol
            if step == most or not bool(going.any()):
                break
            # the power iteration may fall short: then the objective rises between two checks
            risen = now > value * (1 + 1e-9)
            curve = torch.where(risen, 1.5 * curve, curve)
            momentum = torch.where(risen[:, None], torch.ones_like(momentum), momentum)
            point = torch.where(risen[:, None], b, point)
            batch = batch.keep(going)
            b, point, momentum = b[going], point[going], momentum[going]
            curve, value = curve[going], now[going]
        residual = batch.y - batch.times(point)
        top = curve[:, None] * point + batch.correlate(residual) / n + mu * batch.b0
        new = batch.prox(top, (curve + nu + mu)[:, None])
        uphill = ((point - new) * (new - b)).sum(1, keepdim=True) > 0
        momentum = torch.where(uphill, torch.ones_like(momentum), momentum)
        following = (1 + torch.sqrt(1 + 4 * momentum**2)) / 2
        point = new + torch.where(uphill, 0 * momentum, (momentum - 1) / following) * (new - b)
        b, momentum = new, following
    return BatchSolution(coef, gap, primal, gap <= tol)
