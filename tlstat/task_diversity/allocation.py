"""How many samples from which source task: optimal designs, with a certificate.

For multi-task least squares the squared bias that the learned representation leaves at a target
``alpha_0`` is, to first order and for isotropic Gaussian x, ::

    sigma^2 (d - r) alpha_0' ( sum_j (n_j - r) alpha_j alpha_j' )^{-1} alpha_0,

so that the best shares of N samples are a c-optimal design for the heads: by Elfving's theorem
proportional to ``|w_j|`` of the expression ``alpha_0 = A'w`` with the smallest L1 norm, and the
value is ``|w|_1^2``. Without a known target the worst one of norm 1 counts (E-optimal design, a
semidefinite program). Each task that is used pays ``r`` samples for its own head. For heads in
general position no fewer than r tasks express a target, and a vertex of Elfving's linear program
uses no more: it is optimal with that cost, too.

Chen, Du and Jamieson (ICML 2022) sample by squares of an expression of small L2 norm, Wang et al.
(ICML 2023) by one of small L1 norm; the first-order formula, and the optimality that follows from
it, are ours. Rounding: Pukelsheim and Rieder (1992).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.checks import count, matrix, non_negative, require_number, vector

__all__ = ["Allocation", "allocation_value", "efficient_rounding", "optimal_allocation"]

Array = Any

CRITERIA = ("c", "E")
# contributions below this share of the largest are a solver's zeros
_NOTHING = 1e-6


@dataclass(frozen=True, eq=False)
class Allocation:
    """Samples for every source task.

    Attributes
    ----------
    shares : array, shape (t,)
        Optimal proportions, sum 1.
    counts : array of int, shape (t,)
        Whole numbers of samples, sum N.
    value : float
        ``alpha_0'(sum_j shares_j alpha_j alpha_j')^+ alpha_0`` for the target, or the largest
        such number over unit vectors: bias is ``sigma^2 (d - r)`` times this over the samples
        that are left when heads are paid.
    lower : float
        No shares have a smaller value: from the dual.
    dual : array
        The certificate. ``c``: a vector ``u`` with ``|alpha_j'u| <= 1`` for all j, and
        ``lower = (alpha_0'u)^2``. ``E``: a matrix ``Q >= 0`` of trace 1 with
        ``lower = 1 / max_j alpha_j'Q alpha_j``.
    weights : array, shape (t,), or None
        ``c``: the expression ``alpha_0 = A'weights`` of smallest L1 norm.
    criterion : {"c", "E"}
    cost : int
        Samples that each used task pays for its own head.
    """

    shares: np.ndarray
    counts: np.ndarray
    value: float
    lower: float
    dual: np.ndarray
    weights: np.ndarray | None
    criterion: str
    cost: int

    @property
    def gap(self) -> float:
        """How far the value can be above the optimum, relative."""
        return self.value / self.lower - 1

    @property
    def support(self) -> np.ndarray:
        """Indices of the tasks that get samples."""
        return np.flatnonzero(self.counts)


def optimal_allocation(
    A: Array,
    N: int,
    *,
    target: Array | None = None,
    criterion: str = "c",
    cost: int | None = None,
) -> Allocation:
    """The best allocation of N samples to source tasks, for one target or for the worst.

    Parameters
    ----------
    A : array, shape (t, r)
        Heads of the source tasks. With different noise, those divided by its standard deviation.
    N : int
        Samples in all, more than the used tasks pay for their heads.
    target : array, shape (r,)
        Head of the target, in the span of the source heads. Only with ``criterion="c"``.
    criterion : {"c", "E"}
        For the target, or for the worst target of norm 1.
    cost : int, optional
        What each used task pays for its own head; r by default, 0 for the classical design.

    Returns
    -------
    Allocation
        ``shares`` are optimal up to ``gap`` as a design. Counts give every used task its ``cost``
        and divide the rest by efficient rounding.

    Raises
    ------
    InputError
        If the target is outside the span of the heads, N is too small, or the criterion unknown.
    """
    A = matrix(np.asarray(A, dtype=float), "A", "(t, r)")
    if A.ndim != 2:
        raise InputError(f"A has shape {A.shape}; expected (t, r)")
    t, r = A.shape
    N = count("N", N)
    cost = r if cost is None else count("cost", cost, 0)
    if criterion not in CRITERIA:
        raise InputError(f"criterion is {criterion!r}; expected 'c' or 'E'")
    if (target is None) == (criterion == "c"):
        needed = "a target head" if criterion == "c" else "no target: it speaks of the worst one"
        raise InputError(f"target is {target!r} with criterion {criterion!r}; expected {needed}")
    if criterion == "c":
        weights, dual, lower = _elfving(A, _in_span(A, target))
        shares, value = np.abs(weights) / np.sum(np.abs(weights)), np.sum(np.abs(weights)) ** 2
    else:
        weights = None
        shares, dual, lower = _e_optimal(A)
        value = float(allocation_value(A, shares))
    counts = _whole(shares, N, cost)
    return Allocation(shares, counts, float(value), lower, dual, weights, criterion, cost)


def allocation_value(
    A: Array, counts: Array, *, target: Array | None = None, cost: int = 0
) -> Array:
    """``alpha_0'(sum_j (n_j - cost)_+ alpha_j alpha_j')^+ alpha_0``, or the largest over targets.

    Parameters
    ----------
    A : array, shape (t, r)
    counts : array, shape (..., t)
        Samples (or shares) of the tasks, 0 or above.
    target : array, shape (r,), optional
        Without it the worst target of norm 1 counts.
    cost : int
        Samples that every task pays for its own head: r for multi-task least squares.

    Returns
    -------
    array, shape (...)
        Times ``sigma^2 (d - r)``: the first-order squared bias of multi-task least squares at the
        target. inf where the tasks that have samples do not span it.
    """
    A = matrix(np.asarray(A, dtype=float), "A", "(t, r)")
    counts = vector(np.asarray(counts, dtype=float), "counts", "(..., t)")
    if A.ndim != 2 or counts.shape[-1] != len(A):
        raise InputError(f"counts has shape {counts.shape}; expected (..., {len(A)})")
    non_negative(counts=counts, cost=cost)
    root = np.sqrt(np.maximum(counts - cost, 0))[..., None] * A
    s, Vt = np.linalg.svd(root, full_matrices=False)[1:]
    if target is None:
        smallest = s[..., -1] ** 2 if root.shape[-2] >= root.shape[-1] else 0 * s[..., 0]
        least = (1e-12 * s[..., 0]) ** 2
        return np.where(smallest > least, 1 / np.maximum(smallest, least + 1e-300), np.inf)[()]
    target = vector(np.asarray(target, dtype=float), "target", "(r,)")
    along = Vt @ target
    seen = s > 1e-12 * s[..., :1]
    missed = target - np.squeeze((along * seen)[..., None, :] @ Vt, -2)
    outside = np.linalg.norm(missed, axis=-1) > 1e-8 * np.linalg.norm(target)
    value = np.sum((along * seen / np.where(seen, s, 1)) ** 2, axis=-1)
    return np.where(outside, np.inf, value)[()]


def efficient_rounding(shares: Array, N: int) -> np.ndarray:
    """Whole numbers of samples with sum N, near the shares (Pukelsheim and Rieder, 1992).

    Parameters
    ----------
    shares : array, shape (t,)
        0 or above, with a positive sum.
    N : int
        At least the number of positive shares.

    Returns
    -------
    array of int, shape (t,)
        ``min_j n_j / (N shares_j) >= 1 - s/N`` with s the number of positive shares, and so is the
        efficiency of the design for every criterion that is linear in the scale.
    """
    shares = vector(np.asarray(shares, dtype=float), "shares", "(t,)")
    require_number("shares", shares, lambda w: (w >= 0) & (np.sum(w) > 0), "0 or above, not all 0")
    shares = shares / np.sum(shares)
    used = np.flatnonzero(shares)
    N = count("N", N, len(used))
    w = shares[used]
    n = np.maximum(np.ceil((N - len(used) / 2) * w), 1).astype(int)
    while np.sum(n) != N:
        if np.sum(n) < N:
            n[np.argmin(n / w)] += 1
        else:
            n[np.argmax((n - 1) / w)] -= 1
    out = np.zeros(len(shares), dtype=int)
    out[used] = n
    return out


def _whole(shares: np.ndarray, N: int, cost: int) -> np.ndarray:
    used = shares > 0
    left = N - cost * int(np.sum(used))
    if left < np.sum(used):
        raise InputError(
            f"N is {N}; expected more, as {int(np.sum(used))} tasks are used and each pays {cost} "
            "samples for its own head"
        )
    return efficient_rounding(shares, left) + cost * used


def _in_span(A: np.ndarray, target: Any) -> np.ndarray:
    target = vector(np.asarray(target, dtype=float), "target", "(r,)")
    if target.shape != A.shape[1:]:
        raise InputError(f"target has shape {target.shape}; expected {A.shape[1:]}")
    norm = float(np.linalg.norm(target))
    require_number("target", norm, lambda x: x > 0, "a head of norm above 0")
    missed = float(np.linalg.norm(target - np.linalg.pinv(A) @ (A @ target)))
    if missed > 1e-8 * norm:
        raise InputError(
            f"target is {missed:.3g} away from the span of the source heads; expected a head that "
            "they express: no allocation teaches the rest"
        )
    return target


def _elfving(A: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The smallest L1 norm of ``w`` with ``A'w = target``, and the dual's vector."""
    import cvxpy as cp

    scale, size = np.linalg.norm(A), np.linalg.norm(target)
    w = cp.Variable(len(A))
    express = (A / scale).T @ w == target / size
    problem = cp.Problem(cp.Minimize(cp.norm1(w)), [express])
    # the simplex method ends at a vertex: few tasks, and exact zeros
    problem.solve(solver=cp.HIGHS)
    if problem.status != "optimal":
        raise InputError(f"the linear program of the allocation ended as {problem.status}")
    part = np.abs(w.value) * np.linalg.norm(A, axis=1) / scale
    used = np.flatnonzero(part > _NOTHING**2 * np.max(part))
    # the vertex again, to machine precision
    weights = np.zeros(len(A))
    weights[used] = np.linalg.lstsq(A[used].T, target, rcond=None)[0]
    u = np.asarray(express.dual_value) / scale
    u = u / np.max(np.abs(A @ u))
    return weights, u * np.sign(u @ target), float(u @ target) ** 2


def _e_optimal(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Shares that maximise the smallest eigenvalue, and the dual's matrix."""
    import cvxpy as cp

    if np.linalg.matrix_rank(A) < A.shape[1]:
        raise InputError(
            f"A has rank {np.linalg.matrix_rank(A)}; expected {A.shape[1]}: heads that do not span "
            "the space leave a target that no allocation teaches"
        )
    scale = np.max(np.linalg.norm(A, axis=1))
    heads = A / scale
    Q = cp.Variable(2 * (A.shape[1],), PSD=True)
    most = cp.Variable()
    below = cp.sum(cp.multiply(heads @ Q, heads), axis=1) <= most
    problem = cp.Problem(cp.Minimize(most), [cp.trace(Q) == 1, below])
    with warnings.catch_warnings():
        # the certificate says how accurate the solution is
        warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
        problem.solve(solver=cp.CLARABEL)
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise InputError(f"the semidefinite program of the allocation ended as {problem.status}")
    values, vectors = np.linalg.eigh(Q.value)
    dual = (vectors * np.maximum(values, 0)) @ vectors.T
    dual = dual / np.trace(dual)
    lower = 1 / float(np.max(np.einsum("jr,rs,js->j", A, dual, A)))
    shares = np.maximum(np.asarray(below.dual_value), 0)
    part = shares * np.sum(A**2, axis=1)
    shares = np.where(part > _NOTHING * np.max(part), shares, 0.0)
    return shares / np.sum(shares), dual, lower
