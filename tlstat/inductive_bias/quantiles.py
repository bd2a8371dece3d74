"""Quantiles of weighted sums of chi-squares, by Newton's method from a saddlepoint start."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tlstat.inductive_bias.contour import Modes, from_coordinate

Floats = np.ndarray[Any, np.dtype[np.float64]]

_NEWTON = 60
_ROUNDING = 4e-16


def upper_quantile(
    modes: Modes,
    log_p: Floats,
    tail: Callable[[Floats], Floats],
    log_density: Callable[[Floats], Floats],
) -> Floats:
    """The ``q`` with ``log P(Q > q) = log_p``, shape (points,).

    Newton's method on the logarithm of the tail, kept within a bracket.
    """
    q = _start(modes, log_p)
    top = math.inf if (modes.w > 0).any() or modes.sd[0] > 0 else 0.0
    bottom = -math.inf if (modes.w < 0).any() or modes.sd[0] > 0 else 0.0
    power = top == 0.0
    low, high = np.full(q.shape, bottom), np.full(q.shape, top)
    active = np.arange(q.size)
    for _ in range(_NEWTON):
        at = q[active]
        value = tail(at)
        excess = value - log_p[active]
        low[active] = np.where(excess > 0, at, low[active])
        high[active] = np.where(excess < 0, at, high[active])
        with np.errstate(over="ignore", invalid="ignore"):
            step = excess * np.exp(value - log_density(at))
            # at the end of the support the tail is a power, and Newton's method exact in log|q|
            new = at * np.exp(step / at) if power else at + step
        if power and (new == 0).any():  # nearer to the end than a float can be
            q[active[new == 0]] = -0.0
            active, new, at, step, excess = (v[new != 0] for v in (active, new, at, step, excess))
        outside = ~((new >= low[active]) & (new <= high[active]))
        new = np.where(outside, _between(at, low[active], high[active], step), new)
        q[active] = new
        small = np.abs(new - at) <= _ROUNDING * np.abs(new) + 1e-300
        # the tail's own rounding: below it steps wander
        settled = np.abs(excess) <= 4 * _ROUNDING * (1 + np.abs(log_p[active]))
        active = active[~(small | settled)]
        if not active.size:
            break
    return q


def _between(at: Floats, low: Floats, high: Floats, step: Floats) -> Floats:
    """Where a Newton step leaves the bracket: its middle; half way to an end that has no value."""
    end = np.where(step > 0, high, low)
    return np.where(np.isfinite(end), (at + end) / 2, at + step)


def _start(modes: Modes, log_p: Floats) -> Floats:
    """Quantiles of the saddlepoint approximation, by bisection along the crossing points.

    At the crossing ``t`` of ``q = K'(t) - 1/t`` the tail is about
    ``exp(K(t) - t q) / (t sqrt(2 pi (K''(t) + t^-2)))``, which falls from above 1 to 0 in ``t``.
    """
    low, high = np.full(log_p.shape, -300.0), np.full(log_p.shape, 300.0)
    top = modes.w.max(axis=-1)
    q = np.zeros(log_p.shape)
    with np.errstate(all="ignore"):
        for _ in range(45):
            u = (low + high) / 2
            t, a, _dt = from_coordinate(np, modes.w, np.broadcast_to(top, u.shape), u)
            y = 2 * modes.w * t[:, None]
            q = (modes.w * (modes.df / a + modes.nc / a**2)).sum(axis=-1)
            q = q + modes.sd**2 * t - 1 / t
            cgf = (-modes.df / 2 * np.log(a) + modes.nc / 2 * y / a).sum(axis=-1)
            cgf = cgf + modes.sd**2 * t**2 / 2
            second = (modes.w**2 * (2 * modes.df / a**2 + 4 * modes.nc / a**3)).sum(axis=-1)
            spread = t**2 * (second + modes.sd**2) + 1
            value = cgf - t * q - 0.5 * np.log(2 * math.pi * spread)
            low, high = np.where(value > log_p, u, low), np.where(value > log_p, high, u)
    if not ((modes.w > 0).any() or modes.sd[0] > 0):
        q = np.minimum(q, -1e-300)
    if not ((modes.w < 0).any() or modes.sd[0] > 0):
        q = np.maximum(q, 1e-300)
    return q
