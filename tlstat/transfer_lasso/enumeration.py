"""The least quotient ``v'Gv / |v|^2`` over the cone ``sum_j (A_j |v_j| + B_j v_j) <= 0``, exactly.

In the relative interior of a face the quotient is one of a subspace, whose local minima are
global: so a minimiser is the smallest eigenvector of the subspace that its face spans (where that
eigenvalue is multiple, a smaller face attains it as well). A face is a set of coordinates, without
the constraint, or with it active: then it has signs ``s``, and the subspace is ``a'v = 0`` with
``a_j = A_j s_j + B_j``.

With ``q_i`` and ``lambda_i`` of the set's own matrix, the eigenvalue ``x`` on ``a'v = 0`` is the
root of ``sum_i (a'q_i)^2 / (lambda_i - x)`` between the two smallest ``lambda_i``, and its vector
``sum_i q_i a'q_i / (lambda_i - x)``. Both degenerate where ``a`` is orthogonal to one of the two
(symmetric designs). So they only choose which signs are looked at; what counts is the dense
eigenproblem of these few, and a vector of it is taken only if it lies in the cone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["inside", "least_quotient"]

Array = Any

CONE_ROUNDING = 1e-12  # of |v|_1
SIGN_ROUNDING = 1e-6  # of |v|_2: signs that the secular vector may get wrong
HARD_CASE = 1e-8  # of the interval: closer to its ends, the secular vector has no accuracy


def inside(v: Array, A: Array, B: Array) -> np.ndarray:
    """Whether directions (..., p) lie in the cone, up to rounding."""
    size = np.sum(np.abs(v), axis=-1)
    return np.asarray(np.sum(A * np.abs(v) + B * v, axis=-1) <= CONE_ROUNDING * size)


def least_quotient(G: Array, A: Array, B: Array, start: Array) -> tuple[float, np.ndarray]:
    """The minimum and where it is attained, from a vector ``start`` inside the cone.

    Parameters
    ----------
    G : array, shape (p, p)
        Positive semi-definite; up to about 15 columns.
    A, B : array, shape (p,)
    start : array, shape (p,)
        The better it is, the fewer faces are looked at: those whose subspace has no smaller
        eigenvalue are passed over.

    Returns
    -------
    value : float
        Up to a rounding error of about 1e-11 of the mean diagonal of ``G``.
    vector : array, shape (p,)
    """
    p = A.size
    where = start / np.linalg.norm(start)
    best = float(where @ G @ where)
    rounding = 1e-11 * float(np.trace(G)) / p
    spectra = []
    for sets in _sets(p):
        values, vectors = np.linalg.eigh(G[sets[:, :, None], sets[:, None, :]])
        spectra.append((sets, values, vectors))
        u = vectors[:, :, 0]
        holds = inside(u, A[sets], B[sets]) | inside(-u, A[sets], B[sets])
        reached = np.where(holds, values[:, 0], np.inf)
        at = int(np.argmin(reached))
        if reached[at] < best:
            best, where = float(reached[at]), np.zeros(p)
            v = u[at]
            where[sets[at]] = v if inside(v, A[sets[at]], B[sets[at]]) else -v
    for sets, values, vectors in spectra[1:]:
        # at a triple eigenvalue the subspace has it twice, and a smaller face attains it
        simple = values[:, 2] > values[:, 0] + rounding if sets.shape[1] > 2 else True
        for i in np.flatnonzero((values[:, 0] < best - rounding) & simple):
            if values[i, 0] >= best - rounding:  # best has improved since
                continue
            J = sets[i]
            signs = _signs(values[i], vectors[i], A[J], B[J], best)
            value, v = _on_subspaces(G[np.ix_(J, J)], A[J], B[J], signs)
            if value < best:
                best, where = value, np.zeros(p)
                where[J] = v
    return max(best, 0.0), where


def _sets(p: int) -> list[np.ndarray]:
    """The sets of k of p coordinates, rows of (sets, k), for k = 1, ..., p."""
    masks = (np.arange(1, 2**p)[:, None] >> np.arange(p)) & 1
    sizes = masks.sum(axis=1)
    return [np.nonzero(masks[sizes == k])[1].reshape(-1, k) for k in range(1, p + 1)]


def _on_subspaces(G: Array, A: Array, B: Array, signs: Array) -> tuple[float, Any]:
    """The least quotient of smallest eigenvectors on ``a'v = 0`` that lie in the cone."""
    if not len(signs):
        return np.inf, None
    normals = A * signs + B
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    across = normals[:, :, None] * normals[:, None, :]
    along = np.eye(A.size) - across
    # the normal itself is made the largest eigenvector
    top = 2 * np.trace(G)
    vectors = np.linalg.eigh(along @ G @ along + top * across)[1][:, :, 0]
    vectors = np.concatenate([vectors, -vectors])
    quotients = np.einsum("ij,jk,ik->i", vectors, G, vectors)
    quotients = np.where(inside(vectors, A, B), quotients, np.inf)
    at = int(np.argmin(quotients))
    return float(quotients[at]), vectors[at]


def _signs(values: Array, vectors: Array, A: Array, B: Array, best: float) -> np.ndarray:
    """Sign patterns (rows) whose subspace may have a vector of the cone below ``best``."""
    k = A.size
    # without B, v and -v are one
    chosen = np.zeros(2 ** (k if np.any(B) else k - 1), dtype=np.bool_)
    _choose(values, np.ascontiguousarray(vectors.T), A, B, best, chosen)
    codes = np.flatnonzero(chosen)
    codes = codes ^ (codes >> 1)
    return np.asarray(1.0 - 2.0 * ((codes[:, None] >> np.arange(k)) & 1))


@njit(cache=True, error_model="numpy")
def _secular(distance, weights, t):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(distance.size):
        total += weights[i] / (distance[i] - t)
    return total


@njit(cache=True, error_model="numpy")
def _choose(values, eigenvectors, A, B, best, chosen):  # type: ignore[no-untyped-def]
    """Mark the patterns, in the order of the Gray code: one sign changes at a time."""
    k = A.size
    distance = values - values[0]
    # eigenvalues are as near as rounding lets one see
    distance[1:] = np.maximum(distance[1:], 1e-16 * values[-1])
    gap = distance[1]
    high = min(gap, best - values[0])
    signs = np.ones(k)
    along = eigenvectors @ (A + B)
    part = np.empty(k)
    for code in range(chosen.size):
        if code > 0:
            j = 0
            while not (code >> j) & 1:
                j += 1
            signs[j] = -signs[j]
            for i in range(k):
                along[i] += 2 * A[j] * signs[j] * eigenvectors[i, j]
        low_slope, high_slope = np.inf, -np.inf
        for j in range(k):
            slope = A[j] + B[j] * signs[j]
            low_slope, high_slope = min(low_slope, slope), max(high_slope, slope)
        if low_slope > 0 or high_slope < 0 or low_slope == high_slope:
            continue  # the constraint cannot bind, or always does
        weights = along**2
        if high < gap and _secular(distance, weights, high) <= 0:
            continue  # the eigenvalue is above the best value
        low, up = 0.0, high
        for _ in range(56):
            t = (low + up) / 2
            if _secular(distance, weights, t) > 0:
                up = t
            else:
                low = t
        t = (low + up) / 2
        if min(t, gap - t) < HARD_CASE * gap:
            chosen[code] = True
            continue
        norm = 0.0
        for i in range(k):
            part[i] = along[i] / (distance[i] - t)
            norm += part[i] ** 2
        allowed = SIGN_ROUNDING * np.sqrt(norm)
        agrees, opposes = True, True
        for j in range(k):
            v = 0.0
            for i in range(k):
                v += part[i] * eigenvectors[i, j]
            agrees = agrees and v * signs[j] >= -allowed
            opposes = opposes and v * signs[j] <= allowed
            if not (agrees or opposes):
                break
        chosen[code] = agrees or opposes
