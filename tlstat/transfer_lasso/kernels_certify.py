"""The duality gap of a problem, with as few correlations as can be.

Columns whose correlation cannot have left the subdifferential, by Cauchy and Schwarz from an
earlier dual point or by the gap-safe sphere, are not looked at: they add nothing to the gap.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tlstat.transfer_lasso.kernels import (
    FAST,
    centred_square,
    correlations,
    data_fit,
    fenchel,
    fit_gap,
    kernel,
    once,
    project,
    residual,
    slopes,
    square_norm,
    value,
)

ANCHORS = 8
_LEAST_SCALE = 0.9


class Data(NamedTuple):
    """The rows: response, weights, what spans the free columns, and the norms of all columns."""

    logistic: bool
    y: Any
    share: Any
    basis: Any
    intercept: bool
    norms: Any
    most_share: float


class Anchors(NamedTuple):
    """Dual points of which correlations are known.

    ``w_j = X_j'theta_k`` with ``k = version_j``; where now theta is ``kappa theta_k + e``, it is
    ``kappa w_j`` up to ``|X_j||e|``, which often suffices to see that nothing happens at ``j``.
    """

    thetas: Any  # (ANCHORS, n)
    squares: Any  # (ANCHORS,): |theta_k|^2, 0 where there is none yet
    current: Any  # (1,)
    version: Any  # (p,), -1: none
    w: Any  # (p,)
    safe: Any  # (p,): certified for this penalty by the gap


@kernel()
def primal(terms: Any, data: Any, b: Any, eta: Any) -> Any:
    total = data_fit(data.logistic, data.y, data.share, eta)
    for j in range(b.size):
        total += value(b[j], terms.a[j], terms.c[j], terms.b0[j], terms.nu, terms.mu)
    return total


@once()
def _stays(terms: Any, j: Any, b: Any, low: Any, high: Any) -> Any:
    """Is every ``w`` in ``[low, high]``, also scaled a little, a subgradient at ``b``?"""
    least, most = slopes(b, terms.a[j], terms.c[j], terms.b0[j])
    ridge = terms.nu * b + terms.mu * (b - terms.b0[j])
    least, most = least + ridge, most + ridge
    return (
        low >= least
        and high <= most
        and _LEAST_SCALE * low >= least
        and _LEAST_SCALE * high <= most
    )


@kernel(fastmath=FAST)
def drift(anchors: Any, theta: Any) -> Any:
    """``kappa`` and ``|e|`` of every anchor."""
    size = math.sqrt(square_norm(theta))
    kappa, distance = np.zeros(ANCHORS), np.full(ANCHORS, size)
    for k in range(ANCHORS):
        if anchors.squares[k] == 0:
            continue
        anchor = anchors.thetas[k]
        inner, total = 0.0, 0.0
        for i in range(theta.size):
            inner += anchor[i] * theta[i]
        kappa[k] = inner / anchors.squares[k]
        for i in range(theta.size):
            total += (theta[i] - kappa[k] * anchor[i]) ** 2
        distance[k] = math.sqrt(total) * (1 + 1e-9)
    return kappa, distance


@once()
def correlate(
    design: Any, terms: Any, data: Any, slot: Any, anchors: Any, b: Any, theta: Any, needed: Any
) -> Any:
    """Fill ``w`` wherever a bound does not certify that ``b_j`` stays; returns these columns."""
    kappa, distance = drift(anchors, theta)
    now = (anchors.current[0] + 1) % ANCHORS
    anchors.current[0] = now
    for i in range(theta.size):
        anchors.thetas[now, i] = theta[i]
    anchors.squares[now] = square_norm(theta)
    size = math.sqrt(anchors.squares[now])
    count = 0
    for j in range(design.p):
        k = anchors.version[j]
        if slot[j] < 0 and k >= 0 and k != now:  # the anchor that was here is gone
            if anchors.safe[j]:
                continue
            about = kappa[k] * anchors.w[j]
            reach = data.norms[j] * (distance[k] + 1e-13 * size)
            if _stays(terms, j, b[j], about - reach, about + reach):
                continue
        anchors.version[j] = now
        needed[count] = j
        count += 1
    cols = needed[:count]
    found = np.empty(count)
    correlations(design, cols, theta, found)
    for s in range(count):
        anchors.w[cols[s]] = found[s]
    return cols


@kernel()
def box_scale(terms: Any, cols: Any, w: Any) -> Any:
    """Largest factor, at most 1, that brings the correlations of ``cols`` into their boxes."""
    scale = 1.0
    for s in range(cols.size):
        j = cols[s]
        outer = terms.a[j] + terms.c[j]
        if outer > 0 and abs(w[j]) * scale > outer:
            scale = outer / abs(w[j])
    return scale


@kernel()
def gap_at(
    terms: Any, data: Any, cols: Any, b: Any, eta: Any, theta: Any, w: Any, scale: Any
) -> Any:
    """The gap with the dual point ``scale theta``, whose correlations are ``scale w``."""
    total = fit_gap(data.logistic, data.y, data.share, eta, theta, scale)
    for s in range(cols.size):
        j = cols[s]
        total += fenchel(
            b[j], scale * w[j], terms.a[j], terms.c[j], terms.b0[j], terms.nu, terms.mu
        )
    return total


@once()
def certify(
    design: Any,
    terms: Any,
    data: Any,
    slot: Any,
    anchors: Any,
    b: Any,
    eta: Any,
    needed: Any,
    level: Any,
) -> Any:
    """The duality gap; leaves in ``anchors`` what is needed to choose a working set."""
    theta = np.empty(design.n)
    residual(data.logistic, data.y, data.share, eta, theta)
    project(data.basis, data.share, theta)
    cols = correlate(design, terms, data, slot, anchors, b, theta, needed)
    scale = box_scale(terms, cols, anchors.w)
    if terms.nu + terms.mu > 0:
        gap = gap_at(terms, data, cols, b, eta, theta, anchors.w, 1.0)
        if scale < 1 and scale >= _LEAST_SCALE:
            gap = min(gap, gap_at(terms, data, cols, b, eta, theta, anchors.w, scale))
    elif scale < _LEAST_SCALE and cols.size < design.p:
        gap = math.inf  # too far for the columns that were left out; the next round is closer
    else:
        gap = gap_at(terms, data, cols, b, eta, theta, anchors.w, scale)
        mark_safe(terms, data, slot, anchors, cols, b, gap + 1e-13 * level, scale)
    return gap, cols


@once()
def mark_safe(
    terms: Any, data: Any, slot: Any, anchors: Any, cols: Any, b: Any, gap: Any, scale: Any
) -> Any:
    """Gap-safe certificates: the sphere around the dual point holds the optimal one.

    The gap must have been inflated by what rounding can do: at convergence it is too small.
    """
    reach = math.sqrt(2 * gap * data.most_share) * (0.5 if data.logistic else 1.0)
    for s in range(cols.size):
        j = cols[s]
        if slot[j] < 0:
            about, radius = scale * anchors.w[j], reach * data.norms[j]
            anchors.safe[j] = _stays(terms, j, b[j], about - radius, about + radius)


@kernel()
def gap_on(design: Any, terms: Any, data: Any, cols: Any, anchors: Any, b: Any, eta: Any) -> Any:
    """The gap of the problem on ``cols`` alone."""
    theta, w = np.empty(design.n), anchors.w.copy()
    residual(data.logistic, data.y, data.share, eta, theta)
    project(data.basis, data.share, theta)
    found = np.empty(cols.size)
    correlations(design, cols, theta, found)
    for s in range(cols.size):
        w[cols[s]] = found[s]
    scale = box_scale(terms, cols, w) if terms.nu + terms.mu == 0 else 1.0
    return gap_at(terms, data, cols, b, eta, theta, w, scale)


@kernel(fastmath=FAST)
def column_norms(design: Any, centred: Any) -> Any:
    """Norms of the columns, or of their distance from their mean; never too small."""
    out = np.empty(design.p)
    ones = np.ones(design.n)
    if centred or design.is_sparse:
        for j in range(design.p):
            square, _ = centred_square(design, j, ones, design.n if centred else 0.0)
            out[j] = math.sqrt(square) * (1 + 1e-9)
        return out
    dense, n = design.dense, design.n
    for j in range(design.p):
        square = 0.0
        for i in range(n):
            square += dense[j, i] * dense[j, i]
        out[j] = math.sqrt(square) * (1 + 1e-9)
    return out
