"""The population event: the law that the test points come from, instead of the points.

On a weighted grid the error is that in L2 of the grid, and its law is as exact as that of a test
set. From a test sample alone two questions are told apart. How much would the bias vary over fresh
test sets of the same size? The grouped jackknife answers: its variance is conservative for any
statistic (B. Efron, C. Stein, Annals of Statistics 1981; up to the change from m to m - m/groups
points). What does the bias tend to as the test set grows? If it still changes between half of the
points and all of them, the sample does not say, and the interval is left open on that side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import as_random
from tlstat.inductive_bias.estimate import sampled_bias
from tlstat.inductive_bias.result import Bias
from tlstat.inductive_bias.task import Task

HALVES = 11


def grid_of(ready: Task, grid: Any) -> tuple[Task, Any]:
    """The task with the grid as test data, and the grid's weights."""
    if not isinstance(grid, tuple | list) or len(grid) not in (2, 3):
        raise InputError("grid is no (X, y) or (X, y, weights)")
    X, y = grid[0], grid[1]
    if len(X) != len(y):
        raise InputError(f"grid has {len(X)} inputs and {len(y)} values; expected as many")
    return ready.with_test(X, y), grid[2] if len(grid) == 3 else None


def over_test_sets(
    ready: Task,
    bias: Bias,
    *,
    loss: str | None,
    size: int | None,
    groups: int,
    level: float,
    rng: Any,
) -> Bias:
    """The same bias with an interval over fresh test points."""
    values = deleted(ready, bias.target_error, groups, loss=loss, size=size, rng=rng)
    spread = half_width(values, level)
    sampling = max(bias.interval[1] - bias.nats, bias.nats - bias.interval[0])
    slack = math.hypot(spread, sampling) if math.isfinite(bias.nats) else math.inf
    half = half_sample(ready, bias.target_error, loss=loss, size=size, rng=rng)
    low, high = max(0.0, bias.nats - slack), bias.nats + slack
    if math.isinf(bias.nats):
        low = float(np.min(values))
    notes = [f"The interval is over fresh test sets of m = {bias.m} points."]
    if not abs(bias.nats - half) <= slack:
        low, high = (low, math.inf) if bias.nats > half else (0.0, high)
        notes.append(
            f"With half of the test points the bias is {half:.4g} nats instead of "
            f"{bias.nats:.4g}: it has not settled, and the test set is too small to bound that of "
            f"the population from {'above' if math.isinf(high) else 'below'}."
        )
    return bias.replace(
        event="population",
        interval=(low, high),
        notes=bias.notes + tuple(notes),
        details={**bias.details, "half_test_set": half, "test_set_half_width": spread},
    )


def deleted(
    ready: Task,
    target_error: float,
    groups: int,
    *,
    loss: str | None = None,
    size: int | None = None,
    rng: Any,
) -> np.ndarray:
    """The bias without each of several random groups of test points, (groups,).

    Spaces that are compared on equal seeds lose equal groups.
    """
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 10:
        raise InputError(f"groups is {groups!r}; expected a number of at least 10")
    m = len(ready.y_test)
    if m < 10:
        raise InputError(f"y_test has {m} rows; expected at least 10 to speak of other test sets")
    order = np.asarray(as_random(rng).spawn("groups").permutation(m))
    weights = np.ones((min(groups, m), m))
    for row, group in zip(weights, np.array_split(order, len(weights)), strict=True):
        row[group] = 0.0
    return np.array(weighted_nats(ready, target_error, weights, loss=loss, size=size, rng=rng))


def half_width(values: np.ndarray, level: float) -> float:
    """Half-width of the jackknife's interval, from the values without each group."""
    from scipy.stats import t

    if not np.isfinite(values).all():
        return math.inf
    g = len(values)
    error = math.sqrt((g - 1) / g * float(np.sum((values - values.mean()) ** 2)))
    return float(t.ppf((1 + level) / 2, g - 1)) * error


def half_sample(
    ready: Task, target_error: float, *, loss: str | None, size: int | None, rng: Any
) -> float:
    """Median of the bias on random halves of the test points."""
    m, picks = len(ready.y_test), as_random(rng).spawn("halves")
    weights = np.zeros((HALVES, m))
    for row in weights:
        row[np.asarray(picks.permutation(m))[: max(1, m // 2)]] = 1.0
    values = weighted_nats(ready, target_error, weights, loss=loss, size=size, rng=rng)
    return float(np.median(values))


def weighted_nats(
    ready: Task,
    target_error: float,
    weights: np.ndarray,
    *,
    loss: str | None = None,
    size: int | None = None,
    rng: Any,
) -> list[float]:
    """The bias for each row of weights, by the law or by the same sampled hypotheses.

    Points of weight 0 are left out.
    """
    X, y, conditioned = ready.X_test, ready.y_test, ready.conditioned
    laws = conditioned.error_laws(X, y, weights, loss=loss)
    if laws is not None:
        return [max(0.0, -float(one.logcdf(target_error))) for one in laws]
    draws = conditioned.draw(
        X, y, as_random(rng).spawn("points"), size or ready.size, loss=loss, pointwise=True
    )
    known = {"target_error": target_error, "loss": loss or "", "m": len(y), "C": 1, "level": 0.95}
    shares = weights / weights.sum(axis=1, keepdims=True)
    return [sampled_bias(draws.errors @ w, target_error, known).nats for w in shares]
