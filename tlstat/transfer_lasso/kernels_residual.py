"""Coordinate descent on a quadratic model by residual updates: sparse designs, logistic loss.

The model of the data fit at ``eta`` is ``-u'd + d'diag(h)d / 2`` in the change ``d`` of ``eta``. An
intercept is profiled out: columns are centred under ``h`` (``total = sum h``; 0 without
intercept), implicitly, by one number ``shift``: the true ``u`` is ``u + shift h``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tlstat.transfer_lasso.kernels import (
    FAST,
    correlations,
    fenchel,
    kernel,
    prox,
    resting,
    value,
)

_DEPTH = 5  # iterates in one extrapolation


class Model(NamedTuple):
    """The quadratic model on a working set ``cols`` with centred squares ``hess``."""

    cols: Any
    hess: Any
    means: Any
    h: Any
    total: float


@kernel(fastmath=FAST)
def epoch(design: Any, terms: Any, model: Any, b: Any, u: Any, shift: Any) -> Any:
    """One pass over the working set; returns ``shift``.

    Products with a column are written out: a call, or a field of a tuple in the loop, would count
    references of arrays, which costs more than a sparse column.
    """
    dense, data, indices, indptr = design.dense, design.data, design.indices, design.indptr
    cols, hess, means, h = model.cols, model.hess, model.means, model.h
    q = terms.nu + terms.mu
    for s in range(cols.size):
        j = cols[s]
        w = shift * means[s] * model.total
        if design.is_sparse:
            for k in range(indptr[j], indptr[j + 1]):
                w += data[k] * u[indices[k]]
        else:
            for i in range(design.n):
                w += dense[j, i] * u[i]
        low, high = resting(terms, j, b[j])
        if low <= w <= high or (hess[s] + q == 0 and terms.a[j] + terms.c[j] == 0):
            continue
        top = hess[s] * b[j] + w + terms.mu * terms.b0[j]
        new = prox(top, hess[s] + q, terms.a[j], terms.c[j], terms.b0[j])
        step = new - b[j]
        if step == 0:
            continue
        b[j] = new
        shift += step * means[s]
        if design.is_sparse:
            for k in range(indptr[j], indptr[j + 1]):
                u[indices[k]] -= step * h[indices[k]] * data[k]
        else:
            for i in range(design.n):
                u[i] -= step * h[i] * dense[j, i]
    return shift


@kernel()
def own_gap(design: Any, terms: Any, model: Any, b: Any, u: Any, shift: Any) -> Any:
    """The duality gap of the model on its own columns, and its objective up to a constant."""
    k = model.cols.size
    w = np.empty(k)
    correlations(design, model.cols, u, w)
    scale = 1.0
    for s in range(k):
        j = model.cols[s]
        w[s] += shift * model.means[s] * model.total
        outer = terms.a[j] + terms.c[j]
        if outer > 0 and abs(w[s]) * scale > outer:
            scale = outer / abs(w[s])
    if terms.nu + terms.mu > 0:
        scale = 1.0
    fit = model_fit(model, u, shift)
    gap, total = (1 - scale) ** 2 * fit, fit
    for s in range(k):
        j = model.cols[s]
        a, c, b0 = terms.a[j], terms.c[j], terms.b0[j]
        total += value(b[j], a, c, b0, terms.nu, terms.mu)
        if a + c == 0 and terms.nu + terms.mu == 0:
            gap += w[s] ** 2 / model.hess[s] if model.hess[s] > 0 else 0.0
        else:
            gap += fenchel(b[j], scale * w[s], a, c, b0, terms.nu, terms.mu)
    return gap, total


@kernel()
def model_fit(model: Any, u: Any, shift: Any) -> Any:
    total = 0.0
    for i in range(u.size):
        if model.h[i] > 0:
            total += (u[i] + shift * model.h[i]) ** 2 / model.h[i]
    return 0.5 * total


@kernel()
def extrapolation(iterates: Any, weights: Any) -> Any:
    """Anderson's weights: the differences of the iterates, so weighted, have the least norm."""
    inner = np.zeros((_DEPTH, _DEPTH))
    trace = 0.0
    for s in range(_DEPTH):
        for t in range(s + 1):
            for i in range(iterates.shape[1]):
                inner[s, t] += (iterates[s + 1, i] - iterates[s, i]) * (
                    iterates[t + 1, i] - iterates[t, i]
                )
            inner[t, s] = inner[s, t]
        trace += inner[s, s]
        weights[s] = 1.0
    if not trace > 0:
        return False
    for s in range(_DEPTH):
        inner[s, s] += 1e-12 * trace
    for s in range(_DEPTH):  # elimination; positive definite: no pivots
        for t in range(s + 1, _DEPTH):
            factor = inner[t, s] / inner[s, s]
            for i in range(s, _DEPTH):
                inner[t, i] -= factor * inner[s, i]
            weights[t] -= factor * weights[s]
    total = 0.0
    for s in range(_DEPTH - 1, -1, -1):
        for t in range(s + 1, _DEPTH):
            weights[s] -= inner[s, t] * weights[t]
        weights[s] /= inner[s, s]
        total += weights[s]
    for s in range(_DEPTH):
        weights[s] /= total
    return math.isfinite(total) and total > 0


@kernel()
def remember(cols: Any, model: Any, b: Any, u: Any, shift: Any, iterate: Any, residual: Any) -> Any:
    for s in range(cols.size):
        iterate[s] = b[cols[s]]
    for i in range(u.size):
        residual[i] = u[i] + shift * model.h[i]


@kernel()
def jump(cols: Any, b: Any, u: Any, iterates: Any, residuals: Any, weights: Any) -> Any:
    """Move to the weighted iterates; a coordinate at rest stays exactly where it is."""
    for i in range(u.size):
        u[i] = 0.0
        for depth in range(_DEPTH):
            u[i] += weights[depth] * residuals[depth + 1, i]
    for s in range(cols.size):
        total, rest = 0.0, True
        for depth in range(_DEPTH):
            total += weights[depth] * iterates[depth + 1, s]
            # also one that left its knot and came back: the residuals know of it
            rest = rest and iterates[depth + 1, s] == iterates[_DEPTH, s]
        b[cols[s]] = iterates[_DEPTH, s] if rest else total


@kernel()
def descend(
    design: Any, terms: Any, model: Any, b: Any, u: Any, shift: Any, goal: Any, most: Any
) -> Any:
    """Epochs, extrapolated every five, until the model's own gap is at most ``goal``."""
    cols = model.cols
    iterates = np.empty((_DEPTH + 1, cols.size))
    residuals = np.empty((_DEPTH + 1, u.size))
    weights = np.empty(_DEPTH)
    for _ in range(most):
        for depth in range(_DEPTH + 1):
            if depth > 0:
                shift = epoch(design, terms, model, b, u, shift)
            remember(cols, model, b, u, shift, iterates[depth], residuals[depth])
        gap, now = own_gap(design, terms, model, b, u, shift)
        if gap <= goal or not extrapolation(iterates, weights):
            break
        jump(cols, b, u, iterates, residuals, weights)
        shift = 0.0
        gap, after = own_gap(design, terms, model, b, u, shift)
        if after >= now:
            for s in range(cols.size):
                b[cols[s]] = iterates[_DEPTH, s]
            for i in range(u.size):
                u[i] = residuals[_DEPTH, i]
        elif gap <= goal:
            break
