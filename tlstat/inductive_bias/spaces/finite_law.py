"""Laws on finitely many test errors, with exact integer weights where they are counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import as_random


class FiniteLaw:
    """Law of a test error that takes finitely many values.

    Parameters
    ----------
    errors : array_like, shape (k,)
        Distinct values; any order.
    counts : sequence of int, optional
        Number of hypotheses of each value, integers of any size. Give this or `log_weights`.
    log_weights : array_like, shape (k,), optional
        Logarithms of weights, of any common scale.
    log_error : float
        Bound on the error of a log-weight, where the weights are themselves estimated.

    Attributes
    ----------
    total : int or None
        Number of hypotheses, for counts.

    Examples
    --------
    >>> law = FiniteLaw([0.0, 0.5, 1.0], counts=[1, 2, 1])
    >>> round(law.cdf(0.5), 12), law.total
    (0.75, 4)
    """

    def __init__(
        self,
        errors: Any,
        counts: Sequence[int] | None = None,
        *,
        log_weights: Any = None,
        log_error: float = 0.0,
    ) -> None:
        values = np.asarray(errors, dtype=float)
        if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
            raise InputError(f"errors is {errors!r}; expected a list of finite numbers")
        if (counts is None) == (log_weights is None):
            raise InputError("give one of counts and log_weights")
        order = np.argsort(values, kind="stable")
        if np.any(np.diff(values[order]) == 0):
            raise InputError("errors has a value twice; expected distinct ones")
        self.errors = values[order]
        self.log_error = float(log_error)
        self.counts: tuple[int, ...] | None = None
        self.total: int | None = None
        given = list(counts) if counts is not None else np.asarray(log_weights, dtype=float)
        if len(given) != len(values):
            raise InputError(f"errors has {len(values)} values and {len(given)} weights")
        if counts is not None:
            self._count([counts[i] for i in order])
        else:
            assert log_weights is not None
            self._weigh(np.asarray(given)[order])

    def _count(self, counts: list[int]) -> None:
        if any(int(c) != c or c < 0 for c in counts) or sum(map(int, counts)) == 0:
            raise InputError("counts must be whole numbers of at least 0, and not all 0")
        self.counts = tuple(int(c) for c in counts)
        self.total = sum(self.counts)
        below, running = [], 0
        for c in self.counts:
            running += c
            below.append(_log_ratio(running, self.total))
        self._log_below = np.array(below)
        self.log_weights = np.array([_log_ratio(c, self.total) for c in self.counts])

    def _weigh(self, log_weights: np.ndarray) -> None:
        if np.isnan(log_weights).any() or not log_weights.max() > -np.inf:
            raise InputError("log_weights has NaN, or only -inf; expected logarithms of weights")
        below = np.logaddexp.accumulate(log_weights)
        self.log_weights = log_weights - below[-1]
        self._log_below = np.minimum(below - below[-1], 0.0)

    def logcdf(self, x: Any) -> Any:
        """``log P(error <= x)``, -inf below the smallest error."""
        # an error is a sum of weights: one that equals x up to rounding counts as at most x
        at = np.asarray(x, dtype=float)
        slack = 1e-12 * max(1.0, float(np.max(np.abs(self.errors))))
        place = np.searchsorted(self.errors, at + slack, side="right")
        out = np.concatenate([[-np.inf], self._log_below])[place]
        return float(out) if np.ndim(x) == 0 else out

    def cdf(self, x: Any) -> Any:
        """``P(error <= x)``."""
        value = np.exp(self.logcdf(x))
        return float(value) if np.ndim(x) == 0 else value

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of each error."""
        return np.exp(self.log_weights)

    def mean(self) -> float:
        """Expected error."""
        return float(self.probabilities @ self.errors)

    def std(self) -> float:
        """Standard deviation of the error."""
        return math.sqrt(float(self.probabilities @ (self.errors - self.mean()) ** 2))

    def support(self) -> tuple[float, float]:
        """Smallest and largest error of positive weight."""
        positive = self.errors[self.log_weights > -np.inf]
        return float(positive[0]), float(positive[-1])

    def rvs(self, size: int = 1, random_state: Any = 0) -> np.ndarray:
        """Independent draws."""
        rng = as_random(random_state)
        p = self.probabilities
        drawn = rng.choice(len(p), size, p=p / p.sum())
        return self.errors[np.asarray(drawn)]

    def __repr__(self) -> str:
        what = f"{self.total} hypotheses" if self.total is not None else "weighted"
        return f"FiniteLaw({len(self.errors)} errors, {what})"


def law_of(
    errors: np.ndarray, counts: Iterable[int] | None, log_weights: np.ndarray | None, **kw: Any
) -> FiniteLaw:
    """The law of hypotheses with these errors, equal ones put together."""
    # 1e-12 apart is rounding of a weighted sum
    values, groups = np.unique(np.round(errors, 12), return_inverse=True)
    if counts is not None:
        totals = [0] * len(values)
        for group, count in zip(groups.tolist(), counts, strict=True):
            totals[group] += int(count)
        return FiniteLaw(values, counts=totals)
    assert log_weights is not None
    top = log_weights.max()
    sums = np.bincount(groups, weights=np.exp(log_weights - top), minlength=len(values))
    with np.errstate(divide="ignore"):
        return FiniteLaw(values, log_weights=np.log(sums) + top, **kw)


def _log_ratio(part: int, whole: int) -> float:
    """``log(part / whole)`` of integers of any size, without cancellation near 1."""
    if part == 0:
        return -math.inf
    if 2 * part > whole:
        gap = whole - part
        # true division of integers rounds correctly at any size
        return math.log1p(-(gap / whole))
    return math.log(part) - math.log(whole)
