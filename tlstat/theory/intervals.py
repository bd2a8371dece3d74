"""Confidence bounds and p-values for one mean or one probability, exact where they can be.

Every interval spends ``alpha`` on *each* side, and every p-value is the p-value whose
inversion gives that interval. Three routes, from the strongest promise to the weakest:

* binomial counts (Clopper and Pearson 1934): exact;
* betting (after Waudby-Smith and Ramdas, JRSS-B 2024): finite-sample for a known range,
  one-sidedly even for a range known on one side only, and valid at every stopping time;
* Hall's skewness-corrected t statistic (Hall 1992): asymptotic, with a check of the tail.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from tlstat.errors import InputError

Floats = NDArray[np.float64]

# the wealth factor 1 + c (x/m - 1) stays above 1 - MAX_BET whatever the data are
MAX_BET = 0.75
# a replicate may overstep its declared range by rounding, not by more
RANGE_GUARD = 1e-12


def clopper_pearson(k: ArrayLike, n: ArrayLike, alpha: ArrayLike) -> tuple[Any, Any]:
    """Exact bounds for a probability from ``k`` successes in ``n`` trials.

    Parameters
    ----------
    k, n, alpha : array_like
        Successes, trials and the level of each side; broadcast together.

    Returns
    -------
    lo, hi : float or ndarray
        Each misses the probability with probability at most ``alpha``.

    Raises
    ------
    InputError
        If not 0 <= k <= n, n >= 1 and 0 < alpha < 1.
    """
    k, n = _counts(k, n)
    alpha = _level(alpha)
    with np.errstate(all="ignore"):
        lo = np.where(k > 0, special.betaincinv(np.maximum(k, 1), n - k + 1, alpha), 0.0)
        hi = np.where(k < n, special.betainccinv(k + 1, np.maximum(n - k, 1), alpha), 1.0)
    return _scalar(lo), _scalar(hi)


def binomial_p_greater(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Any:
    """``P(Bin(n, p) >= k)``: small when the probability exceeds ``p``.

    A ``p`` below 0 makes the null hypothesis impossible (0 is returned); above 1 it is certain.
    """
    k, n = _counts(k, n)
    p = _not_nan(p, "p")
    tail = special.betainc(np.maximum(k, 1), n - k + 1, np.clip(p, 0, 1))
    return _scalar(np.where(p < 0, 0.0, np.where((k == 0) | (p >= 1), 1.0, tail)))


def binomial_p_less(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Any:
    """``P(Bin(n, p) <= k)``: small when the probability is below ``p``.

    A ``p`` above 1 makes the null hypothesis impossible (0 is returned); below 0 it is certain.
    """
    k, n = _counts(k, n)
    p = _not_nan(p, "p")
    tail = special.betaincc(k + 1, np.maximum(n - k, 1), np.clip(p, 0, 1))
    return _scalar(np.where(p > 1, 0.0, np.where((k == n) | (p <= 0), 1.0, tail)))


def hoeffding(
    mean: ArrayLike, n: ArrayLike, alpha: ArrayLike, lo: float = 0.0, hi: float = 1.0
) -> tuple[Any, Any]:
    """Bounds for a mean from the sample mean and the range alone (Hoeffding 1963).

    Half-width ``(hi - lo) sqrt(log(1/alpha) / (2 n))``, clipped to the range.
    """
    mean = _in_range(np.asarray(mean, float), lo, hi, "mean", bounded=True)
    half = (hi - lo) * np.sqrt(-np.log(_level(alpha)) / (2 * _size(n)))
    return _scalar(np.maximum(mean - half, lo)), _scalar(np.minimum(mean + half, hi))


def maurer_pontil(
    mean: ArrayLike,
    variance: ArrayLike,
    n: ArrayLike,
    alpha: ArrayLike,
    lo: float = 0.0,
    hi: float = 1.0,
) -> tuple[Any, Any]:
    """Empirical Bernstein bounds for a mean (Maurer and Pontil 2009), clipped to the range.

    Parameters
    ----------
    mean, variance : array_like
        Sample mean and unbiased sample variance (``ddof=1``).
    n : array_like
        Sample size, at least 2.
    alpha : array_like
        Level of each side.
    lo, hi : float
        The known range.
    """
    mean = _in_range(np.asarray(mean, float), lo, hi, "mean", bounded=True)
    variance, n = np.asarray(variance, float), _size(n, least=2)
    if not np.all(variance >= 0):
        raise InputError(f"variance must be non-negative, got {variance}")
    log_term = np.log(2 / _level(alpha))
    half = np.sqrt(2 * variance * log_term / n) + 7 * (hi - lo) * log_term / (3 * (n - 1))
    return _scalar(np.maximum(mean - half, lo)), _scalar(np.minimum(mean + half, hi))


def dkw(n: ArrayLike, alpha: ArrayLike) -> Any:
    """Radius of the two-sided band around an empirical distribution function.

    ``P(sup |F_n - F| > dkw(n, alpha)) <= alpha`` (Dvoretzky, Kiefer and Wolfowitz, with the
    constant of Massart 1990). Unlike the intervals here, ``alpha`` covers both sides together.
    """
    return _scalar(np.sqrt(np.log(2 / _level(alpha)) / (2 * _size(n))))


def betting_p(x: ArrayLike, m: ArrayLike, log_inv_alpha: float, lo: float = 0.0) -> Any:
    """P-value of ``E X <= m`` for ``X >= lo``: finite-sample, whatever the upper tail.

    The wealth ``prod_i (1 + c_i (X_i/m - 1))`` is a non-negative supermartingale under the
    null hypothesis; its inverse running maximum is the p-value (Ville), hence valid at every
    stopping time. The bets ``c_i`` depend on the past alone and not on ``m``, so the p-value
    increases in ``m`` and its confidence sets are intervals. To test ``E X >= m`` for
    ``X <= hi`` call it with ``-x, -m`` and ``lo=-hi``.

    Parameters
    ----------
    x : array_like, shape (R,)
        The replicates, in an order that does not depend on their values.
    m : array_like
        The mean, or means, to test; every mean costs one pass over ``x``.
    log_inv_alpha : float
        ``log(1/level)`` at which the p-value will be compared; it tunes the bets and must be
        fixed before looking. The p-value is valid at any level.
    lo : float
        The known lower end of the range.

    Returns
    -------
    p : float or ndarray, shape of ``m``

    Raises
    ------
    InputError
        If a value is NaN, infinite or below ``lo``, or ``log_inv_alpha`` is not positive.
    """
    x = _in_range(sample(x), lo, math.inf, "x") - lo
    shifted = _not_nan(m, "m") - lo
    excess = _wealth(x, log_inv_alpha)
    flat = [_betting_p_at(excess, float(v), bool(x.any())) for v in np.ravel(shifted)]
    return _scalar(np.reshape(np.array(flat, float), shifted.shape))


def betting_interval(
    x: ArrayLike, alpha: float, lo: float = 0.0, hi: float = 1.0
) -> tuple[float, float]:
    """Finite-sample bounds for the mean of ``X`` in ``[lo, hi]``, by inversion of the betting test.

    An infinite end of the range leaves the opposite bound available: with ``hi=inf`` the
    lower bound is finite-sample valid and the upper one is infinite, and vice versa.

    Parameters
    ----------
    x : array_like, shape (R,)
        The replicates, in an order that does not depend on their values.
    alpha : float
        Level of each side.
    lo, hi : float
        The known range; every replicate is checked against it.

    Returns
    -------
    lower, upper : float
    """
    x = _in_range(sample(x), lo, hi, "x")
    log_inv = -math.log(float(_level(alpha)))
    below = lo + _betting_lower(x - lo, log_inv) if math.isfinite(lo) else -math.inf
    above = hi - _betting_lower(hi - x, log_inv) if math.isfinite(hi) else math.inf
    return max(below, lo), min(above, hi)


def hall_statistic(x: ArrayLike, b: ArrayLike) -> Any:
    """Hall's skewness-corrected t statistic of the mean of ``x`` against ``b``.

    ``sqrt(n) [W + g W^2/3 + g^2 W^3/27 + g/(6 n)]`` with ``W = (mean - b)/s`` (``ddof=1``) and
    ``g`` the sample skewness (``ddof=0``); it decreases in ``b``. Large means "above ``b``".
    Compare with Student's law on ``n - 1`` degrees of freedom (Hall 1992).

    Returns
    -------
    float or ndarray, shape of ``b``
        A constant sample gives plus or minus infinity, and 0 where ``b`` equals it.
    """
    n, mean, sd, g = moments(x)
    b = _not_nan(b, "b")
    if sd == 0:
        return _scalar(np.where(b == mean, 0.0, np.where(b < mean, np.inf, -np.inf)))
    w = (mean - b) / sd
    return _scalar(math.sqrt(n) * (w + g * w**2 / 3 + g**2 * w**3 / 27 + g / (6 * n)))


def hall_interval(
    x: ArrayLike, alpha: float, reference: Literal["t", "normal"] = "t"
) -> tuple[float, float]:
    """Bounds for a mean by inversion of :func:`hall_statistic`: asymptotic.

    Parameters
    ----------
    x : array_like, shape (R,)
        At least two replicates.
    alpha : float
        Level of each side.
    reference : {"t", "normal"}
        Whose quantile is used; "t" matches the p-values of :mod:`tlstat.theory.means`.
    """
    n, mean, sd, g = moments(x)
    alpha = float(_level(alpha))
    if reference not in ("t", "normal"):
        raise InputError(f"reference must be 't' or 'normal', got {reference!r}")
    low = special.stdtrit(n - 1, alpha) if reference == "t" else special.ndtri(alpha)
    ends = [mean - sd * _hall_inverse(float(z) / math.sqrt(n), g, n) for z in (-low, low)]
    return float(ends[0]), float(ends[1])


def hall_valid(x: ArrayLike, alpha: float, nonnegative: bool) -> bool:
    """Does the sample look tame enough for :func:`hall_interval` at level ``alpha``?

    Its skewness must be small, ``|g|/sqrt(R) <= 0.25`` (0.15 below the level 0.001), and for a
    non-negative metric the effective number of replicates ``(sum x)^2 / sum x^2`` at least
    ``min(50, R/2)``. A constant sample fails. No check of the data sees an unseen rare event.
    """
    x = sample(x)
    if x.size < 2:
        return False
    n, _, sd, g = moments(x)
    if sd == 0:
        return False
    steep = abs(g) / math.sqrt(n) > (0.15 if alpha < 1e-3 else 0.25)
    return not steep and (not nonnegative or effective_size(x) >= min(50, n / 2))


def effective_size(x: ArrayLike) -> float:
    """``(sum x)^2 / sum x^2``: how many equal replicates carry the same mean and noise."""
    x = sample(x)
    top = float(np.max(np.abs(x)))
    return 0.0 if top == 0 else float(np.sum(x / top) ** 2 / np.sum((x / top) ** 2))


def moments(x: ArrayLike) -> tuple[int, float, float, float]:
    """Size, mean, standard deviation (``ddof=1``) and skewness (``ddof=0``) of a sample.

    A constant sample has standard deviation and skewness exactly 0.
    """
    x = sample(x)
    if x.size < 2:
        raise InputError(f"x needs at least 2 replicates, got {x.size}")
    shifted = x - x[0]  # exact zeros for a constant sample, and no cancellation near one
    scale = float(np.max(np.abs(shifted)))
    mean = float(x[0]) + float(np.mean(shifted))
    if scale == 0:
        return x.size, mean, 0.0, 0.0
    d = shifted / scale
    d = d - np.mean(d)
    m2 = float(np.mean(d**2))
    skew = float(np.mean(d**3)) / m2**1.5
    return x.size, mean, scale * math.sqrt(m2 * x.size / (x.size - 1)), skew


def sample(x: ArrayLike, name: str = "x") -> Floats:
    """A finite, non-empty vector of floats, or an InputError that says what it was."""
    out = np.asarray(x)
    if out.dtype.kind not in "fiub" or out.ndim != 1 or out.size == 0:
        raise InputError(
            f"{name} must be a non-empty vector of numbers, "
            f"got shape {out.shape} and dtype {out.dtype}"
        )
    out = out.astype(np.float64, copy=False)
    bad = ~np.isfinite(out)
    if bad.any():
        first = int(np.argmax(bad))
        raise InputError(f"{name} must be finite, got {out[first]} at replicate {first}")
    return out


# --- betting ---------------------------------------------------------------------------------


def _bets(x: Floats, log_inv_alpha: float) -> Floats:
    """The predictable bets: ``c[i]`` looks at ``x[:i]`` only; free of scale and of the mean."""
    size = x.size
    past = x[:-1]
    t = np.arange(1.0, size)
    mean = np.cumsum(past) / t
    d = past - x[0]  # variance by shifted sums: x - m alone would cancel for a tiny spread
    d1 = np.cumsum(d)
    squares = np.maximum(np.cumsum(d * d) - d1 * d1 / t, 0.0)
    spread = np.sqrt((mean**2 + squares) / (t + 1))
    ratio = np.ones(size)
    with np.errstate(invalid="ignore", divide="ignore"):
        # while all is zero bet little, or a run of zeros burns the wealth
        ratio[1:] = np.where(spread > 0, mean / spread, 1 / np.sqrt(t + 1))
    return np.minimum(math.sqrt(2 * log_inv_alpha / size) * ratio, MAX_BET)


def _wealth(x: Floats, log_inv_alpha: float) -> Callable[[float], float]:
    """``m -> max_t log K_t(m)`` (at least 0) for the null hypothesis ``E X <= m``, ``x >= 0``."""
    if not log_inv_alpha > 0 or not math.isfinite(log_inv_alpha):
        raise InputError(f"log_inv_alpha must be positive and finite, got {log_inv_alpha}")
    # scaling by a power of two changes no bit, and squares can neither over- nor underflow
    scale = 2.0 ** -min(max(math.frexp(float(x.max()))[1], -1000), 1000)
    unit = x * scale
    c = _bets(unit, log_inv_alpha)
    cx, work = c * unit, np.empty_like(c)

    def log_wealth(m: float) -> float:
        with np.errstate(over="ignore", divide="ignore"):
            np.divide(cx, m * scale, out=work)
            np.subtract(work, c, out=work)
            np.log1p(work, out=work)
        np.cumsum(work, out=work)
        return max(0.0, float(work.max()))

    return log_wealth


def _betting_p_at(log_wealth: Callable[[float], float], m: float, positive: bool) -> float:
    if m < 0:
        return 0.0  # no law on [0, inf) has this mean
    if m == 0:
        return 0.0 if positive else 1.0
    return 1.0 if math.isinf(m) else math.exp(-log_wealth(m))


def _betting_lower(x: Floats, log_inv_alpha: float) -> float:
    """The largest rejected mean of a non-negative sample; 0 if it is all zeros."""
    top = float(x.max())
    if top == 0:
        return 0.0
    log_wealth = _wealth(x, log_inv_alpha)

    def gap(u: float) -> float:
        return log_wealth(math.exp(u)) - log_inv_alpha

    # the wealth is 0 at the maximum and grows without limit towards 0
    high, low = math.log(top), math.log(float(np.mean(x)))
    step = min(0.05, 2 * math.sqrt(2 * log_inv_alpha / x.size))
    while gap(low) <= 0:
        high, low, step = low, low - step, 2 * step
    return math.exp(_root(gap, low, high))


def _root(gap: Callable[[float], float], low: float, high: float) -> float:
    """Where a decreasing function crosses zero, to 1e-11, on the side where it is positive.

    Regula falsi with the Illinois modification: the returned mean is one that was rejected.
    """
    f_low, f_high = gap(low), gap(high)
    side = 0
    for _ in range(200):
        if high - low <= 1e-11:
            break
        mid = (low * f_high - high * f_low) / (f_high - f_low)
        mid = mid if low < mid < high else (low + high) / 2
        f_mid = gap(mid)
        if f_mid > 0:
            low, f_low = mid, f_mid
            f_high = f_high / 2 if side == 1 else f_high
            side = 1
        else:
            high, f_high = mid, f_mid
            f_low = f_low / 2 if side == -1 else f_low
            side = -1
        if f_mid == 0 or abs(f_mid) < 1e-13:
            return mid
    return low


# --- Hall ------------------------------------------------------------------------------------


def _hall_inverse(y: float, g: float, n: int) -> float:
    """The ``W`` at which Hall's statistic equals ``sqrt(n) y``."""
    u = g * (y - g / (6 * n))
    if abs(g) < 1e-9:
        return y
    # expm1/log1p keep the digits that the cube root loses for a small skewness
    root = math.expm1(math.log1p(u) / 3) if u > -1 else -math.cbrt(-1 - u) - 1
    return 3 * root / g


# --- input -----------------------------------------------------------------------------------


def _counts(k: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    k, n = np.asarray(k, float), np.asarray(n, float)
    if not (np.all(k >= 0) and np.all(k <= n) and np.all(n >= 1)):
        raise InputError(f"counts must satisfy 0 <= k <= n and n >= 1, got k={k}, n={n}")
    if np.any(k != np.floor(k)) or np.any(n != np.floor(n)):
        raise InputError(f"counts must be whole numbers, got k={k}, n={n}")
    return k, n


def _size(n: ArrayLike, least: int = 1) -> Floats:
    out = np.asarray(n, float)
    if not np.all(out >= least):
        raise InputError(f"n must be at least {least}, got {n!r}")
    return out


def _level(alpha: ArrayLike) -> Floats:
    out = np.asarray(alpha, float)
    if not (np.all(out > 0) and np.all(out < 1)):
        raise InputError(f"alpha must lie strictly between 0 and 1, got {alpha!r}")
    return out


def _not_nan(value: ArrayLike, name: str) -> Floats:
    out = np.asarray(value, float)
    if np.isnan(out).any():
        raise InputError(f"{name} must be a number, got {value!r}")
    return out


def _in_range(x: Floats, lo: float, hi: float, name: str, bounded: bool = False) -> Floats:
    """``x`` itself, clipped by at most a rounding error; InputError where it leaves the range."""
    if not lo < hi or (bounded and not math.isfinite(hi - lo)):
        raise InputError(f"the range must satisfy lo < hi, got [{lo}, {hi}]")
    guard = RANGE_GUARD * max((abs(e) for e in (lo, hi) if math.isfinite(e)), default=0.0)
    low, high = float(np.min(x)), float(np.max(x))
    if not (low >= lo - guard and high <= hi + guard):
        value = low if not low >= lo - guard else high
        raise InputError(f"{name} must lie in the declared range [{lo}, {hi}], got {value}")
    return np.clip(x, lo, hi) if low < lo or high > hi else x


def _scalar(x: Any) -> Any:
    return float(x) if np.ndim(x) == 0 else x
