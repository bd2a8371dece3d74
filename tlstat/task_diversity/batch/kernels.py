"""One pass over the moments, compiled: heads, loss and gradient while a task is in the cache."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["evaluate"]

_FAST = {"reassoc", "contract", "nsz", "arcp"}  # sums may be reordered; NaN stays NaN
_FLOOR = 1e-14  # of a diagonal entry: the least pivot


@njit(cache=True, nogil=True, fastmath=_FAST)
def _solve(G, b, w):  # type: ignore[no-untyped-def]
    """``w = G^-1 b`` by Cholesky's factorisation in place."""
    r = b.size
    for a in range(r):
        floor = _FLOOR * G[a, a]
        for c in range(a):
            for e in range(c):
                G[a, c] -= G[a, e] * G[c, e]
            G[a, c] /= G[c, c]
            G[a, a] -= G[a, c] ** 2
        # a direction without samples gets no share
        G[a, a] = np.sqrt(G[a, a]) if G[a, a] > floor else np.inf
    for a in range(r):
        total = b[a]
        for c in range(a):
            total -= G[a, c] * w[c]
        w[a] = total / G[a, a]
    for a in range(r - 1, -1, -1):
        for c in range(a + 1, r):
            w[a] -= G[c, a] * w[c]
        w[a] /= G[a, a]


@njit(cache=True, nogil=True, fastmath=_FAST)
def evaluate(rows, q, UT, factored, W, gradient):  # type: ignore[no-untyped-def]
    """Sum over tasks of ``w_j'U'q_j``; fills ``W`` (t, r) and adds to ``gradient`` (r, d).

    ``rows`` (t, k, d) are the factors of the ``S_j`` or, with k = d, the ``S_j`` themselves;
    ``gradient`` gets ``sum_j w_j (S_j U w_j - q_j)'``.
    """
    t, k, d = rows.shape
    r = UT.shape[0]
    Z, G, b, v = np.empty((k, r)), np.empty((r, r)), np.empty(r), np.empty(d)
    value = 0.0
    for j in range(t):
        w = W[j]
        for i in range(k):
            row = rows[j, i]
            for a in range(r):
                u, total = UT[a], 0.0
                for m in range(d):
                    total += row[m] * u[m]
                Z[i, a] = total
        for a in range(r):
            total = 0.0
            for m in range(d):
                total += q[j, m] * UT[a, m]
            b[a] = total
            for c in range(a + 1):
                total = 0.0
                for i in range(k):
                    total += Z[i, a] * (Z[i, c] if factored else UT[c, i])
                G[a, c] = total
        _solve(G, b, w)
        for m in range(d):
            v[m] = -q[j, m]
        for i in range(k):
            total = 0.0
            for a in range(r):
                total += Z[i, a] * w[a]
            if factored:
                row = rows[j, i]
                for m in range(d):
                    v[m] += total * row[m]
            else:
                v[i] += total
        for a in range(r):
            value += w[a] * b[a]
            for m in range(d):
                gradient[a, m] += w[a] * v[m]
    return value
