"""Scalar inversions, compiled: the binomial tail, the binary relative entropy.

Every function works in the log domain and to a few units in the last place; the rounding that
makes a certificate conservative is added by the caller (`tlstat.certificates.inversion`).

Notation: ``x + y = 1`` are passed together, so that neither is formed by a subtraction that loses
its digits. ``I_x(a, b)`` is the regularised incomplete beta function, ``d_x(a, b)`` its derivative.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

LOG_2 = math.log(2.0)
# beyond this variance a fixed quadrature is cheaper than the sum of the binomial tail
SUM_LIMIT = 500.0
# the integrand is followed until it has fallen by exp(-DEPTH)
DEPTH = 44.0
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(40)

# log n! - log(sqrt(2 pi n) (n/e)^n) for n = 0..15; entry 0 is never used
STIRLING = np.array(
    [
        0.0,
        0.08106146679532725822,
        0.041340695955409294094,
        0.027677925684998339149,
        0.020790672103765093112,
        0.016644691189821192163,
        0.013876128823070747999,
        0.011896709945891770095,
        0.010411265261972096497,
        0.0092554621827127329177,
        0.0083305634333628712565,
        0.007573675487951840795,
        0.0069428401072095298657,
        0.0064089941880042070684,
        0.0059513701127588477356,
        0.005554733551962801371,
    ]
)


@njit(cache=True)
def stirling_error(n: float) -> float:
    """``log n! - log(sqrt(2 pi n) (n/e)^n)`` for a whole ``n >= 1``."""
    if n < 16:
        return STIRLING[int(n)]
    u = 1 / (n * n)
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - u / 1188) * u) * u) * u) / n


@njit(cache=True)
def deviance(x: float, m: float) -> float:
    """``x log(x/m) + m - x``, without cancellation near ``x = m`` (Loader 2000)."""
    if x == 0:
        return m
    d = x - m
    if abs(d) < 0.1 * (x + m):
        v = d / (x + m)
        total, term = d * v, 2 * x * v
        v *= v
        for j in range(1, 1000):
            term *= v
            new = total + term / (2 * j + 1)
            if new == total:
                break
            total = new
        return total
    return x * math.log(x / m) + m - x


@njit(cache=True)
def log_pmf(k: float, n: float, p: float, q: float) -> float:
    """``log P(Bin(n, p) = k)`` with ``q = 1 - p``, by the saddle point (Loader 2000)."""
    if k == 0:
        return n * (math.log1p(-p) if p < 0.5 else math.log(q))
    if k == n:
        return n * (math.log1p(-q) if q < 0.5 else math.log(p))
    errors = stirling_error(n) - stirling_error(k) - stirling_error(n - k)
    fit = deviance(k, n * p) + deviance(n - k, n * q)
    return errors - fit + 0.5 * math.log(n / (2 * math.pi * k * (n - k)))


@njit(cache=True)
def kl(q: float, p: float) -> float:
    """Binary relative entropy ``kl(q||p)`` in nats."""
    if q == p:
        return 0.0
    if p <= 0 or p >= 1:
        return math.inf
    return deviance(q, p) + deviance(1 - q, 1 - p)


@njit(cache=True)
def kl_upper(q: float, c: float) -> float:
    """The largest ``p`` with ``kl(q||p) <= c``: Newton's method, falling from above.

    ``kl`` is convex in ``p``, so each step from the right of the root stays there.
    """
    if c <= 0:
        return q
    if q >= 1 or math.isinf(c):
        return 1.0
    if q <= 0:
        return -math.expm1(-c)
    r = 1 - q
    entropy = -q * math.log(q) - r * math.log1p(-q)
    p = min(q + math.sqrt(c / 2), q + math.sqrt(2 * q * c) + 2 * c)
    p = min(p, -math.expm1(-(c + entropy) / r))  # kl >= -r log(1-p) - entropy: sharp near 1
    for _ in range(100):
        y = 1 - p
        if y <= 0:
            return 1.0
        if p <= q:
            return q
        step = (deviance(q, p) + deviance(r, y) - c) * p * y / (p - q)
        if step <= 2e-16 * p:
            break
        p -= step
    return p


@njit(cache=True)
def tail_over_density(a: float, b: float, x: float, y: float) -> float:
    """``I_x(a, b) / d_x(a, b)`` for whole ``a, b``, where ``x`` is left of the mode or near it."""
    if (a + b - 1) * x * y < SUM_LIMIT:
        # sum_{j >= a} Bin(n, x)(j) / Bin(n, x)(a), with n = a + b - 1
        total, term, odds = 1.0, 1.0, x / y
        down, up = b - 1, a + 1
        while down > 0:
            term *= down * odds / up
            total += term
            if term < 1e-17 * total:
                break
            down -= 1
            up += 1
        return total * x / a
    # integral over s of ((1 - s/x)^(a-1) (1 + s/y)^(b-1)), which is log-concave
    slope = (a - 1) / x - (b - 1) / y
    curve = (a - 1) / (x * x) + (b - 1) / (y * y)
    root = math.sqrt(slope * slope + 2 * DEPTH * curve)
    end = 2 * DEPTH / (slope + root) if slope > 0 else (root - slope) / curve
    half = min(end, x) / 2
    total = 0.0
    for i in range(NODES.size):
        s = half * (1 + NODES[i])
        total += NODE_WEIGHTS[i] * math.exp(
            (a - 1) * math.log1p(-s / x) + (b - 1) * math.log1p(s / y)
        )
    return total * half


@njit(cache=True)
def _log_tail(a: float, b: float, x: float, y: float, ratio: float) -> float:
    """``log I_x(a, b)`` from its ratio to the density."""
    n = a + b - 1
    return math.log(n * ratio) + log_pmf(a - 1, n - 1, x, y)


@njit(cache=True)
def log_cdf(k: float, n: float, p: float) -> float:
    """``log P(Bin(n, p) <= k)``."""
    if k >= n or p <= 0:
        return 0.0
    if p >= 1:
        return -math.inf
    q = 1 - p
    if (k + 1) < (n + 1) * p:
        ratio = tail_over_density(n - k, k + 1, q, p)
        return min(0.0, _log_tail(n - k, k + 1, q, p, ratio))
    ratio = tail_over_density(k + 1, n - k, p, q)
    return math.log1p(-math.exp(min(-1e-300, _log_tail(k + 1, n - k, p, q, ratio))))


@njit(cache=True)
def binomial_upper(k: float, n: float, budget: float) -> float:
    """The largest ``p`` with ``log P(Bin(n, p) <= k) >= -budget``: Newton on a log-concave tail."""
    if k >= n:
        return 1.0
    if k == 0:
        return -math.expm1(-budget / n)
    if budget < LOG_2:
        return _binomial_upper_near_one(k, n, budget)
    p = kl_upper(k / n, budget / n)  # Chernoff: right of the root, where Newton falls to it
    for _ in range(200):
        q = 1 - p
        if q <= 0:
            return 1.0
        ratio = tail_over_density(n - k, k + 1, q, p)
        step = (_log_tail(n - k, k + 1, q, p, ratio) + budget) * ratio
        p += step
        if abs(step) <= 4e-16 * p:
            break
    return p


@njit(cache=True)
def _binomial_upper_near_one(k: float, n: float, budget: float) -> float:
    """The same for a level above 1/2, by ``P(Bin(n, p) > k) = 1 - exp(-budget)``."""
    target = math.log(-math.expm1(-budget))
    # two lower bounds of the root: Markov on the number of (k+1)-sets, and Chernoff
    choose = math.lgamma(n + 1) - math.lgamma(k + 2) - math.lgamma(n - k)
    p = math.exp((target - choose) / (k + 1)) * (1 - 1e-6)
    p = max(p, 1 - kl_upper(1 - (k + 1) / n, -target / n))
    for _ in range(200):
        q = 1 - p
        if q <= 0:
            return 1.0
        ratio = tail_over_density(k + 1, n - k, p, q)
        step = (target - _log_tail(k + 1, n - k, p, q, ratio)) * ratio
        p += step
        if abs(step) <= 4e-16 * p:
            break
    return p


@njit(cache=True)
def kl_upper_loop(q: np.ndarray, c: np.ndarray, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] = kl_upper(q[i], c[i])


@njit(cache=True)
def kl_loop(q: np.ndarray, p: np.ndarray, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] = kl(q[i], p[i])


@njit(cache=True)
def log_cdf_loop(k: np.ndarray, n: np.ndarray, p: np.ndarray, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] = log_cdf(k[i], n[i], p[i])


@njit(cache=True)
def binomial_upper_loop(k: np.ndarray, n: np.ndarray, budget: np.ndarray, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] = binomial_upper(k[i], n[i], budget[i])
