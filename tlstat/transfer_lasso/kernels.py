"""Compiled parts: the penalty of one coordinate, one column of the design, the losses.

Notation as in `penalty`: weights ``a`` and ``c``, source ``b0``, curvature ``q = nu + mu``. A
design is a `Design`; ``v`` is minus the gradient of the data fit in ``eta = Xb + intercept``, and
``w_j = X_j'v``. Weights of rows (``share``) sum to one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

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


@njit(inline="always")
def prox(top, bottom, a, c, b0):
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


@njit(inline="always")
def slopes(b, a, c, b0):
    """Ends of the subdifferential of ``a|b| + c|b - b0|``."""
    low = (a if b > 0 else -a) + (c if b > b0 else -c)
    high = (-a if b < 0 else a) + (-c if b < b0 else c)
    return low, high


@njit(inline="always")
def value(b, a, c, b0, nu, mu):
    shift = b - b0
    return a * abs(b) + c * abs(shift) + 0.5 * (nu * b * b + mu * shift * shift)


@njit
def _fenchel_piecewise(b, w, a, c, b0):
    """``h(b) + h*(w) - wb`` for ``h = a|b| + c|b - b0|`` and ``|w| <= a + c``: products only."""
    outer = a + c
    k1, k2 = min(b0, 0.0), max(b0, 0.0)
    middle = a - c if b0 > 0 else c - a
    if b >= k2:
        return (outer - w) * (b - k2) + max(0.0, middle - w) * (k2 - k1)
    if b <= k1:
        return (outer + w) * (k1 - b) + max(0.0, w - middle) * (k2 - k1)
    return max((middle - w) * (b - k1), (w - middle) * (k2 - b))


@njit
def fenchel(b, w, a, c, b0, nu, mu):
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


@njit(fastmath=FAST)
def dot(design, j, v):
    """``X_j'v``."""
    total = 0.0
    if design.is_sparse:
        for k in range(design.indptr[j], design.indptr[j + 1]):
            total += design.data[k] * v[design.indices[k]]
        return total
    for i in range(design.n):
        total += design.dense[j, i] * v[i]
    return total


@njit(fastmath=FAST)
def axpy(design, j, step, out):
    """``out += step X_j``."""
    if design.is_sparse:
        for k in range(design.indptr[j], design.indptr[j + 1]):
            out[design.indices[k]] += step * design.data[k]
    else:
        for i in range(design.n):
            out[i] += step * design.dense[j, i]


@njit(fastmath=FAST)
def centred_square(design, j, h, total):
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


@njit
def sigmoid(x):
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


@njit
def data_fit(logistic, y, share, eta):
    """The weighted mean loss."""
    total = 0.0
    for i in range(y.size):
        if logistic:
            x = -eta[i] if y[i] > 0.5 else eta[i]
            total += share[i] * (max(x, 0.0) + math.log1p(math.exp(-abs(x))))
        else:
            total += 0.5 * share[i] * (y[i] - eta[i]) ** 2
    return total


@njit
def residual(logistic, y, share, eta, v):
    for i in range(y.size):
        v[i] = share[i] * (y[i] - (sigmoid(eta[i]) if logistic else eta[i]))


@njit
def curvature(logistic, share, eta, h):
    """Second derivative of the data fit, a row."""
    for i in range(eta.size):
        if logistic:
            mean = sigmoid(eta[i])
            h[i] = share[i] * mean * (1 - mean)
        else:
            h[i] = share[i]


@njit
def _binary_kl(q, mean):
    left = q * math.log(q / mean) if q > 0 else 0.0
    right = (1 - q) * math.log((1 - q) / (1 - mean)) if q < 1 else 0.0
    return max(0.0, left + right)


@njit
def fit_gap(logistic, y, share, eta, theta):
    """``f(eta) + f*(-theta) + theta'eta``: the rows' part of the gap, non-negative."""
    total = 0.0
    for i in range(y.size):
        if share[i] == 0:
            continue
        if not logistic:
            total += 0.5 * (share[i] * (y[i] - eta[i]) - theta[i]) ** 2 / share[i]
            continue
        q = y[i] - theta[i] / share[i]
        if q < -1e-12 or q > 1 + 1e-12:
            return math.inf
        # both of the label's own orientation: no rounding of 1 - mean
        sign = 1.0 if y[i] > 0.5 else -1.0
        wrong, miss = sigmoid(-sign * eta[i]), sign * theta[i] / share[i]
        miss = min(max(miss, 0.0), 1.0)
        if wrong > 0 and wrong < 1:
            total += share[i] * _binary_kl(miss, wrong)
        elif miss != wrong:
            return math.inf
    return total


@njit
def project(basis, share, theta):
    """Make ``theta`` orthogonal to the free columns; ``basis`` is orthonormal under ``share``."""
    for _ in range(2 if basis.shape[0] > 1 else 1):
        for k in range(basis.shape[0]):
            inner = 0.0
            for i in range(theta.size):
                inner += basis[k, i] * theta[i]
            for i in range(theta.size):
                theta[i] -= inner * share[i] * basis[k, i]


def empty_dense() -> np.ndarray:
    return np.empty((0, 0))
