"""The outer loop: certify, choose a working set by KKT violation, descend, repeat."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from tlstat.transfer_lasso.kernels import (
    axpy,
    centred_square,
    curvature,
    data_fit,
    dot,
    fenchel,
    fit_gap,
    project,
    residual,
    slopes,
    value,
)
from tlstat.transfer_lasso.kernels_residual import epochs


@njit
def primal(terms, logistic, y, share, b, eta):
    total = data_fit(logistic, y, share, eta)
    for j in range(b.size):
        total += value(b[j], terms.a[j], terms.c[j], terms.b0[j], terms.nu, terms.mu)
    return total


@njit
def box_scale(terms, cols, w):
    """Largest factor, at most 1, that brings the correlations of ``cols`` into their boxes."""
    scale = 1.0
    for s in range(cols.size):
        j = cols[s]
        outer = terms.a[j] + terms.c[j]
        if outer > 0 and abs(w[j]) * scale > outer:
            scale = outer / abs(w[j])
    return scale


@njit
def gap_at(terms, logistic, y, share, cols, b, eta, theta, w, scale):
    """The gap with the dual point ``scale theta``, whose correlations are ``scale w``."""
    total = fit_gap(logistic, y, share, eta, scale * theta)
    for s in range(cols.size):
        j = cols[s]
        if total == math.inf:
            break
        total += fenchel(
            b[j], scale * w[j], terms.a[j], terms.c[j], terms.b0[j], terms.nu, terms.mu
        )
    return total


@njit
def certify(design, terms, logistic, y, share, basis, cols, b, eta, theta, w):
    """The duality gap over ``cols`` (all columns: of the problem); leaves ``theta`` and ``w``."""
    residual(logistic, y, share, eta, theta)
    project(basis, share, theta)
    for s in range(cols.size):
        w[cols[s]] = dot(design, cols[s], theta)
    scale = box_scale(terms, cols, w)
    gap = gap_at(terms, logistic, y, share, cols, b, eta, theta, w, scale)
    if terms.nu + terms.mu > 0 and scale < 1:
        gap = min(gap, gap_at(terms, logistic, y, share, cols, b, eta, theta, w, 1.0))
    return gap


@njit
def violation(terms, j, b, w):
    left = w[j] - terms.nu * b[j] - terms.mu * (b[j] - terms.b0[j])
    low, high = slopes(b[j], terms.a[j], terms.c[j], terms.b0[j])
    return max(0.0, low - left, left - high)


@njit
def working_set(terms, b, w, most):
    """Coordinates off both knots, those without penalty, and the ``most`` worst violators."""
    p = b.size
    bad = np.zeros(p)
    forced = np.zeros(p, dtype=np.bool_)
    count = 0
    for j in range(p):
        off = b[j] != 0 and b[j] != terms.b0[j]
        forced[j] = off or terms.a[j] + terms.c[j] == 0
        if not forced[j]:
            bad[j] = violation(terms, j, b, w)
            count += bad[j] > 0
    threshold = 0.0
    if count > most:
        threshold = np.sort(bad)[p - most]
    return np.flatnonzero(forced | ((bad > 0) & (bad >= threshold)))


@njit
def centre(logistic, y, share, eta, h):
    """Newton's method on the intercept alone; returns its change."""
    moved = 0.0
    v = np.empty(y.size)
    for _ in range(50):
        residual(logistic, y, share, eta, v)
        curvature(logistic, share, eta, h)
        bend = np.sum(h)
        if bend <= 0:
            break
        step = np.sum(v) / bend
        step = min(max(step, -2.0), 2.0) if logistic else step
        eta += step
        moved += step
        if abs(step) <= 1e-15 * (1 + abs(moved)):
            break
    return moved


@njit
def descend(design, terms, logistic, y, share, basis, intercept, cols, b, eta, goal, w, theta):
    """Newton steps on the working set until its own gap is ``goal``; returns the intercept."""
    n, m = y.size, cols.size
    h, u = np.empty(n), np.empty(n)
    hess, means = np.empty(m), np.zeros(m)
    fit_intercept = basis.shape[0] > 0 and intercept == intercept
    for newton in range(100):
        curvature(logistic, share, eta, h)
        total = np.sum(h) if fit_intercept else 0.0
        if newton == 0 or logistic:
            for s in range(m):
                hess[s], means[s] = centred_square(design, cols[s], h, total)
        old, old_eta, old_intercept = b.copy(), eta.copy(), intercept
        before = primal(terms, logistic, y, share, b, eta)
        residual(logistic, y, share, eta, u)
        shift = 0.0
        if fit_intercept and total > 0:
            shift = -np.sum(u) / total
        for _ in range(20):
            _, shift = epochs(
                design, terms, cols, hess, means, total, h, b, u, shift, 10, 1e-3 * goal
            )
            if _ < 10:
                break
        for s in range(m):
            if b[cols[s]] != old[cols[s]]:
                axpy(design, cols[s], b[cols[s]] - old[cols[s]], eta)
        if fit_intercept:
            intercept += centre(logistic, y, share, eta, h)
        step = 1.0
        while logistic and primal(terms, logistic, y, share, b, eta) > before + 1e-14 * abs(before):
            step *= 0.5
            if step < 1e-6:
                break
            b[:] = old + step * (b - old)
            eta[:] = old_eta.copy()
            intercept = old_intercept
            for s in range(m):
                if b[cols[s]] != old[cols[s]]:
                    axpy(design, cols[s], b[cols[s]] - old[cols[s]], eta)
            if fit_intercept:
                intercept += centre(logistic, y, share, eta, h)
        if certify(design, terms, logistic, y, share, basis, cols, b, eta, theta, w) <= goal:
            break
    return intercept


@njit(cache=True, nogil=True)
def solve(design, terms, logistic, y, share, basis, b, eta, intercept, tol, floor, max_iter):
    """Returns ``(intercept, gap, primal, rounds)``; ``b`` and ``eta`` are updated in place."""
    everything = np.arange(b.size)
    theta, w = np.empty(y.size), np.empty(b.size)
    most = 50
    gap, value_now = math.inf, math.inf
    for it in range(max_iter + 1):
        gap = certify(design, terms, logistic, y, share, basis, everything, b, eta, theta, w)
        value_now = primal(terms, logistic, y, share, b, eta)
        goal = tol * max(value_now, floor)
        if gap <= goal or it == max_iter:
            break
        cols = working_set(terms, b, w, most)
        most = min(b.size, 2 * max(most, cols.size))  # doubling overflows in time
        intercept = descend(
            design, terms, logistic, y, share, basis, intercept, cols, b, eta, 0.3 * goal, w, theta
        )
    return intercept, gap, value_now, it
