"""The outer loop: choose a working set, descend, certify, repeat; along a whole path."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.transfer_lasso import kernels_gram, kernels_residual
from tlstat.transfer_lasso.kernels import (
    Terms,
    axpy,
    centred_square,
    curvature,
    data_fit,
    kernel,
    once,
    residual,
)
from tlstat.transfer_lasso.kernels_certify import (
    ANCHORS,
    Anchors,
    certify,
    gap_on,
    primal,
)
from tlstat.transfer_lasso.kernels_choose import (
    certain_columns,
    is_loose,
    members,
    predict,
    violators,
)

_SHARPEST = 1e-6
_FIRST = 20  # columns that a first working set takes


@kernel()
def centre(logistic: Any, y: Any, share: Any, eta: Any) -> Any:
    """Newton's method on the intercept alone, bracketed: moves ``eta``, returns the change.

    Where probabilities are near 0 and 1 the curvature is no guide: a plain Newton step would jump
    from one end to the other, farther every time.
    """
    moved, low, high, limit = 0.0, -math.inf, math.inf, 2.0
    v, h = np.empty(y.size), np.empty(y.size)
    for _ in range(200):
        residual(logistic, y, share, eta, v)
        curvature(logistic, share, eta, h)
        slope, bend = np.sum(v), np.sum(h)
        if slope == 0:
            break
        if slope > 0:
            low = moved
        else:
            high = moved
        step = slope / bend if bend > 0 else math.copysign(limit, slope)
        # before the bracket is asked: from here a step of rounding's size cannot leave its end
        if abs(step) <= 1e-15 * (1 + abs(moved)):
            break
        if logistic:
            step = min(max(step, -limit), limit)
            limit *= 2
            if not low < moved + step < high:
                step = 0.5 * (low + high) - moved
        for i in range(eta.size):
            eta[i] += step
        moved += step
    return moved


@kernel()
def shift_eta(design: Any, cols: Any, b: Any, old: Any, eta: Any) -> Any:
    for s in range(cols.size):
        if b[cols[s]] != old[s]:
            axpy(design, cols[s], b[cols[s]] - old[s], eta)


@kernel()
def gather(x: Any, cols: Any) -> Any:
    out = np.empty(cols.size)
    for s in range(cols.size):
        out[s] = x[cols[s]]
    return out


@once()
def by_gram(design: Any, terms: Any, data: Any, gram: Any, b: Any, eta: Any, goal: Any) -> Any:
    """Solve on the Gram's columns; returns the change of the intercept."""
    cols = gram.cols[: gram.count[0]]
    old = gather(b, cols)
    square = 2 * data_fit(False, data.y, data.share, eta)
    kernels_gram.descend(gram, terms, b, square, goal)
    shift_eta(design, cols, b, old, eta)
    return centre(False, data.y, data.share, eta) if data.intercept else 0.0


@once()
def by_residual(
    design: Any, terms: Any, data: Any, slot: Any, anchors: Any, b: Any, eta: Any, goal: Any
) -> Any:
    """Newton's method on the working set; one model is exact for the squared loss."""
    cols = members(slot)
    n, k = design.n, cols.size
    hess, means, h, u = np.empty(k), np.zeros(k), np.empty(n), np.empty(n)
    moved, inner = 0.0, goal
    for _ in range(50 if data.logistic else 1):
        curvature(data.logistic, data.share, eta, h)
        total = np.sum(h) if data.intercept else 0.0
        for s in range(k):
            hess[s], means[s] = centred_square(design, cols[s], h, total)
        model = kernels_residual.Model(cols, hess, means, h, total)
        residual(data.logistic, data.y, data.share, eta, u)
        shift = -np.sum(u) / total if total > 0 else 0.0
        old, old_eta = gather(b, cols), eta.copy()
        before = primal(terms, data, b, eta)
        kernels_residual.descend(
            design, terms, model, b, u, shift, inner, 20 if data.logistic else 1000
        )
        shift_eta(design, cols, b, old, eta)
        change = centre(data.logistic, data.y, data.share, eta) if data.intercept else 0.0
        if data.logistic:
            change = line_search(terms, data, cols, b, eta, old, old_eta, before, change)
        moved += change
        if not data.logistic:
            break
        gap = gap_on(design, terms, data, cols, anchors, b, eta)
        if gap <= goal:
            break
        inner = max(0.3 * goal, 0.01 * gap) if gap < math.inf else goal
    return moved


@once()
def line_search(
    terms: Any,
    data: Any,
    cols: Any,
    b: Any,
    eta: Any,
    old: Any,
    old_eta: Any,
    before: Any,
    change: Any,
) -> Any:
    """Halve the step until the objective descends; returns the change of the intercept."""
    for _ in range(40):
        if primal(terms, data, b, eta) <= before * (1 + 1e-15):
            break
        for s in range(cols.size):
            b[cols[s]] = 0.5 * (b[cols[s]] + old[s])
        for i in range(eta.size):
            eta[i] = 0.5 * (eta[i] + old_eta[i])
        change *= 0.5
        if data.intercept:
            change += centre(data.logistic, data.y, data.share, eta)
    return change


@once()
def enlarge(
    design: Any, terms: Any, data: Any, slot: Any, gram: Any, b: Any, eta: Any, new: Any
) -> Any:
    """Take the columns ``new`` into the working set; returns the store, or an empty one.

    The Gram matrix is given up where it would be wider than it pays: then residuals are updated.
    """
    most = kernels_gram.width(design)
    m = gram.count[0]
    if m + new.size > most:
        gram.count[0] = 0
        merged = np.empty(m + new.size, np.int64)
        kept = 0
        for s in range(m):
            j = gram.cols[s]
            slot[j] = -1
            if is_loose(terms, j, b[j]):
                merged[kept] = j
                kept += 1
        for s in range(new.size):
            merged[kept + s] = new[s]
        new = merged[: kept + new.size]
        if new.size > most:
            gram.count[0] = -1  # for the rest of the path
            for s in range(new.size):
                slot[new[s]] = 0
            return gram, False
    total = gram.count[0] + new.size
    if total > gram.cols.size:
        gram = kernels_gram.grow(gram, min(most, 2 * total))
    v = np.empty(design.n)
    residual(False, data.y, data.share, eta, v)
    kernels_gram.add(design, data.share, data.intercept, v, gram, slot, new)
    return gram, True


@once()
def refine(
    design: Any,
    terms: Any,
    data: Any,
    slot: Any,
    gram: Any,
    anchors: Any,
    b: Any,
    eta: Any,
    new: Any,
    products: Any,
    goal: Any,
) -> Any:
    """Enlarge the working set by ``new`` and solve on it."""
    if products:
        gram, products = enlarge(design, terms, data, slot, gram, b, eta, new)
    else:
        for s in range(new.size):
            slot[new[s]] = 0
    if products:
        moved = by_gram(design, terms, data, gram, b, eta, goal)
    else:
        moved = by_residual(design, terms, data, slot, anchors, b, eta, goal)
    return gram, products, moved


@once()
def refresh(data: Any, gram: Any, anchors: Any) -> Any:
    """The slots' correlations, without the rounding of many updates."""
    if data.basis.shape[0] == (1 if data.intercept else 0):
        for s in range(gram.count[0]):
            gram.slope[s] = anchors.w[gram.cols[s]]


@once()
def point(
    design: Any,
    terms: Any,
    change: Any,
    data: Any,
    slot: Any,
    gram: Any,
    anchors: Any,
    b: Any,
    eta: Any,
    tol: Any,
    floor: Any,
    most: Any,
    needed: Any,
    out: Any,
) -> Any:
    """One point of the path; ``change`` is the relative change of the penalty, 0 at the first."""
    products = not data.logistic and gram.count[0] >= 0
    if not products:
        certain_columns(terms, slot, b)
    room, rounds, sharpness = _FIRST, 0, 0.3
    new = needed[:0]
    warm = change > 0
    if warm:
        new = predict(design, terms, change, data, slot, anchors, b, eta)
    level = max(primal(terms, data, b, eta), floor)
    while True:
        if warm or rounds > 0:
            gram, products, moved = refine(
                design,
                terms,
                data,
                slot,
                gram,
                anchors,
                b,
                eta,
                new,
                products,
                sharpness * tol * level,
            )
            out[0] += moved
        objective = primal(terms, data, b, eta)
        level = max(objective, floor)
        gap, cols = certify(design, terms, data, slot, anchors, b, eta, needed, level)
        # with a working set that is complete a much sharper goal is beyond rounding
        if gap <= tol * level or rounds == most or sharpness < _SHARPEST:
            break
        rounds += 1
        new = violators(terms, data, slot, anchors, cols, b, room)
        room = 2 * max(room, gram.count[0])
        if new.size == 0:
            sharpness *= 0.1
        if products:
            refresh(data, gram, anchors)
    out[1], out[2], out[3] = gap, objective, rounds
    return gram


@once()
def walk(
    design: Any,
    data: Any,
    u: Any,
    v: Any,
    b0: Any,
    nu: Any,
    mu: Any,
    l1s: Any,
    l2s: Any,
    b: Any,
    tol: Any,
    floor: Any,
    most: Any,
    coefs: Any,
    report: Any,
) -> Any:
    """All points of a path, each started from the one before.

    ``coefs`` (points, p) and ``report`` (points, 4: intercept, gap, objective, rounds) are filled.
    """
    p, n = design.p, design.n
    eta = np.zeros(n)
    for j in range(p):
        if b[j] != 0:
            axpy(design, j, b[j], eta)
    intercept = centre(data.logistic, data.y, data.share, eta) if data.intercept else 0.0
    slot, needed = np.full(p, -1), np.empty(p, np.int64)
    anchors = Anchors(
        np.zeros((ANCHORS, n)),
        np.zeros(ANCHORS),
        np.zeros(1, np.int64),
        np.full(p, -1),
        np.zeros(p),
        np.zeros(p, np.bool_),
    )
    gram = kernels_gram.empty_store(min(p, 64))
    terms = Terms(np.empty(p), np.empty(p), b0, nu, mu)
    for k in range(l1s.size):
        for j in range(p):
            terms.a[j], terms.c[j] = l1s[k] * u[j], l2s[k] * v[j]
            anchors.safe[j] = False
        change = 0.0
        if k > 0:
            step = abs(l1s[k] - l1s[k - 1]) + abs(l2s[k] - l2s[k - 1])
            level = l1s[k] + l2s[k]
            change = step / level if step > 0 and level > 0 else 1e-12
        report[k, 0] = intercept
        gram = point(
            design,
            terms,
            change,
            data,
            slot,
            gram,
            anchors,
            b,
            eta,
            tol,
            floor,
            most,
            needed,
            report[k],
        )
        intercept = report[k, 0]
        for j in range(p):
            coefs[k, j] = b[j]
