r"""The integral that gives tails and densities of weighted sums of chi-squares, at any depth.

For ``Q = sum_j w_j chi'^2_{df_j}(nc_j) + sd N(0, 1)`` with cumulant generating function ``K``,

.. math:: P(Q > q) = \frac{1}{2\pi i} \int e^{K(s) - s q} \, \frac{ds}{s},

along any path from ``-i inf`` to ``+i inf`` that crosses the real axis in ``(0, 1/(2 max w))``.
Imhof's formula takes the path through 0 and so has absolute accuracy. Here the path crosses at
the minimum of ``K(t) - t q - log t``, where the modulus is about largest on the path: nothing
cancels, and the value has relative accuracy however small it is. From there it bends like a
hyperbola towards the side on which ``exp(-s q)`` falls, around the singularities ``1/(2 w_j)``, so
that the integrand falls exponentially even for a single degree of freedom. With the nodes spaced
as a hyperbolic sine, the trapezoidal rule converges geometrically.

For lower tails of laws with positive weights, reflected to upper tails of negative ones, all
singularities (the pole at 0 too) lie on one side of the crossing. There the modulus at any point
that is seen from the crossing at 45 to 90 degrees towards that side is below the crossing's (each
term of the exponent less its linear part is ``-log(1 - z) - z`` or ``z^2/(1 - z)``, whose real
parts are negative there), and the bend of 59 degrees keeps to this. Otherwise up to three paths
are tried, and the one taken on which the modulus stays low and falls first.

All functions take one row a point and work on numpy and torch alike. The densities use the same
path without ``1/s``.
"""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.inductive_bias.path import FIRST, Modes, Path, integrate

Array = Any

_EPS = 2.0**-52
_CHUNK = 1 << 18  # points x nodes x modes at once: what fits into a cache
_DEVICE_CHUNK = 1 << 25


def log_tail(modes: Modes, q: Array, *, density: bool = False) -> tuple[Array, Array]:
    """``log P(Q > q)``, or the log density at ``q``, and an estimate of its error, each (points,).

    ``q`` must lie inside the support; a density is asked for at or above the mean. Weights should
    be of order one. The error is the last change under doubling of the nodes plus the rounding of
    all sums involved; where it is not small the caller decides.
    """
    xp = namespace(q)
    on_device = xp is not np and q.device.type != "cpu"
    budget = _DEVICE_CHUNK if on_device else _CHUNK
    step = max(1, budget // (2 * FIRST * modes.w.shape[-1]))
    values, errors = [], []
    for first in range(0, q.shape[0], step):
        part = slice(first, first + step)
        value, error = _log_tail(xp, modes.rows(part), q[part], density, budget)
        values.append(value)
        errors.append(error)
    return xp.concat(values), xp.concat(errors)


def _log_tail(xp: Any, modes: Modes, q: Array, density: bool, budget: int) -> tuple[Array, Array]:
    t, a = crossing(xp, modes, q, pole=not density)
    path = Path.through(xp, modes, q, t, a, pole=not density)
    exponent, rounding = exponent_at(xp, modes, q, t, a)
    integral, error = integrate(xp, path, budget)
    tiny = xp.full_like(integral, 1e-300)
    value = exponent + xp.log(xp.where(integral > 0, integral, tiny)) - log(pi)
    relative = error / xp.where(integral > 0, integral, tiny)
    return value, relative + rounding


# --- where the path crosses the real axis ------------------------------------------------------


def crossing(
    xp: Any, modes: Modes, q: Array, *, pole: bool, tolerance: float = 0.1
) -> tuple[Array, Array]:
    """The minimum over ``t > 0`` of ``K(t) - t q [- log t]``, and ``a = 1 - 2 w t`` there.

    Newton's method on ``log(P/N)`` where the derivative is ``P - N`` with ``P, N > 0`` sums of
    positive terms, in a coordinate ``u`` of ``(0, 1/(2 max w))`` that resolves both ends; its
    slope is near 1 at both, and a bracket guards it. The tolerance is in units of the path's width
    (or of ``P + N``, if that is less); the path itself needs no more than a tenth.
    """
    w, df, nc = modes.w, modes.df, modes.nc
    top = xp.max(w, axis=-1)
    variance = xp.sum(2 * w * w * (df + 2 * nc), axis=-1) + modes.sd**2
    gap = q - xp.sum(w * (df + nc), axis=-1)
    bulk = 2 / (xp.sqrt(gap * gap + 4 * variance) - gap)  # the root, were K quadratic
    u = xp.log(xp.where(top > 0, 2 * top * bulk, bulk))
    low, high = xp.full_like(u, -700.0), xp.full_like(u, 700.0)
    u = xp.clip(u, low + 1, high - 1)
    up, down = xp.clip(-q, 0.0, None), xp.clip(q, 0.0, None)
    positive = xp.clip(w, 0.0, None)
    negative = xp.clip(-w, 0.0, None)
    for _ in range(100):
        t, a, dt = from_coordinate(xp, w, top, u)
        first, second = df / a + nc / a**2, 2 * df / a**2 + 4 * nc / a**3
        rising = xp.sum(positive * first, axis=-1) + modes.sd**2 * t + up
        falling = xp.sum(negative * first, axis=-1) + down
        slope_up = xp.sum(positive**2 * second, axis=-1) + modes.sd**2
        slope_down = xp.sum(negative**2 * second, axis=-1)
        if pole:
            falling = falling + 1 / t
            slope_down = slope_down + 1 / t**2
        excess = rising - falling
        # with df far below 1 the width is many times the distance to the singularity
        size = xp.minimum(xp.sqrt(slope_up + slope_down), rising + falling)
        if bool(xp.all(xp.abs(excess) <= tolerance * size)):
            break
        low, high = xp.where(excess < 0, u, low), xp.where(excess < 0, high, u)
        falling = xp.clip(falling, 1e-300, None)
        rising = xp.clip(rising, 1e-300, None)
        slope = (slope_up / rising + slope_down / falling) * dt
        new = u - (xp.log(rising) - xp.log(falling)) / xp.clip(slope, 1e-300, None)
        u = xp.where((new > low) & (new < high), new, (low + high) / 2)
    return t, a


def from_coordinate(xp: Any, w: Array, top: Array, u: Array) -> tuple[Array, Array, Array]:
    """``t``, ``1 - 2 w t`` free of cancellation, and ``dt/du``."""
    e = xp.exp(u)
    bounded = top > 0
    end = xp.where(bounded, 0.5 / xp.where(bounded, top, 1.0), 1.0)
    t = xp.where(bounded, end * (e / (1 + e)), e)
    dt = xp.where(bounded, t / (1 + e), e)
    share = w / xp.where(bounded, top, 1.0)[..., None]
    near = (1 + e[..., None] * (1 - share)) / (1 + e[..., None])
    return t, xp.where(bounded[..., None], near, 1 - 2 * w * t[..., None]), dt


def exponent_at(xp: Any, modes: Modes, q: Array, t: Array, a: Array) -> tuple[Array, Array]:
    """``K(t) - t q`` and its rounding error.

    Modes with ``|2 w t| < 1/2`` are centred: their means are taken off ``q``, so that the large
    terms of the bulk never arise; the others dominate ``q`` themselves.
    """
    w, df, nc = modes.w, modes.df, modes.nc
    y = 2 * w * t[..., None]
    centred = xp.abs(y) < 0.5
    inside = xp.where(centred, y, 0.0)
    logs = xp.where(centred, _log_excess(xp, inside), -xp.log(a))
    shifts = xp.where(centred, y * y, y) / a
    terms = df / 2 * logs + nc / 2 * shifts
    linear = t * (q - xp.sum(xp.where(centred, w * (df + nc), 0.0), axis=-1))
    normal = modes.sd**2 * t**2 / 2
    size = xp.sum(xp.abs(terms), axis=-1) + xp.abs(linear) + normal
    return xp.sum(terms, axis=-1) - linear + normal, 4 * _EPS * (size + 1)


def _log_excess(xp: Any, y: Array) -> Array:
    """``-log(1 - y) - y`` for ``|y| < 1/2``: it is ``2 artanh(r) - y`` with ``r = y/(2 - y)``."""
    r = y / (2 - y)
    square = r * r
    total = xp.zeros_like(y)
    for k in range(16, 0, -1):
        total = square * (1 / (2 * k + 1) + total)
    return y * r + 2 * r * total
