"""Samplers of the points nearest to the best threshold: order statistics, at any sample size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.minimax.models import ParallelThresholds, PowerThresholds
from tlstat.minimax.models.checks import require, require_count
from tlstat.minimax.sampling.cells import require_memory, require_sizes
from tlstat.minimax.sampling.statistics import CellSample

_FAR = 2.0  # where points that do not exist are put, outside the inputs' range


def sample_extremes(model: Any, n_P: int, n_Q: int, rng: Any, size: int) -> tuple[Any, Any]:
    """Distances of the nearest points on both sides of the best threshold, without noise.

    Without noise every threshold between them is an empirical minimiser, of the pooled sample
    and of any weighted one. Their joint law is exact for every sample size.

    Parameters
    ----------
    model : PowerThresholds or ParallelThresholds
        With ``a_P = a_Q = 0`` and ``c_P = c_Q = 1``.
    n_P, n_Q : int
        Sample sizes, 0 or more, below 2**53.
    rng : Random or numpy Generator
    size : int
        Number of replicates.

    Returns
    -------
    left, right : array, shape (size,), for `ParallelThresholds` (size, d)
        ``-left`` is the largest negative point, ``right`` the smallest positive one, of both
        samples together; 1 where there is none.
    """
    if not isinstance(model, (PowerThresholds, ParallelThresholds)) or not model.noise_free:
        raise InputError(
            f"model is {model!r}; expected PowerThresholds or ParallelThresholds without noise "
            "(a_P = a_Q = 0 and c_P = c_Q = 1)"
        )
    require_sizes(n_P, n_Q, size)
    lines = model.d if isinstance(model, ParallelThresholds) else 1
    require_memory(size, 4 * lines)
    sides = [
        _extremes(rng, int(n), lines, power, size)
        for n, power in ((n_P, model.gamma), (n_Q, model.q))
    ]
    xp = namespace(sides[0][0])
    left, right = (xp.minimum(sides[0][k], sides[1][k]) for k in (0, 1))
    return (left, right) if isinstance(model, ParallelThresholds) else (left[:, 0], right[:, 0])


def _extremes(rng: Any, n: int, lines: int, power: float, size: int) -> tuple[Any, Any]:
    points = rng.multinomial(n, np.full(lines, 1 / lines), size=(size,))
    right = rng.binomial(points, 0.5)
    # the left side has the points that remain, not a draw of its own
    return _smallest(rng, points - right, power), _smallest(rng, right, power)


def _smallest(rng: Any, m: Any, power: float) -> Any:
    """The smallest of ``m`` distances with distribution function ``r**power``; 1 if m is 0."""
    xp = namespace(m)
    log_u = -rng.exponential(1.0, tuple(m.shape))
    some = m > 0
    number = xp.where(some, m, xp.ones_like(m))
    return xp.where(some, (-xp.expm1(log_u / number)) ** (1 / power), xp.ones_like(log_u))


def sample_nearest(
    model: PowerThresholds,
    n_P: int,
    n_Q: int,
    rng: Any,
    size: int,
    *,
    nearest: int | None = None,
    placement: str = "right",
) -> CellSample:
    """The points nearest to the best threshold with their labels, under a constant margin.

    Empirical minimisers lie among the few points nearest to 0, whatever the sample size, so
    their risk can be had from those alone: the class is that of all thresholds between them.

    Parameters
    ----------
    model : PowerThresholds
        With ``a_P = a_Q = 0``.
    n_P, n_Q : int
        Sample sizes, 0 or more.
    rng : Random or numpy Generator
    size : int
        Number of replicates.
    nearest : int, optional
        Points of each sample on each side; by default ``60 / c**2``, beyond which a minimiser
        lies with probability below ``(1 - c**2)**(30 / c**2) < 1e-13``.
    placement : {"right", "middle"}
        Where between two neighbouring points a threshold is put.

    Returns
    -------
    CellSample
        With its own thresholds for every replicate. Confidence sets are those of the class of
        thresholds among these points.
    """
    if not isinstance(model, PowerThresholds) or not model.constant_margin:
        raise InputError(f"model is {model!r}; expected PowerThresholds with a_P = a_Q = 0")
    require_sizes(n_P, n_Q, size)
    require("placement", placement, placement in ("right", "middle"), '"right" or "middle"')
    if nearest is None:
        nearest = math.ceil(60 / min(model.c_P, model.c_Q) ** 2)
    require_count(1, nearest=nearest)
    require_memory(size, 16 * nearest)
    laws = ((int(n_P), model.gamma, model.c_P), (int(n_Q), model.q, model.c_Q))
    drawn = [_two_sides(rng, n, power, margin, size, nearest) for n, power, margin in laws]
    xp = namespace(drawn[0][0])
    x, y, reach = (xp.stack([side[k] for side in drawn], axis=-2) for k in range(3))
    # x, y: (size, 2 samples, 2 sides * nearest); reach: (size, 2 samples, 2 sides)
    limit = xp.min(reach, axis=-2)[:, None, :, None]
    shaped = xp.reshape(x, (size, 2, 2, nearest))
    beyond = xp.asarray([-_FAR, _FAR], dtype=x.dtype)[None, None, :, None]
    if not isinstance(x, np.ndarray):
        beyond = beyond.to(x.device)
    x = xp.reshape(xp.where(abs(shaped) <= limit, shaped, beyond + 0 * shaped), (size, -1))
    y = xp.reshape(y, (size, -1))
    order = xp.argsort(x, axis=-1)
    x, y = (xp.take_along_axis(v, order, axis=-1) for v in (x, y))
    exists = abs(x) < _FAR
    of_P = (order < 2 * nearest) & exists
    of_Q = (order >= 2 * nearest) & exists
    cells_P, cells_Q = (
        xp.stack([1 * (of & (y == 0)), 1 * (of & (y == 1))], axis=-1) for of in (of_P, of_Q)
    )
    ties = rng.uniform(0.0, 1.0, (size, 2))
    thresholds, valid = _gaps(x, placement), _real_gaps(x)
    return CellSample(thresholds, cells_P, cells_Q, int(n_P), int(n_Q), ties, valid=valid)


def _two_sides(
    rng: Any, n: int, power: float, margin: float, size: int, nearest: int
) -> tuple[Any, Any, Any]:
    """Signed points and labels (size, 2 * nearest), and how far each side was looked at."""
    right = rng.binomial(n, 0.5, (size,))
    sides = [_order_statistics(rng, m, power, nearest) for m in (n - right, right)]
    xp = namespace(right)
    agrees = rng.uniform(0.0, 1.0, (size, 2 * nearest)) < (1 + margin) / 2
    x = xp.concat([-sides[0][0], sides[1][0]], axis=-1)
    y = 1 * (agrees == (x > 0))
    return x, y, xp.stack([sides[0][1], sides[1][1]], axis=-1)


def _order_statistics(rng: Any, m: Any, power: float, nearest: int) -> tuple[Any, Any]:
    """The ``nearest`` smallest of ``m`` distances (those that do not exist at ``_FAR``)."""
    xp = namespace(m)
    size = m.shape[0]
    partial = xp.cumulative_sum(rng.exponential(1.0, (size, nearest)), axis=-1)
    many = m >= nearest
    rest = rng.gamma(1.0 * xp.where(many, m - nearest + 1, xp.ones_like(m)), 1.0)
    # m uniforms in order are partial sums of m + 1 exponentials over their total
    position = xp.clip(m, 0, nearest - 1)[:, None]
    at = xp.take_along_axis(partial, position, axis=-1)[:, 0]
    total = xp.where(many, partial[:, -1] + rest, at)[:, None]
    rank = xp.cumulative_sum(xp.ones_like(partial), axis=-1)
    exists = rank <= m[:, None]
    share = xp.where(exists, partial / total, xp.ones_like(partial))
    distance = xp.where(exists, share ** (1 / power), _FAR * xp.ones_like(partial))
    reach = xp.where(m > nearest, distance[:, -1], xp.ones_like(total[:, 0]))
    return distance, reach


def _gaps(x: Any, placement: str) -> Any:
    """A threshold for each gap between sorted points: its right end or its middle."""
    xp = namespace(x)
    ends = xp.ones_like(x[:, :1])
    inside = xp.clip(x, -1.0, 1.0)
    right = xp.concat([inside, ends], axis=-1)
    if placement == "right":
        return right
    return (xp.concat([-ends, inside], axis=-1) + right) / 2


def _real_gaps(x: Any) -> Any:
    """Gaps next to at least one point that exists, and not twice the same."""
    xp = namespace(x)
    on_left = xp.sum(1 * (x <= -_FAR), axis=-1)[:, None]
    on_right = xp.sum(1 * (x >= _FAR), axis=-1)[:, None]
    gap = xp.cumulative_sum(xp.ones_like(x), axis=-1, include_initial=True)
    return (gap >= on_left) & (gap <= x.shape[-1] - on_right)
