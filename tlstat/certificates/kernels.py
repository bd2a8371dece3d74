"""Scalar inversions, compiled: binary relative entropy, binomial and hypergeometric tails.

Every function works in the log domain and to a few units in the last place; the rounding that
makes a certificate conservative is added by the caller (`tlstat.certificates.inversion`). All is
in one module, because numba's cache does not notice a change in another one.

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
    if n == 0:
        return 0.0
    if k == 0:
        return n * (math.log1p(-p) if p < 0.5 else math.log(q))
    if k == n:
        return n * (math.log1p(-q) if q < 0.5 else math.log(p))
    errors = stirling_error(n) - stirling_error(k) - stirling_error(n - k)
    fit = deviance(k, n * p) + deviance(n - k, n * q)
    return errors - fit + 0.5 * math.log(n / (2 * math.pi * k * (n - k)))


@njit(cache=True)
def tail_over_density(a: float, b: float, x: float, y: float) -> float:
    """``I_x(a, b) / d_x(a, b)`` for whole ``a, b``, where ``x`` is left of the mode or near it."""
    size = a + b
    variance = size * x * y
    gap = a - size * x
    if b > 25 and gap > 0 and gap * gap > variance:
        return _tail_by_fraction(a, b, x, y)
    if variance < SUM_LIMIT:
        return _tail_by_sum(a, b, x, y)
    return _tail_by_quadrature(a, b, x, y)


@njit(cache=True)
def _tail_by_sum(a: float, b: float, x: float, y: float) -> float:
    """``sum_{j >= a} Bin(n, x)(j)`` relative to its first term, ``n = a + b - 1``."""
    total, term, odds = 1.0, 1.0, x / y
    down, up = b - 1, a + 1
    while down > 0 and term > 1e-17 * total:
        term *= down * odds / up
        total += term
        down -= 1
        up += 1
    return total * x / a


@njit(cache=True)
def _tail_by_fraction(a: float, b: float, x: float, y: float) -> float:
    """The continued fraction of DiDonato and Morris (1992), for more than a deviation of 1 sd."""
    inverse = 1 / (a + 1)
    drift = a * y - b * x + 1
    # numerators and denominators of two successive convergents
    top_0, top = 1.0, a * drift * inverse
    bottom_0, bottom = 0.0, 1.0
    m = 1.0
    while m < b:
        before, inverse = inverse, 1 / (a + 2 * m + 1)
        moved = m * (b - m) * x * before
        alpha = (a + m - 1) * (a + b + m - 1) * x * moved * before
        beta = m + moved + (a + m) * (drift + m * (2 - x)) * inverse
        top_0, top = top, beta * top + alpha * top_0
        bottom_0, bottom = bottom, beta * bottom + alpha * bottom_0
        cross = top * bottom_0
        if abs(cross - top_0 * bottom) <= 4e-16 * abs(cross):
            break
        if top > 1e100:
            top_0, top = top_0 * 1e-100, top * 1e-100
            bottom_0, bottom = bottom_0 * 1e-100, bottom * 1e-100
        m += 1
    return x * y * bottom / top


@njit(cache=True)
def _tail_by_quadrature(a: float, b: float, x: float, y: float) -> float:
    """The integral over s of ``(1 - s/x)^(a-1) (1 + s/y)^(b-1)``, which is log-concave."""
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
def log_tail(a: float, b: float, x: float, y: float, ratio: float) -> float:
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
        return min(0.0, log_tail(n - k, k + 1, q, p, ratio))
    ratio = tail_over_density(k + 1, n - k, p, q)
    return math.log1p(-math.exp(min(-1e-300, log_tail(k + 1, n - k, p, q, ratio))))


@njit(cache=True)
def log_hypergeometric_cdf(k: float, bad: float, n: float, pool: float) -> float:
    """``log P(X <= k)``, ``X`` the bad ones among ``n`` drawn without replacement of ``pool``."""
    good = pool - bad
    if k >= min(n, bad):
        return 0.0
    if k < n - good:
        return -math.inf
    p, q = n / pool, (pool - n) / pool
    if q == 0:
        return 0.0 if k >= bad else -math.inf
    upper = (k + 1) * (pool + 2) > (n + 1) * (bad + 1)  # k + 1 is beyond the mode
    start = k + 1 if upper else k
    log_start = log_pmf(start, bad, p, q) + log_pmf(n - start, good, p, q) - log_pmf(n, pool, p, q)
    total, term, j = 1.0, 1.0, start
    while term > 1e-17 * total:
        if upper:
            term *= (bad - j) * (n - j) / ((j + 1) * (good - n + j + 1))
            j += 1
        else:
            term *= j * (good - n + j) / ((bad - j + 1) * (n - j + 1))
            j -= 1
        total += term
    log_total = log_start + math.log(total)
    return math.log1p(-math.exp(min(-1e-300, log_total))) if upper else min(0.0, log_total)


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
    """The largest ``p`` with ``kl(q||p) <= c``, by Halley's method from an upper bound."""
    if c <= 0:
        return q
    if q >= 1 or math.isinf(c):
        return 1.0
    if q <= 0:
        return -math.expm1(-c)
    r = 1 - q
    p = min(q + math.sqrt(c / 2), q + math.sqrt(2 * q * c) + 2 * c)
    if p > 0.5:  # kl >= -r log(1-p) - entropy is sharp near 1
        entropy = -q * math.log(q) - r * math.log1p(-q)
        p = min(p, -math.expm1(-(c + entropy) / r))
    for _ in range(100):
        y = 1 - p
        if y <= 0:
            return 1.0
        if p <= q:
            return q
        slope = (p - q) / (p * y)
        newton = (deviance(q, p) + deviance(r, y) - c) / slope
        curve = q / (p * p) + r / (y * y)
        step = newton / max(1 - newton * curve / (2 * slope), 0.5)
        p -= step
        # the error is cubed by each step
        if abs(step) <= 1e-5 * min(p - q, y):
            break
    return min(max(p, q), 1.0)


@njit(cache=True)
def _paulson(k: float, n: float, budget: float) -> float:
    """A first guess: the cube root of an F variable as normal (Paulson 1942); 0 where it fails."""
    t = math.sqrt(2 * budget)
    # the normal quantile of Abramowitz and Stegun, 26.2.23
    z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (
        1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    )
    u, v = 1 / (9 * (k + 1)), 1 / (9 * (n - k))
    top, bottom = 1 - u, 1 - v
    spread = u * bottom * bottom + v * top * top - z * z * u * v
    scale = bottom * bottom - z * z * v
    if spread <= 0 or scale <= 0.2:
        return 0.0
    root = (top * bottom + z * math.sqrt(spread)) / scale
    odds = (k + 1) / (n - k) * root * root * root
    return odds / (1 + odds)


@njit(cache=True)
def binomial_upper(k: float, n: float, budget: float) -> float:
    """The largest ``p`` with ``log P(Bin(n, p) <= k) >= -budget``: Halley on a log-concave tail."""
    if k >= n:
        return 1.0
    if k == 0:
        return -math.expm1(-budget / n)
    if budget < LOG_2:
        return _binomial_upper_near_one(k, n, budget)
    m = n - 1
    # log d_p = constant - deviances: what does not depend on p is computed once
    constant = math.log(n) + stirling_error(m) - stirling_error(k) - 0.5 * math.log(2 * math.pi)
    if k < m:
        constant += 0.5 * math.log(m / (k * (m - k))) - stirling_error(m - k)
    else:
        constant += 0.5 * math.log(2 * math.pi) + stirling_error(k) - stirling_error(m)
    p = _paulson(k, n, budget)
    guessed = 0 < p < 1
    if not guessed:
        p = kl_upper(k / n, budget / n)  # Chernoff: right of the root, from where Newton falls
    for _ in range(200):
        q = 1 - p
        if q <= 0:
            return 1.0
        ratio = tail_over_density(n - k, k + 1, q, p)
        log_density = constant - deviance(k, m * p) - deviance(m - k, m * q)
        gap = math.log(ratio) + log_density + budget
        if guessed and abs(gap) > 3:
            guessed = False
            p = kl_upper(k / n, budget / n)
            continue
        bend = 1 + (k / p - (m - k) / q) * ratio
        step = gap * ratio / max(1 + gap * bend / 2, 0.5)
        p += step
        # the error is cubed by each step
        if abs(gap) <= 1e-6 or abs(step) <= 2e-16 * p:
            break
    return min(p, 1.0)


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
        step = (target - log_tail(k + 1, n - k, p, q, ratio)) * ratio
        p += step
        if abs(step) <= 4e-16 * p:
            break
    return p


@njit(cache=True)
def hypergeometric_upper(k: float, n: float, pool: float, budget: float) -> float:
    """The largest number of bad ones with ``log P(X <= k) >= -budget``."""
    low, high = k, pool - (n - k)  # all that the sample leaves possible; low is accepted
    if log_hypergeometric_cdf(k, high, n, pool) >= -budget * (1 + 1e-12) - 1e-13:
        return high
    while high - low > 1:
        middle = math.floor((low + high) / 2)
        # ties are accepted: rounding must not make the limit too small
        if log_hypergeometric_cdf(k, middle, n, pool) >= -budget * (1 + 1e-12) - 1e-13:
            low = middle
        else:
            high = middle
    return low


@njit(cache=True)
def hypergeometric_upper_loop(
    k: np.ndarray, n: np.ndarray, pool: np.ndarray, budget: np.ndarray, out: np.ndarray
) -> None:
    for i in range(out.size):
        out[i] = hypergeometric_upper(k[i], n[i], pool[i], budget[i])


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
