"""What is compared with a bound: a mean, a quantile, a frequency, an exact value, a difference.

Every measure answers the same three questions: how surely is it greater than b, how surely less,
and between which ends does it lie.  The route (finite-sample or asymptotic) is chosen from the
declared range alone, never from the value of the bound.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, ndtri, stdtr, stdtrit

from tlstat.theory import intervals
from tlstat.theory import means as mean_tests

Array = NDArray[Any]
TIE = 1e-12  # relative guard against float ties
MAX_SKEW = 0.25
BLOCK_RATIO = 2.0  # between-block to within-block variance above which blocks are dependent
BLOCK_LEVEL = 1e-6


class Measure(Protocol):
    """A quantity with one-sided tests and a confidence interval."""

    estimate: float
    se: float
    replicates: int
    exact: bool

    def greater(self, b: float, level: float) -> tuple[float, str, str]:
        """(p, method, reason): small p says that the quantity exceeds b."""
        ...

    def less(self, b: float, level: float) -> tuple[float, str, str]:
        """(p, method, reason): small p says that the quantity is below b."""
        ...

    def interval(self, level: float) -> tuple[float, float]:
        """Lower and upper end, each missed with probability at most ``level``."""
        ...


class Mean:
    """The mean of independent replicates, by the route of their declared range."""

    exact = False

    def __init__(self, values: Array, value_range: tuple[float, float]) -> None:
        self.values = np.asarray(values)
        self.range = value_range
        self.replicates = len(self.values)
        floats = self.values.astype(float)
        self.estimate = float(np.mean(floats))
        spread = float(np.std(floats, ddof=1)) if self.replicates > 1 else math.inf
        self.se = spread / math.sqrt(self.replicates)
        self._cache: dict[float, tuple[float, float]] = {}

    def greater(self, b: float, level: float) -> tuple[float, str, str]:
        return _unpack(mean_tests.test_greater(self.values, b, range=self.range, level=level))

    def less(self, b: float, level: float) -> tuple[float, str, str]:
        return _unpack(mean_tests.test_less(self.values, b, range=self.range, level=level))

    def interval(self, level: float) -> tuple[float, float]:
        if level not in self._cache:
            low, high, _ = mean_tests.mean_interval(self.values, range=self.range, level=level)
            self._cache[level] = _ends(low, high)
        return self._cache[level]


class Quantile:
    """A quantile of the replicates' law, by order statistics: exact and free of any tail."""

    exact = False

    def __init__(self, values: Array, q: float) -> None:
        self.values = np.sort(np.asarray(values, dtype=float))
        self.q = q
        self.replicates = len(self.values)
        self.estimate = float(np.quantile(self.values, q))
        low, high = mean_tests.quantile_interval(self.values, q, 0.1587)
        self.se = (high - low) / 2 if math.isfinite(high - low) else math.inf

    def greater(self, b: float, level: float) -> tuple[float, str, str]:
        p = float(mean_tests.quantile_p_greater(self.values, self.q, b))
        return p, "finite-sample, order statistics", ""

    def less(self, b: float, level: float) -> tuple[float, str, str]:
        p = float(mean_tests.quantile_p_less(self.values, self.q, b))
        return p, "finite-sample, order statistics", ""

    def interval(self, level: float) -> tuple[float, float]:
        low, high = mean_tests.quantile_interval(self.values, self.q, level)
        return _ends(float(low), float(high))


class Frequency:
    """How often an event happens: k times out of n, judged by the exact binomial law."""

    exact = False

    def __init__(self, k: int, n: int) -> None:
        self.k, self.replicates = int(k), int(n)
        self.estimate = self.k / self.replicates
        smooth = (self.k + 1) / (self.replicates + 2)
        self.se = math.sqrt(smooth * (1 - smooth) / self.replicates)

    def greater(self, b: float, level: float) -> tuple[float, str, str]:
        if b <= 0:  # an event that must never happen
            return (0.0 if self.k else 1.0), "exact binomial", ""
        if b >= 1:
            return 1.0, "exact binomial", ""
        p = intervals.binomial_p_greater(self.k, self.replicates, b)
        return float(p), "exact binomial", ""

    def less(self, b: float, level: float) -> tuple[float, str, str]:
        if b <= 0:
            return 1.0, "exact binomial", ""
        if b >= 1:  # a probability is never above one
            return 0.0, "exact binomial", ""
        return float(intervals.binomial_p_less(self.k, self.replicates, b)), "exact binomial", ""

    def interval(self, level: float) -> tuple[float, float]:
        low, high = intervals.clopper_pearson(self.k, self.replicates, level)
        return float(low), float(high)


class ExactValue:
    """A value without sampling error, known up to a numeric error."""

    exact = True
    replicates = 0
    se = 0.0

    def __init__(self, value: float, error: float) -> None:
        self.estimate, self.error = float(value), float(error)

    def greater(self, b: float, level: float) -> tuple[float, str, str]:
        above = self.estimate - self.error > b + TIE * abs(b)
        return (0.0 if above else 1.0), "exact", ""

    def less(self, b: float, level: float) -> tuple[float, str, str]:
        below = self.estimate + self.error <= b + TIE * abs(b)
        return (0.0 if below else 1.0), "exact", ""

    def interval(self, level: float) -> tuple[float, float]:
        return self.estimate - self.error, self.estimate + self.error


class WeightedDifference:
    """a E(X) - E(Y) for independent samples: Student's t with Welch's degrees of freedom.

    The tail probability is trusted only where the skewness of the difference is small.
    """

    exact = False

    def __init__(self, x: Measure, y: Measure, a: float = 1.0) -> None:
        self.estimate = a * x.estimate - y.estimate
        self.replicates = min(m.replicates for m in (x, y) if not m.exact)
        variance, third, spent = 0.0, 0.0, 0.0
        for weight, part in ((a, x), (-1.0, y)):
            if isinstance(part, Mean):
                floats = part.values.astype(float)
                v = (weight * part.se) ** 2
                centred = floats - floats.mean()
                variance += v
                third += weight**3 * float(np.mean(centred**3)) / len(floats) ** 2
                spent += v**2 / max(len(floats) - 1, 1)
        self.error = sum(
            w * part.error for w, part in ((abs(a), x), (1, y)) if isinstance(part, ExactValue)
        )
        self.se = math.sqrt(variance)
        self.df = variance**2 / spent if spent > 0 else math.inf
        skew = abs(third) / self.se**3 if self.se > 0 else math.inf
        self.reason = "DEGENERATE" if self.se == 0 else "TAIL" if skew > MAX_SKEW else ""
        self.method = f"asymptotic, Welch df {self.df:.0f}"

    def _z(self, b: float) -> float:
        return (self.estimate - b) / self.se

    def greater(self, b: float, level: float) -> tuple[float, str, str]:
        if self.reason:
            return 1.0, self.method, self.reason
        return float(stdtr(self.df, -self._z(b + self.error))), self.method, ""

    def less(self, b: float, level: float) -> tuple[float, str, str]:
        if self.reason:
            return 1.0, self.method, self.reason
        return float(stdtr(self.df, self._z(b - self.error))), self.method, ""

    def interval(self, level: float) -> tuple[float, float]:
        if self.reason:
            return -math.inf, math.inf
        half = float(-stdtrit(self.df, level)) * self.se + self.error
        return self.estimate - half, self.estimate + half


def measure_of(sample: Any, statistic: str | float = "mean") -> Measure:
    """The measure of one sample: its exact value, its mean, or a quantile ("median" or q)."""
    if sample.exact is not None:
        return ExactValue(float(sample.exact.value), float(sample.exact.error))
    if statistic == "mean":
        return Mean(sample.values, sample.range)
    return Quantile(sample.values, 0.5 if statistic == "median" else float(statistic))


def block_ratio(values: Array, block: int) -> tuple[float, float]:
    """Variance of block means times the block size over the within-block variance, and its p.

    Replicates are independent when this ratio is near 1; a study that draws something once a
    block and shares it among the replicates makes it large.
    """
    blocks = len(values) // block if block else 0
    if blocks < 2 or block < 2:
        return 1.0, 1.0
    if np.ptp(np.asarray(values, dtype=float)) <= TIE * abs(float(values[0])):
        return 1.0, 1.0  # a constant, up to rounding
    table = np.asarray(values[: blocks * block], dtype=float).reshape(blocks, block)
    centre = table.mean(axis=1)
    within = float(np.sum((table - centre[:, None]) ** 2)) / (blocks * (block - 1))
    between = float(np.var(centre, ddof=1)) * block
    if within == 0:
        return (math.inf, 0.0) if between > 0 else (1.0, 1.0)
    ratio = between / within
    return ratio, float(fdtrc(blocks - 1, blocks * (block - 1), ratio))


def blocks_depend(sample: Any) -> float | None:
    """The variance ratio of a sample whose blocks clearly share something, else None."""
    if sample.values is None:
        return None
    ratio, p = block_ratio(sample.values, int(sample.block or 0))
    return ratio if ratio > BLOCK_RATIO and p < BLOCK_LEVEL else None


def replicates_needed(measure: Measure, gap: float, level: float, *, above: bool) -> float:
    """Replicates that would see with power .9 that the mean is ``gap`` above (or below) an edge.

    Where the range is known on the side from which betting starts (its lower end for "above") this
    costs 1.4 times as much, and at least what the largest bet needs on constant data.
    """
    if measure.exact:
        return math.nan
    if gap <= 0 or not math.isfinite(measure.se):
        return math.inf
    z = float(-ndtri(level) - ndtri(0.1))
    normal = measure.replicates * (z * measure.se / gap) ** 2
    end = measure.range[0 if above else 1] if isinstance(measure, Mean) else math.inf
    if not math.isfinite(end) or measure.estimate == end:
        return normal
    stake = intervals.MAX_BET * gap / abs(measure.estimate - end)
    return max(1.4 * normal, -math.log(level) / math.log1p(stake))


def _unpack(test: Any) -> tuple[float, str, str]:
    p = float(test.p)
    return (1.0 if math.isnan(p) else p), str(test.method), str(test.reason or "")


def _ends(low: float, high: float) -> tuple[float, float]:
    low, high = float(low), float(high)
    return (-math.inf if math.isnan(low) else low), (math.inf if math.isnan(high) else high)
