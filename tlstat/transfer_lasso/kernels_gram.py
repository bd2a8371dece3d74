"""Coordinate descent with Gram updates, and Newton steps on the generalised support.

For the squared loss the columns that were ever in a working set keep their Gram matrix ``G``
(weighted, centred where there is an intercept) along the whole path. A visit of a coordinate that
stays costs nothing; a step costs one row of ``G``, whatever ``n`` is.
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
    once,
    prox,
    resting,
    slopes,
    value,
)

_BLOCK = 512  # rows of the design that are copied at a time
_NEWTON_MOST = 2000
_SHORTEST = 1e-12  # part of a step that is tried
_RIDGE = 1e-9  # of the diagonal of a singular matrix


class Gram(NamedTuple):
    """``m`` columns of the design in their slots; arrays have room for more."""

    cols: Any  # (room,): the column in a slot
    matrix: Any  # (room, room)
    slope: Any  # (room,): w of the slot's column, kept up to date
    count: Any  # (1,): m


@kernel()
def empty_store(room: Any) -> Any:
    return Gram(
        np.empty(room, np.int64), np.empty((room, room)), np.empty(room), np.zeros(1, np.int64)
    )


@kernel()
def grow(gram: Any, room: Any) -> Any:
    """The same store with more room."""
    m = gram.count[0]
    bigger = empty_store(room)
    bigger.count[0] = m
    for s in range(m):
        bigger.cols[s] = gram.cols[s]
        bigger.slope[s] = gram.slope[s]
        for t in range(m):
            bigger.matrix[s, t] = gram.matrix[s, t]
    return bigger


@kernel(fastmath=FAST)
def _products(part: Any, first: Any, out: Any) -> Any:
    """Add to ``out[s, t]`` the product of the rows ``s`` and ``first + t``, for ``s <= first + t``.

    In blocks of 3 x 4, as many sums as there are registers: ``part`` ends with three rows of zeros,
    and ``out`` has room for them. BLAS would form both triangles, and on threads of its own.
    """
    m, width = part.shape[0] - 3, part.shape[1]
    for t in range(0, m - first, 4):
        j = first + t
        for s in range(0, min(j + 4, m), 3):
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = 0.0
            for i in range(width):
                x, y, z = part[s, i], part[s + 1, i], part[s + 2, i]
                u = part[j, i]
                a0, b0, c0 = a0 + x * u, b0 + y * u, c0 + z * u
                u = part[j + 1, i]
                a1, b1, c1 = a1 + x * u, b1 + y * u, c1 + z * u
                u = part[j + 2, i]
                a2, b2, c2 = a2 + x * u, b2 + y * u, c2 + z * u
                u = part[j + 3, i]
                a3, b3, c3 = a3 + x * u, b3 + y * u, c3 + z * u
            for r, (y0, y1, y2, y3) in enumerate(
                ((a0, a1, a2, a3), (b0, b1, b2, b3), (c0, c1, c2, c3))
            ):
                out[s + r, t] += y0
                out[s + r, t + 1] += y1
                out[s + r, t + 2] += y2
                out[s + r, t + 3] += y3


@kernel()
def _panel(design: Any, cols: Any, means: Any, root: Any, start: Any, stop: Any) -> Any:
    """Rows ``start`` to ``stop`` of the columns, centred, times the root of their weights."""
    part = np.zeros((cols.size + 3, stop - start))
    block, scale = design.dense[:, start:stop], root[start:stop]
    for s in range(cols.size):
        j, mean = cols[s], means[s]
        for i in range(scale.size):
            part[s, i] = (block[j, i] - mean) * scale[i]
    return part


@kernel(fastmath=FAST)
def _sparse_products(design: Any, cols: Any, share: Any, means: Any, first: Any, out: Any) -> Any:
    """The same for sparse columns: a new one is spread out, the others run through it."""
    data, indices, indptr = design.data, design.indices, design.indptr
    spread = np.zeros(design.n)
    for t in range(cols.size - first):
        j = cols[first + t]
        for k in range(indptr[j], indptr[j + 1]):
            spread[indices[k]] += share[indices[k]] * data[k]
        for s in range(first + t + 1):
            total = -means[s] * means[first + t]
            for k in range(indptr[cols[s]], indptr[cols[s] + 1]):
                total += data[k] * spread[indices[k]]
            out[s, t] = total
        for k in range(indptr[j], indptr[j + 1]):
            spread[indices[k]] = 0.0


@kernel()
def width(design: Any) -> Any:
    """How many columns the matrix may hold.

    A step costs a row of it, where residuals cost a column of the design: sparse ones are short.
    """
    most = min(design.p, max(2 * design.n, 64), 5000)
    if design.is_sparse:
        most = min(most, max(64, 4 * design.data.size // design.p))
    return most


@kernel()
def add(design: Any, share: Any, centred: Any, v: Any, gram: Any, slot: Any, new: Any) -> Any:
    """Give the columns ``new`` a slot: their products, a block of rows at a time."""
    m, k = gram.count[0], new.size
    total = m + k
    gram.count[0] = total
    for s in range(k):
        gram.cols[m + s] = new[s]
        slot[new[s]] = m + s
    correlations(design, new, v, gram.slope[m:total])
    cols, means = gram.cols[:total], np.zeros(total)
    if centred:
        correlations(design, cols, share, means)
    product, root = np.zeros((total + 3, k + 3)), np.sqrt(share)
    if design.is_sparse:
        _sparse_products(design, cols, share, means, m, product)
    else:
        for start in range(0, design.n, _BLOCK):
            stop = min(start + _BLOCK, design.n)
            _products(_panel(design, cols, means, root, start, stop), m, product)
    for t in range(k):
        for s in range(m + t + 1):
            gram.matrix[s, m + t] = product[s, t]
            gram.matrix[m + t, s] = product[s, t]


@once()
def _take_row(matrix: Any, s: Any, step: Any, slope: Any, m: Any) -> Any:
    for t in range(m):
        slope[t] -= step * matrix[s, t]


@kernel()
def epochs(gram: Any, terms: Any, b: Any, square: Any, count: Any) -> Any:
    """``count`` passes, or until nothing moves; the passes, and the new square of the residual."""
    m, slope, matrix = gram.count[0], gram.slope, gram.matrix
    q = terms.nu + terms.mu
    low, high = np.empty(m), np.empty(m)
    for s in range(m):
        j = gram.cols[s]
        low[s], high[s] = resting(terms, j, b[j])
        if matrix[s, s] + q == 0 and terms.a[j] + terms.c[j] == 0:
            low[s], high[s] = -math.inf, math.inf
    for epoch in range(count):
        still = True
        for s in range(m):
            if low[s] <= slope[s] <= high[s]:
                continue
            j, hess = gram.cols[s], matrix[s, s]
            top = hess * b[j] + slope[s] + terms.mu * terms.b0[j]
            new = prox(top, hess + q, terms.a[j], terms.c[j], terms.b0[j])
            step = new - b[j]
            if step != 0:
                square += step * (step * hess - 2 * slope[s])
                _take_row(matrix, s, step, slope, m)
                b[j], still = new, False
                low[s], high[s] = resting(terms, j, new)
        if still:
            return epoch + 1, square
    return count, square


@kernel()
def own_gap(gram: Any, terms: Any, b: Any, square: Any) -> Any:
    """The duality gap of the problem on the slots alone."""
    m = gram.count[0]
    scale = 1.0
    for s in range(m):
        j = gram.cols[s]
        outer = terms.a[j] + terms.c[j]
        if outer > 0 and abs(gram.slope[s]) * scale > outer:
            scale = outer / abs(gram.slope[s])
    if terms.nu + terms.mu > 0:
        scale = 1.0
    gap = 0.5 * (1 - scale) ** 2 * max(square, 0.0)
    for s in range(m):
        j = gram.cols[s]
        a, c, b0 = terms.a[j], terms.c[j], terms.b0[j]
        if a + c == 0 and terms.nu + terms.mu == 0:
            if gram.matrix[s, s] > 0:  # free: its slope has to vanish
                gap += gram.slope[s] ** 2 / gram.matrix[s, s]
        else:
            gap += fenchel(b[j], scale * gram.slope[s], a, c, b0, terms.nu, terms.mu)
    return gap


@kernel()
def _cholesky_solve(matrix: Any, right: Any) -> Any:
    """Solution of a positive definite system, and whether it was one."""
    try:
        lower = np.linalg.cholesky(matrix)
    except Exception:
        return right, False
    k = right.size
    x = right.copy()
    for i in range(k):
        total = x[i]
        for t in range(i):
            total -= lower[i, t] * x[t]
        x[i] = total / lower[i, i]
    for i in range(k - 1, -1, -1):
        x[i] /= lower[i, i]
        for t in range(i):
            x[t] -= lower[i, t] * x[i]
    return x, True


@kernel()
def newton(gram: Any, terms: Any, b: Any, square: Any) -> Any:
    """A Newton step on the coordinates off both knots, cut at the knots."""
    m = gram.count[0]
    members = np.empty(m, np.int64)
    k = 0
    for s in range(m):
        j = gram.cols[s]
        free = terms.a[j] + terms.c[j] == 0
        if free or (b[j] != 0 and b[j] != terms.b0[j]):
            members[k] = s
            k += 1
    if k == 0 or k > _NEWTON_MOST:
        return square, False
    matrix, right = np.empty((k, k)), np.empty(k)
    for r in range(k):
        s = members[r]
        j = gram.cols[s]
        low, high = slopes(b[j], terms.a[j], terms.c[j], terms.b0[j])
        ridge = terms.nu * b[j] + terms.mu * (b[j] - terms.b0[j])
        right[r] = gram.slope[s] - 0.5 * (low + high) - ridge
        for t in range(k):
            matrix[r, t] = gram.matrix[s, members[t]]
        matrix[r, r] += terms.nu + terms.mu
    step, definite = _cholesky_solve(matrix, right)
    if not definite:  # more coordinates than rows: along null directions, until one meets a knot
        for r in range(k):
            matrix[r, r] += _RIDGE * (1e-300 + matrix[r, r])
        step, definite = _cholesky_solve(matrix, right)
    if not definite:
        return square, False
    return _cut_step(gram, terms, b, members[:k], step, square), True


@once()
def _cut_step(gram: Any, terms: Any, b: Any, members: Any, step: Any, square: Any) -> Any:
    """Go along ``step`` as far as it descends; a coordinate that meets a knot stays there."""
    first, share, better = 1.0, 1.0, False
    cut = np.empty(step.size)
    while not better and share >= max(first, _SHORTEST):
        for r in range(step.size):
            j = gram.cols[members[r]]
            cut[r] = share * step[r]
            if terms.a[j] + terms.c[j] == 0:
                continue
            for knot in (0.0, terms.b0[j]):
                to = knot - b[j]
                if to * cut[r] > 0 and abs(to) < abs(cut[r]):
                    cut[r] = to
                    first = min(first, to / step[r])
        square, better = _try_step(gram, terms, b, members, cut, square, True)
        share *= 0.25
    if not better:  # to the first knot: then it must descend
        for r in range(step.size):
            step[r] *= first
        square, _ = _try_step(gram, terms, b, members, step, square, False)
    return square


@kernel()
def _try_step(
    gram: Any, terms: Any, b: Any, members: Any, step: Any, square: Any, careful: Any
) -> Any:
    m, k = gram.count[0], members.size
    slope = gram.slope[:m].copy()
    change, moved = 0.0, 0.0
    for r in range(k):
        if step[r] != 0:
            _take_row(gram.matrix, members[r], step[r], slope, m)
    for r in range(k):
        s = members[r]
        j = gram.cols[s]
        moved -= step[r] * (gram.slope[s] + slope[s])
        change += value(
            b[j] + step[r], terms.a[j], terms.c[j], terms.b0[j], terms.nu, terms.mu
        ) - value(b[j], terms.a[j], terms.c[j], terms.b0[j], terms.nu, terms.mu)
    if careful and 0.5 * moved + change > 0:
        return square, False
    for r in range(k):
        j = gram.cols[members[r]]
        for knot in (0.0, terms.b0[j]):
            if step[r] == knot - b[j]:
                b[j] = knot
                step[r] = 0.0
        b[j] += step[r]
    for t in range(m):
        gram.slope[t] = slope[t]
    return square + moved, True


@kernel()
def descend(gram: Any, terms: Any, b: Any, square: Any, goal: Any) -> Any:
    """Epochs and Newton steps until the gap on the slots is at most ``goal``."""
    gap = math.inf
    for block in range(1000):
        made, square = epochs(gram, terms, b, square, 2)
        gap = own_gap(gram, terms, b, square)
        if gap <= goal or made < 2:
            break
        if block >= 1:
            square, _ = newton(gram, terms, b, square)
    return gap
