"""Coordinate descent with Gram updates, and Newton steps on the generalised support.

For the squared loss and a dense design the columns that were ever in a working set keep their
Gram matrix ``G`` (weighted, centred where there is an intercept) along the whole path. A visit
of a coordinate that stays costs nothing; a step costs one row of ``G``, whatever ``n`` is.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tlstat.transfer_lasso.kernels import FAST, dot, fenchel, kernel, prox, slopes, value

_BLOCK = 512  # rows of the design that are copied at a time
_NEWTON_MOST = 2000


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


@kernel()
def add(design: Any, share: Any, centred: Any, v: Any, gram: Any, slot: Any, new: Any) -> Any:
    """Give the columns ``new`` a slot: one matrix product a block of rows, no copy of a column."""
    m, k = gram.count[0], new.size
    for s in range(k):
        gram.cols[m + s] = new[s]
        slot[new[s]] = m + s
        gram.slope[m + s] = dot(design, new[s], v)
    total = m + k
    gram.count[0] = total
    means = np.zeros(total)
    if centred:
        for s in range(total):
            means[s] = dot(design, gram.cols[s], share)
    product = np.zeros((total, k))
    for start in range(0, design.n, _BLOCK):
        width = min(_BLOCK, design.n - start)
        part = np.empty((total, width))
        for s in range(total):
            j = gram.cols[s]
            for i in range(width):
                part[s, i] = (design.dense[j, start + i] - means[s]) * math.sqrt(share[start + i])
        block = np.dot(part, part[m:].T)
        for s in range(total):
            for t in range(k):
                product[s, t] += block[s, t]
    for s in range(total):
        for t in range(k):
            gram.matrix[s, m + t] = product[s, t]
            gram.matrix[m + t, s] = product[s, t]


@kernel(fastmath=FAST)
def _take_row(matrix: Any, s: Any, step: Any, slope: Any, m: Any) -> Any:
    for t in range(m):
        slope[t] -= step * matrix[s, t]


@kernel()
def epochs(gram: Any, terms: Any, b: Any, square: Any, count: Any, stop: Any) -> Any:
    """``count`` passes at most; returns the passes, and the updated square of the residual."""
    m = gram.count[0]
    q = terms.nu + terms.mu
    for epoch in range(count):
        largest = 0.0
        for s in range(m):
            j = gram.cols[s]
            hess = gram.matrix[s, s]
            bottom = hess + q
            if bottom == 0 and terms.a[j] + terms.c[j] == 0:
                continue
            top = hess * b[j] + gram.slope[s] + terms.mu * terms.b0[j]
            new = prox(top, bottom, terms.a[j], terms.c[j], terms.b0[j])
            step = new - b[j]
            if step != 0:
                square += step * (step * hess - 2 * gram.slope[s])
                _take_row(gram.matrix, s, step, gram.slope, m)
                b[j] = new
                largest = max(largest, bottom * step * step)
        if largest <= stop:
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
    """A Newton step on the coordinates off both knots, cut at the knots.

    The full step with every crossing coordinate put on its knot is tried first; if it does not
    descend, the step ends at the first knot, and then it must.
    """
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
    if not definite:
        return square, False
    first = 1.0
    cut = np.empty(k)
    for r in range(k):
        j = gram.cols[members[r]]
        cut[r] = step[r]
        if terms.a[j] + terms.c[j] == 0:
            continue
        for knot in (0.0, terms.b0[j]):
            to = knot - b[j]
            if to * cut[r] > 0 and abs(to) < abs(cut[r]):
                cut[r] = to
                first = min(first, to / step[r])
    square, better = _try_step(gram, terms, b, members[:k], cut, square, True)
    if not better:
        square, better = _try_step(gram, terms, b, members[:k], first * step, square, False)
    return square, True


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
        made, square = epochs(gram, terms, b, square, 4, 0.0)
        gap = own_gap(gram, terms, b, square)
        if gap <= goal or made < 4:
            break
        if block >= 1:
            square, _ = newton(gram, terms, b, square)
    return gap
