"""Compiled parts: the penalty of one coordinate, one column of the design, the losses.

Notation as in `penalty`: weights ``a`` and ``c``, source ``b0``, curvature ``q = nu + mu``. A
design is a `Design`; ``v`` is minus the gradient of the data fit in ``eta = Xb + intercept``, and
``w_j = X_j'v``. Weights of rows (``share``) sum to one.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

from numba import njit

# only other compiled functions call these: no wrappers for Python; division as in numpy
kernel = partial(njit, no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
# inlined before it is compiled: what is called in one place, since LLVM optimises a function anew
# in every caller above it, and what is short, since a call counts the references of its arrays
once = partial(kernel, inline="always")

# sums may be reordered (SIMD); infinities and NaN keep their meaning
FAST = {"reassoc", "contract", "nsz"}


class Design(NamedTuple):
    """Dense: ``dense`` is ``X'``, C-ordered; sparse: the three arrays of CSC."""

    dense: Any
    data: Any
    indices: Any
    indptr: Any
    is_sparse: bool
    n: int
    p: int


class Terms(NamedTuple):
    """The penalty: ``a``, ``c`` and ``b0`` a column, ``nu`` and ``mu`` for all."""

    a: Any
    c: Any
    b0: Any
    nu: float
    mu: float


@kernel()
def prox(top: Any, bottom: Any, a: Any, c: Any, b0: Any) -> Any:
    """Minimiser of ``bottom b^2/2 - top b + a|b| + c|b - b0|``; free of division at the knots."""
    outer = a + c
    k1, k2 = min(b0, 0.0), max(b0, 0.0)
    middle = a - c if b0 > 0 else c - a
    if b0 == 0:
        middle = 0.0
    if top + outer < bottom * k1:
        return (top + outer) / bottom
    if top - middle <= bottom * k1:
        return k1
    if top - middle < bottom * k2:
        return (top - middle) / bottom
    if top - outer <= bottom * k2:
        return k2
    return (top - outer) / bottom


@kernel()
def slopes(b: Any, a: Any, c: Any, b0: Any) -> Any:
    """Ends of the subdifferential of ``a|b| + c|b - b0|``."""
    low = (a if b > 0 else -a) + (c if b > b0 else -c)
    high = (-a if b < 0 else a) + (-c if b < b0 else c)
    return low, high


@once()
def resting(terms: Any, j: Any, b: Any) -> Any:
    """Ends of the whole penalty's subdifferential: a ``w`` between them leaves ``b_j`` at ``b``."""
    low, high = slopes(b, terms.a[j], terms.c[j], terms.b0[j])
    ridge = terms.nu * b + terms.mu * (b - terms.b0[j])
    return low + ridge, high + ridge


@kernel()
def value(b: Any, a: Any, c: Any, b0: Any, nu: Any, mu: Any) -> Any:
    shift = b - b0
    return a * abs(b) + c * abs(shift) + 0.5 * (nu * b * b + mu * shift * shift)


@kernel()
def _fenchel_piecewise(b: Any, w: Any, a: Any, c: Any, b0: Any) -> Any:
    """``h(b) + h*(w) - wb`` for ``h = a|b| + c|b - b0|`` and ``|w| <= a + c``: products only."""
    outer = a + c
    k1, k2 = min(b0, 0.0), max(b0, 0.0)
    middle = a - c if b0 > 0 else c - a
    if b >= k2:
        return (outer - w) * (b - k2) + max(0.0, middle - w) * (k2 - k1)
    if b <= k1:
        return (outer + w) * (k1 - b) + max(0.0, w - middle) * (k2 - k1)
    return max((middle - w) * (b - k1), (w - middle) * (k2 - b))


@kernel()
def fenchel(b: Any, w: Any, a: Any, c: Any, b0: Any, nu: Any, mu: Any) -> Any:
    """``g(b) + g*(w) - wb``, non-negative and without cancellation; infinite outside the box.

    A duality gap that is summed up from such terms cannot be rounded below zero.
    """
    outer, q = a + c, nu + mu
    if q == 0:
        if outer == 0:
            return 0.0  # unpenalised: the dual point was made orthogonal to its column
        if abs(w) > outer * (1 + 1e-15):
            return math.inf
        return max(0.0, _fenchel_piecewise(b, min(max(w, -outer), outer), a, c, b0))
    best = prox(w + mu * b0, q, a, c, b0)
    left = min(max(w - nu * best - mu * (best - b0), -outer), outer)
    return max(0.0, _fenchel_piecewise(b, left, a, c, b0)) + 0.5 * q * (b - best) ** 2


@once()
def dot(design: Any, j: Any, v: Any) -> Any:
    """``X_j'v``."""
    total = 0.0
    if design.is_sparse:
        data, indices = design.data, design.indices
        for k in range(design.indptr[j], design.indptr[j + 1]):
            total += data[k] * v[indices[k]]
        return total
    dense = design.dense
    for i in range(design.n):
        total += dense[j, i] * v[i]
    return total


@kernel(fastmath=FAST)
def correlations(design: Any, cols: Any, v: Any, out: Any) -> Any:
    """``out[s] = X_j'v`` with ``j = cols[s]``."""
    for s in range(cols.size):
        out[s] = dot(design, cols[s], v)


@kernel(fastmath=FAST)
def square_norm(v: Any) -> Any:
    """``|v|^2``; written out, as are other expressions of arrays: numba compiles these slowly."""
    total = 0.0
    for i in range(v.size):
        total += v[i] * v[i]
    return total


@kernel(fastmath=FAST)
def axpy(design: Any, j: Any, step: Any, out: Any) -> Any:
    """``out += step X_j``."""
    if design.is_sparse:
        for k in range(design.indptr[j], design.indptr[j + 1]):
            out[design.indices[k]] += step * design.data[k]
    else:
        for i in range(design.n):
            out[i] += step * design.dense[j, i]


@kernel(fastmath=FAST)
def centred_square(design: Any, j: Any, h: Any, total: Any) -> Any:
    """``(sum_i h_i (x_ij - m)^2, m)``; ``m`` is the ``h``-mean, or 0 where ``total`` is 0."""
    mean = dot(design, j, h) / total if total > 0 else 0.0
    square = 0.0
    if design.is_sparse:
        inside = 0.0
        for k in range(design.indptr[j], design.indptr[j + 1]):
            weight = h[design.indices[k]]
            inside += weight
            square += weight * (design.data[k] - mean) ** 2
        return square + max(0.0, total - inside) * mean * mean, mean
    for i in range(design.n):
        square += h[i] * (design.dense[j, i] - mean) ** 2
    return square, mean


@kernel()
def sigmoid(x: Any) -> Any:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


@kernel()
def data_fit(logistic: Any, y: Any, share: Any, eta: Any) -> Any:
    """The weighted mean loss."""
    total = 0.0
    for i in range(y.size):
        if logistic:
            x = -eta[i] if y[i] > 0.5 else eta[i]
            total += share[i] * (max(x, 0.0) + math.log1p(math.exp(-abs(x))))
        else:
            total += 0.5 * share[i] * (y[i] - eta[i]) ** 2
    return total


@kernel()
def residual(logistic: Any, y: Any, share: Any, eta: Any, v: Any) -> Any:
    for i in range(y.size):
        v[i] = share[i] * (y[i] - (sigmoid(eta[i]) if logistic else eta[i]))


@kernel()
def curvature(logistic: Any, share: Any, eta: Any, h: Any) -> Any:
    """Second derivative of the data fit, a row."""
    for i in range(eta.size):
        if logistic:
            mean = sigmoid(eta[i])
            h[i] = share[i] * mean * (1 - mean)
        else:
            h[i] = share[i]


@kernel()
def _binary_kl(q: Any, x: Any) -> Any:
    """Divergence of ``q`` from ``sigmoid(-x)``, by the logarithm of that: itself it may be 0."""
    log_mean = -max(x, 0.0) - math.log1p(math.exp(-abs(x)))
    left = q * (math.log(q) - log_mean) if q > 0 else 0.0
    right = (1 - q) * (math.log1p(-q) - log_mean - x) if q < 1 else 0.0
    return max(0.0, left + right)


@kernel()
def fit_gap(logistic: Any, y: Any, share: Any, eta: Any, theta: Any, scale: Any) -> Any:
    """``f(eta) + f*(-t) + t'eta`` at ``t = scale theta``: the rows' part of the gap."""
    total = 0.0
    for i in range(y.size):
        if share[i] == 0:
            continue
        if not logistic:
            total += 0.5 * (share[i] * (y[i] - eta[i]) - scale * theta[i]) ** 2 / share[i]
            continue
        q = y[i] - scale * theta[i] / share[i]
        if q < -1e-12 or q > 1 + 1e-12:
            return math.inf
        # both of the label's own orientation: no rounding of 1 - mean
        sign = 1.0 if y[i] > 0.5 else -1.0
        miss = min(max(sign * scale * theta[i] / share[i], 0.0), 1.0)
        total += share[i] * _binary_kl(miss, sign * eta[i])
    return total


@kernel()
def project(basis: Any, share: Any, theta: Any) -> Any:
    """Make ``theta`` orthogonal to the free columns; ``basis`` is orthonormal under ``share``."""
    for _ in range(2 if basis.shape[0] > 1 else 1):
        for k in range(basis.shape[0]):
            inner = 0.0
            for i in range(theta.size):
                inner += basis[k, i] * theta[i]
            for i in range(theta.size):
                theta[i] -= inner * share[i] * basis[k, i]
