"""One mean against one number: which test applies is decided by what was declared, not by looking.

* A 0/1 metric (boolean, or integer with a range inside [0, 1]): exact binomial.
* A declared range: betting, finite-sample. A range known on one side only still gives one
  direction: for ``X >= 0``, "the mean exceeds b" needs no assumption on the tail.
* Otherwise Hall's corrected t statistic, after a check of the tail. A sample that fails the
  check gets no p-value (NaN) and the reason "TAIL"; a constant one the reason "DEGENERATE".

Quantiles have exact order-statistic bounds, a free alternative where tails are heavy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tlstat.errors import InputError
from tlstat.theory import intervals
from tlstat.theory.intervals import Floats

Range = tuple[float, float]
UNBOUNDED: Range = (-math.inf, math.inf)


@dataclass(frozen=True)
class MeanTest:
    """One one-sided test of a mean.

    Attributes
    ----------
    p : float
        The p-value; NaN where no honest one exists, and then ``reason`` says why.
    method : str
        Such as "exact binomial", "finite-sample, range [0, 1]", "asymptotic, N_eff 201".
    reason : str or None
        None, "TAIL" (the tail check failed) or "DEGENERATE" (no spread and no range).
    """

    p: float
    method: str
    reason: str | None = None


def test_greater(
    x: ArrayLike, b: float, *, range: Range = UNBOUNDED, level: float = 0.01
) -> MeanTest:
    """Test ``E X <= b``; a small p-value says that the mean exceeds ``b``.

    Parameters
    ----------
    x : array_like, shape (R,)
        The replicates, in block order.
    b : float
        The value to compare with.
    range : (float, float)
        The declared range; infinite ends say that none is known.
    level : float
        The level at which the p-value will be compared, corrections included. It tunes the
        betting and the tail check, and must be fixed before looking.

    Raises
    ------
    InputError
        If a replicate is not finite or leaves the declared range.
    """
    lo, hi = _range(range)
    values, zero_one = _prepare(x, lo, hi)
    _check(b, level)
    if zero_one:
        p = intervals.binomial_p_greater(values.sum(), values.size, b)
        return MeanTest(p, "exact binomial")
    if math.isfinite(lo):
        p = intervals.betting_p(values, b, -math.log(level), lo)
        return MeanTest(p, _finite_sample(lo, hi))
    return _asymptotic(values, lo, hi, level, _above, b)


def test_less(x: ArrayLike, b: float, *, range: Range = UNBOUNDED, level: float = 0.01) -> MeanTest:
    """Test ``E X >= b``; a small p-value says that the mean is below ``b``.

    Parameters and errors as in :func:`test_greater`.
    """
    lo, hi = _range(range)
    values, zero_one = _prepare(x, lo, hi)
    _check(b, level)
    if zero_one:
        p = intervals.binomial_p_less(values.sum(), values.size, b)
        return MeanTest(p, "exact binomial")
    if math.isfinite(hi):
        p = intervals.betting_p(-values, -b, -math.log(level), -hi)
        return MeanTest(p, _finite_sample(lo, hi))
    return _asymptotic(values, lo, hi, level, _below, b)


# pytest would otherwise collect these two wherever a test module imports them
test_greater.__test__ = False  # type: ignore[attr-defined]
test_less.__test__ = False  # type: ignore[attr-defined]


def mean_interval(
    x: ArrayLike, *, range: Range = UNBOUNDED, level: float = 0.01
) -> tuple[float, float, str]:
    """Bounds for a mean that invert :func:`test_greater` and :func:`test_less`.

    Returns
    -------
    lower, upper : float
        Each misses the mean with probability at most ``level``. Where the test has no
        p-value the end is infinite.
    method : str
    """
    lo, hi = _range(range)
    values, zero_one = _prepare(x, lo, hi)
    _check(0.0, level)
    if zero_one:
        return *intervals.clopper_pearson(values.sum(), values.size, level), "exact binomial"
    if not math.isfinite(lo) and not math.isfinite(hi):
        tail = _asymptotic(values, lo, hi, level, _below, 0.0)
        return *_hall_ends(values, level, tail.reason), tail.method
    bounds = intervals.betting_interval(values, level, lo, hi)
    if math.isfinite(lo) and math.isfinite(hi):
        return *bounds, _finite_sample(lo, hi)
    tail = _asymptotic(values, lo, hi, level, _below, 0.0)
    hall = _hall_ends(values, level, tail.reason)
    if math.isfinite(lo):
        return bounds[0], hall[1], f"finite-sample below, {tail.method} above"
    return hall[0], bounds[1], f"{tail.method} below, finite-sample above"


def quantile_interval(x: ArrayLike, q: float, alpha: float) -> tuple[float, float]:
    """Exact bounds for the ``q`` quantile from order statistics, for any law.

    Parameters
    ----------
    x : array_like, shape (R,)
    q : float
        The level of the quantile, strictly between 0 and 1.
    alpha : float
        The level of each side. A side with too few replicates is infinite.
    """
    ordered = np.sort(intervals.sample(x))
    n = ordered.size
    _check_quantile(q)
    _check(0.0, alpha)
    below = _last(lambda j: intervals.binomial_p_less(j - 1, n, q) <= alpha, n)
    above = _last(lambda j: intervals.binomial_p_greater(n - j + 1, n, q) <= alpha, n)
    lower = float(ordered[below - 1]) if below else -math.inf
    return lower, float(ordered[n - above]) if above else math.inf


def quantile_p_greater(x: ArrayLike, q: float, b: float) -> float:
    """Exact p-value of "the ``q`` quantile is at most ``b``"; small: it exceeds ``b``."""
    values = intervals.sample(x)
    _check_quantile(q)
    _check(b, 0.5)
    return float(intervals.binomial_p_less(np.sum(values <= b), values.size, q))


def quantile_p_less(x: ArrayLike, q: float, b: float) -> float:
    """Exact p-value of "the ``q`` quantile is at least ``b``"; small: it is below ``b``."""
    values = intervals.sample(x)
    _check_quantile(q)
    _check(b, 0.5)
    return float(intervals.binomial_p_greater(np.sum(values < b), values.size, q))


def _above(t: float, df: int) -> float:
    return float(special.stdtr(df, -t))


def _below(t: float, df: int) -> float:
    return float(special.stdtr(df, t))


def _prepare(x: ArrayLike, lo: float, hi: float) -> tuple[Floats, bool]:
    """The replicates as floats inside their range, and whether they are declared 0/1."""
    raw = np.asarray(x)
    values = intervals._in_range(intervals.sample(raw), lo, hi, "x")
    whole = raw.dtype.kind in "iu" and lo >= 0 and hi <= 1
    return values, raw.dtype.kind == "b" or whole


def _asymptotic(
    x: Floats,
    lo: float,
    hi: float,
    level: float,
    tail: Callable[[float, int], float],
    b: float,
) -> MeanTest:
    """Hall's test on a sample that passes the tail check."""
    if x.size < 2 or np.ptp(x) == 0:
        return MeanTest(math.nan, "none: no spread", "DEGENERATE")
    # one known end: distances from it are non-negative, and N_eff is about them
    one_sided = x - lo if math.isfinite(lo) else hi - x if math.isfinite(hi) else None
    tame = intervals.hall_valid(x if one_sided is None else one_sided, level, one_sided is not None)
    if one_sided is None:
        skew = abs(intervals.moments(x)[3]) / math.sqrt(x.size)
        method = f"asymptotic, skewness/sqrt(R) {skew:.2g}"
    else:
        method = f"asymptotic, N_eff {intervals.effective_size(one_sided):.0f}"
    if not tame:
        return MeanTest(math.nan, method, "TAIL")
    return MeanTest(tail(intervals.hall_statistic(x, b), x.size - 1), method)


def _hall_ends(x: Floats, level: float, reason: str | None) -> Range:
    return intervals.hall_interval(x, level) if reason is None else UNBOUNDED


def _finite_sample(lo: float, hi: float) -> str:
    left = f"[{lo:g}" if math.isfinite(lo) else "(-inf"
    right = f"{hi:g}]" if math.isfinite(hi) else "inf)"
    return f"finite-sample, range {left}, {right}"


def _last(holds: Callable[[int], bool], n: int) -> int:
    """The largest j in 1..n for which a decreasing property holds; 0 if none."""
    low, high = 0, n + 1
    while high - low > 1:
        mid = (low + high) // 2
        low, high = (mid, high) if holds(mid) else (low, mid)
    return low


def _range(range: Range) -> Range:
    try:
        lo, hi = (float(end) for end in range)
    except (TypeError, ValueError):
        raise InputError(f"range must be a pair (lo, hi), got {range!r}") from None
    if not lo < hi:
        raise InputError(f"range must satisfy lo < hi, got {range!r}")
    return lo, hi


def _check(b: float, level: float) -> None:
    if math.isnan(b):
        raise InputError("b must be a number, got nan")
    if not 0 < level < 1:
        raise InputError(f"level must lie strictly between 0 and 1, got {level}")


def _check_quantile(q: float) -> None:
    if not 0 < q < 1:
        raise InputError(f"q must lie strictly between 0 and 1, got {q}")
