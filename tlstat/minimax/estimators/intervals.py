"""Empirical risk minimisation over all intervals, in time linear in the number of cells."""

from __future__ import annotations

import math

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError
from tlstat.minimax.models.checks import require
from tlstat.minimax.sampling.intervals import IntervalSample
from tlstat.minimax.sampling.statistics import running


def interval_erm(sample: IntervalSample, weight: float = 1.0) -> np.ndarray:
    """Ends of the interval with the fewest weighted errors: a maximum-sum run of cells.

    Kadane's scan, for all replicates at once. Of several best intervals each is chosen with
    the same probability (the empty one, which has many names, counting once per threshold).

    Parameters
    ----------
    sample : IntervalSample
    weight : float
        Weight of a source point against a target point, in [0, inf]: 0 looks at the target
        alone, inf at the source alone.

    Returns
    -------
    ndarray, shape (..., 2)
        Ends ``a <= b``; hypotheses are ``1[a <= x < b]``.
    """
    if not isinstance(sample, IntervalSample):
        raise InputError(f"sample is a {type(sample).__name__}; expected an IntervalSample")
    require("weight", weight, weight >= 0, "a weight of 0 or above")
    walk_P, walk_Q = (
        to_numpy(running(c[..., 1] - c[..., 0])) for c in (sample.cells_P, sample.cells_Q)
    )
    walk = walk_P if weight == math.inf else weight * walk_P + walk_Q
    ties = to_numpy(sample.ties)
    low = np.minimum.accumulate(walk, axis=-1)
    gain = walk - low
    ways = _ways(walk, low)
    best = np.where(gain == gain.max(axis=-1, keepdims=True), ways, 0)
    upper = _choose(best, ties[..., 0])
    level = np.take_along_axis(low, upper[..., None], axis=-1)
    before = np.arange(walk.shape[-1]) <= upper[..., None]
    lower = _choose(1 * ((walk == level) & before), ties[..., 1])
    edges = to_numpy(sample.thresholds)
    return np.stack([edges[lower], edges[upper]], axis=-1)


def _ways(walk: np.ndarray, low: np.ndarray) -> np.ndarray:
    """For each right end, how many left ends attain the running minimum."""
    attains = 1 * (walk == low)
    count = np.cumsum(attains, axis=-1)
    fresh = np.ones(walk.shape, dtype=bool)
    fresh[..., 1:] = low[..., 1:] < low[..., :-1]
    before = np.maximum.accumulate(np.where(fresh, count - 1, 0), axis=-1)
    return count - before


def _choose(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """An index with probability proportional to integer weights, by one uniform variate."""
    total = np.cumsum(weights, axis=-1)
    rank = np.minimum(np.floor(uniform * total[..., -1]), total[..., -1] - 1)
    return np.sum(total <= rank[..., None], axis=-1)
