"""Betting against a mean, compiled: the wealth, its root and the path of lower limits.

For independent ``z_i >= 0`` of mean ``mu`` the wealth
``K_t(m) = prod_{i <= t} (1 + min(bet_i, cap/m) (z_i - m))`` is, at ``m = mu``, a non-negative
martingale if ``bet_i`` depends on the past alone; by Ville's inequality it ever reaches
``1/delta`` with probability at most ``delta``. Each factor decreases in ``m``, so the means that
are rejected are an interval from 0, and its right end is a lower confidence limit.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# a product of t factors is off by a few units in the last place each
SLACK = 8 * 2.2e-16


@njit(cache=True)
def rejected(z: np.ndarray, bets: np.ndarray, cap: float, m: float, level: float, t: int) -> bool:
    """Has the wealth against the mean ``m`` reached ``exp(level)`` by time ``t``?"""
    top, log_done, wealth = cap / m, 0.0, 1.0
    goal = math.exp(min(level, 300.0))
    for i in range(t):
        wealth *= 1 + min(bets[i], top) * (z[i] - m)
        if wealth >= goal:
            if log_done + math.log(wealth) >= level + SLACK * (i + 1):
                return True
            log_done += math.log(wealth)
            wealth, goal = 1.0, math.exp(min(max(level - log_done, 0.0), 300.0))
        elif wealth < 1e-200:
            log_done += math.log(wealth)
            wealth, goal = 1.0, math.exp(min(level - log_done, 300.0))
    return False


@njit(cache=True)
def lower_limit(
    z: np.ndarray, bets: np.ndarray, cap: float, level: float, t: int, low: float
) -> float:
    """The largest mean known to be rejected by time ``t``, given that ``low`` is (or is 0)."""
    high = 0.0
    for i in range(t):
        high = max(high, z[i])
    if high <= low:  # no mean above all data is rejected
        return low
    while high - low > 1e-15 * high:
        middle = (low + high) / 2
        if middle <= low or middle >= high:
            break
        if rejected(z, bets, cap, middle, level, t):
            low = middle
        else:
            high = middle
    return low


@njit(cache=True)
def _advance(
    z: np.ndarray, bets: np.ndarray, cap: float, level: float, t: int, low: float, step: float
) -> float:
    """A rejected mean less than ``step`` below the largest one; ``low`` is rejected."""
    gap = step
    while rejected(z, bets, cap, low + gap, level, t):
        low, gap = low + gap, 2 * gap
    while gap > step:
        gap /= 2
        if rejected(z, bets, cap, low + gap, level, t):
            low += gap
    return low


@njit(cache=True)
def lower_path(
    z: np.ndarray, bets: np.ndarray, cap: float, level: float, resolution: float, out: np.ndarray
) -> None:
    """The running lower limits, each less than ``2 resolution`` below its exact value.

    Only the wealth against the next candidate, ``low + resolution``, is carried along; the past
    is read again when that is rejected. The last limit is exact.
    """
    n = z.size
    low, probe, log_wealth = 0.0, resolution, 0.0
    for t in range(n):
        log_wealth += math.log1p(min(bets[t], cap / probe) * (z[t] - probe))
        if log_wealth >= level + SLACK * (t + 1):
            low = _advance(z, bets, cap, level, t + 1, low, resolution)
            probe, log_wealth = low + resolution, 0.0
            for i in range(t + 1):
                log_wealth += math.log1p(min(bets[i], cap / probe) * (z[i] - probe))
        out[t] = low
    out[n - 1] = max(low, lower_limit(z, bets, cap, level, n, low))


@njit(cache=True)
def lower_limits_loop(
    z: np.ndarray, bets: np.ndarray, cap: float, level: np.ndarray, out: np.ndarray
) -> None:
    for row in range(out.size):
        out[row] = lower_limit(z[row], bets[row], cap, level[row], z.shape[1], 0.0)


@njit(cache=True)
def lower_paths_loop(
    z: np.ndarray,
    bets: np.ndarray,
    cap: float,
    level: np.ndarray,
    resolution: float,
    out: np.ndarray,
) -> None:
    for row in range(out.shape[0]):
        lower_path(z[row], bets[row], cap, level[row], resolution, out[row])
