"""Slope claims: the ordinary-least-squares contrast of log means against the bound's own slope.

The bound is compared on the same grid with the same weights, so logarithms and lower-order terms
in it count, and the contrast is exactly zero whenever the mean is proportional to the bound.
Cells whose samples share a stream (common random numbers) are treated by their joint influence
function; the others are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

Array = NDArray[np.float64]

MIN_EFFECTIVE = 30.0  # effective replicates a cell below which log(mean) is not nearly normal
MAX_SKEW = 0.25  # skewness of the contrast above which its tail probabilities are off
DRIFT_ALARM = 2.33  # in standard errors: the two halves' slopes differ
TIE = 1e-12  # relative differences below this are rounding
SMALL_SAMPLE = 30  # below it, Student's t with Welch's degrees of freedom


@dataclass(frozen=True)
class Curve:
    """One curve along the swept axis, with at least two points, x increasing.

    Attributes
    ----------
    x : array (m,)
        Values of the swept parameter (positive).
    bound : array (m,)
        The bound there, free constants set to anything.
    values : list of m arrays (R_k,), or of None where the point is exact
    means, errors : arrays (m,)
        Means, and numeric errors of the exact ones (0 for sampled ones).
    streams : list of m str
        Points of equal stream are paired replicate by replicate.
    """

    x: Array
    bound: Array
    values: Sequence[Array | None]
    means: Array
    errors: Array
    streams: Sequence[str]

    @property
    def exact(self) -> bool:
        """Whether no point was sampled."""
        return all(v is None for v in self.values)


@dataclass(frozen=True)
class Slope:
    """The contrast d = slope of the data minus slope of the bound, with its uncertainty.

    ``error`` is the numeric part (exact points), ``se`` the sampling part; ``reason`` is "" or the
    reason ("ZERO", "TAIL", "DEGENERATE") for which the normal approximation cannot be used.
    """

    d: float
    se: float
    error: float
    df: float
    slope: float
    predicted: float
    d_low: float
    d_top: float
    d_next: float
    drift: float
    n_eff: float
    skew: float
    replicates: int
    reason: str = ""
    exact: bool = False

    @property
    def alarm(self) -> bool:
        """Whether the slope drifts along the window."""
        return self.exact or abs(self.drift) > DRIFT_ALARM


def contrast(x: Array) -> Array:
    """Weights of the least-squares slope on log x: sums to 0, and to 1 against log x."""
    centred = np.log(x) - np.mean(np.log(x))
    return np.asarray(centred / np.sum(centred**2))


def half_contrasts(x: Array) -> tuple[Array, Array]:
    """Slopes on the lower and on the upper half; the halves share the middle point."""
    m, half = len(x), len(x) // 2
    low, top = np.zeros(m), np.zeros(m)
    low[: half + 1] = contrast(x[: half + 1])
    top[m - 1 - half :] = contrast(x[m - 1 - half :])
    return low, top


def fit_slope(curve: Curve) -> Slope:
    """The contrast of one curve with its checks and its drift along the window."""
    x = curve.x
    reason = _zero_reason(curve)
    if reason:
        return _undecidable(curve, reason)
    c = contrast(x)
    low, top = half_contrasts(x) if len(x) >= 3 else (c, c)
    residual = np.log(curve.means) - np.log(curve.bound)
    relative_error = curve.errors / curve.means
    noise = Noise(curve)
    variance, third, df = noise.of(c)
    se = float(np.sqrt(variance))
    d, d_low, d_top = (float(w @ residual) for w in (c, low, top))
    drift_se = float(np.sqrt(noise.of(top - low)[0])) if len(x) >= 3 else 0.0
    moves = abs(d_top - d_low) > TIE  # perfectly shared draws leave only rounding
    drift = (d_top - d_low) / drift_se if drift_se > 0 and moves else 0.0
    skew = abs(third) / se**3 if se > 0 else 0.0
    if not curve.exact:
        if noise.degenerate:
            reason = "DEGENERATE"
        elif noise.n_eff < MIN_EFFECTIVE or skew > MAX_SKEW:
            reason = "TAIL"
    return Slope(
        d=d,
        se=se,
        error=float(np.abs(c) @ relative_error),
        df=df,
        slope=float(c @ np.log(curve.means)),
        predicted=float(c @ np.log(curve.bound)),
        d_low=d_low,
        d_top=d_top,
        d_next=2 * d_top - d_low,
        drift=drift,
        n_eff=noise.n_eff,
        skew=skew,
        replicates=noise.replicates,
        reason=reason,
        exact=curve.exact,
    )


class Noise:
    """Sampling variance and third moment of any contrast of a curve's log means."""

    def __init__(self, curve: Curve) -> None:
        groups: dict[Any, list[int]] = {}
        for k, values in enumerate(curve.values):
            if values is not None:
                groups.setdefault(curve.streams[k] or k, []).append(k)
        self.m = len(curve.x)
        self.n_eff = np.inf
        self.replicates = 0
        sizes = []
        # (indices, R, scaled replicates (g, R)) of each group of common random numbers
        self.groups: list[tuple[list[int], int, Array]] = []
        for members in groups.values():
            size = min(len(_values(curve, k)) for k in members)
            rows = np.stack([_values(curve, k)[:size] / curve.means[k] for k in members])
            self.groups.append((members, size, rows))
            sizes.append(size)
            squares = np.sum(rows**2, axis=1)
            self.n_eff = min(self.n_eff, float(np.min(np.sum(rows, axis=1) ** 2 / squares)))
        self.replicates = min(sizes, default=0)
        self.degenerate = all(np.max(np.ptp(rows, axis=1)) <= TIE for _, _, rows in self.groups)
        self._single = [self._moments(rows[0], r) for _, r, rows in self.groups]

    @staticmethod
    def _moments(row: Array, size: int) -> tuple[float, float]:
        """(variance, third cumulant) of log of one cell's mean."""
        centred = row - np.mean(row)
        second = float(np.mean(centred**2))
        if np.ptp(row) <= TIE or size < 2:  # rows are relative to their mean
            return 0.0, 0.0
        spread = np.sqrt(second * size / (size - 1))
        g = float(np.mean(centred**3)) / second**1.5
        v = float(spread**2) / size
        return v, (g - 3 * float(spread)) * v**1.5 / np.sqrt(size)

    def of(self, weights: Array) -> tuple[float, float, float]:
        """(variance, third cumulant, degrees of freedom) of sum of weights times log means.

        The third cumulants are added in absolute value: a cancellation is not relied upon.
        """
        parts, third, sizes = [], 0.0, []
        for (members, size, rows), single in zip(self.groups, self._single, strict=True):
            if len(members) == 1:
                w = float(weights[members[0]])
                parts.append(w**2 * single[0])
                third += abs(w) ** 3 * abs(single[1])
            else:
                influence = weights[members] @ rows
                centred = influence - np.mean(influence)
                second = float(np.mean(centred**2))
                parts.append(second / max(size - 1, 1))
                third += abs(float(np.mean(centred**3))) / size**2
            sizes.append(size)
        variance = float(np.sum(parts))
        if variance == 0 or not sizes or min(sizes) >= SMALL_SAMPLE:
            return variance, third, np.inf
        spent = sum(p**2 / max(r - 1, 1) for p, r in zip(parts, sizes, strict=True))
        return variance, third, variance**2 / spent


def slope_p_values(
    d: float, se: float, tolerance: float, side: str = "both", df: float = np.inf
) -> tuple[float, float]:
    """P-values (supported, refuted) of "|d| <= tolerance" (or one side of it).

    Both are exact for a normal d with known se: the first for "outside", the second for the
    composite null "inside".  ``side="upper"`` judges d <= tolerance, ``"lower"`` d >= -tolerance.
    """

    def cdf(z: float) -> float:
        return float(ndtr(z) if np.isinf(df) else stdtr(df, z))

    if side == "lower":
        d = -d
    if side != "both":
        return cdf(-(tolerance - d) / se), cdf((tolerance - d) / se)
    size = abs(d)
    supported = 1.0 if size >= tolerance else cdf(-(tolerance - size) / se)
    return supported, min(1.0, cdf((tolerance - size) / se) + cdf(-(tolerance + size) / se))


def judge_slope(slope: Slope, tolerance: float, side: str = "both") -> tuple[float, float]:
    """P-values (supported, refuted) of one curve; 0 or 1 for an exact one, 1 where undecidable."""
    if slope.reason:
        return 1.0, 1.0
    if not slope.exact:
        return slope_p_values(slope.d, slope.se, tolerance, side, slope.df)
    signed = {"both": abs(slope.d), "upper": slope.d, "lower": -slope.d}[side]
    supported = 0.0 if signed + slope.error <= tolerance else 1.0
    return supported, 0.0 if signed - slope.error > tolerance else 1.0


def drift_vetoes(slope: Slope, tolerance: float, side: str = "both") -> tuple[bool, bool]:
    """Whether the drift along the window forbids (supporting, refuting).

    Drifting out of the tolerance forbids supporting; drifting in forbids refuting.  A veto can
    only turn a decision into "inconclusive", so it needs no level of its own.
    """
    if slope.reason or not slope.alarm:
        return False, False
    sign = -1.0 if side == "lower" else 1.0
    ahead, now = sign * slope.d_next, sign * slope.d
    if side != "both":
        return ahead > tolerance, ahead <= tolerance
    return abs(ahead) > tolerance, abs(ahead) <= tolerance or ahead * now < 0


def slope_quantile(level: float, df: float = np.inf) -> float:
    """The upper quantile used for intervals and for power."""
    return float(-ndtri(level) if np.isinf(df) else -stdtrit(df, level))


def nested_windows(curve: Curve) -> list[dict[str, float]]:
    """The contrast on [x_k, x_max] for every k that leaves three points: a display, no test."""
    rows = []
    for start in range(len(curve.x) - 2):
        part = Curve(
            curve.x[start:],
            curve.bound[start:],
            curve.values[start:],
            curve.means[start:],
            curve.errors[start:],
            curve.streams[start:],
        )
        fit = fit_slope(part)
        rows.append({"from": float(part.x[0]), "to": float(part.x[-1]), "d": fit.d, "se": fit.se})
    return rows


def _values(curve: Curve, k: int) -> Array:
    values = curve.values[k]
    assert values is not None
    return np.asarray(values, dtype=float)


def _zero_reason(curve: Curve) -> str:
    """ "ZERO" where the log of a mean is meaningless: never a fudge inside the logarithm."""
    if np.any(curve.means <= 0):
        return "ZERO"
    for values in curve.values:
        if values is not None and np.count_nonzero(values) < min(30, len(values)):
            return "ZERO"
    return ""


def _undecidable(curve: Curve, reason: str) -> Slope:
    nan = float("nan")
    sizes = [len(v) for v in curve.values if v is not None]
    predicted = float(contrast(curve.x) @ np.log(curve.bound))
    return Slope(
        d=nan, se=nan, error=nan, df=np.inf, slope=nan, predicted=predicted, d_low=nan,
        d_top=nan, d_next=nan, drift=0.0, n_eff=0.0, skew=nan, replicates=min(sizes, default=0),
        reason=reason, exact=False,
    )  # fmt: skip
